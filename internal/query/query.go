// Package query encodes and decodes application/x-www-form-urlencoded text
// without allocating: the byte work under the authorization URL and under the
// strict parser of requests. It knows nothing of parameters and their rules.
//
// Everything goes by one table of classes, one byte for each byte. A query is
// nearly all plain, so that the reader asks for runs (Plain) and for the union of a
// value's classes, and decodes only what needs it. Faults are gathered in the same
// way, by or-ing classes, and looked at once at the end.
//
// Reading is stricter than url.QueryUnescape: between the application, a proxy, a
// log and the identity provider there are several readers, and what two of them
// may read differently must not pass. So no semicolon as it is (a separator to old
// servers), no control characters (a line break in a header or a log), no bytes
// that are not UTF-8 (the WHATWG URL standard would replace them).
package query

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Classes of bytes, by what they need. The ampersand has none: it ends a run, and
// is never within a value.
const (
	unreserved = 1 << iota // stands for itself in url.QueryEscape: RFC 3986 section 2.3
	plain                  // decodes to itself and is printable ASCII
	high                   // beyond ASCII: only valid UTF-8 may pass
	control                // C0 or DEL
	decodes                // to something else, or to nothing
)

var classes = func() (t [256]uint8) {
	for b := range t {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9',
			strings.IndexByte("-_.~", byte(b)) >= 0:
			t[b] = unreserved | plain
		case b < ' ' || b == 0x7f:
			t[b] = control
		case b > 0x7f:
			t[b] = high
		case b == '&':
		case strings.IndexByte("%+;", byte(b)) >= 0:
			t[b] = decodes
		default:
			t[b] = plain
		}
	}
	return t
}()

// escapes holds what each byte is escaped to: one or three bytes, the first
// lowest, and above them how many there are.
var escapes = func() (t [256]uint32) {
	const hex = "0123456789ABCDEF"
	for b := range t {
		switch {
		case classes[b]&unreserved != 0:
			t[b] = uint32(b) | 1<<24
		case b == ' ':
			t[b] = '+' | 1<<24
		default:
			t[b] = '%' | uint32(hex[b>>4])<<8 | uint32(hex[b&15])<<16 | 3<<24
		}
	}
	return t
}()

// AppendEscape appends s encoded as url.QueryEscape does. The loop is plain on
// purpose: writing four bytes of the table for each byte, without a branch, took a
// third more on requests that repeat and no less on ones that vary, and going by
// words is no faster, for every other word of a URL holds something to escape.
func AppendEscape(dst []byte, s string) []byte {
	if cap(dst)-len(dst) < 3*len(s) {
		dst = grow(dst, s)
	}
	n, out := len(dst), dst[:cap(dst)]
	for i := range len(s) {
		e := escapes[s[i]]
		out[n] = byte(e)
		n++
		if e >= 2<<24 {
			out[n], out[n+1] = byte(e>>8), byte(e>>16)
			n += 2
		}
	}
	return dst[:n]
}

// grow makes room for s escaped, and if there was none, for more to come.
func grow(dst []byte, s string) []byte {
	n := 0
	for i := range len(s) {
		n += int(escapes[s[i]] >> 24)
	}
	if n > cap(dst)-len(dst) {
		dst = slices.Grow(dst, n+cap(dst))
	}
	return dst
}

// Plain counts the bytes at the beginning of s that decode to themselves and
// are printable ASCII: it ends at an escape, a plus sign, a semicolon, an
// ampersand, a control character, or what is beyond ASCII.
func Plain(s string) int {
	n := 0
	for n+4 <= len(s) && classes[s[n]]&classes[s[n+1]]&classes[s[n+2]]&classes[s[n+3]]&plain != 0 {
		n += 4 // nearly all are plain
	}
	for n < len(s) && classes[s[n]]&plain != 0 {
		n++
	}
	return n
}

// Pair gives the length of the pair that a query begins with. It looks at few
// bytes itself: a query may be nothing but pairs of two.
func Pair(query string) int {
	for i := range min(len(query), 4) {
		if query[i] == '&' {
			return i
		}
	}
	if end := strings.IndexByte(query, '&'); end >= 0 {
		return end
	}
	return len(query)
}

// What AppendUnescape and Problem find wrong with a value, and what the parser
// finds wrong with a parameter.
const (
	Doubled      = "is given more than once"
	BadEscape    = "has a bad percent-encoding"
	RawSemicolon = "has a semicolon that is not percent-encoded"
	BadUTF8      = "is not valid UTF-8"
	BadControl   = "has a control character"
)

// AppendUnescape appends s decoded, or tells what is wrong with it. It decodes
// as url.QueryUnescape does, but where parsers disagree on a text, or take
// what no text holds, it refuses.
func AppendUnescape(dst []byte, s string) ([]byte, string) { return appendDecoded(dst, s, 0) }

// AppendValue is AppendUnescape of the value that raw begins with, which has n
// bytes, and Plain(raw) of them are plain. Of a value that stands for itself it
// appends nothing.
func AppendValue(dst []byte, raw string, plain int) (_ []byte, n int, problem string) {
	n = len(raw)
	if end := strings.IndexByte(raw[plain:], '&'); end >= 0 {
		n = plain + end
	}
	if classes[raw[plain]]&decodes == 0 {
		if all := union(raw[plain:n]); all&decodes == 0 {
			return dst, n, problemOf(all, raw[plain:n])
		}
	}
	dst, problem = appendDecoded(dst, raw[:n], plain)
	return dst, n, problem
}

// appendDecoded is AppendUnescape of a text of which so many bytes are plain.
func appendDecoded(dst []byte, s string, plain int) ([]byte, string) {
	start := len(dst)
	out := slices.Grow(dst, len(s))[:start+len(s)] // decoded, nothing is longer
	n := start + copy(out[start:], s[:plain])
	// Classes of all decoded bytes. Of the decoded ones: %0A is a line break to
	// whoever reads the value.
	var all uint8
	for i := plain; i < len(s); i++ {
		b := s[i]
		switch {
		case b == '%':
			if i+2 >= len(s) {
				return dst, BadEscape
			}
			// One comparison for both digits: what is none is 255.
			upper, lower := unhex[s[i+1]], unhex[s[i+2]]
			if upper|lower > 15 {
				return dst, BadEscape
			}
			b = upper<<4 | lower
			i += 2
		case b == '+':
			b = ' '
		case b == ';':
			return dst, RawSemicolon
		}
		all |= classes[b]
		out[n] = b
		n++
	}
	switch {
	case all&control != 0:
		return dst, BadControl
	case all&high != 0 && !utf8.Valid(out[start:n]):
		return dst, BadUTF8
	}
	return out[:n], ""
}

// Problem tells what AppendUnescape would find wrong with a value that has
// been decoded already, "" if nothing: for requests that are filled by hand or that
// net/http has parsed, which must not get by with more.
func Problem(value string) string { return problemOf(union(value), value) }

func problemOf(all uint8, value string) string {
	switch {
	case all&control != 0:
		return BadControl
	case all&high != 0 && !utf8.ValidString(value):
		return BadUTF8
	}
	return ""
}

// union gives the classes of all bytes.
func union(s string) (all uint8) {
	for i := range len(s) {
		all |= classes[s[i]]
	}
	return all
}

// unhex gives the value of a hexadecimal digit, 255 for any other byte.
var unhex = func() (t [256]uint8) {
	for b := range t {
		switch {
		case '0' <= b && b <= '9':
			t[b] = uint8(b - '0')
		case 'a' <= b && b <= 'f':
			t[b] = uint8(b - 'a' + 10)
		case 'A' <= b && b <= 'F':
			t[b] = uint8(b - 'A' + 10)
		default:
			t[b] = 255
		}
	}
	return t
}()
