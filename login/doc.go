// This file is the package's documentation.

// Package login takes an application's /authorize request to a verified user in
// two calls, for Go servers that log users in through upstream identity
// providers (IdPs):
//
//	sso, err := login.New(conn, login.Options{RedirectURI: "https://auth.example.com/callback/corp"})
//
//	err = sso.Begin(w, r, req, nil)   // redirects the browser to the IdP
//	user, err := sso.Finish(w, r)     // takes the IdP's answer, where RedirectURI leads
//
// Package upstream makes the URL and talks to the token endpoint; this package
// adds what every host has to write around that, and what is easily left out:
//
//   - state, nonce and PKCE for each login, in a cookie of its own that is sealed,
//     expires, and belongs to this browser, connection and client, so that two tabs
//     work and an answer that somebody else began does not
//   - single use, by a [Store] of the host's, or one in memory
//   - metadata from oidc_metadata, discovery_url or issuer, pinned: see [MetadataEvent]
//   - iss of the answer (RFC 9207), which has to be there where the IdP advertises it
//   - the ID token, with keys and signatures by go-oidc (OpenID Connect Core 3.1.3.7)
//   - whether the login is what was asked for: see [Check]
//   - errors that are fit for a log, and the codes that an application may hear: see [Error]
//
// [Login.Finish] takes the steps in that order: state, single use, iss, error, code, ID
// token, what was asked, profile. Nothing of an answer is believed before the
// steps above it, and no step fails open: metadata that cannot be had ends the
// login, and so does a store that gives an error.
//
// A server with many connections has a [Login] for each, and a [Routing] that says
// which of them a request is for.
//
// # What was asked
//
// A connection may send acr_values, max_age, prompt, hd and claims (by
// upstream_params and the other layers). To ask is a wish; what came back is in
// [Result].Checks, from the same plan that made the URL. max_age is enforced
// always, acr_values where the connection says that they are essential:
//
//	{"acr_values": {"alias": "acr_values", "translate": {"4": "urn:idp:high"}, "essential": true}}
//
// The application gets acr in its own terms: translate reversed.
//
// # What it leaves to the host
//
//   - to check the application's client_id and redirect_uri before Begin
//   - to begin a session of its own after Finish, with a new session id
//   - to keep Result.Token and Result.Carried secret
//   - to answer an Error whose Code is "" with a page, and others with a redirect to
//     the application
package login
