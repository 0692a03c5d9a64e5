package main

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The whole login, each request at the other replica: the application's form,
// the auth server, the IdP, and all the way back.
func TestLogin(t *testing.T) {
	for _, test := range []struct {
		name, connection string
		params           url.Values
		subject          string
		upstream         map[string]string // what the IdP's authorization endpoint got
		absent           []string
		shown            []string
	}{
		{
			"OpenID Connect", "corporate",
			url.Values{"login_hint": {"ann@example.com"}, "prompt": {"login"}, "acr_values": {"strong"}, "max_age": {"60"}},
			"oidc|corporate|id1",
			map[string]string{
				"login_hint": "ann@example.com", "prompt": "login", "acr_values": "urn:example:two-factors", "ui_locales": "en",
				"display": "page", "client_id": "auth-server", "scope": "openid profile email", "code_challenge_method": "S256",
			},
			[]string{"max_age", "connection"},
			[]string{"<code>max_age</code>", "Test User"},
		},
		{
			"OAuth 2.0, with userinfo alone", "partner",
			url.Values{"login_hint": {"ann@example.com"}},
			"oauth2|partner|id1",
			map[string]string{"login_hint": "ann@example.com", "brand": "partner", "ui_locales": "de", "scope": "openid email"},
			[]string{"nonce", "prompt"},
			nil,
		},
		{
			"OAuth 2.0, with the connection's script", "members",
			url.Values{"login_hint": {"ann@example.com"}},
			"oauth2|members|id1",
			map[string]string{"scope": "openid profile email"},
			[]string{"nonce", "login_hint"},
			[]string{"Test User"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStack(t)
			v := s.visitor()
			test.params.Set("connection", test.connection)
			page := v.follow(v.logIn(v.begin(test.params)))

			assert.Equal(t, s.app+"/", page.url)
			assert.Contains(t, page.body, "<code>"+test.subject+"</code>")
			assert.Contains(t, page.body, `test-user@zitadel.ch <small>verified</small>`)
			query := s.at("/authorize")[0].query
			for name, value := range test.upstream {
				assert.Equal(t, []string{value}, query[name], name)
				assert.Contains(t, page.body, "<code>"+name+"</code>", "shown to the user")
			}
			for _, name := range test.absent {
				assert.NotContains(t, query, name)
			}
			for _, text := range test.shown {
				assert.Contains(t, page.body, text)
			}
			require.Len(t, s.at("/oauth/token"), 1)
			assert.Equal(t, idpPartnerKey, s.at("/oauth/token")[0].header.Get(partnerHeader))
			for _, path := range []string{"/userinfo", "/keys"} {
				for _, r := range s.at(path) {
					assert.Empty(t, r.header.Get(partnerHeader), "the header is for the token endpoint alone")
				}
			}
			assert.NotEmpty(t, s.at("/userinfo"))
		})
	}
}

func TestLoginPage(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	page := v.follow(s.app + "/login")
	assert.Equal(t, http.StatusOK, page.status)
	assert.Contains(t, page.body, "Sample application")
	assert.Contains(t, page.body, "Continue with Example Corporation")
	assert.Contains(t, page.body, "Continue with Example Partner")
	assert.Contains(t, page.body, `<img src="`+s.idp+`/icon.svg"`)
	assert.NotContains(t, page.body, "sales", "is enabled for another application")
	policy := page.header.Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'")
	assert.Contains(t, policy, "img-src 'self' "+s.idp, "or the icons would not be shown")
	assert.Contains(t, policy, "frame-ancestors 'none'")
	assert.Equal(t, "no-referrer", page.header.Get("Referrer-Policy"))

	next := v.get(page.choice("partner")).next
	assert.Contains(t, v.follow(v.logIn(next)).body, "oauth2|partner|id1")
}

// choice gives the address of a link on the login page.
func (r reply) choice(connection string) string {
	for _, link := range regexp.MustCompile(`<a href="(/authorize[^"]*)"`).FindAllStringSubmatch(r.body, -1) {
		address, err := url.Parse(html.UnescapeString(link[1]))
		if err == nil && address.Query().Get("connection") == connection {
			base, _ := url.Parse(r.url)
			return base.ResolveReference(address).String()
		}
	}
	return ""
}

// A display name and an icon are the operator's text, and still no markup.
func TestLoginPageEscapes(t *testing.T) {
	s := newStack(t)
	s.edit("corporate.json", "Example Corporation", `<script>alert(1)</script>`)
	s.edit("corporate.json", `"icon_url": "`+s.idp, `"icon_url": "https://icons.example;script-src`)
	page := s.visitor().follow(s.app + "/login")
	assert.NotContains(t, page.body, "<script>")
	assert.NotContains(t, page.header.Get("Content-Security-Policy"), "script-src")
}

// The first leg refuses what is not enabled for the client, however it is asked
// for, and does not tell it from what does not exist.
func TestNotEnabled_FirstLeg(t *testing.T) {
	s := newStack(t)
	answers := map[string]string{}
	for _, name := range []string{"sales", "nowhere"} {
		r := s.visitor().follow(s.app+"/login?connection="+name, s.app+"/callback")
		u, err := url.Parse(r.next)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(r.next, s.app+"/callback?"), r.body)
		assert.Equal(t, "invalid_request", u.Query().Get("error"))
		assert.NotEmpty(t, u.Query().Get("state"))
		answers[name] = u.Query().Get("error_description")

		v := s.visitor()
		page := v.follow(s.app + "/login")
		r = v.get(with(t, page.choice("corporate"), map[string]string{"connection": name})) // as if it stood on the login page
		assert.Contains(t, r.next, s.app+"/callback?error=invalid_request")
	}
	assert.Equal(t, answers["sales"], answers["nowhere"])
	assert.Contains(t, s.logs.String(), `connection=sales outcome="connection not enabled for the client"`, "the operator may know")
	assert.Empty(t, s.at("/authorize"), "nobody was sent to the IdP")
}

// A connection that was taken from the client while its user was at the IdP.
func TestNotEnabled_SecondLeg(t *testing.T) {
	for _, change := range []string{`"enabled_clients": ["sales-app"]`, `"enabled_clients": []`} {
		s := newStack(t)
		v := s.visitor()
		callback := v.toCallback("corporate")
		s.edit("corporate.json", `"enabled_clients": ["sample-app"]`, change)
		r := v.get(callback)
		assert.Contains(t, r.next, s.app+"/callback?error=invalid_request")
		assert.Empty(t, s.at("/oauth/token"), "the code was not spent")
		assert.Contains(t, s.logs.String(), `leg=2 connection=corporate client=sample-app error.connection=corporate error.step=refused error.reason="the connection is not enabled`)
	}
}

// prompt=none is only for an IdP that is asked with prompt=none.
func TestPromptNone(t *testing.T) {
	s := newStack(t)
	for name, params := range map[string]string{
		"no connection, so there is nobody to ask": "prompt=none",
		"the connection does not map prompt":       "prompt=none&connection=partner",
	} {
		r := s.visitor().follow(s.app+"/login?"+params, s.app+"/callback")
		assert.Contains(t, r.next, "error=login_required", name)
	}
	assert.Empty(t, s.at("/authorize"))
	// The IdP, asked with prompt=none, says the same.
	r := s.visitor().follow(s.app+"/login?prompt=none&connection=corporate", s.app+"/callback")
	assert.Contains(t, r.next, "error=login_required")
	require.NotEmpty(t, s.at("/authorize"))
	assert.Equal(t, "none", s.at("/authorize")[0].query.Get("prompt"))
}

// redeem sends the sample application's code to the token endpoint.
func (s *stack) redeem(secret, code, verifier string) (status int, answer map[string]any) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.app + "/callback"}}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	r, err := http.NewRequest(http.MethodPost, s.issuer+"/oauth/token", strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(sampleApp.ID, secret)
	got := s.visitor().do(r)
	require.NoError(s.t, json.Unmarshal([]byte(got.body), &answer), got.body)
	return got.status, answer
}

// An application spends its code once, and needs its secret and its verifier.
func TestCodeOfTheAuthServer(t *testing.T) {
	s := newStack(t)
	secret := sampleApp.Secret
	redeem := func(code, verifier string) (status int, answer map[string]any) {
		return s.redeem(secret, code, verifier)
	}
	const verifier = "a-verifier-of-the-applications-own-that-is-long"
	code := func() string {
		v := s.visitor()
		query := url.Values{
			"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid email"},
			"connection": {"corporate"}, "code_challenge_method": {"S256"}, "code_challenge": {"V5Se_j90wqrbdZZaP3MnkcbOl8wyfrowXJBb_9mlTNg"},
		}
		r := v.follow(s.issuer+"/authorize?"+query.Encode(), s.idp)
		u, err := url.Parse(v.get(v.logIn(r.next)).next)
		require.NoError(t, err)
		return u.Query().Get("code")
	}
	status, answer := redeem(code(), "another-verifier-of-the-applications-own-long")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, "invalid_grant", answer["error"])

	secret = "another"
	status, _ = redeem(code(), verifier)
	assert.NotEqual(t, http.StatusOK, status)
	secret = sampleApp.Secret

	once := code()
	status, answer = redeem(once, verifier)
	assert.Equal(t, http.StatusOK, status, answer)
	userinfo := func() reply {
		r, err := http.NewRequest(http.MethodGet, s.issuer+"/userinfo", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+answer["access_token"].(string))
		return s.visitor().do(r)
	}
	granted := answer
	assert.JSONEq(t, `{"sub": "oidc|corporate|id1", "email": "test-user@zitadel.ch", "email_verified": true}`, userinfo().body)
	status, answer = redeem(once, verifier)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, "invalid_grant", answer["error"])

	answer = granted
	s.clock.ahead.Add(int64(tokenLifetime))
	assert.NotContains(t, userinfo().body, "corporate", "the token's time is over")

	late := code()
	s.clock.ahead.Add(int64(codeLifetime))
	status, _ = redeem(late, verifier)
	assert.Equal(t, http.StatusBadRequest, status)
}

// The IdP by itself: it demands its header, and it sends its issuer.
func TestIdPDemandsHeader(t *testing.T) {
	s := newStack(t)
	r := httptest.NewRequest(http.MethodPost, "/oauth/token", nil)
	r.Header.Set(partnerHeader, "planted")
	w := httptest.NewRecorder()
	demandHeader(idpPartnerKey, http.NotFoundHandler()).ServeHTTP(w, r)
	assert.Equal(t, http.StatusForbidden, w.Code)
	u, err := url.Parse(s.visitor().toCallback("corporate"))
	require.NoError(t, err)
	assert.Equal(t, s.idp, u.Query().Get("iss"))
}
