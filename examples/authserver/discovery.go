package main

// This file owns what the server says of itself. It must not promise what no
// other file keeps: op's own document lists endpoints that server.go does not
// serve, and grants and response types that storage.go and client.go refuse.

import (
	"net/http"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// discovery answers with the server's metadata (OpenID Connect Discovery 1.0
// section 3, RFC 8414).
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	basic := []oidc.AuthMethod{oidc.AuthMethodBasic} // opClient.AuthMethod
	op.Discover(w, &oidc.DiscoveryConfiguration{
		Issuer:                                 s.Issuer,
		AuthorizationEndpoint:                  s.provider.AuthorizationEndpoint().Absolute(s.Issuer),
		TokenEndpoint:                          s.provider.TokenEndpoint().Absolute(s.Issuer),
		UserinfoEndpoint:                       s.provider.UserinfoEndpoint().Absolute(s.Issuer),
		RevocationEndpoint:                     s.provider.RevocationEndpoint().Absolute(s.Issuer),
		JwksURI:                                s.provider.KeysEndpoint().Absolute(s.Issuer),
		ScopesSupported:                        []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail},
		ResponseTypesSupported:                 []string{string(oidc.ResponseTypeCode)},
		ResponseModesSupported:                 responseModes,
		GrantTypesSupported:                    []oidc.GrantType{oidc.GrantTypeCode},
		SubjectTypesSupported:                  []string{"public"},
		IDTokenSigningAlgValuesSupported:       []string{string(jose.RS256)},
		TokenEndpointAuthMethodsSupported:      basic,
		RevocationEndpointAuthMethodsSupported: basic,
		ClaimsSupported:                        []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "name", "email", "email_verified", sentClaim},
		CodeChallengeMethodsSupported:          []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
	})
}
