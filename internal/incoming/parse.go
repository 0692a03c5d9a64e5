// Package incoming knows the parameters of an /authorize request by name, and reads
// them from its encoded form, or from what the host has parsed. It knows nothing of
// connections, nor of what a value means: whoever calls it says where the values go.
//
// A server parses what anybody sends, and what differs from one request to the next
// is what costs: the lengths of values and the order of names, which no processor
// foresees. So no step goes byte by byte: eight at once for the end of a value, and one
// look into a table for a name. Values that stand for themselves stay parts of the
// query; all others are decoded into one buffer, of which one string is made in the end.
package incoming

import (
	"net/url"
	"strings"

	"example.com/upstream/internal/form"
	"example.com/upstream/internal/query"
)

// Parse puts the decoded values of raw, of at most 64 KiB, into the fields of their
// slots, those of Resource behind resources, and what is not recognised into the
// Rest. It stops at the first parameter that is malformed or given twice, and tells
// which it is and what is wrong.
func (r *Rest) Parse(raw string, fields *[End]*string, resources *[]string) (bad Slot, problem string) {
	var (
		few     [256]byte // more moves to the heap
		decoded = few[:0]
		order   [End]Slot  // of what is decoded
		ends    [End]int32 // of it in the buffer; it begins where the one before ends
		n       int
		seen    uint64 // one bit a slot
		begin   = -1   // of the first pair that is not recognised,
		behind  = 0    // and what is behind the last
	)
	for i := 0; i < len(raw); {
		if raw[i] == '&' { // an empty pair
			i++
			continue
		}
		s, value := name(raw, i)
		if s == None {
			if begin < 0 {
				begin = i
			}
			if int(r.count) < len(r.pairs) {
				r.pairs[r.count] = uint16(i - begin)
			}
			r.count++
			i, behind = value, value
			continue
		}
		if seen&(1<<s) != 0 && s != Resource {
			return s, query.Doubled
		}
		seen |= 1 << s
		// Many a value is plain: then looking for what is not has found its end as
		// well.
		end := query.Plain(raw, value)
		text := raw[value:end]
		if end < len(raw) && raw[end] != '&' {
			// From the beginning of the value: what is plain before the first escape is
			// a word or two, read again sooner than handed over.
			before := len(decoded)
			if decoded, end, problem = query.AppendValue(decoded, raw, value); problem != "" {
				return s, problem
			}
			if s != Resource {
				order[n], ends[n] = s, int32(len(decoded))
				n++
				i = end + 1
				continue
			}
			text, decoded = string(decoded[before:]), decoded[:before]
		}
		if s != Resource {
			*fields[s] = text
		} else if text != "" { // as if absent
			*resources = append(*resources, text)
		}
		i = end + 1
	}
	all, start := string(decoded), int32(0)
	for i := range n {
		*fields[order[i]] = all[start:ends[i]]
		start = ends[i]
	}
	if begin >= 0 {
		part := raw[begin:behind]
		r.raw = &part
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

// name recognises the name that begins at raw[i] and tells where its value begins, or
// if it is not recognised, where its pair ends.
func name(raw string, i int) (s Slot, end int) {
	// A query may be nothing but pairs of a byte or two: they have to be cheap.
	if !begins[raw[i]] || len(raw) < i+3 || raw[i+1] == '=' || raw[i+1] == '&' || raw[i+2] == '&' {
		return short(raw, i)
	}
	// Most names are recognised and without escapes.
	if raw[i] != '%' {
		if n := strings.IndexByte(raw[i:min(len(raw), i+MaxLen+1)], '='); n > 0 {
			if s = Of(raw[i : i+n]); s != None {
				return s, i + n + 1
			}
			if end = query.Plain(raw, i); end > i+n { // nor is it encoded
				return None, end + query.Pair(raw[end:])
			}
		}
	}
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

// short is name where one or two bytes are the whole name, or tell that it is not
// recognised. It is apart, for it would cost the others.
//
//go:noinline
func short(raw string, i int) (s Slot, end int) {
	end = i + query.Pair(raw[i:])
	return Of(raw[i:end]), end
}

// begins are the first bytes of all names, and of names that are percent-encoded.
var begins = func() (t [256]bool) {
	t['%'] = true
	for _, name := range Names {
		t[name[0]] = true
	}
	return t
}()
