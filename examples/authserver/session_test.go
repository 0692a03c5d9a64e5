package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asks begins at the application, and gives where the visitor ends up: at the
// identity provider, back at the application, or at the login page ("").
func (v *visitor) asks(params url.Values) reply {
	return v.follow(v.app+"/login?"+params.Encode(), v.idp, v.app+"/callback")
}

// The server remembers who is logged in, and asks nobody again, unless the request
// wants that (OpenID Connect Core section 3.1.2.1).
func TestSession(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	require.Contains(t, v.follow(v.toCallback("corporate")).body, "oidc|corporate|id1")
	const toIdP, toApp = "to the identity provider", "back to the application"
	where := func(params url.Values) string {
		r := v.asks(params)
		switch {
		case strings.HasPrefix(r.next, s.idp):
			return toIdP
		case strings.Contains(r.next, "code="):
			return toApp
		case strings.Contains(r.next, "error="):
			return r.next
		}
		return "the login page"
	}
	for _, test := range []struct {
		name   string
		params url.Values
		want   string
	}{
		{"nothing special", nil, toApp},
		{"the same connection", url.Values{"connection": {"corporate"}}, toApp},
		{"another connection", url.Values{"connection": {"partner"}}, toIdP},
		{"prompt=none", url.Values{"prompt": {"none"}}, toApp},
		{"prompt=login", url.Values{"prompt": {"login"}, "connection": {"corporate"}}, toIdP},
		{"prompt=select_account", url.Values{"prompt": {"select_account"}}, "the login page"},
		{"max_age that is met", url.Values{"max_age": {"3600"}}, toApp},
		{"max_age=0", url.Values{"max_age": {"0"}, "connection": {"corporate"}}, toIdP},
		{"another acr", url.Values{"acr_values": {"strong"}, "connection": {"corporate"}}, toIdP},
		{"a connection that is not the application's", url.Values{"connection": {"sales"}}, "error=invalid_request"},
	} {
		assert.Contains(t, where(test.params), test.want, test.name)
	}
	s.clock.ahead.Add(int64(2 * time.Hour))
	assert.Equal(t, "the login page", where(url.Values{"max_age": {"3600"}}), "by now it is too long ago")
	assert.Contains(t, where(url.Values{"max_age": {"3600"}, "prompt": {"none"}}), "error=login_required")
	assert.Equal(t, toApp, where(nil))

	// The connection was taken from the application.
	s.edit("corporate.json", `"enabled_clients": ["sample-app"]`, `"enabled_clients": ["sales-app"]`)
	assert.Equal(t, "the login page", where(nil))
	s.edit("corporate.json", `"enabled_clients": ["sales-app"]`, `"enabled_clients": ["sample-app"]`)
	assert.Equal(t, toApp, where(nil))

	s.clock.ahead.Add(int64(sessionLifetime))
	assert.Equal(t, "the login page", where(nil), "a session ends")
}

// Logging out ends the session here, and no page of another site can do it.
func TestSession_Logout(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	v.follow(v.toCallback("corporate"))
	page := v.get(s.issuer + "/")
	assert.Contains(t, page.body, "oidc|corporate|id1")
	cookies := v.cookies(s.issuer)

	r, err := http.NewRequest(http.MethodPost, s.issuer+"/logout", nil)
	require.NoError(t, err)
	r.Header.Set("Origin", "https://elsewhere.example")
	assert.Equal(t, http.StatusForbidden, v.do(r).status)
	assert.Contains(t, v.get(s.issuer+"/").body, "oidc|corporate|id1")

	assert.Equal(t, s.issuer+"/", v.post(s.issuer+"/logout", nil).next)
	assert.NotContains(t, v.get(s.issuer+"/").body, "oidc|corporate|id1")
	assert.NotContains(t, s.send(s.issuer+"/", cookies...).body, "oidc|corporate|id1", "whoever has copied the cookie")
}

// A session's name is new with each login, so that one that was planted is worth nothing.
func TestSession_Fixation(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	v.follow(v.toCallback("corporate"))
	first := v.cookies(s.issuer)
	require.NotEmpty(t, first)
	v.follow(v.logIn(v.begin(url.Values{"connection": {"corporate"}, "prompt": {"login"}})))
	second := v.cookies(s.issuer)
	assert.NotEqual(t, first, second)
	assert.NotContains(t, s.send(s.issuer+"/", first...).body, "oidc|corporate|id1")
	assert.Contains(t, s.send(s.issuer+"/", second...).body, "oidc|corporate|id1")
}

// What the application asks of the login is held against what the identity
// provider says of it, whether the connection passes it on or not.
func TestSession_Fresh(t *testing.T) {
	for _, test := range []struct {
		name, connection string
		params           url.Values
		ahead            time.Duration // of our clock, so that the login was so long ago
		want             string
	}{
		{"max_age that is met", "corporate", url.Values{"max_age": {"60"}}, 0, "code="},
		{"max_age that is not", "corporate", url.Values{"max_age": {"60"}}, 5 * time.Minute, "error=login_required"},
		{"max_age where the identity provider says nothing", "partner", url.Values{"max_age": {"60"}}, 0, "error=login_required"},
		{"prompt=login, and it did not ask", "corporate", url.Values{"prompt": {"login"}}, 5 * time.Minute, "error=login_required"},
		{"prompt=login, and nobody can know", "partner", url.Values{"prompt": {"login"}}, 0, "code="},
		{"nothing asked", "corporate", nil, 5 * time.Minute, "code="},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStack(t)
			s.clock.ahead.Add(int64(test.ahead))
			v := s.visitor()
			params := url.Values{"connection": {test.connection}}
			for name, values := range test.params {
				params[name] = values
			}
			assert.Contains(t, v.get(v.logIn(v.begin(params))).next, s.app+"/callback?"+test.want)
		})
	}
}

// id_token_hint names who should log in (OpenID Connect Core section 3.1.2.1).
func TestSession_Hint(t *testing.T) {
	s := newStack(t)
	_, answer := s.redeem(sampleApp.Secret, s.code("openid"), "")
	hint := answer["id_token"].(string)
	v := s.visitor()
	v.follow(v.toCallback("corporate"))
	query := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid"},
		"id_token_hint": {hint}, "prompt": {"none"},
	}
	assert.Contains(t, v.get(s.issuer+"/authorize?"+query.Encode()).next, "code=")
	other := s.visitor()
	other.follow(other.toCallback("partner"))
	assert.Contains(t, other.get(s.issuer+"/authorize?"+query.Encode()).next, "error=login_required", "the session is another user's")
	query.Del("prompt")
	query.Set("connection", "partner")
	assert.Contains(t, other.get(other.logIn(other.follow(s.issuer+"/authorize?"+query.Encode(), s.idp).next)).next, "error=login_required", "and so is the login")
	query.Set("id_token_hint", hint[:len(hint)-6]+"AAAAAA")
	assert.Contains(t, v.get(s.issuer+"/authorize?"+query.Encode()).next, "error=login_required", "nobody's token")
}

// token sends a form to the token endpoint, with the application's secret.
func (s *stack) token(path string, form url.Values) (status int, answer map[string]any) {
	r, err := http.NewRequest(http.MethodPost, s.issuer+path, strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(sampleApp.ID, sampleApp.Secret)
	got := s.visitor().do(r)
	if got.body != "" {
		require.NoError(s.t, json.Unmarshal([]byte(got.body), &answer), got.body)
	}
	return got.status, answer
}

func (s *stack) userinfo(token any) int {
	r, err := http.NewRequest(http.MethodGet, s.issuer+"/userinfo", nil)
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+token.(string))
	return s.visitor().do(r).status
}

// Refresh tokens are good for one use each. One that comes twice ends them all: one
// of the two had stolen it (RFC 9700 section 4.14.2).
func TestRefresh(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := newStackOn(t, database)
		status, first := s.redeem(sampleApp.Secret, s.code("openid email offline_access"), "")
		require.Equal(t, http.StatusOK, status, first)
		refresh := func(token any, scope string) (int, map[string]any) {
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.(string)}}
			if scope != "" {
				form.Set("scope", scope)
			}
			return s.token("/oauth/token", form)
		}
		s.clock.ahead.Add(int64(24 * time.Hour))
		status, second := refresh(first["refresh_token"], "openid")
		require.Equal(t, http.StatusOK, status, second)
		assert.NotEqual(t, first["refresh_token"], second["refresh_token"])
		assert.NotEmpty(t, second["id_token"])
		assert.Equal(t, http.StatusOK, s.userinfo(second["access_token"]))
		status, third := refresh(second["refresh_token"], "openid email")
		require.Equal(t, http.StatusOK, status, "fewer scopes were for that one token; %v", third)
		status, _ = refresh(third["refresh_token"], "openid profile")
		assert.Equal(t, http.StatusBadRequest, status, "more than was granted")
		status, fourth := refresh(third["refresh_token"], "")
		require.Equal(t, http.StatusOK, status, "and a mistake does not cost the token; %v", fourth)

		status, answer := refresh(second["refresh_token"], "")
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Equal(t, "invalid_grant", answer["error"])
		status, _ = refresh(fourth["refresh_token"], "")
		assert.Equal(t, http.StatusBadRequest, status, "the thief's, or the application's: nobody knows")
		assert.NotEqual(t, http.StatusOK, s.userinfo(fourth["access_token"]))

		_, online := s.redeem(sampleApp.Secret, s.code("openid"), "")
		assert.NotContains(t, online, "refresh_token", "nobody asked for one")
		_, late := s.redeem(sampleApp.Secret, s.code("openid offline_access"), "")
		s.clock.ahead.Add(int64(refreshLifetime))
		status, _ = refresh(late["refresh_token"], "")
		assert.Equal(t, http.StatusBadRequest, status)
	})
}

// Revoking one token of a login revokes them all (RFC 7009 section 2.1), and only
// the application whose they are can do it.
func TestRevoke(t *testing.T) {
	s := newStack(t)
	for _, kind := range []string{"access_token", "refresh_token"} {
		_, tokens := s.redeem(sampleApp.Secret, s.code("openid offline_access"), "")
		_, others := s.redeem(sampleApp.Secret, s.code("openid offline_access"), "")
		require.Equal(t, http.StatusOK, s.userinfo(tokens["access_token"]))
		status, _ := s.token("/revoke", url.Values{"token": {tokens[kind].(string)}})
		assert.Equal(t, http.StatusOK, status)
		assert.NotEqual(t, http.StatusOK, s.userinfo(tokens["access_token"]), kind)
		status, _ = s.token("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}})
		assert.Equal(t, http.StatusBadRequest, status, kind)
		assert.Equal(t, http.StatusOK, s.userinfo(others["access_token"]))
		status, _ = s.token("/revoke", url.Values{"token": {"planted"}})
		assert.Equal(t, http.StatusOK, status, "nothing to revoke")
	}
}
