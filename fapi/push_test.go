package fapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

func TestF2PushedAnswers(t *testing.T) {
	const uri = "urn:ietf:params:oauth:request_uri:x"
	for _, c := range []struct {
		name   string
		status int
		media  string
		body   string
		want   string // "" where it is taken
	}{
		{"as it should be", 201, "application/json", `{"request_uri":"` + uri + `","expires_in":60}`, ""},
		{"with a charset", 201, "application/json; charset=utf-8", `{"request_uri":"` + uri + `"}`, ""},
		{"200", 200, "application/json", `{"request_uri":"` + uri + `"}`, "status 201"},
		{"204", 204, "", ``, "status 201"},
		{"302", 302, "", ``, "redirects"},
		{"307", 307, "application/json", `{"request_uri":"` + uri + `"}`, "redirects"},
		{"400", 400, "application/json", `{"error":"invalid_request","error_description":"SECRET"}`, "(status 400, error invalid_request)"},
		{"400 with a strange code", 400, "application/json", `{"error":"SECRET code"}`, "(status 400)"},
		{"500", 500, "text/html", `<p>SECRET`, "(status 500)"},
		{"no request_uri", 201, "application/json", `{"expires_in":60}`, "no request_uri"},
		{"request_uri is a number", 201, "application/json", `{"request_uri":7}`, "no request_uri"},
		{"request_uri is null", 201, "application/json", `{"request_uri":null}`, "no request_uri"},
		{"request_uri is relative", 201, "application/json", `{"request_uri":"SECRET"}`, "no URI"},
		{"request_uri has a blank", 201, "application/json", `{"request_uri":"urn:a b"}`, "no URI"},
		{"request_uri is long", 201, "application/json", `{"request_uri":"urn:` + strings.Repeat("x", 2048) + `"}`, "no URI"},
		{"request_uri twice", 201, "application/json", `{"request_uri":"` + uri + `","request_uri":"urn:b"}`, "each member once"},
		{"another name", 201, "application/json", `{"Request_URI":"` + uri + `"}`, "no request_uri"},
		{"an array", 201, "application/json", `["` + uri + `"]`, "not one JSON object"},
		{"a form", 201, "application/x-www-form-urlencoded", `request_uri=` + uri, "not JSON"},
		{"no type", 201, "", `{"request_uri":"` + uri + `"}`, "not JSON"},
		{"half", 201, "application/json", `{"request_uri":"` + uri, "not one JSON object"},
		{"empty", 201, "application/json", ``, "not one JSON object"},
	} {
		got, err := fapi.PushAnswer(c.status, c.media, []byte(c.body))
		if c.want == "" {
			require.NoError(t, err, c.name)
			assert.Equal(t, uri, got)
			continue
		}
		require.Error(t, err, c.name)
		assert.Contains(t, err.Error(), c.want, c.name)
		assert.NotContains(t, err.Error(), "SECRET", c.name)
		assert.Empty(t, got, c.name)
	}
}

// Over HTTP: no redirect is followed, no answer is read without end, and where
// the push fails there is no URL, the plain one least of all.
func TestF2PushFails(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was asked", r.Method, r.URL)
	}))
	defer elsewhere.Close()
	for name, answer := range map[string]http.HandlerFunc{
		"it redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/par", http.StatusTemporaryRedirect)
		},
		"larger than 1 MiB": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"request_uri":"urn:a"}`+strings.Repeat(" ", 1<<20))
		},
		"ended before the answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"request_uri":"urn:a"}`)
		},
		"the request timed out": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			keys := newES256(t)
			s := newServer(t, keys)
			s.answer = func(w http.ResponseWriter, r *http.Request) bool { answer(w, r); return true }
			c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
			ctx, _, err := c.Start(t.Context())
			require.NoError(t, err)
			if strings.Contains(name, "timed out") {
				ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Timeout: 50 * time.Millisecond})
			}
			location, err := c.AuthorizationURL(ctx, nil, upstream.NewTransaction(callback))
			require.Error(t, err)
			assert.Contains(t, err.Error(), name)
			assert.NotContains(t, err.Error(), s.URL)
			assert.Empty(t, location)
			assert.Len(t, s.to("/par"), 1, "it is never sent twice")
		})
	}
}

// The host's client serves the push, and is never changed.
func TestH7F2HostClientServesThePush(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
	n := 0
	host := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		n++
		return http.DefaultTransport.RoundTrip(r)
	})}
	ctx, _, err := c.Start(context.WithValue(t.Context(), oauth2.HTTPClient, host))
	require.NoError(t, err)
	_, err = c.AuthorizationURL(ctx, nil, upstream.NewTransaction(callback))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Nil(t, host.CheckRedirect)
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestF2AuthorizeTakesOnlyItsOwnURL(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
	ctx, _, err := c.Start(t.Context())
	require.NoError(t, err)
	for _, bad := range []string{"", s.URL + "/auth", s.URL + "/auth?client_id=client-2", s.URL + "/auth?client_id=%zz", s.URL + "/auth?client_id=client-12", s.URL + "/auth?xclient_id=client-1", s.URL + "/auth?client_id=client-1&dpop_jkt=x"} {
		got, err := c.Authorize(ctx, bad)
		require.Error(t, err, bad)
		assert.Empty(t, got)
	}
	assert.Empty(t, s.requests)
}

// Without any demand the URL is the Provider's, to the byte.
func TestF2NothingToDo(t *testing.T) {
	s := newServer(t, newES256(t))
	conn := s.connection(t, map[string]any{
		"token_endpoint_auth_method": nil, "token_endpoint_auth_signing_alg": nil, "dpop_signing_alg": nil,
		"require_pushed_authorization_requests": nil, "oidc_metadata": nil, "client_secret": "secret",
	})
	c := newClient(t, conn, fapi.Options{})
	tx := upstream.NewTransaction(callback)
	ctx, carried, err := c.Start(t.Context())
	require.NoError(t, err)
	assert.Nil(t, carried)
	got, err := c.AuthorizationURL(ctx, nil, tx)
	require.NoError(t, err)
	want, err := c.Provider().AuthorizationURL(nil, tx)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	_, err = c.Resume(t.Context(), nil)
	require.NoError(t, err)
}

// How the client authenticates itself where it pushes is how it does at the token
// endpoint.
func TestF2ClientAuthenticationOfThePush(t *testing.T) {
	secret := "secret with % and 32 bytes or more"
	for _, c := range []struct {
		method, secret string
		form           map[string]string
		basic          bool
	}{
		{"client_secret_post", secret, map[string]string{"client_secret": secret}, false},
		{"client_secret_basic", secret, map[string]string{"client_secret": ""}, true},
		{"none", "", map[string]string{"client_secret": ""}, false},
	} {
		keys := newES256(t)
		s := newServer(t, keys)
		s.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			answerJSON(w, http.StatusCreated, map[string]any{"request_uri": "urn:a", "expires_in": 60})
			return true
		}
		conn := s.connection(t, map[string]any{
			"token_endpoint_auth_method": c.method, "client_secret": c.secret,
			"dpop_signing_alg": nil, "token_endpoint_auth_signing_alg": nil,
		})
		_, err := newClient(t, conn, fapi.Options{}).AuthorizationURL(t.Context(), nil, upstream.NewTransaction(callback))
		require.NoError(t, err, c.method)
		sent := s.to("/par")[0]
		for name, want := range c.form {
			assert.Equal(t, want, sent.PostForm.Get(name), c.method)
		}
		user, password, ok := sent.BasicAuth()
		assert.Equal(t, c.basic, ok, c.method)
		if ok {
			assert.Equal(t, url.QueryEscape(s.clientID)+" "+url.QueryEscape(secret), user+" "+password)
		}
	}
}

func TestF2RequestObject(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	conn := s.connection(t, map[string]any{
		"oidc_metadata": s.metadata(map[string]any{"require_signed_request_object": true, "request_object_signing_alg_values_supported": []string{"ES256"}}),
		"upstream_params": map[string]any{
			"max_age": map[string]any{"alias": "max_age"}, "resource": map[string]any{"alias": "resource"}, "ui_locales": map[string]any{"value": "de"},
		},
	})
	c := newClient(t, conn, fapi.Options{Keys: keys})
	ctx, _, err := c.Start(t.Context())
	require.NoError(t, err)
	req, err := upstream.ParseAuthorizeQuery("max_age=300&resource=https://a.example.com&resource=https://b.example.com")
	require.NoError(t, err)
	tx := upstream.NewTransaction(callback)
	location, err := c.AuthorizationURL(ctx, req, tx)
	require.NoError(t, err)
	s.authorize(t, location)
	pushed := s.to("/par")[0].PostForm
	assert.Len(t, pushed, 4, "client_id, request and the client's authentication alone: %v", pushed)
	claims, header := claimsOf(t, pushed.Get("request"), keys)
	assert.Equal(t, "oauth-authz-req+jwt", header.ExtraHeaders["typ"])
	for name, want := range map[string]any{
		"iss": s.clientID, "client_id": s.clientID, "aud": s.URL, "response_type": "code", "redirect_uri": callback,
		"max_age": float64(300), "resource": []any{"https://a.example.com", "https://b.example.com"}, "ui_locales": "de",
		"state": tx.State.Reveal(), "nonce": tx.Nonce.Reveal(), "scope": "openid email", "code_challenge_method": "S256",
	} {
		assert.Equal(t, want, claims[name], name)
	}
	assert.Equal(t, claims["iat"], claims["nbf"])
	assert.Equal(t, claims["nbf"].(float64)+300, claims["exp"])
	assert.NotEmpty(t, claims["dpop_jkt"])
	assert.NotEmpty(t, claims["jti"])

	// Not pushed: the browser carries the object, and nothing beside it.
	plain := newClient(t, s.connection(t, map[string]any{"require_pushed_authorization_requests": nil}), fapi.Options{Keys: keys, SignRequest: true})
	location, err = plain.AuthorizationURL(ctx, nil, tx)
	require.NoError(t, err)
	u, err := url.Parse(location)
	require.NoError(t, err)
	assert.Len(t, u.Query(), 2)
	claims, _ = claimsOf(t, u.Query().Get("request"), keys)
	assert.Equal(t, callback, claims["redirect_uri"])
}

// claims are a JSON object in the request object, not a text (OpenID Connect Core
// section 6.1).
func TestF2ClaimsOfARequestObject(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys, SignRequest: true})
	for _, tc := range []struct{ name, value, want string }{
		{"claims", `{"userinfo":{"a":null}}`, `{"userinfo":{"a":null}}`},
		{"authorization_details", `[{"type":"x"}]`, `[{"type":"x"}]`},
		{"claims", `{"a":1,"a":2}`, `"{\"a\":1,\"a\":2}"`},
		{"max_age", "0", "0"}, {"max_age", "010", `"010"`}, {"max_age", "-1", `"-1"`}, {"max_age", "1e3", `"1e3"`},
		{"login_hint", "300", `"300"`}, {"login_hint", `a"b\`, `"a\"b\\"`},
	} {
		object, err := c.RequestObject(url.Values{tc.name: {tc.value}})
		require.NoError(t, err)
		claims, _ := claimsOf(t, object, keys)
		got, err := json.Marshal(claims[tc.name])
		require.NoError(t, err)
		assert.Equal(t, tc.want, string(got), tc.name)
	}
}

// claimsOf verifies a JWT of the client's.
func claimsOf(t testing.TB, jwt string, keys http.Handler) (map[string]any, jose.Header) {
	t.Helper()
	jws, err := jose.ParseSignedCompact(jwt, []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.PS256, jose.RS256, jose.EdDSA})
	require.NoError(t, err)
	header := jws.Signatures[0].Header
	set := published(t, keys)
	found := set.Key(header.KeyID)
	require.Len(t, found, 1)
	payload, err := jws.Verify(found[0])
	require.NoError(t, err)
	claims := map[string]any{}
	require.NoError(t, json.Unmarshal(payload, &claims))
	return claims, header
}

// An operator sees what was pushed, from the same plan.
func TestF2ExplainShowsWhatIsPushed(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	c := newClient(t, s.connection(t, map[string]any{"upstream_params": map[string]any{"ui_locales": map[string]any{"value": "de"}}}), fapi.Options{Keys: keys})
	tx := upstream.NewTransaction(callback)
	e, err := c.Explain(nil, tx)
	require.NoError(t, err)
	assert.Empty(t, s.to("/par"), "it pushes nothing")
	assert.Equal(t, s.URL+"/par", e.Pushed)
	assert.Equal(t, []string{"client_id", "request_uri"}, e.Browser)
	assert.Equal(t, "private_key_jwt ES256 ", fmt.Sprint(e.Authentication, " ", e.DPoP, " ", e.RequestObject))
	sent := map[string]string{}
	for _, d := range e.Parameters {
		if d.Sent {
			sent[d.Name] = d.Value
		}
	}
	ctx, _, err := c.Start(t.Context())
	require.NoError(t, err)
	_, err = c.AuthorizationURL(ctx, nil, tx)
	require.NoError(t, err)
	pushed := s.to("/par")[0].PostForm
	for _, own := range []string{"client_assertion", "client_assertion_type", "dpop_jkt"} {
		require.NotEmpty(t, pushed.Get(own))
		pushed.Del(own)
	}
	assert.Len(t, pushed, len(sent))
	for name, value := range sent {
		if name != "state" && name != "nonce" { // an explanation may keep them back
			assert.Equal(t, value, pushed.Get(name), name)
		}
	}
	signed := newClient(t, s.connection(t, map[string]any{"require_pushed_authorization_requests": nil}), fapi.Options{Keys: keys, SignRequest: true})
	e, err = signed.Explain(nil, tx)
	require.NoError(t, err)
	assert.Equal(t, "ES256 [client_id request]", fmt.Sprint(e.RequestObject, " ", e.Browser))
}
