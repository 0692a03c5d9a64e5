package lossless

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/strictjson"
)

func TestC5ValueOfEveryKind(t *testing.T) {
	type name string
	type sealed struct{ text string }
	seal, open := func(s string) sealed { return sealed{s} }, func(s sealed) string { return s.text }
	var (
		text   = "a"
		secret = sealed{"b"}
		on     = true
		number = 7
		raw    = json.RawMessage(`{}`)
		list   = []string{"c"}
		dict   = map[string]string{"d": "e"}
		names  = map[string]name{"f": "g"}
		loose  = map[string]sealed{"h": {"i"}}
	)
	for _, tc := range []struct {
		kind  string
		field Field
		want  any
	}{
		{"Text", Text(&text), "a"},
		{"NonEmpty", NonEmpty(&text), "a"},
		{"Opaque", Opaque(&secret, seal, open), "b"},
		{"Flag", Flag(&on), true},
		{"Integer", Integer(&number), 7},
		{"Raw", Raw(&raw), []byte(`{}`)},
		{"List", List(&list), []string{"c"}},
		{"TextOrList", TextOrList(&list), []string{"c"}},
		{"Dict", Dict(&dict), map[string]string{"d": "e"}},
		{"Dict of names", Dict(&names), map[string]string{"f": "g"}},
		{"DictOrText", DictOrText(&loose, seal, open), map[string]string{"h": "i"}},
	} {
		assert.Equal(t, tc.want, tc.field.Value(), tc.kind)
	}
	v := &thing{Name: "n", List: []string{"x"}}
	assert.Equal(t, "n", things.Value(v, "name"))
	assert.Equal(t, []string{"x"}, things.Value(v, "options/list"))
	assert.Panics(t, func() { things.Value(v, "options/title") }, "not the usual spelling")
}

// A problem of the text is none any more where the program has replaced what it is
// about, as a whole or the part in question.
func TestC5Standing(t *testing.T) {
	problems := []Problem{{"/a", "1"}, {"/a/b~1c", "2"}, {"/ab", "3"}, {"", "4"}}
	for _, tc := range []struct {
		path []string
		want string
	}{
		{nil, "1234"}, {[]string{"a"}, "34"}, {[]string{"a", "b/c"}, "134"}, {[]string{"ab"}, "124"}, {[]string{"a", "b"}, "1234"},
	} {
		var edits []strictjson.Edit
		if tc.path != nil {
			edits = []strictjson.Edit{{Path: tc.path}}
		}
		got := ""
		for _, p := range Standing(problems, edits) {
			got += p.Message
		}
		assert.Equal(t, tc.want, got, "%q", tc.path)
	}
}
