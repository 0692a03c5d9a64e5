package fapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
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
)

// Metadata is read strictly: what is of another type is not what somebody meant.
func TestF2MetadataRefused(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	for want, text := range map[string]string{
		"cannot be read":                                        `{"issuer":"a","issuer":"b"}`,
		"not a JSON object":                                     `["a"]`,
		"issuer is not a string":                                `{"issuer":7}`,
		"token_endpoint must begin with https":                  `{"token_endpoint":"http://idp.example.com/token"}`,
		"pushed_authorization_request_endpoint has a fragment":  `{"pushed_authorization_request_endpoint":"https://idp.example.com/par#x"}`,
		"require_signed_request_object is neither":              `{"require_signed_request_object":"true"}`,
		"require_pushed_authorization_requests is neither":      `{"require_pushed_authorization_requests":1}`,
		"dpop_signing_alg_values_supported is not an array":     `{"dpop_signing_alg_values_supported":"ES256"}`,
		"token_endpoint must begin with https://, or http:// f": `{"mtls_endpoint_aliases":{"token_endpoint":"ftp://idp.example.com/token"}}`,
	} {
		conn := s.connection(t, nil)
		p, err := upstream.NewProvider(conn)
		require.NoError(t, err)
		conn.Options.OIDCMetadata, conn.Options.TokenURL = json.RawMessage(text), ""
		_, err = fapi.New(conn, p, fapi.Options{Keys: keys})
		require.Error(t, err, text)
		assert.Contains(t, err.Error(), want)
	}
}

// Where the strategy derives the token endpoint, the assertion is for that.
func TestF1AudienceOfADerivedTokenEndpoint(t *testing.T) {
	conn, err := upstream.ParseConnection([]byte(`{"name": "corp", "strategy": "waad", "options": {
		"client_id": "client-1", "tenant_domain": "corp.example.com", "token_endpoint_auth_method": "private_key_jwt",
		"token_endpoint_jwtca_aud_format": "token_endpoint", "scope": "openid"}}`))
	require.NoError(t, err)
	keys := newES256(t)
	c := newClient(t, conn, fapi.Options{Keys: keys})
	var sent url.Values
	var to string
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		require.NoError(t, r.ParseForm())
		sent, to = r.PostForm, r.URL.String()
		return nil, assert.AnError
	})})
	_, err = c.Provider().TokenConfig(callback).Exchange(ctx, "code-1")
	require.Error(t, err)
	claims, _ := claimsOf(t, sent.Get("client_assertion"), keys)
	assert.Equal(t, to, claims["aud"])
	assert.Contains(t, to, "corp.example.com")
}

// The proof names the URL as the server sees it, and nothing of its query.
func TestF3ProofClaims(t *testing.T) {
	k, err := fapi.NewProofKey("ES256")
	require.NoError(t, err)
	now := time.Unix(1_800_000_000, 0)
	for address, htu := range map[string]string{
		"https://idp.example.com/a%2Fb?x=y#z":    "https://idp.example.com/a%2Fb",
		"https://idp.example.com":                "https://idp.example.com/",
		"https://u:p@idp.example.com:8443/token": "https://idp.example.com:8443/token",
	} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		proof, err := k.Proof(http.MethodGet, u, "token", "nonce", now)
		require.NoError(t, err)
		var claims map[string]any
		require.NoError(t, json.Unmarshal([]byte(decoded(t, strings.Split(proof, ".")[1])), &claims))
		assert.Len(t, claims["jti"], 22)
		delete(claims, "jti")
		assert.Equal(t, map[string]any{
			"htm": "GET", "htu": htu, "iat": float64(1_800_000_000), "nonce": "nonce", "ath": "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A",
		}, claims)
	}
}

func decoded(t testing.TB, text string) string {
	t.Helper()
	out, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	return string(out)
}

// A server that answers under many names does not fill the memory.
func TestF3NoncesAreBounded(t *testing.T) {
	var n fapi.Nonces
	assert.Empty(t, n.Of("https://a.example.com:443"))
	for i := range 1000 {
		require.True(t, n.Keep(fmt.Sprint("https://a", i), "nonce"))
	}
	kept := 0
	for i := range 1000 {
		if n.Of(fmt.Sprint("https://a", i)) != "" {
			kept++
		}
	}
	assert.Equal(t, 64, kept)
	assert.True(t, n.Keep("https://a999", "newer"))
	assert.Equal(t, "newer", n.Of("https://a999"))
	for _, bad := range []string{"", `a"b`, `a\b`, "a b", "a\x7f", "ä", strings.Repeat("n", 513)} {
		assert.False(t, n.Keep("https://a999", bad), bad)
	}
	assert.Equal(t, "newer", n.Of("https://a999"))
}

// The edges of what is taken from a server's answer.
func TestF3EdgesOfNoncesAndCodes(t *testing.T) {
	for _, nonce := range []string{"!", "~", "!#[]~", strings.Repeat("n", 512)} {
		assert.True(t, fapi.IsNonce(nonce), nonce)
	}
	for _, code := range []string{"az", "invalid_request", strings.Repeat("a", 40)} {
		assert.Equal(t, code, fapi.ErrorCode(code))
	}
	for _, code := range []string{"", "a`", "a{", "A", "a b", strings.Repeat("a", 41)} {
		assert.Empty(t, fapi.ErrorCode(code), code)
	}
}

// Request objects may be signed by another key than assertions.
func TestF2AlgorithmOfRequestObjects(t *testing.T) {
	keys := newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, "PS256", "sig-1"), newKey(t, "ES256", "sig-2")}})
	s := newServer(t, keys)
	for _, c := range []struct {
		options fapi.Options
		more    map[string]any
		want    string
	}{
		{fapi.Options{SignRequest: true}, nil, "ES256"}, // that of the assertion
		{fapi.Options{SignRequest: true, RequestAlg: "PS256"}, nil, "PS256"},
		{fapi.Options{SignRequest: true}, map[string]any{"token_endpoint_auth_signing_alg": nil}, "PS256"}, // the first
		{fapi.Options{}, map[string]any{"oidc_metadata": s.metadata(map[string]any{
			"require_signed_request_object": true, "request_object_signing_alg_values_supported": []string{"PS256"},
		}), "token_endpoint_auth_signing_alg": nil}, "PS256"},
	} {
		c.options.Keys = keys
		e, err := newClient(t, s.connection(t, c.more), c.options).Explain(nil, upstream.NewTransaction(callback))
		require.NoError(t, err)
		assert.Equal(t, c.want, e.RequestObject)
	}
	conn := s.connection(t, nil)
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	_, err = fapi.New(conn, p, fapi.Options{Keys: keys, SignRequest: true, RequestAlg: "RS256"})
	require.ErrorContains(t, err, "Options.RequestAlg is RS256")
}
