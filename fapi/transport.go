package fapi

// This file owns what is changed about requests that package upstream makes: to
// the token endpoint, and with an access token. It sits inside upstream's own
// bounds, and knows nothing of how the answers are read there.

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"example.com/upstream/internal/endpoint"
	"example.com/upstream/internal/strictjson"
)

const (
	maxForm   = 1 << 20 // bytes of a token request
	maxAnswer = 1 << 20 // bytes of a token answer; more is upstream's to refuse
)

// tokenTransport authenticates token requests, and adds proofs to them.
type tokenTransport struct {
	client *client
	ctx    context.Context // of the call, with the login's key
	base   http.RoundTripper
}

func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTrip(req)
	return resp, stated(err)
}

func (t *tokenTransport) roundTrip(req *http.Request) (*http.Response, error) {
	form, err := readForm(req)
	if err != nil {
		return nil, err
	}
	c := t.client
	p, err := c.prover(t.ctx, &c.as)
	if err != nil {
		return nil, err
	}
	if err := c.certificate(t.base); err != nil {
		return nil, err
	}
	target, err := c.aliased(req.URL)
	if err != nil {
		return nil, err
	}
	for again := false; ; again = true {
		sent, err := c.tokenRequest(req, target, form)
		if err != nil {
			return nil, err
		}
		if err := p.prove(sent, ""); err != nil {
			return nil, err
		}
		resp, err := t.base.RoundTrip(sent)
		if err != nil || resp == nil || p == nil {
			return resp, err
		}
		body, err := peek(resp)
		if err != nil {
			return nil, err
		}
		fresh := p.keepNonce(resp, target)
		// Section 8: the server has not looked at the request, so that a code
		// in it is not spent. One new try, with a new assertion as well.
		if fresh && !again && asksForNonce(resp.StatusCode, body) {
			_ = resp.Body.Close()
			continue
		}
		if resp.StatusCode == http.StatusOK && !bound(body) {
			_ = resp.Body.Close()
			return nil, &Error{Stage: "token", message: "the token is not bound to the key of this login: its token_type is not DPoP"}
		}
		return resp, nil
	}
}

// readForm reads the body of a token request, and closes it.
func readForm(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }() // has been read
	form, err := io.ReadAll(io.LimitReader(req.Body, maxForm+1))
	if err == nil && len(form) > maxForm {
		err = &Error{Stage: "token", message: "the request is larger than 1 MiB"}
	}
	return form, err
}

// tokenRequest gives a request of its own for one try: no assertion goes out twice.
func (c *client) tokenRequest(req *http.Request, target *url.URL, form []byte) (*http.Request, error) {
	sent := req.Clone(req.Context())
	sent.URL = target
	if target != req.URL {
		sent.Host = ""
	}
	if c.auth != nil {
		pairs, err := c.auth.authenticate(c.now(), req.URL.String())
		if err != nil {
			return nil, err
		}
		form = []byte(joined(string(form), pairs))
	}
	sent.Body = io.NopCloser(bytes.NewReader(form))
	sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
	sent.ContentLength = int64(len(form))
	return sent, nil
}

// peek reads the beginning of an answer, and leaves the whole to be read.
func peek(resp *http.Response) ([]byte, error) {
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		_ = resp.Body.Close() // the reader's error counts
		return nil, err
	}
	resp.Body = &peeked{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	return body, nil
}

type peeked struct {
	io.Reader
	io.Closer
}

// asksForNonce is the answer of RFC 9449 section 8.
func asksForNonce(status int, body []byte) bool {
	if status != http.StatusBadRequest && status != http.StatusUnauthorized {
		return false
	}
	return answerText(body, "error") == "use_dpop_nonce"
}

// bound reports whether a token answer holds a token of the type DPoP. One that
// cannot be read is upstream's to refuse.
func bound(body []byte) bool {
	return strings.EqualFold(answerText(body, "token_type"), "DPoP")
}

// answerText gives a member of a JSON answer, "" where there is none.
func answerText(body []byte, name string) string {
	if len(body) > maxAnswer || strictjson.Check(body) != nil {
		return ""
	}
	members, _ := strictjson.Members(body)
	return strictjson.Text(strictjson.Find(members, name))
}

// resourceTransport adds proofs to requests with an access token.
type resourceTransport struct {
	client *client
	ctx    context.Context
	base   http.RoundTripper
}

func (t *resourceTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTrip(req)
	if own := (*Error)(nil); errors.As(err, &own) && req.Body != nil {
		_ = req.Body.Close() // nobody has read it; a RoundTripper must close it
	}
	return resp, stated(err)
}

func (t *resourceTransport) roundTrip(req *http.Request) (*http.Response, error) {
	c := t.client
	authorization := req.Header.Get("Authorization")
	if authorization == "" { // a redirect has led elsewhere: upstream sends no token there
		return t.base.RoundTrip(req)
	}
	p, err := c.prover(t.ctx, &c.rs)
	if err != nil {
		return nil, err
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if p != nil && !strings.EqualFold(scheme, "DPoP") {
		return nil, &Error{Stage: "resource", message: "the token is not of the type DPoP, which the connection asks for; log in again"}
	}
	if err := c.certificate(t.base); err != nil {
		return nil, err
	}
	target, err := c.aliased(req.URL)
	if err != nil {
		return nil, err
	}
	for again := false; ; again = true {
		sent := req.Clone(req.Context())
		if sent.URL = target; target != req.URL {
			sent.Host = ""
		}
		if again && req.Body != nil && req.Body != http.NoBody {
			if sent.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
		if err := p.prove(sent, token); err != nil {
			return nil, err
		}
		resp, err := t.base.RoundTrip(sent)
		if err != nil || resp == nil || p == nil {
			return resp, err
		}
		resendable := req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
		fresh := p.keepNonce(resp, target)
		if fresh && !again && resendable && challenged(resp) {
			if resp.Body != nil {
				_, _ = io.CopyN(io.Discard, resp.Body, 4096) // so that the connection serves again
				_ = resp.Body.Close()
			}
			continue
		}
		return resp, nil
	}
}

// challenged is the answer of RFC 9449 section 9. A word that stands elsewhere in
// the header costs one more request, and no more.
func challenged(resp *http.Response) bool {
	if resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	for _, challenge := range resp.Header.Values("WWW-Authenticate") {
		if strings.Contains(challenge, "use_dpop_nonce") {
			return true
		}
	}
	return false
}

// A prover puts proofs onto the requests of one call. A nil one puts none.
type prover struct {
	client *client
	key    *proofKey
	nonces *nonces
}

// prover gives nil where the connection asks for no DPoP.
func (c *client) prover(ctx context.Context, n *nonces) (*prover, error) {
	if c.dpop == "" {
		return nil, nil
	}
	k := proofKeyOf(ctx)
	if k == nil {
		return nil, errNoProofKey
	}
	return &prover{c, k, n}, nil
}

var errNoProofKey = &Error{Stage: "proof", message: "the context holds no key of this login; take that of Client.Start or Client.Resume"}

func (p *prover) prove(req *http.Request, token string) error {
	if p == nil {
		return nil
	}
	proof, err := p.key.proof(req.Method, req.URL, token, p.nonces.of(endpoint.Origin(req.URL)), p.client.now())
	if err == nil {
		req.Header.Set("DPoP", proof)
	}
	return err
}

// keepNonce takes the nonce for the next request, which any answer may bring
// (section 8.2), and reports whether there is one.
func (p *prover) keepNonce(resp *http.Response, target *url.URL) bool {
	values := resp.Header.Values("DPoP-Nonce")
	return len(values) == 1 && p.nonces.keep(endpoint.Origin(target), values[0])
}

// aliased gives the address for mutual TLS, where the connection asks for it
// and the metadata has one (RFC 8705 section 5).
func (c *client) aliased(u *url.URL) (*url.URL, error) {
	alias := c.metadata.aliases[u.String()]
	if !c.options.MutualTLS || alias == "" {
		return u, nil
	}
	target, err := url.Parse(alias)
	if err != nil { // it was checked
		return nil, &Error{Stage: "connection", message: "an address of mtls_endpoint_aliases is no URL"}
	}
	return target, nil
}

// certificate refuses to ask without a certificate where one is wanted: the
// server's answer would not say what is missing. Of a transport that is not
// net/http's own it knows nothing.
func (c *client) certificate(base http.RoundTripper) error {
	if !c.options.MutualTLS {
		return nil
	}
	t, known := base.(*http.Transport)
	//lint:ignore SA1019 a host may still set the older one
	if !known || t.DialTLSContext != nil || t.DialTLS != nil {
		return nil
	}
	if t.TLSClientConfig == nil || len(t.TLSClientConfig.Certificates) == 0 && t.TLSClientConfig.GetClientCertificate == nil {
		return &Error{Stage: "connection", message: "the connection asks for mutual TLS, and the HTTP client of the context has no certificate; " +
			"put one with a tls.Config under oauth2.HTTPClient"}
	}
	return nil
}
