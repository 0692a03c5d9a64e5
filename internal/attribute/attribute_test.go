package attribute

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A thing has a field of each kind.
type thing struct {
	id, name string
	verified *bool
	data     json.RawMessage
	extra    map[string]json.RawMessage
}

func (th *thing) object() *Object {
	return &Object{Extra: &th.extra, Fields: []Field{{UserID, &th.id}, {"name", &th.name}, {"verified", &th.verified}, {"data", &th.data}}}
}

func TestU3U5U7Set(t *testing.T) {
	const notID, blank = "user_id must be of at most 255", "user_id must be a string that is not blank"
	for _, tc := range []struct{ name, value, want, problem string }{
		{"user_id", `"a"`, `{"user_id":"a"}`, ""},
		{"user_id", `9007199254740993`, `{"user_id":"9007199254740993"}`, ""},
		{"user_id", `-1`, `{"user_id":"-1"}`, ""},
		{"user_id", `0`, `{"user_id":"0"}`, ""},
		{"user_id", `1.0`, `{}`, blank},
		{"user_id", `1e3`, `{}`, blank},
		{"user_id", `1E3`, `{}`, blank},
		{"user_id", `null`, `{}`, blank},
		{"user_id", `" "`, `{}`, blank},
		{"user_id", `{}`, `{}`, blank},
		{"user_id", `" a"`, `{}`, notID},
		{"user_id", `"\ud800"`, `{}`, notID},
		{"user_id", strings.Repeat("1", 255), `{"user_id":"` + strings.Repeat("1", 255) + `"}`, ""},
		{"user_id", strings.Repeat("1", 256), `{}`, notID},
		{"name", `"N"`, `{"name":"N"}`, ""},
		{"name", `7`, `{"name":"7"}`, ""},
		{"name", `null`, `{}`, ""},
		{"name", `false`, `{}`, ""},
		{"name", `true`, `{}`, "name must be a string"},
		{"name", `1.5`, `{}`, "name must be a string"},
		{"name", `[]`, `{}`, "name must be a string"},
		{"verified", `true`, `{"verified":true}`, ""},
		{"verified", `"true"`, `{"verified":true}`, ""},
		{"verified", `false`, `{"verified":false}`, ""},
		{"verified", `1`, `{"verified":false}`, ""},
		{"verified", `null`, `{}`, ""},
		{"data", `{"a": 1}`, `{"data":{"a": 1}}`, ""},
		{"data", `null`, `{}`, ""},
		{"data", `[]`, `{}`, "data is not a JSON object"},
		{"other", `1.50`, `{"other":1.50}`, ""},
		{"other", `null`, `{"other":null}`, ""},
		{"Name", `"N"`, `{"Name":"N"}`, ""}, // names match exactly
	} {
		th := new(thing)
		value := []byte(tc.value)
		problem := th.object().Set(tc.name, value)
		assert.True(t, tc.problem == "" && problem == "" || tc.problem != "" && strings.HasPrefix(problem, tc.problem), "%s: %s", tc.value, problem)
		for i := range value {
			value[i] = 'x' // what was taken over is a copy
		}
		text, err := th.object().Marshal()
		require.NoError(t, err, tc.value)
		assert.Equal(t, tc.want, string(text), "%s %s", tc.name, tc.value)
	}
}

func TestU7Marshal(t *testing.T) {
	yes := true
	th := &thing{id: "<1>", verified: &yes, data: json.RawMessage(`{}`), extra: map[string]json.RawMessage{
		"b": json.RawMessage(`2`), "name": json.RawMessage(`"not mine"`), "é": json.RawMessage(`3`), "a": json.RawMessage(`1`),
	}}
	o := th.object()
	text, err := o.Marshal()
	require.NoError(t, err)
	assert.Equal(t, `{"user_id":"<1>","verified":true,"a":1,"b":2,"data":{},"é":3}`, string(text))
	assert.Len(t, th.extra, 4, "the caller's map is as it was")
	assert.True(t, o.Has("data"))
	assert.False(t, o.Has("a"))
	for _, bad := range []string{"", "{", "1 2"} {
		th.extra["b"] = json.RawMessage(bad)
		_, err = o.Marshal()
		assert.ErrorContains(t, err, `the member "b" holds no JSON value: `)
	}
	th.extra["b"], th.data = json.RawMessage("1"), json.RawMessage("x")
	_, err = o.Marshal()
	assert.ErrorContains(t, err, `the member "data" holds no JSON value: `)
}
