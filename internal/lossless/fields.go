package lossless

// This file holds the kinds of field. Each is a pointer to the Go value, whose zero
// stands for an absent member. What differs is what becomes of a value that turns zero:
//
//	kind         JSON                             when it turns zero
//	Text         a string                         the member goes
//	NonEmpty     a string, "" is a problem        the member goes
//	Opaque       a string                         the member goes
//	Flag         true or false                    false is written: it may be there to be seen
//	Integer      a whole number                   the member goes
//	Raw          anything                         the member goes
//	List         an array of strings              nil: the member goes; empty: [] is written,
//	                                              which is not absence to all readers
//	TextOrList   either; "" reads as nil          as List where it was an array, else it goes
//	Dict         an object of strings             each entry goes, and {} stays
//	DictOrText   the same, or a string of one     as Dict where it was an object, else it goes

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/upstream/internal/strictjson"
)

// Text is a string. The zero value of an absent one is "".
func Text(p *string) Field { return (*plain)(p) }

// plain is a Field that costs no allocation; there are many.
type plain string

func (f *plain) Read(text []byte, at string) []Problem {
	if !strictjson.IsText(text) {
		return []Problem{{at, "must be a string"}}
	}
	*f = plain(strictjson.Text(text))
	return nil
}

func (f *plain) Agrees(text []byte) bool { return textAgrees(text, string(*f)) }

func (f *plain) Edits(was Field, _ []byte, path []string) []strictjson.Edit {
	return textEdits(string(*was.(*plain)), string(*f), path)
}

func (f *plain) Value() any { return string(*f) }

// NonEmpty is a string that, where it stands, is not empty: "" for a URL is a form
// that was sent with a field left blank. The value is "" then as if it were absent.
func NonEmpty(p *string) Field { return (*nonEmpty)(p) }

type nonEmpty string

func (f *nonEmpty) Read(text []byte, at string) []Problem {
	problems := (*plain)(f).Read(text, at)
	if problems == nil && *f == "" {
		return []Problem{{at, "is empty; give it a value or remove it"}}
	}
	return problems
}

func (f *nonEmpty) Agrees(text []byte) bool { return textAgrees(text, string(*f)) }

func (f *nonEmpty) Edits(was Field, _ []byte, path []string) []strictjson.Edit {
	return textEdits(string(*was.(*nonEmpty)), string(*f), path)
}

func (f *nonEmpty) Value() any { return string(*f) }

// Opaque is a string in a type of its own, that seal makes of it and open gives
// back: a secret that does not print. Edits open it, since to compare two sealed ones
// is not promised to mean anything.
func Opaque[S any](p *S, seal func(string) S, open func(S) string) Field {
	return opaque[S]{p, seal, open}
}

type opaque[S any] struct {
	p    *S
	seal func(string) S
	open func(S) string
}

func (f opaque[S]) Read(text []byte, at string) []Problem {
	var s string
	problems := Text(&s).Read(text, at)
	if problems == nil {
		*f.p = f.seal(s)
	}
	return problems
}

func (f opaque[S]) Agrees(text []byte) bool { return textAgrees(text, f.open(*f.p)) }

func (f opaque[S]) Edits(was Field, _ []byte, path []string) []strictjson.Edit {
	return textEdits(f.open(*was.(opaque[S]).p), f.open(*f.p), path)
}

func (f opaque[S]) Value() any { return f.open(*f.p) }

// textAgrees takes an absent member and "" for one and the same.
func textAgrees(text []byte, now string) bool { return text == nil && now == "" || TextIs(text, now) }

// textEdits removes a member where the value is empty, rather than writing "": most
// strings of the vendor's schema have at least one character.
func textEdits(was, now string, path []string) []strictjson.Edit {
	switch now {
	case was:
		return nil
	case "":
		return []strictjson.Edit{{Path: path}}
	}
	return []strictjson.Edit{{Path: path, Value: strictjson.Marshal(now)}}
}

// What seals and opens the strings of a [Dict], which need neither.
func to[S ~string](s string) S   { return S(s) }
func from[S ~string](s S) string { return string(s) }

// TextIs reports whether the text, which may be nil, is the string s. Nearly no
// string has an escape; those are compared where they lie, without decoding.
func TextIs(text []byte, s string) bool {
	if bytes.IndexByte(text, '\\') >= 0 {
		return strictjson.IsText(text) && strictjson.Text(text) == s
	}
	return len(text) == len(s)+2 && text[0] == '"' && string(text[1:len(text)-1]) == s
}

// Flag is a boolean. "true" in quotes is refused and not read as true: what a switch
// of a login's protection means is not guessed.
func Flag(p *bool) Field { return flag{p} }

type flag struct{ p *bool }

func (f flag) Read(text []byte, at string) []Problem {
	switch string(text) {
	case "true", "false":
		*f.p = text[0] == 't'
		return nil
	}
	return []Problem{{at, "must be true or false, without quotes"}}
}

func (f flag) Agrees(text []byte) bool {
	return *f.p && string(text) == "true" || !*f.p && (text == nil || string(text) == "false")
}

// Edits writes false where it was true, and keeps a false that is there.
func (f flag) Edits(was Field, _ []byte, path []string) []strictjson.Edit {
	if *f.p == *was.(flag).p {
		return nil
	}
	return []strictjson.Edit{{Path: path, Value: strictjson.Marshal(*f.p)}}
}

func (f flag) Value() any { return *f.p }

// Integer is a whole number. The zero value of an absent one is 0. 1.0 and 1e0, which
// are whole to JSON, are refused: no program writes a version so.
func Integer(p *int) Field { return integer{p} }

type integer struct{ p *int }

func (f integer) Read(text []byte, at string) []Problem {
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return []Problem{{at, "must be a whole number, without quotes"}}
	}
	*f.p = n
	return nil
}

func (f integer) Agrees(text []byte) bool {
	n, err := strconv.Atoi(string(text))
	return text == nil && *f.p == 0 || err == nil && n == *f.p
}

func (f integer) Edits(was Field, _ []byte, path []string) []strictjson.Edit {
	switch *f.p {
	case *was.(integer).p:
		return nil
	case 0:
		return []strictjson.Edit{{Path: path}}
	}
	return []strictjson.Edit{{Path: path, Value: strictjson.Marshal(*f.p)}}
}

func (f integer) Value() any { return *f.p }

// Raw is a value of any type, as its text. Whoever puts another text there
// checks that it is JSON. The text is copied both ways, since a host may write into
// the slice that it holds, and the document is shared by copies of a connection.
func Raw[S ~[]byte](p *S) Field { return raw[S]{p} }

type raw[S ~[]byte] struct{ p *S }

func (f raw[S]) Read(text []byte, _ string) []Problem {
	*f.p = bytes.Clone(text)
	return nil
}

// Agrees compares bytes, so that another spelling of the same JSON is a change: who
// wrote it meant it.
func (f raw[S]) Agrees(text []byte) bool { return bytes.Equal(*f.p, text) }

func (f raw[S]) Edits(was Field, _ []byte, path []string) []strictjson.Edit {
	switch now := *f.p; {
	case bytes.Equal(now, *was.(raw[S]).p):
		return nil
	case len(now) == 0:
		return []strictjson.Edit{{Path: path}}
	default:
		return []strictjson.Edit{{Path: path, Value: bytes.Clone(now)}}
	}
}

func (f raw[S]) Value() any { return []byte(*f.p) }

// List is an array of strings.
func List(p *[]string) Field { return list{p, false} }

// TextOrList is a string or an array of strings; the string is a list of one.
// A change is written in the shape that it had, a new value as a string of the
// items with a space between.
func TextOrList(p *[]string) Field { return list{p, true} }

type list struct {
	p       *[]string
	textToo bool
}

// Read takes all elements or none: half a list of algorithms or of domains is another
// list, which nobody has written.
func (f list) Read(text []byte, at string) []Problem {
	*f.p = nil
	if f.textToo && strictjson.IsText(text) {
		if s := strictjson.Text(text); s != "" {
			*f.p = []string{s}
		}
		return nil
	}
	elements, ok := strictjson.Elements(text)
	if !ok {
		if f.textToo {
			return []Problem{{at, "must be a string or an array of strings"}}
		}
		return []Problem{{at, "must be an array of strings"}}
	}
	// Not nil even if it is empty: [] and an absent member are told apart from here on.
	out := make([]string, 0, len(elements))
	for i, e := range elements {
		if !strictjson.IsText(e) {
			return []Problem{{at + "/" + strconv.Itoa(i), "must be a string; put quotes around it"}}
		}
		out = append(out, strictjson.Text(e))
	}
	*f.p = out
	return nil
}

func (f list) Agrees(text []byte) bool {
	switch now := *f.p; {
	case text == nil:
		return now == nil
	case f.textToo && strictjson.IsText(text):
		return len(now) == 1 && now[0] != "" && TextIs(text, now[0])
	default:
		elements, ok := strictjson.Elements(text)
		return ok && slices.EqualFunc(elements, now, TextIs)
	}
}

// Edits keeps the shape of the text: real connections have scope in either, and
// another reader of the connection may know one alone.
func (f list) Edits(was Field, text []byte, path []string) []strictjson.Edit {
	now := *f.p
	if slices.Equal(now, *was.(list).p) {
		return nil
	}
	_, isArray := strictjson.Elements(text)
	switch {
	case now == nil || len(now) == 0 && !isArray:
		return []strictjson.Edit{{Path: path}}
	case f.textToo && !isArray:
		return []strictjson.Edit{{Path: path, Value: strictjson.Marshal(strings.Join(now, " "))}}
	}
	return []strictjson.Edit{{Path: path, Value: strictjson.Marshal(now)}} // an empty one, too: an Update reads its absence otherwise
}

func (f list) Value() any { return *f.p }

// Dict is an object of strings.
func Dict[S ~string](p *map[string]S) Field { return dict[S]{p, to[S], from[S], false} }

// DictOrText is an object of strings in a type of their own, as of [Opaque], or
// a string that holds such an object in JSON, or the empty string for none.
func DictOrText[S any](p *map[string]S, seal func(string) S, open func(S) string) Field {
	return dict[S]{p, seal, open, true}
}

type dict[S any] struct {
	p       *map[string]S
	seal    func(string) S
	open    func(S) string
	textToo bool
}

// Read takes the text of the string form as JSON of its own, which the document's
// Check has not looked into. A member that is no string is "" in each reading, and so
// no change: it keeps its text until somebody gives it a value.
func (f dict[S]) Read(text []byte, at string) (problems []Problem) {
	*f.p = nil
	if f.textToo && strictjson.IsText(text) {
		if text = []byte(strictjson.Text(text)); len(text) == 0 {
			return nil
		}
		if err := strictjson.Check(text); err != nil {
			return []Problem{{at, "is a string that does not hold a JSON object; write the object itself"}}
		}
	}
	members, ok := strictjson.Members(text)
	if !ok {
		return []Problem{{at, "must be an object of strings"}}
	}
	out := make(map[string]S, len(members))
	for _, m := range members {
		out[m.Name] = f.seal(strictjson.Text(m.Value))
		if !strictjson.IsText(m.Value) {
			problems = append(problems, Problem{at + strictjson.Pointer(m.Name), "must be a string; put quotes around it"})
		}
	}
	*f.p = out
	return problems
}

// Agrees says no to an object inside of a string, which Members does not split: that
// takes a second Check, and is left to Edits.
func (f dict[S]) Agrees(text []byte) bool {
	members, _ := strictjson.Members(text)
	for _, m := range members {
		if s, ok := (*f.p)[m.Name]; !ok || !TextIs(m.Value, f.open(s)) {
			return false
		}
	}
	return len(members) == len(*f.p) && (text == nil || strictjson.IsObject(text))
}

func (f dict[S]) Edits(was Field, text []byte, path []string) []strictjson.Edit {
	return DictEdits(*was.(dict[S]).p, *f.p, text, path, func(a, b S) bool { return f.open(a) == f.open(b) })
}

func (f dict[S]) Value() any {
	if own, ok := any(*f.p).(map[string]string); ok {
		return own
	}
	out := make(map[string]string, len(*f.p))
	for name, s := range *f.p {
		out[name] = f.open(s)
	}
	return out
}

// DictEdits gives the edits that turn the object in text, which held was, into
// now: entry by entry, so that the others keep their text and order, or as a whole
// where text is not an object.
//
//	text   {"b": "2", "gone": "0", "a": "\u0061"}
//	was    a=a b=2 gone=0
//	now    a=a b=3 c=4
//	edits  b=3, c=4, gone removed; a keeps its bytes and its place
//
// The edits are sorted by key. A map has no order, and two runs of a program have to
// write the same text.
func DictEdits[V any](was, now map[string]V, text []byte, path []string, equal func(a, b V) bool) []strictjson.Edit {
	if maps.EqualFunc(was, now, equal) {
		return nil
	}
	if _, ok := strictjson.Members(text); !ok {
		if len(now) == 0 {
			return []strictjson.Edit{{Path: path}}
		}
		return []strictjson.Edit{{Path: path, Value: strictjson.Marshal(now)}}
	}
	var edits []strictjson.Edit
	both := maps.Clone(now)
	if both == nil {
		both = map[string]V{}
	}
	maps.Copy(both, was)
	for _, key := range sortedKeys(both) {
		before, had := was[key]
		after, has := now[key]
		switch at := append(slices.Clone(path), key); {
		case !has:
			edits = append(edits, strictjson.Edit{Path: at})
		case !had || !equal(before, after):
			edits = append(edits, strictjson.Edit{Path: at, Value: strictjson.Marshal(after)})
		}
	}
	return edits
}
