package main

// This file owns what an application's request becomes: a request that has been
// accepted, a code, tokens. It must not know of HTTP, of connections, or of how
// a user is logged in.

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"example.com/upstream/login/sqlstore"
)

const (
	codeLifetime    = time.Minute // RFC 6749 section 4.1.2 asks for a short one
	tokenLifetime   = 5 * time.Minute
	refreshLifetime = 30 * 24 * time.Hour // from its last use
	sessionLifetime = 12 * time.Hour
)

// The kinds of the store's records.
const (
	kindCode    = "code"
	kindToken   = "token"
	kindRefresh = "refresh token"
	kindSession = "session"
)

// A request is what is left of an application's /authorize request once it has
// been accepted. Nothing on the server remembers it: it travels in the login's
// cookie, sealed, so that requests of people who never come back cost nothing.
type request struct {
	ClientID     string            `json:"c"`
	RedirectURI  string            `json:"u"`
	ResponseMode oidc.ResponseMode `json:"m,omitempty"`
	State        string            `json:"s,omitempty"`
	Nonce        string            `json:"n,omitempty"`
	Challenge    string            `json:"p,omitempty"` // RFC 7636, by S256
	Scopes       []string          `json:"o"`

	// What the user who comes back has to be, beside logged in.
	Fresh   int64  `json:"f,omitempty"` // Unix seconds: logged in no earlier; 0 for whenever
	MaxAge  bool   `json:"a,omitempty"` // the application wants to know since when
	Subject string `json:"h,omitempty"` // of id_token_hint
}

// A user is who has logged in, as the auth server knows them from then on.
type user struct {
	Subject       string     `json:"sub"`
	Email         string     `json:"email,omitempty"`
	EmailVerified *bool      `json:"email_verified,omitempty"` // nil: the IdP says nothing
	Name          string     `json:"name,omitempty"`
	Connection    string     `json:"connection,omitempty"`
	AuthTime      time.Time  `json:"auth_time,omitzero"` // zero: the IdP says nothing
	ACR           string     `json:"acr,omitempty"`      // in the application's terms
	Sent          []sentName `json:"sent,omitempty"`     // what went upstream
}

// A sentName is a parameter that went upstream, without its value: what the
// application may know of its user's login.
type sentName struct {
	Name   string `json:"name"`
	Layer  string `json:"layer"`            // of the connection, e.g. upstream_params
	Source string `json:"source,omitempty"` // the parameter of the application's request behind it
}

// A grant is an application's right to a user's identity. All that is issued for
// it is revoked together, by its ID.
type grant struct {
	ID string `json:"id"`
	request
	User user `json:"user"`
}

// lifetime is how long anything that was bought with the grant may live.
func (g grant) lifetime() time.Duration {
	if slices.Contains(g.Scopes, oidc.ScopeOfflineAccess) {
		return refreshLifetime
	}
	return tokenLifetime
}

// grants are the store's records as grants.
type grants struct {
	*sqlstore.Store
	now func() time.Time
}

// put keeps a grant under a new name and gives that.
func (g grants) put(ctx context.Context, kind string, of grant, lifetime time.Duration) (id string, expires time.Time, err error) {
	id, expires = rand.Text(), g.now().Add(lifetime)
	body, err := json.Marshal(of)
	if err != nil {
		return "", time.Time{}, err
	}
	return id, expires, g.Put(ctx, sqlstore.Record{Kind: kind, ID: id, Group: of.ID, Body: body, Expires: expires})
}

// get gives the grant behind a name.
func (g grants) get(ctx context.Context, kind, id string) (of grant, err error) {
	r, err := g.Get(ctx, kind, id)
	if err != nil {
		return grant{}, g.stolen(ctx, r, err)
	}
	return of, json.Unmarshal(r.Body, &of)
}

// take gives the grant behind a name the first time. A second time revokes all
// that the first has bought: one of the two had stolen it (RFC 6749 section 4.1.2,
// RFC 9700 section 4.14.2).
func (g grants) take(ctx context.Context, kind, id string) (grant, error) {
	of, err := g.get(ctx, kind, id)
	if err != nil {
		return grant{}, err
	}
	if r, err := g.Take(ctx, kind, id, g.now().Add(of.lifetime())); err != nil {
		return grant{}, g.stolen(ctx, r, err)
	}
	return of, nil
}

func (g grants) stolen(ctx context.Context, r sqlstore.Record, err error) error {
	if errors.Is(err, sqlstore.ErrTaken) {
		return errors.Join(err, g.Revoke(ctx, r.Group, g.now().Add(refreshLifetime)))
	}
	return err
}
