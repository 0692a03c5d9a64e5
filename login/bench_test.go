package login_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"example.com/upstream/login"
)

// A whole login without the network: both legs, a token answer, an ES256
// signature to verify.
func BenchmarkLogin(b *testing.B) {
	p := newIDP(b)
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		p.serve(w, r)
		return &http.Response{StatusCode: w.Code, Header: w.Header(), Body: io.NopCloser(strings.NewReader(w.Body.String())), Request: r}, nil
	})}
	ctx := context.WithValue(b.Context(), oauth2.HTTPClient, client)
	l := newLogin(b, p.connection(b), func(o *login.Options) { o.Store = &login.MemoryStore{Max: 1 << 30} })
	b.ReportAllocs()
	for b.Loop() {
		redirect, err := l.BeginLogin(ctx, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		u, _ := url.Parse(redirect.URL)
		answer := url.Values{"code": {"nonce:" + u.Query().Get("nonce")}, "state": u.Query()["state"]}
		r := httptest.NewRequest(http.MethodGet, callback+"?"+answer.Encode(), nil)
		r.AddCookie(redirect.Cookie)
		if _, err := l.Finish(httptest.NewRecorder(), r.WithContext(ctx)); err != nil {
			b.Fatal(err)
		}
	}
}

// The first leg alone.
func BenchmarkBegin(b *testing.B) {
	p := newIDP(b)
	l := newLogin(b, p.connection(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.BeginLogin(b.Context(), nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}
