package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The sample application is an OpenID client as it should be: it believes no
// answer that it has not asked for in this browser.
func TestApp(t *testing.T) {
	s := newStack(t)
	const foreign = "does not belong to a login that began in this browser"

	v := s.visitor()
	v.follow(s.app+"/login?connection=corporate", s.issuer+"/authorize")
	for _, query := range []string{"code=a&state=another", "code=a", "error=planted&state=another"} {
		r := v.get(s.app + "/callback?" + query)
		assert.Equal(t, http.StatusBadRequest, r.status, query)
		assert.Contains(t, r.body, foreign, query)
	}

	// Somebody exchanged the nonce on the way.
	v = s.visitor()
	request := v.follow(s.app+"/login?connection=corporate", s.issuer+"/authorize").next
	login := v.follow(with(t, request, map[string]string{"nonce": "another"}), s.idp).next
	assert.Contains(t, v.follow(v.logIn(login)).body, "ID token cannot be verified")

	// Once logged in, there is no login under way that an answer could belong to.
	v = s.visitor()
	require.Contains(t, v.follow(v.toCallback("corporate")).body, "oidc|corporate|id1")
	assert.Contains(t, v.get(s.app+"/callback?code=a&state=").body, foreign)
	assert.Contains(t, v.get(s.app+"/").body, "oidc|corporate|id1")

	v.get(s.app + "/again")
	assert.NotContains(t, v.get(s.app+"/").body, "oidc|corporate|id1")
}

// What goes wrong is told, and as text.
func TestApp_Failed(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	request := v.follow(s.app+"/login?connection=corporate", s.issuer+"/authorize").next
	u, err := url.Parse(request)
	require.NoError(t, err)
	query := url.Values{"state": {u.Query().Get("state")}, "iss": {s.issuer}, "error": {"access_denied"}, "error_description": {"<b>no</b>"}}
	r := v.get(s.app + "/callback?" + query.Encode())
	assert.Contains(t, r.body, "access_denied: &lt;b&gt;no&lt;/b&gt;")
	query = url.Values{"state": query["state"], "iss": {s.issuer}, "code": {"another"}}
	assert.Contains(t, v.get(s.app+"/callback?"+query.Encode()).body, "gave no token")
	query.Set("iss", "https://attacker.example")
	assert.Contains(t, v.get(s.app+"/callback?"+query.Encode()).body, "not the auth server", "RFC 9207")
}
