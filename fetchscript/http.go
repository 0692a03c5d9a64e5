package fetchscript

// This file owns what leaves the sandbox: HTTP through the host's client, and
// the console.

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"example.com/upstream/internal/endpoint"
)

const (
	maxLines = 1000 // of the console, in one run
)

// outside is what one run has of the world.
type outside struct {
	options    *Options
	redactor   *redactor
	connection string

	mu       sync.Mutex
	requests int
	lines    int
}

// A call is a request as the prelude describes it.
type call struct {
	Method     string      `json:"method"`
	URL        string      `json:"url"`
	Headers    [][2]string `json:"headers"`
	Binary     bool        `json:"binary"`     // the body is in base64
	Timeout    float64     `json:"timeout"`    // ms, 0 for none
	Redirects  int         `json:"redirects"`  // how many may be followed
	All        bool        `json:"all"`        // also those after a POST
	Raw        bool        `json:"raw"`        // the script decompresses what it asks to be compressed
	WantBinary bool        `json:"wantBinary"` // the answer's body is wanted in base64
}

// An answer is what the prelude gets: its first members, or Error and Code.
type answer struct {
	StatusCode    int            `json:"statusCode"`
	StatusMessage string         `json:"statusMessage"`
	Headers       map[string]any `json:"headers"`
	URL           string         `json:"url"`
	Error         string         `json:"error,omitempty"`
	Code          string         `json:"code,omitempty"` // as Node has it: ETIMEDOUT, ECONNREFUSED, ...
}

// count takes one more request into account.
func (out *outside) count() *Error {
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.requests++; out.requests > out.options.MaxRequests {
		return limitError(LimitRequests, "more than %d HTTP requests, redirects included", out.options.MaxRequests)
	}
	return nil
}

// do carries out a call. The *Error ends the run; any other failure is in the
// answer, for the script to handle.
func (out *outside) do(ctx context.Context, description, body string) (meta, text string, fatal *Error) {
	var c call
	if err := json.Unmarshal([]byte(description), &c); err != nil {
		return "", "", messageError("a request could not be understood")
	}
	if c.Timeout > 0 && c.Timeout < float64(out.options.Timeout.Milliseconds()) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.Timeout*float64(time.Millisecond)))
		defer cancel()
	}
	resp, content, err := out.exchange(ctx, &c, body)
	var own *Error
	if errors.As(err, &own) {
		return "", "", own
	}
	var a answer
	if err != nil {
		a.Error, a.Code = reason(err), code(err)
	} else {
		a = answer{StatusCode: resp.StatusCode, StatusMessage: http.StatusText(resp.StatusCode), Headers: map[string]any{}, URL: resp.Request.URL.String()}
		for name, values := range resp.Header {
			if name = strings.ToLower(name); name == "set-cookie" {
				a.Headers[name] = values
			} else {
				a.Headers[name] = strings.Join(values, ", ")
			}
		}
		out.redactor.answered(content)
		out.redactor.header(resp.Header)
	}
	encoded, _ := json.Marshal(a) // plain data
	if c.WantBinary {
		content = base64.StdEncoding.EncodeToString([]byte(content))
	}
	return string(encoded), content, nil
}

// A refusal is a request that is not sent; its text is for the script.
type refusal string

func (r refusal) Error() string { return string(r) }

// exchange sends the request and those that redirects ask for. What it follows
// is up to the script's library, but never does another origin than the first
// get a header or body in which the script may have put something secret: it
// would be the choice of whoever answered.
func (out *outside) exchange(ctx context.Context, c *call, body string) (*http.Response, string, error) {
	target, err := url.Parse(c.URL)
	if err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http" {
		return nil, "", refusal("Invalid URI: an absolute http or https URL is needed")
	}
	if c.Binary {
		raw, _ := base64.StdEncoding.DecodeString(body)
		body = string(raw)
	}
	header := http.Header{}
	for _, h := range c.Headers {
		header.Add(h[0], h[1])
	}
	if target.User != nil && header.Get("Authorization") == "" {
		password, _ := target.User.Password()
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(target.User.Username()+":"+password)))
	}
	target.User = nil
	if !c.Raw {
		header.Del("Accept-Encoding")
	}
	method, first := c.Method, endpoint.Origin(target)
	for followed := 0; ; followed++ {
		if followed > 0 { // the first was counted as the script asked for it
			if fatal := out.count(); fatal != nil {
				return nil, "", fatal
			}
		}
		resp, content, err := out.send(ctx, method, target, header, body)
		if err != nil {
			return nil, "", err
		}
		next := redirect(resp)
		if next == nil || c.Redirects == 0 || !c.All && method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions {
			return resp, content, nil
		}
		if followed >= c.Redirects {
			return nil, "", refusal("Exceeded maxRedirects")
		}
		if resp.StatusCode == http.StatusSeeOther || resp.StatusCode < http.StatusTemporaryRedirect && method == http.MethodPost {
			if method != http.MethodHead {
				method = http.MethodGet
			}
			body = ""
			header.Del("Content-Type")
			header.Del("Content-Length")
		}
		if endpoint.Origin(next) != first {
			if body != "" {
				return nil, "", refusal("a redirect to another host is not followed with a body")
			}
			header = harmless(header) // for good: a way back would be the stranger's choice too
		}
		target = next
	}
}

// harmless keeps the headers that another host may see.
func harmless(header http.Header) http.Header {
	kept := http.Header{}
	for _, name := range []string{"Accept", "Accept-Language", "User-Agent"} {
		if values := header.Values(name); len(values) > 0 {
			kept[name] = values
		}
	}
	return kept
}

// redirect gives where an answer leads to, nil if nowhere.
func redirect(resp *http.Response) *url.URL {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		next, err := resp.Location()
		if err == nil && next.Host != "" && (next.Scheme == "https" || next.Scheme == "http") {
			next.User = nil
			return next
		}
	}
	return nil
}

// send sends one request by the host's client and reads the whole answer.
func (out *outside) send(ctx context.Context, method string, target *url.URL, header http.Header, body string) (*http.Response, string, error) {
	if port := ":" + map[string]string{"https": "443", "http": "80"}[target.Scheme]; strings.HasSuffix(target.Host, port) {
		target.Host = strings.TrimSuffix(target.Host, port) // the header Host is without it, as everybody has it
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), strings.NewReader(body))
	if err != nil {
		return nil, "", refusal("the request is not valid")
	}
	if body == "" {
		req.Body, req.GetBody = http.NoBody, nil
	}
	req.Header = header.Clone()
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	// net/http sees to these.
	for _, name := range []string{"Host", "Content-Length", "Connection", "Transfer-Encoding"} {
		req.Header.Del(name)
	}
	host, given := endpoint.HostClient(ctx)
	if isolation := out.options.Isolation; !given && isolation != nil {
		host = isolation.client
	}
	client := *host  // a copy: the host's own client stays as it is
	client.Jar = nil // whose cookies would be those of another user's login
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", endpoint.Cause(err)
	}
	defer func() { _ = resp.Body.Close() }() // all that matters has been read
	content, err := io.ReadAll(io.LimitReader(resp.Body, int64(out.options.MaxResponse)+1))
	switch {
	case err != nil:
		return nil, "", err
	case len(content) > out.options.MaxResponse:
		return nil, "", limitError(LimitResponse, "an answer is longer than %d bytes", out.options.MaxResponse)
	}
	resp.Request = req
	return resp, string(content), nil
}

// reason gives the words for a request that failed. They quote neither the
// URL nor what a server sent.
func reason(err error) string {
	var own refusal
	if errors.As(err, &own) {
		return string(own)
	}
	return endpoint.Reason(err)
}

func code(err error) string {
	var own refusal
	var name *net.DNSError
	var timeout net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &own):
		return "EREFUSED"
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return "ETIMEDOUT"
	case errors.As(err, &name):
		return "ENOTFOUND"
	case errors.As(err, &op) && op.Op == "dial":
		return "ECONNREFUSED"
	}
	return "ECONNRESET"
}

// log passes a line of the console on.
func (out *outside) log(ctx context.Context, method, line string) *Error {
	out.mu.Lock()
	out.lines++
	n := out.lines
	out.mu.Unlock()
	if n > maxLines {
		return limitError(LimitConsole, "more than %d lines on the console", maxLines)
	}
	logger := out.options.Logger
	if logger == nil {
		logger = slog.Default()
	}
	if logger.Enabled(ctx, slog.LevelDebug) {
		logger.LogAttrs(ctx, slog.LevelDebug, "fetchUserProfile script", slog.String("connection", out.connection),
			slog.String("console", method), slog.String("line", out.redactor.clean(line)))
	}
	return nil
}
