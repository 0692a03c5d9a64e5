package form

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
)

const kind = "application/x-www-form-urlencoded"

func get(method, query string) *http.Request {
	return &http.Request{Method: method, URL: &url.URL{RawQuery: query}}
}

func post(kind string, body io.Reader, parsed url.Values) *http.Request {
	r := get("POST", "a=query")
	r.Header, r.Body, r.PostForm = http.Header{"Content-Type": {kind}}, io.NopCloser(body), parsed
	return r
}

func TestR1WhereTheParametersAre(t *testing.T) {
	body := strings.NewReader
	for _, tc := range []struct {
		name    string
		r       *http.Request
		raw     string
		parsed  url.Values
		problem string
	}{
		{"GET", get("GET", "a=%zz"), "a=%zz", nil, ""},
		{"HEAD", get("HEAD", "a"), "a", nil, ""},
		{"no method is GET", get("", "a"), "a", nil, ""},
		{"no URL", &http.Request{}, "", nil, ""},
		{"nothing", nil, "", nil, "there is no request"},
		{"another method", get("PUT", "a"), "", nil, "the method is neither GET nor POST"},
		{"methods are as they are written", get("post", "a"), "", nil, "the method is neither GET nor POST"},
		{"32 KiB", get("GET", strings.Repeat("a", 32<<10)), strings.Repeat("a", 32<<10), nil, ""},
		{"and a byte", get("GET", strings.Repeat("a", 32<<10+1)), "", nil, LongQuery},
		{"POST", post(kind+"; charset=utf-8", body("a=%zz"), nil), "a=%zz", nil, ""},
		{"an empty body", post(kind, body(""), nil), "", nil, ""},
		{"no body", &http.Request{Method: "POST", Header: http.Header{"Content-Type": {kind}}}, "", nil, ""},
		{"64 KiB", post(kind, body(strings.Repeat("a", 64<<10)), nil), strings.Repeat("a", 64<<10), nil, ""},
		{"and a byte of body", post(kind, body(strings.Repeat("a", 64<<10+1)), nil), "", nil, "the body is longer than 64 KiB"},
		{"broken", post(kind, iotest.ErrReader(errors.New("secret")), nil), "", nil, "the body cannot be read"},
		{"parsed", post(kind, body("b"), url.Values{"a": {"b"}}), "", url.Values{"a": {"b"}}, ""},
		{"parsed, and nothing in it", post(kind, body("b"), url.Values{}), "", url.Values{}, ""},
		{"another kind", post("text/plain", body("a"), nil), "", nil, "the body of a POST must be " + kind},
		{"parsed as another kind", post("text/plain", body("a"), url.Values{}), "", nil, "the body of a POST must be " + kind},
		{"a bad kind", post(kind+";;=", body("a"), nil), "", nil, "the body of a POST must be " + kind},
	} {
		raw, parsed, problem := Read(tc.r, true)
		assert.Equal(t, tc.raw, raw, tc.name)
		assert.Equal(t, tc.parsed, parsed, tc.name)
		assert.Equal(t, tc.problem, problem, tc.name)
	}
	_, _, problem := Read(get("HEAD", ""), false)
	assert.Equal(t, "the method is neither GET nor POST", problem, "where nobody wants it")
}
