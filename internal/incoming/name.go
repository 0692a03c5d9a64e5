package incoming

// This file finds names: in the table, and at the beginning of a pair of a query. It
// knows what an encoded name is, and leaves values to whoever asks.

import "example.com/upstream/internal/query"

// words are the names as find compares them: 24 bytes, the first eight in the first
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

// find recognises a name that has been read as three words. That one is nobody's, no
// processor foresees: so there is no branch.
func find(a, b, c uint64) Slot {
	s := uint(slots[place(a, b)])
	if w := &words[s]; (a^w[0])|(b^w[1])|(c^w[2]) != 0 {
		s = uint(None)
	}
	return Slot(s)
}

// other recognises any name that begins at raw[i] and ends at the next mark, also a long one,
// an encoded one, or that of the last pair, and tells where its value begins.
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

// decoded is other for one that may be encoded.
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
