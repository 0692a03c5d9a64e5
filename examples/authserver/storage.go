package main

// This file owns the way between the OpenID provider (package op) and the
// store: op asks through its Storage interface, the store answers. It must not
// know of connections, cookies or the login in between.

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"example.com/upstream"
)

const (
	signingKeyID = "signing-key"
	// sentClaim is this server's own claim: the names of the parameters that
	// went upstream. Own claims have a URI for a name, so that none collides.
	sentClaim = "https://auth.example.com/upstream_parameters"
)

var errNotOffered = errors.New("this server does not offer that")

// storage is op.Storage over a Store and the list of applications.
type storage struct {
	*Store
	clients map[string]Client
}

var _ op.Storage = storage{}
var _ op.CanSetUserinfoFromRequest = storage{}

// authRequest is op.AuthRequest over a copy out of the store.
type authRequest struct{ request }

func (r authRequest) GetID() string                      { return r.ID }
func (r authRequest) GetACR() string                     { return "" }
func (r authRequest) GetAMR() []string                   { return nil }
func (r authRequest) GetAudience() []string              { return []string{r.OIDC.ClientID} }
func (r authRequest) GetClientID() string                { return r.OIDC.ClientID }
func (r authRequest) GetNonce() string                   { return r.OIDC.Nonce }
func (r authRequest) GetRedirectURI() string             { return r.OIDC.RedirectURI }
func (r authRequest) GetResponseType() oidc.ResponseType { return r.OIDC.ResponseType }
func (r authRequest) GetResponseMode() oidc.ResponseMode { return r.OIDC.ResponseMode }
func (r authRequest) GetScopes() []string                { return slices.Clone(r.OIDC.Scopes) }
func (r authRequest) GetState() string                   { return r.OIDC.State }
func (r authRequest) Done() bool                         { return r.User != nil }

func (r authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	if r.OIDC.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: r.OIDC.CodeChallenge, Method: r.OIDC.CodeChallengeMethod}
}

func (r authRequest) GetSubject() string {
	if r.User == nil {
		return ""
	}
	return r.User.Subject
}

func (r authRequest) GetAuthTime() time.Time {
	if r.User == nil {
		return time.Time{}
	}
	return r.User.AuthTime
}

// upstreamKey is where authorize.go leaves what this library parsed.
type upstreamKey struct{}

func (s storage) CreateAuthRequest(ctx context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	parsed, _ := ctx.Value(upstreamKey{}).(*upstream.AuthorizeRequest)
	if parsed == nil {
		return nil, errors.New("the request did not come through this server's authorize handler")
	}
	own, err := s.addRequest(request{OIDC: *r, Upstream: parsed})
	if err != nil {
		return nil, err
	}
	return authRequest{own}, nil
}

func (s storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	r, err := s.pending(id)
	if err != nil {
		return nil, err
	}
	return authRequest{r}, nil
}

func (s storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	r, err := s.takeCode(code)
	if err != nil {
		return nil, oidc.ErrInvalidGrant().WithParent(err)
	}
	return authRequest{r}, nil
}

func (s storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.addCode(code, id)
	return nil
}

func (s storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.drop(id)
	return nil
}

func (s storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	own, ok := r.(authRequest)
	if !ok {
		return "", time.Time{}, errNotOffered
	}
	id, expires := s.addToken(own.GetClientID(), own.GetScopes(), own.User)
	return id, expires, nil
}

// GetClientByClientID finds an application.
func (s storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	client, ok := s.clients[id]
	if !ok {
		return nil, errors.New("unknown client")
	}
	return opClient{client}, nil
}

func (s storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	client, ok := s.clients[id]
	if !ok || subtle.ConstantTimeCompare([]byte(client.Secret), []byte(secret)) != 1 {
		return errors.New("unknown client or wrong secret")
	}
	return nil
}

// SetUserinfoFromRequest fills the ID token.
func (s storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	own, ok := r.(authRequest)
	if !ok || own.User == nil {
		return errNotOffered
	}
	info.Subject = own.User.Subject // op takes it from here; without it the ID token has none
	setClaims(info, own.User, scopes)
	info.AppendClaims(sentClaim, own.User.Sent)
	return nil
}

// SetUserinfoFromToken answers the userinfo endpoint.
func (s storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, id, _, _ string) error {
	t, err := s.token(id)
	if err != nil {
		return err
	}
	info.Subject = t.user.Subject
	setClaims(info, t.user, t.scopes)
	return nil
}

func setClaims(info *oidc.UserInfo, u *user, scopes []string) {
	if slices.Contains(scopes, oidc.ScopeEmail) {
		info.Email = u.Email
		// op's type knows true and false alone, and tells neither but true: what
		// is not there is unverified to an application in any case.
		info.EmailVerified = oidc.Bool(u.EmailVerified != nil && *u.EmailVerified)
	}
	if slices.Contains(scopes, oidc.ScopeProfile) {
		info.Name = u.Name
	}
}

func (s storage) RevokeToken(_ context.Context, id, _, clientID string) *oidc.Error {
	s.dropToken(id, clientID)
	return nil
}

// The signing key is in the store, because what one replica has signed another
// one checks.

func (s storage) SigningKey(context.Context) (op.SigningKey, error) { return signingKey{s.Store}, nil }
func (s storage) KeySet(context.Context) ([]op.Key, error)          { return []op.Key{publicKey{s.Store}}, nil }
func (s storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

type signingKey struct{ *Store }

func (k signingKey) ID() string                                  { return signingKeyID }
func (k signingKey) Key() any                                    { return k.key }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

type publicKey struct{ *Store }

func (k publicKey) ID() string                         { return signingKeyID }
func (k publicKey) Key() any                           { return &k.key.PublicKey }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }

// What follows is not offered: refresh tokens, introspection, logout, and keys
// of applications.

func (s storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errNotOffered
}
func (s storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, errNotOffered
}
func (s storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}
func (s storage) TerminateSession(context.Context, string, string) error { return nil }
func (s storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil // op calls it before SetUserinfoFromRequest
}
func (s storage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errNotOffered
}
func (s storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}
func (s storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errNotOffered
}
func (s storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errNotOffered
}
func (s storage) Health(context.Context) error { return nil }
