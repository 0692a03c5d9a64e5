package fetchscript_test

import (
	"testing"

	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
)

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

// BenchmarkParallel is BenchmarkWarm on all processors.
func BenchmarkParallel(b *testing.B) {
	s, err := fetchscript.Compile(sample)
	if err != nil {
		b.Fatal(err)
	}
	ctx := answering(b.Context(), account)
	token, conn := &oauth2.Token{AccessToken: "AT-123456"}, &upstream.Connection{Name: "acme"}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Fetch(ctx, token, conn); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkIsolated is the same login in a process that is ready.
func BenchmarkIsolated(b *testing.B) {
	s, err := fetchscript.Options{Isolation: isolation}.Compile(sample)
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
	s, err := fetchscript.Compile(sample)
	if err != nil {
		b.Fatal(err)
	}
	ctx := answering(b.Context(), account)
	token, conn := &oauth2.Token{AccessToken: "AT-123456"}, &upstream.Connection{Name: "acme"}
	for b.Loop() {
		fetchscript.DropIdle(s)
		if _, err := s.Fetch(ctx, token, conn); err != nil {
			b.Fatal(err)
		}
	}
}
