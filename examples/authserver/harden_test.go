package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// code gives a code that the sample application could redeem.
func (s *stack) code(scope string) string {
	v := s.visitor()
	query := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {scope}, "connection": {"corporate"},
	}
	u, err := url.Parse(v.get(v.logIn(v.follow(s.issuer+"/authorize?"+query.Encode(), s.idp).next)).next)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, u.Query().Get("code"), u)
	return u.Query().Get("code")
}

// A token must not stay in any cache (RFC 6749 section 5.1), whatever the answer.
func TestHarden_TokenNoStore(t *testing.T) {
	s := newStack(t)
	code := s.code("openid email")
	for name, form := range map[string]url.Values{
		"a token":  {"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.app + "/callback"}},
		"an error": {"grant_type": {"authorization_code"}, "code": {"planted"}},
	} {
		r, err := http.NewRequest(http.MethodPost, s.issuer+"/oauth/token", strings.NewReader(form.Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(sampleApp.ID, sampleApp.Secret)
		assert.Equal(t, "no-store", s.visitor().do(r).header.Get("Cache-Control"), name)
	}
}

// Anybody may send requests. 10,000 of them lock nobody out, neither those who
// are at the identity provider just then nor those who come after.
func TestHarden_AnonymousRequests(t *testing.T) {
	s := newStack(t)
	before := s.visitor()
	callback := before.toCallback("corporate")
	query := url.Values{"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid"}}
	handler := s.replicas[0].Handler()
	for i := range 10_100 {
		if i == 5_000 {
			query.Set("connection", "corporate") // these begin a login, too
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, s.issuer+"/authorize?"+query.Encode(), nil))
		require.Less(t, w.Code, 400, "request %d", i)
	}
	after := s.visitor()
	assert.Contains(t, after.follow(after.toCallback("corporate")).body, "oidc|corporate|id1")
	assert.Contains(t, before.follow(callback).body, "oidc|corporate|id1")
}

// A code that comes twice has been stolen, and so may be what it bought (RFC
// 6749 section 4.1.2).
func TestHarden_ReplayedCodeRevokes(t *testing.T) {
	s := newStack(t)
	userinfo := func(token any) int {
		r, err := http.NewRequest(http.MethodGet, s.issuer+"/userinfo", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token.(string))
		return s.visitor().do(r).status
	}
	code, other := s.code("openid email"), s.code("openid email")
	status, answer := s.redeem(sampleApp.Secret, code, "")
	require.Equal(t, http.StatusOK, status, answer)
	_, another := s.redeem(sampleApp.Secret, other, "")
	require.Equal(t, http.StatusOK, userinfo(answer["access_token"]))
	status, _ = s.redeem(sampleApp.Secret, code, "")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.NotEqual(t, http.StatusOK, userinfo(answer["access_token"]), "the token of the replayed code")
	assert.Equal(t, http.StatusOK, userinfo(another["access_token"]), "the token of another login")
}

// Under https a cookie has a prefix, with which no browser takes it from a page
// without https, such as one that somebody on the wire has made up.
func TestHarden_SecureCookies(t *testing.T) {
	s := newStack(t)
	config := s.replicas[0].Config
	config.Issuer = "https://auth.example.com"
	secure, err := NewServer(t.Context(), config)
	require.NoError(t, err)
	query := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid"}, "connection": {"corporate"},
	}
	address := "https://auth.example.com/authorize?" + query.Encode()
	var cookies []*http.Cookie
	for range 2 { // the second request is for servers that redirect to a page of their own first
		w := httptest.NewRecorder()
		secure.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
		cookies = append(cookies, w.Result().Cookies()...)
		address = "https://auth.example.com" + w.Result().Header.Get("Location")
	}
	require.NotEmpty(t, cookies)
	for _, c := range cookies {
		assert.True(t, strings.HasPrefix(c.Name, "__Secure-") || strings.HasPrefix(c.Name, "__Host-"), c.Name)
		assert.True(t, c.Secure, c.Name)
	}
}

// Every answer has a policy, error texts and JSON included: an answer that some
// browser takes for a page must do nothing there.
func TestHarden_Policy(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	query := url.Values{"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid"}}
	answers := map[string]reply{"token": v.post(s.issuer+"/oauth/token", nil)}
	for name, address := range map[string]string{
		"start": "/", "unknown page": "/planted", "icon": "/favicon.ico", "style": "/style.css", "keys": "/keys", "userinfo": "/userinfo",
		"revoke": "/revoke", "metadata": "/.well-known/openid-configuration", "authorize": "/authorize", "choice": "/authorize?" + query.Encode(),
		"unknown client": "/authorize?client_id=planted", "bad form": "/authorize?a=%", "callback": "/login/callback/corporate",
		"op's callback": "/authorize/callback?id=1", "login": "/login",
	} {
		answers[name] = v.get(s.issuer + address)
	}
	for name, address := range map[string]string{"operator's": "/connections", "operator's unknown page": "/planted"} {
		answers[name] = v.get(s.operator + address)
	}
	answers["operator's by another name"] = v.get(strings.Replace(s.operator, "127.0.0.1", "localhost", 1) + "/connections")
	answers["wrong method"] = v.post(s.issuer+"/style.css", nil)
	for name, r := range answers {
		policy := r.header.Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'", name)
		assert.Contains(t, policy, "frame-ancestors 'none'", name)
		assert.Equal(t, "nosniff", r.header.Get("X-Content-Type-Options"), name)
	}
}

// What a user can see in the address bar is a page, and has a way on.
func TestHarden_Pages(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	for _, test := range []struct {
		path   string
		status int
		text   string
	}{
		{"/", http.StatusOK, "Sample application"},
		{"/planted", http.StatusNotFound, "There is no such page"},
		{"/login", http.StatusNotFound, "There is no such page"},
		{"/authorize", http.StatusBadRequest, "not registered"},
		{"/authorize?client_id=planted&redirect_uri=https://planted.example/&response_type=code&scope=openid", http.StatusBadRequest, "not registered"},
		{"/authorize?client_id=sample-app&redirect_uri=https://planted.example/&response_type=code&scope=openid", http.StatusBadRequest, "not registered"},
		{"/authorize?a=%", http.StatusBadRequest, "malformed"},
		{"/login/callback/corporate?code=a&state=b", http.StatusBadRequest, "not begun in this browser"},
	} {
		r := v.get(s.issuer + test.path)
		assert.Equal(t, test.status, r.status, test.path)
		assert.Contains(t, r.header.Get("Content-Type"), "text/html", test.path)
		assert.Contains(t, r.body, test.text, test.path)
		assert.Contains(t, r.body, "<title>", test.path)
		assert.Contains(t, r.body, `<a href="`, test.path)
		assert.NotContains(t, r.body, "planted", test.path)
	}
	assert.Contains(t, v.get(s.issuer+"/").body, `href="`+s.app+`/"`)
	icon := v.get(s.issuer + "/favicon.ico")
	assert.Equal(t, http.StatusOK, icon.status)
	assert.Contains(t, icon.header.Get("Content-Type"), "image/")
}
