package strictjson

// This file reads and edits text that Check has accepted. It does not look for
// mistakes again: on other text the results mean nothing, but nothing panics.
// Nothing here makes a tree: a value is its text, and a member is found by walking
// over its neighbours. That is linear in the object, and keeps every byte that
// nobody asks for.

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A Member is a member of an object.
type Member struct {
	Name  string // decoded
	Value []byte // its text, without white space around it
}

// Members gives the members of an object in their order. It reports false if
// the value is not an object.
func Members(value []byte) ([]Member, bool) {
	if !IsObject(value) {
		return nil, false
	}
	members := make([]Member, 0, 1+len(value)/64) // about right for configurations
	walk(value, func(name, value []byte) {
		members = append(members, Member{Text(name), value})
	})
	return members, true
}

// walk calls f with the texts of each member of an object. It does nothing if
// the value is not an object. Each test of a bound is for text that Check has not
// seen, or that is cut off: those end the walk. The offsets, at the top of a round
// and at the call:
//
//	{ "name" : value , "next" ...
//	  ^pos     ^start^pos
func walk(value []byte, f func(name, value []byte)) {
	if !IsObject(value) {
		return
	}
	for pos := skipSpace(value, 0) + 1; ; pos++ { // over the brace, then over each comma
		pos = skipSpace(value, pos)
		if pos >= len(value) || value[pos] != '"' {
			return
		}
		start := pos
		pos = skipValue(value, pos)
		name := value[start:pos]
		pos = skipSpace(value, pos)
		start = skipSpace(value, min(pos+1, len(value))) // over the colon
		pos = skipValue(value, start)
		f(name, value[start:pos])
		if pos = skipSpace(value, pos); pos >= len(value) || value[pos] != ',' {
			return
		}
	}
}

// IsObject reports whether the value is an object.
func IsObject(value []byte) bool {
	pos := skipSpace(value, 0)
	return pos < len(value) && value[pos] == '{'
}

// Elements gives the elements of an array in their order. It reports false if
// the value is not an array.
func Elements(value []byte) ([][]byte, bool) {
	pos := skipSpace(value, 0)
	if pos >= len(value) || value[pos] != '[' {
		return nil, false
	}
	elements := [][]byte{}
	for pos++; ; pos++ {
		start := skipSpace(value, pos)
		if start >= len(value) || value[start] == ']' {
			return elements, true
		}
		pos = skipValue(value, start)
		elements = append(elements, value[start:pos])
		if pos = skipSpace(value, pos); pos >= len(value) || value[pos] != ',' {
			return elements, true
		}
	}
}

// Find gives the text of the member of that name, nil where there is none. No text
// of a value is empty, so that nil says it all. It goes through the members: an
// object of a configuration has some ten, and a map would be made for one question.
func Find(members []Member, name string) []byte {
	for _, m := range members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// IsNull reports whether the value is null. Like IsText it counts on a value
// without white space around it, as Members and Elements give them.
func IsNull(value []byte) bool { return bytes.Equal(value, []byte("null")) }

// IsText reports whether the value is a string.
func IsText(value []byte) bool { return len(value) > 0 && value[0] == '"' }

// Text decodes a string; of any other value it gives "".
func Text(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	var s string
	_ = json.Unmarshal(value, &s) // a string that Check accepted always decodes
	return s
}

// Marshal is json.Marshal without escapes that only HTML needs: "&" in a URL that the
// host changes stays "&", as whoever reads the document expects. It takes what
// always marshals: strings, booleans, slices and maps of strings.
func Marshal(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})
}

// Pointer gives the RFC 6901 reference token of a name, slash included.
func Pointer(name string) string {
	return "/" + pointerEscapes.Replace(name)
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// An Edit sets the member that a path of names leads to, or removes it where
// Value is nil. The path has at least one name. A value that is null is written as
// such, which is not the same as none: in an Update null may clear a setting.
type Edit struct {
	Path  []string
	Value []byte
}

// Apply carries out edits on an object. What no edit touches keeps its bytes
// and its place; new members come last, in the order of the edits. A value on
// the way that is not an object is replaced by one.
//
// It goes over the object once, and down only where an edit leads:
//
//	{"z": 1.0, "o": {"k":  "v"}}         edits: o/n = 2, q = 3
//	  |          |
//	  as it was  Apply({"k":  "v"}, n = 2)
//
//	{"z":1.0,"o":{"k":"v","n":2},"q":3}
//
// White space between members of an object that is edited goes; what is inside of a
// value that no edit leads to stays. (rule C3: the same JSON value, and the order)
func Apply(object []byte, edits []Edit) []byte {
	if len(edits) == 0 {
		return object
	}
	out := []byte{'{'}
	put := func(name, value []byte) {
		if value == nil {
			return
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, name...), ':')
		out = append(out, value...)
	}
	done := map[string]bool{} // an edit below a member is one with all others there
	walk(object, func(text, value []byte) {
		name := Text(text)
		put(text, edited(value, name, edits)) // in its own spelling
		done[name] = true
	})
	for _, e := range edits {
		if name := e.Path[0]; !done[name] {
			put(Marshal(name), edited(nil, name, edits))
			done[name] = true
		}
	}
	return append(out, '}')
}

// edited gives the value of the named member after the edits; nil is none. An edit
// of the member itself goes first, and those below it work on what that has put there.
func edited(value []byte, name string, edits []Edit) []byte {
	var below []Edit
	for _, e := range edits {
		switch {
		case e.Path[0] != name:
		case len(e.Path) == 1:
			value = e.Value
		case value != nil || e.Value != nil: // nothing is made only to remove from it
			below = append(below, Edit{e.Path[1:], e.Value})
		}
	}
	return Apply(value, below)
}

func skipSpace(data []byte, pos int) int {
	for pos < len(data) && (data[pos] == ' ' || data[pos] == '\n' || data[pos] == '\r' || data[pos] == '\t') {
		pos++
	}
	return pos
}

// skipValue gives the end of the value that begins at pos. It counts brackets of
// both kinds alike and skips strings whole, which hold brackets of their own; that
// they match is what Check has promised. A value without brackets ends at once.
//
//	{ "a]" : [ 1 , { } ] }   what is behind is not looked at
//	1        2     3 2 1 0   depth; at 0 the value is over
func skipValue(data []byte, pos int) int {
	depth := 0
	for pos < len(data) {
		switch b := data[pos]; b {
		case '"':
			for pos++; pos < len(data) && data[pos] != '"'; pos++ {
				if data[pos] == '\\' {
					pos++
				}
			}
			pos = min(pos+1, len(data))
		case '{', '[':
			depth++
			pos++
		case '}', ']':
			depth--
			pos++
		case ',', ':', ' ', '\n', '\r', '\t':
			pos++
			continue // separators inside; the end of a value is found below
		default:
			for pos < len(data) && strings.IndexByte(",:]} \n\r\t", data[pos]) < 0 {
				pos++
			}
		}
		if depth <= 0 {
			return pos
		}
	}
	return pos
}
