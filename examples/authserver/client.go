package main

// This file owns the applications that may ask this auth server for a login,
// in the form in which the OpenID provider wants them. It must not know of
// connections: which of them an application may use is said by the connection.

import (
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// A Client is an application with a server of its own.
type Client struct {
	ID           string
	Name         string // for people
	Home         string // where people who have lost their way find the application
	Secret       string // a real server keeps a hash
	RedirectURIs []string
}

// opClient makes an op.Client of a Client.
type opClient struct{ Client }

func (c opClient) GetID() string                       { return c.ID }
func (c opClient) RedirectURIs() []string              { return slices.Clone(c.Client.RedirectURIs) }
func (c opClient) PostLogoutRedirectURIs() []string    { return nil }
func (c opClient) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c opClient) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodBasic }
func (c opClient) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c opClient) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}
func (c opClient) IDTokenLifetime() time.Duration { return 10 * time.Minute }
func (c opClient) DevMode() bool                  { return false }

// LoginURL is for an authorization endpoint of op's own, which is not served.
func (c opClient) LoginURL(string) string     { return "" }
func (c opClient) IsScopeAllowed(string) bool { return false }
func (c opClient) ClockSkew() time.Duration   { return 0 }

// AccessTokenType is JWT because op's opaque tokens cannot be read back where a
// subject holds a colon, and the user ids of an IdP may.
func (c opClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// IDTokenUserinfoClaimsAssertion puts email and name into the ID token, so that
// an application need not ask the userinfo endpoint.
func (c opClient) IDTokenUserinfoClaimsAssertion() bool { return true }

func (c opClient) RestrictAdditionalIdTokenScopes() func([]string) []string     { return unchanged }
func (c opClient) RestrictAdditionalAccessTokenScopes() func([]string) []string { return unchanged }

func unchanged(scopes []string) []string { return scopes }
