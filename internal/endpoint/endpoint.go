// Package endpoint speaks HTTP with the endpoints of an identity provider: the
// token endpoint, the device authorization endpoint and the userinfo endpoint.
// Its clients follow no redirect and read a bounded answer, and its words for a
// failure quote neither the answer nor the URL. It knows nothing of connections.
//
// A redirect would hand a code, the client's secret or a token to the host that an
// answer names (RFC 9700 section 4.12). An answer without bound would be as long as a
// provider likes, at a login that anybody may begin. And errors are logged, while
// net/http's have the URL, and oauth2's the answer.
package endpoint

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	requestTimeout = 30 * time.Second // of a request, where the host gives no HTTP client: net/http's has none
	maxAnswer      = 1 << 20          // bytes of a response body, after decompression; some kilobytes are usual
)

// HostClient gives the HTTP client that the host put into the context, and
// whether there is one: net/http's default serves otherwise, and in the place
// of a nil one.
func HostClient(ctx context.Context) (client *http.Client, given bool) {
	if ctx != nil {
		if c, ok := ctx.Value(oauth2.HTTPClient).(*http.Client); ok && c != nil {
			return c, true
		}
	}
	return http.DefaultClient, false
}

// Transport gives the RoundTripper that a client uses.
func Transport(c *http.Client) http.RoundTripper {
	if c.Transport == nil {
		return http.DefaultTransport
	}
	return c.Transport
}

// Timeout gives how long a request may take, 0 for as long as it wants: a host that
// gives a client has chosen, also where it has set nothing. It takes what HostClient
// gives. (rule H7)
func Timeout(host *http.Client, given bool) time.Duration {
	if !given && host.Timeout == 0 {
		return requestTimeout
	}
	return host.Timeout
}

// Client derives a client for an identity provider's own endpoints: it follows no
// redirect and reads a bounded answer, which is in memory when it comes. Requests
// have to carry the context.
func Client(ctx context.Context) *http.Client { return newClient(ctx, nil) }

func newClient(ctx context.Context, wrap Wrap) *http.Client {
	host, given := HostClient(ctx)
	t := &transport{client: *host, base: wrap.Around(ctx, Transport(host)), timeout: Timeout(host, given)}
	return own(&t.client, t)
}

// own makes a copy of the host's client ours; the host's own stays as it is. What
// remains of it is the jar.
func own(client *http.Client, t http.RoundTripper) *http.Client {
	client.Transport = t
	client.CheckRedirect = useLast
	// A deadline in the context stands in its place, which holds until the answer has
	// been read: for a transport that it does not know, net/http starts a goroutine.
	client.Timeout = 0
	return client
}

// useLast gives the redirect itself to the caller, with its status: whatever is at
// Location has no claim on headers, codes and secrets. (rules H3, H4)
func useLast(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// A Wrap puts something onto requests: it gives the RoundTripper that serves
// them, around the one that would. ctx is that of the call. nil leaves them as they
// are. It sits inside the bounds: what it sends is the host's transport's, and what
// it answers with is read as ever.
type Wrap func(ctx context.Context, base http.RoundTripper) http.RoundTripper

// Around gives base in what w puts around it, which is nothing where w has nothing
// to add.
func (w Wrap) Around(ctx context.Context, base http.RoundTripper) http.RoundTripper {
	if w != nil {
		if around := w(ctx, base); around != nil {
			return around
		}
	}
	return base
}

// Get asks a userinfo endpoint with an Authorization. The body is whole where
// err is nil; the status is 0 where there was none.
func Get(ctx context.Context, address, authorization string, wrap Wrap) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, nil, Cause(err)
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Accept", "application/json")
	resp, err := newClient(ctx, wrap).Do(req)
	if err != nil {
		if size := (*TooLargeError)(nil); errors.As(err, &size) {
			status = size.Status
		}
		return status, nil, Cause(err)
	}
	body, err = io.ReadAll(resp.Body) // in memory, see roundTrip
	return resp.StatusCode, body, err
}

// Cause takes off net/http's own layer, whose text has the URL and its query.
func Cause(err error) error {
	if layer := (*url.Error)(nil); errors.As(err, &layer) {
		return layer.Err
	}
	return err
}

// Origin gives scheme, host and port: what a credential is for, and where it
// must not leave to.
func Origin(u *url.URL) string {
	port := u.Port()
	switch {
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "" && u.Scheme == "http":
		port = "80"
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// A transport is one with its client, which is made for each request: together
// they are one piece of memory.
type transport struct {
	client  http.Client
	base    http.RoundTripper
	timeout time.Duration // 0 for none
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := within(req.Context(), t.timeout)
	defer cancel() // nothing is left to be read then
	return roundTrip(t.base, req.WithContext(ctx))
}

// within bounds a request. 0 stands for no bound.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// roundTrip reads the whole answer, so that a fault in the middle of it comes
// out as the error that it is: oauth2 would turn it into a text, and an
// oversized answer into bad JSON. The body of what it gives is an *answer.
func roundTrip(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := base.RoundTrip(req)
	if err == nil && resp == nil {
		return nil, nil // the client has words for this
	}
	var body []byte
	if err == nil {
		body, err = readAnswer(resp)
	}
	if err != nil {
		return nil, cmp.Or(req.Context().Err(), err) // the plain one, whatever words the transport has
	}
	resp.Body, resp.Request = &answer{rest: body}, req
	if resp.StatusCode/100 == 3 {
		if _, err := req.URL.Parse(resp.Header.Get("Location")); err != nil {
			resp.Header.Del("Location") // else the client reports the bad URL and loses the status
		}
	}
	return resp, nil
}

// readAnswer reads and closes the body, into one piece of memory where its length
// is told, and without believing it. Of an oversized answer that reports a failure
// the status matters; its body is dropped whole, never cut and parsed.
func readAnswer(resp *http.Response) ([]byte, error) {
	if resp.Body == nil {
		return nil, nil
	}
	defer func() { _ = resp.Body.Close() }() // all that matters has been read
	// One byte more than is told, for the reader wants room to find the end in; and one
	// more than may be is read, which shows that there is more.
	body := make([]byte, 0, 1+min(max(resp.ContentLength, 0), maxAnswer))
	var err error
	for err == nil && len(body) <= maxAnswer {
		if len(body) == cap(body) {
			body = slices.Grow(body, 512)
		}
		var n int
		n, err = resp.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
	}
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case len(body) <= maxAnswer:
		return body, nil
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, nil
	}
	return nil, &TooLargeError{resp.StatusCode}
}

// A TooLargeError stands for an answer that was not read to its end.
type TooLargeError struct{ Status int }

func (e *TooLargeError) Error() string { return "the answer is larger than 1 MiB" }

// An answer is a body that has been read.
type answer struct{ rest []byte }

// Read says that it is the end together with the last bytes, which spares a
// reader of all of them a second call.
func (a *answer) Read(p []byte) (n int, err error) {
	n = copy(p, a.rest)
	if a.rest = a.rest[n:]; len(a.rest) == 0 {
		err = io.EOF
	}
	return n, err
}

func (*answer) Close() error { return nil }
