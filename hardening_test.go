package upstream_test

// What an attack found (part P of the rules): bounds that count bytes,
// allocations and instructions, never time, and names as other servers read them.

import (
	"fmt"
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
