// Package query encodes and decodes application/x-www-form-urlencoded text
// without allocating: the byte work under the authorization URL and under the
// strict parser of requests. It knows nothing of parameters and their rules.
//
// A query is nearly all plain, and what costs most is that no processor foresees where it
// is not. So a reader marks all that is not plain before it looks at anything (marks.go),
// and a writer takes eight bytes at once. What a byte is, or becomes, is in tables of one entry
// for each. Faults are gathered by or-ing classes, and looked at once at the end.
//
// Reading is stricter than url.QueryUnescape: between the application, a proxy, a
// log and the identity provider there are several readers, and what two of them
// may read differently must not pass. So no semicolon as it is (a separator to old
// servers), no control characters (a line break in a header or a log), no bytes
// that are not UTF-8 (the WHATWG URL standard would replace them).
package query

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// Classes of bytes. What has none of the first three is printable ASCII that is escaped.
const (
	unreserved = 1 << iota // stands for itself in url.QueryEscape: RFC 3986 section 2.3
	high                   // beyond ASCII: only valid UTF-8 may pass
	control                // C0 or DEL
	fragment               // the # that one begins with
)

var classes = func() (t [256]uint8) {
	for b := range t {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9',
			strings.IndexByte("-_.~", byte(b)) >= 0:
			t[b] = unreserved
		case b < ' ' || b == 0x7f:
			t[b] = control
		case b > 0x7f:
			t[b] = high
		case b == '#':
			t[b] = fragment
		}
	}
	return t
}()

// escapes holds what each byte is escaped to: one or three bytes, the first
// lowest, and above them how many there are. Hexadecimal digits are upper case (RFC 3986
// section 2.1), and a blank is a plus sign, as url.QueryEscape has both: rule M9 asks for
// its very bytes.
var escapes = func() (t [256]uint32) {
	const hex = "0123456789ABCDEF"
	for b := range t {
		switch {
		case classes[b]&unreserved != 0:
			t[b] = uint32(b) | 1<<24
		case b == ' ':
			t[b] = '+' | changed | 1<<24
		default:
			t[b] = '%' | uint32(hex[b>>4])<<8 | uint32(hex[b&15])<<16 | 3<<24
		}
	}
	return t
}()

// AppendEscape appends s encoded as url.QueryEscape does.
func AppendEscape(dst []byte, s string) []byte { return AppendPair(dst, nil, s) }

// AppendPair appends text as it is and behind it s encoded as url.QueryEscape does,
// eight bytes at a time. Eight that stand for themselves are copied at once. Of any other
// eight each is written from the table with the three bytes that its escape may have, and
// the next one over those that are too many: no branch depends on which of the eight it
// is, for no processor foresees that. Nothing is written behind the result, since there
// the caller's buffer may have something else.
func AppendPair(dst, text []byte, s string) []byte {
	if cap(dst)-len(dst) < len(text)+3*len(s) {
		dst = grow(dst, len(text), s)
	}
	done, out, i := uint(len(dst)), dst[:cap(dst)], uint(0)
	switch n := uint(len(text)); {
	case n > 16 || n < 4:
		copy(out[done:], text)
		done += n
	case n >= 8: // the first eight and the last eight are all, and quicker than a call
		binary.LittleEndian.PutUint64(out[done:done+8], binary.LittleEndian.Uint64(text))
		done += n
		binary.LittleEndian.PutUint64(out[done-8:done], binary.LittleEndian.Uint64(text[n-8:]))
	default:
		binary.LittleEndian.PutUint32(out[done:done+4], binary.LittleEndian.Uint32(text))
		done += n
		binary.LittleEndian.PutUint32(out[done-4:done], binary.LittleEndian.Uint32(text[n-4:]))
	}
	for ; i+8 <= uint(len(s)) && done+window <= uint(len(out)); i += 8 {
		to, from := (*[window]byte)(out[done:done+window]), s[i:i+8]
		binary.LittleEndian.PutUint64(to[:], Word(from))
		if (changes(from)|changes(from[4:]))&changed == 0 {
			done += 8
			continue
		}
		if i+8+3 > uint(len(s)) { // behind the eighth follow those too many
			break
		}
		n := put(to, 0, from[0])
		n = put(to, n, from[1])
		n = put(to, n, from[2])
		n = put(to, n, from[3])
		n = put(to, n, from[4])
		n = put(to, n, from[5])
		n = put(to, n, from[6])
		n = put(to, n, from[7])
		done += n
	}
	if rest := uint(len(s)) - i; rest-1 < 7 && i > 0 {
		from := s[len(s)-8:]
		if (changes(from)|changes(from[4:]))&changed == 0 { // the last eight again, most of which may stand there already
			done += rest
			copy(out[done-8:done], from)
			return dst[:done]
		}
	}
	for ; i < uint(len(s)); i++ {
		e := escapes[s[i]]
		out[done] = byte(e)
		done++
		if e >= 2<<24 {
			out[done], out[done+1] = byte(e>>8), byte(e>>16)
			done += 2
		}
	}
	return dst[:done]
}

// changed are the bits that an escape has in its second byte, unless it is the byte itself.
const changed = 0xff << 8

// window is room enough for eight bytes escaped: what an index of five bits reaches,
// and the three bytes behind it.
const window = 32 + 3

// put writes b, escaped, to to[n:], with what is too many, and gives where the next goes.
// n is at most 24: the mask says so to the compiler.
func put(to *[window]byte, n uint, b byte) uint {
	e := escapes[b]
	n &= 31
	to[n], to[n+1], to[n+2], to[n+3] = byte(e), byte(e>>8), byte(e>>16), byte(e>>24)
	return n + uint(e>>24)
}

// Unreserved reports whether AppendEscape leaves s as it is: whether all of it are
// unreserved characters (RFC 3986 section 2.3), of which a code verifier is made as well
// (RFC 7636 section 4.1).
func Unreserved(s string) bool {
	all := uint32(0)
	for ; len(s) > 8; s = s[8:] {
		all |= changes(s[:4]) | changes(s[4:8])
	}
	for i := range len(s) {
		all |= escapes[s[i]]
	}
	return all&changed == 0
}

// changes tells, by the bits of changed, whether one of the first four bytes is escaped.
func changes(s string) uint32 {
	return escapes[s[0]] | escapes[s[1]] | escapes[s[2]] | escapes[s[3]]
}

// grow makes room for text, for s escaped, and if there was none, for more to come.
func grow(dst []byte, n int, s string) []byte {
	for i := range len(s) {
		n += int(escapes[s[i]] >> 24)
	}
	if n > cap(dst)-len(dst) {
		dst = slices.Grow(dst, n+cap(dst))
	}
	return dst
}

// Tail is Word of s[i:], with zeros where there are fewer than eight bytes. Where there are
// eight bytes in all, the last eight are shifted: no loop of a length that nobody foresees.
func Tail(s string, i int) (w uint64) {
	switch {
	case i+8 <= len(s):
		return Word(s[i:])
	case len(s) >= 8:
		return Word(s[len(s)-8:]) >> (8 * (i + 8 - len(s)))
	}
	for j := len(s) - 1; j >= i; j-- {
		w = w<<8 | uint64(s[j])
	}
	return w
}

// Word gives the first eight bytes of s, which has to have them.
func Word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// PairLen gives the length of the pair that a query begins with. A query may be nothing
// but short ones, and a call that is made to search far costs more than they have bytes:
// the first eight are looked at here.
func PairLen(query string) int {
	from := 0
	if len(query) >= 8 {
		const ones = 0x0101010101010101
		x := Word(query) ^ '&'*ones // zero where one is; then bit 7 of the difference is set, and lowest there
		if amp := (x - ones) &^ x & (0x80 * ones); amp != 0 {
			return bits.TrailingZeros64(amp) >> 3
		}
		from = 8
	}
	if end := strings.IndexByte(query[from:], '&'); end >= 0 {
		return from + end
	}
	return len(query)
}

// Name decodes the name of the pair at raw[i:] into buf and gives its length and
// where it ends. The length is -1 where buf has no room for it, or where it is
// malformed: then the end is somewhere in the name. It is for names of a known length
// that are looked up at once: neither control characters nor UTF-8 are looked at, since
// what has them equals no name, and what equals none has not to be well-formed.
func Name(buf []byte, raw string, i int) (n, end int) {
	for ; i < len(raw); i++ {
		b := raw[i]
		switch b {
		case '=', '&':
			return n, i
		case '+':
			b = ' '
		case ';':
			return -1, i
		case '%':
			if i+2 >= len(raw) {
				return -1, i
			}
			upper, lower := unhex[raw[i+1]], unhex[raw[i+2]]
			if upper|lower > 15 {
				return -1, i
			}
			b = upper<<4 | lower
			i += 2
		}
		if n == len(buf) {
			return -1, i
		}
		buf[n] = b
		n++
	}
	return n, i
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

// Problem tells what AppendUnescape would find wrong with a value that has
// been decoded already, "" if nothing: for requests that are filled by hand or that
// net/http has parsed, which must not get by with more.
func Problem(value string) string {
	var all uint8
	for i := range len(value) {
		all |= classes[value[i]]
	}
	switch {
	case all&control != 0:
		return BadControl
	case all&high != 0 && !utf8.ValidString(value):
		return BadUTF8
	}
	return ""
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
