package lossless

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/strictjson"
)

type box struct {
	Name  string
	On    bool
	Tags  []string
	Words map[string]string
	Deep  string
}

var boxes = NewSchema(
	Member[box]{[]string{"name", "alias"}, func(v *box) Field { return NonEmpty(&v.Name) }},
	Member[box]{[]string{"on"}, func(v *box) Field { return Flag(&v.On) }},
	Member[box]{[]string{"box/tags"}, func(v *box) Field { return TextOrList(&v.Tags) }},
	Member[box]{[]string{"box/words"}, func(v *box) Field { return DictOrText(&v.Words, to, from) }},
	Member[box]{[]string{"box/inner/deep"}, func(v *box) Field { return Text(&v.Deep) }},
)

func TestC2ProblemsInTheOrderOfTheText(t *testing.T) {
	var v box
	got := boxes.Decode(boxes.Open([]byte(`{"ON": 1, "name": "", "alias": "b", "on": "x", "tags": [], "Deep": 1, "box": {"Tags": 1, "tags": [1], "words": "{", "inner": 7}}`)), &v)
	var pointers []string
	for _, p := range got {
		pointers = append(pointers, p.Pointer)
	}
	assert.Equal(t, []string{"/box/inner", "/name", "/on", "/box/tags/0", "/box/words"}, pointers)
	assert.Equal(t, box{Name: "b"}, v, "what can be read is")
}

func TestC3EditsAreTheDifference(t *testing.T) {
	doc := []byte(`{"alias": "a", "on": false, "box": {"tags": "a b", "words": "{\"k\": \"v\"}"}}`)
	var v box
	assert.Empty(t, boxes.Decode(boxes.Open(doc), &v))
	assert.Equal(t, box{Name: "a", Tags: []string{"a b"}, Words: map[string]string{"k": "v"}}, v)
	assert.Empty(t, boxes.Edits(boxes.Open(doc), &v))
	v.Name, v.Deep, v.Tags = "", "d", []string{"c"}
	assert.Equal(t, `{"on":false,"box":{"tags":"c","words":"{\"k\": \"v\"}","inner":{"deep":"d"}}}`,
		string(strictjson.Apply(doc, boxes.Edits(boxes.Open(doc), &v))))
	assert.Equal(t, `{"name":"n","on":true}`, string(strictjson.Apply(nil, boxes.Edits(nil, &box{Name: "n", On: true}))))
}

func TestC5Spelling(t *testing.T) {
	for doc, want := range map[string]string{
		`{}`: "/name", `{"alias": 1}`: "/alias", `{"name": null, "alias": 1}`: "/alias", `{"name": "", "alias": 1}`: "/alias",
		`{"alias": 1, "name": 2}`: "/name", ``: "/name",
	} {
		assert.Equal(t, want, boxes.Open([]byte(doc)).Spelling("name", "alias"), doc)
	}
}

func TestM4KeysKeepTheOrderOfTheText(t *testing.T) {
	m := map[string]int{"a": 1, "b": 2, "c": 3}
	assert.Equal(t, []string{"c", "a", "b"}, Keys([]byte(`{"c": 0, "gone": 0, "a": 0, "b": 0}`), m))
	assert.Equal(t, []string{"c", "a", "b"}, Keys([]byte(`{"c": 0}`), m))
	assert.Equal(t, []string{"a", "b", "c"}, Keys(nil, m))
}
