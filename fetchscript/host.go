package fetchscript

// This file owns the functions that the prelude asks the host for because Go
// has them: codecs, hashes, domain names. They only compute. Signatures are in
// keys.go.

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/net/idna"

	"example.com/upstream/internal/strictjson"
)

// A function of the host takes texts or bytes, and gives what engine.Host may
// give. In the program's process nothing ends it before it is done: it must be
// quick, whatever a script hands it.
type function struct {
	arity int
	call  func(args []string) (any, error)
}

// maxArguments bounds what a call is given, in bytes; where Options.MaxResponse
// is more than half of it, that counts.
const maxArguments = 16 * mebibyte

func text(arity int, call func(args []string) (string, error)) function {
	return function{arity, func(args []string) (any, error) { return call(args) }}
}

func bytesOf(arity int, call func(args []string) (string, error)) function {
	return function{arity, func(args []string) (any, error) {
		answer, err := call(args)
		return []byte(answer), err
	}}
}

// functions are all of them. Never written.
var functions = map[string]function{
	"json":        text(1, func(a []string) (string, error) { return exactJSON(a[0]) }),
	"library":     {1, func(a []string) (any, error) { return libraryCode(a[0]) }},
	"domain":      text(1, func(a []string) (string, error) { return domainToASCII(a[0]), nil }),
	"random":      text(0, func([]string) (string, error) { return strconv.FormatFloat(mathrand.Float64(), 'g', -1, 64), nil }),
	"encode":      text(2, func(a []string) (string, error) { return encode(a[0], a[1]) }),
	"decode":      bytesOf(2, func(a []string) (string, error) { return decode(a[0], a[1]) }),
	"hash":        bytesOf(2, func(a []string) (string, error) { return digest(a[0], nil, a[1]) }),
	"hmac":        bytesOf(3, func(a []string) (string, error) { return digest(a[0], &a[1], a[2]) }),
	"randomBytes": bytesOf(1, func(a []string) (string, error) { return randomBytes(a[0]) }),
	"equal": text(2, func(a []string) (string, error) {
		return strconv.FormatBool(subtle.ConstantTimeCompare([]byte(a[0]), []byte(a[1])) == 1), nil
	}),
	"key":    text(2, func(a []string) (string, error) { return describeKey(a[0], a[1]) }),
	"sign":   bytesOf(4, func(a []string) (string, error) { return sign(a[0], a[1], a[2], a[3]) }),
	"verify": text(5, func(a []string) (string, error) { return verify(a[0], a[1], a[2], a[3], a[4]) }),
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
		return raw, nil // the engine mends what is none
	case "hex":
		return hex.EncodeToString([]byte(raw)), nil
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(raw)), nil
	case "base64url":
		return base64.RawURLEncoding.EncodeToString([]byte(raw)), nil
	case "latin1":
		runes := make([]rune, len(raw))
		for i := range runes {
			runes[i] = rune(raw[i])
		}
		return string(runes), nil
	case "utf16le":
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
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
	case "latin1":
		raw := make([]byte, 0, len(s))
		for _, c := range utf16.Encode([]rune(s)) {
			raw = append(raw, byte(c))
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

// domains is how the WHATWG's URL standard has domain names made ASCII.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.CheckJoiners(true), idna.BidiRule(), idna.VerifyDNSLength(false))

// domainToASCII gives "" for what is no domain name.
func domainToASCII(domain string) string {
	ascii, err := domains.ToASCII(domain)
	if err != nil {
		return ""
	}
	return ascii
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
