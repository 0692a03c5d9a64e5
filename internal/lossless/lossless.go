// Package lossless binds members of a JSON document to fields of a Go struct
// and writes changed fields back into the document, so that everything the
// struct does not model survives: unknown members, number text, nulls, order.
//
// A [Schema] lists the modelled members. [Schema.Decode] reads a document into
// a struct; [Schema.Edits] compares a struct with what its document says and
// gives the edits that make up the difference. The package knows no member by
// name and no rule about values but their JSON type.
//
// Why a difference, and not a text that is kept beside each field: the vendor's
// Update replaces options as a whole (PATCH of a connection), so that a member
// that is left out is lost at the vendor. The document is therefore the truth, the
// struct is a view of it, and what to write is found by reading the document once
// more into a second struct:
//
//	text --Open--> Document --Decode--> struct --the host changes it--> struct'
//	                  |                                                   |
//	                  +---Decode again---> was ---------Edits------------ now
//	                                                      |
//	text' <----------------- strictjson.Apply ------------+
//
// Two invariants: Edits right after Decode gives none, even for a document that
// Decode found wrong in places; and a document with all edits applied decodes to
// the struct that they were made of. The fuzz targets of the root hold both.
package lossless

import (
	"slices"
	"strings"

	"example.com/upstream/internal/strictjson"
)

// A Problem is something in a document that does not fit its schema.
type Problem struct {
	Pointer string // RFC 6901
	Message string // what is wrong and the remedy; never a secret
}

// A Field reads one member into a Go value and tells what changed since.
type Field interface {
	// Read sets the Go value from the text, which is not null.
	Read(text []byte, at string) []Problem
	// Agrees reports whether Read would set the value that is there, from a
	// text that may be nil. It is quick, and may answer false to a hard question:
	// false costs time (Edits then looks closely), a wrong true loses a change.
	Agrees(text []byte) bool
	// Edits gives what turns the text, nil if absent, from the value of was
	// into the value of the receiver. Both are of one type. It compares values and
	// not texts: a text that Read could not take leaves was as it is, so that
	// nobody's change is nobody's edit.
	Edits(was Field, text []byte, path []string) []strictjson.Edit
	// Value gives the Go value as JSON has it, whatever its type in Go: a string,
	// bool, int, []byte (of Raw), []string or map[string]string. It may be the Go
	// value's own: not to be changed.
	Value() any
}

// A Member binds a member, by its path from the root, to a field of T. A
// member with several spellings has several paths, the usual one first.
type Member[T any] struct {
	Paths []string // "options/client_id"; names without "/" and "~"
	Field func(*T) Field
}

// A Schema is everything that is modelled of a document. All of it is worked out
// from the paths once, since every connection of every tenant is read with the
// same. For members "name", "options/scope" and "options/scripts/fetchUserProfile":
//
//	below    ""         -> options
//	         "options"  -> options/scripts
//	objects  3          the root is one
//
// An object is modelled if it has a modelled member; all others stay text.
type Schema[T any] struct {
	members []Member[T]
	objects int                 // how many are modelled
	below   map[string][]string // the modelled objects in each, by its path
	split   map[string][]string // each path by its names
	places  [][]place           // of each member, by spelling
	number  map[string]int      // of each member, by its usual path
}

// place is a path, taken apart once: the object to look in, and the name there.
// A member has one for each spelling, in the order of Member.Paths.
type place struct{ path, parent, base string }

// NewSchema makes a schema of its members. Their order is that of problems and of
// edits, and new members are written in it: so it is the order that a reader expects.
func NewSchema[T any](members ...Member[T]) *Schema[T] {
	s := &Schema[T]{members: members, objects: 1, below: map[string][]string{}, split: map[string][]string{}, number: map[string]int{}}
	for i, m := range members {
		s.number[m.Paths[0]] = i
		var places []place
		for _, path := range m.Paths {
			places = append(places, place{path, parent(path), base(path)})
		}
		s.places = append(s.places, places)
		for _, path := range m.Paths {
			s.split[path] = slices.Clip(strings.Split(path, "/"))
			for at := parent(path); at != ""; at = parent(at) {
				if !slices.Contains(s.below[parent(at)], at) {
					s.below[parent(at)] = append(s.below[parent(at)], at)
					s.objects++
				}
			}
		}
	}
	return s
}

// The root's own path is "", and so is the parent of a member of the root.
func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }
func base(path string) string   { return path[strings.LastIndexByte(path, '/')+1:] }

// A Document is a text that has been split into the members of its modelled
// objects. The nil Document has none: it stands for a connection that was filled
// in Go. It is never changed, so that copies of a connection share one. The values
// are parts of the text, not copies.
type Document struct {
	*document // %+v of whoever holds a Document prints an address, not the secrets in the text
}

type document struct {
	text     []byte
	objects  []object
	problems []Problem
}

type object struct {
	path    string
	members []strictjson.Member
}

// Lookup gives the text of the member at path, whose parent has to be a
// modelled object; nil if there is none.
func (d *Document) Lookup(path string) []byte {
	return strictjson.Find(d.Members(parent(path)), base(path))
}

func (d *Document) at(p *place) []byte { return strictjson.Find(d.Members(p.parent), p.base) }

// Members gives the members of a modelled object, by its path.
func (d *Document) Members(path string) []strictjson.Member {
	if d != nil {
		for i := range d.objects { // they are very few
			if d.objects[i].path == path {
				return d.objects[i].members
			}
		}
	}
	return nil
}

// Spelling gives the pointer of the spelling that the document uses of a
// member: the first that is there with a value, else the usual one.
func (d *Document) Spelling(paths ...string) string {
	for _, path := range paths {
		if text := d.Lookup(path); text != nil && !strictjson.IsNull(text) && string(text) != `""` {
			return pointer(path)
		}
	}
	return pointer(paths[0])
}

// Text gives the whole text, nil if there is no document. Do not change it.
func (d *Document) Text() []byte {
	if d == nil {
		return nil
	}
	return d.text
}

// Open splits a text that strictjson.Check has accepted, and keeps it.
func (s *Schema[T]) Open(text []byte) *Document {
	d := &Document{&document{text: text, objects: make([]object, 0, s.objects)}}
	s.open(d, "", text)
	return d
}

// open splits the object at path, and those modelled below it. An object that is
// null is absent, but a document that is null is none: whoever sends that meant
// something else. What is not split has no members, so that all of its fields read
// as absent, and one problem tells it for all of them.
func (s *Schema[T]) open(d *Document, path string, text []byte) {
	members, ok := strictjson.Members(text)
	if !ok {
		if !strictjson.IsNull(text) || path == "" {
			d.problems = append(d.problems, Problem{pointer(path), "must be an object"})
		}
		return
	}
	d.objects = append(d.objects, object{path, members})
	for _, below := range s.below[path] {
		if text := strictjson.Find(members, base(below)); text != nil {
			s.open(d, below, text)
		}
	}
}

// pointer makes an RFC 6901 pointer of a path.
func pointer(path string) string {
	if path == "" {
		return ""
	}
	return "/" + path
}

// Decode sets the modelled fields of v from a document. It sets what it can and
// gives every problem, in the order of the schema.
func (s *Schema[T]) Decode(d *Document, v *T) []Problem {
	if d == nil {
		return nil
	}
	return append(slices.Clone(d.problems), s.decode(d, v)...)
}

// decode sets fields and gives what is wrong with their values. Of several
// spellings the first that says something is read: the vendor's API gives back
// members as "" or null beside the spelling that is in use. Two that differ are a
// problem, since here and at the vendor different ones might win.
//
//	tokenURL   token_endpoint   read
//	absent     "a"              "a"
//	null       "a"              "a"
//	""         "a"              "a", over the ""
//	"a"        ""               "a"
//	"a"        "b"              "a", and a problem at the second
func (s *Schema[T]) decode(d *Document, v *T) (problems []Problem) {
	for i, m := range s.members {
		var first []byte
		for j, path := range m.Paths {
			text := d.at(&s.places[i][j])
			switch {
			case text == nil || strictjson.IsNull(text):
			case first == nil || string(first) == `""`:
				problems = append(problems, m.Field(v).Read(text, pointer(path))...)
				first = text
			case string(text) != `""` && !same(text, first):
				problems = append(problems, Problem{pointer(path),
					"differs from " + base(m.Paths[0]) + ", which is the same setting; keep one of them"})
			}
		}
	}
	return problems
}

// same reports whether two texts of one setting say the same. Strings are compared
// decoded; other values by their text, since what differs only in white space was
// written twice, and a word about that does no harm.
func same(a, b []byte) bool {
	return string(a) == string(b) || strictjson.IsText(a) && strictjson.IsText(b) && strictjson.Text(a) == strictjson.Text(b)
}

// Value gives the value that v has for the member with that usual path, which the
// schema has to have.
func (s *Schema[T]) Value(v *T, path string) any {
	i, ok := s.number[path]
	if !ok {
		panic("lossless: no member " + path) // at the first test
	}
	return s.members[i].Field(v).Value()
}

// Edits gives what must be edited in the document, nil for nothing, so that it
// says what v says. Members that v agrees with are not among them. The paths
// of the edits are the schema's own.
//
// A change goes into every spelling that says the same or nothing, since nobody knows
// which one the vendor reads: none is left behind with the old value. A spelling that
// says something else was a problem before and stays one: to settle that is not the
// part of somebody who changes a value. Where no spelling is there, the usual one is
// written.
func (s *Schema[T]) Edits(d *Document, v *T) []strictjson.Edit {
	if s.agrees(d, v) { // nearly always, and found out in a fraction of the time
		return nil
	}
	was := new(T)
	s.decode(d, was) // its problems have been told; what they are about is zero in was
	var edits []strictjson.Edit
	for _, m := range s.members {
		before, now := m.Field(was), m.Field(v)
		var first []byte
		for i, path := range m.Paths {
			text := d.Lookup(path)
			switch {
			case text == nil && (first != nil || i < len(m.Paths)-1):
				continue // absent, and another spelling is there, or may be
			case text == nil:
				path = m.Paths[0]
			case first == nil || string(first) == `""` || strictjson.IsNull(first):
				first = text // what was read, or what says nothing and is written as well
			case string(text) != `""` && !strictjson.IsNull(text) && !same(text, first):
				continue // says something else, and goes on doing so
			}
			edits = append(edits, now.Edits(before, text, s.split[path])...)
		}
	}
	return edits
}

// agrees reports whether no member has changed; false may mean that it takes
// more to tell, as where a member stands in two spellings. A store that writes back
// what it has read asks this of every connection, and the long way would decode each
// of them a second time.
func (s *Schema[T]) agrees(d *Document, v *T) bool {
	for i, m := range s.members {
		var text []byte
		for j := range s.places[i] {
			t := d.at(&s.places[i][j])
			if t != nil && text != nil {
				return false
			}
			if t != nil {
				text = t
			}
		}
		if strictjson.IsNull(text) {
			text = nil // a Field is never asked about null: Read does not see it either
		}
		if !m.Field(v).Agrees(text) {
			return false
		}
	}
	return true
}

// Standing gives the problems that Decode found as far as no edit has replaced what
// they are about.
func Standing(problems []Problem, edits []strictjson.Edit) []Problem {
	if len(edits) == 0 {
		return problems
	}
	var changed []string
	for _, e := range edits {
		at := ""
		for _, name := range e.Path {
			at += strictjson.Pointer(name)
		}
		changed = append(changed, at)
	}
	var out []Problem
	for _, p := range problems {
		if !slices.ContainsFunc(changed, func(at string) bool { return p.Pointer == at || strings.HasPrefix(p.Pointer, at+"/") }) {
			out = append(out, p)
		}
	}
	return out
}

// Lookup gives the text of the member at path, nil if there is none. It knows no
// schema, and splits each object on the way: for a text of which one member is wanted.
func Lookup(doc []byte, path string) []byte {
	for name := range strings.SplitSeq(path, "/") {
		members, _ := strictjson.Members(doc)
		if doc = strictjson.Find(members, name); doc == nil {
			return nil
		}
	}
	return doc
}

// Keys gives the keys of m: those of the object in text first, in its order,
// then the others sorted. So problems come in the order in which a reader of the
// document meets them, and are the same at each run.
func Keys[V any](text []byte, m map[string]V) []string {
	keys := make([]string, 0, len(m))
	members, _ := strictjson.Members(text)
	for _, member := range members {
		if _, ok := m[member.Name]; ok {
			keys = append(keys, member.Name)
		}
	}
	if len(keys) == len(m) {
		return keys
	}
	there := make(map[string]bool, len(keys))
	for _, key := range keys {
		there[key] = true
	}
	for _, key := range sortedKeys(m) {
		if !there[key] {
			keys = append(keys, key)
		}
	}
	return keys
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
