// Package fapi lets an auth server log users in at identity providers that ask
// for more than a client secret: FAPI 2.0, and what single providers took from
// it. It attaches to an [upstream.Provider]; the connection's own options say
// what is done:
//
//   - token_endpoint_auth_method private_key_jwt or client_secret_jwt: each
//     request is signed (RFC 7523); apple's app_secret, kid and team_id make
//     Apple's client secret;
//   - require_pushed_authorization_requests, there or in oidc_metadata: the
//     authorization request is pushed (RFC 9126), and the browser carries
//     client_id and request_uri alone;
//   - require_signed_request_object in oidc_metadata, or [Options]: it is signed
//     (RFC 9101);
//   - dpop_signing_alg: tokens are bound to a key of each login (RFC 9449);
//   - tls_client_auth or self_signed_tls_client_auth: requests go to the
//     addresses for mutual TLS (RFC 8705), with the certificate of the HTTP
//     client that the context brings;
//   - ID tokens that are encrypted are decrypted with a key of the same set.
//
// Most programs call [New] once for each connection, hand the [KeySet] to their
// router as the JWKS, and give New to module login as its extension. A program
// without module login calls, for each login,
//
//	ctx, carried, err := client.Start(ctx)             // before the redirect
//	location, err := client.AuthorizationURL(ctx, req, tx)
//	ctx, err = client.Resume(ctx, carried)             // after the callback
//	token, err := client.Provider().TokenConfig(callback).Exchange(ctx, code, oauth2.VerifierOption(verifier))
//	profile, err := client.Provider().FetchProfile(ctx, token)
//
// and keeps carried with the refresh token.
//
// # Differences and decisions
//
// Nothing falls back: what the connection asks for and cannot be had is an error
// of New, or of the login. The audience of an assertion is the issuer as one
// string, never a list, and not guessed by trying. A pushed request is answered
// with 201 (RFC 9126 section 2.2); 200 is an error. A token that is not bound to
// the key of its login is refused, though the server gave it. RSA1_5 and compressed
// ID tokens are refused.
package fapi

// This file owns the Client: what a connection asks for, and what meets it. How
// requests are changed is in transport.go and push.go.

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/upstream"
)

// Options are what a connection's JSON does not say. The zero value serves a
// connection that needs no key of the auth server's.
type Options struct {
	// Keys sign for private_key_jwt and request objects, and decrypt ID tokens.
	// One set may serve many connections.
	Keys *KeySet

	// Push pushes the authorization request even where it is not required.
	// The metadata has to name the endpoint.
	Push bool

	// SignRequest puts the authorization request into a signed object even where
	// it is not required; RequestAlg is its algorithm, "" for that of
	// token_endpoint_auth_signing_alg, else of the first current key.
	SignRequest bool
	RequestAlg  string

	// RequireEncryptedIDToken refuses an ID token that is not encrypted: for
	// clients that are registered with id_token_encrypted_response_alg.
	RequireEncryptedIDToken bool

	// MutualTLS sends requests to the addresses of mtls_endpoint_aliases and
	// insists on a client certificate, as the two TLS methods do by themselves:
	// for clients with another method whose tokens are bound to the certificate
	// (RFC 8705 section 3).
	MutualTLS bool
}

// A Client meets the demands of one connection. [New] makes one. It is safe for
// concurrent use, and holds nothing of a login: that is in the context.
type Client struct{ c **client } // two pointers, see Key

// get is nil for the nil and the zero Client.
func (c *Client) get() *client {
	if c == nil || c.c == nil {
		return nil
	}
	return *c.c
}

type client struct {
	provider *upstream.Provider
	clientID string
	insecure bool // the connection may have http endpoints
	metadata metadata
	options  Options
	basic    string // the secret, where a pushed request takes it by Basic

	auth   authenticator // nil where the root authenticates at the token endpoint
	pushed authenticator // of pushed requests
	method string        // of client authentication, for Explain
	push   bool
	sign   *requestSigner // nil where request objects are not signed
	dpop   string         // the algorithm of proofs, "" for none

	as, rs nonces           // of authorization servers and resource servers
	now    func() time.Time // time.Now, but in tests
}

// New reads what conn asks for, checks that it can be done with the options, and
// attaches it to p, the Provider that NewProvider made of conn: what p does not
// demand any more, because it is attached already, is left as it is. p stays as it
// is. New makes no request.
//
// Metadata is that of conn.Options.OIDCMetadata. The error is an [*Error] of the
// stage "connection" or "key" that says what is missing.
func New(conn *upstream.Connection, p *upstream.Provider, options Options) (*Client, error) {
	if conn == nil || p == nil {
		return nil, connectionError("there is no connection or no Provider; make both with package upstream")
	}
	c := &client{clientID: conn.Options.ClientID, insecure: conn.InsecureAllowHTTP, options: options, now: time.Now}
	if err := c.metadata.read(conn); err != nil {
		return nil, err
	}
	if c.metadata.issuer == "" {
		c.metadata.issuer = p.Issuer()
	}
	var met []string
	for _, demand := range p.Demands() {
		if meets, err := c.meet(conn, demand); err != nil {
			return nil, err
		} else if meets {
			met = append(met, demand)
		}
	}
	if err := c.others(conn); err != nil {
		return nil, err
	}
	c.provider = p.WithProtection(c.protect, met...)
	return &Client{&c}, nil
}

// meet does what one of the Provider's demands asks for. Of a demand that it
// does not know it says so: the Provider then goes on asking.
func (c *client) meet(conn *upstream.Connection, demand string) (bool, error) {
	switch demand {
	case "private_key_jwt", "client_secret_jwt":
		return true, c.assert(conn, demand)
	case "app_secret":
		o := &conn.Options
		if o.AppSecret.Reveal() == "" || o.KeyID == "" || o.TeamID == "" {
			return false, connectionError("options.app_secret, options.kid and options.team_id make Apple's client secret; one of them is missing")
		}
		auth, err := newApple(o.ClientID, o.AppSecret.Reveal(), o.KeyID, o.TeamID)
		c.auth, c.pushed, c.method = auth, auth, demand
		return true, err
	case "tls_client_auth", "self_signed_tls_client_auth":
		c.options.MutualTLS, c.method = true, demand
		c.pushed = inForm("")
		return true, nil
	case "dpop_signing_alg":
		alg := conn.Options.DPoPSigningAlg
		if a := findAlgorithm(alg); a == nil || a.rsa {
			return false, connectionError("options.dpop_signing_alg must be ES256, ES384, ES512 or Ed25519")
		}
		listed := c.metadata.dpopAlgs
		if alg == "Ed25519" && len(listed) > 0 && !slices.Contains(listed, alg) && slices.Contains(listed, "EdDSA") {
			alg = "EdDSA" // the name that the same had before RFC 9864
		}
		if len(listed) > 0 && !slices.Contains(listed, alg) {
			return false, connectionError("options.dpop_signing_alg is not among dpop_signing_alg_values_supported of the metadata")
		}
		c.dpop = alg
		return true, nil
	case "require_pushed_authorization_requests":
		c.push = true
		return true, nil
	}
	return false, nil
}

// assert sets up private_key_jwt or client_secret_jwt.
func (c *client) assert(conn *upstream.Connection, method string) error {
	o := &conn.Options
	audience := c.metadata.issuer
	switch o.TokenEndpointJWTCAAudFormat {
	case "", "issuer":
		if audience == "" {
			return connectionError("the issuer is not known, which is the audience of %s; set options.issuer or options.oidc_metadata", method)
		}
	case "token_endpoint":
		// Where the strategy derives it, the request for a token tells it.
		if audience = c.metadata.tokenEndpoint; audience == "" && (c.options.Push || c.metadata.pushEndpoint != "") {
			return connectionError("the token endpoint is not known, which is the audience of %s; set options.token_endpoint", method)
		}
	default:
		return connectionError("options.token_endpoint_jwtca_aud_format must be issuer or token_endpoint")
	}
	a := newAsserting(o.ClientID, audience)
	if method == "client_secret_jwt" {
		secret := o.ClientSecret.Reveal()
		if len(secret) < minSecret {
			return connectionError("options.client_secret has less than %d bytes, which %s signs with (RFC 7518 section 3.2)", minSecret, method)
		}
		a.secret = newSecretSigner(secret)
	} else {
		alg, err := c.signingAlg(o.TokenEndpointAuthSigningAlg, c.metadata.assertionAlgs, "options.token_endpoint_auth_signing_alg")
		if err != nil {
			return err
		}
		a.keys, a.alg = c.options.Keys, alg
	}
	c.auth, c.pushed, c.method = a, a, method
	return nil
}

// signingAlg settles by which algorithm something is signed: the one that is
// asked for, else the first that there is a current key for and that the
// identity provider lists. A KeySet never loses it (see Rotate).
func (c *client) signingAlg(asked string, listed []string, option string) (string, error) {
	takes := func(alg string) bool { return len(listed) == 0 || slices.Contains(listed, alg) }
	if asked != "" {
		switch {
		case findAlgorithm(asked) == nil:
			return "", connectionError("%s is %q, which is no algorithm for it; see NewKey", option, asked)
		case c.options.Keys.signing(asked) == nil:
			return "", connectionError("%s is %s, and Options.Keys has no current key for it", option, asked)
		case !takes(asked):
			return "", connectionError("%s is %s, which the identity provider's metadata does not list", option, asked)
		}
		return asked, nil
	}
	if c.options.Keys.signing("") == nil {
		return "", connectionError("Options.Keys has no current key that signs; make a KeySet with one")
	}
	for _, k := range c.options.Keys.state.Load().keys.Current {
		if k.get().signs() && takes(k.Algorithm()) {
			return k.Algorithm(), nil
		}
	}
	return "", connectionError("no current key of Options.Keys is for an algorithm that the identity provider's metadata lists")
}

// others sets up what is no demand of the Provider's.
func (c *client) others(conn *upstream.Connection) error {
	o := &conn.Options
	c.push = c.push || c.options.Push || c.metadata.pushedRequests
	if c.push && c.metadata.pushEndpoint == "" {
		return connectionError("the connection's requests are to be pushed, and its metadata names no pushed_authorization_request_endpoint")
	}
	if err := c.secret(conn); err != nil {
		return err
	}
	if c.options.SignRequest || c.metadata.signedRequests {
		asked, option := c.options.RequestAlg, "Options.RequestAlg"
		if asked == "" && c.options.Keys.signing(o.TokenEndpointAuthSigningAlg) != nil {
			asked, option = o.TokenEndpointAuthSigningAlg, "options.token_endpoint_auth_signing_alg"
		}
		alg, err := c.signingAlg(asked, c.metadata.requestAlgs, option)
		if err != nil {
			return err
		}
		if c.metadata.issuer == "" {
			return connectionError("the issuer is not known, which is the audience of request objects; set options.issuer or options.oidc_metadata")
		}
		c.sign = &requestSigner{keys: c.options.Keys, alg: alg, clientID: o.ClientID, audience: c.metadata.issuer}
	}
	if c.options.RequireEncryptedIDToken && len(c.options.Keys.decrypting()) == 0 {
		return connectionError("Options.Keys has no key that decrypts, and ID tokens are to be encrypted")
	}
	return nil
}

// secret sets up a pushed request's authentication where no demand has: as the
// root does it at the token endpoint.
func (c *client) secret(conn *upstream.Connection) error {
	if c.pushed != nil {
		return nil
	}
	pairs := ""
	switch secret, method := conn.Options.ClientSecret.Reveal(), conn.Options.TokenEndpointAuthMethod; method {
	case "", "client_secret_post", "client_secret_basic", "none":
		switch {
		case secret == "" || method == "none":
			c.method = "none"
		case method == "client_secret_basic":
			c.method, c.basic = method, secret
		default:
			c.method = "client_secret_post"
			pairs = url.Values{"client_secret": {secret}}.Encode()
		}
	default: // met by something else, which does not push
		if c.push {
			return connectionError("%s is attached by something else, which cannot do it for the pushed request; give New the Provider of NewProvider", method)
		}
		c.method = method
	}
	c.pushed = inForm(pairs)
	return nil
}

// Provider gives the Provider with everything attached. Its requests to the
// token endpoint and with access tokens take a context of [Client.Start] or
// [Client.Resume] where the connection asks for DPoP. What its AuthorizationURL
// gives is for [Client.Authorize], not for the browser.
func (c *Client) Provider() *upstream.Provider {
	if q := c.get(); q != nil {
		return q.provider
	}
	return nil
}

// Start begins a login: with DPoP it makes the login's key. The context is for
// [Client.Authorize] and [Client.AuthorizationURL]; carried is for
// [Client.Resume], in this process or another one: at most 128 bytes of ASCII, nil
// where there is nothing to carry. It is a secret.
func (c *Client) Start(ctx context.Context) (_ context.Context, carried []byte, err error) {
	q := c.get()
	switch {
	case q == nil:
		return ctx, nil, errNoClient()
	case q.dpop == "":
		return ctx, nil, nil
	}
	k, err := NewProofKey(q.dpop)
	if err != nil {
		return ctx, nil, err
	}
	if carried, err = k.MarshalText(); err != nil {
		return ctx, nil, err
	}
	return WithProofKey(ctx, k), carried, nil
}

// Resume gives the context for the token request, for requests with the access
// token, and for later refreshes of the same login.
func (c *Client) Resume(ctx context.Context, carried []byte) (context.Context, error) {
	q := c.get()
	switch {
	case q == nil:
		return ctx, errNoClient()
	case q.dpop == "":
		return ctx, nil
	}
	var k ProofKey
	if err := k.UnmarshalText(carried); err != nil {
		return ctx, err
	}
	if k.get() == nil {
		return ctx, &Error{Stage: "proof", message: "nothing was carried from Start, where the key of this login was made"}
	}
	return WithProofKey(ctx, k), nil
}

func errNoClient() *Error { return connectionError("there is no Client; make one with New") }

// Format prints the client id and nothing else, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) {
	id := ""
	if q := c.get(); q != nil {
		id = q.clientID
	}
	printText(f, fmt.Sprintf("fapi.Client(%q)", id))
}

// protect is the Provider's hook.
func (c *client) protect(ctx context.Context, target upstream.Target, base http.RoundTripper) http.RoundTripper {
	if target == upstream.TargetToken {
		return &tokenTransport{client: c, ctx: ctx, base: base}
	}
	return &resourceTransport{client: c, ctx: ctx, base: base}
}
