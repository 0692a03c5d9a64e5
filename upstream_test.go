package upstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

func provider(t testing.TB, text string) *upstream.Provider {
	t.Helper()
	p, err := upstream.NewProvider(parse(t, text))
	require.NoError(t, err)
	return p
}

// query gives the query of the upstream URL for a connection's options and the
// raw query of a request, without what every URL has.
func query(t testing.TB, options, request string) string {
	t.Helper()
	req, err := upstream.ParseAuthorizeQuery(request)
	require.NoError(t, err)
	out, err := provider(t, custom(options)).AuthorizationURL(req, upstream.Transaction{RedirectURI: "x:y", State: upstream.NewSecret("s")})
	require.NoError(t, err)
	out, ok := strings.CutPrefix(out, "https://idp.example.com/authorize?")
	require.True(t, ok, out)
	for _, pair := range []string{"client_id=c", "redirect_uri=x%3Ay", "response_type=code", "state=s"} {
		require.Equal(t, 1, strings.Count("&"+out+"&", "&"+pair+"&"), out)
		out = strings.Trim(strings.Replace("&"+out+"&", "&"+pair+"&", "&", 1), "&")
	}
	return out
}

// What may be mapped is a closed list: of all recognised parameters, the others
// are refused as a source.
func TestA1A2OnlyTheListsCanBeMapped(t *testing.T) {
	more := strings.Fields("access_type approval_prompt force_login hd include_granted_scopes wauth whr")
	for name := range recognised {
		alias := slices.Contains(aliases, name)
		pointers, _ := problems(t, custom(`"upstream_params": {"p": {"alias": "`+name+`"}}`))
		assert.Equal(t, alias, pointers == nil, "alias %s", name)
		pointers, _ = problems(t, custom(`"authParamsMap": {"p": "`+name+`"}`))
		assert.Equal(t, alias || slices.Contains(more, name), pointers == nil, "authParamsMap %s", name)
	}
}

func TestM2LayersFallThrough(t *testing.T) {
	all := `"authorizationURL": "https://idp.example.com/authorize?p=url", "authParams": {"p": "static"}, "authParamsMap": {"p": "access_type"},
		"upstream_params": {"p": {"alias": "prompt", "allow": ["a"]}}`
	for _, tc := range []struct{ without, request, want string }{
		{"", "prompt=a&access_type=b", "p=a"},
		{"", "prompt=z&access_type=b", "p=b"},
		{"", "access_type=b", "p=b"},
		{"", "access_type=", "p=static"},
		{`"authParams": {"p": "static"}, `, "", "p=url"},
		{`?p=url`, "", "p=static"},
	} {
		options := strings.Replace(all, tc.without, "", 1)
		text := `{"name": "n", "strategy": "oauth2", "options": {"client_id": "c", "tokenURL": "https://idp.example.com/token", ` + options + `}}`
		req, err := upstream.ParseAuthorizeQuery(tc.request)
		require.NoError(t, err)
		out, err := upstream.AuthorizationURL(parse(t, text), req, sampleTransaction)
		require.NoError(t, err)
		u, err := url.Parse(out)
		require.NoError(t, err)
		assert.Equal(t, strings.TrimPrefix(tc.want, "p="), u.Query().Get("p"), "%s %s", tc.without, tc.request)
	}
}

func TestM2DefaultBeforeLowerLayers(t *testing.T) {
	options := `"authParams": {"p": "lower"}, "upstream_params": {"p": {"alias": "prompt", "value": "default", "allow": ["a"]}}`
	assert.Equal(t, "p=default", query(t, options, ""))
	assert.Equal(t, "p=default", query(t, options, "prompt=b"))
	assert.Equal(t, "p=a", query(t, options, "prompt=a"))
	assert.Equal(t, "p=lower", query(t, `"authParams": {"p": "lower"}, "upstream_params": {"p": {"alias": "prompt", "value": ""}}`, ""), "an empty default is none")
	assert.Empty(t, query(t, `"authorizationURL": null, "authorization_endpoint": "https://idp.example.com/authorize?p=&q"`, ""), "nothing is sent empty")
	assert.Equal(t, "a=1&b=2", query(t, `"authorizationURL": null, "authorization_endpoint": "https://idp.example.com/authorize?&a=1&&b=2&"`, ""), "an empty pair is none")
}

func TestM3Reserved(t *testing.T) {
	names := strings.Fields("client_id client_secret redirect_uri state nonce code code_verifier code_challenge code_challenge_method grant_type " +
		"request request_uri client_assertion client_assertion_type oauth_token oauth_ oauth_callback OAUTH_x Client_ID ſtate")
	for _, name := range names {
		for _, layer := range []string{`"upstream_params": {"%s": {"value": "x"}}`, `"upstream_params": {"%s": {"value": ""}}`, `"upstream_params": {"%s": {"alias": "prompt"}}`,
			`"authParams": {"%s": "x"}`, `"authParamsMap": {"%s": "prompt"}`} {
			pointers, message := problems(t, custom(fmt.Sprintf(layer, name)))
			require.Len(t, pointers, 1, layer)
			assert.Contains(t, pointers[0], "/"+name)
			assert.Contains(t, message, "set by the protocol")
		}
		pointers, _ := problems(t, strings.Replace(custom(""), "/authorize", "/authorize?"+url.QueryEscape(name)+"=x", 1))
		assert.Equal(t, []string{"/options/authorizationURL"}, pointers, name)
	}
	for _, name := range []string{"clientid", "blog", "oauth", "states", "client_key"} {
		pointers, _ := problems(t, custom(`"upstream_params": {"`+name+`": {"alias": "prompt"}}`))
		assert.Empty(t, pointers, name)
	}
}

func TestM3StaticOnly(t *testing.T) {
	for _, tc := range []struct{ options, pointer string }{
		{`"upstream_params": {"scope": {"alias": "prompt", "value": "x"}}`, "/options/upstream_params/scope"},
		{`"upstream_params": {"Scope": {"value": "x"}}`, "/options/upstream_params/Scope"},
		{`"upstream_params": {"response_type": {"value": "id_token"}}`, "/options/upstream_params/response_type"},
		{`"upstream_params": {"response_type": {"value": ""}}`, "/options/upstream_params/response_type"},
		{`"upstream_params": {"response_mode": {"value": "fragment"}}`, "/options/upstream_params/response_mode"},
		{`"authParams": {"response_type": "token"}`, "/options/authParams/response_type"},
		{`"authParamsMap": {"scope": "prompt"}`, "/options/authParamsMap/scope"},
		{`"authParamsMap": {"response_mode": "response_mode"}`, "/options/authParamsMap/response_mode"},
	} {
		pointers, _ := problems(t, custom(tc.options))
		assert.Equal(t, []string{tc.pointer}, pointers, tc.options)
	}
	pointers, _ := problems(t, strings.Replace(custom(""), "/authorize", "/authorize?response_mode=fragment", 1))
	assert.Equal(t, []string{"/options/authorizationURL"}, pointers)
	assert.Equal(t, "response_mode=query", query(t, `"upstream_params": {"response_mode": {"value": "query"}}`, "response_mode=fragment"))
	assert.Empty(t, query(t, `"authParams": {"response_mode": "query"}, "upstream_params": {"response_mode": {"value": ""}}`, ""))
}

func TestM3Scope(t *testing.T) {
	assert.Equal(t, "scope=b", query(t, `"scope": "a", "authParams": {"scope": "b"}`, "connection_scope=c"))
	assert.Equal(t, "scope=d", query(t, `"scope": "a", "authParams": {"scope": "b"}, "upstream_params": {"scope": {"value": "d"}}`, ""))
	assert.Empty(t, query(t, `"scope": "a", "authParams": {"scope": "b"}, "upstream_params": {"scope": {"value": ""}}`, "connection_scope=c"))
	url := `"authorizationURL": null, "authorization_endpoint": "https://idp.example.com/authorize?scope=u"`
	assert.Equal(t, "scope=u", query(t, url, ""))
	assert.Equal(t, "scope=c", query(t, url, "connection_scope=c"))
	assert.Equal(t, "scope=a", query(t, url+`, "scope": "a"`, ""))
	assert.Equal(t, "scope=b", query(t, url+`, "authParams": {"scope": "b"}`, ""))
}

func TestM4CaseTwins(t *testing.T) {
	for _, tc := range []struct {
		options string
		want    []string
	}{
		{`"upstream_params": {"b": {"value": "1"}, "B": {"value": "2"}}`, []string{"/options/upstream_params/B"}},
		{`"upstream_params": {"B": {"value": "1"}, "b": {"value": "2"}}`, []string{"/options/upstream_params/b"}},
		{`"upstream_params": {"ſ": {"value": "1"}, "S": {"value": "2"}}`, []string{"/options/upstream_params/S"}},
		{`"authParams": {"Prompt": "x"}, "upstream_params": {"prompt": {"value": "y"}}`, []string{"/options/authParams/Prompt"}},
		{`"authParams": {"Prompt": "x"}, "authParamsMap": {"prompt": "prompt"}`, []string{"/options/authParams/Prompt"}},
		{`"authorizationURL": null, "authorization_endpoint": "https://idp.example.com/authorize?Prompt=x", "authParams": {"prompt": "x"}`, []string{"/options/authorization_endpoint"}},
		{`"authParams": {"prompt": "x"}, "authParamsMap": {"prompt": "prompt"}, "upstream_params": {"prompt": {"value": "y"}}`, nil},
	} {
		pointers, _ := problems(t, custom(tc.options))
		assert.Equal(t, tc.want, pointers, tc.options)
	}
	for _, bad := range []string{"?a=1&a=2", "?a=1&%61=2", "?a=%zz", "?%zz=1", "?a;b=1", "?a=%00", "?a=%ff", "?=1", "?a+b=1", "?A=1&a=1"} {
		pointers, _ := problems(t, strings.Replace(custom(""), "/authorize", "/authorize"+bad, 1))
		assert.Equal(t, []string{"/options/authorizationURL"}, pointers, bad)
	}
	pointers, _ := problems(t, strings.Replace(custom(""), "/authorize", "/authorize?&a=1&&b&", 1))
	assert.Empty(t, pointers)
}

func TestM6ConnectionScope(t *testing.T) {
	for _, tc := range []struct{ options, asked, want string }{
		{`"scope": ["b c", "d"]`, "a, b,\u00a0e", "scope=a%2Cb%2Ce%2Cc%2Cd"},
		{`"scope": ["b c", "d"], "useOauthSpecScope": true`, "a,b e", "scope=a+b+e+c+d"},
		{`"scope": "b"`, ",, ,", "scope=b"},
		{`"useOauthSpecScope": true`, "a,a,a", "scope=a"},
		{`"x": 1`, "", ""},
	} {
		assert.Equal(t, tc.want, query(t, tc.options, "connection_scope="+url.QueryEscape(tc.asked)), tc.options)
	}
	// As long as a request may be, all different: must not take quadratic time.
	var asked []string
	for i := range 5000 {
		asked = append(asked, fmt.Sprint(i))
	}
	got := query(t, `"useOauthSpecScope": true`, "connection_scope="+strings.Join(asked, ","))
	assert.Equal(t, "scope="+strings.Join(asked, "+"), got)
}

func TestM7ListsGoItemByItem(t *testing.T) {
	for alias, rest := range map[string]string{"acr_values": "a+C", "prompt": "a+C", "ui_locales": "a+C"} {
		options := `"upstream_params": {"p": {"alias": "` + alias + `", "allow": ["a"], "allow_pattern": "c+", "translate": {"ccc": "C", "a": "a"}}}`
		assert.Equal(t, "p="+rest, query(t, options, alias+"=a++b+ccc+A"), alias)
		assert.Equal(t, "p=a", query(t, options, alias+"=a"), alias)
		assert.Empty(t, query(t, options, alias+"=+b+"), alias)
	}
	options := `"upstream_params": {"p": {"alias": "login_hint", "allow": ["a"]}}`
	assert.Empty(t, query(t, options, "login_hint=a+b"), "no list")
	assert.Equal(t, "p=a++b", query(t, `"upstream_params": {"p": {"alias": "prompt"}}`, "prompt=a++b"), "without rules as it came")
	assert.Equal(t, "p=x+b", query(t, `"upstream_params": {"p": {"alias": "prompt", "translate": {"a": "x", "c": ""}}}`, "prompt=a+b+c"))
}

func TestM8ResourceOncePerValue(t *testing.T) {
	options := `"upstream_params": {"p": {"alias": "resource", "allow_pattern": "[a-c]", "translate": {"c": "d"}, "value": "default"}}`
	assert.Equal(t, "p=b&p=a&p=d&p=b", query(t, options, "resource=b&resource=x&resource=a&resource=c&resource=b"))
	assert.Equal(t, "p=default", query(t, options, "resource=x"))
	assert.Equal(t, "p=b&p=x", query(t, `"authParamsMap": {"p": "resource"}`, "resource=b&resource=x"))

	p, req := provider(t, custom(options)), &upstream.AuthorizeRequest{Resource: []string{"", "b", "x", "a", ""}}
	out, err := p.AuthorizationURL(req, sampleTransaction)
	require.NoError(t, err)
	explained(t, p, req, sampleTransaction, out)
}

// Random sets of parameters give, to the byte, what x/oauth2 gives.
func TestM9SameBytesAsXOAuth2(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("abzAZ09-_.~ +%&=#/?:;@!$'()*,[]\"<>^`{|}\\\x00\n\x7féß漢😀\u2028")
	text := func(least, most int, from []rune) string {
		var b strings.Builder
		for range least + r.IntN(most-least+1) {
			b.WriteRune(from[r.IntN(len(from))])
		}
		return b.String()
	}
	names := []rune("abcdefghijxyzABC019-_.~+%&=#/?:;@!$'()*,é漢😀")
	hints := []upstream.Alias{"login_hint", "display", "audience"}
	for range 3000 {
		conn := &upstream.Connection{Name: "n", Strategy: "oauth2", Options: upstream.Options{
			ClientID: text(1, 9, alphabet), AuthorizationURL: "https://idp.example.com/authorize", TokenURL: "https://idp.example.com/token",
			UpstreamParams: map[string]upstream.Param{}, AuthParams: map[string]string{},
		}}
		req := &upstream.AuthorizeRequest{LoginHint: text(0, 12, alphabet), Display: text(0, 5, alphabet), Audience: text(0, 5, alphabet)}
		incoming := map[upstream.Alias]string{"login_hint": req.LoginHint, "display": req.Display, "audience": req.Audience}
		config := oauth2.Config{ClientID: conn.Options.ClientID, RedirectURL: "https://auth.example.com/cb?x=" + url.QueryEscape(text(0, 5, alphabet)), Endpoint: oauth2.Endpoint{AuthURL: conn.Options.AuthorizationURL}}
		for range r.IntN(4) {
			scope := text(1, 6, []rune("abc:/."))
			if !slices.Contains(config.Scopes, scope) {
				config.Scopes = append(config.Scopes, scope)
			}
		}
		conn.Options.Scope = config.Scopes
		tx := upstream.Transaction{RedirectURI: config.RedirectURL, State: upstream.NewSecret(text(1, 20, alphabet))}
		var opts []oauth2.AuthCodeOption
		set := func(name, value string) {
			if value != "" {
				opts = append(opts, oauth2.SetAuthURLParam(name, value))
			}
		}
		if r.IntN(2) == 0 {
			tx.CodeVerifier = upstream.NewSecret(text(43, 128, []rune("abzAZ09-_.~")))
			opts = append(opts, oauth2.S256ChallengeOption(tx.CodeVerifier.Reveal()))
		}
		if r.IntN(2) == 0 {
			tx.Nonce = upstream.NewSecret("n" + tx.State.Reveal())
			set("nonce", tx.Nonce.Reveal())
		}
		for range r.IntN(6) {
			name := text(1, 8, names)
			if slices.ContainsFunc(slices.Collect(keys(conn.Options.UpstreamParams)), func(n string) bool { return strings.EqualFold(n, name) }) {
				continue
			}
			if r.IntN(2) == 0 {
				conn.Options.UpstreamParams[name] = upstream.Static(text(0, 12, alphabet))
				set(name, conn.Options.UpstreamParams[name].Value)
			} else {
				alias := hints[r.IntN(len(hints))]
				conn.Options.UpstreamParams[name] = upstream.Dynamic(alias)
				set(name, incoming[alias])
			}
		}
		got, err := upstream.AuthorizationURL(conn, req, tx)
		require.NoError(t, err)
		require.Equal(t, config.AuthCodeURL(tx.State.Reveal(), opts...), got)
	}
}

func keys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestM10Explain(t *testing.T) {
	p := provider(t, custom(`"scope": "openid", "authorizationURL": null, "authorization_endpoint": "https://idp.example.com/authorize?acr_values=AAL2&zone=",
		"authParams": {"prompt": "consent"}, "authParamsMap": {"hint": "access_type", "access": "access_type"},
		"upstream_params": {"blog": {"value": "b"}, "never": {"value": ""}, "prompt": {"alias": "prompt", "allow": ["login"]}, "hint": {"alias": "login_hint"},
			"id_token_hint": {"alias": "id_token_hint"}, "copy": {"alias": "id_token_hint"}, "res": {"alias": "resource"}, "absent": {"alias": "max_age"}, "refused": {"alias": "display", "allow": []}}`))
	req, err := upstream.ParseAuthorizeQuery("prompt=none&id_token_hint=" + planted + "&resource=r1&resource=r2&display=page&ui_locales=fr&audience=x&state=app&access_type=offline&hd=example.com")
	require.NoError(t, err)
	got, err := p.Explain(req, upstream.Transaction{RedirectURI: "https://auth.example.com/cb", State: upstream.NewSecret("s")})
	require.NoError(t, err)
	const protocol, params = "protocol", "upstream_params"
	assert.Equal(t, []upstream.Decision{
		{Name: "absent", Layer: params, Source: "max_age", Reason: "upstream_params: the request has no max_age"},
		{Name: "access", Value: "offline", Layer: "authParamsMap", Source: "access_type", Came: "offline", Sent: true},
		{Name: "acr_values", Value: "AAL2", Layer: "authorizationURL", Sent: true},
		{Name: "blog", Value: "b", Layer: params, Sent: true},
		{Name: "client_id", Value: "c", Layer: protocol, Sent: true},
		{Name: "code_challenge", Layer: protocol, Reason: "the transaction has no code verifier"},
		{Name: "code_challenge_method", Layer: protocol, Reason: "the transaction has no code verifier"},
		{Name: "copy", Value: "[redacted]", Layer: params, Source: "id_token_hint", Came: "[redacted]", Sent: true},
		{Name: "hint", Value: "offline", Layer: "authParamsMap", Source: "access_type", Came: "offline", Sent: true, Reason: "upstream_params: the request has no login_hint"},
		{Name: "id_token_hint", Value: "[redacted]", Layer: params, Source: "id_token_hint", Came: "[redacted]", Sent: true},
		{Name: "never", Layer: params, Reason: "upstream_params: the configured value is empty, so it is never sent"},
		{Name: "nonce", Layer: protocol, Reason: "the transaction has no nonce"},
		{Name: "prompt", Value: "consent", Layer: "authParams", Sent: true, Reason: "upstream_params: prompt does not pass allow, allow_pattern or translate"},
		{Name: "redirect_uri", Value: "https://auth.example.com/cb", Layer: protocol, Sent: true},
		{Name: "refused", Layer: params, Source: "display", Came: "page", Items: []item{{Came: "page"}}, Reason: "upstream_params: display does not pass allow, allow_pattern or translate"},
		{Name: "res", Value: "r1", Layer: params, Source: "resource", Came: "r1", Sent: true},
		{Name: "res", Value: "r2", Layer: params, Source: "resource", Came: "r2", Sent: true},
		{Name: "response_type", Value: "code", Layer: protocol, Sent: true},
		{Name: "scope", Value: "openid", Layer: protocol, Sent: true},
		{Name: "state", Value: "s", Layer: protocol, Sent: true},
		{Name: "zone", Layer: "authorizationURL", Reason: "authorizationURL: the configured value is empty, so it is never sent"},
	}, got.Parameters)
	assert.Equal(t, []string{"audience", "hd", "ui_locales"}, got.Unmapped)

	disabled := provider(t, custom(`"connection_settings": {"pkce": "disabled"}`))
	got, err = disabled.Explain(nil, upstream.Transaction{RedirectURI: "https://auth.example.com/cb", State: upstream.NewSecret("s"), CodeVerifier: upstream.NewSecret(strings.Repeat("v", 43))})
	require.NoError(t, err)
	assert.Equal(t, upstream.Decision{Name: "code_challenge", Layer: protocol, Reason: "connection_settings.pkce is disabled"}, got.Parameters[1])
	req, err = upstream.ParseAuthorizeQuery("connection_scope=,")
	require.NoError(t, err)
	got, err = disabled.Explain(req, sampleTransaction)
	require.NoError(t, err)
	assert.Equal(t, upstream.Decision{Name: "scope", Layer: protocol, Source: "connection_scope", Came: ",", Reason: "protocol: connection_scope names no scope"}, got.Parameters[6])
	got, err = disabled.Explain(nil, sampleTransaction)
	require.NoError(t, err)
	assert.Equal(t, "protocol: neither the connection nor the request has a scope", got.Parameters[6].Reason)
}

type item = struct {
	Came string `json:"came"`
	Sent string `json:"sent"`
}

func TestM10DroppedTranslatedRefused(t *testing.T) {
	p := provider(t, custom(`"upstream_params": {
		"acr_values": {"alias": "acr_values", "allow": ["4", "5"], "translate": {"4": "urn:high"}},
		"display": {"alias": "display", "translate": {"page": "p"}},
		"resource": {"alias": "resource", "allow": ["https://a/"]},
		"id_token_hint": {"alias": "id_token_hint", "translate": {"`+planted+`": "other"}},
		"prompt": {"alias": "prompt"}}`))
	req, err := upstream.ParseAuthorizeQuery("acr_values=4+9+5&display=page&resource=https://a/&resource=https://b/&prompt=login+consent&id_token_hint=" + planted)
	require.NoError(t, err)
	got, err := p.Explain(req, sampleTransaction)
	require.NoError(t, err)
	var rows []upstream.Decision
	for _, d := range got.Parameters {
		if d.Layer == "upstream_params" {
			rows = append(rows, d)
		}
	}
	const layer = "upstream_params"
	assert.Equal(t, []upstream.Decision{
		{
			Name: "acr_values", Value: "urn:high 5", Layer: layer, Source: "acr_values", Came: "4 9 5", Items: []item{{Came: "4", Sent: "urn:high"}, {Came: "9"}, {Came: "5", Sent: "5"}}, Sent: true,
			Reason: "upstream_params: 1 of 3 items of acr_values do not pass allow, allow_pattern or translate; upstream_params: acr_values is translated",
		},
		{Name: "display", Value: "p", Layer: layer, Source: "display", Came: "page", Items: []item{{Came: "page", Sent: "p"}}, Sent: true, Reason: "upstream_params: display is translated"},
		{
			Name: "id_token_hint", Value: "[redacted]", Layer: layer, Source: "id_token_hint", Came: "[redacted]", Items: []item{{Came: "[redacted]", Sent: "[redacted]"}}, Sent: true,
			Reason: "upstream_params: id_token_hint is translated",
		},
		{Name: "prompt", Value: "login consent", Layer: layer, Source: "prompt", Came: "login consent", Items: []item{{Came: "login", Sent: "login"}, {Came: "consent", Sent: "consent"}}, Sent: true},
		{Name: "resource", Value: "https://a/", Layer: layer, Source: "resource", Came: "https://a/", Items: []item{{Came: "https://a/", Sent: "https://a/"}}, Sent: true},
		{
			Name: "resource", Layer: layer, Source: "resource", Came: "https://b/", Items: []item{{Came: "https://b/"}},
			Reason: "upstream_params: this resource does not pass allow, allow_pattern or translate",
		},
	}, rows)
	assert.NotContains(t, fmt.Sprint(got), planted)
}

// A configured value may hold what no incoming one may.
func TestM10StaticValueWithControls(t *testing.T) {
	for _, value := range []string{"a\nb", "\x00", "=&+ %"} {
		conn := parse(t, custom(""))
		conn.Options.UpstreamParams["p"] = upstream.Static(value)
		conn.Options.UpstreamParams["q"] = upstream.Param{Alias: "prompt", Value: value}
		p, err := upstream.NewProvider(conn)
		require.NoError(t, err)
		got, err := p.Params(nil, upstream.Transaction{})
		require.NoError(t, err)
		assert.Equal(t, url.Values{"p": {value}, "q": {value}}, got)
		out, err := p.AuthorizationURL(nil, sampleTransaction)
		require.NoError(t, err)
		explained(t, p, nil, sampleTransaction, out)
	}
}

func TestB4Extra(t *testing.T) {
	options := `"authParams": {"a": "configured"}, "scope": "own", "upstream_params": {"prompt": {"alias": "prompt"}, "never": {"value": ""}, "z": {"value": "1"}}`
	p := provider(t, custom(options))
	req, err := upstream.ParseAuthorizeQuery("prompt=login")
	require.NoError(t, err)
	for _, tc := range []struct {
		extra map[string]string
		want  string
	}{
		{nil, "a=configured&client_id=c&prompt=login&redirect_uri=x%3Ay&response_type=code&scope=own&state=s&z=1"},
		{map[string]string{"prompt": "", "new": ""}, "a=configured&client_id=c&prompt=login&redirect_uri=x%3Ay&response_type=code&scope=own&state=s&z=1"},
		{map[string]string{"prompt": "none", "a": "host", "never": "after all", "0": "first", "\u00e9": "last & least"},
			"0=first&a=host&client_id=c&never=after+all&prompt=none&redirect_uri=x%3Ay&response_type=code&scope=own&state=s&z=1&%C3%A9=last+%26+least"},
		{map[string]string{"scope": "more", "response_mode": "form_post", "response_type": "code"},
			"a=configured&client_id=c&prompt=login&redirect_uri=x%3Ay&response_mode=form_post&response_type=code&scope=more&state=s&z=1"},
	} {
		before := maps.Clone(tc.extra)
		tx := upstream.Transaction{RedirectURI: "x:y", State: upstream.NewSecret("s"), Extra: tc.extra}
		got, err := p.AuthorizationURL(req, tx)
		require.NoError(t, err)
		assert.Equal(t, "https://idp.example.com/authorize?"+tc.want, got)
		appended, err := p.AppendAuthorizationURL([]byte("x"), req, tx)
		require.NoError(t, err)
		assert.Equal(t, "x"+got, string(appended))
		explained(t, p, req, tx, got)
		assert.Equal(t, before, tc.extra, "E3")
	}
	for name, value := range map[string]string{
		"client_id": "x", "State": "x", "oauth_x": "x", "request_uri": "x", "": "x", "a b": "x", strings.Repeat("n", 129): "x", "Prompt": "x", "A": "x", "Scope": "x",
		"response_type": "token", "response_mode": "fragment",
	} {
		tx := upstream.Transaction{RedirectURI: "x:y", State: upstream.NewSecret("s"), Extra: map[string]string{name: value}}
		out, err := p.AppendAuthorizationURL([]byte("x"), req, tx)
		var bad *upstream.TransactionError
		require.ErrorAs(t, err, &bad, name)
		assert.Equal(t, "extra", bad.Field)
		assert.Contains(t, err.Error(), strconv.Quote(name[:min(len(name), 20)])[:min(len(name), 20)])
		assert.Equal(t, "x", string(out))
		_, err = p.Params(req, tx)
		assert.ErrorAs(t, err, &bad, name)
	}
	two := upstream.Transaction{RedirectURI: "x:y", State: upstream.NewSecret("s"), Extra: map[string]string{"n": "1", "N": "2"}}
	_, err = p.AuthorizationURL(req, two)
	assert.ErrorContains(t, err, "another spelling")
	oauth1 := provider(t, `{"strategy": "twitter", "options": {"client_id": "c"}}`)
	got, err := oauth1.AuthorizationURL(nil, upstream.Transaction{RequestToken: upstream.NewSecret("t"), Extra: map[string]string{"lang": "fr"}})
	require.NoError(t, err)
	assert.Equal(t, "https://api.twitter.com/oauth/authorize?lang=fr&oauth_token=t", got)
}

// Params are the pairs of the URL that are not the protocol's.
func TestB6Params(t *testing.T) {
	for _, vs := range vectors(t) {
		for _, v := range vs {
			if v.URL == "" {
				continue
			}
			p := provider(t, string(v.Connection))
			req, err := upstream.ParseAuthorizeQuery(v.Request)
			require.NoError(t, err)
			tx := v.transaction()
			explanation, err := p.Explain(req, tx)
			require.NoError(t, err)
			u, err := url.Parse(v.URL)
			require.NoError(t, err)
			want := u.Query()
			for _, d := range explanation.Parameters {
				if d.Layer == "protocol" {
					want.Del(d.Name)
				}
			}
			got, err := p.Params(req, upstream.Transaction{Extra: tx.Extra}) // the rest of the Transaction is not looked at
			require.NoError(t, err)
			assert.Equal(t, want, got, v.Name)
		}
	}
	_, err := new(upstream.Provider).Params(nil, upstream.Transaction{})
	var config *upstream.ConfigError
	assert.ErrorAs(t, err, &config)
	got, err := provider(t, custom("")).Params(nil, upstream.Transaction{})
	require.NoError(t, err)
	assert.Equal(t, url.Values{}, got)
}

// explained holds an explanation against the URL: the same pairs in the same
// order, but for what is redacted.
func explained(t testing.TB, p *upstream.Provider, req *upstream.AuthorizeRequest, tx upstream.Transaction, rawURL string) {
	t.Helper()
	explanation, err := p.Explain(req, tx)
	require.NoError(t, err)
	_, rawQuery, _ := strings.Cut(rawURL, "?")
	var sent, told []string
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		sent = append(sent, pair, name+"="+url.QueryEscape("[redacted]"))
	}
	for _, d := range explanation.Parameters {
		if d.Sent {
			told = append(told, url.QueryEscape(d.Name)+"="+url.QueryEscape(d.Value))
		} else {
			assert.NotEmpty(t, d.Reason, d.Name)
			assert.Empty(t, d.Value, d.Name)
		}
	}
	require.Len(t, told, len(sent)/2, rawURL)
	for i, pair := range told {
		assert.Contains(t, sent[2*i:2*i+2], pair)
	}
}

func TestM10ExplanationIsTheURLOfEveryVector(t *testing.T) {
	for _, vs := range vectors(t) {
		for _, v := range vs {
			if v.URL == "" {
				continue
			}
			req, err := upstream.ParseAuthorizeQuery(v.Request)
			require.NoError(t, err)
			explained(t, provider(t, string(v.Connection)), req, v.transaction(), v.URL)
		}
	}
}

func TestS1S3Refused(t *testing.T) {
	for strategy, protocol := range map[string]string{"samlp": "SAML", "pingfederate": "SAML", "adfs": "WS-Federation", "ad": "LDAP", "auth0-adldap": "LDAP",
		"auth0": "database", "email": "passwordless", "sms": "passwordless", "ip": "other", "office365": "other", "custom": "other", "githb": "unknown"} {
		// All else that is wrong must not hide the refusal (E5).
		text := `{"name": "_", "strategy": "` + strategy + `", "Name": 1, "options": {"upstream_params": {"p": "bare"}}}`
		conn := parse(t, text)
		_, err := upstream.NewProvider(conn)
		_, err2 := upstream.AuthorizationURL(conn, nil, upstream.Transaction{})
		assert.Equal(t, err, err2)
		var refused *upstream.ProtocolError
		require.ErrorAs(t, err, &refused, strategy)
		assert.Equal(t, upstream.ProtocolError{Strategy: strategy, Protocol: protocol}, *refused)
		assert.Contains(t, err.Error(), strategy)
		assert.Contains(t, err.Error(), protocol)
		if protocol == "SAML" {
			assert.ErrorIs(t, err, upstream.ErrSAML)
			assert.Contains(t, err.Error(), strings.TrimPrefix(upstream.ErrSAML.Error(), "upstream: "))
		} else {
			assert.NotErrorIs(t, err, upstream.ErrSAML)
		}
		out, err := conn.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, text, string(out), "S2: it still marshals back")
	}
	for strategy, hint := range map[string]string{"githb": "; did you mean github?", "GitHub": "; did you mean github?", "a-strange-one": "(protocol: unknown)", "gitlab": "(protocol: unknown)", "okat": "(protocol: unknown)", "sms": "(protocol: passwordless)"} {
		_, err := upstream.NewProvider(&upstream.Connection{Strategy: strategy})
		require.Error(t, err)
		assert.True(t, strings.HasSuffix(err.Error(), hint), err)
		if hint == "(protocol: unknown)" {
			assert.Contains(t, err.Error(), `write "oauth2"`, "how to go on without a strategy of its own")
		}
	}
	for _, options := range []string{`"use_wsfed": true`, `"waad_protocol": "ws-federation"`} {
		_, err := upstream.NewProvider(parse(t, `{"name": "n", "strategy": "waad", "options": {"client_id": "c", "tenant_domain": "contoso.com", `+options+`}}`))
		var refused *upstream.ProtocolError
		assert.ErrorAs(t, err, &refused)
	}
}

func TestS4WellKnownEndpoints(t *testing.T) {
	for text, want := range map[string]string{
		`{"strategy": "wordpress", "options": {"client_id": "c"}}`:                                                                                        "https://public-api.wordpress.com/oauth2/authorize?",
		`{"strategy": "twitter", "options": {"client_id": "c", "protocol": "oauth2"}}`:                                                                    "https://x.com/i/oauth2/authorize?",
		`{"name": "n", "strategy": "okta", "options": {"client_id": "c", "domain": "dev-1.okta.com"}}`:                                                    "https://dev-1.okta.com/oauth2/v1/authorize?",
		`{"name": "n", "strategy": "waad", "options": {"client_id": "c", "tenant_domain": "contoso.onmicrosoft.com"}}`:                                    "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/authorize?",
		`{"strategy": "github", "options": {"client_id": "c", "authorizationURL": "https://ghe.example.com/a", "tokenURL": "https://ghe.example.com/t"}}`: "https://ghe.example.com/a?",
		`{"strategy": "github", "options": {"client_id": "c", "authorizationURL": null}}`:                                                                 "https://github.com/login/oauth/authorize?",
	} {
		tx := sampleTransaction
		tx.Nonce = upstream.NewSecret("n")
		out, err := upstream.AuthorizationURL(parse(t, text), nil, tx)
		require.NoError(t, err, text)
		assert.True(t, strings.HasPrefix(out, want), out)
	}
	for _, text := range []string{
		`{"name": "n", "strategy": "okta", "options": {"client_id": "c", "domain": "evil.test/x?"}}`,
		`{"name": "n", "strategy": "waad", "options": {"client_id": "c", "tenant_domain": "../x"}}`,
		`{"name": "n", "strategy": "shopify", "options": {"client_id": "c"}}`,
	} {
		pointers, message := problems(t, text)
		assert.Equal(t, []string{"/options/authorizationURL", "/options/tokenURL"}, pointers, text)
		assert.Equal(t, strings.Contains(text, "okta"), strings.Contains(message, "set authorizationURL or authorization_endpoint, or domain to the host name"), message)
		assert.Equal(t, strings.Contains(text, "waad"), strings.Contains(message, "set tokenURL or token_endpoint, or tenant_domain to"), message)
	}
}

func TestX1OAuth1(t *testing.T) {
	p := provider(t, `{"name": "old", "strategy": "oauth1", "options": {"consumerKey": "k", "requestTokenURL": "https://o.example/r", "accessTokenURL": "https://o.example/a",
		"userAuthorizationURL": "https://o.example/u?z=1&scope=s", "scope": "ignored", "authParams": {"a": "1"}, "authParamsMap": {"m": "prompt"}, "upstream_params": {"screen_name": {"alias": "login_hint"}}}}`)
	req := &upstream.AuthorizeRequest{LoginHint: "h@x", Prompt: "login", ConnectionScope: "c"}
	out, err := p.AuthorizationURL(req, upstream.Transaction{RequestToken: upstream.NewSecret("t/1"), State: upstream.NewSecret("s"), CodeVerifier: upstream.NewSecret("short")})
	require.NoError(t, err)
	assert.Equal(t, "https://o.example/u?a=1&m=login&oauth_token=t%2F1&scope=s&screen_name=h%40x&z=1", out)
	explained(t, p, req, upstream.Transaction{RequestToken: upstream.NewSecret("t/1")}, out)
	_, err = p.AuthorizationURL(req, sampleTransaction)
	var bad *upstream.TransactionError
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, "request_token", bad.Field)
	config := p.TokenConfig("https://auth.example.com/cb")
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("the consumer secret must not leave")
	})})
	_, err = config.Exchange(ctx, "code")
	require.ErrorContains(t, err, "an OAuth 1.0a connection has none")
}

func TestT4PKCE(t *testing.T) {
	verifier := strings.Repeat("v", 43)
	for _, tc := range []struct{ options, verifier, want string }{
		{`"pkce_enabled": false`, "", ""},
		{`"pkce_enabled": false`, verifier, "sent"},
		{`"connection_settings": {"pkce": "disabled"}`, verifier, ""},
		{`"connection_settings": {"pkce": "disabled"}`, "bad", ""},
		{`"connection_settings": {"pkce": "auto"}`, verifier, "sent"},
		{`"connection_settings": {"pkce": "auto"}`, "", "error"},
		{`"connection_settings": {"pkce": "S256"}`, "", "error"},
		{`"pkce_enabled": true`, "", "error"},
		{`"pkce_enabled": true`, verifier + "=", "error"},
	} {
		out, err := provider(t, custom(tc.options)).AuthorizationURL(nil, upstream.Transaction{RedirectURI: "https://a/cb", State: upstream.NewSecret("s"), CodeVerifier: upstream.NewSecret(tc.verifier)})
		if tc.want == "error" {
			var bad *upstream.TransactionError
			require.ErrorAs(t, err, &bad, tc.options)
			assert.Equal(t, "code_verifier", bad.Field)
			assert.True(t, strings.HasPrefix(err.Error(), "upstream: transaction: code_verifier "), err)
			continue
		}
		require.NoError(t, err, tc.options)
		assert.Equal(t, tc.want == "sent", strings.Contains(out, "code_challenge="+oauth2.S256ChallengeFromVerifier(verifier)+"&code_challenge_method=S256&"), tc.options)
	}
}

func TestE3NothingPanics(t *testing.T) {
	var nobody *upstream.Provider
	for _, p := range []*upstream.Provider{nobody, new(upstream.Provider)} {
		_, err := p.AuthorizationURL(nil, sampleTransaction)
		var config *upstream.ConfigError
		require.ErrorAs(t, err, &config)
		dst, err := p.AppendAuthorizationURL([]byte("x"), nil, sampleTransaction)
		assert.Error(t, err)
		assert.Equal(t, "x", string(dst))
		_, err = p.Explain(nil, sampleTransaction)
		assert.Error(t, err)
	}
	_, err := upstream.NewProvider(nil)
	assert.Error(t, err)
	_, err = upstream.AuthorizationURL(nil, nil, upstream.Transaction{})
	assert.EqualError(t, err, "upstream: connection: there is no connection")
	_, err = upstream.ParseAuthorizeValues(nil)
	assert.NoError(t, err)
	_, err = provider(t, custom("")).Explain(nil, upstream.Transaction{})
	assert.Error(t, err)
}

func TestE4ProviderKeepsItsOwnCopy(t *testing.T) {
	conn := parse(t, custom(`"scope": ["a"], "upstream_params": {"p": {"alias": "display", "allow": ["x"], "translate": {"x": "y"}}, "b": {"value": "1"}}`))
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	req := &upstream.AuthorizeRequest{Display: "x"}
	before, err := p.AuthorizationURL(req, sampleTransaction)
	require.NoError(t, err)
	conn.Options.UpstreamParams["p"].Allow[0] = "z"
	conn.Options.UpstreamParams["p"].Translate["x"] = "z"
	conn.Options.UpstreamParams["b"] = upstream.Static("2")
	conn.Options.Scope[0] = "z"
	after, err := p.AuthorizationURL(req, sampleTransaction)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	assert.Contains(t, before, "p=y")
}

func TestE4ConcurrentUse(t *testing.T) {
	conn := parse(t, custom(`"scope": "a b", "upstream_params": {"blog": {"value": "b"}, "hint": {"alias": "login_hint", "allow_pattern": "u[0-9]+", "value": "d"}, "prompt": {"alias": "prompt", "allow": ["login", "consent"]}}`))
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				hint := fmt.Sprintf("u%d", 1000*g+i)
				req, err := upstream.ParseAuthorizeQuery("prompt=login+x+consent&login_hint=" + hint + "&connection_scope=c")
				if err != nil {
					t.Error(err)
					return
				}
				out, err := p.AuthorizationURL(req, upstream.Transaction{RedirectURI: "https://a/cb", State: upstream.NewSecret(hint)})
				if want := "https://idp.example.com/authorize?blog=b&client_id=c&hint=" + hint + "&prompt=login+consent&redirect_uri=https%3A%2F%2Fa%2Fcb&response_type=code&scope=c%2Ca%2Cb&state=" + hint; err != nil || out != want {
					t.Errorf("AuthorizationURL = %q, %v, want %q", out, err, want)
				}
				if _, err := p.Explain(req, sampleTransaction); err != nil {
					t.Error(err)
				}
				if _, err := json.Marshal(conn); err != nil || conn.Validate() != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestE5OrderOfTransactionErrors(t *testing.T) {
	p := provider(t, custom(`"pkce_enabled": true`))
	tx := upstream.Transaction{Nonce: upstream.NewSecret("")}
	for _, step := range []struct {
		field string
		mend  func()
	}{
		{"redirect_uri", func() { tx.RedirectURI = "/cb" }},
		{"redirect_uri", func() { tx.RedirectURI = "https://a b/cb" }},
		{"redirect_uri", func() { tx.RedirectURI = "https://a/cb\r\nX: y" }},
		{"redirect_uri", func() { tx.RedirectURI = "https://a/cb\x7f" }},
		{"redirect_uri", func() { tx.RedirectURI = "https://@/cb" }},
		{"redirect_uri", func() { tx.RedirectURI = "http://\\a/cb" }},
		{"redirect_uri", func() { tx.RedirectURI = "https://jö.example/cb" }},
		{"redirect_uri", func() { tx.RedirectURI = "https://a/cb" }},
		{"state", func() { tx.State, tx.Nonce = upstream.NewSecret("s"), upstream.NewSecret("s") }},
		{"nonce", func() { tx.Nonce = upstream.NewSecret("n") }},
		{"code_verifier", func() { tx.CodeVerifier = upstream.NewSecret("short") }},
		{"code_verifier", func() { tx.CodeVerifier = upstream.NewSecret(strings.Repeat("v", 43)) }},
	} {
		_, err := p.AuthorizationURL(nil, tx)
		var bad *upstream.TransactionError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, step.field, bad.Field)
		step.mend()
	}
	_, err := p.AuthorizationURL(nil, tx)
	assert.NoError(t, err)
}

// URLs of every length are those that Append gives, and cost one allocation up
// to 2 kB.
func TestM9LongURLs(t *testing.T) {
	for n := 0; n <= 4000; n += 250 {
		p := provider(t, custom(`"upstream_params": {"a": {"value": "`+strings.Repeat("v", n/2)+`"}, "b": {"alias": "id_token_hint"}}`))
		req := &upstream.AuthorizeRequest{IDTokenHint: upstream.NewSecret(strings.Repeat("h", n/2))}
		want, err := p.AppendAuthorizationURL(nil, req, sampleTransaction)
		require.NoError(t, err)
		require.Greater(t, len(want), n)
		got, err := p.AuthorizationURL(req, sampleTransaction)
		require.NoError(t, err)
		assert.Equal(t, string(want), got)
		got, err = p.AuthorizationURL(req, upstream.Transaction{})
		require.Error(t, err)
		assert.Empty(t, got)
		if n > 1500 && n < 1900 {
			assert.EqualValues(t, 1, testing.AllocsPerRun(100, func() { sink, _ = p.AuthorizationURL(req, sampleTransaction) }))
		}
	}
}

func TestAllocations(t *testing.T) {
	p := sampleProvider(t)
	req, err := upstream.ParseAuthorizeQuery(sampleQuery)
	require.NoError(t, err)
	tx := sampleTransaction
	tx.CodeVerifier, tx.Nonce = upstream.NewSecret(strings.Repeat("v", 43)), upstream.NewSecret("n")
	buf := make([]byte, 0, 1024)
	assert.Zero(t, testing.AllocsPerRun(100, func() { buf, _ = p.AppendAuthorizationURL(buf[:0], req, tx) }))
	assert.EqualValues(t, 1, testing.AllocsPerRun(100, func() { sink, _ = p.AuthorizationURL(req, tx) }))
	if !raceEnabled {
		assert.EqualValues(t, 2, testing.AllocsPerRun(100, func() {
			req, _ := upstream.ParseAuthorizeQuery(sampleQuery)
			sink, _ = p.AuthorizationURL(req, tx)
		}))
	}
}
