package upstream_test

// What an attack found (part P of the rules): bounds that count bytes,
// allocations and instructions, never time, and names as other servers read them.

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
