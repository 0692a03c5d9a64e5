// Package query encodes and decodes application/x-www-form-urlencoded text
// without allocating: the byte work under the authorization URL and under the
// strict parser of requests. It knows nothing of parameters and their rules.
//
// A query is nearly all plain, so the reader moves eight bytes at once and looks for
// the first that is not: bit by bit, since a loop over bytes ends where no processor
// foresees it. What is decoded, and what is escaped, goes by tables of one entry for
// each byte. Faults are gathered by or-ing classes, and looked at once at the end.
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

// Classes of bytes. What has none is printable ASCII that is escaped.
const (
	unreserved = 1 << iota // stands for itself in url.QueryEscape: RFC 3986 section 2.3
	high                   // beyond ASCII: only valid UTF-8 may pass
	control                // C0 or DEL
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
			t[b] = '+' | 1<<24
		default:
			t[b] = '%' | uint32(hex[b>>4])<<8 | uint32(hex[b&15])<<16 | 3<<24
		}
	}
	return t
}()

// AppendEscape appends s encoded as url.QueryEscape does, four bytes at a time.
// Four that stand for themselves are copied at once. Of any other four each is
// written from the table with the three bytes that its escape may have, and the next
// one over those that are too many: no branch depends on which of the four it is, for
// no processor foresees that. Nothing is written behind the result, since there the
// caller's buffer may have something else: the last bytes go one by one.
func AppendEscape(dst []byte, s string) []byte {
	if cap(dst)-len(dst) < 3*len(s) {
		dst = grow(dst, s)
	}
	n, out := len(dst), dst[:cap(dst)]
	for len(s) >= 4 && len(out)-n > 4*3 { // the room spares a look at each of the bounds
		a, b, c, d := s[0], s[1], s[2], s[3]
		if classes[a]&classes[b]&classes[c]&classes[d]&unreserved != 0 {
			binary.LittleEndian.PutUint32(out[n:], uint32(a)|uint32(b)<<8|uint32(c)<<16|uint32(d)<<24)
			n += 4
			s = s[4:]
			continue
		}
		if len(s) < 4+3 { // none would follow for those too many of the fourth
			break
		}
		s = s[4:]
		e := escapes[a]
		binary.LittleEndian.PutUint32(out[n:], e)
		n += int(e >> 24)
		e = escapes[b]
		binary.LittleEndian.PutUint32(out[n:], e)
		n += int(e >> 24)
		e = escapes[c]
		binary.LittleEndian.PutUint32(out[n:], e)
		n += int(e >> 24)
		e = escapes[d]
		binary.LittleEndian.PutUint32(out[n:], e)
		n += int(e >> 24)
	}
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

// Unreserved reports whether AppendEscape leaves s as it is: whether all of it are
// letters, digits and - . _ ~.
func Unreserved(s string) bool {
	all := uint8(unreserved)
	for len(s) >= 4 {
		all &= classes[s[0]] & classes[s[1]] & classes[s[2]] & classes[s[3]]
		s = s[4:]
	}
	for i := range len(s) {
		all &= classes[s[i]]
	}
	return all != 0
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

// Plain tells where what decodes to itself and is printable ASCII ends, from s[i:]
// on: at an escape, a plus sign, a semicolon, an ampersand, a control character, at
// what is beyond ASCII, or at the end.
func Plain(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := Word(s[i:])
		if stop := special(w) | w&highs; stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3
		}
	}
	if i == len(s) {
		return i
	}
	w := tail(s, i)
	return i + bits.TrailingZeros64(special(w)|w&highs)>>3
}

// Eight bytes at once, the first lowest: a condition on each is bit 7 of each, so that
// counting zeros gives the place of the first that fulfils it.
//
//	text      o  p  e  n  i  d  +  p
//	word     6f 70 65 6e 69 64 2b 70   (written as it stands in memory)
//	special  00 00 00 00 00 00 80 00   55 zeros below the first: 55 >> 3 = 6 plain bytes
//
// All that follows relies on ASCII having bit 7 free: what is beyond it is taken out
// before anything is added (a sum must not go on into the next byte, which would then be
// accused of what its neighbour did), and told by that bit itself.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// tail gives the fewer than eight bytes of s from i on, and zeros behind them. Where
// there are eight bytes in all, the last eight are shifted: no loop of a length that
// nobody foresees.
func tail(s string, i int) (w uint64) {
	if len(s) >= 8 {
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

// special finds control characters and % & + ; in eight bytes: the end of a value, what
// decodes to something else, and what no value may hold (the semicolon was a separator
// once, HTML 4.01 appendix B.2.2, and is one to some readers). Zero counts as special,
// which makes the zeros of tail an end. The sums stay below 256, so that no byte has a
// say in another.
func special(w uint64) uint64 {
	x := w &^ highs
	text := x + (0x80-' ')*ones                                // not C0
	del := x + 1*ones                                          // DEL
	escape := (x + (0x80-'%')*ones) &^ (x + (0x80-'&'-1)*ones) // % to &
	neither := (x | ('+'^';')*ones ^ ';'*ones) + 0x7f*ones     // + and ; differ in one bit
	return (^(text & neither) | del | escape) &^ w & highs
}

// Pair gives the length of the pair that a query begins with. A query may be nothing
// but short ones, and a call that is made to search far costs more than they have bytes:
// the first eight are looked at here.
func Pair(query string) int {
	from := 0
	if len(query) >= 8 {
		x := Word(query) ^ '&'*ones
		if amp := (x - ones) &^ x & highs; amp != 0 { // the lowest is true; one above may not be
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

// AppendUnescape appends s decoded, or tells what is wrong with it. It decodes
// as url.QueryUnescape does, but where parsers disagree on a text, or take
// what no text holds, it refuses.
func AppendUnescape(dst []byte, s string) ([]byte, string) {
	out, end, all, problem := appendDecoded(dst, s, 0)
	for end < len(s) && problem == "" {
		var more uint8
		out, end, more, problem = appendDecoded(append(out, '&'), s, end+1)
		all |= more
	}
	return checked(dst, out, all, problem)
}

// AppendValue is AppendUnescape of the value at raw[i:], which goes up to an
// ampersand or the end, and tells where that is.
func AppendValue(dst []byte, raw string, i int) (_ []byte, end int, problem string) {
	out, end, all, problem := appendDecoded(dst, raw, i)
	dst, problem = checked(dst, out, all, problem)
	return dst, end, problem
}

// checked gives out, which is dst and something decoded that has bytes of these
// classes, or dst again and what is wrong.
func checked(dst, out []byte, all uint8, problem string) ([]byte, string) {
	switch {
	case problem != "":
		return dst, problem
	case all&control != 0:
		return dst, BadControl
	case all&high != 0 && !utf8.Valid(out[len(dst):]):
		return dst, BadUTF8
	}
	return out, ""
}

// appendDecoded decodes up to an ampersand or the end, which it gives, or to what
// cannot be decoded. It moves eight bytes at once, counts those before the first
// that is special, and decodes that and the escapes that follow at once, as in
// https%3A%2F%2F. What it moves too much, the next step writes over: the room is asked
// for before, and what is decoded is never longer than what it is decoded from.
//
// all has the classes of the decoded bytes, for %0A is a line break to whoever reads the
// value. Bytes beyond ASCII are let pass here, since one alone says nothing: whether
// they are UTF-8 is looked at in the whole, once, and only if there are any.
func appendDecoded(dst []byte, raw string, i int) (_ []byte, end int, all uint8, problem string) {
	n, out := len(dst), dst[:cap(dst)]
	for {
		if len(out)-n < 8 {
			out = slices.Grow(out[:n], len(out)+8)
			out = out[:cap(out)]
		}
		var w uint64
		if i+8 <= len(raw) {
			w = Word(raw[i:])
		} else {
			w = tail(raw, i)
		}
		binary.LittleEndian.PutUint64(out[n:], w)
		stop := special(w)
		if w&(stop&-stop-1)&highs != 0 { // of those before the first
			all |= high
		}
		if stop == 0 {
			i, n = i+8, n+8
			continue
		}
		k := bits.TrailingZeros64(stop) >> 3
		i, n = i+k, n+k
		for again := true; again; again = i < len(raw) && (raw[i] == '%' || raw[i] == '+') && n < len(out) {
			if i >= len(raw) || raw[i] == '&' {
				return out[:n], i, all, ""
			}
			b := raw[i]
			switch b {
			case '%':
				if i+2 >= len(raw) {
					return dst, i, 0, BadEscape
				}
				// One comparison for both digits: what is none is 255.
				upper, lower := unhex[raw[i+1]], unhex[raw[i+2]]
				if upper|lower > 15 {
					return dst, i, 0, BadEscape
				}
				b = upper<<4 | lower
				i += 2
			case '+':
				b = ' '
			case ';':
				return dst, i, 0, RawSemicolon
			}
			all |= classes[b]
			out[n] = b
			i, n = i+1, n+1
		}
	}
}

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
