package outgoing

// This file is the way from entries to a plan, which knows incoming parameters by
// number alone: who has which number is decided here, once for each connection.

import (
	"maps"
	"slices"

	"example.com/upstream/internal/incoming"
	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/query"
	"example.com/upstream/internal/rule"
)

// Sources numbers the incoming parameters that a plan looks at: first those that
// have a slot, then the others. It is part of each Provider, and what a request is
// read by; so it is an array and not a slice, which would be one more place in
// memory.
type Sources struct {
	names  *query.Names
	claims plan.Source // the number of claims, which is looked at in each request
	count  uint8       // of list
	list   [incoming.End]incoming.Slot
}

// Slots gives those that have a slot, in the order of their numbers.
func (s *Sources) Slots() []incoming.Slot { return s.list[:s.count] }

// Others gives those behind them, nil if there are none.
func (s *Sources) Others() *query.Names { return s.names }

// Size gives how many values an Input has.
func (s *Sources) Size() int { return int(plan.First) + len(s.Slots()) + len(s.names.List()) }

// newSources collects the sources of all entries, each once, in the order in which
// they come. connection_scope is always the first, as the scope of any connection may
// be asked for by it (rule M6). Names without a slot have numbers behind those that
// have one, and are found by search: a request of a host without From pays nothing
// for them (rule B1).
//
// All these come behind the values of the transaction.
//
//	alias prompt, from kc_idp_hint, unless login_hint
//	  0 connection_scope   1 prompt   2 login_hint | 3 kc_idp_hint
func newSources(entries []Entry) Sources {
	s := Sources{list: [incoming.End]incoming.Slot{incoming.ConnectionScope}, count: 1}
	known := [incoming.None]bool{incoming.ConnectionScope: true}
	var open []string
	seen := map[string]bool{}
	add := func(name string) {
		switch slot := incoming.Of(name); {
		case name == "" || slot == incoming.None && seen[name]:
		case slot == incoming.None:
			seen[name] = true
			open = append(open, name)
		case !known[slot]:
			known[slot] = true
			s.list[s.count] = slot
			s.count++
		}
	}
	for i := range entries {
		add(entries[i].source())
		for _, name := range entries[i].Unless {
			add(name)
		}
	}
	s.names = query.NewNames(open)
	s.claims = s.Of(Claims)
	return s
}

// Claims gives the number of claims, plan.None if nobody asks for it.
func (s *Sources) Claims() plan.Source { return s.claims }

// Of gives the number of an incoming parameter, plan.None if nobody asks for it.
func (s *Sources) Of(name string) plan.Source {
	if slot := incoming.Of(name); slot != incoming.None {
		if i := slices.Index(s.Slots(), slot); i >= 0 {
			return plan.First + plan.Source(i)
		}
	} else if i := s.names.Index(name); i >= 0 {
		return plan.First + plan.Source(len(s.Slots())+i)
	}
	return plan.None
}

// Name is the way back.
func (s *Sources) Name(n plan.Source) string {
	switch i := int(n) - int(plan.First); {
	case n == plan.None:
		return ""
	case i >= len(s.Slots()):
		return s.names.List()[i-len(s.Slots())]
	default:
		return incoming.Names[s.list[i]]
	}
}

// Compile gives entries that Check has found nothing wrong with as a plan takes
// them, and the numbers of what they look at.
func Compile(entries []Entry) (Sources, []plan.Entry) {
	s := newSources(entries)
	out := make([]plan.Entry, len(entries))
	for i := range entries {
		out[i] = entries[i].compile(&s)
	}
	return s, out
}

// compile leaves out what a static entry has no use for, so that a plan tells a static
// entry by its Source alone.
func (e *Entry) compile(s *Sources) plan.Entry {
	out := plan.Entry{Layer: e.Layer, Name: e.Name, Source: s.Of(e.source()), Value: e.Value, Essential: e.Essential, FormPost: e.formPost}
	if out.Source != plan.None {
		out.List, out.Many, out.Rule = e.isList(), e.source() == incoming.Names[incoming.Resource], e.rule()
	}
	for _, name := range e.Unless {
		out.Unless = append(out.Unless, s.Of(name))
	}
	return out
}

// rule compiles the rules, nil if there are none. It copies, because the caller of
// NewProvider may go on changing its slices and maps.
func (e *Entry) rule() *rule.Rule {
	if !e.ruled() {
		return nil
	}
	return &rule.Rule{
		Items:      e.isList(),
		Claims:     e.From == Claims,
		Restricted: e.Allow != nil || e.AllowPattern != "",
		Allow:      slices.Sorted(slices.Values(e.Allow)),
		Pattern:    e.pattern,
		Translate:  maps.Clone(e.Translate),
	}
}
