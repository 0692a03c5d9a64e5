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
		n.least = min(n.least, len(name))
		n.firsts |= 1 << (name[0] & 63)
		n.lengths |= 1 << min(len(name), 63)
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

// findEncoded is find for a name that may be percent-encoded.
func (n *Names) findEncoded(name string) int {
	escapes := strings.Count(name, "%")
	if escapes == 0 {
		return n.find(name) // what has a plus sign has a blank, and no name does
	}
	if size := len(name) - 2*escapes; size <= 0 || n.lengths&(1<<min(size, 63)) == 0 {
		return -1
	}
	// A name that is not well formed is not one of ours, and whether the request
	// may have it has been decided before.
	var buf [96]byte // more moves to the heap
	decoded, wrong := AppendUnescape(buf[:0], name)
	if wrong != "" {
		return -1
	}
	return n.find(string(decoded))
}

// Values finds the names in a query and puts their decoded values in their
// places. It stops at the first that is malformed or comes again, and gives its
// number and what is wrong with it.
func (n *Names) Values(raw string, values []string) (bad int, problem string) {
	var few [64]bool
	seen := few[:]
	if len(n.list) > len(few) {
		seen = make([]bool, len(n.list))
	}
	for raw != "" {
		end := Pair(raw)
		pair := raw[:end]
		raw = raw[min(end+1, len(raw)):]
		// A query may be nothing but pairs of two bytes: they have to be cheap.
		if len(pair) < n.least || n.firsts>>(pair[0]&63)&1 == 0 {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		i := n.findEncoded(name)
		if i < 0 {
			continue
		}
		if seen[i] {
			return i, Doubled
		}
		seen[i] = true
		if values[i] = value; Plain(value) == len(value) {
			continue
		}
		var buf [256]byte
		decoded, _, problem := AppendValue(buf[:0], value, Plain(value))
		if problem != "" {
			return i, problem
		}
		if len(decoded) > 0 {
			values[i] = string(decoded)
		}
	}
	return -1, ""
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
