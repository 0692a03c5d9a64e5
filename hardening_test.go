package upstream_test

// What an attack found (part P of the rules): bounds that count bytes,
// allocations and instructions, never time, and names as other servers read them.

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

// TestP2NamesAsServersReadThem has names that PHP, Rack or their like take for
// one that the protocol sets, in each layer.
func TestP2NamesAsServersReadThem(t *testing.T) {
	for _, name := range []string{
		"redirect_uri[]", "client_id[0]", "state[]", "client.assertion", "Client.Secret", "code[verifier][x]",
		"oauth.token", "oauth_token[]", "oauth.", "ſtate[]", "request[uri", "redirect.uri[", "client[id", "[state]", "state]", "[[nonce]]",
	} {
		for member, options := range map[string]string{
			"upstream_params": `"upstream_params": {"` + name + `": {"value": "x"}}`,
			"authParamsMap":   `"authParamsMap": {"` + name + `": "hd"}`,
			"authParams":      `"authParams": {"` + name + `": "x"}`,
		} {
			pointers, _ := problems(t, custom(options))
			assert.Equal(t, []string{"/options/" + member + "/" + name}, pointers)
		}
		pointers, _ := problems(t, custom(`"authorizationURL": "https://idp.example.com/a?`+name+`=x"`))
		assert.Equal(t, []string{"/options/authorizationURL"}, pointers, name)
	}
	for _, name := range []string{"scope[]", "scope[0]", "response.type", "response_mode[]"} { // dynamic under another name
		pointers, _ := problems(t, custom(`"upstream_params": {"`+name+`": {"alias": "prompt"}}`))
		assert.Equal(t, []string{"/options/upstream_params/" + name}, pointers)
	}
	for _, name := range []string{"blog[]", "a.b", "claims[userinfo]", "states", "xstate", "x.state", "code_", "my[state]"} {
		pointers, _ := problems(t, custom(`"upstream_params": {"`+name+`": {"value": "x"}}`))
		assert.Empty(t, pointers, name)
	}
}

// TestP2Twins has two names that some server reads as one.
func TestP2Twins(t *testing.T) {
	for _, twin := range [][2]string{{"login_hint", "login.hint"}, {"hd", "hd[]"}, {"hd[0]", "hd[1]"}, {"A.b", "a_B[]"}, {"x", "[x]"}} {
		pointers, _ := problems(t, custom(`"upstream_params": {"`+twin[0]+`": {"value": "x"}}, "authParams": {"`+twin[1]+`": "y"}`))
		assert.Equal(t, []string{"/options/authParams/" + twin[1]}, pointers)
	}
	pointers, _ := problems(t, custom(`"upstream_params": {"a.b": {"value": "x"}, "c": {"value": "x"}}, "authParams": {"a.b": "y", "a": "y"}`))
	assert.Empty(t, pointers, "one name in two layers is no twin")
}

// TestP1ProblemsAreCounted has more problems than anybody reads.
func TestP1ProblemsAreCounted(t *testing.T) {
	var entries []string
	for i := range 5000 {
		entries = append(entries, fmt.Sprintf(`"%d-%s": 1`, i, strings.Repeat(`\u0001`, 10)))
	}
	text := custom(`"authParams": {"` + strings.Repeat("n", 200_000) + `": 1, ` + strings.Join(entries, ",") + `}`)
	_, err := upstream.NewProvider(parse(t, text))
	for name, err := range map[string]error{"Validate": parse(t, text).Validate(), "NewProvider": err} {
		var config *upstream.ConfigError
		require.ErrorAs(t, err, &config, name)
		assert.Len(t, config.Problems, 100, name)
		assert.Equal(t, 5002-100, config.More, "%s: each entry and their number", name)
		assert.Less(t, len(err.Error()), 64<<10, name)
		assert.True(t, strings.HasSuffix(err.Error(), "; and 4902 more"), name)
	}
	headers := upstream.Headers{}
	for i := range 5000 {
		headers[fmt.Sprint("Bad Header ", i)] = upstream.NewSecret("x")
	}
	_, err = upstream.NewTokenConfig(oauth2.Config{}, headers)
	var config *upstream.ConfigError
	require.ErrorAs(t, err, &config)
	assert.Len(t, config.Problems, 100)
	assert.Equal(t, 5001-100, config.More)
	// A hundred are still listed, and nothing is said of more.
	pointers, message := problems(t, custom(`"authParams": {`+strings.Join(entries[:99], ",")+`}`))
	assert.Len(t, pointers, 100)
	assert.NotContains(t, message, "; and")
}

func TestP1LongTextsInErrors(t *testing.T) {
	long := strings.Repeat("é", 1<<17)
	for _, text := range []string{
		`{"name": "` + long + `", "strategy": "oauth2"}`,
		`{"name": "a", "strategy": "` + long + `"}`,
		`{"name": "a", "strategy": "oauth2", "options": {"upstream_params": {"` + long + `": {"value": "x"}}, "authParams": {"` + long + `[]": "x"}}}`,
		`{"name": "a", "strategy": "oauth2", "options": {"upstream_params": {"a": {"alias": "` + long + `"}}}}`,
		`{"name": "a", "strategy": "oauth2", "options": {"upstream_params": {"a": {"` + long + `": "b"}}}}`,
	} {
		_, err := upstream.NewProvider(parse(t, text))
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 4096)
		assert.True(t, utf8.ValidString(err.Error()))
	}
}

// entries gives n members of an object.
func entries(n int, entry func(i int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = entry(i)
	}
	return strings.Join(all, ",")
}

// allocated gives the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestP1CostOfAConnection has connections of up to 1 MiB that took gigabytes.
func TestP1CostOfAConnection(t *testing.T) {
	params := func(entries string) string { return custom(`"upstream_params": {` + entries + `}`) }
	for name, text := range map[string]string{
		"a query of 512 KiB": custom(`"authorizationURL": "https://idp.example.com/a?` + strings.Repeat("a&", 1<<18) + `"`),
		"as many names":      custom(`"authorizationURL": "https://idp.example.com/a?` + strings.ReplaceAll(entries(70_000, func(i int) string { return fmt.Sprint("a", i) }), ",", "&") + `"`),
		"many static":        params(entries(40_000, func(i int) string { return fmt.Sprintf(`"a%d":{"value":"x"}`, i) })),
		"many null":          params(entries(40_000, func(i int) string { return fmt.Sprintf(`"a%d":null`, i) })),
		"long static":        params(entries(200, func(i int) string { return fmt.Sprintf(`"a%d":{"value":"%s"}`, i, strings.Repeat("x", 5200)) })),
		"long defaults": params(entries(200, func(i int) string {
			return fmt.Sprintf(`"a%d":{"alias":"prompt","value":"%s"}`, i, strings.Repeat("%", 5000))
		})),
		"repeating patterns": params(entries(200, func(i int) string { return fmt.Sprintf(`"a%d":{"alias":"prompt","allow_pattern":"(a*){1000}"}`, i) })),
		"patterns of 70 KB": params(entries(35, func(i int) string {
			return fmt.Sprintf(`"a%d":{"alias":"prompt","allow_pattern":"%s"}`, i, strings.Repeat("(a*){999}", 227))
		})),
		"classes": params(entries(200, func(i int) string {
			return fmt.Sprintf(`"a%d":{"alias":"prompt","allow_pattern":"%s"}`, i, strings.Repeat(`\\pL`, 190))
		})),
		"classes and a fault": params(entries(200, func(i int) string {
			return fmt.Sprintf(`"a%d":{"alias":"prompt","allow_pattern":"%s("}`, i, strings.Repeat(`\\pL`, 600))
		})),
		"repeated classes":     params(entries(200, func(i int) string { return fmt.Sprintf(`"a%d":{"alias":"prompt","allow_pattern":"\\pL{990}"}`, i) })),
		"bad aliases":          params(entries(40_000, func(i int) string { return fmt.Sprintf(`"a%d":{"alias":"b"}`, i) })),
		"a long allow":         params(`"a":{"alias":"prompt","allow":[` + entries(150_000, func(int) string { return `"b"` }) + `]}`),
		"unknown keys":         params(`"` + strings.Repeat("n", 400_000) + `":{` + entries(50_000, func(i int) string { return fmt.Sprintf(`"a%d":1`, i) }) + `}`),
		"a bad translate":      params(`"` + strings.Repeat("n", 400_000) + `":{"alias":"prompt","translate":{` + entries(50_000, func(i int) string { return fmt.Sprintf(`"a%d":1`, i) }) + `}}`),
		"a bad translate, 128": params(`"` + strings.Repeat("ü", 128) + `":{"alias":"prompt","translate":{` + entries(100_000, func(i int) string { return fmt.Sprintf(`"%d":1`, i) }) + `}}`),
		"authParams":           custom(`"authParams": {` + entries(60_000, func(i int) string { return fmt.Sprintf(`"a%d":""`, i) }) + `}`),
		"authParamsMap":        custom(`"authParamsMap": {` + entries(60_000, func(i int) string { return fmt.Sprintf(`"a%d":"b"`, i) }) + `}`),
		"customHeaders":        custom(`"customHeaders": {` + entries(60_000, func(i int) string { return fmt.Sprintf(`"a %d":""`, i) }) + `}`),
		"scopes":               custom(`"scope": [` + entries(200_000, func(int) string { return `"a"` }) + `]`),
		"unknown options":      custom(entries(60_000, func(i int) string { return fmt.Sprintf(`"a%d":1`, i) })),
		"deep":                 `{"name": ` + strings.Repeat(`{"`+strings.Repeat("n", 10_000)+`":`, 62) + "x",
	} {
		require.LessOrEqual(t, len(text), 1<<20, name)
		bytes := allocated(func() {
			conn, err := upstream.ParseConnection([]byte(text))
			if err == nil {
				var p *upstream.Provider
				if p, err = upstream.NewProvider(conn); err == nil {
					_, err = p.AuthorizationURL(nil, sampleTransaction)
				}
			}
			if err != nil {
				assert.Less(t, len(err.Error()), 64<<10, name)
			}
		})
		assert.Less(t, bytes, uint64(256<<20), "%s: linear, if not by little", name)
	}
}

func TestP1EntriesOfUpstreamParams(t *testing.T) {
	many := func(n int) string {
		return custom(`"upstream_params": {` + entries(n, func(i int) string { return fmt.Sprintf(`"a%d":{"alias":"prompt"}`, i) }) + `}`)
	}
	pointers, _ := problems(t, many(200))
	assert.Empty(t, pointers)
	pointers, message := problems(t, many(201))
	assert.Equal(t, []string{"/options/upstream_params"}, pointers)
	assert.Contains(t, message, "has more than 200 members")
}

func TestP1Patterns(t *testing.T) {
	pattern := func(pattern string) string { return `{"alias": "prompt", "allow_pattern": "` + pattern + `"}` }
	for text, ok := range map[string]bool{
		strings.Repeat("a", 2048):     true,
		strings.Repeat("a", 2049):     false,
		"(a*){1000}":                  false,
		"(?:aaaa){999}":               true, // 4,000 with what makes it match as a whole
		"(?:aaaa){1000}":              false,
		`[\\p{L}\\p{N}]{1,64}`:        true,
		strings.Repeat("a{0,999}", 9): false,
	} {
		pointers, message := problems(t, custom(`"upstream_params": {"p": `+pattern(text)+`}`))
		assert.Equal(t, ok, pointers == nil, "%.40s: %s", text, message)
		if !ok {
			assert.Equal(t, []string{"/options/upstream_params/p/allow_pattern"}, pointers)
			assert.NotContains(t, message, "aaa")
		}
	}
	// Together: five of 3,999 instructions, and no sixth.
	several := func(n int) string {
		return custom(`"upstream_params": {` + entries(n, func(i int) string { return fmt.Sprintf(`"a%d": %s`, i, pattern("(?:aaaa){999}")) }) + `}`)
	}
	pointers, _ := problems(t, several(5))
	assert.Empty(t, pointers)
	pointers, message := problems(t, several(7))
	assert.Equal(t, []string{"/options/upstream_params/a5/allow_pattern", "/options/upstream_params/a6/allow_pattern"}, pointers)
	assert.Contains(t, message, "together")
}

// TestP1LongValues has values that no pattern is held against.
func TestP1LongValues(t *testing.T) {
	p := provider(t, custom(`"upstream_params": {
		"a": {"alias": "login_hint", "allow_pattern": "x+"}, "b": {"alias": "prompt", "allow_pattern": "x+", "allow": ["b"]},
		"c": {"alias": "resource", "allow_pattern": "x+", "allow": ["c"]}}`))
	for query, want := range map[string]string{
		"login_hint=" + strings.Repeat("x", 1024):                                  "a",
		"login_hint=" + strings.Repeat("x", 1025):                                  "",
		"prompt=b+" + strings.Repeat("x", 1022):                                    "b",
		"prompt=b+" + strings.Repeat("x+", 512):                                    "b",
		"resource=c&resource=" + strings.Repeat("x", 1023):                         "c c",
		"resource=c&resource=" + strings.Repeat("x", 1023) + "&resource=y":         "c",
		strings.Repeat("resource="+strings.Repeat("x", 512)+"&", 2):                "c c",
		strings.Repeat("resource="+strings.Repeat("x", 512)+"&", 2) + "resource=c": "c",
		"resource=" + strings.Repeat("x", 1025):                                    "",
	} {
		req, err := upstream.ParseAuthorizeQuery(query)
		require.NoError(t, err)
		target, err := p.AuthorizationURL(req, sampleTransaction)
		require.NoError(t, err)
		explained, err := p.Explain(req, sampleTransaction)
		require.NoError(t, err)
		var sent, told []string
		u, err := url.Parse(target)
		require.NoError(t, err)
		for _, name := range []string{"a", "b", "c"} {
			for range u.Query()[name] {
				sent = append(sent, name)
			}
		}
		for _, d := range explained.Parameters {
			if d.Sent && len(d.Name) == 1 {
				told = append(told, d.Name)
			}
		}
		assert.Equal(t, want, strings.Join(sent, " "), "%.60s", query)
		assert.Equal(t, want, strings.Join(told, " "), "%.60s", query)
	}
	target, err := p.AuthorizationURL(&upstream.AuthorizeRequest{Prompt: "b " + strings.Repeat("x ", 512)}, sampleTransaction)
	require.NoError(t, err)
	assert.Contains(t, target, "?b=b&", "of a list that is too long, only what is allowed to the letter")
}

// TestP1URLIsBounded sends one value under many names.
func TestP1URLIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"forwarded": custom(`"upstream_params": {` + entries(200, func(i int) string { return fmt.Sprintf(`"a%d":{"alias":"login_hint"}`, i) }) + `}`),
		"mapped":    custom(`"upstream_params": {` + entries(200, func(i int) string { return fmt.Sprintf(`"a%d":{"alias":"prompt","allow_pattern":"x*"}`, i) }) + `}`),
		"resources": custom(`"upstream_params": {` + entries(200, func(i int) string { return fmt.Sprintf(`"a%d":{"alias":"resource"}`, i) }) + `}`),
		"static":    custom(`"upstream_params": {` + entries(200, func(i int) string { return fmt.Sprintf(`"a%d":{"value":"%s"}`, i, strings.Repeat("SECRET", 800)) }) + `}`),
		"defaults": custom(`"upstream_params": {` + entries(200, func(i int) string {
			return fmt.Sprintf(`"a%d":{"alias":"hd","value":"%s"}`, i, strings.Repeat("SECRET", 800))
		}) + `}`),
	} {
		if name == "defaults" {
			text = strings.ReplaceAll(text, `"alias":"hd"`, `"alias":"display"`)
		}
		p := provider(t, text)
		for _, extra := range []map[string]string{nil, {"zz": "y"}} {
			tx := sampleTransaction
			tx.Extra = extra
			req, err := upstream.ParseAuthorizeQuery("login_hint=" + strings.Repeat("SECRET", 1500) + "&prompt=" + strings.Repeat("xx+", 300) + strings.Repeat("&resource=SECRET%00x"[:16], 1000))
			require.NoError(t, err)
			bytes := allocated(func() { _, err = p.AuthorizationURL(req, tx) })
			assertTooLong(t, err, name)
			assert.Less(t, bytes, uint64(16<<20), name) // with the race detector more than without
			buffer := []byte("kept")
			out, err := p.AppendAuthorizationURL(buffer, req, tx)
			assertTooLong(t, err, name)
			assert.Equal(t, "kept", string(out))
			_, err = p.Explain(req, tx)
			assertTooLong(t, err, name)
		}
	}
	// To the byte, wherever it comes from.
	p := provider(t, custom(`"upstream_params": {"z": {"alias": "login_hint"}}`))
	for _, extra := range []map[string]string{nil, {"a": "y"}} {
		tx := sampleTransaction
		tx.Extra = extra
		short, err := p.AuthorizationURL(&upstream.AuthorizeRequest{LoginHint: "x"}, tx)
		require.NoError(t, err)
		longest := strings.Repeat("x", 32<<10-len(short)+1)
		target, err := p.AuthorizationURL(&upstream.AuthorizeRequest{LoginHint: longest}, tx)
		require.NoError(t, err)
		assert.Len(t, target, 32<<10)
		out, err := p.AppendAuthorizationURL(make([]byte, 100, 64<<10), &upstream.AuthorizeRequest{LoginHint: longest}, tx)
		require.NoError(t, err)
		assert.Len(t, out, 100+(32<<10))
		_, err = p.AuthorizationURL(&upstream.AuthorizeRequest{LoginHint: longest + "x"}, tx)
		assertTooLong(t, err, "a byte more")
	}
}

func assertTooLong(t *testing.T, err error, name string) {
	t.Helper()
	var refused *upstream.RequestError
	if assert.ErrorAs(t, err, &refused, name) {
		assert.Equal(t, upstream.RequestError{Code: "invalid_request", Description: "the authorization URL would be longer than 32 KiB"}, *refused, name)
	}
}
