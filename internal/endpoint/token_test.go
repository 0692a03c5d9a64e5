package endpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

type serve func(*http.Request) (*http.Response, error)

func (f serve) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answered gives what oauth2 would read of an answer, and what was sent.
func answered(t *testing.T, form TokenForm, sent string, status int, kind, body string) (read, got string, err error) {
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
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://idp.example.com/token", strings.NewReader(sent))
	require.NoError(t, err)
	resp, err := TokenClient(ctx, "", nil, nil, form).Do(req)
	if err != nil {
		return "", got, Cause(err)
	}
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text), got, resp.Body.Close()
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
		read, _, err := answered(t, TokenForm{}, "grant_type=x", tc.status, tc.kind, tc.body)
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
		form       TokenForm
		sent, want string
		read       string
	}{
		{"as it is", TokenForm{}, "grant_type=x&b=%20", "grant_type=x&b=%20", `{"a":1}`},
		{"static", TokenForm{Static: static}, "code=c&grant_type=x", "audience=own&code=c&grant_type=x&x=1", `{"a":1}`},
		{"repeated, above static", TokenForm{Static: static, Repeat: repeat}, "code=c", "audience=again&code=c&resource=r+2&x=1", ""},
		{"what the request has", TokenForm{}, "code=c&resource=https%3A%2F%2Fr", "code=c&resource=https%3A%2F%2Fr", `{"a":1,"upstream_resource":"https://r"}`},
		{"an audience", TokenForm{}, "audience=me", "audience=me", `{"a":1,"upstream_audience":"me"}`},
		{"wins over both", TokenForm{Static: static, Repeat: url.Values{"audience": {"again"}}}, "audience=me&code=c", "audience=me&code=c&x=1", `{"a":1,"upstream_audience":"me"}`},
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
	read, _, err := answered(t, TokenForm{}, "resource=r%2F", 200, "text/plain", "access_token=a")
	require.NoError(t, err)
	assert.Equal(t, "access_token=a&upstream_resource=r%2F", read)
	_, _, err = answered(t, TokenForm{Static: static}, "a=%zz", 200, "", "{}")
	assert.Error(t, err)
	assert.Nil(t, Repeat(func(string) any { return nil }))
	assert.Equal(t, url.Values{"audience": {"b"}}, Repeat(func(name string) any { return map[string]any{"upstream_audience": "b", "upstream_resource": 1}[name] }))
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
	body, err := readAnswer(&http.Response{StatusCode: 200})
	assert.NoError(t, err)
	assert.Empty(t, body)
	_, err = readAnswer(&http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{}))})
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
