// Package incoming knows the parameters of an /authorize request by name, and reads
// them from its encoded form, or from what the host has parsed. It knows nothing of
// connections, nor of what a value means: whoever calls it says where the values go.
//
// A server parses what anybody sends, and what differs from one request to the next
// is what costs: the lengths of values and the order of names, which no processor
// foresees. So no step goes byte by byte: where names and values end is marked before
// (query.Marks), and a name is one look into a table. Values that stand for themselves stay
// parts of the query; all others are decoded into one buffer, of which one string is made
// in the end.
package incoming

import (
	"bytes"
	"net/url"
	"unicode/utf8"

	"example.com/upstream/internal/form"
	"example.com/upstream/internal/query"
)

// Parse puts the decoded values of raw, of at most 64 KiB, into the fields of their
// slots, those of Resource behind resources, and what is not recognised into the
// Rest: the field of None is written to besides, and means nothing. RedirectURI loses its fragment (rule R6). It stops at the first parameter that is
// malformed or given twice, and tells which it is and what is wrong.
func (r *Rest) Parse(raw string, fields *[End + 1]*string, resources *[]string) (bad Slot, problem string) {
	var (
		bits  [144]byte   // more moves to the heap
		few   [256]byte   // as here
		out   = few[:0]   // what is decoded,
		order [End]Slot   // of these slots,
		ends  [End]uint16 // each up to here
		count int         // of them
		seen  uint64      // one bit a slot

		others [noted + 1]uint32 // where the first pairs without a slot begin, and behind them anything;
		rest   uint              // how many there are
	)
	marks := query.Mark(bits[:], raw)
	for i := uint(0); i < uint(len(raw)); {
		if raw[i] == '&' { // an empty pair
			i++
			continue
		}
		s, value := None, marks.Next(i)
		switch n := value - i; {
		case n-2 <= MaxLen-2 && i+24 <= uint(len(raw)) && raw[value] == '=':
			// As nearly always. 24 bytes are read at once, and all behind the name is taken out:
			//
			//	raw    login_hint=ada%40exa...
			//	words  login_hi nt000000 00000000
			text, front := raw[i:i+24], &fronts[n]
			s = find(query.Word(text)&front[0], query.Word(text[8:])&front[1], query.Word(text[16:])&front[2])
			value++
		case n >= 2 || value+2 < uint(len(raw)) && raw[value] == '%' && raw[value+1] != '&':
			s, value = other(raw, i, value)
		default: // it is shorter than any name, and there may be many
			if value < uint(len(raw)) && raw[value] != '&' {
				value++
			}
			if value < uint(len(raw)) && raw[value] != '&' {
				value += uint(query.PairLen(raw[value:]))
			}
			others[rest%uint(len(others))] = uint32(i)
			rest++
			i = value + 1
			continue
		}
		if seen&(1<<(s&63)) != 0 && s != Resource { // below 64: the generator sees to it
			return s, query.Doubled
		}
		seen |= 1 << (s & 63) &^ (1 << None)
		others[rest%uint(len(others))] = uint32(i) // if it has a slot, the next one goes over it: no processor foresees that
		if s == None {
			rest++
		}
		end := marks.Next(value)
		var text string
		if end == uint(len(raw)) || raw[end] == '&' {
			if text = raw[value:end]; marks.High() && s != None && !utf8.ValidString(text) {
				return s, query.BadUTF8
			}
		} else if s == None {
			i = end + uint(query.PairLen(raw[end:])) + 1
			continue
		} else {
			var decoded []byte
			var found query.Found
			if decoded, end, found, problem = marks.AppendValue(out, raw, value); problem == "" && found != 0 {
				problem = found.Problem(decoded[len(out):])
			}
			if problem != "" {
				return s, problem
			}
			if found.Fragment() && s == RedirectURI { // in this order: no processor foresees the slot
				decoded = decoded[:len(out)+bytes.IndexByte(decoded[len(out):], '#')]
			}
			if s != Resource {
				out = decoded
				order[count], ends[count] = s, uint16(len(out))
				count++
				i = end + 1
				continue
			}
			text, out = string(decoded[len(out):]), decoded[:len(out)] // which may be a larger one now
		}
		i = end + 1
		if s != Resource {
			*fields[s] = text
		} else if text != "" { // as if absent
			*resources = append(*resources, text)
		}
	}
	all, start := string(out), uint16(0)
	for i := range count {
		*fields[order[i]] = all[start:ends[i]]
		start = ends[i]
	}
	if rest > 0 {
		kept := raw
		r.raw, r.count = &kept, uint32(rest)
		for i, begin := range others[:min(rest, noted)] {
			r.pairs[i] = marks.Pair(raw, uint(begin))
		}
	}
	return None, ""
}

// Take is Parse for a form that the host has parsed. It hands each value to put, one
// that the same slot had before it as well where that is Resource. Slots are looked at
// in the order of their names: a map has none, and of two faults the same is to be told
// each time. A problem with None is about the form as a whole. The form is kept.
func (r *Rest) Take(parsed url.Values, put func(Slot, string)) (bad Slot, problem string) {
	size, known := 0, 0
	for _, s := range Sorted {
		values, ok := parsed[Names[s]]
		if !ok {
			continue
		}
		known++
		if len(values) > 1 && s != Resource {
			return s, query.Doubled
		}
		for _, value := range values {
			if size += len(value); size > form.MaxBody {
				return None, "the parameters are longer than 64 KiB"
			}
			if problem := query.Problem(value); problem != "" {
				return s, problem
			}
			put(s, value)
		}
	}
	if known < len(parsed) {
		r.more = &more{parsed: parsed}
	}
	return None, ""
}
