package main

// This file owns what the server says of itself. It must not promise what no
// other file keeps: op's own document lists endpoints that server.go does not
// serve, and grants and response types that storage.go and client.go refuse.

import (
	"encoding/json"
	"net/http"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// discovery answers with the server's metadata (OpenID Connect Discovery 1.0
// section 3, RFC 8414).
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	basic := []oidc.AuthMethod{oidc.AuthMethodBasic} // opClient.AuthMethod
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=300")
	_ = json.NewEncoder(w).Encode(struct {
		*oidc.DiscoveryConfiguration
		Issuers bool `json:"authorization_response_iss_parameter_supported"` // RFC 9207 section 3
	}{&oidc.DiscoveryConfiguration{
		Issuer:                                 s.Issuer,
		AuthorizationEndpoint:                  s.provider.AuthorizationEndpoint().Absolute(s.Issuer),
		TokenEndpoint:                          s.provider.TokenEndpoint().Absolute(s.Issuer),
		UserinfoEndpoint:                       s.provider.UserinfoEndpoint().Absolute(s.Issuer),
		RevocationEndpoint:                     s.provider.RevocationEndpoint().Absolute(s.Issuer),
		JwksURI:                                s.provider.KeysEndpoint().Absolute(s.Issuer),
		ScopesSupported:                        []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, oidc.ScopeOfflineAccess},
		ResponseTypesSupported:                 []string{string(oidc.ResponseTypeCode)},
		ResponseModesSupported:                 responseModes,
		GrantTypesSupported:                    []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken},
		SubjectTypesSupported:                  []string{"public"},
		IDTokenSigningAlgValuesSupported:       []string{string(jose.ES256)},
		TokenEndpointAuthMethodsSupported:      basic,
		RevocationEndpointAuthMethodsSupported: basic,
		ClaimsSupported:                        []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "nonce", "name", "email", "email_verified", sentClaim},
		CodeChallengeMethodsSupported:          []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
	}, true})
}
