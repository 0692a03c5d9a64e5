package login

// This file owns what can be attached to a login from outside. It must not know
// how an extension works: see module fapi.

import (
	"context"

	"example.com/upstream"
)

// An Extension is what a connection needs that neither the root package nor this
// one has: client assertions, pushed or signed authorization requests, DPoP,
// encrypted ID tokens. A type of module fapi implements it; its methods use only
// the standard library's types and the root's, so neither module needs the other.
//
// Its methods are called by many goroutines at once. Their contexts are the
// caller's, with the host's HTTP client under [oauth2.HTTPClient]. Their errors
// end the login, and their texts go to the host's log: they hold no secret.
type Extension interface {
	// Provider gives the provider that makes the URL and the token requests, with
	// everything attached (upstream.Provider.WithProtection).
	Provider() *upstream.Provider

	// Start begins a login. It gives the context for Authorize, and what Resume
	// needs to know of this login, such as a DPoP key: at most 512 bytes, nil for
	// nothing. They are sealed with the login, and the browser keeps them.
	Start(ctx context.Context) (context.Context, []byte, error)

	// Authorize gives the URL to send the user to. It is asked with the one that
	// the provider made, and gives it back as it is where there is nothing to do;
	// it pushes its parameters (RFC 9126), or signs them (RFC 9101). ctx is
	// Start's.
	Authorize(ctx context.Context, authorizationURL string) (string, error)

	// Resume gives the context for the token and userinfo requests of a login
	// that Start began, perhaps in another process.
	Resume(ctx context.Context, carried []byte) (context.Context, error)

	// DecryptIDToken gives the signed token inside an encrypted one (a compact
	// JWS). One that is not encrypted it gives back as it is, unless the
	// connection asks for encryption.
	DecryptIDToken(ctx context.Context, idToken string) (string, error)
}

// none is the Extension of a connection that needs none.
type none struct{ provider *upstream.Provider }

func (n none) Provider() *upstream.Provider { return n.provider }

func (none) Start(ctx context.Context) (context.Context, []byte, error) { return ctx, nil, nil }

func (none) Authorize(_ context.Context, authorizationURL string) (string, error) {
	return authorizationURL, nil
}

func (none) Resume(ctx context.Context, _ []byte) (context.Context, error) { return ctx, nil }

func (none) DecryptIDToken(_ context.Context, idToken string) (string, error) { return idToken, nil }
