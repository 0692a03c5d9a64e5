package query

// This file looks for parameters by name in a query that has been read for
// others before: for names that only some connections ask for (from, rule B1). What
// the application may send is open, so that nearly every pair is nobody's: their
// first bytes turn most away before anything is decoded or compared.

import "net/url"

// Names is a list of parameter names to look for. It is immutable.
type Names struct {
	list   []string
	index  map[string]int // where a look at each would take longer
	firsts uint64         // bit b&63: some name may begin with byte b, or with a percent sign
	least  int            // bytes of a name,
	most   int            // and at most
}

// NewNames makes Names of a list without repetitions, nil of an empty one.
func NewNames(list []string) *Names {
	if len(list) == 0 {
		return nil
	}
	n := &Names{list: list, firsts: 1 << ('%' & 63), least: len(list[0])}
	for _, name := range list {
		n.firsts |= 1 << (name[0] & 63)
		n.least, n.most = min(n.least, len(name)), max(n.most, len(name))
	}
	if len(list) > 4 {
		n.index = make(map[string]int, len(list))
		for i, name := range list {
			n.index[name] = i
		}
	}
	return n
}

// List gives the names. Do not change it.
func (n *Names) List() []string {
	if n == nil {
		return nil
	}
	return n.list
}

// Index gives the number of a name, -1 if it is not in the list.
func (n *Names) Index(name string) int {
	if n == nil {
		return -1
	}
	return n.find(name)
}

// find gives the number of a name, -1 if it is not in the list.
func (n *Names) find(name string) int {
	if n.index == nil {
		for i, own := range n.list {
			if own == name {
				return i
			}
		}
		return -1
	}
	if i, ok := n.index[name]; ok {
		return i
	}
	return -1
}

// Values finds the names in a query and puts their decoded values in their
// places. Where pairs is not nil, these are the pairs that have to be looked
// at. Values stops at the first that is malformed or comes again, and gives its
// number and what is wrong with it.
func (n *Names) Values(raw string, pairs []Pair, values []string) (bad int, problem string) {
	var few [64]bool
	seen := few[:]
	if len(n.list) > len(few) {
		seen = make([]bool, len(n.list))
	}
	for k := range pairs {
		p := &pairs[k]
		if p.Value == 0 {
			if i, problem := n.decoded(raw[p.Begin:p.End], seen, values); problem != "" {
				return i, problem
			}
		} else if i := n.find(raw[p.Begin : p.Value-1]); i >= 0 { // as nearly always
			if seen[i] {
				return i, Doubled
			}
			seen[i], values[i] = true, raw[p.Value:p.End]
		}
	}
	for pairs == nil && raw != "" {
		end := PairLen(raw)
		if i, problem := n.decoded(raw[:end], seen, values); problem != "" {
			return i, problem
		}
		raw = raw[min(end+1, len(raw)):]
	}
	return -1, ""
}

// decoded is Values for one pair.
func (n *Names) decoded(pair string, seen []bool, values []string) (bad int, problem string) {
	// A query may be nothing but pairs of few bytes: they have to be cheap.
	if len(pair) < n.least || n.firsts>>(pair[0]&63)&1 == 0 {
		return -1, ""
	}
	var few [128]byte
	name := few[:]
	if n.most > len(name) {
		name = make([]byte, n.most)
	}
	size, end := Name(name[:n.most], pair, 0)
	if size < 0 { // none of ours is malformed
		return -1, ""
	}
	i := n.find(string(name[:size]))
	if i < 0 {
		return -1, ""
	}
	if seen[i] {
		return i, Doubled
	}
	var buf [256]byte
	text, problem := AppendUnescape(buf[:0], pair[min(end+1, len(pair)):])
	seen[i], values[i] = true, string(text)
	return i, problem
}

// FormValues is Values for a query that has been decoded before.
func (n *Names) FormValues(form url.Values, values []string) (bad int, problem string) {
	for i, name := range n.list {
		switch v := form[name]; {
		case len(v) > 1:
			return i, Doubled
		case len(v) == 0:
		case Problem(v[0]) != "":
			return i, Problem(v[0])
		default:
			values[i] = v[0]
		}
	}
	return -1, ""
}
