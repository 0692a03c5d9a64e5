package endpoint

// This file owns the client for requests with an access token that the host makes
// itself. It knows nothing of how a token is had.
//
// Other than at the token endpoint, redirects are followed as the host's client does:
// what is asked, and where that may lead, is the host's own choice. What is ours is the
// token, which stays with the origin that it was sent to first.

import (
	"context"
	"fmt"
	"net/http"
)

// ResourceClient gives a client like the host's that sends an Authorization with
// each request, as long as no redirect has led away from the first one's origin.
func ResourceClient(ctx context.Context, wrap Wrap, authorization func() (string, error)) *http.Client {
	host, _ := HostClient(ctx)
	return &http.Client{
		Transport:     &resourceTransport{wrap.Around(ctx, Transport(host)), authorization},
		CheckRedirect: host.CheckRedirect,
		Jar:           host.Jar,
		Timeout:       host.Timeout,
	}
}

type resourceTransport struct {
	base          http.RoundTripper
	authorization func() (string, error)
}

// Format keeps what lies beneath out of a printed [http.Client]: with a verb
// that does not fit, as %s, fmt follows pointers one level further.
func (t *resourceTransport) Format(f fmt.State, verb rune) { PrintText(f, verb, "upstream.Transport") }

func (t *resourceTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := req
	if !leftOrigin(req) {
		authorization, err := t.authorization()
		if err != nil {
			if req.Body != nil {
				_ = req.Body.Close() // a RoundTripper must; the error that counts is the token's
			}
			return nil, err
		}
		sent = req.Clone(req.Context())
		sent.Header.Set("Authorization", authorization)
	}
	resp, err := t.base.RoundTrip(sent) // its answer is the host's to read, and to bound
	if resp != nil {
		resp.Request = req // without the token; leftOrigin needs it
	}
	return resp, err
}

// leftOrigin reports whether a redirect on the way to req led to another
// origin, even if a later one led back: the path is then a stranger's choice.
func leftOrigin(req *http.Request) bool {
	for r := req; r.Response != nil; r = r.Response.Request {
		before := r.Response.Request
		if before == nil || Origin(before.URL) != Origin(r.URL) {
			return true
		}
	}
	return false
}
