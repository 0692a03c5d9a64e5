package check

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestH1Headers(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"X-Key", "v", ""},
		{"0aZz9!#$%&'*+-.^_`|~", "a\tb ~!", ""},
		{"", "v", "is not a header name"},
		{"a b", "v", "is not a header name"},
		{"é", "v", "is not a header name"},
		{"a@", "v", "is not a header name"},
		{"a[", "v", "is not a header name"},
		{"a{", "v", "is not a header name"},
		{"a:", "v", "is not a header name"},
		{"a/", "v", "is not a header name"},
		{"Host", "v", "cannot be set here"},
		{"Content_Type", "v", "cannot be set here"},
		{"proxy-x", "v", "cannot be set here"},
		{"X", "", "has an empty value"},
		{"X", strings.Repeat("v", 1024), ""},
		{"X", strings.Repeat("v", 1025), "has a value of 1025 characters"},
		{"X", strings.Repeat("é", 1025), "has a value of 1025 characters"},
		{"X", " v", "begins or ends with a blank"},
		{"X", "v\t", "begins or ends with a blank"},
		{"X", "a\x1fb", "not visible ASCII"},
		{"X", "a\x7fb", "not visible ASCII"},
		{"X", "é", "not visible ASCII"},
	} {
		problems := Headers([]Header{{tc.name, tc.value}})
		if tc.want == "" {
			assert.Empty(t, problems, "%q", tc.name)
		} else if assert.Len(t, problems, 1, "%q %q", tc.name, tc.value) {
			assert.Contains(t, problems[0].Message, tc.want, tc.name)
			assert.True(t, problems[0].OfOne)
			assert.Equal(t, tc.name, problems[0].Name)
		}
	}
	twins := Headers([]Header{{"X-User", "1"}, {"x_user", "2"}, {"X_USER", "3"}})
	if assert.Len(t, twins, 2) {
		assert.Contains(t, twins[1].Message, `the same header as "X-User"`)
	}
	var many []Header
	for i := range 30 {
		many = append(many, Header{fmt.Sprint("X", i), "v"})
	}
	assert.Empty(t, Headers(many))
	problems := Headers(append(many, Header{"Y", "v"}))
	if assert.Len(t, problems, 1) {
		assert.False(t, problems[0].OfOne)
		assert.Contains(t, problems[0].Message, "has 31 headers")
	}
}

func TestH2Authenticates(t *testing.T) {
	basic := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for authorization, want := range map[string]bool{
		"Basic " + basic("c d:secret"):                         true,
		"bASIC " + basic("c+d:"):                               true, // RFC 6749 section 2.3.1
		"Basic " + basic("c%20d:x"):                            true,
		"Basic\t" + strings.TrimRight(basic("c d:xy"), "="):    true,
		"Basic  " + basic("c d:x") + " ":                       true,
		"Basic " + basic("c%zz:x"):                             false,
		"Basic " + basic("c d"):                                false,
		"Basic " + basic("other:x"):                            false,
		"Basic !":                                              false,
		"Basic":                                                false,
		"Bearer " + basic("c d:x"):                             false,
		basic("c d:x"):                                         false,
		"Basic " + basic(":x"):                                 false,
		"Basic " + base64.URLEncoding.EncodeToString([]byte{}): false,
	} {
		assert.Equal(t, want, Authenticates(authorization, "c d"), authorization)
	}
	assert.True(t, Authenticates("Basic "+basic("c%zz:x"), "c%zz"), "the plain form, though it does not decode")
	assert.False(t, Authenticates("Basic "+basic(":x"), ""))
}

func TestP3UserID(t *testing.T) {
	for id, want := range map[string]bool{
		"a": true, "é": true, "a b": true, "12": true, strings.Repeat("é", 255): true, "\u00a0a": false,
		"": false, " ": false, "a ": false, " a": false, "a\nb": false, "a\x00": false, "a\x7fb": false, "a\u200db": false, "a\u2028b": false, "a\u2029b": false,
		"a\ufffdb": false, "a\xffb": false, strings.Repeat("a", 256): false, "\u0301": true, "\ue000": false,
	} {
		assert.Equal(t, want, UserID(id), "%q", id)
	}
	for _, tc := range []struct {
		a, b string
		want bool
	}{{"aZ.b", "Az.B", true}, {"", "", true}, {"a", "", false}, {"a", "b", false}, {"k", "\u212a", false}, {"@", "`", false}, {"[", "{", false}, {"ab", "aB", true}} {
		assert.Equal(t, tc.want, EqualFoldASCII(tc.a, tc.b), "%q %q", tc.a, tc.b)
	}
}

func TestB5TokenParams(t *testing.T) {
	problems := TokenParams([]string{"a", "a b", "state", "Password", "device[code", "A", "e", "l", "m"},
		map[string]string{"a": "1", "a b": "1", "state": "1", "Password": "1", "device[code": "1", "A": "2", "e": "", "l": strings.Repeat("é", 1025), "m": strings.Repeat("é", 1024)})
	got := map[string]string{}
	for _, p := range problems {
		assert.True(t, p.OfOne, p.Name)
		got[p.Name] = p.Message
	}
	assert.Len(t, problems, 7)
	assert.Len(t, got, 7)
	for name, want := range map[string]string{"a b": "space", "state": "the protocol's own", "Password": "the protocol's own", "device[code": "the protocol's own",
		"A": `the same name as "a"`, "e": "empty", "l": "longer than 1024"} {
		assert.Contains(t, got[name], want, name)
	}
	many := map[string]string{}
	for i := range 30 {
		many[fmt.Sprint("x", i)] = "1"
	}
	assert.Empty(t, TokenParams(nil, many))
	many["y"] = "1"
	assert.Equal(t, []Problem{{Message: "has more than 30 members"}}, TokenParams(nil, many))
}

func TestM3P2Reserved(t *testing.T) {
	for name, want := range map[string]bool{
		"state": true, "STATE": true, "\u017ftate": true, "state[]": true, "[state]": true, "client.id": true, "client id": true, "client[id": true,
		"oauth_token": true, "OAuth.x": true, "request_uri": true, "code_challenge_method": true, "client_assertion_type": true,
		"blog": false, "states": false, "oauth": false, "scope": false, "a[state]": false, "": false,
	} {
		assert.Equal(t, want, Reserved(name), "%q", name)
	}
}

func TestC5Boundaries(t *testing.T) {
	for n, want := range map[int]string{3: "", 2: "is longer than 2 characters"} {
		assert.Equal(t, want, Length("éab", n))
	}
	for _, s := range []string{"https://h/{x}", "https://h/x}"} {
		assert.Contains(t, Endpoint(s, 100, false), "brace")
	}
	for _, s := range []string{"https://h/ x", "https://h/\x7fx", "https://h/^", "https://h/\"", "http://h/`"} {
		assert.Equal(t, notInURL, WebURL(s, 100), s)
	}
	assert.Empty(t, WebURL("https://h/!~", 100))
	for s, want := range map[string]bool{"https://A.b:1/x": true, "https://a.b/": false, "%": false, "https://c.b:1": false} {
		assert.Equal(t, want, HasHost(s, "a.b:1"), s)
	}
	for s, want := range map[string]string{
		"https://a/ b": notInURL, "x:/\x7f": notInURL, "https://a/é/bcdefgh": notInURL, "x: ": notInURL, "x:!~": "", "x:/#": "must have no fragment",
		"a1+-.z:/x": "", "A:/": "", "Z:/": "", "z:/": "", "a9:/": "", "a0:/": "", "0a:/": "must be absolute", "a/:/": "must be absolute", "a::": "", "@:/": "must be absolute", "[:/": "must be absolute", "{:/": "must be absolute", "`:/": "must be absolute",
		"a@:/": "must be absolute", "http://x": "", "http://": "must name a host", "http:/x": "must name a host", "http://?": "must name a host", "https://0": "", "http:x//": "must name a host", "https://!": "",
		":x": "must be absolute", "https://.": "",
	} {
		assert.Equal(t, want, AbsoluteURI(s), s)
	}
	for s, want := range map[string]string{"A.b c": "a_b_c", "[x]y": "x", " x": "x", "n[1]": "n", "n]": "n", "": ""} {
		assert.Equal(t, want, FoldParameter(s), s)
	}
	assert.Equal(t, "client_id", foldUnclosed("Client[id"))
	assert.Equal(t, "a", Fold("A"))
	assert.Equal(t, "z", Fold("Z"))
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "ac", 1}, {"ac", "abc", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 2}} {
		assert.Equal(t, tc.want, Distance(tc.a, tc.b), "%s %s", tc.a, tc.b)
	}
	for mistaken, want := range map[string]string{"abcdef": "abcdefgh", "abcde": "", "abcdefghij": "abcdefgh", "abcdefghijk": "abcdefgh", "abcdefghijkl": "abcdefgh", "abcdefghijklmn": ""} {
		assert.Equal(t, want, Nearest(mistaken, []string{"abcdefgh"}), mistaken)
	}
	assert.Equal(t, "ax", Nearest("a", []string{"ax", "ay"}), "the first of two")
	assert.Equal(t, strings.Repeat("a", 256), Shown(strings.Repeat("a", 256)))
	assert.Equal(t, strings.Repeat("a", 256)+"...", Shown(strings.Repeat("a", 257)))
	assert.Equal(t, "a"+strings.Repeat("é", 127)+"...", Shown("a"+strings.Repeat("é", 200)))
}
