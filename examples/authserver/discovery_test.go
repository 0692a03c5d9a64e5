package main

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// discover gives the server's metadata.
func (s *stack) discover() (metadata map[string]any) {
	r := s.visitor().get(s.issuer + "/.well-known/openid-configuration")
	require.Equal(s.t, http.StatusOK, r.status)
	assert.Contains(s.t, r.header.Get("Content-Type"), "application/json")
	require.NoError(s.t, json.Unmarshal([]byte(r.body), &metadata))
	return metadata
}

// The document says what works, and nothing else. A member that is added here
// needs a test that it is true.
func TestDiscovery(t *testing.T) {
	s := newStack(t)
	metadata := s.discover()
	assert.Equal(t, s.issuer, metadata["issuer"])
	assert.Equal(t, []string{
		"authorization_endpoint", "authorization_response_iss_parameter_supported", "claims_supported", "code_challenge_methods_supported", "grant_types_supported",
		"id_token_signing_alg_values_supported", "issuer", "jwks_uri", "request_uri_parameter_supported", "response_modes_supported",
		"response_types_supported", "revocation_endpoint", "revocation_endpoint_auth_methods_supported", "scopes_supported",
		"subject_types_supported", "token_endpoint", "token_endpoint_auth_methods_supported", "userinfo_endpoint",
	}, slices.Sorted(maps.Keys(metadata)))
	for name, value := range metadata {
		if address, ok := value.(string); ok && name != "issuer" {
			assert.True(t, strings.HasPrefix(address, s.issuer+"/"), address)
			assert.NotEqual(t, http.StatusNotFound, s.visitor().get(address).status, name)
			assert.NotEqual(t, http.StatusNotFound, s.visitor().post(address, url.Values{}).status, name)
		}
	}
	assert.Equal(t, []any{"code"}, metadata["response_types_supported"])
	assert.Equal(t, []any{"authorization_code", "refresh_token"}, metadata["grant_types_supported"])
	assert.Equal(t, []any{"S256"}, metadata["code_challenge_methods_supported"])
	assert.Equal(t, []any{"query", "fragment", "form_post"}, metadata["response_modes_supported"]) // see TestAuthorize_ResponseModes
	assert.Equal(t, []any{"client_secret_basic"}, metadata["token_endpoint_auth_methods_supported"])
	assert.Equal(t, []any{"client_secret_basic"}, metadata["revocation_endpoint_auth_methods_supported"])
	assert.Equal(t, false, metadata["request_uri_parameter_supported"], "left out, it would mean true")
}

// With all scopes, an ID token has all claims that the document names, and it
// is signed as the document says.
func TestDiscovery_IDToken(t *testing.T) {
	s := newStack(t)
	metadata := s.discover()
	scopes := []string{}
	for _, scope := range metadata["scopes_supported"].([]any) {
		scopes = append(scopes, scope.(string))
	}
	v := s.visitor()
	query := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {strings.Join(scopes, " ")},
		"connection": {"corporate"}, "nonce": {"n"},
	}
	toApp, err := url.Parse(v.get(v.logIn(v.follow(metadata["authorization_endpoint"].(string)+"?"+query.Encode(), s.idp).next)).next)
	require.NoError(t, err)
	status, answer := s.redeem(sampleApp.Secret, toApp.Query().Get("code"), "")
	require.Equal(t, http.StatusOK, status, answer)
	parts := strings.Split(answer["id_token"].(string), ".")
	var header, claims map[string]any
	for i, into := range []any{&header, &claims} {
		part, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(part, into))
	}
	assert.Equal(t, metadata["id_token_signing_alg_values_supported"], []any{header["alg"]})
	for _, claim := range metadata["claims_supported"].([]any) {
		if claim != "acr" { // is there where the identity provider gives one
			assert.Contains(t, claims, claim)
		}
	}
}
