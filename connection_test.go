package upstream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

func parse(t testing.TB, text string) *upstream.Connection {
	t.Helper()
	conn, err := upstream.ParseConnection([]byte(text))
	require.NoError(t, err)
	return conn
}

// custom is a custom social connection that lacks nothing, with more options.
// They may bring an authorizationURL of their own.
func custom(options string) string {
	if options != "" {
		options = ", " + options
	}
	if !strings.Contains(options, `"authorizationURL"`) {
		options = `, "authorizationURL": "https://idp.example.com/authorize"` + options
	}
	return `{"name": "my-idp", "strategy": "oauth2", "options": {"client_id": "c",
		"tokenURL": "https://idp.example.com/token"` + options + `}}`
}

// problems gives the pointers of all problems of a connection, and fails if it
// cannot be parsed.
func problems(t testing.TB, text string) (pointers []string, message string) {
	t.Helper()
	err := parse(t, text).Validate()
	if err == nil {
		return nil, ""
	}
	var config *upstream.ConfigError
	require.ErrorAs(t, err, &config)
	for _, p := range config.Problems {
		pointers = append(pointers, p.Pointer)
	}
	return pointers, err.Error()
}

func TestC1WholeConnectionOrBody(t *testing.T) {
	conn := parse(t, `{"id": "con_1", "name": "my-idp", "strategy": "oauth2", "display_name": "My IdP", "is_domain_connection": false,
		"enabled_clients": ["a", "b"], "realms": ["my-idp"], "options": {
		"client_id": "c", "client_secret": "s", "icon_url": "https://cdn.example.com/assets/icon.png",
		"scripts": {"fetchUserProfile": "function(){}"}, "authParams": {"custom_param": "custom.param.value"},
		"authParamsMap": {"custom_param2": "access_type"}, "customHeaders": {"X-A": "b"},
		"authorizationURL": "https://public-auth.example.com/oauth2/authorize", "tokenURL": "https://auth.example.com/oauth2/token",
		"userinfo_endpoint": "https://auth.example.com/me", "issuer": "https://auth.example.com", "jwks_uri": "https://auth.example.com/jwks",
		"scope": "auth", "useOauthSpecScope": true, "pkce_enabled": true, "connection_settings": {"pkce": "S256"},
		"token_endpoint_auth_method": "client_secret_basic", "upstream_params": {"blog": {"value": "b"}, "x": null}}}`)
	assert.Equal(t, "con_1", conn.ID)
	assert.Equal(t, "my-idp", conn.Name)
	assert.Equal(t, "oauth2", conn.Strategy)
	assert.Equal(t, "My IdP", conn.DisplayName)
	assert.Equal(t, []string{"a", "b"}, conn.EnabledClients)
	assert.Equal(t, upstream.Options{
		ClientID: "c", ClientSecret: upstream.NewSecret("s"), IconURL: "https://cdn.example.com/assets/icon.png",
		FetchUserProfile: upstream.NewSecret("function(){}"), AuthParams: map[string]string{"custom_param": "custom.param.value"},
		AuthParamsMap: map[string]upstream.Alias{"custom_param2": "access_type"}, CustomHeaders: upstream.Headers{"X-A": upstream.NewSecret("b")},
		AuthorizationURL: "https://public-auth.example.com/oauth2/authorize", TokenURL: "https://auth.example.com/oauth2/token",
		UserinfoEndpoint: "https://auth.example.com/me", Issuer: "https://auth.example.com", JWKSURI: "https://auth.example.com/jwks",
		Scope: []string{"auth"}, UseOAuthSpecScope: true, PKCEEnabled: true, PKCE: "S256",
		TokenEndpointAuthMethod: "client_secret_basic", UpstreamParams: map[string]upstream.Param{"blog": upstream.Static("b")},
		TokenParams: map[string]string{},
	}, conn.Options)
	assert.NoError(t, conn.Validate())

	body := parse(t, `{"options": {"client_id": "c"}}`)
	assert.Equal(t, "c", body.Options.ClientID)
	body.Options.UpstreamParams["blog"] = upstream.Static("b") // no map is nil
	body.Options.AuthParams["a"], body.Options.AuthParamsMap["b"], body.Options.CustomHeaders["c"] = "", "", upstream.Secret{}
	pointers, _ := problems(t, `{"options": {"client_id": "c"}}`)
	assert.Equal(t, []string{"/strategy"}, pointers)
}

func TestC2NamesMatchExactly(t *testing.T) {
	for _, tc := range []struct{ name, text, pointer, message string }{
		{"option in another case", custom(`"Upstream_Params": {}`), "/options/Upstream_Params", "upstream_params"},
		{"folded by Unicode", custom(`"ſcope": "x"`), "/options/ſcope", "scope"},
		{"root member in another case", `{"Strategy": "github", "strategy": "github", "options": {"client_id": "c"}}`, "/Strategy", "strategy"},
		{"options in another case", `{"strategy": "github", "options": {"client_id": "c"}, "Options": {}}`, "/Options", "options"},
		{"script in another case", custom(`"scripts": {"FetchUserProfile": "x"}`), "/options/scripts/FetchUserProfile", "fetchUserProfile"},
		{"setting in another case", custom(`"connection_settings": {"PKCE": "auto"}`), "/options/connection_settings/PKCE", "pkce"},
		{"option at the root", `{"strategy": "github", "options": {"client_id": "c"}, "customHeaders": {}}`, "/customHeaders", "options.customHeaders"},
		{"params at the root", `{"strategy": "github", "options": {"client_id": "c"}, "upstream_params": {}}`, "/upstream_params", "options.upstream_params"},
		{"option at the root in another case", `{"strategy": "github", "options": {"client_id": "c"}, "AuthParams": {}}`, "/AuthParams", "options.authParams"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pointers, message := problems(t, tc.text)
			assert.Equal(t, []string{tc.pointer}, pointers)
			assert.Contains(t, message, tc.message)
		})
	}
	pointers, _ := problems(t, `{"strategy": "github", "whatever": 1, "options": {"client_id": "c", "unknown": {"Name": 1, "upstream_params": 2}, "name": 3}}`)
	assert.Empty(t, pointers, "unknown members are kept, not judged")
}

// Shapes that real connections have, none of which may change by being read
// and written.
var realShapes = []string{
	`{}`,
	` { "options" : { "client_id" : "" , "profile":true,"scope":["profile"]}  } `,
	custom(`"scope": ["a", "b"]`), custom(`"scope": "a  b"`), custom(`"scope": "email,public_profile"`), custom(`"scope": null`), custom(`"scope": ""`), custom(`"scope": []`),
	`{"options":{"authorizationURL":null,"tokenURL":null,"scope":"x"}}`,
	custom(`"customHeaders": ""`), custom(`"customHeaders": {}`), custom(`"customHeaders": null`), custom(`"customHeaders": "{\"X-A\": \"b\"}"`),
	`{"name":"corp","strategy":"samlp","options":{"signInEndpoint":"https://s.example.com","upstream_params":{"screen_name":{"alias":"login_hint"}}}}`,
	`{"strategy":"auth0","options":{"passwordPolicy":"good","upstream_params":null}}`,
	`{"strategy":"sms","options":{"twilio_token":"t","upstream_params":{"a":"bare"}}}`,
	custom(`"authParams": {"response_type": "code", "scope": "openid profile"}`),
	`{"strategy":"oauth2","options":{"authorizationURL":"https://idp.example.com/a?acr_values=AAL2"}}`,
	custom(`"authParams": {"p": "B2C_1_signin"}`), custom(`"upstream_params": {"hd": "example.com"}`),
	custom(`"upstream_params": {"z": {"value": "1"}, "a": null, "m": {"alias": "prompt", "value": "login", "allow": [], "translate": {}}}`),
	custom(`"number": 1.0e+2, "big": 12345678901234567890, "null": null, "empty": "", "deep": {"b": [1, {"c": "\u00e9\/<&>"}], "a": -0.0}`),
	`{"strategy":"oauth1","options":{"consumerKey":"k","consumerSecret":"s","client_id":"k"}}`,
	`{"strategy":"oidc","options":{"client_id":"c","connection_settings":{"pkce":"auto","other":1},"scripts":{"getLogoutUrl":"x","fetchUserProfile":""}}}`,
	`{"options":{"useOauthSpecScope":false,"pkce_enabled":null,"client_secret":null,"display_name":""},"display_name":null}`,
	`{"options":7,"name":["x"],"enabled_clients":"a","strategy":null}`,
	`{"\u006eame":"x","options":{"cl\u0069ent_id":"\ud83d\ude00 \ud800"}}`,
}

func TestC3UnchangedKeepsItsBytes(t *testing.T) {
	for _, text := range realShapes {
		conn := parse(t, text)
		out, err := conn.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, text, string(out))

		var want, got bytes.Buffer // through encoding/json only white space and HTML escapes change
		require.NoError(t, json.Compact(&want, []byte(text)))
		viaJSON, err := json.Marshal(struct{ C *upstream.Connection }{conn})
		require.NoError(t, err)
		require.NoError(t, json.Compact(&got, viaJSON))
		assert.JSONEq(t, `{"C":`+want.String()+`}`, got.String())
	}
}

func TestC3OneChangeChangesOnlyThat(t *testing.T) {
	before := `{"zeta": 1.0, "name": "my-idp", "strategy": "oauth2", "options": {"x": null, "client_id": "c", "scope": ["a"], "upstream_params": {"z": {"value": "1"}, "n": null, "a": {"alias": "prompt"}}, "customHeaders": {"X-B": "1", "X-A": "2"}, "useOauthSpecScope": true, "scripts": {"other": 1}, "y": 1e3}, "a": ""}`
	for _, tc := range []struct {
		name     string
		change   func(*upstream.Connection)
		from, to string
	}{
		{"string", func(c *upstream.Connection) { c.Options.ClientID = `d"` }, `"client_id": "c"`, `"client_id": "d\""`},
		{"string removed", func(c *upstream.Connection) { c.Options.ClientID = "" }, `"client_id": "c", `, ``},
		{"string added", func(c *upstream.Connection) { c.DisplayName = "<b>&" }, `"a": ""`, `"a": "", "display_name": "<b>&"`},
		{"array stays one", func(c *upstream.Connection) { c.Options.Scope = []string{"a", "b"} }, `["a"]`, `["a","b"]`},
		{"list removed", func(c *upstream.Connection) { c.Options.Scope = nil }, `"scope": ["a"], `, ``},
		{"false is written", func(c *upstream.Connection) { c.Options.UseOAuthSpecScope = false }, `"useOauthSpecScope": true`, `"useOauthSpecScope": false`},
		{"true is added", func(c *upstream.Connection) { c.Options.PKCEEnabled = true }, `"y": 1e3`, `"y": 1e3, "pkce_enabled": true`},
		{"parameter added", func(c *upstream.Connection) { c.Options.UpstreamParams["blog"] = upstream.Static("b") }, `{"alias": "prompt"}`, `{"alias": "prompt"}, "blog": {"value":"b"}`},
		{"parameter suppressed", func(c *upstream.Connection) { c.Options.UpstreamParams["z"] = upstream.Static("") }, `{"value": "1"}`, `{"value":""}`},
		{"parameter in the place of null", func(c *upstream.Connection) { c.Options.UpstreamParams["n"] = upstream.Static("b") }, `"n": null`, `"n": {"value":"b"}`},
		{"parameter with rules", func(c *upstream.Connection) {
			c.Options.UpstreamParams["a"] = upstream.Param{Alias: "prompt", Value: "login", Allow: []string{}, AllowPattern: "x", Translate: map[string]string{"a": "b"}}
		}, `{"alias": "prompt"}`, `{"alias":"prompt","value":"login","allow":[],"allow_pattern":"x","translate":{"a":"b"}}`},
		{"parameter removed", func(c *upstream.Connection) { delete(c.Options.UpstreamParams, "z") }, `"z": {"value": "1"}, `, ``},
		{"all parameters removed", func(c *upstream.Connection) { c.Options.UpstreamParams = nil }, `"z": {"value": "1"}, "n": null, "a": {"alias": "prompt"}`, `"n": null`},
		{"header changed", func(c *upstream.Connection) { c.Options.CustomHeaders["X-A"] = upstream.NewSecret("3") }, `"X-A": "2"`, `"X-A": "3"`},
		{"new object", func(c *upstream.Connection) { c.Options.AuthParams = map[string]string{"b": "1", "a": "2"} }, `"y": 1e3`, `"y": 1e3, "authParams": {"a":"2","b":"1"}`},
		{"nested member", func(c *upstream.Connection) { c.Options.FetchUserProfile = upstream.NewSecret("f") }, `{"other": 1}`, `{"other": 1, "fetchUserProfile": "f"}`},
		{"new nested object", func(c *upstream.Connection) { c.Options.PKCE = "auto" }, `"y": 1e3`, `"y": 1e3, "connection_settings": {"pkce": "auto"}`},
		{"clients", func(c *upstream.Connection) { c.EnabledClients = []string{"app"} }, `"a": ""`, `"a": "", "enabled_clients": ["app"]`},
		{"list emptied", func(c *upstream.Connection) { c.Options.Scope = []string{} }, `["a"]`, `[]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(before, tc.from))
			conn := parse(t, before)
			tc.change(conn)
			out, err := conn.MarshalJSON()
			require.NoError(t, err)
			var want, got bytes.Buffer // white space of an object that was changed goes
			require.NoError(t, json.Compact(&want, []byte(strings.Replace(before, tc.from, tc.to, 1))))
			require.NoError(t, json.Compact(&got, out))
			assert.Equal(t, want.String(), got.String())
			again, err := parse(t, string(out)).MarshalJSON()
			require.NoError(t, err)
			assert.Equal(t, string(out), string(again), "stable")
		})
	}
}

// Each member of an entry that had only one is a change of its own.
func TestC3EntryOfOneMember(t *testing.T) {
	for _, tc := range []struct {
		before, after string
		param         upstream.Param
	}{
		{`{"alias":"prompt"}`, `{"alias":"prompt","value":"login"}`, upstream.Param{Alias: "prompt", Value: "login"}},
		{`{"alias":"prompt"}`, `{"alias":"prompt","allow":["login"]}`, upstream.Param{Alias: "prompt", Allow: []string{"login"}}},
		{`{"alias":"prompt"}`, `{"alias":"prompt","allow":[]}`, upstream.Param{Alias: "prompt", Allow: []string{}}},
		{`{"alias":"prompt"}`, `{"alias":"prompt","allow_pattern":"l.*"}`, upstream.Param{Alias: "prompt", AllowPattern: "l.*"}},
		{`{"alias":"prompt"}`, `{"alias":"prompt","translate":{"a":"b"}}`, upstream.Param{Alias: "prompt", Translate: map[string]string{"a": "b"}}},
		{`{"alias":"prompt"}`, `{"alias":"display"}`, upstream.Dynamic("display")},
		{`{"alias":"prompt"}`, `{"value":"prompt"}`, upstream.Static("prompt")},
		{`{"value":"login"}`, `{"alias":"prompt","value":"login"}`, upstream.Param{Alias: "prompt", Value: "login"}},
		{`{"value":"login"}`, `{"value":"consent"}`, upstream.Static("consent")},
		{`{"value":""}`, `{"value":"login"}`, upstream.Static("login")},
		{`{"alias":"prompt","value":"login"}`, `{"alias":"prompt"}`, upstream.Dynamic("prompt")},
		{`{"value":"login","alias":"prompt"}`, `{"value":"login"}`, upstream.Static("login")},
	} {
		conn := parse(t, `{"options":{"upstream_params":{"p":`+tc.before+`}}}`)
		conn.Options.UpstreamParams["p"] = tc.param
		out, err := conn.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, `{"options":{"upstream_params":{"p":`+tc.after+`}}}`, string(out))
	}
}

func TestC3ChangeOverAnotherShape(t *testing.T) {
	for _, tc := range []struct {
		name, before string
		change       func(*upstream.Connection)
		want         string
	}{
		{"scope text stays text", `{"options":{"scope":"a"}}`, func(c *upstream.Connection) { c.Options.Scope = []string{"a", "b"} }, `{"options":{"scope":"a b"}}`},
		{"null becomes a value", `{"options":{"upstream_params":null,"authorizationURL":null}}`, func(c *upstream.Connection) {
			c.Options.UpstreamParams = map[string]upstream.Param{"a": upstream.Static("b")}
			c.Options.AuthorizationURL = "https://i.example.com"
		}, `{"options":{"upstream_params":{"a":{"value":"b"}},"authorizationURL":"https://i.example.com"}}`},
		{"headers in a string", `{"options":{"customHeaders":"{\"X-A\":\"1\"}"}}`, func(c *upstream.Connection) { c.Options.CustomHeaders["X-B"] = upstream.NewSecret("2") },
			`{"options":{"customHeaders":{"X-A":"1","X-B":"2"}}}`},
		{"headers in a string removed", `{"options":{"customHeaders":"{\"X-A\":\"1\"}"}}`, func(c *upstream.Connection) { c.Options.CustomHeaders = nil }, `{"options":{}}`},
		{"the spelling stays", `{"options":{"authorization_endpoint":"https://a.example.com","consumerKey":"k"}}`, func(c *upstream.Connection) {
			c.Options.AuthorizationURL, c.Options.ClientID = "https://b.example.com", "l"
		}, `{"options":{"authorization_endpoint":"https://b.example.com","consumerKey":"l"}}`},
		{"a spelling that says something else stays", `{"options":{"client_id":"k","consumer_key":"x","consumerKey":""}}`, func(c *upstream.Connection) { c.Options.ClientID = "l" }, `{"options":{"client_id":"l","consumer_key":"x","consumerKey":"l"}}`},
		{"both spellings follow", `{"options":{"client_id":"k","consumer_key":"k"}}`, func(c *upstream.Connection) { c.Options.ClientID = "l" }, `{"options":{"client_id":"l","consumer_key":"l"}}`},
		{"new endpoints of OpenID Connect", `{"strategy":"oidc","options":{}}`, func(c *upstream.Connection) {
			c.Options.AuthorizationURL, c.Options.TokenURL = "https://a.example.com", "https://t.example.com"
		}, `{"strategy":"oidc","options":{"authorization_endpoint":"https://a.example.com","token_endpoint":"https://t.example.com"}}`},
		{"new endpoints of OAuth 2.0", `{"strategy":"oauth2","options":{}}`, func(c *upstream.Connection) {
			c.Options.AuthorizationURL, c.Options.TokenURL = "https://a.example.com", "https://t.example.com"
		}, `{"strategy":"oauth2","options":{"authorizationURL":"https://a.example.com","tokenURL":"https://t.example.com"}}`},
		{"names keep their spelling", `{"\u0061":1,"\ud800":2,"options":{"\/x":3}}`, func(c *upstream.Connection) { c.Options.ClientID = "c" }, `{"\u0061":1,"\ud800":2,"options":{"\/x":3,"client_id":"c"}}`},
		{"options that are no object", `{"options":7}`, func(c *upstream.Connection) { c.Options.ClientID = "c" }, `{"options":{"client_id":"c"}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn := parse(t, tc.before)
			tc.change(conn)
			out, err := conn.MarshalJSON()
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(out))
		})
	}
}

func TestC3LiteralMarshals(t *testing.T) {
	conn := upstream.Connection{Name: "my-idp", Strategy: "oidc", Options: upstream.Options{ClientID: "c", ClientSecret: upstream.NewSecret("s"),
		AuthorizationURL: "https://idp.example.com/a", TokenURL: "https://idp.example.com/t", Scope: []string{"openid", "email"},
		UpstreamParams: map[string]upstream.Param{"login_hint": upstream.Dynamic("login_hint")}}}
	out, err := json.Marshal(conn)
	require.NoError(t, err)
	assert.Equal(t, `{"name":"my-idp","strategy":"oidc","options":{"client_id":"c","client_secret":"s",`+
		`"authorization_endpoint":"https://idp.example.com/a","token_endpoint":"https://idp.example.com/t","scope":"openid email",`+
		`"upstream_params":{"login_hint":{"alias":"login_hint"}}}}`, string(out))
	assert.NoError(t, conn.Validate())
	back := parse(t, string(out))
	assert.NoError(t, back.Validate())
	assert.Equal(t, conn.Options.UpstreamParams, back.Options.UpstreamParams)
}

func TestC3UpdateBody(t *testing.T) {
	conn := parse(t, `{"id": "con_1", "name": "wp", "strategy": "wordpress", "options": {"client_id": "", "profile": true, "scope": ["profile"]}, "realms": ["wp"]}`)
	body, err := conn.UpdateBody()
	require.NoError(t, err)
	assert.Equal(t, `{"options":{"client_id": "", "profile": true, "scope": ["profile"]}}`, string(body))

	conn.Options.UpstreamParams = map[string]upstream.Param{"blog": upstream.Static("myblog.wordpress.com")}
	body, err = conn.UpdateBody()
	require.NoError(t, err)
	assert.Equal(t, `{"options":{"client_id":"","profile":true,"scope":["profile"],"upstream_params":{"blog":{"value":"myblog.wordpress.com"}}}}`, string(body))

	literal := upstream.Connection{Options: upstream.Options{ClientID: "c"}}
	body, err = literal.UpdateBody()
	require.NoError(t, err)
	assert.Equal(t, `{"options":{"client_id":"c"}}`, string(body))
	emptied := parse(t, `{"options": {"client_id": "c"}}`)
	emptied.Options = upstream.Options{}
	body, err = emptied.UpdateBody()
	require.NoError(t, err)
	assert.Equal(t, `{"options":{}}`, string(body), "they were read")

	null := parse(t, `{"options": null}`)
	null.Options.UpstreamParams["a"] = upstream.Static("b")
	for _, c := range []*upstream.Connection{
		nil, {}, {ID: "con_1", DisplayName: "new"}, parse(t, `{"name": "listed-without-options"}`), parse(t, `{"options": null}`), null,
	} {
		_, err = c.UpdateBody()
		var config *upstream.ConfigError
		require.ErrorAs(t, err, &config, "it would wipe the options out")
		assert.Equal(t, "/options", config.Problems[0].Pointer)
	}
}

func TestC4Refused(t *testing.T) {
	for _, tc := range []struct{ name, text, pointer, message string }{
		{"not JSON", `{"name":`, "/name", "line 1, column 9"},
		{"trailing data", `{} {}`, "", "after the end"},
		{"doubled member", `{"name": "a", "name": "b"}`, "/name", "twice"},
		{"doubled member below", `{"options": {"upstream_params": {"a": {}, "\u0061": {}}}}`, "/options/upstream_params/a", "twice"},
		{"too deep", strings.Repeat(`{"a":`, 64) + `{}` + strings.Repeat(`}`, 64), "", "64 levels"},
		{"too long", `{"a": "` + strings.Repeat("x", 1<<20) + `"}`, "", "1 MiB"},
		{"array", `[]`, "", "object"}, {"null", `null`, "", "object"}, {"text", `"x"`, "", "object"}, {"nothing", ``, "", "ends where"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := upstream.ParseConnection([]byte(tc.text))
			assert.Nil(t, conn)
			var config *upstream.ConfigError
			require.ErrorAs(t, err, &config)
			assert.Equal(t, tc.pointer, config.Problems[0].Pointer)
			assert.Contains(t, err.Error(), tc.message)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	just := `{"a": "` + strings.Repeat("x", 1<<20-9) + `"}`
	require.Len(t, just, 1<<20)
	parse(t, just)
	parse(t, strings.Repeat(`{"a":`, 63)+`{}`+strings.Repeat(`}`, 63))
}

// A program may mask a secret in what it got.
func TestE4OutputIsNotKept(t *testing.T) {
	const text = `{"name": "acme", "strategy": "github", "options": {"client_id": "c", "client_secret": "s3cret", "own": 1}}`
	conn := parse(t, text)
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	out, err := conn.MarshalJSON()
	require.NoError(t, err)
	_ = append(out, "further"...)
	copy(out, bytes.Repeat([]byte("x"), len(out)))
	again, err := conn.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, text, string(again))
	p = p.WithProfileFetcher(conn, func(_ context.Context, _ *oauth2.Token, c *upstream.Connection) (*upstream.Profile, error) {
		assert.Equal(t, "s3cret", c.Options.ClientSecret.Reveal())
		return &upstream.Profile{UserID: "1"}, nil
	})
	_, err = p.FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
	require.NoError(t, err)
}

func TestC4InputIsNotKept(t *testing.T) {
	data := []byte(`{"name": "abc"}`)
	conn, err := upstream.ParseConnection(data)
	require.NoError(t, err)
	copy(data, bytes.Repeat([]byte("x"), len(data)))
	out, err := conn.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, `{"name": "abc"}`, string(out))
	var viaJSON upstream.Connection
	require.NoError(t, json.Unmarshal([]byte(`{"name": "abc"}`), &viaJSON))
	assert.Equal(t, "abc", viaJSON.Name)
	assert.Error(t, json.Unmarshal([]byte(`{"name": "abc", "name": "d"}`), &viaJSON))
}

func TestC5Limits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) } // characters, not bytes
	url := func(n int) string {
		return "https://idp.example.com/" + strings.Repeat("a", n-len("https://idp.example.com/"))
	}
	with := func(member, value string) string { return custom(`"` + member + `": ` + value) }
	quote := func(s string) string { return `"` + s + `"` }
	members := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf(`"p%d": "prompt"`, i))
		}
		return "{" + strings.Join(out, ",") + "}"
	}
	endpoints := func(auth, token string) string {
		return `{"name": "n", "strategy": "oauth2", "options": {"client_id": "c", "authorizationURL": ` + auth + `, "tokenURL": ` + token + `}}`
	}
	good := quote(url(100))
	oauth1 := func(member, value string) string {
		return `{"name": "n", "strategy": "oauth1", "options": {"userAuthorizationURL": "https://a.example", "requestTokenURL": "https://a.example", "accessTokenURL": "https://a.example", "x": 1}}`[:0] +
			strings.Replace(`{"name": "n", "strategy": "oauth1", "options": {"userAuthorizationURL": "https://a.example", "requestTokenURL": "https://a.example", "accessTokenURL": "https://a.example"}}`,
				`"`+member+`": "https://a.example"`, `"`+member+`": `+value, 1)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"display_name 128", `{"display_name": "` + long(128) + `",` + custom("")[1:], ""},
		{"display_name 129", `{"display_name": "` + long(129) + `",` + custom("")[1:], "/display_name"},
		{"display_name empty", `{"display_name": "",` + custom("")[1:], "/display_name"},
		{"display_name null", `{"display_name": null,` + custom("")[1:], ""},
		{"display_name number", `{"display_name": 1,` + custom("")[1:], "/display_name"},
		{"client_id 128", strings.Replace(custom(""), `"c"`, quote(long(128)), 1), ""},
		{"client_id 129", strings.Replace(custom(""), `"c"`, quote(long(129)), 1), "/options/client_id"},
		{"client_id null", strings.Replace(custom(""), `"c"`, "null", 1), "/options/client_id"},
		{"client_id number", strings.Replace(custom(""), `"c"`, "12", 1), "/options/client_id"},
		{"client_secret 1024", with("client_secret", quote(long(1024))), ""},
		{"client_secret 1025", with("client_secret", quote(long(1025))), "/options/client_secret"},
		{"client_secret null", with("client_secret", "null"), ""},
		{"client_secret empty", with("client_secret", `""`), ""},
		{"authorizationURL 2083", endpoints(quote(url(2083)), good), ""},
		{"authorizationURL 2084", endpoints(quote(url(2084)), good), "/options/authorizationURL"},
		{"authorizationURL empty", endpoints(`""`, good), "/options/authorizationURL"},
		{"authorizationURL null", endpoints(`null`, good), "/options/authorizationURL"},
		{"authorizationURL number", endpoints(`1`, good), "/options/authorizationURL"},
		{"tokenURL 255", endpoints(good, quote(url(255))), ""},
		{"tokenURL 256", endpoints(good, quote(url(256))), "/options/tokenURL"},
		{"token_endpoint 256", strings.Replace(endpoints(good, quote(url(256))), "tokenURL", "token_endpoint", 1), "/options/token_endpoint"},
		{"both spellings alike", with("authorization_endpoint", `"https://idp.example.com/authorize"`), ""},
		{"both spellings, one empty", with("authorization_endpoint", `""`), ""},
		{"both spellings, one null", with("authorization_endpoint", `null`), ""},
		{"spellings alike, but for an escape", with("authorization_endpoint", `"https:\/\/idp.example.com\/authorize"`), ""},
		{"both pairs of an X app", `{"strategy": "twitter", "options": {"protocol": "oauth2", "client_id": "c", "consumer_key": "k", "client_secret": "s", "consumerSecret": "t"}}`, ""},
		{"both pairs of an X app, and a mistake", `{"strategy": "twitter", "options": {"protocol": "oauth2", "client_id": "c", "consumer_key": "k", "scope": 1}}`, "/options/scope"},
		{"both pairs of an X app, OAuth 1.0a", `{"strategy": "twitter", "options": {"client_id": "c", "consumer_key": "k"}}`, "/options/consumer_key"},
		{"both spellings unlike", with("authorization_endpoint", good), "/options/authorization_endpoint"},
		{"token spellings unlike", with("token_endpoint", good), "/options/token_endpoint"},
		{"client spellings unlike", with("consumer_key", `"d"`), "/options/consumer_key"},
		{"client spelling after an empty one", strings.Replace(with("consumerKey", `"d"`), `"c"`, `""`, 1), ""},
		{"userinfo_endpoint 255", with("userinfo_endpoint", quote(url(255))), ""},
		{"userinfo_endpoint 256", with("userinfo_endpoint", quote(url(256))), "/options/userinfo_endpoint"},
		{"userinfo_endpoint http", with("userinfo_endpoint", `"http://idp.example.com/u"`), "/options/userinfo_endpoint"},
		{"icon_url 255", with("icon_url", quote(url(255))), ""},
		{"icon_url 256", with("icon_url", quote(url(256))), "/options/icon_url"},
		{"icon_url http", with("icon_url", `"http://cdn.example.com/i.png"`), ""},
		{"icon_url data", with("icon_url", `"data:image/png;base64,AA"`), "/options/icon_url"},
		{"icon_url empty", with("icon_url", `""`), ""},
		{"scope text 4096", with("scope", quote(long(4096))), ""},
		{"scope text 4097", with("scope", quote(long(4097))), "/options/scope"},
		{"scope 20 items", with("scope", `["`+strings.Repeat(`a","`, 19)+`a"]`), ""},
		{"scope 21 items", with("scope", `["`+strings.Repeat(`a","`, 20)+`a"]`), "/options/scope"},
		{"scope item 189", with("scope", `["`+long(189)+`"]`), ""},
		{"scope item 190", with("scope", `["a", "`+long(190)+`"]`), "/options/scope/1"},
		{"scope number", with("scope", `7`), "/options/scope"},
		{"scope item number", with("scope", `["a", 7]`), "/options/scope/1"},
		{"upstream_params array", with("upstream_params", `[]`), "/options/upstream_params"},
		{"upstream_params text", with("upstream_params", `"x"`), "/options/upstream_params"},
		{"authParams array", with("authParams", `[]`), "/options/authParams"},
		{"authParams 30", with("authParams", members(30)), ""},
		{"authParams 31", with("authParams", members(31)), "/options/authParams"},
		{"authParams value 256", with("authParams", `{"a": "`+long(256)+`"}`), ""},
		{"authParams value 257", with("authParams", `{"a": "`+long(257)+`"}`), "/options/authParams/a"},
		{"authParams value empty", with("authParams", `{"a": ""}`), "/options/authParams/a"},
		{"authParams value null", with("authParams", `{"a": null}`), "/options/authParams/a"},
		{"authParamsMap 21", with("authParamsMap", members(21)), ""},
		{"authParamsMap 22", with("authParamsMap", members(22)), "/options/authParamsMap"},
		{"authParamsMap value empty", with("authParamsMap", `{"a": ""}`), "/options/authParamsMap/a"},
		{"authParamsMap value number", with("authParamsMap", `{"a": 1}`), "/options/authParamsMap/a"},
		{"script 51200", with("scripts", `{"fetchUserProfile": "`+long(51200)+`"}`), ""},
		{"script 51201", with("scripts", `{"fetchUserProfile": "`+long(51201)+`"}`), "/options/scripts/fetchUserProfile"},
		{"scripts text", with("scripts", `"x"`), "/options/scripts"},
		{"scripts null", with("scripts", `null`), ""},
		{"pkce_enabled text", with("pkce_enabled", `"true"`), "/options/pkce_enabled"},
		{"useOauthSpecScope number", with("useOauthSpecScope", `1`), "/options/useOauthSpecScope"},
		{"pkce auto", with("connection_settings", `{"pkce": "auto"}`), ""},
		{"pkce disabled", with("connection_settings", `{"pkce": "disabled"}`), ""},
		{"pkce plain", with("connection_settings", `{"pkce": "plain"}`), "/options/connection_settings/pkce"},
		{"pkce unknown", with("connection_settings", `{"pkce": "s256"}`), "/options/connection_settings/pkce"},
		{"pkce disabled and required", with("connection_settings", `{"pkce": "disabled"}, "pkce_enabled": true`), "/options/connection_settings/pkce"},
		{"auth method post", with("token_endpoint_auth_method", `"client_secret_post"`), ""},
		{"auth method none", with("token_endpoint_auth_method", `"none"`), ""},
		{"auth method private_key_jwt", with("token_endpoint_auth_method", `"private_key_jwt"`), ""},
		{"auth method unknown", with("token_endpoint_auth_method", `"client_secret_magic"`), "/options/token_endpoint_auth_method"},
		{"twitter protocol", `{"strategy": "twitter", "options": {"client_id": "c", "protocol": "oauth3"}}`, "/options/protocol"},
		{"enabled_clients text", `{"enabled_clients": "a",` + custom("")[1:], "/enabled_clients"},
		{"options text", `{"name": "n", "strategy": "sms", "options": "x"}`, "/options"},
		{"userAuthorizationURL 256", oauth1("userAuthorizationURL", quote(url(256))), "/options/userAuthorizationURL"},
		{"requestTokenURL http", oauth1("requestTokenURL", `"http://a.example"`), "/options/requestTokenURL"},
		{"accessTokenURL fragment", oauth1("accessTokenURL", `"https://a.example#x"`), "/options/accessTokenURL"},
		{"oauth1 with a bad authorizationURL", oauth1("accessTokenURL", `"https://a.example", "authorizationURL": "x"`), "/options/authorizationURL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pointers, message := problems(t, tc.text)
			if tc.want == "" {
				assert.Empty(t, pointers, message)
			} else {
				assert.Equal(t, []string{tc.want}, pointers, message)
			}
		})
	}
}

func TestC5Name(t *testing.T) {
	for text, want := range map[string][]string{
		`{"name": "a-b", "strategy": "github", "options": {"client_id": "c"}}`:                                                            nil,
		`{"strategy": "github", "options": {"client_id": "c"}}`:                                                                           nil,
		`{"name": "", "strategy": "github", "options": {"client_id": "c"}}`:                                                               {"/name"},
		`{"name": "a|b", "strategy": "github", "options": {"client_id": "c"}}`:                                                            nil, // no subject holds it
		`{"name": "` + strings.Repeat("a", 129) + `", "strategy": "github", "options": {"client_id": "c"}}`:                               {"/name"},
		`{"strategy": "okta", "options": {"client_id": "c", "domain": "dev-1.okta.com"}}`:                                                 {"/name"},
		`{"name": "` + strings.Repeat("a", 129) + `", "strategy": "waad", "options": {"client_id": "c", "tenant_domain": "contoso.com"}}`: {"/name"},
	} {
		pointers, _ := problems(t, text)
		assert.Equal(t, want, pointers, text)
	}
}

func TestC5InsecureAllowHTTP(t *testing.T) {
	conn := parse(t, strings.ReplaceAll(custom(`"InsecureAllowHTTP": true`), "https://", "http://"))
	assert.Error(t, conn.Validate(), "no JSON sets it")
	conn.InsecureAllowHTTP = true
	assert.NoError(t, conn.Validate())
	url, err := upstream.AuthorizationURL(conn, nil, sampleTransaction)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(url, "http://idp.example.com/authorize?"), url)
}

// Validate tells what the text says wrong only as long as the program has not
// set the field.
func TestC5ProgramMendsTheText(t *testing.T) {
	conn := parse(t, custom(`"client_secret": 5, "upstream_params": {"prompt": "login", "a": {"alias": "nope"}, "b": {"value": 1}}, "customHeaders": 7, "scope": 3`))
	err := conn.Validate()
	var config *upstream.ConfigError
	require.ErrorAs(t, err, &config)
	assert.Len(t, config.Problems, 6)
	conn.Options.UpstreamParams["prompt"] = upstream.Static("login")
	require.ErrorAs(t, conn.Validate(), &config)
	assert.Len(t, config.Problems, 5, "mending one hides no other")
	conn.Options.UpstreamParams["a"] = upstream.Dynamic("prompt")
	delete(conn.Options.UpstreamParams, "b")
	conn.Options.CustomHeaders = upstream.Headers{"X-A": upstream.NewSecret("b")}
	conn.Options.ClientSecret = upstream.NewSecret("s")
	conn.Options.Scope = []string{"a"}
	require.NoError(t, conn.Validate())
	out, err := conn.MarshalJSON()
	require.NoError(t, err)
	assert.NoError(t, parse(t, string(out)).Validate())
	assert.Contains(t, string(out), `"upstream_params":{"prompt":{"value":"login"},"a":{"alias":"prompt"}}`)
}

func TestC6Hints(t *testing.T) {
	for _, tc := range []struct{ param, pointer, hint string }{
		{`"login"`, "", `{"value": "..."}`},
		{`true`, "", `{"value": "..."}`},
		{`["a"]`, "", `{"value": "..."}`},
		{`["a"]`, "", `must be an object`},
		{`{}`, "", "value or an alias"},
		{`{"value": true}`, "/value", "quotes"},
		{`{"value": 60}`, "/value", "quotes"},
		{`{"value": null}`, "/value", `remove it, or write ""`},
		{`{"value": {"a": 1}}`, "/value", `must be a string`},
		{`{"alias": 5}`, "/alias", "login_hint max_age"},
		{`{"alias": ""}`, "/alias", "login_hint max_age"},
		{`{"alias": "login_hnt"}`, "/alias", "did you mean login_hint?"},
		{`{"alias": "Prompt"}`, "/alias", "did you mean prompt?"},
		{`{"alias": "scope"}`, "/alias", "acr_values audience client_id"},
		{`{"alias": "access_type"}`, "/alias", "ui_locales; authParamsMap takes it"},
		{`{"valeu": "x"}`, "/valeu", "did you mean value?"},
		{`{"alias": "prompt", "zzzzzzzzz": 1}`, "/zzzzzzzzz", "not known"},
		{`{"alias": "prompt", "allow": "login"}`, "/allow", "array"},
		{`{"alias": "prompt", "allow": ["a", 1]}`, "/allow/1", "must be a string"},
		{`{"alias": "prompt", "allow_pattern": "("}`, "/allow_pattern", "missing closing"},
		{`{"alias": "prompt", "allow_pattern": "a)|(b"}`, "/allow_pattern", "unexpected )"},
		{`{"alias": "prompt", "allow_pattern": ""}`, "/allow_pattern", "empty"},
		{`{"alias": "prompt", "translate": []}`, "/translate", "object"},
		{`{"alias": "prompt", "translate": {"a": 4}}`, "/translate/a", "quotes"},
		{`{"value": "x", "allow": ["x"]}`, "/allow", "alias"},
		{`{"value": "x", "allow_pattern": "x"}`, "/allow_pattern", "alias"},
		{`{"value": "x", "translate": {"x": "y"}}`, "/translate", "alias"},
	} {
		pointers, message := problems(t, custom(`"upstream_params": {"p": `+tc.param+`}`))
		assert.Equal(t, []string{"/options/upstream_params/p" + tc.pointer}, pointers, tc.param)
		assert.Contains(t, message, tc.hint, tc.param)
	}
	_, message := problems(t, custom(`"upstream_params": {"p": {"alias": "code_challenge"}}`))
	assert.NotContains(t, message, "authParamsMap")
}

const planted = "pl4nted-s3cret"

func TestH8SecretsArePrintedNowhere(t *testing.T) {
	conn := parse(t, custom(`"client_secret": "`+planted+`", "customHeaders": {"Authorization": "`+planted+`"}, "scripts": {"fetchUserProfile": "`+planted+`"},
		"unknown": "`+planted+`", "upstream_params": {"blog": {"value": "b"}}`))
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	req, err := upstream.ParseAuthorizeQuery("id_token_hint=" + planted + "&login_hint=h")
	require.NoError(t, err)
	tx := upstream.Transaction{RedirectURI: "https://auth.example.com/cb", State: upstream.NewSecret(planted), Nonce: upstream.NewSecret(planted), CodeVerifier: upstream.NewSecret(planted), RequestToken: upstream.NewSecret(planted)}
	explanation, err := p.Explain(req, sampleTransaction)
	require.NoError(t, err)
	var out bytes.Buffer
	for _, v := range []any{conn, *conn, conn.Options, &conn.Options, conn.Options.ClientSecret, conn.Options.CustomHeaders, []any{conn}, map[string]any{"c": *conn},
		struct{ C *upstream.Connection }{conn}, p, *p, []*upstream.Provider{p}, req, *req, tx, &tx, explanation} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "c", conn, "d", *conn, "o", conn.Options, "s", conn.Options.ClientSecret, "p", p, "r", req, "t", tx)
	}
	// Bad values in one place each, so that messages have a chance to repeat them.
	bad := parse(t, `{"name": "`+planted+`_", "strategy": "oauth2", "options": {"client_id": "`+strings.Repeat(planted, 20)+`", "client_secret": "`+strings.Repeat(planted, 100)+`",
		"authorizationURL": "https://user:`+planted+`@idp.example.com/", "tokenURL": "ftp://`+planted+`", "userinfo_endpoint": "https://a/%zz`+planted+`", "icon_url": "`+planted+`",
		"customHeaders": {"X-A": "`+planted+`\n", "Host": "`+planted+`"}, "authParams": {"a": ["`+planted+`"]}, "token_endpoint_auth_method": "`+planted+`", "connection_settings": {"pkce": "`+planted+`"}}}`)
	bad.Name = ""
	fmt.Fprintln(&out, bad.Validate())
	_, err = p.AuthorizationURL(req, tx)
	fmt.Fprintf(&out, "%v %+v %#v\n", err, err, err)
	_, err = upstream.ParseAuthorizeQuery("login_hint=" + planted + "%00")
	fmt.Fprintf(&out, "%v %+v %#v\n", err, err, err)
	for _, form := range []string{planted, fmt.Sprintf("%x", planted), fmt.Sprintf("%X", planted), strings.Trim(fmt.Sprint([]byte(planted)), "[]")} {
		if i := strings.Index(out.String(), form); i >= 0 {
			t.Errorf("a secret is printed: ...%s", out.String()[max(0, i-200):i+len(form)])
		}
	}
	assert.True(t, strings.Contains(out.String(), "[redacted]"))
	assert.True(t, strings.Contains(out.String(), "my-idp"))

	full, err := json.Marshal(conn)
	require.NoError(t, err)
	assert.Equal(t, 4, strings.Count(string(full), planted), "marshalling is in full")
	secret, err := json.Marshal(conn.Options.ClientSecret)
	require.NoError(t, err)
	assert.Equal(t, `"`+planted+`"`, string(secret))
}

func TestE1ConfigErrorText(t *testing.T) {
	_, message := problems(t, custom(`"upstream_params": {"a\nb": {"alias": "nope"}, "c": "bare"}`))
	assert.True(t, strings.HasPrefix(message, `upstream: connection "my-idp": /options/upstream_params/c must be an object`), message)
	assert.Contains(t, message, `; /options/upstream_params/a\nb holds a space`)
	assert.NotContains(t, message, "\n")
	var none *upstream.Connection
	assert.EqualError(t, none.Validate(), "upstream: connection: there is no connection")
}
