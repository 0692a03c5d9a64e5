package incoming

// This file finds names: in the table, and at the beginning of a pair of a query. It
// knows what an encoded name is, and leaves values to whoever asks.

import (
	"math"
	"math/bits"
	"strings"

	"example.com/upstream/internal/query"
)

// words are the names as name compares them: 24 bytes, the first eight in the first
// word and the first of them lowest, with zeros behind. Never written.
var words = func() (t [End][3]uint64) {
	for s, name := range Names {
		for i := range t[s] {
			if 8*i < len(name) {
				t[s][i] = query.Tail(name, 8*i)
			}
		}
	}
	return t
}()

// place is where the table has the name that begins with these words.
func place(a, b uint64) uint64 { return (a + b) * factor >> 57 }

// Of finds a name, None if it is not recognised.
func Of(name string) Slot { return of(name, 0) }

// of is Of for raw[i:]: what stands before it makes its words quick to read.
func of(raw string, i int) Slot {
	a, b := query.Tail(raw, i), uint64(0)
	if i+8 < len(raw) {
		b = query.Tail(raw, i+8)
	}
	if s := slots[place(a, b)]; Names[s] == raw[i:] {
		return s
	}
	return None
}

// name recognises the name that begins at raw[i] and tells where its value begins, or
// if it is not recognised, where its pair ends.
//
// Most names are recognised and without escapes. For them, 24 bytes are read at once, and
// all behind the = is taken out of them:
//
//	raw    login_hint=ada%40exa...
//	a b c  login_hi nt000000 00000000   the = is the first of all three at 10
func name(raw string, i int) (s Slot, end int) {
	switch {
	case raw[i] == '%':
		return decoded(raw, i)
	case i+24 > len(raw):
		return other(raw, i)
	}
	text := raw[i : i+24]
	a, b, c := query.Word(text), query.Word(text[8:]), query.Word(text[16:])
	first := before('=', a)
	short := before('&', a)
	if short < max(first, 1<<16) { // nothing but a name, or no more than a =
		return bare(raw, i, a, short)
	}
	second := before('=', b) & uint64(int64(first)>>63) // nothing, where the = is in the first
	third := before('=', c) & uint64(int64(second)>>63)
	a, b, c = a&first, b&second, c&third
	n := (bits.Len64(first) + bits.Len64(second) + bits.Len64(third)) >> 3
	s = slots[place(a, b)]
	if w := &words[s]; (a^w[0])|(b^w[1])|(c^w[2]) == 0 && n == len(Names[s]) {
		return s, i + n + 1
	}
	if short != math.MaxUint64 && before('%', a) == math.MaxUint64 { // the pair is short, too
		return None, i + bits.Len64(short)>>3
	}
	if end = query.Plain(raw, i); end > i+n { // nor is it encoded
		return None, end + query.Pair(raw[end:])
	}
	return decoded(raw, i)
}

// before gives the bits of the bytes before the first mark of eight: all, if there is none.
func before(mark byte, w uint64) uint64 {
	x := w ^ uint64(mark)*ones
	is := (x - ones) &^ x & (0x80 * ones) >> 7 // true for the lowest, and that is asked for
	return is&-is - 1
}

const ones = 0x0101010101010101

// bare is name for a pair of fewer than eight bytes that is nothing but a name. A query
// may be full of them: they have to be cheap. mask has the bits of its bytes in a.
//
//go:noinline
func bare(raw string, i int, a, mask uint64) (s Slot, end int) {
	n := bits.Len64(mask) >> 3
	if a &= mask; n > 1 && before('%', a) != math.MaxUint64 {
		return decoded(raw, i)
	}
	if s = slots[place(a, 0)]; words[s] != [3]uint64{a} || n != len(Names[s]) {
		s = None
	}
	return s, i + n
}

// other is name for the last pair, more or less.
func other(raw string, i int) (s Slot, end int) {
	if n := strings.IndexByte(raw[i:min(len(raw), i+MaxLen+1)], '='); n > 0 {
		if s = of(raw[:i+n], i); s != None {
			return s, i + n + 1
		}
	}
	return decoded(raw, i)
}

// decoded is name for one that may be encoded.
func decoded(raw string, i int) (s Slot, end int) {
	var few [MaxLen]byte
	n, end := query.Name(few[:], raw, i)
	if s = None; n >= 0 {
		s = Of(string(few[:n]))
	}
	if s == None {
		return None, end + query.Pair(raw[end:])
	}
	if end < len(raw) && raw[end] == '=' {
		end++
	}
	return s, end
}
