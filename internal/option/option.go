// Package option is the one table of the members that a connection may have:
// root, options, connection_settings, scripts, and an entry of upstream_params.
// It owns their names, what the library does with each, their type and limits,
// what their names may be mistaken for, and one line of documentation. (rules
// O1, O2, O7)
//
// It is data, and what can be read off it. It must not know Go's form of a
// connection, requests or URLs, nor how a problem is reported.
//
// One table, because four readers have to agree: validation (limits, Enum), the
// hints at misspelt names, OPTIONS.md, and the JSON Schema. Each member is found in
// two ways, which the index has ready:
//
//	by path   options/token_endpoint -> the member of options/tokenURL, any spelling
//	by name   options: token_endpoint -> the member
//	                   tokenendpoint  -> token_endpoint   (canonical, see near.go)
//	and      token_endpoint -> options/token_endpoint     (where a lost name belongs)
//
// A member that is left out of the table is not refused: it is unknown, and warned of,
// as the vendor adds members at any time. A member in the table that nothing reads
// would be worse, since it would be silent: so there is a class for those.
package option

import (
	"slices"
	"strings"
)

// Class says what the library does with a member.
type Class uint8

// The classes of rule O1.
const (
	Honoured Class = iota // changes the authorization request, the token request or the profile
	Refused               // some of its values ask for what is not done here; the message says what to use
	Host                  // readable from Go; what it means is the host's part, or a module's
	NoEffect              // about what the library does not do; kept, and nothing else
)

// String gives the class as the documentation has it.
func (c Class) String() string {
	return [...]string{"honoured", "refused", "the host's", "without effect"}[c]
}

// Kind is the JSON type of a member. null is always as good as absent.
type Kind uint8

// The kinds.
const (
	Any        Kind = iota // not looked at
	Text                   // a string
	NonEmpty               // a string that is not empty
	Flag                   // true or false
	Integer                // a whole number
	List                   // an array of strings
	TextOrList             // a string, or an array of strings
	Dict                   // an object of strings
	Headers                // an object of strings, or a string that holds one in JSON
	Object                 // an object whose members are in the table
	Raw                    // a value that has readers of its own
)

// A Limit bounds a member. 0 is no bound. Lengths are in characters.
type Limit struct {
	Text    int // of a string, or of each value of an object
	Items   int // of an array
	Item    int // length of each
	Members int // of an object
}

// A Member is one entry of the table.
type Member struct {
	Path  string   // "options/scope"; "*" stands for any name
	Also  []string // further spellings of the same setting, as paths
	Class Class
	Kind  Kind
	Doc   string   // what it does, or why it does nothing and what to use instead
	Of    []string // strategies that read it; nil for all
	Enum  []string // its values, where only these are taken; "" is as if absent

	// Refuses has values that are refused with a word of their own.
	Refuses map[string]string

	// Secure members are those whose misspelling would weaken a login: a name
	// that is one edit away from theirs is an error. (rule O2)
	Secure bool
	// Switch members are the vendor's tick boxes that put something into scope,
	// where it stands as well.
	Switch bool

	Limit   Limit
	LimitOf map[string]Limit // by strategy, in the place of Limit
}

// Name is the last part of the path.
func (m *Member) Name() string { return base(m.Path) }

// Paths gives all spellings, the usual one first.
func (m *Member) Paths() []string { return append([]string{m.Path}, m.Also...) }

// Bound gives the limit for a strategy: the vendor's schema differs by strategy, and a
// limit that is too narrow refuses a connection that works there. (rule O7)
func (m *Member) Bound(strategy string) Limit {
	if l, ok := m.LimitOf[strategy]; ok {
		return l
	}
	return m.Limit
}

// Serves reports whether a connection of the strategy reads the member.
func (m *Member) Serves(strategy string) bool {
	for _, s := range m.Of {
		if s == strategy {
			return true
		}
	}
	return m.Of == nil
}

// WrongValue says what is wrong with a value, "" if nothing is. A word of its own goes
// before the list of what is taken: who wrote "plain" knows that it is a value.
func (m *Member) WrongValue(value string) string {
	if text, ok := m.Refuses[value]; ok {
		return text
	}
	if m.Enum == nil || slices.Contains(m.Enum, value) {
		return ""
	}
	last := len(m.Enum) - 1
	return "must be " + strings.TrimPrefix(strings.Join(m.Enum[:last], ", ")+" or "+m.Enum[last], " or ")
}

// Idle says why a member does nothing in a connection of the strategy, ""
// where it does something, or where nobody would expect it to. ticked is that
// its value is true and the connection has no scope: with a scope the vendor's
// dashboard has written there what is ticked. Of a member without effect anywhere
// the table's line in OPTIONS.md is enough, or each connection would be full of
// warnings.
func (m *Member) Idle(strategy string, ticked bool) string {
	switch {
	case m.Switch && ticked:
		return "has no effect; write what it stands for into scope"
	case m.Class != NoEffect && !m.Serves(strategy):
		return "has no effect here; it is read for " + strings.Join(m.Of, ", ") + " alone"
	}
	return ""
}

func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }
func base(path string) string   { return path[strings.LastIndexByte(path, '/')+1:] }

// An index is what the table comes to, made once and never written.
type index struct {
	byPath  map[string]*Member
	objects map[string]*object // by path
	levels  map[string]string  // name of a modelled member to its usual path, if it has only one
}

// object is what is known of the members of one object.
type object struct {
	names  map[string]*Member
	folded map[string]string // canonical form to a name
	list   []string          // names, in the order of the table

	secure, secureForm []string // the secure names, and their canonical forms
}

var known = newIndex(table)

// newIndex goes over all spellings. Where two names of one object have one canonical
// form, the one that does something is what a misspelling of either means; where one
// name stands at two levels, neither is where a lost one belongs. Those of an entry
// ("*") are left out there: "value" in the wrong place may be anybody's.
func newIndex(members []Member) *index {
	x := &index{byPath: map[string]*Member{}, objects: map[string]*object{}, levels: map[string]string{}}
	for i := range members {
		m := &members[i]
		for _, path := range m.Paths() {
			if x.byPath[path] != nil {
				panic("option: " + path + " stands in the table twice") // at the first test
			}
			x.byPath[path] = m
			o := x.objects[parent(path)]
			if o == nil {
				o = &object{names: map[string]*Member{}, folded: map[string]string{}}
				x.objects[parent(path)] = o
			}
			name := base(path)
			o.names[name] = m
			o.list = append(o.list, name)
			if _, ok := o.folded[canonical(name)]; !ok || m.Class != NoEffect {
				o.folded[canonical(name)] = name
			}
			if m.Secure {
				o.secure, o.secureForm = append(o.secure, name), append(o.secureForm, canonical(name))
			}
			if m.Class != NoEffect && !strings.Contains(path, "*") {
				if _, ok := x.levels[name]; ok {
					path = "" // at two levels, so that nobody can say where it belongs
				}
				x.levels[name] = path
			}
		}
	}
	return x
}

// All gives the table. Do not change it.
func All() []Member { return table }

// Get gives the member with that path, in any spelling; nil if there is none.
func Get(path string) *Member { return known.byPath[path] }

// Names gives the names of the members of an object.
func Names(object string) []string {
	if o := known.objects[object]; o != nil {
		return o.list
	}
	return nil
}

// In gives the member of that name in an object, nil if the table has none.
func In(object, name string) *Member {
	if o := known.objects[object]; o != nil {
		return o.names[name]
	}
	return nil
}
