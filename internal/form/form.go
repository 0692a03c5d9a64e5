// Package form owns where the parameters of a request stand that a browser brings:
// in the query of a GET, in the body of a POST, and never in both. It bounds what is
// read of them, and knows none of them: an application's /authorize request (OpenID
// Connect Core 3.1.2.1) and an identity provider's answer (OAuth 2.0 Form Post Response
// Mode) come in the same two ways, and are made of it by internal/incoming and
// internal/callback.
package form

import (
	"io"
	"mime"
	"net/http"
	"net/url"
)

// The bounds of a request (rule R1). No RFC has one; a server that reads what anybody
// sends needs one, and browsers and proxies stop at less.
const (
	MaxQuery = 32 << 10 // bytes of a query, undecoded
	MaxBody  = 64 << 10 // bytes of a body, or of the values of a form that the host has parsed
)

// LongQuery says that a query is longer than MaxQuery.
const LongQuery = "the query is longer than 32 KiB"

// Read gives the parameters of a GET, a POST or, where head says so, a HEAD: still
// encoded, or of a POST that the host has parsed, as it has parsed them. parsed is nil
// but for that. Of a POST the query is not looked at, and the body is consumed. No
// header is read but Content-Type. A problem is about the request as a whole.
func Read(r *http.Request, head bool) (raw string, parsed url.Values, problem string) {
	switch {
	case r == nil:
		return "", nil, "there is no request"
	case r.Method == http.MethodPost:
		return read(r)
	case r.Method != "" && r.Method != http.MethodGet && (r.Method != http.MethodHead || !head):
		return "", nil, "the method is neither GET nor POST"
	case r.URL == nil:
		return "", nil, ""
	case len(r.URL.RawQuery) > MaxQuery:
		return "", nil, LongQuery
	}
	return r.URL.RawQuery, nil, ""
}

// read reads a body. The type is insisted on, also of what the host has parsed: its
// ParseForm has read nothing of a body of another type, which would look like a
// request without parameters.
func read(r *http.Request) (raw string, parsed url.Values, problem string) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return "", nil, "the body of a POST must be application/x-www-form-urlencoded"
	}
	if r.PostForm != nil {
		return "", r.PostForm, ""
	}
	var body []byte
	if r.Body != nil {
		// One byte more than is taken, to tell the end from a cut.
		if body, err = io.ReadAll(io.LimitReader(r.Body, MaxBody+1)); err != nil {
			return "", nil, "the body cannot be read"
		}
	}
	if len(body) > MaxBody {
		return "", nil, "the body is longer than 64 KiB"
	}
	return string(body), nil, ""
}
