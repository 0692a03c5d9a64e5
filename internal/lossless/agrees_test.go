package lossless

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/strictjson"
)

// A wrong true loses a change, a wrong false takes a login's time; so each kind is
// held to both.
func TestC2Agrees(t *testing.T) {
	text, empty, on, off, n, none := "a", "", true, false, 7, 0
	list, noList, emptyList, words, noWords := []string{"a", "b"}, []string(nil), []string{}, map[string]string{"k": "v"}, map[string]string(nil)
	one, blank := []string{"a"}, []string{""}
	raw, noRaw := []byte(`{"x": 1}`), []byte(nil)
	for _, tc := range []struct {
		name  string
		field Field
		yes   []string // "-" stands for an absent member
		no    []string
	}{
		{"text", Text(&text), []string{`"a"`, `"\u0061"`}, []string{"-", `"b"`, `"ab"`, `""`, `1`, `a`, `xax`, `"\u0062"`, `["\u0061"]`}},
		{"no text", Text(&empty), []string{"-", `""`}, []string{`"a"`, `11`}},
		{"non-empty", NonEmpty(&text), []string{`"a"`}, []string{"-", `"b"`}},
		{"on", Flag(&on), []string{"true"}, []string{"-", "false", `"true"`}},
		{"off", Flag(&off), []string{"false", "-"}, []string{"true", "0", "null"}},
		{"number", Integer(&n), []string{"7"}, []string{"-", "8", `"7"`, "7.0"}},
		{"no number", Integer(&none), []string{"-", "0"}, []string{"7", `""`}},
		{"list", List(&list), []string{`["a","b"]`, `[ "\u0061" , "b" ]`}, []string{"-", `["a"]`, `["b","a"]`, `"a b"`, `["a","b",1]`}},
		{"no list", List(&noList), []string{"-"}, []string{`["a"]`}},
		{"an empty list", List(&emptyList), []string{"[]"}, []string{"-", `["a"]`, `{}`}},
		{"text or list", TextOrList(&one), []string{`"a"`, `["a"]`}, []string{"-", `"b"`, `["a","b"]`}},
		{"an empty text", TextOrList(&blank), []string{`[""]`}, []string{"-", `""`}},
		{"two", TextOrList(&list), []string{`["a","b"]`}, []string{`"a"`, `"a b"`}},
		{"dict", Dict(&words), []string{`{"k":"v"}`}, []string{"-", `{}`, `{"k":"w"}`, `{"l":"v"}`, `{"k":"v","l":""}`, `"k"`}},
		{"no dict", Dict(&noWords), []string{"-", `{}`}, []string{`{"k":"v"}`, `""`, `[]`}},
		{"raw", Raw(&raw), []string{`{"x": 1}`}, []string{"-", `{"x":1}`}},
		{"no raw", Raw(&noRaw), []string{"-"}, []string{`{}`}},
	} {
		at := func(s string) []byte {
			if s == "-" {
				return nil
			}
			return []byte(s)
		}
		for _, s := range tc.yes {
			assert.True(t, tc.field.Agrees(at(s)), "%s: %s", tc.name, s)
		}
		for _, s := range tc.no {
			assert.False(t, tc.field.Agrees(at(s)), "%s: %s", tc.name, s)
		}
	}
}

type kinds struct {
	Seven int
	Raw   []byte
	Seal  [1]string
	Dict  map[string]string
	List  []string
}

var everyKind = NewSchema(
	Member[kinds]{[]string{"seven", "siete"}, func(v *kinds) Field { return Integer(&v.Seven) }},
	Member[kinds]{[]string{"raw"}, func(v *kinds) Field { return Raw(&v.Raw) }},
	Member[kinds]{[]string{"seal"}, func(v *kinds) Field {
		return Opaque(&v.Seal, func(s string) [1]string { return [1]string{s} }, func(s [1]string) string { return s[0] })
	}},
	Member[kinds]{[]string{"dict"}, func(v *kinds) Field { return Dict(&v.Dict) }},
	Member[kinds]{[]string{"list"}, func(v *kinds) Field { return List(&v.List) }},
)

func TestC2KindsThatAreRare(t *testing.T) {
	doc := []byte(`{"seven":7,"raw":{"x": 1},"seal":"s","dict":{"b":"1","a":"2"},"list":["x"]}`)
	var was kinds
	assert.Empty(t, everyKind.Decode(everyKind.Open(doc), &was))
	assert.Equal(t, kinds{7, []byte(`{"x": 1}`), [1]string{"s"}, map[string]string{"a": "2", "b": "1"}, []string{"x"}}, was)
	for _, tc := range []struct {
		change func(*kinds)
		want   string
	}{
		{func(v *kinds) { v.Seven = 8 }, `{"seven":8,"raw":{"x": 1},"seal":"s","dict":{"b":"1","a":"2"},"list":["x"]}`},
		{func(v *kinds) { v.Seven, v.Raw = 0, nil }, `{"seal":"s","dict":{"b":"1","a":"2"},"list":["x"]}`},
		{func(v *kinds) { v.Raw = []byte(`[]`) }, `{"seven":7,"raw":[],"seal":"s","dict":{"b":"1","a":"2"},"list":["x"]}`},
		{func(v *kinds) { v.Seal[0] = "" }, `{"seven":7,"raw":{"x": 1},"dict":{"b":"1","a":"2"},"list":["x"]}`},
		{func(v *kinds) { v.Seal[0] = "S" }, `{"seven":7,"raw":{"x": 1},"seal":"S","dict":{"b":"1","a":"2"},"list":["x"]}`},
		{func(v *kinds) { v.Dict = map[string]string{"b": "9", "c": "3"} }, `{"seven":7,"raw":{"x": 1},"seal":"s","dict":{"b":"9","c":"3"},"list":["x"]}`},
		{func(v *kinds) { v.Dict = nil }, `{"seven":7,"raw":{"x": 1},"seal":"s","dict":{},"list":["x"]}`},
		{func(v *kinds) { v.List = []string{} }, `{"seven":7,"raw":{"x": 1},"seal":"s","dict":{"b":"1","a":"2"},"list":[]}`},
		{func(v *kinds) { v.List = nil }, `{"seven":7,"raw":{"x": 1},"seal":"s","dict":{"b":"1","a":"2"}}`},
	} {
		var v kinds
		everyKind.Decode(everyKind.Open(doc), &v)
		tc.change(&v)
		assert.Equal(t, tc.want, string(strictjson.Apply(doc, everyKind.Edits(everyKind.Open(doc), &v))))
	}
	for text, want := range map[string]string{`{"seven": "7"}`: "/seven", `{"seal": 1}`: "/seal", `{"dict": []}`: "/dict", `{"list": {}}`: "/list", `{"dict": {"a/b": 1}}`: "/dict/a~1b", `[]`: "", `null`: ""} {
		problems := everyKind.Decode(everyKind.Open([]byte(text)), new(kinds))
		if assert.Len(t, problems, 1, text) {
			assert.Equal(t, want, problems[0].Pointer)
		}
	}
}

// Two spellings of one setting: the first that says something is read, both are
// written, and what differs stays.
func TestO3Spellings(t *testing.T) {
	for _, tc := range []struct {
		doc, want string
		title     string
		problems  int
	}{
		{`{"name":"a","options":{"title":"a"}}`, `{"name":"new","options":{"title":"new"}}`, "a", 0},
		{`{"name":"a","options":{"title":"\u0061"}}`, `{"name":"new","options":{"title":"new"}}`, "a", 0},
		{`{"name":"a","options":{"title":"b"}}`, `{"name":"new","options":{"title":"b"}}`, "a", 1},
		{`{"name":"","options":{"title":"b"}}`, `{"name":"new","options":{"title":"new"}}`, "b", 0},
		{`{"name":null,"options":{"title":"b"}}`, `{"name":"new","options":{"title":"new"}}`, "b", 0},
		{`{"name":"a","options":{"title":"new"}}`, `{"name":"new","options":{"title":"new"}}`, "a", 1},
		{`{"name":"a","options":{"title":""}}`, `{"name":"new","options":{"title":"new"}}`, "a", 0},
		{`{"name":"a","options":{"title":null}}`, `{"name":"new","options":{"title":"new"}}`, "a", 0},
		{`{"options":{"title":"a"}}`, `{"options":{"title":"new"}}`, "a", 0},
		{`{"options":{}}`, `{"options":{},"name":"new"}`, "", 0},
	} {
		var v thing
		assert.Len(t, things.Decode(things.Open([]byte(tc.doc)), &v), tc.problems, tc.doc)
		assert.Equal(t, tc.title, v.Name, tc.doc)
		assert.Empty(t, things.Edits(things.Open([]byte(tc.doc)), &v), tc.doc)
		v.Name = "new"
		assert.Equal(t, tc.want, string(strictjson.Apply([]byte(tc.doc), things.Edits(things.Open([]byte(tc.doc)), &v))))
	}
	assert.Empty(t, things.Decode(things.Open([]byte(`{"options":null}`)), new(thing)), "null is absent, but at the root")
	assert.Equal(t, []Problem{{"/options/list", "must be an array of strings"}, {"/options/scope", "must be a string or an array of strings"}},
		things.Decode(things.Open([]byte(`{"options":{"list":1,"scope":1}}`)), new(thing)))
	assert.Equal(t, `1`, string(Lookup([]byte(`{"a":{"b":1}}`), "a/b")))
	assert.Nil(t, Lookup([]byte(`{"a":{"b":1}}`), "a/c"))
	assert.Nil(t, Lookup([]byte(`{"a":1}`), "a/b"))
}
