package strictjson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestC4Refused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	long := strings.Builder{}
	for i := range 40 {
		long.WriteString(`"m` + strconv.Itoa(i) + `":0,`)
	}
	for _, tc := range []struct{ name, text, pointer, message string }{
		{"empty", ``, "", "ends where a value"},
		{"blank", " \n", "", "ends where a value"},
		{"trailing text", `{} x`, "", "after the end"},
		{"two values", `{}{}`, "", "after the end"},
		{"doubled member", `{"a":1,"a":2}`, "/a", "twice"},
		{"doubled by an escape", `{"a":1,"\u0061":2}`, "/a", "twice"},
		{"doubled far down", `{"o":[{"x/y~":{"b":1,"b":1}}]}`, "/o/0/x~1y~0/b", "twice"},
		{"doubled among many", `{` + long.String() + `"m0":1}`, "/m0", "twice"},
		{"doubled late among many", `{` + long.String() + `"z":1,"z":1}`, "/z", "twice"},
		{"too deep", `{"a":` + deep(MaxDepth) + `}`, "", "64 levels"},
		{"unclosed object", `{"a":1`, "", "ends where a comma or a closing brace"},
		{"unclosed array", `[1`, "", "ends where a comma or a closing bracket"},
		{"unclosed string", `"a`, "", "end of a string"},
		{"trailing comma in object", `{"a":1,}`, "", "member name"},
		{"trailing comma in array", `[1,]`, "/1", "a value"},
		{"no colon", `{"a" 1}`, "", "colon"},
		{"no comma", `{"a":1 "b":2}`, "", "comma"},
		{"no quotes", `{a:1}`, "", "member name"},
		{"single quotes", `{'a':1}`, "", "member name"},
		{"raw newline in string", "\"a\nb\"", "", "control character"},
		{"bad name", `{"\x":1}`, "", "escape"},
		{"bad escape", `"\x41"`, "", "escape"},
		{"short unicode escape", `"\u12"`, "", "four hexadecimal"},
		{"leading zero", `01`, "", "after the end"},
		{"no digit", `-`, "", "a digit"},
		{"no fraction", `{"n":1.}`, "/n", "a digit"},
		{"no exponent", `1e+`, "", "a digit"},
		{"NaN", `NaN`, "", "a value"},
		{"word cut short", `tru`, "", "a value"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "", "UTF-8"},
		{"byte order mark", "\ufeff{}", "", "a value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var e *Error
			require.ErrorAs(t, Check([]byte(tc.text)), &e)
			assert.Equal(t, tc.pointer, e.Pointer)
			assert.Contains(t, e.Error(), tc.message)
		})
	}
}

// What people paste in the place of JSON is told by its name, with the remedy.
func TestC4MessagesForANewcomer(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeff{}":                  "found a byte order mark where a value should be; save the file as UTF-8 without one",
		`{"a": 1,}`:                 "found the end after a comma where a member name should be; remove the comma",
		`["a",]`:                    "found the end after a comma where a value should be; remove the comma",
		"{\n  // note\n  \"a\": 1}": "line 2, column 3: found a comment where a member name should be; JSON has none",
		`{"a": /* x */ 1}`:          "a comment",
		"{\"a\": 1 # x\n}":          "a comment",
		`{'a': 1}`:                  "found a single quote where a member name should be; JSON has double quotes alone",
		`{"a": 'x'}`:                "a single quote",
		"name: x\nstrategy: oauth2": "what may be YAML",
		"---\nname: x":              "what may be YAML",
		`{a: 1}`:                    "found a word without quotes where a member name should be",
		`{"a": True}`:               "in lower case",
		`{"a": None}`:               "null",
		`{"a": 1 "b": 2}`:           "found a string where a comma or a closing brace should be; is the comma",
		`{"a": ?}`:                  "found something else",
		`'a': 1`:                    "found a single quote",
		`# a: 1`:                    "found a comment",
		`{"a": 1, b: 2}`:            "found a word without quotes where a member name",
		`[1 }`:                      "found something else where a comma or a closing bracket",
		`{"a": secret}`:             "found a word without quotes where a value should be; put double quotes around it",
	} {
		assert.ErrorContains(t, Check([]byte(text)), want, text)
	}
}

func TestC4PlaceOfTheFault(t *testing.T) {
	var e *Error
	require.ErrorAs(t, Check([]byte("{\n  \"a\": 1,\n  \"a\": 2\n}")), &e)
	assert.Equal(t, "line 3, column 3: this member stands twice in one object", e.Error())
	require.ErrorAs(t, Check([]byte("\"ab\xff\"")), &e)
	assert.Equal(t, 4, e.Column)
}

func TestC4Accepted(t *testing.T) {
	for _, text := range []string{
		` {"a" : [1, -0.5e+3, 0, true, false, null, "\u00e9\n\"\\\/"], "b":{}, "c":[]} `,
		strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth),
		`{"a":{"a":{"a":1}},"A":2}`, `"\ud800"`, `{"":{"":1}}`, `7`, `1E9`,
	} {
		assert.NoError(t, Check([]byte(text)), text)
	}
}

func TestMembersElementsText(t *testing.T) {
	members, ok := Members([]byte(" { \"a\" : \"x\\u00e9\" , \"b\\n\":[1, {\"c\":\"]}\"}] ,\n\"d\":null } "))
	require.True(t, ok)
	assert.Equal(t, []Member{{"a", []byte(`"x\u00e9"`)}, {"b\n", []byte(`[1, {"c":"]}"}]`)}, {"d", []byte("null")}}, members)
	assert.Equal(t, "xé", Text(members[0].Value))
	assert.True(t, IsText(members[0].Value))
	assert.True(t, IsNull(members[2].Value))
	assert.Nil(t, Find(members, "B"))
	elements, ok := Elements([]byte("[ 1 , \"a,]\" ,[[]], {}]"))
	require.True(t, ok)
	assert.Equal(t, [][]byte{[]byte("1"), []byte(`"a,]"`), []byte("[[]]"), []byte("{}")}, elements)
	for _, other := range []string{`1`, `"a"`, `null`, ``} {
		_, ok := Members([]byte(other))
		assert.False(t, ok, other)
		_, ok = Elements([]byte(other))
		assert.False(t, ok, other)
	}
	for _, blank := range []string{" ", "\n", "\r", "\t", "\r\n\t "} {
		between := strings.NewReplacer("_", blank)
		members, _ := Members([]byte(between.Replace(`_{_"a"_:_1_,_"b"_:_[_2_,_3_]_}_`)))
		require.Len(t, members, 2, "%q", blank)
		assert.Equal(t, Member{"a", []byte("1")}, members[0], "%q", blank)
		elements, _ := Elements(members[1].Value)
		assert.Equal(t, [][]byte{[]byte("2"), []byte("3")}, elements, "%q", blank)
	}
	members, _ = Members([]byte(`{"a":"` + strings.Repeat("x", 1000) + `"}`))
	assert.Len(t, members, 1, "a long value is no reason for much room, nor for none")
	empty, ok := Members([]byte(`{}`))
	assert.True(t, ok)
	assert.Empty(t, empty)
	assert.Empty(t, Text([]byte(`12`)))
}

func TestC3Apply(t *testing.T) {
	object := `{"z":1.0, "o": {"k" : "v", "n":null}, "s":"x"}`
	set := func(value string, path ...string) Edit { return Edit{path, []byte(value)} }
	drop := func(path ...string) Edit { return Edit{path, nil} }
	for _, tc := range []struct {
		name  string
		edits []Edit
		want  string
	}{
		{"nothing", nil, object},
		{"replaces in place", []Edit{set("2", "z")}, `{"z":2,"o":{"k" : "v", "n":null},"s":"x"}`},
		{"removes", []Edit{drop("z"), drop("s"), drop("absent")}, `{"o":{"k" : "v", "n":null}}`},
		{"appends in order", []Edit{set("1", "q"), set("2", "p")}, `{"z":1.0,"o":{"k" : "v", "n":null},"s":"x","q":1,"p":2}`},
		{"goes down", []Edit{set("2", "o", "k"), set("3", "o", "new")}, `{"z":1.0,"o":{"k":2,"n":null,"new":3},"s":"x"}`},
		{"makes the way", []Edit{set("1", "a", "b", "c"), set("2", "a", "d")}, `{"z":1.0,"o":{"k" : "v", "n":null},"s":"x","a":{"b":{"c":1},"d":2}}`},
		{"makes nothing to remove from it", []Edit{drop("a", "b")}, `{"z":1.0,"o":{"k" : "v", "n":null},"s":"x"}`},
		{"replaces what is no object", []Edit{set("1", "s", "t")}, `{"z":1.0,"o":{"k" : "v", "n":null},"s":{"t":1}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, string(Apply([]byte(object), tc.edits)))
		})
	}
	assert.Equal(t, `{"a&<é":"&<é"}`, string(Apply(nil, []Edit{{[]string{"a&<é"}, Marshal("&<é")}})))
}

// twin is another checker that Check has to agree with, nil where this version
// of Go has none; see jsontext_test.go.
var twin func([]byte) bool

// What Check accepts encoding/json accepts too, and the pieces hold the same
// values; what both can read they read alike. With a twin the two accept the same.
func FuzzCheck(f *testing.F) {
	deep := strings.Repeat("[", MaxDepth)
	for _, s := range []string{
		`{"a":1,"a":2}`, `{"a":[1,{"b":"\u00e9"}],"c":-1.5e3}`, `[]`, `"x"`, ` null `, `{"":{"":{}}}`, `{"\ud800":1,"\udbff":2}`, `"\ud800"`,
		deep + strings.Repeat("]", MaxDepth), deep + "[]" + strings.Repeat("]", MaxDepth), `{} {}`, `[1,]`, `01`, "\ufeff{}", "\"\xff\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = Members(data) // no panic on any input
		_, _ = Elements(data)
		_ = Text(data)
		err := Check(data)
		if twin != nil && twin(data) != (err == nil) {
			t.Errorf("%q: Check says %v, its twin otherwise", data, err)
		}
		if err != nil {
			return
		}
		var want any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("Check accepts %q, encoding/json says %v", data, err)
		}
		if got := rebuilt(t, data); !assert.ObjectsAreEqual(want, got) {
			t.Errorf("%q: pieces give %v, encoding/json %v", data, got, want)
		}
	})
}

func rebuilt(t *testing.T, value []byte) any {
	value = bytes.TrimSpace(value)
	if members, ok := Members(value); ok {
		out := map[string]any{}
		for _, m := range members {
			out[m.Name] = rebuilt(t, m.Value)
		}
		return out
	}
	if elements, ok := Elements(value); ok {
		out := []any{}
		for _, e := range elements {
			out = append(out, rebuilt(t, e))
		}
		return out
	}
	if IsText(value) {
		return Text(value)
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&v))
	return v
}

// A reader that needs the names alone gets them with the check, decoded, and those of
// the outermost object alone; also beyond what the stack has room for.
func TestP4NamesComeWithTheCheck(t *testing.T) {
	names := func(text string) (got []string, err error) {
		err = CheckNames([]byte(text), func(name []byte) { got = append(got, string(name)) })
		return got, err
	}
	for text, want := range map[string][]string{
		`{"a":{"b":[{"c":1}]},"\u0064":[{"e":{}}]}`: {"a", "d"},
		`[{"a":1}]`: nil, `"a"`: nil, `{}`: nil,
	} {
		got, err := names(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	var want []string
	text := "{"
	for i := range 40 {
		want = append(want, "m"+strconv.Itoa(i))
		text += `"m` + strconv.Itoa(i) + `":{"m0":{"m0":0,"m1":1},"m1":0},`
	}
	got, err := names(text + `"z":0}`)
	require.NoError(t, err)
	assert.Equal(t, append(want, "z"), got)
	_, err = names(text + `"m7":0}`)
	assert.ErrorContains(t, err, "twice")
	_, err = names(strings.Replace(text, `"m39":{"m0":{"m0":0,"m1"`, `"m39":{"m0":{"m1":0,"m1"`, 1) + `"z":0}`)
	assert.ErrorContains(t, err, "twice")
}
