// Package query encodes and decodes application/x-www-form-urlencoded text
// without allocating: the byte work under the authorization URL and under the
// strict parser of requests. It knows nothing of parameters and their rules.
package query

import (
	"strings"
	"unicode/utf8"
)

const (
	unreserved = 1 << iota // stands for itself in url.QueryEscape
	plain                  // needs no second look when a value is decoded
)

// classes tells the two kinds of byte apart from the rest.
var classes = func() (t [256]uint8) {
	for b := range t {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9',
			strings.IndexByte("-_.~", byte(b)) >= 0:
			t[b] = unreserved | plain
		case b >= ' ' && b < 0x7f && strings.IndexByte("%+;&", byte(b)) < 0:
			t[b] = plain
		}
	}
	return t
}()

const upperHex = "0123456789ABCDEF"

// AppendEscape appends s encoded as url.QueryEscape does.
func AppendEscape(dst []byte, s string) []byte {
	start := 0 // of the run of bytes that stand for themselves
	for i := 0; i < len(s); i++ {
		b := s[i]
		if classes[b]&unreserved != 0 {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		if b == ' ' {
			dst = append(dst, '+')
		} else {
			dst = append(dst, '%', upperHex[b>>4], upperHex[b&15])
		}
	}
	return append(dst, s[start:]...)
}

// Plain reports whether s decodes to itself and is printable ASCII: no escape,
// plus sign or semicolon, no control character, nothing beyond ASCII.
func Plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&plain == 0 {
			return false
		}
	}
	return true
}

// AppendUnescape appends s decoded as url.QueryUnescape does. It reports false
// for a bad escape.
func AppendUnescape(dst []byte, s string) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		switch b := s[i]; b {
		case '+':
			dst = append(dst, ' ')
		case '%':
			if i+2 >= len(s) {
				return dst, false
			}
			high, low := unhex[s[i+1]], unhex[s[i+2]]
			if high|low > 15 {
				return dst, false
			}
			dst = append(dst, high<<4|low)
			i += 2
		default:
			dst = append(dst, b)
		}
	}
	return dst, true
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

// What AppendStrict and Problem find wrong with a value.
const (
	BadEscape    = "has a bad percent-encoding"
	RawSemicolon = "has a semicolon that is not percent-encoded"
	BadUTF8      = "is not valid UTF-8"
	BadControl   = "has a control character"
)

// AppendStrict appends s decoded, or tells what is wrong with it: where
// parsers disagree on a text, none may guess.
func AppendStrict(dst []byte, s string) ([]byte, string) {
	if strings.IndexByte(s, ';') >= 0 {
		return dst, RawSemicolon
	}
	start := len(dst)
	dst, ok := AppendUnescape(dst, s)
	if !ok {
		return dst, BadEscape
	}
	return dst, Problem(dst[start:])
}

// Problem tells what is wrong with a decoded value, "" if nothing.
func Problem(value []byte) string {
	for _, b := range value {
		if b < ' ' || b == 0x7f {
			return BadControl
		}
	}
	if !utf8.Valid(value) {
		return BadUTF8
	}
	return ""
}
