package fetchscript_test

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
)

// sample does what the documents' sample does, on their URL.
const sample = `
function fetchUserProfile(accessToken, context, callback) {
  request.get({
    url: 'https://auth.example.com/userinfo',
    headers: { 'Authorization': 'Bearer ' + accessToken }
  }, (failure, answer, text) => {
    if (failure) return callback(failure);
    if (answer.statusCode !== 200) return callback(new Error(text));
    let data;
    try {
      data = JSON.parse(text);
    } catch (notJSON) {
      return callback(new Error(text));
    }
    callback(null, { user_id: data.account.uuid, email: data.account.email });
  });
}
`

const (
	accessToken  = "AT-7f3a9c5d1e"
	clientSecret = "CS-0b2d4f6a8c"
)

// inMemory answers every request with one body.
type inMemory string

func (b inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(b))), Request: r}, nil
}

func answering(ctx context.Context, body string) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: inMemory(body)})
}

// An idp answers under any host name with what the test says, and keeps what it was sent.
type idp struct {
	server *httptest.Server
	mu     sync.Mutex
	seen   []seen
}

type seen struct {
	Method, Host, Path, Query, Body string
	Header                          http.Header
}

func newIDP(t testing.TB, handler http.HandlerFunc) *idp {
	p := &idp{}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.seen = append(p.seen, seen{r.Method, r.Host, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Clone()})
		p.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		handler(w, r)
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *idp) requests() []seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// toServer sends every request to the test's server, and keeps the host's name.
type toServer struct{ address *url.URL }

func (t toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	sent.Host = r.URL.Host
	sent.URL.Scheme, sent.URL.Host = t.address.Scheme, t.address.Host
	return http.DefaultTransport.RoundTrip(sent)
}

func (p *idp) context(ctx context.Context) context.Context {
	address, _ := url.Parse(p.server.URL)
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: toServer{address}})
}

// echo answers with what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	query := map[string]string{}
	for name := range r.URL.Query() {
		query[name] = r.URL.Query().Get(name)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Trace", "t1")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "u1", "method": r.Method, "path": r.URL.Path, "query": query, "raw": r.URL.RawQuery, "body": string(body), "host": r.Host,
		"authorization": r.Header.Get("Authorization"), "type": r.Header.Get("Content-Type"), "accept": r.Header.Get("Accept"), "custom": r.Header.Get("X-Custom"),
	})
}

func connection() *upstream.Connection {
	return &upstream.Connection{Name: "acme", Strategy: "oauth2", Options: upstream.Options{
		ClientID: "client-1", ClientSecret: upstream.NewSecret(clientSecret), AuthorizationURL: "https://idp.example.com/authorize", TokenURL: "https://idp.example.com/token",
	}}
}

func token(extra map[string]any) *oauth2.Token {
	return (&oauth2.Token{AccessToken: accessToken, TokenType: "Bearer"}).WithExtra(extra)
}

// fetch runs a script once, with all the time that it wants where o says nothing of it.
func fetch(t testing.TB, ctx context.Context, o fetchscript.Options, source string, tok *oauth2.Token) (*upstream.Profile, error) {
	t.Helper()
	o.CPU, o.Timeout = cmp.Or(o.CPU, slow.CPU), cmp.Or(o.Timeout, slow.Timeout)
	s, err := o.Compile(source)
	require.NoError(t, err)
	return s.Fetch(ctx, tok, connection())
}

// result runs a script that gives {user_id, out} and returns out as a JSON text.
func result(t testing.TB, ctx context.Context, source string, tok *oauth2.Token) string {
	t.Helper()
	p, err := fetch(t, ctx, fetchscript.Options{}, source, tok)
	require.NoError(t, err)
	return string(p.Extra["out"])
}

// children gives the processes that this one has started.
func children(t *testing.T) []string {
	me := strconv.Itoa(os.Getpid())
	files, err := filepath.Glob("/proc/[0-9]*/stat") // none where there is no /proc
	require.NoError(t, err)
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 1 && fields[1] == me && fields[0] != "Z" {
			all = append(all, filepath.Dir(file))
		}
	}
	return all
}
