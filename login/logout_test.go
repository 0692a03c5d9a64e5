package login_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/login"
)

func TestLogoutURL(t *testing.T) {
	p := newIDP(t)
	p.metadata["end_session_endpoint"] = p.URL + "/logout?tenant=1"
	l := newLogin(t, p.connection(t), func(o *login.Options) { o.PostLogoutRedirectURI = "https://auth.example.com/bye" })
	got, err := l.LogoutURL(t.Context(), upstream.NewSecret("ID.TOKEN"), "s t")
	require.NoError(t, err)
	assert.Equal(t, p.URL+"/logout?client_id="+clientID+"&id_token_hint=ID.TOKEN&post_logout_redirect_uri=https%3A%2F%2Fauth.example.com%2Fbye&state=s+t&tenant=1", got)

	got, err = newLogin(t, p.connection(t)).LogoutURL(t.Context(), upstream.Secret{}, "state without a way back")
	require.NoError(t, err)
	assert.Equal(t, p.URL+"/logout?client_id="+clientID+"&tenant=1", got)

	got, err = newLogin(t, p.connection(t, claims{"logoutUrl": "https://idp.example.com/bye"})).LogoutURL(t.Context(), upstream.NewSecret("x"), "")
	require.NoError(t, err)
	assert.Equal(t, "https://idp.example.com/bye", got)

	_, err = newLogin(t, p.connection(t, claims{"logoutUrl": "javascript:alert(1)"})).LogoutURL(t.Context(), upstream.Secret{}, "")
	assert.ErrorContains(t, err, "logoutUrl")
	got, err = newLogin(t, p.connection(t, claims{"end_session_endpoint": "https://idp.example.com/end"})).LogoutURL(t.Context(), upstream.Secret{}, "")
	require.NoError(t, err)
	assert.Equal(t, "https://idp.example.com/end?client_id="+clientID, got)

	delete(p.metadata, "end_session_endpoint")
	got, err = newLogin(t, p.connection(t)).LogoutURL(t.Context(), upstream.Secret{}, "")
	require.NoError(t, err)
	assert.Empty(t, got)
}
