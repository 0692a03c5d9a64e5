package upstream_test

// Real servers and transports for the tests of what goes to identity providers.

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A call is a request as a server has seen it.
type call struct {
	Method, Path string
	Header       http.Header
	Form         url.Values // of the body
	Text         string     // everything that was sent, for a search
}

// A site is a server that remembers what it was asked.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call
}

func newSite(t *testing.T, answer http.HandlerFunc) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		header, _ := json.Marshal(r.Header)
		s.mu.Lock()
		s.calls = append(s.calls, call{
			r.Method, r.URL.Path, r.Header.Clone(), form,
			r.URL.String() + "\n" + string(header) + "\n" + string(body),
		})
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) all() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *site) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

// seen gives the calls to a path, in their order.
func (s *site) seen(path string) []call {
	var calls []call
	for _, c := range s.all() {
		if c.Path == path {
			calls = append(calls, c)
		}
	}
	return calls
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// raw answers with bytes that net/http would not send, and drops the line.
func raw(text string, linger bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, text)
		if tcp, ok := conn.(*net.TCPConn); ok && !linger {
			_ = tcp.SetLinger(0) // closes with RST
		}
		_ = conn.Close()
	}
}

// hang sends what it is given and then nothing until the client goes away.
func hang(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if text != "" {
			_, _ = io.WriteString(w, text)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, " ")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Millisecond)
	}
}

func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	zip := gzip.NewWriter(w)
	_, _ = zip.Write(bytes.Repeat([]byte(" "), 8<<20))
	_ = zip.Close()
}

func endless(w http.ResponseWriter, r *http.Request) {
	chunk := bytes.Repeat([]byte("SECRET "), 1<<12)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// roundTripper is the host's own transport: a real one that counts.
type roundTripper struct{ n atomic.Int32 }

func (r *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	r.n.Add(1)
	return http.DefaultTransport.RoundTrip(req)
}
