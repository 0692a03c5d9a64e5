package integration

// Whole logins with module login, against providers that others wrote.

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	uplogin "example.com/upstream/login" // this package has a function of that name
)

// loginConnection is found by its issuer alone.
func loginConnection(t *testing.T, issuer string, more map[string]any) *upstream.Connection {
	t.Helper()
	options := map[string]any{"client_id": clientID, "client_secret": clientSecret, "issuer": issuer, "scope": "openid email"}
	for name, value := range more {
		options[name] = value
	}
	text, err := json.Marshal(map[string]any{"name": "corp", "strategy": "oidc", "options": options})
	require.NoError(t, err)
	conn, err := upstream.ParseConnection(text)
	require.NoError(t, err)
	return conn
}

func newLogin(t *testing.T, conn *upstream.Connection) *uplogin.Login {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	l, err := uplogin.New(conn, uplogin.Options{RedirectURI: callback, Keys: []upstream.Secret{upstream.NewSecret(string(key))}, Store: &uplogin.MemoryStore{}, PostLogoutRedirectURI: "https://auth.example.com/bye"})
	require.NoError(t, err)
	return l
}

// A leg is a login that has begun.
type leg struct {
	login  *uplogin.Login
	url    string
	cookie *http.Cookie
}

func begun(t *testing.T, l *uplogin.Login, req *upstream.AuthorizeRequest) leg {
	t.Helper()
	redirect, err := l.BeginLogin(t.Context(), req, []byte("request 7"))
	require.NoError(t, err)
	return leg{l, redirect.URL, redirect.Cookie}
}

// finish brings the answer to the callback, as the browser would.
func (g leg) finish(t *testing.T, answer url.Values) (*uplogin.Result, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, callback+"?"+answer.Encode(), nil)
	r.AddCookie(g.cookie)
	return g.login.Finish(httptest.NewRecorder(), r)
}

// step gives where a login ended, and the application's code.
func step(t *testing.T, err error) (uplogin.Step, string) {
	t.Helper()
	e := (*uplogin.Error)(nil)
	require.ErrorAs(t, err, &e)
	return e.Step, e.Code
}

func newLoginOP(t *testing.T) (issuer string) {
	return startNode(t, "login.mjs", map[string]string{"client_id": clientID, "client_secret": clientSecret, "callback": callback})
}

// hint says to login.mjs how to log the user in.
func hint(t *testing.T, how map[string]any) string {
	text, err := json.Marshal(how)
	require.NoError(t, err)
	return string(text)
}

func TestL1L3LoginWithNode(t *testing.T) {
	issuer := newLoginOP(t)
	l := newLogin(t, loginConnection(t, issuer, nil))
	g := begun(t, l, nil)
	at := newBrowser(t).visit(t, g.url)
	require.NotNil(t, at.back, "%s: %s", at.at, at.body)
	assert.Equal(t, issuer, at.back.Get("iss"))

	without := url.Values{"code": at.back["code"], "state": at.back["state"]}
	_, err := g.finish(t, without)
	where, code := step(t, err)
	assert.Equal(t, uplogin.StepIssuer, where, "it advertises iss, so it has to be there (row 52)")
	assert.Equal(t, "server_error", code)
	_, err = g.finish(t, at.back)
	where, _ = step(t, err)
	assert.Equal(t, uplogin.StepSpent, where)

	g = begun(t, l, nil)
	at = newBrowser(t).visit(t, g.url)
	r, err := g.finish(t, at.back)
	require.NoError(t, err)
	assert.Equal(t, "oidc|corp|user-1", r.Subject)
	assert.Equal(t, "user-1@example.com", r.Profile.Email)
	assert.Equal(t, "request 7", string(r.Data))
	assert.Equal(t, issuer, r.Issuer)

	out, err := l.LogoutURL(t.Context(), r.IDToken(), "")
	require.NoError(t, err)
	bye := newBrowser(t).visit(t, out)
	assert.Equal(t, http.StatusOK, bye.status, "the provider takes the logout: %s", bye.body)
}

func TestL4ACRWithNode(t *testing.T) {
	issuer := newLoginOP(t)
	l := newLogin(t, loginConnection(t, issuer, map[string]any{"upstream_params": map[string]any{
		"login_hint": map[string]string{"alias": "login_hint"},
		"max_age":    map[string]string{"alias": "max_age"},
		"acr_values": map[string]any{"alias": "acr_values", "essential": true, "translate": map[string]string{"4": "urn:example:high", "2": "urn:example:low"}},
		"claims":     map[string]any{"value": `{"id_token": {"acr": null, "auth_time": null}}`},
	}}))
	for _, c := range []struct {
		name string
		req  upstream.AuthorizeRequest
		how  map[string]any
		acr  string // "": refused
	}{
		{"high", upstream.AuthorizeRequest{ACRValues: "4"}, map[string]any{"acr": "urn:example:high"}, "4"},
		{"low of two", upstream.AuthorizeRequest{ACRValues: "4 2"}, map[string]any{"acr": "urn:example:low"}, "2"},
		{"low", upstream.AuthorizeRequest{ACRValues: "4"}, map[string]any{"acr": "urn:example:low"}, ""},
		{"absent", upstream.AuthorizeRequest{ACRValues: "4"}, nil, ""},
		{"fresh", upstream.AuthorizeRequest{ACRValues: "4", MaxAge: "600"}, map[string]any{"acr": "urn:example:high", "age": 30}, "4"},
		{"stale", upstream.AuthorizeRequest{ACRValues: "4", MaxAge: "600"}, map[string]any{"acr": "urn:example:high", "age": 3600}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.how == nil {
				c.how = map[string]any{}
			}
			c.req.LoginHint = hint(t, c.how)
			g := begun(t, l, &c.req)
			at := newBrowser(t).visit(t, g.url)
			require.NotNil(t, at.back, "%s: %s", at.at, at.body)
			r, err := g.finish(t, at.back)
			if c.acr == "" {
				where, code := step(t, err)
				assert.Equal(t, uplogin.StepAsked, where)
				assert.Equal(t, "access_denied", code)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.acr, r.ACR)
			assert.WithinDuration(t, time.Now(), r.AuthTime, time.Hour)
		})
	}
}

func TestL5ErrorsOfNode(t *testing.T) {
	issuer := newLoginOP(t)
	l := newLogin(t, loginConnection(t, issuer, map[string]any{"upstream_params": map[string]any{
		"login_hint": map[string]string{"alias": "login_hint"}, "prompt": map[string]string{"alias": "prompt"},
	}}))
	for _, c := range []struct {
		name, told string
		req        upstream.AuthorizeRequest
	}{
		{"prompt=none", "login_required", upstream.AuthorizeRequest{Prompt: "none"}},
		{"the user says no", "access_denied", upstream.AuthorizeRequest{LoginHint: hint(t, map[string]any{"deny": "access_denied"})}},
		{"an error of the provider's", "server_error", upstream.AuthorizeRequest{LoginHint: hint(t, map[string]any{"deny": "invalid_target"})}},
	} {
		g := begun(t, l, &c.req)
		at := newBrowser(t).visit(t, g.url)
		require.NotNil(t, at.back, "%s: %s", at.at, at.body)
		require.NotEmpty(t, at.back.Get("error"))
		_, err := g.finish(t, at.back)
		where, code := step(t, err)
		assert.Equal(t, uplogin.StepRefused, where, c.name)
		assert.Equal(t, c.told, code, c.name)
		assert.NotContains(t, err.Error(), "words of the provider")
	}
}

var hiddenField = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

func TestL1FormPostWithNode(t *testing.T) {
	issuer := newLoginOP(t)
	l := newLogin(t, loginConnection(t, issuer, map[string]any{"upstream_params": map[string]any{"response_mode": map[string]string{"value": "form_post"}}}))
	g := begun(t, l, nil)
	assert.Equal(t, http.SameSiteNoneMode, g.cookie.SameSite)
	at := newBrowser(t).visit(t, g.url)
	form := url.Values{}
	for _, field := range hiddenField.FindAllStringSubmatch(at.body, -1) {
		form.Set(field[1], strings.NewReplacer("&#x3D;", "=", "&#x2F;", "/", "&#x2f;", "/", "&quot;", `"`).Replace(field[2]))
	}
	require.NotEmpty(t, form.Get("code"), "%s", at.body)
	r := httptest.NewRequest(http.MethodPost, callback, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(g.cookie)
	result, err := l.Finish(httptest.NewRecorder(), r)
	require.NoError(t, err)
	assert.Equal(t, "oidc|corp|user-1", result.Subject)
}

// Two providers at once, one of which is hostile: what it sends the browser on
// with is no answer of the other's.
func TestL1MixUpOfNodes(t *testing.T) {
	honest, other := newLoginOP(t), newLoginOP(t)
	l := newLogin(t, loginConnection(t, other, nil))
	g := begun(t, l, nil)
	u, err := url.Parse(g.url)
	require.NoError(t, err)
	u.Host = strings.TrimPrefix(honest, "http://") // where the hostile one sends the browser
	at := newBrowser(t).visit(t, u.String())
	require.NotEmpty(t, at.back.Get("code"), "%s", at.body)
	_, err = g.finish(t, at.back)
	where, _ := step(t, err)
	assert.Equal(t, uplogin.StepIssuer, where)
}

func TestL1L4LoginWithExampleOP(t *testing.T) {
	idp := newExampleOP(t)
	l := newLogin(t, loginConnection(t, idp.URL, map[string]any{"scope": "openid profile email", "upstream_params": map[string]any{"max_age": map[string]string{"alias": "max_age"}}}))
	g := begun(t, l, &upstream.AuthorizeRequest{MaxAge: strconv.Itoa(60)})
	user := newBrowser(t)
	form := user.visit(t, g.url)
	at := user.submit(t, idp.URL+"/login/username", url.Values{"id": {form.at.Query().Get("authRequestID")}, "username": {testUser}, "password": {password}})
	require.NotEmpty(t, at.back.Get("code"), "%s", at.body)
	r, err := g.finish(t, at.back)
	require.NoError(t, err)
	assert.Equal(t, "oidc|corp|"+userID, r.Subject)
	require.Len(t, r.Checks, 1)
	assert.Equal(t, uplogin.Met, r.Checks[0].Verdict)
	assert.Equal(t, []string{"pwd"}, r.AMR)
}
