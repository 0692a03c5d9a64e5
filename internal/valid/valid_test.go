package valid

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/outgoing"
)

type values map[string]any

// given is a connection that has these values; all others are absent. What the table
// does not have is a path that is misspelled.
func given(t *testing.T, v values) *Connection {
	t.Helper()
	return &Connection{Value: func(path string) any {
		m := option.Get(path)
		require.NotNil(t, m, path)
		if value, ok := v[path]; ok {
			return value
		}
		switch m.Kind {
		case option.Flag:
			return false
		case option.Integer:
			return 0
		case option.List, option.TextOrList:
			return []string(nil)
		case option.Dict, option.Headers:
			return map[string]string(nil)
		case option.Raw:
			if path == "options/upstream_params" {
				return map[string]outgoing.Param(nil)
			}
			return []byte(nil)
		}
		return ""
	}}
}

// with is a working connection of the strategy oauth2, but for v.
func with(v values) values {
	out := values{
		"name": "acme", "strategy": "oauth2", "options/client_id": "c",
		"options/authorizationURL": "https://idp.test/authorize?p=1", "options/tokenURL": "https://idp.test/token",
	}
	maps.Copy(out, v)
	return out
}

func lines(found []lossless.Problem) (out []string) {
	for _, p := range found {
		out = append(out, p.Pointer+" "+p.Message)
	}
	return out
}

func assertPrefixes(t *testing.T, rule string, got []lossless.Problem, want ...string) {
	t.Helper()
	if assert.Len(t, got, len(want), "%s: %q", rule, lines(got)) {
		for i, line := range lines(got) {
			assert.True(t, strings.HasPrefix(line, want[i]), "%s: %q, want %q", rule, line, want[i])
		}
	}
}

func TestC5Check(t *testing.T) {
	long := strings.Repeat("x", 52_000)
	basic := map[string]string{"authorization": "Basic Yzpz"} // of the client c
	for _, tc := range []struct {
		rule   string
		values values
		want   []string
	}{
		{"C5", nil, nil},
		{"C1 no strategy", values{"strategy": ""}, []string{"/strategy is missing"}},
		{"U9 no name", values{"name": ""}, []string{"/name is missing"}},
		{"C5 name", values{"name": "a--b"}, []string{"/name is not a connection name"}},
		{"U9 a name that no subject holds", values{"strategy": "github", "name": "a b"}, nil},
		{"C5 its length", values{"strategy": "github", "name": long}, []string{"/name is longer than 128"}},
		{"C5 client", values{"options/client_id": ""}, []string{"/options/client_id is missing"}},
		{"O7 lengths", values{"display_name": long, "options/client_secret": long, "options/scripts/fetchUserProfile": long},
			[]string{"/display_name is longer than 128", "/options/client_secret is longer than 1024", "/options/scripts/fetchUserProfile is longer than 51200"}},
		{"C5 values", values{"options/token_endpoint_auth_method": "magic", "options/dpop_signing_alg": "RS256"},
			[]string{"/options/token_endpoint_auth_method must be client_secret_post", "/options/dpop_signing_alg must be ES256"}},
		{"O3", values{"strategy": "oidc", "options/type": "front_channel"}, []string{"/options/type asks for an ID token through the browser"}},
		{"O3 of another strategy", values{"options/type": "front_channel"}, nil},
		{"C5 icon", values{"options/icon_url": "icon.png"}, []string{"/options/icon_url must be absolute"}},
		{"T4", values{"options/connection_settings/pkce": "disabled", "options/pkce_enabled": true}, []string{"/options/connection_settings/pkce is disabled while"}},
		{"T4 plain", values{"options/connection_settings/pkce": "plain"}, []string{"/options/connection_settings/pkce must not be plain"}},
		{"C3 what cannot be written", values{"options/fieldsMap": []byte("{"), "options/oidc_metadata": []byte("1 2")},
			[]string{"/options/oidc_metadata cannot be read as JSON", "/options/fieldsMap cannot be read as JSON"}},
		{"O8 metadata", values{"options/oidc_metadata": []byte(`{"issuer": 1}`)}, []string{"/options/oidc_metadata/issuer must be a string"}},
		{"O8 an endpoint of the metadata", values{"options/tokenURL": "", "options/oidc_metadata": []byte(`{"token_endpoint": "/token"}`)},
			[]string{"/options/oidc_metadata/token_endpoint must be absolute"}},
		{"O7 scope", values{"options/scope": []string{long, long}}, []string{"/options/scope is longer than 4096"}},
		{"E5 endpoint", values{"options/tokenURL": ""}, []string{"/options/tokenURL is missing; set tokenURL or token_endpoint"}},
		{"E5 promised", values{"options/tokenURL": "", "options/issuer": "i"}, []string{"/options/tokenURL is missing; discovery_url"}},
		{"E5 too long to be taken apart", values{"options/authorizationURL": "https://idp.test/?a=1&a=2&" + long}, []string{"/options/authorizationURL is longer than 2083"}},
		{"M4", values{"options/authorizationURL": "https://idp.test/?a=1&a=2"}, []string{`/options/authorizationURL has the parameter "a" twice`}},
		{"X1", values{"strategy": "oauth1", "options/userAuthorizationURL": "https://idp.test/?a=1&a=2", "options/requestTokenURL": "https://idp.test/r", "options/accessTokenURL": "https://idp.test/t"},
			[]string{`/options/userAuthorizationURL has the parameter "a" twice`}},
		{"M3", values{"options/upstream_params": map[string]outgoing.Param{"state": {Value: "x"}}}, []string{`/options/upstream_params/state "state" is set`}},
		{"A2", values{"options/authParamsMap": map[string]string{"p": "access_type", "q": "user"}}, []string{"/options/authParamsMap/q is not one of"}},
		{"C5 static", values{"options/authParams": map[string]string{"a/b": ""}}, []string{"/options/authParams/a~1b is empty"}},
		{"H2", values{"options/customHeaders": map[string]string{"Host": "x"}}, []string{"/options/customHeaders/Host cannot be set here"}},
		{"H6", values{"options/customHeaders": basic}, nil},
		{"H6 beside another", values{"options/customHeaders": basic, "options/token_endpoint_auth_method": "private_key_jwt"},
			[]string{"/options/customHeaders/authorization is this client's authentication"}},
		{"H6 another's", values{"options/customHeaders": basic, "options/token_endpoint_auth_method": "private_key_jwt", "options/client_id": "d"}, nil},
		{"B5", values{"options/token_params": map[string]string{"code": "x"}}, []string{"/options/token_params/code is the protocol's own"}},
	} {
		assertPrefixes(t, tc.rule, given(t, with(tc.values)).Check().Problems, tc.want...)
	}
	http := given(t, with(values{"options/tokenURL": "http://idp.test/"}))
	assertPrefixes(t, "C5", http.Check().Problems, "/options/tokenURL must begin with https://")
	http.AnyHTTP = true
	assert.Empty(t, http.Check().Problems)
}

// What goes beyond a limit is counted and not looked at.
func TestP1Layers(t *testing.T) {
	static := map[string]string{}
	for len(static) < 30 {
		static["state"+strings.Repeat("e", len(static))] = "x"
	}
	assertPrefixes(t, "P1", given(t, with(values{"options/authParams": static})).Check().Problems, `/options/authParams/state "state" is set`)
	static["stately"] = "x"
	k := given(t, with(values{"options/authParams": static})).Check()
	assertPrefixes(t, "P1", k.Problems, "/options/authParams has more than 30 members", `/options/authParams/state "state" is set`)
	assert.Len(t, k.Entries, 31) // 30, and that of the URL
}

// doc is a document with the members of a connection that these tests have.
func doc(text string) *lossless.Document {
	field := func(*struct{}) lossless.Field { return nil }
	return lossless.NewSchema(lossless.Member[struct{}]{Paths: []string{"options/client_id"}, Field: field}).Open([]byte(text))
}

// With a document, a problem stands where the document has the setting.
func TestC5Places(t *testing.T) {
	c := given(t, with(values{"options/scope": []string{"a", strings.Repeat("x", 200)}, "options/tokenURL": "/token"}))
	c.Doc = doc(`{"options": {"scope": ["a", "x"], "token_endpoint": "/token"}}`)
	assertPrefixes(t, "C5", c.Check().Problems, "/options/scope/1 is longer than 189", "/options/token_endpoint must be absolute")
	c.Value = given(t, with(values{"options/scope": make([]string, 20)})).Value
	assert.Empty(t, c.Check().Problems)
	c.Value = given(t, with(values{"options/scope": make([]string, 21)})).Value
	assertPrefixes(t, "O7", c.Check().Problems, "/options/scope has more than 20 items")
	c.Doc = doc(`{"Strategy": "oauth2", "options": {}}`)
	c.Value = given(t, with(nil)).Value
	assertPrefixes(t, "C2", c.Check().Problems, "/Strategy is not read here; write strategy")

	// The first at a place stays, and the text's own problems come first.
	c = given(t, with(values{"strategy": "oauth2", "options/client_id": ""}))
	c.Unread = []lossless.Problem{{Pointer: "/options/client_id", Message: "must be a string"}, {Pointer: "/options/consumer_key", Message: "differs"}}
	assertPrefixes(t, "C5", c.Check().Problems, "/options/client_id must be a string", "/options/consumer_key differs")
	c.Value = given(t, values{"strategy": "twitter", "options/protocol": "oauth2", "options/client_id": "c"}).Value
	assertPrefixes(t, "X2", c.Check().Problems, "/options/client_id must be a string")
}

func TestO2Warnings(t *testing.T) {
	own := with(values{"strategy": "github", "name": "a b"})
	for _, tc := range []struct {
		rule   string
		values values
		want   []string
	}{
		{"O2", with(nil), nil},
		{"O6", with(values{"strategy": "oidc", "options/upstream_params": map[string]outgoing.Param{"scope": {Value: "a"}}}), []string{"/options/upstream_params/scope has no openid"}},
		{"O6 openid", with(values{"strategy": "oidc", "options/upstream_params": map[string]outgoing.Param{"scope": {Value: "a openid"}}}), nil},
		{"O6 of the URL", with(values{"strategy": "oidc", "options/authorizationURL": "https://idp.test/?scope=a"}), nil},
		{"U9", own, []string{`/name is no connection name, and users have no subject without one: endpoints or script are not "github"'s own`}},
	} {
		assertPrefixes(t, tc.rule, given(t, tc.values).Check().Warnings, tc.want...)
	}
	c := given(t, own)
	k := c.Check()
	k.Warn(doc(`{"options": {"colour": 1, "email": true}}`), c)
	assertPrefixes(t, "O2", k.Warnings[1:], "/options/colour is not known", "/options/email has no effect; write")
	c = given(t, values{"strategy": "samlp", "name": "a"})
	k = c.Check()
	k.Warn(doc(`{"options": {"colour": 1}}`), c)
	assert.True(t, k.Refused())
	assert.Empty(t, k.Warnings)
	assert.False(t, given(t, values{"strategy": "nobody's"}).Check().Refused())
}

func TestU9Named(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values values
		want   bool
	}{
		{"the strategy's own", values{"strategy": "github"}, false},
		{"a strategy of many", values{"strategy": "oauth2"}, true},
		{"a script", values{"strategy": "github", "options/scripts/fetchUserProfile": "x"}, true},
		{"another token endpoint", values{"strategy": "github", "options/tokenURL": "https://a.test"}, true},
		{"another userinfo endpoint", values{"strategy": "github", "options/userinfo_endpoint": "https://a.test"}, true},
		{"another authorization endpoint", values{"strategy": "github", "options/authorizationURL": "https://a.test"}, false},
		{"no endpoint of its own", values{"strategy": "shopify"}, true},
		{"a host that the options name", values{"strategy": "exact", "options/baseUrl": "https://a.test"}, true},
	} {
		assert.Equal(t, tc.want, given(t, tc.values).Check().Named, tc.name)
	}
}

func TestS4Result(t *testing.T) {
	k := given(t, with(values{
		"options/userinfo_endpoint": "https://idp.test/me", "options/oidc_metadata": []byte(`{"issuer": "i"}`),
		"options/customHeaders": map[string]string{"B": "2", "A": "1"}, "options/domain": "", "options/tenant_domain": "t.test",
	})).Check()
	assert.Empty(t, k.Problems)
	assert.Equal(t, "https://idp.test/authorize", k.Base)
	assert.Equal(t, "https://idp.test/me", k.Strategy.UserinfoURL)
	assert.Equal(t, "i", k.Metadata.Issuer)
	assert.Equal(t, "A", k.Headers[0].Name)
	require.Len(t, k.Entries, 1)
	assert.Equal(t, "p", k.Entries[0].Name)
	k = given(t, values{"strategy": "google-apps", "name": "a", "options/client_id": "c", "options/tenant_domain": "t.test"}).Check()
	require.Len(t, k.Entries, 1)
	assert.Equal(t, "t.test", k.Entries[0].Value)
}
