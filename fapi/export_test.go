package fapi

import (
	"net/url"
	"time"
)

// What tests and benchmarks of package fapi_test need of the inside.

// At gives the client another clock.
func (c *Client) At(now func() time.Time) { c.get().now = now }

// Assertion makes what authenticates the client.
func (c *Client) Assertion() (string, error) {
	return c.get().pushed.authenticate(c.get().now(), "")
}

// RequestObject signs parameters.
func (c *Client) RequestObject(params url.Values) (string, error) {
	return c.get().sign.object(params, c.get().now())
}

// Proof makes a DPoP proof.
func (k ProofKey) Proof(method string, target *url.URL, token, nonce string, now time.Time) (string, error) {
	return k.get().proof(method, target, token, nonce, now)
}

var (
	PushAnswer   = pushAnswer
	AsksForNonce = asksForNonce
	Bound        = bound
	IsNonce      = isNonce
	ErrorCode    = errorCode
)

// Nonces is the store of nonces.
type Nonces = nonces

// Keep and Of are its methods.
func (n *Nonces) Keep(origin, nonce string) bool { return n.keep(origin, nonce) }

// Of gives the latest nonce of an origin.
func (n *Nonces) Of(origin string) string { return n.of(origin) }
