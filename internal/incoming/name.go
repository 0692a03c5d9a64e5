package incoming

// This file finds names: in the table, and at the beginning of a pair of a query. It
// knows what an encoded name is, and leaves values to whoever asks.

import "example.com/upstream/internal/query"

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

// fronts are masks of so many first bytes of three words.
var fronts = func() (t [MaxLen + 1][3]uint64) {
	for n := range t {
		for i := range n {
			t[n][i/8] |= 0xff << (i % 8 * 8)
		}
	}
	return t
}()

// name recognises the name that begins at raw[i] and ends at the next mark, and tells where
// its value begins.
//
// Most names are recognised and without escapes. For them, 24 bytes are read at once, and
// all behind the mark is taken out of them:
//
//	raw    login_hint=ada%40exa...
//	a b c  login_hi nt000000 00000000
func name(raw string, i, end uint) (s Slot, value uint) {
	mark := raw[end]
	if value = end; mark == '=' {
		value++
	} else if mark != '&' {
		return other(raw, i, end)
	}
	text, front := raw[i:i+24], &fronts[end-i]
	a, b, c := query.Word(text)&front[0], query.Word(text[8:])&front[1], query.Word(text[16:])&front[2]
	n := uint(slots[place(a, b)]) // a word, which can be replaced without a branch: that one is nobody's, nothing foresees
	if w := &words[n]; (a^w[0])|(b^w[1])|(c^w[2]) != 0 {
		n = uint(None)
	}
	return Slot(n), value
}

// other is name for any: a long one, an encoded one, or that of the last pair, more or less.
func other(raw string, i, end uint) (s Slot, value uint) {
	value = end
	if end < uint(len(raw)) {
		switch raw[end] {
		case '%':
			return decoded(raw, i)
		case '=':
			value++
		case '&':
		default: // no name has what is marked and decodes to nothing else
			return None, end
		}
	}
	if end-i-2 > MaxLen-2 {
		return None, value
	}
	return of(raw[:end], int(i)), value
}

// decoded is name for one that may be encoded.
func decoded(raw string, i uint) (s Slot, value uint) {
	var few [MaxLen]byte
	n, end := query.Name(few[:], raw, int(i))
	if s = None; n >= 0 {
		s = Of(string(few[:n]))
	}
	if end < len(raw) && raw[end] == '=' {
		end++
	}
	return s, uint(end)
}
