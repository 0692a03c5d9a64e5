package fetchscript_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
)

// inMemory answers every request with one body.
type inMemory string

func (b inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(b))), Request: r}, nil
}

func answering(ctx context.Context, body string) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: inMemory(body)})
}

const account = `{"account": {"uuid": "4f1c", "email": "ann@example.com"}}`

// BenchmarkWarm is a login with an engine that is ready.
func BenchmarkWarm(b *testing.B) {
	s, err := fetchscript.Compile(sample)
	if err != nil {
		b.Fatal(err)
	}
	ctx := answering(b.Context(), account)
	token, conn := &oauth2.Token{AccessToken: "AT-123456"}, &upstream.Connection{Name: "acme"}
	for b.Loop() {
		if _, err := s.Fetch(ctx, token, conn); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFresh is the same login with an engine that is started for it.
func BenchmarkFresh(b *testing.B) {
	ctx := answering(b.Context(), account)
	token, conn := &oauth2.Token{AccessToken: "AT-123456"}, &upstream.Connection{Name: "acme"}
	for b.Loop() {
		s, err := fetchscript.Compile(sample)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Fetch(ctx, token, conn); err != nil {
			b.Fatal(err)
		}
	}
}
