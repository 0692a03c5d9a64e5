package endpoint

// This file owns token requests: how the client authenticates, what goes with each
// request beside what oauth2 puts there, and which errors come out. It knows
// nothing of connections; how an answer is read is in answer.go.
//
// oauth2 makes the requests and reads the answers, so that both are what its users
// expect. All that is particular sits in the client that it finds in its context.
// The order, from the outside, and what needs it to be so:
//
//	oauth2
//	call.complete   the headers and the whole form: a proof or an assertion is made of them
//	Wrap            what a connection demands beyond this package; may send twice
//	host's client   its transport, with the guards that it has
//	roundTrip       the bounds: hold for what a Wrap answers with, too
//	answer.check    the text that oauth2 reads, and no other
//	oauth2
//
// The deadline is around all of it: two requests of a Wrap have no more time than one.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/oauth2"

	"example.com/upstream/internal/check"
)

// maxPollInterval is in seconds. A device code lives for minutes (RFC 8628 section
// 3.2), so that nothing which works is cut.
const maxPollInterval = 24 * 60 * 60

// Tokens makes the token requests of one client. Never written once made.
type Tokens struct {
	OAuth   oauth2.Config // its TokenURL is as it stands in a request, "" if none can be made
	headers http.Header   // for requests to that URL alone; nil for none
	static  url.Values    // in the form of every request, but for names that it has; nil for none
}

// NewTokens settles how the client authenticates: never by trying, since a guess
// that fails has spent the code. A request has one Authorization, so that a custom
// one moves the secret into the body; and where it is the client's own Basic, the
// secret is left out, because a second method is forbidden (RFC 6749 section 2.3).
// Without a secret there is nothing for Basic to hold, and the client says who it is
// in the body (section 3.2.1). (rules H5, H6)
func NewTokens(c oauth2.Config, headers []check.Header, static map[string]string) Tokens {
	if c.ClientSecret == "" || c.Endpoint.AuthStyle != oauth2.AuthStyleInHeader {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	t := Tokens{} // without maps where there is nothing to hold: a server has many
	if len(headers) > 0 {
		t.headers = make(http.Header, len(headers))
	}
	for _, h := range headers {
		t.headers.Set(h.Name, h.Value)
	}
	if authorization := t.headers.Get("Authorization"); authorization != "" {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams
		if check.Authenticates(authorization, c.ClientID) {
			c.ClientSecret = ""
		}
	}
	if len(static) > 0 {
		t.static = make(url.Values, len(static))
	}
	for name, value := range static {
		t.static.Set(name, value)
	}
	// Through NewRequest, which also tidies "host:" as the later request does: the
	// headers go where the whole URL is equal.
	address := ""
	if req, err := http.NewRequest(http.MethodPost, c.Endpoint.TokenURL, nil); err == nil {
		address = req.URL.String()
	}
	if address != c.Endpoint.TokenURL { // else the string that the connection has serves here, too
		c.Endpoint.TokenURL = address
	}
	t.OAuth = c
	return t
}

// Exchange spends an authorization code.
func (t *Tokens) Exchange(ctx context.Context, wrap Wrap, code string, opts []oauth2.AuthCodeOption) (*oauth2.Token, error) {
	return t.request(ctx, asked{wrap: wrap, opts: opts}, func(ctx context.Context, opts ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
		return t.OAuth.Exchange(ctx, code, opts...)
	})
}

// Password is the resource owner password grant.
func (t *Tokens) Password(ctx context.Context, wrap Wrap, username, password string) (*oauth2.Token, error) {
	return t.request(ctx, asked{wrap: wrap}, func(ctx context.Context, _ ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
		return t.OAuth.PasswordCredentialsToken(ctx, username, password)
	})
}

// DeviceAuth begins a device login (RFC 8628 section 3.1). Nothing of the token
// endpoint's goes with it.
func (t *Tokens) DeviceAuth(ctx context.Context, opts []oauth2.AuthCodeOption) (*oauth2.DeviceAuthResponse, error) {
	answer, err := t.OAuth.DeviceAuth(deviceContext(ctx), withoutNil(opts)...)
	switch {
	case err != nil:
		return nil, failed("device authorization endpoint", err)
	case answer.DeviceCode == "":
		return nil, &Error{Text: "device authorization endpoint: the answer holds no device_code"}
	}
	return answer, nil
}

// Poll asks until the user has agreed on the other device. The interval is the
// server's word, and oauth2 panics at a negative or overflowing one; 0 stands for
// the 5 seconds of RFC 8628 section 3.5. The caller's da stays as it is.
func (t *Tokens) Poll(ctx context.Context, wrap Wrap, da *oauth2.DeviceAuthResponse, opts []oauth2.AuthCodeOption) (*oauth2.Token, error) {
	polled := *da
	polled.Interval = min(max(polled.Interval, 0), maxPollInterval)
	return t.request(ctx, asked{wrap: wrap, opts: opts, polls: true}, func(ctx context.Context, opts ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
		return t.OAuth.DeviceAccessToken(ctx, &polled, opts...)
	})
}

// Source gives token while it is valid, and refreshes it from then on. oauth2's own
// type stands around ours, so that ReuseTokenSourceWithExpiry finds the refresher
// inside and can refresh early.
func (t *Tokens) Source(ctx context.Context, wrap Wrap, token *oauth2.Token) oauth2.TokenSource {
	return source(&refresher{ctx: ctx, wrap: wrap, tokens: t}, token)
}

// Unusable is a Source where a refresh fails.
func Unusable(token *oauth2.Token, err error) oauth2.TokenSource {
	return source(&refresher{unusable: err}, token)
}

func source(r *refresher, token *oauth2.Token) oauth2.TokenSource {
	if token != nil && token.RefreshToken != "" {
		latest := token.RefreshToken // a copy: the token is the host's
		r.refreshToken, r.repeat = &latest, repeats(func(name string) string { return extra(token, name) })
	}
	return oauth2.ReuseTokenSource(token, r)
}

// A refresher gives a new token each time.
type refresher struct {
	ctx      context.Context // of the source; oauth2 keeps it in the same way
	wrap     Wrap
	tokens   *Tokens
	unusable error      // nil where the others are not
	repeat   url.Values // with each refresh; never written

	mu           sync.Mutex // two sources may share one refresher
	refreshToken *string    // the latest, nil for none; a pointer is what fmt does not follow
}

// Token keeps the refresh token where the refresh fails, so that the next call
// tries again. It is asked for first: without one there is nothing that attaching
// what a connection demands would help.
func (r *refresher) Token() (*oauth2.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.refreshToken == nil:
		return nil, &Error{Text: "the token has expired and there is no refresh token; the user has to log in again"}
	case r.unusable != nil:
		return nil, r.unusable
	}
	token, err := r.tokens.request(r.ctx, asked{wrap: r.wrap, repeat: r.repeat}, func(ctx context.Context, _ ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
		// Without an access token, oauth2 refreshes at once.
		return r.tokens.OAuth.TokenSource(ctx, &oauth2.Token{RefreshToken: *r.refreshToken}).Token()
	})
	if err != nil {
		return nil, err
	}
	latest := token.RefreshToken // oauth2 puts the old one there where the answer has none
	r.refreshToken = &latest
	return token, nil
}

// An asked is what a token request is besides its kind.
type asked struct {
	wrap   Wrap
	opts   []oauth2.AuthCodeOption // the host's, which go into the form
	repeat url.Values              // in the form as well, but for names that it has
	polls  bool                    // it is many requests, each with a timeout of its own
}

// A send is a method of oauth2.Config.
type send func(context.Context, ...oauth2.AuthCodeOption) (*oauth2.Token, error)

// request lets oauth2 make one request, and puts its error into our words. The
// deadline is in the context that oauth2 puts into the request, which then needs no
// copy for that.
func (t *Tokens) request(ctx context.Context, a asked, send send) (*oauth2.Token, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	host, given := HostClient(ctx)
	base, timeout := a.wrap.Around(ctx, Transport(host)), Timeout(host, given)
	if a.polls {
		base, timeout = &transport{base: base, timeout: timeout}, 0
	}
	ctx, cancel := within(ctx, timeout)
	defer cancel()
	c := &call{Context: ctx, client: *host, base: base, tokens: t, repeat: a.repeat, opts: a.opts != nil}
	own(&c.client, c)
	token, err := send(c, withoutNil(a.opts)...)
	if err != nil {
		return nil, failed("token endpoint", err)
	}
	return token, nil
}

// withoutNil keeps oauth2 from calling a method of an option that is none.
func withoutNil(opts []oauth2.AuthCodeOption) []oauth2.AuthCodeOption {
	if !slices.Contains(opts, nil) {
		return opts
	}
	return slices.DeleteFunc(slices.Clone(opts), func(o oauth2.AuthCodeOption) bool { return o == nil })
}

// An Error is what comes of a token request: a text that is safe to print, and
// what errors.Is and errors.As look for beneath.
type Error struct {
	Text string
	Err  error
}

func (e *Error) Error() string { return "upstream: " + e.Text }
func (e *Error) Unwrap() error { return e.Err }

// Format prints the text whatever the verb: what is wrapped may hold more.
func (e *Error) Format(f fmt.State, verb rune) { PrintText(f, verb, e.Error()) }

// PrintText is the Format of types whose fields must not be printed.
func PrintText(f fmt.State, verb rune, text string) {
	if verb == 'q' {
		text = fmt.Sprintf("%q", text)
	}
	_, _ = io.WriteString(f, text)
}

// failed replaces the text of an error from oauth2.
func failed(where string, err error) error {
	reason, cause := Failure(err)
	return &Error{where + ": " + reason, cause}
}

// A call is all that a token request needs beside oauth2's own, in one piece of
// memory: the context that oauth2 is called with, the client that it finds there, and
// the transport of that client. It is never written once made, since a host's
// transport may find the client in its request's context and use it as it likes; and
// so what is secret goes to the token URL alone, whatever the client is asked for.
type call struct {
	context.Context
	client http.Client
	base   http.RoundTripper
	tokens *Tokens    // a pointer, which fmt does not follow from a context that holds this one
	repeat url.Values // see asked
	opts   bool       // there are some
}

// Value gives the client under oauth2's key, and what the caller's context has.
func (c *call) Value(key any) any {
	if key == oauth2.HTTPClient {
		return &c.client
	}
	return c.Context.Value(key)
}

// Format keeps the client, and the caller's context, from a host's transport that
// logs its request's context.
func (c *call) Format(f fmt.State, verb rune) { PrintText(f, verb, "upstream.Context") }

func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	sent, repeat, err := c.complete(req)
	if err != nil {
		_ = req.Body.Close() // a RoundTripper must, and there is one where there is a fault in it
		return nil, err
	}
	resp, err := roundTrip(c.base, sent)
	if err != nil || resp == nil || resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp, err
	}
	if err := resp.Body.(*answer).check(resp.Header.Get("Content-Type"), repeat); err != nil {
		return nil, err
	}
	return resp, nil
}

// complete gives the request with what is ours, headers and parameters of the form,
// and of the form those that a refresh has to repeat. It is a copy where there is
// something to add, for a RoundTripper may not change what it is given.
//
// What the form has already stays: code, grant_type and client authentication are
// oauth2's, and what opts have put there is the host's. Of resource and audience,
// what a refresh repeats goes before what the connection has; and that is not
// repeated, since it comes with each request anyway.
func (c *call) complete(req *http.Request) (sent *http.Request, repeat url.Values, err error) {
	t, sent := c.tokens, req
	if t.headers != nil && req.URL.String() == t.OAuth.Endpoint.TokenURL {
		sent = req.WithContext(req.Context())
		sent.Header = req.Header.Clone()
		for name, values := range t.headers {
			sent.Header[name] = slices.Clone(values) // whose slice the host's transport may write to
		}
	}
	adds := t.static != nil || c.repeat != nil
	if !adds && !c.opts {
		return sent, nil, nil // the form is oauth2's, which puts neither of the two there
	}
	text, err := formOf(req)
	if err != nil || text == "" || !adds && !strings.Contains(text, "resource=") && !strings.Contains(text, "audience=") {
		return sent, nil, err
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, nil, err
	}
	addMissing(form, c.repeat)
	repeat = repeats(form.Get)
	if !adds {
		return sent, repeat, nil
	}
	addMissing(form, t.static)
	encoded := form.Encode()
	_ = req.Body.Close() // a copy of it has been read
	sent = sent.WithContext(sent.Context())
	// GetBody as well as Body: whoever sends twice (a nonce challenge, RFC 9449
	// section 8) takes it from there.
	sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(encoded)), nil }
	sent.Body, _ = sent.GetBody()
	sent.ContentLength = int64(len(encoded))
	return sent, repeat, nil
}

func addMissing(form, more url.Values) {
	for name, values := range more {
		if !form.Has(name) {
			form[name] = values
		}
	}
}

// formOf gives the text of a form that oauth2 made, "" for other requests. It is
// read from a second reader of the same text, so that Body stays to be sent: a
// type that net/http knows to be in memory goes out in one write with the headers.
func formOf(req *http.Request) (string, error) {
	if req.GetBody == nil || req.Body == nil {
		return "", nil
	}
	body, err := req.GetBody()
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }() // in memory
	var form text
	_, err = io.Copy(&form, body)
	return string(form), err
}

// A text takes what is written to it. The reader of a string hands the string
// itself over, which is then not copied.
type text string

func (t *text) WriteString(s string) (int, error) {
	*t += text(s)
	return len(s), nil
}

func (t *text) Write(p []byte) (int, error) { return t.WriteString(string(p)) }
