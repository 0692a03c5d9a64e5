package query

// This file looks for parameters by name in a query that has been read for
// others before: for names that only some connections ask for (from, rule B1). What
// the application may send is open, so that nearly every pair is nobody's; their
// lengths and first bytes turn most away before anything is decoded or compared.

import (
	"net/url"
	"strings"
)

// Names is a list of parameter names to look for. It is immutable.
type Names struct {
	list    []string
	index   map[string]int // where a look at each would take longer
	lengths uint64         // bit n: some name has n bytes, bit 63: that or more
	firsts  uint64         // bit b&63: some name may begin with byte b, or with a percent sign
	least   int            // bytes of a name
}

// NewNames makes Names of a list without repetitions, nil of an empty one.
func NewNames(list []string) *Names {
	if len(list) == 0 {
		return nil
	}
	n := &Names{list: list, firsts: 1 << ('%' & 63), least: len(list[0])}
	for _, name := range list {
		n.firsts |= 1 << (name[0] & 63)
		n.lengths |= 1 << min(len(name), 63)
		n.least = min(n.least, len(name))
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
	if n.lengths&(1<<min(len(name), 63)) == 0 {
		return -1
	}
	if n.index != nil {
		if i, ok := n.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range n.list {
		if n.list[i] == name {
			return i
		}
	}
	return -1
}

// findEncoded is find for a name that is not plain. One that is malformed is not
// ours, and whether the request may have it has been decided before.
func (n *Names) findEncoded(name string) int {
	size := len(name) - 2*strings.Count(name, "%")
	if size <= 0 || n.lengths&(1<<min(size, 63)) == 0 {
		return -1
	}
	var few [96]byte
	buf := few[:]
	if size > len(buf) {
		buf = make([]byte, size)
	}
	if size, _ = Name(buf, name, 0); size < 0 {
		return -1
	}
	return n.find(string(buf[:size]))
}

// Values finds the names in a query and puts their decoded values in their
// places. Where pairs is not nil, it says where those begin that have to be looked
// at. Values stops at the first that is malformed or comes again, and gives its
// number and what is wrong with it.
func (n *Names) Values(raw string, pairs []uint16, values []string) (bad int, problem string) {
	var few [64]bool
	seen := few[:]
	if len(n.list) > len(few) {
		seen = make([]bool, len(n.list))
	}
	for begin, end, k := 0, 0, 0; ; begin, k = end+1, k+1 {
		if k < len(pairs) {
			begin = int(pairs[k])
		} else if pairs != nil || begin >= len(raw) {
			return -1, ""
		}
		i, value := -1, 0
		if pairs != nil { // nobody needs to know where another ends
			i, value = n.begins(raw, begin)
		}
		if i < 0 {
			// A query may be nothing but pairs of few bytes: they have to be cheap.
			end = begin + Pair(raw[begin:])
			if n.firsts>>(raw[begin]&63)&1 == 0 || end-begin < n.least {
				continue
			}
			name, _, _ := strings.Cut(raw[begin:end], "=")
			if begin+len(name) <= Plain(raw, begin) { // as most of them
				i = n.find(name)
			} else {
				i = n.findEncoded(name)
			}
			value = min(begin+len(name)+1, end)
		}
		if i < 0 {
			continue
		}
		if seen[i] {
			return i, Doubled
		}
		seen[i] = true
		if values[i], problem = text(raw, value); problem != "" {
			return i, problem
		}
	}
}

// begins tells which, of few names, raw[i:] begins with, and where its value begins; or
// it gives -1, where all of them have to be looked at in another way.
func (n *Names) begins(raw string, i int) (found, value int) {
	if n.index != nil {
		return -1, 0
	}
	for found, name := range n.list {
		if value = i + len(name); value < len(raw) && raw[value] == '=' && raw[i:value] == name {
			return found, value + 1
		}
	}
	return -1, 0
}

// text gives the value at raw[at:], decoded.
func text(raw string, at int) (value, problem string) {
	if end := Plain(raw, at); end == len(raw) || raw[end] == '&' {
		return raw[at:end], ""
	}
	var buf [256]byte
	decoded, problem := AppendUnescape(buf[:0], raw[at:at+Pair(raw[at:])])
	return string(decoded), problem
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
