// Package check holds the tests of single configured values: URLs, names,
// lengths. Each gives a message that says what is wrong and what to do, "" if
// nothing is; no message repeats the value, which may hold a password. The
// package knows nothing of where a value stands or what it is for.
package check

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/upstream/internal/query"
)

// Length checks that s has at most most characters (not bytes), as the vendor counts.
// A text has no more characters than bytes, so that a short one is not counted.
func Length(s string, most int) string {
	if len(s) > most && utf8.RuneCountInString(s) > most {
		return fmt.Sprintf("is longer than %d characters", most)
	}
	return ""
}

// Endpoint checks an absolute https URL of at most most characters without
// fragment and userinfo (RFC 6749 sections 3.1 and 3.2). http does for a loopback
// host, and with anyHTTP. A lone # counts as a fragment, though net/url drops it:
// what is sent has to be what was written.
func Endpoint(s string, most int, anyHTTP bool) string {
	u, message := absolute(s, most)
	switch {
	case message != "":
		return message
	case strings.Contains(s, "#"):
		return "has a fragment; remove the # and what follows"
	case u.User != nil:
		return "has a user name or password; remove it"
	case u.Scheme == "https", u.Scheme == "http" && (anyHTTP || isLoopback(u.Hostname())):
		return ""
	}
	return "must begin with https://, or http:// for a loopback host"
}

// WebURL checks an absolute http or https URL of at most most characters.
func WebURL(s string, most int) string {
	u, message := absolute(s, most)
	if message == "" && u.Scheme != "https" && u.Scheme != "http" {
		return "must begin with https:// or http://"
	}
	return message
}

// absolute looks at the bytes before url.Parse does. That lets pass what a browser
// reads in another way, as \ for / (the WHATWG URL standard), so that two readers
// would see two hosts; and it takes any Unicode, which here has to be written in the
// form that goes over the wire. A brace gets a word of its own: {tenant} is what
// people copy from a manual.
func absolute(s string, most int) (*url.URL, string) {
	if message := Length(s, most); message != "" {
		return nil, message
	}
	for i := range len(s) {
		switch b := s[i]; {
		case b == '{' || b == '}':
			return nil, "holds a brace, as a template does; write the address itself"
		case b <= ' ' || b >= 0x7f || strings.IndexByte("\\^`|<>\"", b) >= 0:
			return nil, notInURL
		}
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, "is not a URL"
	case u.Scheme == "":
		return nil, "must be absolute, beginning with https://"
	case u.Hostname() == "":
		return nil, "must name a host, as in https://idp.example.com"
	}
	return u, ""
}

// HasHost reports whether a URL is at that host, port included: another port is
// another server. Nothing is made equal that two people may write in two ways, such as
// :443, since a wrong "no" is a message and a wrong "yes" is a stranger.
func HasHost(s, host string) bool {
	u, err := url.Parse(s)
	return err == nil && strings.EqualFold(u.Host, host)
}

// isLoopback takes the name localhost and literal addresses (RFC 8252 section 7.3).
// No name is looked up: what it leads to is another's to say, at another time.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// ConnectionName checks letters, digits and single hyphens between them, 1 to
// 128 characters. That leaves out "|", which ends the name in a subject (rule U9).
func ConnectionName(s string) string {
	const remedy = "use letters, digits and single hyphens between them"
	hyphen := true // none may stand first, as if one had been before; nor last, nor is "" a name
	for _, b := range []byte(s) {
		switch {
		case b == '-' && !hyphen:
			hyphen = true
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
			hyphen = false
		default:
			return "is not a connection name; " + remedy
		}
	}
	if hyphen {
		return "is not a connection name; " + remedy
	}
	return Length(s, 128)
}

// ParameterName checks 1 to 128 characters without spaces and control
// characters.
func ParameterName(s string) string {
	if s == "" {
		return "is a parameter without a name"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "holds a space or a control character; a parameter name has none"
	}
	return Length(s, 128)
}

// AbsoluteURI checks RFC 3986 section 4.3, an absolute URI without fragment,
// as far as a redirect URI is concerned: custom schemes are fine, http and
// https name a host. It allocates nothing.
//
// It is asked at each login, and what nearly all have (https, a host, plain bytes)
// is found by two looks. The rest is there to say what is wrong, and for the schemes
// of native applications (RFC 8252 section 7.1).
func AbsoluteURI(s string) string {
	if !plainURI(s) {
		for i := range len(s) {
			if b := s[i]; b == '#' {
				return "must have no fragment"
			} else if b <= ' ' || b >= 0x7f {
				return notInURL
			}
		}
	}
	if host, ok := strings.CutPrefix(s, "https://"); ok && host != "" && beginsHost(host[0]) {
		return "" // what nearly all are
	}
	scheme, rest, _ := strings.Cut(s, ":")
	for i := range len(scheme) {
		b := scheme[i]
		letter := 'a' <= b|0x20 && b|0x20 <= 'z'
		if !letter && (i == 0 || (b < '0' || b > '9') && strings.IndexByte("+-.", b) < 0) {
			return "must be absolute"
		}
	}
	if scheme == "" || rest == "" {
		return "must be absolute"
	}
	if strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http") {
		if len(rest) < 3 || rest[:2] != "//" || !beginsHost(rest[2]) {
			return "must name a host"
		}
	}
	return ""
}

// beginsHost reports whether what follows http:// may be a host: not the empty one
// before a path, a query, a port or userinfo, nor what browsers read as a slash.
func beginsHost(b byte) bool { return b != '/' && b != '?' && b != ':' && b != '@' && b != '\\' }

const notInURL = "holds a character that a URL cannot; percent-encode it"

// plainURI reports whether s has neither a fragment nor a byte that no URI has (RFC
// 3986 section 2). It looks at eight bytes at once, at the last ones twice; of a short s
// it may say no, and its caller then looks at each byte.
//
// Each of the four ways to be wrong leaves a byte with its high bit set: what is beyond
// ASCII has it; what is below 0x21 borrows it when 0x21 is taken off; and # and DEL,
// made zero by the exclusive or, borrow it when 1 is. A borrow may go on into the next
// byte and accuse that one as well, but it begins at a byte that is wrong: the answer
// for all eight together is exact.
func plainURI(s string) bool {
	const every, high = 0x0101010101010101, 0x8080808080808080
	if len(s) < 8 {
		return false
	}
	var wrong uint64
	for i, w := uint(8), query.Word(s[len(s)-8:]); ; i += 8 {
		blank := (w - 0x21*every) &^ w
		hash, del := w^'#'*every, w^0x7f*every
		wrong |= w | blank | (hash-every)&^hash | (del-every)&^del
		if i >= uint(len(s)) {
			return wrong&high == 0
		}
		w = query.Word(s[i-8 : i])
	}
}

// CodeVerifier reports whether s is one by RFC 7636 section 4.1.
func CodeVerifier(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && query.Unreserved(s)
}

// Fold gives one form for all names that differ only in case, by Unicode's
// simple folding: "ſtate" folds to "state" as "STATE" does. Letters that fold to one
// another are a ring (k, K, the Kelvin sign), and its least member, in lower case,
// stands for all. strings.ToLower would not do: ſ is lower case, and stays.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return unicode.ToLower(least)
	}, s)
}

// FoldParameter gives one form for all parameter names that some server may read
// as one: by [Fold], with "." and blanks as "_" (PHP), and of "name[...]", which
// is a member of name in PHP and Rack, the name. It is for finding twins and reserved
// names alone: what is sent is the name as it was written. Names that it makes equal
// without need are refused, which costs an administrator another name; those that it
// would miss could replace state or client_id at such a server. (rule P2)
func FoldParameter(s string) string {
	s = strings.TrimLeft(s, "[] ") // older Racks read "[state]" as state, PHP " state"
	if i := strings.IndexAny(s, "[]"); i >= 0 {
		s = s[:i]
	}
	return Fold(underscored(s))
}

// foldUnclosed is what PHP makes of a bracket that is never closed: "client[id"
// is client_id there.
func foldUnclosed(s string) string {
	return Fold(underscored(strings.Replace(s, "[", "_", 1)))
}

func underscored(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, s)
}

// Reserved reports whether a name, in any case, belongs to the protocol and may
// not be configured, or is read so by some server. (rules M3, P2)
func Reserved(name string) bool {
	return isProtocols(FoldParameter(name)) || isProtocols(foldUnclosed(name))
}

func isProtocols(folded string) bool {
	switch folded {
	case "client_id", "client_secret", "redirect_uri", "state", "nonce", "code", "code_verifier",
		"code_challenge", "code_challenge_method", "grant_type", "request", "request_uri",
		"client_assertion", "client_assertion_type":
		return true
	}
	return strings.HasPrefix(folded, "oauth_")
}

// Nearest gives the name of the list that is nearest to a mistaken one, "" if
// none is near: at most a third of it, and at least two letters, may be wrong. Of
// several the first in the list is given, so that the order of the table is the order
// of what people mean.
func Nearest(mistaken string, names []string) string {
	best, least := "", max(2, len(mistaken)/3)+1
	folded := Fold(mistaken)
	for _, name := range names {
		if len(folded)-len(name) >= least {
			continue // too long to be near, perhaps by far
		}
		if d := Distance(folded, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// Distance is how many bytes must be put in, taken out or changed (Levenshtein). It
// takes the product of the lengths, which is the caller's to bound. Of the table one
// row is kept, which holds what the row before had from j+1 on; and diagonal is the one
// value of that row which is still needed, and overwritten:
//
//	row before   diagonal   row[j+1]
//	this row     row[j]     is to come
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

const maxShown = 256 // bytes of one text in an error

// Shown gives as much of a text as an error shows of it: names and pointers may
// be as long as the connection. A letter that the cut goes through is left out.
func Shown(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "..."
}
