package upstream_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

// tokenAnswer exchanges a code where the endpoint answers so.
func tokenAnswer(t *testing.T, contentType, body string) (*oauth2.Token, error) {
	t.Helper()
	return newConfig(t, newSite(t, answer(200, contentType, body)), nil, nil).Exchange(t.Context(), "code")
}

func TestP4TokenAnswer(t *testing.T) {
	const unreadable = "the answer is neither JSON nor a form with the members that it must have"
	for body, want := range map[string]string{
		`{"access_token":"A","access_token":"B","token_type":"bearer"}`: "the answer holds a member twice",
		`{"access_token":"A","\u0061ccess_token":"B"}`:                  "the answer holds a member twice",
		`{"access_token":"A","x":{"y":1,"y":2}}`:                        "the answer holds a member twice",
		`{"access_token":"A","Access_Token":"B"}`:                       "the answer holds a member that is access_token but for case",
		" \n{\"Access_Token\":\"A\"}\n":                                 "the answer holds a member that is access_token but for case",
		`{"ACCESS_TOKEN":"A"}`:                                          "the answer holds a member that is access_token but for case",
		"{\"acceſſ_token\":\"A\"}":                                      "the answer holds a member that is access_token but for case",
		`{"access_token":"A","Token_Type":"mac"}`:                       "the answer holds a member that is token_type but for case",
		`{"access_token":"A","refresh_To\u212aen":"R"}`:                 "the answer holds a member that is refresh_token but for case",
		`{"access_token":"A","ID_token":"I"}`:                           "the answer holds a member that is id_token but for case",
		`{"access_token":"A"} {"access_token":"B"}`:                     unreadable,
		`["A"]`:                        unreadable,
		"{\"access_token\":\"A\xff\"}": unreadable,
		`{"access_token":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`: unreadable,
		`{"access_token":"A","upstream_resource":"https://evil.test"}`:               "the answer holds a member that this package adds itself",
	} {
		for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "text/html", ""} {
			_, err := tokenAnswer(t, contentType, body)
			require.EqualError(t, err, "upstream: token endpoint: "+want, "%s %s", contentType, body)
		}
	}
	for body, want := range map[string]string{
		"access_token=A&access_token=B":      "the answer is a form that holds a name twice",
		"access_token=A&%61ccess_token=B":    "the answer is a form that holds a name twice",
		"access_token=A&scope=&scope=a":      "the answer is a form that holds a name twice",
		"access_token=A&%zz=1":               unreadable,
		"access_token=A&upstream_audience=x": "the answer holds a member that this package adds itself",
		"access_token=A&a" + many(101):       "the answer is a form of too many names",
	} {
		for _, contentType := range []string{"application/x-www-form-urlencoded", "text/plain; charset=utf-8"} {
			_, err := tokenAnswer(t, contentType, body)
			require.EqualError(t, err, "upstream: token endpoint: "+want, "%s %s", contentType, body)
		}
	}
	for body, contentType := range map[string]string{
		`{"access_token":"A","token_type":"bearer","scope":"a","Scope":"b","x":[{"a":1},{"a":1}]}`: "application/json",
		"access_token=A&token_type=bearer&Access_Token=B":                                          "text/plain",
	} {
		token, err := tokenAnswer(t, contentType, body)
		require.NoError(t, err)
		assert.Equal(t, "A", token.AccessToken)
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&n" + strings.Repeat("a", i))
	}
	return b.String()
}

func TestB5TokenParams(t *testing.T) {
	idp := newIdP(t)
	conn := parse(t, `{"name":"acme","strategy":"oauth2","options":{"client_id":"client","client_secret":"s","token_params":{"tenant":"blue & green","audience":"api"},
		"authorizationURL":"https://idp.example.com/authorize","tokenURL":"`+idp.URL+`/token","customHeaders":{"X-Tenant":"blue"}}}`)
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	conn.Options.TokenParams["tenant"] = "changed"
	config := p.TokenConfig("https://auth.example.com/callback")
	_, err = config.Exchange(t.Context(), "code", oauth2.VerifierOption(oauth2.GenerateVerifier()))
	require.NoError(t, err)
	_, err = config.TokenSource(t.Context(), expired("R1")).Token()
	require.NoError(t, err)
	_, err = config.PasswordCredentialsToken(t.Context(), "user", "pw")
	require.NoError(t, err)
	calls := idp.seen("/token")
	require.Len(t, calls, 3)
	for _, c := range calls {
		assert.Equal(t, []string{"blue & green"}, c.Form["tenant"], c.Form.Get("grant_type"))
		assert.Equal(t, []string{"api"}, c.Form["audience"])
		assert.Equal(t, []string{"client"}, c.Form["client_id"])
		assert.Equal(t, "blue", c.Header.Get("X-Tenant"))
	}
	assert.Equal(t, "code", calls[0].Form.Get("code"))
	assert.Equal(t, "R1", calls[1].Form.Get("refresh_token"))

	// What the program gives for one login stands above.
	idp.forget()
	_, err = config.Exchange(t.Context(), "code", oauth2.SetAuthURLParam("audience", "other"))
	require.NoError(t, err)
	assert.Equal(t, []string{"other"}, idp.seen("/token")[0].Form["audience"])
}

func TestB5ReservedNames(t *testing.T) {
	for _, name := range strings.Fields("client_id client_secret redirect_uri code code_verifier grant_type refresh_token username password device_code assertion " +
		"client_assertion client_assertion_type state nonce request request_uri oauth_token access_token Client_ID client.secret refresh_token[] ſtate") {
		conn := parse(t, customConnection)
		conn.Options.TokenParams[name] = "SECRET"
		err := conn.Validate()
		var failure *upstream.ConfigError
		require.ErrorAs(t, err, &failure, name)
		assert.Equal(t, "/options/token_params/"+name, failure.Problems[0].Pointer)
		assert.NotContains(t, err.Error(), "SECRET")
	}
	for _, params := range []map[string]string{
		{"": "x"}, {"a b": "x"}, {"a": ""}, {"A": "x", "a": "y"}, {"a.b": "x", "a_b": "y"}, {"a": strings.Repeat("x", 1025)}, {strings.Repeat("a", 129): "x"},
	} {
		conn := parse(t, customConnection)
		conn.Options.TokenParams = params
		require.Error(t, conn.Validate(), params)
	}
	conn := parse(t, customConnection)
	for i := range 31 {
		conn.Options.TokenParams["n"+strings.Repeat("a", i)] = strings.Repeat("x", 1024)
	}
	require.ErrorContains(t, conn.Validate(), "/options/token_params has more than 30 members")
	delete(conn.Options.TokenParams, "n")
	require.NoError(t, conn.Validate())
}

// RFC 8707 section 2.2: what the grant was got for, the refresh asks for.
func TestB5ResourceReachesTheRefresh(t *testing.T) {
	for _, c := range []struct{ contentType, body string }{
		{"application/json", `{"access_token":"A2","refresh_token":"R2","expires_in":3600,"plan":{"a":1}}`},
		{"application/x-www-form-urlencoded", "access_token=A2&refresh_token=R2&expires_in=3600&plan=7"},
	} {
		idp := newSite(t, answer(200, c.contentType, c.body))
		config := newConfig(t, idp, nil, nil)
		token, err := config.Exchange(t.Context(), "code", oauth2.SetAuthURLParam("resource", "https://api.example.com/?a&b"), oauth2.SetAuthURLParam("audience", "api"))
		require.NoError(t, err)
		assert.NotNil(t, token.Extra("plan"))
		assert.Equal(t, "https://api.example.com/?a&b", token.Extra("upstream_resource"))
		token.Expiry = expired("").Expiry
		again, err := config.TokenSource(t.Context(), token).Token()
		require.NoError(t, err)
		again.Expiry = expired("").Expiry
		_, err = config.TokenSource(t.Context(), again).Token()
		require.NoError(t, err)
		stored := expired("R1").WithExtra(map[string]any{"upstream_resource": "https://api.example.com/?a&b", "upstream_audience": "api"})
		_, err = config.TokenSource(t.Context(), stored).Token()
		require.NoError(t, err)
		calls := idp.all()
		require.Len(t, calls, 4)
		for _, call := range calls {
			assert.Equal(t, []string{"https://api.example.com/?a&b"}, call.Form["resource"], call.Form.Get("grant_type"))
			assert.Equal(t, []string{"api"}, call.Form["audience"])
			assert.False(t, call.Form.Has("upstream_resource"))
		}
		plain, err := config.Exchange(t.Context(), "code")
		require.NoError(t, err)
		assert.Empty(t, plain.Extra("upstream_resource"))
		_, err = config.TokenSource(t.Context(), expired("R1")).Token()
		require.NoError(t, err)
		assert.False(t, idp.all()[5].Form.Has("resource"))
	}
}

func TestH2MoreRefusedHeaders(t *testing.T) {
	for _, name := range []string{"Accept-Encoding", "Range", "Cookie2", "range", "ACCEPT_ENCODING"} {
		_, err := upstream.NewTokenConfig(oauth2.Config{}, sealed(map[string]string{name: "x"}))
		require.ErrorContains(t, err, "cannot be set here", name)
	}
}

// RFC 9110 has one space after the scheme; servers read a tab alike.
func TestH6BasicFollowedByATab(t *testing.T) {
	for _, blank := range []string{" ", "\t", " \t", "\t "} {
		idp := newIdP(t)
		config := newConfig(t, idp, nil, map[string]string{"Authorization": "basic" + blank + base64.StdEncoding.EncodeToString([]byte("client:secret"))})
		_, err := config.Exchange(t.Context(), "code")
		require.NoError(t, err)
		assert.False(t, idp.seen("/token")[0].Form.Has("client_secret"), "%q", blank)
	}
}

// RFC 6749 section 2.3: one way in each request.
func TestH6BasicBesideAnotherMethod(t *testing.T) {
	for method, refused := range map[string]bool{
		"private_key_jwt": true, "client_secret_jwt": true, "tls_client_auth": true, "self_signed_tls_client_auth": true,
		"client_secret_post": false, "client_secret_basic": false, "none": false, "": false,
	} {
		for user, own := range map[string]bool{"client": true, "proxy": false} {
			conn := parse(t, customConnection)
			conn.Options.TokenEndpointAuthMethod = method
			conn.Options.CustomHeaders["authorization"] = upstream.NewSecret("Basic " + base64.StdEncoding.EncodeToString([]byte(user+":x")))
			err := conn.Validate()
			assert.Equal(t, refused && own, err != nil, "%s %s: %v", method, user, err)
			if err != nil {
				assert.Contains(t, err.Error(), "/options/customHeaders/authorization is this client's authentication")
			}
		}
	}
}

// FuzzTokenAnswer: what is taken is what a reader of exact names takes.
func FuzzTokenAnswer(f *testing.F) {
	for _, seed := range []string{`{"access_token":"A"}`, `{"access_token":"A","Access_token":"B"}`, `{"access_token":"A","access_token":"B"}`, "{\"acce\u017fs_token\":\"A\"}", `{"access_token":null,"ACCESS_TOKEN":"B"}`} {
		f.Add([]byte(seed), true)
	}
	f.Add([]byte("access_token=A&access_token=B"), false)
	f.Add([]byte("access_token=A&x=1"), false)
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		contentType := "application/x-www-form-urlencoded"
		if isJSON {
			contentType = "application/json"
		}
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
		})})
		config, err := upstream.NewTokenConfig(oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: "https://idp.example.com/t"}}, nil)
		require.NoError(t, err)
		token, err := config.Exchange(ctx, "code")
		if err != nil {
			return
		}
		want := ""
		if isJSON {
			var exact map[string]json.RawMessage // exact names, and the last of two
			require.NoError(t, json.Unmarshal(body, &exact))
			require.NoError(t, json.Unmarshal(exact["access_token"], &want))
		} else {
			values, err := url.ParseQuery(string(body))
			require.NoError(t, err)
			require.Len(t, values["access_token"], 1)
			want = values.Get("access_token")
		}
		assert.Equal(t, want, token.AccessToken)
	})
}
