// Package endpoint speaks HTTP with the endpoints of an identity provider: the
// token endpoint, the device authorization endpoint and the userinfo endpoint.
// Its clients follow no redirect and read a bounded answer, and its words for a
// failure quote neither the answer nor the URL. It knows nothing of connections.
package endpoint

import (
	"bytes"
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
	requestTimeout = 30 * time.Second // of a request, where the host gives no HTTP client
	maxAnswer      = 1 << 20          // bytes of a response body, after decompression
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

// Timeout gives how long a request may take, 0 for as long as it wants.
func Timeout(ctx context.Context) time.Duration {
	host, given := HostClient(ctx)
	if !given && host.Timeout == 0 {
		return requestTimeout
	}
	return host.Timeout
}

// Client derives a client for an identity provider's own endpoints: it
// follows no redirect, reads a bounded answer, and sends the headers to that
// address alone. Requests have to carry the context.
func Client(ctx context.Context, address string, headers http.Header) *http.Client {
	host, _ := HostClient(ctx)
	client := *host // a copy: the host's own client stays as it is
	// By a deadline in RoundTrip, which reads the answer to its end: for a
	// transport that it does not know, net/http starts a goroutine each time.
	client.Timeout = 0
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = &transport{base: Transport(host), timeout: Timeout(ctx), url: address, headers: headers}
	return &client
}

// A Wrap puts something onto requests: it gives the RoundTripper that serves
// them, around the one that would. nil leaves them as they are.
type Wrap func(http.RoundTripper) http.RoundTripper

// Wrapped changes a client of Client's so that wrap sits inside its bounds: what
// it sends is the host's transport's, and what it answers with is read as ever.
func Wrapped(client *http.Client, wrap Wrap) *http.Client {
	if t, ok := client.Transport.(*transport); ok {
		t.base = wrap.Around(t.base)
	}
	return client
}

// Around gives base in what w puts around it.
func (w Wrap) Around(base http.RoundTripper) http.RoundTripper {
	if w != nil {
		if around := w(base); around != nil {
			return around
		}
	}
	return base
}

// Carrying changes a client of Client's for requests that do not carry the
// context: oauth2 sends the device request without it.
func Carrying(ctx context.Context, client *http.Client) *http.Client {
	client.Transport = &carrier{ctx, client.Transport}
	return client
}

type carrier struct {
	ctx  context.Context
	base http.RoundTripper // a *transport: has read the answer when it returns
}

func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	defer context.AfterFunc(req.Context(), cancel)()
	resp, err := c.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		// Of a merged context the transport knows only that it has ended.
		return nil, cmp.Or(c.ctx.Err(), req.Context().Err(), err)
	}
	return resp, nil
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
	resp, err := Wrapped(Client(ctx, "", nil), wrap).Do(req)
	if err != nil {
		if size := (*TooLargeError)(nil); errors.As(err, &size) {
			status = size.Status
		}
		return status, nil, Cause(err)
	}
	body, err = io.ReadAll(resp.Body) // in memory, see RoundTrip
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

type transport struct {
	base    http.RoundTripper
	timeout time.Duration // 0 for none
	url     string
	headers http.Header // for requests to url alone
}

// RoundTrip reads the whole answer, so that a fault in the middle of it comes
// out as the error that it is: oauth2 would turn it into a text, and an
// oversized answer into bad JSON.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if t.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.timeout)
		defer cancel() // nothing is left to be read then
	}
	sent := req.WithContext(ctx)
	if len(t.headers) > 0 && req.URL.String() == t.url {
		sent.Header = req.Header.Clone()
		for name, values := range t.headers {
			sent.Header[name] = slices.Clone(values) // whose slice the host's transport may write to
		}
	}
	resp, err := t.base.RoundTrip(sent)
	if err == nil && resp == nil {
		return nil, nil // the client has words for this
	}
	var body []byte
	if err == nil {
		body, err = readAnswer(resp)
	}
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err) // the plain one, whatever words the transport has
	}
	if req.Method == http.MethodPost && bytes.Equal(bytes.TrimSpace(body), []byte("null")) {
		body = []byte("{}") // oauth2 panics at a device authorization of null
	}
	resp.Body = newAnswer(body)
	// An error that somebody logs in full leads here: no header, no form.
	resp.Request = &http.Request{Method: req.Method, URL: req.URL, Header: http.Header{}}
	if _, err := resp.Location(); err != nil {
		resp.Header.Del("Location") // else the client reports the bad URL and loses the status
	}
	return resp, nil
}

// readAnswer reads and closes the body. Of an oversized answer that reports a
// failure the status matters; its body is dropped whole, never cut and parsed.
func readAnswer(resp *http.Response) ([]byte, error) {
	if resp.Body == nil {
		return nil, nil
	}
	defer func() { _ = resp.Body.Close() }() // all that matters has been read
	var body bytes.Buffer
	if 0 < resp.ContentLength && resp.ContentLength <= maxAnswer {
		body.Grow(int(resp.ContentLength) + bytes.MinRead) // the reader wants room to find the end in
	}
	_, err := body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case body.Len() <= maxAnswer:
		return body.Bytes(), nil
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, nil
	}
	return nil, &TooLargeError{resp.StatusCode}
}

// A TooLargeError stands for an answer that was not read to its end.
type TooLargeError struct{ Status int }

func (e *TooLargeError) Error() string { return "the answer is larger than 1 MiB" }
