package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// results reads the answers, strictly.
func results(t *testing.T, out string) (rs []result) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	for dec.More() {
		var r result
		require.NoError(t, dec.Decode(&r))
		rs = append(rs, r)
	}
	return rs
}

// The conformance vectors go through the program, one run for each file.
func TestVectors_E5(t *testing.T) {
	files, err := filepath.Glob("../../testdata/vectors/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var raw []json.RawMessage
			require.NoError(t, json.Unmarshal(data, &raw))
			require.NotEmpty(t, raw)
			var in bytes.Buffer
			var want []result
			for _, v := range raw {
				require.NoError(t, json.Compact(&in, v)) // one line; doubled members stay
				in.WriteByte('\n')
				var r result
				require.NoError(t, json.Unmarshal(v, &r))
				want = append(want, r)
			}

			code, out, errs := authorizeurl(in.String(), "-vectors")
			require.Equal(t, 0, code, errs)
			assert.Empty(t, errs)
			assert.Equal(t, len(want), strings.Count(out, "\n"))
			got := results(t, out)
			require.Len(t, got, len(want))
			for i := range want {
				if got[i].Error != nil {
					assert.True(t, strings.HasPrefix(got[i].Error.Message, "upstream: "), want[i].Name)
					got[i].Error.Message = ""
				}
				if want[i].Error != nil {
					slices.Sort(want[i].Error.At)
				}
				assert.Equal(t, want[i], got[i])
			}
		})
	}
}

// The wording of messages is the library's.
var anyMessage = regexp.MustCompile(`"message":"upstream: (\\.|[^"\\])*"`)

func TestVectorLines(t *testing.T) {
	const tail = `,"request":"","transaction":{"redirect_uri":"https://a.example/cb","state":"s"}}`
	const good = `{"name":"good","rule":"-","note":"-","url":"-","error":{"kind":"-"},"connection":{"strategy":"github","options":{"client_id":"c"}}` + tail
	code, out, errs := authorizeurl(strings.Join([]string{
		"", good, " \t\r",
		`{"name":"doubled","connection":{"strategy":"github","options":{"client_id":"c","client_id":"d"}}` + tail,
		`{"name":"long","connection":{"strategy":"github","options":{"client_id":"c","x":"` + strings.Repeat("x", 4<<20) + `"}}` + tail,
		`{"name":"whole request","connection":{"strategy":"github","options":{"client_id":"c"}},"request":"` + strings.Repeat("x", 32<<10+1) + `"}`,
		`{"name":"<none>"}` + "\r",
		`{"name":"no transaction","connection":{"strategy":"github","options":{"client_id":"c"}}}`, // and no line feed
	}, "\n"), "-vectors")
	assert.Equal(t, 0, code, errs)
	assert.Empty(t, errs)
	assert.Equal(t, `{"name":"good","url":"https://github.com/login/oauth/authorize?client_id=c&redirect_uri=https%3A%2F%2Fa.example%2Fcb&response_type=code&state=s"}
{"name":"doubled","error":{"kind":"config","at":["/options/client_id"],"message":"upstream: ..."}}
{"name":"long","error":{"kind":"config","at":[""],"message":"upstream: ..."}}
{"name":"whole request","error":{"kind":"request","param":"","message":"upstream: ..."}}
{"name":"<none>","error":{"kind":"config","at":[""],"message":"upstream: ..."}}
{"name":"no transaction","error":{"kind":"transaction","field":"redirect_uri","message":"upstream: ..."}}
`, anyMessage.ReplaceAllString(out, `"message":"upstream: ..."`))
}

// What is not a vector ends the program, after the answers to the lines before it.
func TestVectorLinesRefused(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"not JSON", `{"name":`, "unexpected end of JSON input"},
		{"two values", `{} {}`, "after top-level value"},
		{"array", `[]`, "cannot unmarshal array"},
		{"null", `null`, "not a JSON object"},
		{"unknown member", `{"nam":"a"}`, `"nam": unknown member`},
		{"other case", `{"Name":"a"}`, `"Name": unknown member`},
		{"wrong type", `{"name":5}`, `"name": json: cannot unmarshal number`},
		{"unknown transaction member", `{"transaction":{"State":"s"}}`, `"transaction": unknown member "State"`},
		{"too long", strings.Repeat(" ", maxLine+1), "token too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs := authorizeurl("{}\n\n"+test.line+"\n{}\n", "-vectors")
			assert.Equal(t, 1, code)
			assert.Equal(t, 1, strings.Count(out, "\n"))
			assert.True(t, strings.HasPrefix(errs, "authorizeurl: line 3: "), errs)
			assert.Contains(t, errs, test.want)
			assert.Equal(t, 1, strings.Count(errs, "\n"))
		})
	}
}
