package integration

// The two modules together: a connection that names its issuer and what it asks
// for, one key, and module login around it.

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fapi"
	uplogin "example.com/upstream/login"
)

var _ uplogin.Extension = (*fapi.Client)(nil)

// protected gives a Login that module fapi is attached to.
func (idp fapiOP) protected(t *testing.T, more map[string]any, options fapi.Options) *uplogin.Login {
	t.Helper()
	members := map[string]any{
		"client_id": clientID, "issuer": idp.issuer, "scope": "openid email offline_access",
		"token_endpoint_auth_method": "private_key_jwt", "dpop_signing_alg": "ES256", "require_pushed_authorization_requests": true,
		"upstream_params": map[string]any{"prompt": map[string]string{"value": "consent"}},
	}
	maps.Copy(members, more)
	text, err := json.Marshal(map[string]any{"name": "bank", "strategy": "oidc", "options": members})
	require.NoError(t, err)
	conn, err := upstream.ParseConnection(text)
	require.NoError(t, err)
	if options.Keys == nil {
		options.Keys = idp.keys
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	l, err := uplogin.New(conn, uplogin.Options{
		RedirectURI: callback, Keys: []upstream.Secret{upstream.NewSecret(string(key))}, Store: &uplogin.MemoryStore{},
		Extend: func(conn *upstream.Connection, p *upstream.Provider) (uplogin.Extension, error) {
			c, err := fapi.New(conn, p, options)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
	})
	require.NoError(t, err)
	return l
}

// through goes through the pages of oidc-provider, and gives what comes back.
func (idp fapiOP) through(t *testing.T, target string) url.Values {
	t.Helper()
	user := newBrowser(t)
	at := user.visit(t, target)
	for _, form := range []url.Values{{"prompt": {"login"}, "login": {"user-1"}, "password": {"any"}}, {"prompt": {"consent"}}} {
		action := formAction.FindStringSubmatch(at.body)
		require.NotNil(t, action, "no form at %s (%d, %s): %s", at.at, at.status, at.back, at.body)
		at = user.submit(t, action[1], form)
	}
	require.NotEmpty(t, at.back.Get("code"), "%s", at.back)
	return at.back
}

func TestF1F2F3L1LoginWithBothModules(t *testing.T) {
	keys, err := fapi.NewKeySet(fapi.Keys{Current: []fapi.Key{signingKey(t, "ES256", "auth-1"), signingKey(t, "RSA-OAEP-256", "auth-2")}})
	require.NoError(t, err)
	for name, registered := range map[string]map[string]any{
		"signed":    nil,
		"encrypted": {"id_token_encrypted_response_alg": "RSA-OAEP-256", "id_token_encrypted_response_enc": "A256GCM"},
	} {
		t.Run(name, func(t *testing.T) {
			idp := newFAPIOP(t, keys, registered, nil)
			l := idp.protected(t, nil, fapi.Options{RequireEncryptedIDToken: registered != nil})
			g := begun(t, l, nil)
			u, err := url.Parse(g.url)
			require.NoError(t, err)
			assert.Len(t, u.Query(), 2)
			assert.True(t, strings.HasPrefix(u.Query().Get("request_uri"), "urn:ietf:params:oauth:request_uri:"))
			r, err := g.finish(t, idp.through(t, g.url))
			require.NoError(t, err)
			assert.Equal(t, "oidc|bank|user-1", r.Subject)
			assert.Equal(t, "user-1@example.com", r.Profile.Email)
			assert.Equal(t, "DPoP", r.Token().Type())

			// Later, with what was kept beside the token: refreshed, and used.
			var key fapi.ProofKey
			require.NoError(t, key.UnmarshalText(r.Carried()))
			ctx := fapi.WithProofKey(t.Context(), key)
			old := *r.Token()
			old.Expiry = time.Now().Add(-time.Hour)
			fresh, err := r.Provider.TokenConfig(callback).TokenSource(ctx, &old).Token()
			require.NoError(t, err)
			assert.NotEqual(t, old.AccessToken, fresh.AccessToken)
			profile, err := r.Provider.FetchProfile(ctx, fresh)
			require.NoError(t, err)
			assert.Equal(t, "user-1", profile.UserID)
			_, err = r.Provider.TokenConfig(callback).TokenSource(t.Context(), &oauth2.Token{RefreshToken: old.RefreshToken}).Token()
			require.Error(t, err, "without the key")
		})
	}
}

// With one thing missing the login does not begin, or ends at the token.
func TestF1F2F3L1OneThingMissing(t *testing.T) {
	idp := newFAPIOP(t, oneKey(t, "ES256"), nil, nil)
	for name, c := range map[string]struct {
		more    map[string]any
		options fapi.Options
	}{
		"another key":        {nil, fapi.Options{Keys: oneKey(t, "ES256")}},
		"another audience":   {map[string]any{"token_endpoint_jwtca_aud_format": "token_endpoint"}, fapi.Options{}},
		"no encrypted token": {nil, fapi.Options{RequireEncryptedIDToken: true}},
	} {
		l := idp.protected(t, c.more, c.options)
		_, err := l.BeginLogin(t.Context(), nil, nil)
		require.Error(t, err, name)
		_, code := step(t, err)
		assert.Equal(t, "server_error", code, name)
	}
	l := idp.protected(t, map[string]any{"dpop_signing_alg": ""}, fapi.Options{})
	g := begun(t, l, nil)
	_, err := g.finish(t, idp.through(t, g.url))
	require.Error(t, err, "no DPoP")
	assert.Equal(t, []int{http.StatusBadRequest}, idp.statuses(t, "token"))
}
