package lossless

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/strictjson"
)

type thing struct {
	Name  string
	On    bool
	Tags  []string
	Words map[string]string
	Deep  string
}

var things = NewSchema(
	Member[thing]{[]string{"name", "alias"}, func(v *thing) Field { return NonEmpty(&v.Name) }},
	Member[thing]{[]string{"on"}, func(v *thing) Field { return Flag(&v.On) }},
	Member[thing]{[]string{"box/tags"}, func(v *thing) Field { return TextOrList(&v.Tags) }},
	Member[thing]{[]string{"box/words"}, func(v *thing) Field { return DictOrText(&v.Words) }},
	Member[thing]{[]string{"box/inner/deep"}, func(v *thing) Field { return Text(&v.Deep) }},
)

func TestC2ProblemsInTheOrderOfTheText(t *testing.T) {
	var v thing
	got := things.Decode([]byte(`{"ON": 1, "name": "", "alias": "b", "on": "x", "tags": [], "Deep": 1, "box": {"Tags": 1, "tags": [1], "words": "{", "inner": 7}}`), &v)
	var pointers []string
	for _, p := range got {
		pointers = append(pointers, p.Pointer)
	}
	assert.Equal(t, []string{"/box/inner", "/ON", "/tags", "/box/Tags", "/name", "/on", "/box/tags/0", "/box/words"}, pointers)
	assert.Equal(t, thing{Name: "b"}, v, "what can be read is")
}

func TestC3EditsAreTheDifference(t *testing.T) {
	doc := []byte(`{"alias": "a", "on": false, "box": {"tags": "a b", "words": "{\"k\": \"v\"}"}}`)
	var v thing
	assert.Empty(t, things.Decode(doc, &v))
	assert.Equal(t, thing{Name: "a", Tags: []string{"a b"}, Words: map[string]string{"k": "v"}}, v)
	assert.Empty(t, things.Edits(doc, &v))
	v.Name, v.Deep, v.Tags = "", "d", []string{"c"}
	assert.Equal(t, `{"on":false,"box":{"tags":"c","words":"{\"k\": \"v\"}","inner":{"deep":"d"}}}`,
		string(strictjson.Apply(doc, things.Edits(doc, &v))))
	assert.Equal(t, `{"name":"n","on":true}`, string(strictjson.Apply(nil, things.Edits(nil, &thing{Name: "n", On: true}))))
}

func TestC5Spelling(t *testing.T) {
	paths := []string{"o/a", "o/b"}
	for doc, want := range map[string]string{
		`{}`: "/o/a", `{"o": {"b": 1}}`: "/o/b", `{"o": {"a": null, "b": 1}}`: "/o/b", `{"o": {"a": "", "b": 1}}`: "/o/b",
		`{"o": {"b": 1, "a": 2}}`: "/o/a", `{"o": 7}`: "/o/a", ``: "/o/a",
	} {
		assert.Equal(t, want, Spelling([]byte(doc), paths...), doc)
	}
}

func TestM4KeysKeepTheOrderOfTheText(t *testing.T) {
	m := map[string]int{"a": 1, "b": 2, "c": 3}
	assert.Equal(t, []string{"c", "a", "b"}, Keys([]byte(`{"c": 0, "gone": 0, "a": 0, "b": 0}`), m))
	assert.Equal(t, []string{"c", "a", "b"}, Keys([]byte(`{"c": 0}`), m))
	assert.Equal(t, []string{"a", "b", "c"}, Keys(nil, m))
}
