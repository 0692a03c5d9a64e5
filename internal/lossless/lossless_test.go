package lossless

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/strictjson"
)

type thing struct {
	Name  string
	On    bool
	List  []string
	Scope []string
	Dict  map[string]string
	Loose map[string]string
}

var things = NewSchema(
	Member[thing]{[]string{"name", "options/title"}, func(t *thing) Field { return Text(&t.Name) }},
	Member[thing]{[]string{"options/on"}, func(t *thing) Field { return Flag(&t.On) }},
	Member[thing]{[]string{"options/list"}, func(t *thing) Field { return List(&t.List) }},
	Member[thing]{[]string{"options/scope"}, func(t *thing) Field { return TextOrList(&t.Scope) }},
	Member[thing]{[]string{"options/dict"}, func(t *thing) Field { return Dict(&t.Dict) }},
	Member[thing]{[]string{"options/loose"}, func(t *thing) Field { return DictOrText(&t.Loose, to, from) }},
)

// What has not changed is recognised by a short way, which must never overlook
// what has.
func TestC2EveryChangeIsSeen(t *testing.T) {
	changes := map[string]func(*thing){
		"name":        func(v *thing) { v.Name += `\u0061` },
		"no name":     func(v *thing) { v.Name = "" },
		"on":          func(v *thing) { v.On = !v.On },
		"list":        func(v *thing) { v.List = append(v.List, "x") },
		"no list":     func(v *thing) { v.List = nil },
		"scope":       func(v *thing) { v.Scope = []string{"a b"} },
		"no scope":    func(v *thing) { v.Scope = nil },
		"dict":        func(v *thing) { v.Dict = map[string]string{"a": "changed"} },
		"empty entry": func(v *thing) { v.Dict = map[string]string{"a": "", "b": ""} },
		"no dict":     func(v *thing) { v.Dict = nil },
		"loose":       func(v *thing) { v.Loose = map[string]string{"a": "1", "z": "2"} },
	}
	for _, doc := range []string{
		`{}`, `{"options": {}}`, `{"options": null}`, `{"options": 1}`, `{"name": null, "options": {"title": "t"}}`,
		`{"name": "n", "options": {"title": "n", "on": true, "list": ["a", "b"], "scope": "a b", "dict": {"a": "1"}, "loose": {"a": "1"}}}`,
		`{"name": "\u0061\n", "options": {"on": false, "list": [], "scope": ["a", "\"b"], "dict": {"\u0061": "\\"}, "loose": "{\"a\":\"1\"}"}}`,
		`{"name": "", "options": {"on": null, "list": null, "scope": "", "dict": {}, "loose": ""}}`,
		`{"name": 1, "options": {"on": "true", "list": "a", "scope": [1], "dict": {"a": 1}, "loose": "x"}}`,
	} {
		text := []byte(doc)
		require.NoError(t, strictjson.Check(text))
		d := things.Open(text)
		assert.Equal(t, doc, string(d.Text()))
		var same thing
		things.Decode(d, &same)
		assert.Empty(t, things.Edits(d, &same), doc)
		for name, change := range changes {
			var was, v thing
			things.Decode(d, &was)
			things.Decode(d, &v)
			change(&v)
			out := strictjson.Apply(text, things.Edits(d, &v))
			var got thing
			things.Decode(things.Open(out), &got)
			if !assert.ObjectsAreEqual(was, v) && len(v.Scope) < 2 {
				assert.Equal(t, normal(v), normal(got), "%s after %s: %s", doc, name, out)
			}
		}
	}
}

// A text that nobody has changed takes the short way, and one allocation for the
// objects that it has.
func TestC2NoChangeIsSeenAtOnce(t *testing.T) {
	for _, doc := range []string{
		`{}`, `{"options": null}`, `{"name": "n", "options": {"on": true, "list": ["a", "b"], "scope": "a b", "dict": {"a": "1"}, "loose": {"a": "1"}}}`,
		`{"options": {"title": "\u0061", "on": false, "list": [], "scope": ["a", "b"], "dict": {}}}`, `{"name": "", "options": {"on": null, "list": null}}`,
	} {
		d, v := things.Open([]byte(doc)), thing{}
		things.Decode(d, &v)
		assert.True(t, things.agrees(d, &v), doc)
		assert.Equal(t, 2, cap(d.objects), "root and options")
	}
	assert.Equal(t, 3, boxes.objects)
}

// normal makes nil and empty alike.
func normal(v thing) thing {
	if len(v.List) == 0 {
		v.List = nil
	}
	if len(v.Scope) == 0 {
		v.Scope = nil
	}
	if len(v.Dict) == 0 {
		v.Dict = nil
	}
	if len(v.Loose) == 0 {
		v.Loose = nil
	}
	return v
}

func TestNoDocument(t *testing.T) {
	var d *Document
	assert.Nil(t, d.Text())
	assert.Nil(t, d.Lookup("options/on"))
	assert.Equal(t, "/name", d.Spelling("name", "options/title"))
	v := thing{Name: "n"}
	assert.Empty(t, things.Decode(d, &v))
	assert.JSONEq(t, `{"name": "n"}`, string(strictjson.Apply([]byte("{}"), things.Edits(d, &v))))
}
