package incoming

// This file keeps what a request holds beside the names of the table. Which of it
// matters, a connection says, and that is not known where a request is read; so it is
// kept as it came, and looked at when a connection asks for a name (rule B1). Nobody
// pays for what nobody asks for, and a parameter that nobody knows may hold anything.

import (
	"maps"
	"net/url"

	"example.com/upstream/internal/form"
	"example.com/upstream/internal/query"
)

// A Rest is what has no slot. The zero Rest is empty. A copy has what the one before
// has, and what is set in one the other does not see.
type Rest struct {
	raw   *string           // the query; fmt follows no pointer to a string
	pairs [noted]query.Pair // the first pairs without a slot
	count uint32            // how many there are
	more  *more             // what came in another way; nil if there is nothing
}

// noted is how many pairs a Rest remembers. Where there are more, it looks for all again.
const noted = 7

// more is never changed.
type more struct {
	parsed url.Values        // by the host
	set    map[string]string // by hand
}

// Empty reports whether there is nothing.
func (r *Rest) Empty() bool { return r.count == 0 && r.more == nil }

// Set sets the value of a name, above what came.
func (r *Rest) Set(name, value string) {
	m := more{}
	if r.more != nil {
		m = *r.more
	}
	if m.set = maps.Clone(m.set); m.set == nil {
		m.set = map[string]string{}
	}
	m.set[name] = value
	r.more = &m
}

// Values puts the values of names in their places, those that are there. It stops at
// the first that is malformed, too long or comes twice, and gives its number and what
// is wrong with it, or -1.
func (r *Rest) Values(names *query.Names, values []string) (bad int, problem string) {
	m := r.more
	switch {
	case m != nil && m.parsed != nil:
		bad, problem = names.FormValues(m.parsed, values)
	case r.count == 0:
		bad = -1
	case r.count > noted:
		bad, problem = names.Values(*r.raw, nil, values)
	default:
		bad, problem = names.Values(*r.raw, r.pairs[:r.count], values)
	}
	if bad >= 0 || m == nil { // a query has been bounded before
		return bad, problem
	}
	for i, name := range names.List() {
		if value, ok := m.set[name]; ok {
			if values[i] = value; query.Problem(value) != "" {
				return i, query.Problem(value)
			}
		}
		if len(values[i]) > form.MaxBody {
			return i, "is longer than 64 KiB"
		}
	}
	return -1, ""
}
