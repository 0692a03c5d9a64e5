// Package lossless binds members of a JSON document to fields of a Go struct
// and writes changed fields back into the document, so that everything the
// struct does not model survives: unknown members, number text, nulls, order.
//
// A [Schema] lists the modelled members. [Schema.Decode] reads a document into
// a struct; [Schema.Edits] compares a struct with what its document says and
// gives the edits that make up the difference. The package knows no member by
// name and no rule about values but their JSON type.
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
	// Edits gives what turns the text, nil if absent, from the value of was
	// into the value of the receiver. Both are of one type.
	Edits(was Field, text []byte, path []string) []strictjson.Edit
}

// A Member binds a member, by its path from the root, to a field of T. A
// member with several spellings has several paths, the usual one first.
type Member[T any] struct {
	Paths []string // "options/client_id"; names without "/" and "~"
	Field func(*T) Field
}

// A Schema is everything that is modelled of a document.
type Schema[T any] struct {
	members []Member[T]
	names   map[string][]string // of each modelled object, by its path
}

// NewSchema makes a schema of its members.
func NewSchema[T any](members ...Member[T]) *Schema[T] {
	s := &Schema[T]{members: members, names: map[string][]string{}}
	for _, m := range members {
		for _, path := range m.Paths {
			for path != "" && !slices.Contains(s.names[parent(path)], base(path)) {
				s.names[parent(path)] = append(s.names[parent(path)], base(path))
				path = parent(path)
			}
		}
	}
	return s
}

func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '/'))] }
func base(path string) string   { return path[strings.LastIndexByte(path, '/')+1:] }

// A document is the members of each modelled object, by the object's path.
type document map[string][]strictjson.Member

// text gives the text of a member; nil if it is absent.
func (d document) text(path string) []byte {
	return strictjson.Find(d[parent(path)], base(path))
}

// open splits the modelled objects of a checked document.
func (s *Schema[T]) open(doc []byte) (document, []Problem) {
	d := make(document, len(s.names))
	var problems []Problem
	var walk func(path string, text []byte)
	walk = func(path string, text []byte) {
		members, ok := strictjson.Members(text)
		if !ok {
			if !strictjson.IsNull(text) || path == "" {
				problems = append(problems, Problem{pointer(path), "must be an object"})
			}
			return
		}
		d[path] = members
		for _, name := range s.names[path] {
			below := strings.TrimPrefix(path+"/"+name, "/")
			if _, modelled := s.names[below]; modelled {
				if text := d.text(below); text != nil {
					walk(below, text)
				}
			}
		}
	}
	walk("", doc)
	return d, problems
}

// pointer makes an RFC 6901 pointer of a path.
func pointer(path string) string {
	if path == "" {
		return ""
	}
	return "/" + path
}

// Decode sets the modelled fields of v from a document that strictjson.Check
// has accepted. It sets what it can and gives every problem, in the order of
// the schema.
func (s *Schema[T]) Decode(doc []byte, v *T) []Problem {
	d, problems := s.open(doc)
	problems = append(problems, s.misnamed(d)...)
	for _, m := range s.members {
		var first []byte
		for _, path := range m.Paths {
			text := d.text(path)
			switch {
			case text == nil || strictjson.IsNull(text):
			case first == nil || string(first) == `""`:
				problems = append(problems, m.Field(v).Read(text, pointer(path))...)
				first = text
			case string(text) != `""` && string(text) != string(first):
				problems = append(problems, Problem{pointer(path),
					"differs from " + base(m.Paths[0]) + ", which is the same setting; keep one of them"})
			}
		}
	}
	return problems
}

// misnamed finds members whose name is a modelled one but for case, and
// members that stand in an object above the one they belong to.
func (s *Schema[T]) misnamed(d document) (problems []Problem) {
	for _, path := range sortedKeys(d) {
		for _, m := range d[path] {
			if right := s.meant(path, m.Name); right != "" {
				problems = append(problems, Problem{pointer(path) + strictjson.Pointer(m.Name), "is not read here; write " + right})
			}
		}
	}
	return problems
}

// meant gives what a name in the object at path should have been, "" if the
// name is right or unknown.
func (s *Schema[T]) meant(path, name string) string {
	if slices.Contains(s.names[path], name) {
		return ""
	}
	for _, n := range s.names[path] {
		if strings.EqualFold(n, name) {
			return n
		}
	}
	if path == "" {
		for _, below := range s.names[""] {
			for _, n := range s.names[below] {
				if strings.EqualFold(n, name) {
					return below + "." + n
				}
			}
		}
	}
	return ""
}

// Edits gives what must be edited in doc, nil for none, so that it says what v
// says. Members that v agrees with are not among them.
func (s *Schema[T]) Edits(doc []byte, v *T) []strictjson.Edit {
	var was T
	var d document
	if doc != nil {
		s.Decode(doc, &was)
		d, _ = s.open(doc)
	}
	var edits []strictjson.Edit
	for _, m := range s.members {
		present := slices.DeleteFunc(slices.Clone(m.Paths), func(path string) bool { return d.text(path) == nil })
		if len(present) == 0 {
			present = m.Paths[:1]
		}
		for _, path := range present {
			edits = append(edits, m.Field(v).Edits(m.Field(&was), d.text(path), strings.Split(path, "/"))...)
		}
	}
	return edits
}

// Spelling gives the pointer of the spelling that doc uses of a member: the
// first that is there with a value, else the usual one.
func Spelling(doc []byte, paths ...string) string {
	for _, path := range paths {
		if text := Lookup(doc, path); text != nil && !strictjson.IsNull(text) && string(text) != `""` {
			return pointer(path)
		}
	}
	return pointer(paths[0])
}

// Lookup gives the text of the member at path, nil if there is none.
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
// then the others sorted.
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
	for _, key := range sortedKeys(m) {
		if strictjson.Find(members, key) == nil {
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
