package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream/internal/check"
)

type serve func(*http.Request) (*http.Response, error)

func (f serve) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A form is what a request adds to what oauth2 has sent.
type form struct{ static, repeat url.Values }

// answered gives what oauth2 would read of an answer, and what was sent.
func answered(t *testing.T, form form, sent string, status int, kind, body string) (read, got string, err error) {
	t.Helper()
	host := &http.Client{Transport: serve(func(r *http.Request) (*http.Response, error) {
		text, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		again, err := r.GetBody()
		assert.NoError(t, err)
		twice, err := io.ReadAll(again)
		assert.NoError(t, err)
		assert.Equal(t, string(text), string(twice), "a nonce challenge sends it again")
		assert.EqualValues(t, len(text), r.ContentLength)
		got = string(text)
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, host)
	tokens := &Tokens{static: form.static}
	_, _ = tokens.request(ctx, asked{repeat: form.repeat, opts: []oauth2.AuthCodeOption{oauth2.AccessTypeOnline}}, func(ctx context.Context, _ ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
		var req *http.Request
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, "https://idp.example.com/token", strings.NewReader(sent))
		require.NoError(t, err)
		client, given := HostClient(ctx)
		require.True(t, given)
		var resp *http.Response
		if resp, err = client.Do(req); err != nil {
			err = Cause(err)
			return nil, err
		}
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		read = string(text)
		return nil, resp.Body.Close()
	})
	return read, got, err
}

func TestP4AnswersAreReadStrictly(t *testing.T) {
	const json, formKind = "application/json; charset=utf-8", "application/x-www-form-urlencoded"
	const twice, ours = "the answer holds a member twice", "the answer holds a member that this package adds itself"
	for _, tc := range []struct {
		status           int
		kind, body, want string // "" for taken
	}{
		{200, json, `{"access_token":"a","x":{"Access_Token":1}}`, ""},
		{200, "", ` {"access_token":"a"} `, ""},
		{200, json, `{"access_token":"a","access_token":"b"}`, twice},
		{200, json, `{"access_token":"a","acc\u0065ss_token":"b"}`, twice},
		{299, json, `{"access_token":"a","Access_Token":"b"}`, "the answer holds a member that is access_token but for case"},
		{200, json, `{"ID\u005fToken":"b"}`, "the answer holds a member that is id_token but for case"},
		{200, json, `{"upstream_resource":"b"}`, ours},
		{200, json, `[]`, unreadable},
		{200, json, `access_token=a`, unreadable},
		{200, formKind, `access_token=a&x=1&=&=`, ""},
		{200, "text/plain", `access_token=a&access_token=b`, "the answer is a form that holds a name twice"},
		{200, formKind, `access_token=a&access%5Ftoken=b`, "the answer is a form that holds a name twice"},
		{200, formKind, `a%zz=1`, unreadable},
		{200, formKind, `upstream_audience=1`, ours},
		{200, formKind, strings.Repeat("&", 99), ""},
		{200, formKind, strings.Repeat("&", 101), "the answer is a form of too many names"},
		{199 + 101, json, `{"error":"a","error":"b"}`, ""},
		{400, json, `not JSON`, ""},
	} {
		read, _, err := answered(t, form{}, "grant_type=x", tc.status, tc.kind, tc.body)
		if tc.want == "" {
			assert.NoError(t, err, tc.body)
			assert.Equal(t, tc.body, read)
		} else {
			assert.EqualError(t, err, tc.want, tc.body)
			assert.ErrorAs(t, err, new(*AnswerError))
		}
	}
}

func TestB5FormOfATokenRequest(t *testing.T) {
	static, repeat := url.Values{"audience": {"own"}, "x": {"1"}, "code": {"never"}}, url.Values{"resource": {"r 2"}, "audience": {"again"}}
	for _, tc := range []struct {
		name       string
		form       form
		sent, want string
		read       string
	}{
		{"as it is", form{}, "grant_type=x&b=%20", "grant_type=x&b=%20", `{"a":1}`},
		{"static", form{static: static}, "code=c&grant_type=x", "audience=own&code=c&grant_type=x&x=1", `{"a":1}`},
		{"repeated, above static", form{static, repeat}, "code=c", "audience=again&code=c&resource=r+2&x=1", ""},
		{"what the request has", form{}, "code=c&resource=https%3A%2F%2Fr", "code=c&resource=https%3A%2F%2Fr", `{"a":1,"upstream_resource":"https://r"}`},
		{"an audience", form{}, "audience=me", "audience=me", `{"a":1,"upstream_audience":"me"}`},
		{"wins over both", form{static, url.Values{"audience": {"again"}}}, "audience=me&code=c", "audience=me&code=c&x=1", `{"a":1,"upstream_audience":"me"}`},
	} {
		read, got, err := answered(t, tc.form, tc.sent, 200, "application/json", `{"a":1}`)
		require.NoError(t, err, tc.name)
		assert.Equal(t, tc.want, got, tc.name)
		if tc.read == "" {
			assert.JSONEq(t, `{"a":1,"upstream_resource":"r 2","upstream_audience":"again"}`, read)
		} else {
			assert.Equal(t, tc.read, read, tc.name)
		}
	}
	read, _, err := answered(t, form{}, "resource=r%2F", 200, "text/plain", "access_token=a")
	require.NoError(t, err)
	assert.Equal(t, "access_token=a&upstream_resource=r%2F", read)
	_, _, err = answered(t, form{static: static}, "a=%zz", 200, "", "{}")
	assert.Error(t, err)
	token := (&oauth2.Token{}).WithExtra(map[string]any{"upstream_audience": "b", "upstream_resource": 1})
	assert.Equal(t, "b", extra(token, "audience"))
	assert.Equal(t, "", extra(token, "resource"), "no text")
}

func TestH8WordsForAFailure(t *testing.T) {
	failed := func(status int, code string) *oauth2.RetrieveError {
		return &oauth2.RetrieveError{Response: &http.Response{StatusCode: status}, ErrorCode: code}
	}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{failed(400, "invalid_grant"), "status 400, error invalid_grant"},
		{failed(500, ""), "status 500"},
		{failed(299, ""), "status 299"},
		{failed(400, "SECRET"), "status 400, an error code that is not registered"},
		{failed(300, "x"), "status 300: it redirects, which is never followed; correct the URL"},
		{failed(399, ""), "status 399: it redirects, which is never followed; correct the URL"},
		{failed(400, ""), "status 400"},
		{&oauth2.RetrieveError{ErrorCode: "invalid_grant"}, "no token, error invalid_grant"},
		{&AnswerError{"strict"}, "strict"},
		{&url.Error{Op: "Post", URL: "https://SECRET", Err: io.EOF}, "the connection ended before the answer did"},
		{context.Canceled, "the request was canceled"},
		{context.DeadlineExceeded, "the request timed out"},
		{errors.New("oauth2: SECRET"), unreadable},
	} {
		got, _ := Failure(tc.err)
		assert.Equal(t, tc.want, got)
	}
	for status, want := range map[int]string{299: "", 300: "it redirects", 399: "it redirects", 400: "", 401: "refuses the access token", 403: "refuses the access token", 404: ""} {
		got := Refused(status)
		assert.True(t, strings.HasPrefix(got, "status "), got)
		assert.Equal(t, want == "", !strings.Contains(got, ":"), got)
		assert.Contains(t, got, want)
	}
}

func TestR5Origin(t *testing.T) {
	for s, want := range map[string]string{
		"https://A.b/x": "https://a.b:443", "https://a.b:443/": "https://a.b:443", "http://a.b": "http://a.b:80", "https://a.b:80": "https://a.b:80", "ftp://a": "ftp://a:",
	} {
		u, err := url.Parse(s)
		require.NoError(t, err)
		assert.Equal(t, want, Origin(u))
	}
}

// The bound is on what is read, whether the length is told or not.
func TestH5AnswersAreBounded(t *testing.T) {
	for _, tc := range []struct {
		status int
		size   int
		fails  bool
	}{{200, maxAnswer, false}, {200, maxAnswer + 1, true}, {299, maxAnswer + 1, true}, {300, maxAnswer + 1, false}, {199, maxAnswer + 1, false}, {200, 0, false}} {
		for _, length := range []int64{-1, 0, int64(tc.size)} {
			resp := &http.Response{StatusCode: tc.status, ContentLength: length, Body: io.NopCloser(bytes.NewReader(make([]byte, tc.size)))}
			body, err := readAnswer(resp)
			assert.Equal(t, tc.fails, err != nil, "%d %d", tc.status, tc.size)
			if err == nil && tc.size <= maxAnswer {
				assert.Len(t, body, tc.size)
			} else {
				assert.Empty(t, body, "never cut and parsed")
			}
		}
	}
	for _, told := range []int64{-1 << 62, -2, 1, maxAnswer - 1, maxAnswer + 1, 1 << 62} { // nobody has to tell the truth
		body, err := readAnswer(&http.Response{StatusCode: 200, ContentLength: told, Body: io.NopCloser(iotest.OneByteReader(strings.NewReader("{ }")))})
		assert.NoError(t, err)
		assert.Equal(t, "{ }", string(body))
	}
	// A reader that stops at the bound is asked whether that is the end.
	_, err := readAnswer(&http.Response{StatusCode: 200, ContentLength: -1, Body: io.NopCloser(iotest.OneByteReader(bytes.NewReader(make([]byte, maxAnswer+1))))})
	assert.Error(t, err)
	body, err := readAnswer(&http.Response{StatusCode: 200})
	assert.NoError(t, err)
	assert.Empty(t, body)
	_, err = readAnswer(&http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{}))})
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// inside calls f with the client that oauth2 gets, and a host's transport.
func inside(t *testing.T, tokens Tokens, transport serve, f func(ctx context.Context, client *http.Client)) {
	t.Helper()
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: transport})
	_, err := tokens.request(ctx, asked{}, func(ctx context.Context, _ ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
		client, given := HostClient(ctx)
		require.True(t, given)
		f(ctx, client)
		return nil, nil
	})
	require.NoError(t, err)
}

func post(t *testing.T, ctx context.Context, address, form string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form))
	require.NoError(t, err)
	return req
}

const tokenURL = "https://idp.example.com/token"

func withHeader(value string) Tokens {
	config := oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: tokenURL}}
	return NewTokens(config, []check.Header{{Name: "x-key", Value: value}}, map[string]string{"x": "1"})
}

func fine(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func TestH3TheCallersRequestStaysAsItIs(t *testing.T) {
	tokens := withHeader("v")
	var sent *http.Request
	inside(t, tokens, func(r *http.Request) (*http.Response, error) {
		sent = r
		r.Header["X-Key"][0] = "changed" // as a host's transport may
		return fine(r)
	}, func(ctx context.Context, client *http.Client) {
		req := post(t, ctx, tokenURL, "a=b")
		resp, err := client.Do(req)
		require.NoError(t, err)
		_ = resp.Body.Close()
		assert.Equal(t, []string{"changed"}, sent.Header["X-Key"])
		assert.EqualValues(t, len("a=b&x=1"), sent.ContentLength)
		assert.Empty(t, req.Header)
		assert.EqualValues(t, len("a=b"), req.ContentLength)
	})
	assert.Equal(t, "v", tokens.headers.Get("X-Key"))
}

// The headers are for one URL, whatever else is asked with the client, which a
// host's transport finds in the context.
func TestH3HeadersGoToOneURL(t *testing.T) {
	seen := map[string]string{}
	inside(t, withHeader("blue"), func(r *http.Request) (*http.Response, error) {
		seen[r.URL.String()] = r.Header.Get("X-Key")
		return fine(r)
	}, func(ctx context.Context, client *http.Client) {
		for _, address := range []string{tokenURL, tokenURL + "?x", tokenURL + "s", "https://evil.test/token"} {
			resp, err := client.Do(post(t, ctx, address, ""))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
	})
	assert.Equal(t, map[string]string{tokenURL: "blue", tokenURL + "?x": "", tokenURL + "s": "", "https://evil.test/token": ""}, seen)
}

// A host's transport that logs its request's context logs nothing of ours.
func TestH8ContextPrintsNothing(t *testing.T) {
	inside(t, withHeader("SECRET"), fine, func(ctx context.Context, _ *http.Client) {
		below, cancel := context.WithCancel(ctx)
		defer cancel()
		assert.Equal(t, "upstream.Context", fmt.Sprint(ctx))
		assert.Equal(t, `"upstream.Context"`, fmt.Sprintf("%q", ctx))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t", "%x"} {
			for _, held := range []any{ctx, below, struct{ ctx any }{ctx}, []any{&ctx}} {
				text := fmt.Sprintf(verb, held)
				assert.NotContains(t, text, "SECRET", verb)
				assert.NotContains(t, text, fmt.Sprintf("%x", "SECRET"), verb)
			}
		}
	})
}

// A RoundTripper closes the body, also where it sends nothing.
func TestH7BodyIsClosedOnEarlyReturn(t *testing.T) {
	never := func(*http.Request) (*http.Response, error) {
		t.Error("nothing may be sent")
		return nil, io.EOF
	}
	inside(t, withHeader("v"), never, func(ctx context.Context, client *http.Client) {
		for name, getBody := range map[string]func() (io.ReadCloser, error){
			"no second reader": func() (io.ReadCloser, error) { return nil, io.ErrNoProgress },
			"a reader breaks":  func() (io.ReadCloser, error) { return io.NopCloser(failing{}), nil },
			"no form":          func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("%zz")), nil },
		} {
			req, body := post(t, ctx, tokenURL, ""), &closed{Reader: strings.NewReader("x")}
			req.Body, req.GetBody = body, getBody
			_, err := client.Transport.RoundTrip(req)
			assert.Error(t, err, name)
			assert.True(t, body.is, name)
		}
	})
}

type closed struct {
	io.Reader
	is bool
}

func (c *closed) Close() error { c.is = true; return nil }

// What a second reader gives in pieces is the form as well.
func TestB5FormInPieces(t *testing.T) {
	req := post(t, t.Context(), tokenURL, "")
	req.Body = http.NoBody
	req.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("a=1&"), strings.NewReader("b=2"), bytes.NewReader([]byte("&c=3")))), nil
	}
	form, err := formOf(req)
	require.NoError(t, err)
	assert.Equal(t, "a=1&b=2&c=3", form)
}

func TestE3DeviceAnswerOfNull(t *testing.T) {
	for body, want := range map[string]string{" null\n": "the answer holds no device_code", "{}": "the answer holds no device_code", "nul": "neither JSON"} {
		host := &http.Client{Transport: serve(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
		})}
		tokens := NewTokens(oauth2.Config{Endpoint: oauth2.Endpoint{DeviceAuthURL: "https://idp.example.com/device"}}, nil, nil)
		_, err := tokens.DeviceAuth(context.WithValue(t.Context(), oauth2.HTTPClient, host), nil)
		assert.ErrorContains(t, err, want, body)
	}
}
