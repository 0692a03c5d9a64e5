package main

// This file owns the way between the OpenID provider (package op) and the
// store: op asks through its Storage interface, the store answers. It must not
// know of connections, cookies or the login in between.

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// sentClaim is this server's own claim: the names of the parameters that
// went upstream. Own claims have a URI for a name, so that none collides.
const sentClaim = "https://auth.example.com/upstream_parameters"

var errNotOffered = errors.New("this server does not offer that")

// storage is op.Storage over the database and the list of applications.
type storage struct {
	grants
	keys    *atomic.Pointer[keyring]
	clients map[string]Client
}

var _ op.Storage = storage{}
var _ op.CanSetUserinfoFromRequest = storage{}

// authRequest is op.AuthRequest over a grant, which exists only once the user
// has logged in.
type authRequest struct{ grant }

func (r authRequest) of() grant                          { return r.grant }
func (r authRequest) GetID() string                      { return r.ID }
func (r authRequest) GetACR() string                     { return r.User.ACR }
func (r authRequest) GetAMR() []string                   { return nil }
func (r authRequest) GetAudience() []string              { return []string{r.ClientID} }
func (r authRequest) GetAuthTime() time.Time             { return r.User.AuthTime }
func (r authRequest) GetClientID() string                { return r.ClientID }
func (r authRequest) GetNonce() string                   { return r.Nonce }
func (r authRequest) GetRedirectURI() string             { return r.RedirectURI }
func (r authRequest) GetResponseType() oidc.ResponseType { return oidc.ResponseTypeCode }
func (r authRequest) GetResponseMode() oidc.ResponseMode { return r.ResponseMode }
func (r authRequest) GetScopes() []string                { return slices.Clone(r.Scopes) }
func (r authRequest) GetState() string                   { return r.State }
func (r authRequest) GetSubject() string                 { return r.User.Subject }
func (r authRequest) Done() bool                         { return true }

func (r authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	if r.Challenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: r.Challenge, Method: oidc.CodeChallengeMethodS256}
}

func (s storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	g, err := s.take(ctx, kindCode, code)
	if err != nil {
		return nil, oidc.ErrInvalidGrant().WithParent(err)
	}
	return authRequest{g}, nil
}

// DeleteAuthRequest has nothing to delete: the code is taken.
func (s storage) DeleteAuthRequest(context.Context, string) error { return nil }

func (s storage) CreateAccessToken(ctx context.Context, r op.TokenRequest) (string, time.Time, error) {
	own, ok := r.(interface{ of() grant })
	if !ok {
		return "", time.Time{}, errNotOffered
	}
	return s.put(ctx, kindToken, own.of(), tokenLifetime)
}

// A refreshRequest is a refresh token's grant, which may be asked for fewer scopes.
type refreshRequest struct{ grant }

func (r *refreshRequest) of() grant                   { return r.grant }
func (r *refreshRequest) GetAMR() []string            { return nil }
func (r *refreshRequest) GetAudience() []string       { return []string{r.ClientID} }
func (r *refreshRequest) GetAuthTime() time.Time      { return r.User.AuthTime }
func (r *refreshRequest) GetClientID() string         { return r.ClientID }
func (r *refreshRequest) GetScopes() []string         { return slices.Clone(r.Scopes) }
func (r *refreshRequest) GetSubject() string          { return r.User.Subject }
func (r *refreshRequest) SetCurrentScopes(s []string) { r.Scopes = s }

func (s storage) TokenRequestByRefreshToken(ctx context.Context, token string) (op.RefreshTokenRequest, error) {
	g, err := s.get(ctx, kindRefresh, token)
	if err != nil {
		return nil, err
	}
	return &refreshRequest{g}, nil
}

// CreateAccessAndRefreshTokens gives a refresh token with the access token. Each is
// good for one use: the next one comes with all that it was granted at first.
func (s storage) CreateAccessAndRefreshTokens(ctx context.Context, r op.TokenRequest, current string) (id, refresh string, expires time.Time, err error) {
	own, ok := r.(interface{ of() grant })
	if !ok {
		return "", "", time.Time{}, errNotOffered
	}
	whole := own.of()
	if current != "" {
		if whole, err = s.take(ctx, kindRefresh, current); err != nil {
			return "", "", time.Time{}, oidc.ErrInvalidGrant().WithParent(err)
		}
	}
	if refresh, _, err = s.put(ctx, kindRefresh, whole, refreshLifetime); err == nil {
		id, expires, err = s.put(ctx, kindToken, own.of(), tokenLifetime)
	}
	return id, refresh, expires, err
}

// GetRefreshTokenInfo tells op's revocation endpoint a refresh token from others.
func (s storage) GetRefreshTokenInfo(ctx context.Context, clientID, token string) (string, string, error) {
	g, err := s.get(ctx, kindRefresh, token)
	if err != nil || g.ClientID != clientID {
		return "", "", op.ErrInvalidRefreshToken
	}
	return g.User.Subject, token, nil
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
	own, ok := r.(interface{ of() grant })
	if !ok {
		return errNotOffered
	}
	u := own.of().User
	info.Subject = u.Subject // op takes it from here; without it the ID token has none
	setClaims(info, u, scopes)
	info.AppendClaims(sentClaim, u.Sent)
	return nil
}

// SetUserinfoFromToken answers the userinfo endpoint.
func (s storage) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, id, _, _ string) error {
	g, err := s.get(ctx, kindToken, id)
	if err != nil {
		return err
	}
	info.Subject = g.User.Subject
	setClaims(info, g.User, g.Scopes)
	return nil
}

func setClaims(info *oidc.UserInfo, u user, scopes []string) {
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

// RevokeToken ends all that the token's login has bought (RFC 7009 section 2.1).
func (s storage) RevokeToken(ctx context.Context, id, _, clientID string) *oidc.Error {
	for _, kind := range []string{kindToken, kindRefresh} {
		g, err := s.get(ctx, kind, id)
		if err != nil || g.ClientID != clientID {
			continue // nothing to revoke, which is as well (section 2.2)
		}
		if err := s.Revoke(ctx, g.ID, s.now().Add(refreshLifetime)); err != nil {
			return oidc.ErrServerError()
		}
	}
	return nil
}

// The signing keys are in the database, because what one replica has signed
// another one checks.

func (s storage) SigningKey(context.Context) (op.SigningKey, error) {
	newest := s.keys.Load().signing[0]
	return opKey{newest, newest.Key}, nil
}

func (s storage) KeySet(context.Context) (keys []op.Key, err error) {
	for _, key := range s.keys.Load().signing {
		keys = append(keys, opKey{key, key.Public().Key})
	}
	return keys, nil
}

func (s storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

// What follows is not offered: an authorization endpoint of op's own,
// introspection, and keys of applications.

func (s storage) CreateAuthRequest(context.Context, *oidc.AuthRequest, string) (op.AuthRequest, error) {
	return nil, errNotOffered
}
func (s storage) AuthRequestByID(context.Context, string) (op.AuthRequest, error) {
	return nil, errNotOffered
}
func (s storage) SaveAuthCode(context.Context, string, string) error { return errNotOffered }

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
func (s storage) Health(ctx context.Context) error { _, err := s.Version(ctx); return err }
