package main

// A connection's JSON that asks for all of FAPI 2.0, and the server's own key: a
// whole login at somebody else's identity provider under its strictest profile.

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const oidcProvider = "../../internal/integration/testdata/oidc-provider"

// startFAPI starts oidc-provider with the client that this server is, and gives
// its issuer.
func startFAPI(t *testing.T, jwks string, callback string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not there, and oidc-provider runs on nothing else")
	}
	if _, err := os.Stat(oidcProvider + "/node_modules/oidc-provider/package.json"); err != nil {
		const remedy = "oidc-provider is not installed; run sh internal/integration/setup.sh"
		if os.Getenv("CI") != "" {
			t.Fatal(remedy)
		}
		t.Skip(remedy)
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	idpKeys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: own, KeyID: "idp-1", Algorithm: "ES256", Use: "sig"}}}
	setup, err := json.Marshal(map[string]any{"nonce": true, "jwks": idpKeys, "client": map[string]any{
		"client_id": "auth-server", "redirect_uris": []string{callback}, "response_types": []string{"code"},
		"grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid email offline_access",
		"token_endpoint_auth_method": "private_key_jwt", "jwks": json.RawMessage(jwks),
		"id_token_signed_response_alg": "ES256", "dpop_bound_access_tokens": true,
	}})
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, "fapi.mjs", string(setup))
	cmd.Dir = oidcProvider
	stdin, err := cmd.StdinPipe() // it ends when this does
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(stdout).ReadString('\n')
		line <- strings.TrimSpace(text)
	}()
	select {
	case issuer := <-line:
		require.NotEmpty(t, issuer, "oidc-provider did not start")
		return issuer
	case <-time.After(30 * time.Second):
		require.Fail(t, "oidc-provider did not start in time")
	}
	return ""
}

var action = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)

func TestFAPI_StrictestProfile(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	keys := v.get(s.issuer + "/upstream-keys")
	require.Equal(t, http.StatusOK, keys.status, keys.body)
	issuer := startFAPI(t, keys.body, s.issuer+callbackPath("bank"))
	s.write("bank.json", `{"name": "bank", "strategy": "oidc", "display_name": "Bank", "enabled_clients": ["sample-app"], "options": {
		"client_id": "auth-server", "issuer": "`+issuer+`", "scope": "openid email", "type": "back_channel",
		"token_endpoint_auth_method": "private_key_jwt", "dpop_signing_alg": "ES256", "require_pushed_authorization_requests": true,
		"connection_settings": {"pkce": "S256"}}}`)
	s.reload()

	r := v.follow(v.app+"/login?connection=bank", issuer)
	require.NotEmpty(t, r.next, "no redirect to the IdP: %d %s %s", r.status, r.body, s.logs)
	u, err := url.Parse(r.next)
	require.NoError(t, err)
	assert.Len(t, u.Query(), 2, "client_id and request_uri alone: %s", r.next)
	page := v.follow(r.next, s.issuer)
	for _, form := range []url.Values{{"prompt": {"login"}, "login": {"user-1"}, "password": {"any"}}, {"prompt": {"consent"}}} {
		at := action.FindStringSubmatch(page.body)
		require.NotNil(t, at, "no form at the IdP: %d %s", page.status, page.body)
		page = v.post(at[1], form)
		if page.next != "" && !strings.HasPrefix(page.next, s.issuer) {
			page = v.follow(page.next, s.issuer)
		}
	}
	require.True(t, strings.HasPrefix(page.next, s.issuer+callbackPath("bank")), "%d %s %s", page.status, page.next, page.body)
	user := v.follow(page.next)
	assert.Equal(t, http.StatusOK, user.status)
	assert.Contains(t, user.body, "oidc|bank|user-1")
	for _, secret := range []string{"access_token", "client_assertion", "eyJ"} {
		assert.NotContains(t, s.logs.String(), secret)
	}

	// The plain URL gets nobody anywhere.
	plain := v.get(issuer + "/auth?client_id=auth-server&response_type=code&scope=openid&redirect_uri=" + url.QueryEscape(s.issuer+callbackPath("bank")))
	assert.Contains(t, plain.next+plain.body, "Pushed")
}
