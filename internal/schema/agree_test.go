package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/upstream"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/strategy"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("../../schema.json")
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(id, doc))
	s, err := c.Compile(id)
	require.NoError(t, err)
	return s
}

// beyond is what Validate tells and no schema can: it compares members with one
// another, or reads inside a text. Nothing may be valid to Validate alone.
var beyond = regexp.MustCompile(strings.Join([]string{
	"differs from",               // two spellings, or two names that differ in case
	"are one name to servers",    // names that servers fold
	"must be written",            // static parameters in another spelling
	"is the same header as",      // names that gateways fold
	"is the same name as",        // of the token request
	"is only for acr_values",     // depends on the name of the entry
	"RE2", "takes too much work", // patterns
	"is not known; did you mean", // one edit
	"cannot be read as JSON",
	"is a string that does not hold a JSON object",
	"is at another host",
	"is not read here", // of protocols without OAuth, and names beyond ASCII
	"is only for a dynamic parameter",
}, "|"))

// refusedByBoth counts the connections that neither takes.
var refusedByBoth int

// agree fails where the two differ for another reason.
func agree(t *testing.T, s *jsonschema.Schema, name string, text []byte) {
	t.Helper()
	conn, err := upstream.ParseConnection(text)
	if err != nil {
		return // not a JSON object, or one that no schema sees as it is written
	}
	err = conn.Validate()
	value, bad := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, bad, name)
	bySchema := s.Validate(value)
	var config *upstream.ConfigError
	switch {
	case err != nil && bySchema != nil:
		refusedByBoth++
	case err == nil:
		assert.NoError(t, bySchema, "%s: Validate takes it\n%.600s", name, text)
	case bySchema == nil && errors.As(err, &config):
		for _, p := range config.Problems {
			inQuery := strings.Contains(p.Pointer, "uthorization") && strings.Contains(string(text), "?") // layer 5
			if !beyond.MatchString(p.Message) && !inQuery {
				t.Errorf("%s: the schema takes it, Validate says %v\n%.600s", name, p, text)
				return
			}
		}
	}
}

func TestO1SchemaAgreesOnVectors(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("../../testdata/vectors/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var vectors []struct {
			Name       string
			Connection json.RawMessage
		}
		require.NoError(t, json.Unmarshal(text, &vectors), file)
		for _, v := range vectors {
			agree(t, s, filepath.Base(file)+" "+v.Name, v.Connection)
		}
	}
	assert.Greater(t, refusedByBoth, 50, "the vectors have that many that a schema can refuse")
}

func TestO1SchemaAgreesOnConnections(t *testing.T) {
	s := compiled(t)
	n := 0
	for _, pattern := range []string{"../../testdata/*/*.json", "../../examples/*/connection.json", "../../examples/*/*/*.json"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
				n++
				agree(t, s, file, text)
			}
		}
	}
	assert.NotZero(t, n)
}

// Every member of the table with a value of every type, at its limits and over
// them, in a connection of every strategy.
func TestO1SchemaAgreesOnTheTable(t *testing.T) {
	s := compiled(t)
	for _, name := range append(strategy.Names(), "gitlab", "") {
		base := fmt.Sprintf(`{"name": "n", "strategy": %q, "options": {"client_id": "c", "authorizationURL": "https://a.example.com/a",
			"tokenURL": "https://a.example.com/t", "userAuthorizationURL": "https://a.example.com/a",
			"requestTokenURL": "https://a.example.com/r", "accessTokenURL": "https://a.example.com/x"}}`, name)
		agree(t, s, name, []byte(base))
		agree(t, s, name, []byte(fmt.Sprintf(`{"strategy": %q}`, name)))
		agree(t, s, name, []byte(fmt.Sprintf(`{"strategy": %q, "options": {"client_id": "c"}}`, name)))
		agree(t, s, name, []byte(fmt.Sprintf(`{"name": "my_idp", "strategy": %q, "options": {"client_id": "c"}}`, name)))
		if !representative[name] {
			continue
		}
		for _, m := range option.All() {
			if strings.Contains(m.Path, "*") || m.Path == "strategy" || m.Path == "options" || m.Class == option.NoEffect && m.Path != "options/email" {
				continue
			}
			l := m.Bound(name)
			values := []string{`null`, `""`, `"x"`, `7`, `true`, `[]`, `["a"]`, `[1]`, `{}`, `{"a": "b"}`, `{"a": 1}`, `"https://a.example.com/b"`, `"http://a.example.com/b"`}
			if l.Text > 0 && l.Text < 3000 {
				values = append(values, text(l.Text), text(l.Text+1))
			}
			for _, v := range m.Enum {
				values = append(values, `"`+v+`"`)
			}
			for _, v := range values {
				agree(t, s, name, with(t, base, m.Path, v))
			}
		}
	}
}

// representative are strategies that differ in something but their endpoints.
var representative = map[string]bool{
	"oauth2": true, "github": true, "apple": true, "facebook": true, "google-apps": true, "oidc": true, "okta": true, "waad": true,
	"twitter": true, "oauth1": true, "evernote": true, "salesforce-community": true, "exact": true, "samlp": true, "gitlab": true, "": true,
}

func text(n int) string { return `"` + strings.Repeat("a", n) + `"` }

// with sets one member of a connection.
func with(t *testing.T, base, path, value string) []byte {
	t.Helper()
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(base), &doc))
	at := doc
	names := strings.Split(path, "/")
	for _, name := range names[:len(names)-1] {
		below, ok := at[name].(map[string]any)
		if !ok {
			below = map[string]any{}
			at[name] = below
		}
		at = below
	}
	at[names[len(names)-1]] = json.RawMessage(value)
	out, err := json.Marshal(doc)
	require.NoError(t, err)
	return out
}

// Shapes that vectors have few of.
func TestO1SchemaAgreesOnShapes(t *testing.T) {
	s := compiled(t)
	for _, options := range []string{
		`"upstream_params": {"a": null, "b": {"value": ""}, "c": {"alias": "prompt", "allow": []}}`, `"upstream_params": {"a": {}}`,
		`"upstream_params": {"a": {"value": null}}`, `"upstream_params": {"a": {"alias": ""}}`, `"upstream_params": {"a": {"alias": "nope"}}`,
		`"upstream_params": {"a": {"value": "x", "allow": ["x"]}}`, `"upstream_params": {"a": {"value": "x", "translate": {}}}`,
		`"upstream_params": {"state": {"value": "x"}}`, `"upstream_params": {"Client.Id": {"value": "x"}}`, `"upstream_params": {"redirect_uri[]": {"value": "x"}}`,
		`"upstream_params": {"oauth_x": {"value": "x"}}`, `"upstream_params": {"scope": {"value": "a"}}`, `"upstream_params": {"scope": {"alias": "prompt"}}`,
		`"upstream_params": {"response_type": {"value": "token"}}`, `"upstream_params": {"response_mode": {"value": "form_post"}}`,
		`"upstream_params": {"a b": {"value": "x"}}`, `"upstream_params": {"": {"value": "x"}}`, `"upstream_params": {"a": "x"}`,
		`"upstream_params": {"kc_idp_hint": {"from": "kc_idp_hint", "allow": ["a"]}}`, `"upstream_params": {"a": {"from": "b"}}`,
		`"upstream_params": {"a": {"from": "b", "alias": "prompt", "allow": ["x"]}}`, `"upstream_params": {"a": {"alias": "acr_values", "essential": true}}`,
		`"upstream_params": {"a": {"alias": "prompt", "unless": ["login_hint"]}}`, `"upstream_params": {"a": {"value": "x", "unless": "x"}}`,
		`"oidc_metadata": {"authorization_endpoint": "http://a.example.com/"}`, `"oidc_metadata": {"userinfo_endpoint": "http://a.example.com/"}`,
		`"authParams": {"response_type": "code"}`, `"authParams": {"response_mode": "fragment"}`, `"authParams": {"a": ""}`,
		`"authParamsMap": {"a": "access_type"}`, `"authParamsMap": {"scope": "prompt"}`, `"authParamsMap": {"a": "nope"}`,
		`"customHeaders": {"X-A": "b"}`, `"customHeaders": {"Host": "b"}`, `"customHeaders": {"Content_Type": "b"}`, `"customHeaders": {"X A": "b"}`,
		`"customHeaders": {"X-A": " b"}`, `"customHeaders": {"X-A": ""}`, `"customHeaders": {"proxy-x": "b"}`, `"customHeaders": "{\"X-A\": \"b\"}"`,
		`"customHeaders": "x"`, `"oidc_metadata": {"issuer": 1}`, `"oidc_metadata": {"mtls_endpoint_aliases": 1}`,
		`"pkce_enabled": true, "connection_settings": {"pkce": "disabled"}`, `"type": "front_channel"`, `"scopes": "x"`, `"pkce": "S256"`,
		`"connection_settings": {"pkce_enabled": true}`, `"options": {}`, `"custom_headers": {}`, `"unknown": 1`, `"UPSTREAM-PARAMS": {}`,
		`"userinfo_endpoint": "http://localhost:1/u"`, `"userinfo_endpoint": "http://127.0.0.1/u"`, `"userinfo_endpoint": "http://[::1]/u"`,
		`"userinfo_endpoint": "https://u@a.example.com/"`, `"userinfo_endpoint": "https://a.example.com/#x"`, `"userinfo_endpoint": "https://{a}/"`,
		`"userinfo_endpoint": "https://[2001:db8::1]:8443/u"`, `"userinfo_endpoint": "HTTPS://a.example.com"`, `"userinfo_endpoint": "https:///x"`,
	} {
		agree(t, s, options, []byte(`{"name": "n", "strategy": "oauth2", "options": {"client_id": "c",
			"authorizationURL": "https://a.example.com/a", "tokenURL": "https://a.example.com/t", `+options+`}}`))
	}
}
