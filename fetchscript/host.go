package fetchscript

// This file owns the functions that the prelude asks the host for because Go
// has them: codecs, hashes, signatures, URLs, XML. They only compute.

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	mathrand "math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"example.com/upstream/internal/strictjson"
)

// A function of the host takes texts or bytes.
type function struct {
	arity  int
	binary bool // the answer becomes an ArrayBuffer
	call   func(args []string) (string, error)
}

func text(arity int, call func(args []string) (string, error)) function {
	return function{arity, false, call}
}

func bytesOf(arity int, call func(args []string) (string, error)) function {
	return function{arity, true, call}
}

// functions are all of them. Never written.
var functions = map[string]function{
	"json":        text(1, func(a []string) (string, error) { return exactJSON(a[0]) }),
	"random":      text(0, func([]string) (string, error) { return strconv.FormatFloat(mathrand.Float64(), 'g', -1, 64), nil }),
	"encode":      text(2, func(a []string) (string, error) { return encode(a[0], a[1]) }),
	"decode":      bytesOf(2, func(a []string) (string, error) { return decode(a[0], a[1]) }),
	"url":         text(2, func(a []string) (string, error) { return parseURL(a[0], a[1]) }),
	"hash":        bytesOf(2, func(a []string) (string, error) { return digest(a[0], nil, a[1]) }),
	"hmac":        bytesOf(3, func(a []string) (string, error) { return digest(a[0], &a[1], a[2]) }),
	"randomBytes": bytesOf(1, func(a []string) (string, error) { return randomBytes(a[0]) }),
	"equal": text(2, func(a []string) (string, error) {
		return strconv.FormatBool(subtle.ConstantTimeCompare([]byte(a[0]), []byte(a[1])) == 1), nil
	}),
	"jwtSign":   text(3, func(a []string) (string, error) { return jwtSign(a[0], a[1], a[2]) }),
	"jwtVerify": text(4, func(a []string) (string, error) { return jwtVerify(a[0], a[1], a[2], a[3]) }),
	"rsaSHA1":   bytesOf(2, func(a []string) (string, error) { return rsaSHA1(a[0], a[1]) }),
	"xml":       text(1, func(a []string) (string, error) { return parseXML(a[0]) }),
}

// exactJSON checks a text that the script parses, by the rules of the whole
// library: no member twice, no deep nesting. It gives "" where the text can be
// used as it is, else the text with integers beyond 2^53 made texts.
func exactJSON(s string) (string, error) {
	data := []byte(s)
	if err := strictjson.Check(data); err != nil {
		return "", fmt.Errorf("JSON: %w", err)
	}
	var out []byte
	copied := 0
	for at := 0; at < len(data); at++ {
		switch c := data[at]; {
		case c == '"':
			for at++; data[at] != '"'; at++ {
				if data[at] == '\\' {
					at++
				}
			}
		case c == '-' || '0' <= c && c <= '9':
			end := at + 1
			for end < len(data) && strings.IndexByte("0123456789+-.eE", data[end]) >= 0 {
				end++
			}
			if number := string(data[at:end]); inexact(number) {
				out = append(append(append(append(out, data[copied:at]...), '"'), number...), '"')
				copied = end
			}
			at = end - 1
		}
	}
	if out == nil {
		return "", nil
	}
	return string(append(out, data[copied:]...)), nil
}

// inexact says whether JavaScript could take an integer for another.
func inexact(number string) bool {
	if len(number) < 16 || strings.ContainsAny(number, ".eE") {
		return false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	return err != nil || n > maxInteger || n < -maxInteger
}

func encode(encoding, raw string) (string, error) {
	switch encoding {
	case "utf8":
		if !utf8.ValidString(raw) {
			return strings.ToValidUTF8(raw, "\uFFFD"), nil
		}
		return raw, nil
	case "hex":
		return hex.EncodeToString([]byte(raw)), nil
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(raw)), nil
	case "base64url":
		return base64.RawURLEncoding.EncodeToString([]byte(raw)), nil
	case "latin1", "ascii":
		runes := make([]rune, len(raw))
		for i := range runes {
			runes[i] = rune(raw[i])
			if encoding == "ascii" {
				runes[i] &= 0x7f
			}
		}
		return string(runes), nil
	case "utf16le":
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16([]byte(raw[2*i:]))
		}
		return string(utf16.Decode(units)), nil
	}
	return "", fmt.Errorf("unknown encoding %q", encoding)
}

func decode(encoding, s string) (string, error) {
	switch encoding {
	case "utf8":
		return s, nil
	case "hex":
		raw, _ := hex.DecodeString(s) // as Node has it: up to the first that is none
		return string(raw), nil
	case "base64", "base64url":
		return decodeBase64(s), nil
	case "latin1", "ascii":
		raw := make([]byte, 0, len(s))
		for _, c := range s {
			raw = append(raw, byte(c))
		}
		return string(raw), nil
	case "utf16le":
		var raw []byte
		for _, unit := range utf16.Encode([]rune(s)) {
			raw = binary.LittleEndian.AppendUint16(raw, unit)
		}
		return string(raw), nil
	}
	return "", fmt.Errorf("unknown encoding %q", encoding)
}

// decodeBase64 takes both alphabets, with padding or without, as Node does.
func decodeBase64(s string) string {
	s, _, _ = strings.Cut(s, "=")
	clean := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c == '+':
			clean = append(clean, '-')
		case c == '/':
			clean = append(clean, '_')
		case c == '-', c == '_', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	raw, _ := base64.RawURLEncoding.DecodeString(string(clean)) // nothing else is left
	return string(raw)
}

func parseURL(input, base string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(input))
	if err == nil && base != "" {
		var b *url.URL
		if b, err = url.Parse(strings.TrimSpace(base)); err == nil {
			u = b.ResolveReference(u)
		}
	}
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "", errors.New("invalid URL")
	}
	part := func(sign, s string) string {
		if s == "" {
			return ""
		}
		return sign + s
	}
	password, _ := u.User.Password()
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	port := u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	name := strings.ToLower(u.Hostname())
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	out, err := json.Marshal(map[string]string{
		"protocol": u.Scheme + ":", "username": url.PathEscape(u.User.Username()), "password": url.PathEscape(password),
		"hostname": name, "port": port, "pathname": path, "search": part("?", u.RawQuery), "hash": part("#", u.EscapedFragment()),
	})
	return string(out), err
}

func newHash(name string) (func() hash.Hash, error) {
	switch name {
	case "md5":
		return md5.New, nil
	case "sha1":
		return sha1.New, nil
	case "sha256":
		return sha256.New, nil
	case "sha384":
		return sha512.New384, nil
	case "sha512":
		return sha512.New, nil
	}
	return nil, errors.New("digest method not supported; available are md5, sha1, sha256, sha384 and sha512")
}

func digest(name string, key *string, data string) (string, error) {
	algorithm, err := newHash(name)
	if err != nil {
		return "", err
	}
	h := hash.Hash(nil)
	if key != nil {
		h = hmac.New(algorithm, []byte(*key))
	} else {
		h = algorithm()
	}
	_, _ = h.Write([]byte(data)) // never fails
	return string(h.Sum(nil)), nil
}

func randomBytes(count string) (string, error) {
	const most = 1 << 16
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > most {
		return "", fmt.Errorf("randomBytes gives 0 to %d bytes", most)
	}
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	return string(raw), nil
}

// signingKey reads the key that an algorithm needs.
func signingKey(method jwt.SigningMethod, key string) (any, error) {
	switch method.(type) {
	case *jwt.SigningMethodHMAC:
		if key == "" {
			return nil, errors.New("secretOrPrivateKey must have a value")
		}
		return []byte(key), nil
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		return jwt.ParseRSAPrivateKeyFromPEM([]byte(key))
	case *jwt.SigningMethodECDSA:
		return jwt.ParseECPrivateKeyFromPEM([]byte(key))
	}
	return nil, errors.New("invalid algorithm")
}

func jwtSign(algorithm, input, key string) (string, error) {
	method := jwt.GetSigningMethod(algorithm)
	k, err := signingKey(method, key)
	if err != nil {
		return "", keyError(err)
	}
	signature, err := method.Sign(input, k)
	if err != nil {
		return "", keyError(err)
	}
	return base64.RawURLEncoding.EncodeToString(signature), nil
}

func jwtVerify(algorithm, input, signature, key string) (string, error) {
	var k any
	var err error
	method := jwt.GetSigningMethod(algorithm)
	switch method.(type) {
	case *jwt.SigningMethodHMAC:
		if key == "" {
			return "", errors.New("secret or public key must be provided")
		}
		k = []byte(key)
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		k, err = jwt.ParseRSAPublicKeyFromPEM([]byte(key))
	case *jwt.SigningMethodECDSA:
		k, err = jwt.ParseECPublicKeyFromPEM([]byte(key))
	default:
		return "", errors.New("invalid algorithm")
	}
	if err != nil {
		return "", keyError(err)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil {
		return "false", nil
	}
	return strconv.FormatBool(method.Verify(input, raw, k) == nil), nil
}

// keyError has words of ours: what reads keys may quote them.
func keyError(err error) error {
	if errors.Is(err, jwt.ErrKeyMustBePEMEncoded) {
		return errors.New("the key must be in PEM for this algorithm")
	}
	return errors.New("the key does not fit the algorithm")
}

func rsaSHA1(data, key string) (string, error) {
	k, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(key))
	if err != nil {
		return "", keyError(err)
	}
	sum := sha1.Sum([]byte(data))
	signature, err := rsa.SignPKCS1v15(nil, k, crypto.SHA1, sum[:])
	if err != nil {
		return "", keyError(err)
	}
	return string(signature), nil
}

// An element is one of XML as the prelude wants it.
type element struct {
	Name       string      `json:"name"`
	Attributes [][2]string `json:"attributes"`
	Text       string      `json:"text"`
	Children   []*element  `json:"children"`
}

// parseXML reads a document. It knows no entities but XML's own five, and
// refuses a DTD: both let a document grow.
func parseXML(s string) (string, error) {
	const deepest = strictjson.MaxDepth / 4
	d := xml.NewDecoder(strings.NewReader(s))
	top := &element{}
	open := []*element{top}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, column := d.InputPos()
			return "", fmt.Errorf("XML: line %d, column %d: not well-formed", line, column)
		}
		last := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{Name: qualified(t.Name), Attributes: [][2]string{}, Children: []*element{}}
			for _, a := range t.Attr {
				e.Attributes = append(e.Attributes, [2]string{qualified(a.Name), a.Value})
			}
			last.Children = append(last.Children, e)
			if open = append(open, e); len(open) > deepest {
				return "", errors.New("XML: too many levels")
			}
		case xml.EndElement:
			if len(open) == 1 || qualified(t.Name) != last.Name {
				return "", errors.New("XML: an end tag without its start")
			}
			open = open[:len(open)-1]
		case xml.CharData:
			last.Text += string(t)
		case xml.Directive:
			if !bytes.HasPrefix(t, []byte("DOCTYPE html")) {
				return "", errors.New("XML: a document type definition is not read")
			}
		}
	}
	if len(open) != 1 || len(top.Children) != 1 {
		return "", errors.New("XML: there has to be one element")
	}
	out, err := json.Marshal(top.Children[0])
	return string(out), err
}

func qualified(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}
