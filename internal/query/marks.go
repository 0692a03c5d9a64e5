package query

// This file decodes. It owns what is special in a query, and knows no names.

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Marks tell which bytes of a text are special: those that do not stand for themselves in
// a query or may not stand there, the = that ends a name, and the # of a fragment. There is
// a bit for each, the first lowest, and one for the end:
//
//	state=a%20b&hd=x
//	00000101000100101    as a reader of English has them
//
// They are found in one go, without a decision, before anything else is done. Then the end
// of a name or of a value is one look away, however long it is: a loop that goes there would
// end where no processor foresees it.
//
// They do not hold the text, which whoever asks them gives again: the struct is small enough
// to be handed back in registers, and copying a larger one waits for what was just written.
type Marks struct {
	bits []byte
	high bool // some byte is beyond ASCII
}

// Mark marks raw. buf is zero, and used if it has room for a bit for each byte, and nine
// bytes more.
func Mark(buf []byte, raw string) Marks {
	if n := len(raw)>>3 + 9; n > len(buf) {
		buf = make([]byte, n)
	}
	i, all := uint(0), uint(0)
	for ; i+8 <= uint(len(raw)); i += 8 {
		w := raw[i : i+8]
		m := four(w[:4]) | four(w[4:])<<4
		all |= m
		buf[i>>3] = uint8(m)
	}
	rest, m := uint(len(raw))-i, uint(1)
	switch {
	case rest == 0:
	case len(raw) >= 8:
		w := raw[len(raw)-8:]
		m = m<<(rest&7) | (four(w[:4])|four(w[4:8])<<4)>>((8-rest)&7)
	default:
		for i := len(raw) - 1; i >= 0; i-- {
			m = m<<1 + uint(marks[raw[i]])
		}
	}
	buf[i>>3] = uint8(m)
	return Marks{buf, (all|m)>>8 != 0}
}

// marks has bit 0 of what is special, and bit 8 of what is beyond ASCII.
var marks = func() (t [256]uint16) {
	for b := range t {
		switch {
		case b > 0x7f:
			t[b] = 1 << 8
		case classes[b]&control != 0, strings.IndexByte("%+;&=#", byte(b)) >= 0:
			t[b] = 1
		}
	}
	return t
}()

// four puts the marks of four bytes side by side, the first lowest.
func four(s string) uint {
	_ = s[3]
	return 8*uint(marks[s[3]]) + 4*uint(marks[s[2]]) + 2*uint(marks[s[1]]) + uint(marks[s[0]])
}

// High reports whether there is a byte beyond ASCII.
func (m *Marks) High() bool { return m.high }

// Next gives the first special byte from i on, at the latest the end.
func (m *Marks) Next(i uint) uint {
	if w := binary.LittleEndian.Uint64(m.bits[i>>3:i>>3+8]) >> (i & 7); w != 0 {
		return i + uint(bits.TrailingZeros64(w))
	}
	return m.far(i)
}

// far is Next where that is far away.
func (m *Marks) far(i uint) uint {
	for i = i>>3 + 8; ; i += 8 {
		if w := binary.LittleEndian.Uint64(m.bits[i : i+8]); w != 0 {
			return i<<3 + uint(bits.TrailingZeros64(w))
		}
	}
}

// A Pair says where a pair of a query is, and where its value begins if name and value
// stand for themselves; else Value is zero.
type Pair struct{ Begin, Value, End uint32 }

// Pair gives the pair that begins at a place of the text.
func (m *Marks) Pair(raw string, begin uint) Pair {
	value, end := uint(0), m.Next(begin)
	if end < uint(len(raw)) && raw[end] == '=' {
		value = end + 1
		end = m.Next(value)
	}
	if end < uint(len(raw)) && raw[end] != '&' {
		value = 0
		end += uint(PairLen(raw[end:]))
	}
	if m.high {
		value = 0
	}
	return Pair{uint32(begin), uint32(value), uint32(end)}
}

// Found is what there is in a value that has been decoded: classes of bytes.
type Found uint8

// Fragment reports whether there is a #.
func (f Found) Fragment() bool { return f&fragment != 0 }

// Problem tells what is wrong with the value.
func (f Found) Problem(value []byte) string {
	switch {
	case f&control != 0:
		return BadControl
	case f&high != 0 && !utf8.Valid(value):
		return BadUTF8
	}
	return ""
}

// AppendValue appends the value that begins at a place of the text, decoded, and gives where
// it ends: at an ampersand or at the end. Or it tells what is wrong; which of the things that
// it has found is wrong, Problem knows. %0A is a line break to whoever reads it. Behind the
// result it writes what it likes.
func (m *Marks) AppendValue(dst []byte, raw string, at uint) (_ []byte, end uint, found Found, problem string) {
	n, out := uint(len(dst)), dst[:cap(dst)]
	if m.high {
		found = high
	}
	for {
		stop := m.Next(at)
		if n+stop-at+chunk > uint(len(out)) { // from now on there is room for all of raw
			out = append(make([]byte, 0, n+uint(len(raw))-at+chunk), out[:n]...)
			out = out[:cap(out)]
		}
		if to := out[n : n+chunk]; stop-at <= chunk && at+chunk <= uint(len(raw)) {
			// What is too much, the next step writes over.
			from := raw[at : at+chunk]
			binary.LittleEndian.PutUint64(to, Word(from))
			binary.LittleEndian.PutUint64(to[8:], Word(from[8:]))
			binary.LittleEndian.PutUint64(to[16:], Word(from[16:]))
			binary.LittleEndian.PutUint64(to[24:], Word(from[24:]))
		} else {
			copy(out[n:], raw[at:stop])
		}
		n, at = n+stop-at, stop
		if at >= uint(len(raw)) {
			return out[:n], at, found, ""
		}
		// What follows at once, as in https%3A%2F%2F, needs no look at the marks.
	special:
		for ; at < uint(len(raw)) && n < uint(len(out)); n++ {
			b := raw[at]
			switch b {
			case '&':
				return out[:n], at, found, ""
			case '+':
				out[n] = ' '
				at++
				continue
			case ';':
				return dst, 0, 0, RawSemicolon
			case '%':
				// One comparison for both digits: what is none is 255.
				if at+2 >= uint(len(raw)) || unhex[raw[at+1]]|unhex[raw[at+2]] > 15 {
					return dst, 0, 0, BadEscape
				}
				b = unhex[raw[at+1]]<<4 | unhex[raw[at+2]]
				at += 3
			default:
				if marks[b] != 1 {
					break special
				}
				at++
			}
			found |= Found(classes[b])
			out[n] = b
		}
	}
}

// chunk is how many bytes are copied at once: most of what stands between two escapes.
const chunk = 32

// AppendUnescape appends s decoded, or tells what is wrong with it. It decodes
// as url.QueryUnescape does, but where parsers disagree on a text, or take
// what no text holds, it refuses.
func AppendUnescape(dst []byte, s string) ([]byte, string) {
	var few [64]byte
	m := Mark(few[:], s)
	begin, out, all := len(dst), dst, Found(0)
	for i := uint(0); ; i++ {
		var (
			found   Found
			problem string
		)
		if out, i, found, problem = m.AppendValue(out, s, i); problem != "" {
			return dst, problem
		}
		all |= found
		if int(i) == len(s) {
			break
		}
		out = append(out, '&') // which is nothing special here
	}
	if problem := all.Problem(out[begin:]); problem != "" {
		return dst, problem
	}
	return out, ""
}
