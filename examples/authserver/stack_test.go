package main

// This file owns what the tests stand on: all servers on real sockets, and a
// visitor who walks through a login redirect by redirect. It must not judge.

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login/sqlstore"
)

// A buffer collects log lines from many goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }
func (b *buffer) String() string              { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// A clock can be put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// A transport counts what goes through it, by path.
type transport struct {
	mu    sync.Mutex
	paths map[string]int
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	t.paths[r.URL.Path]++
	t.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

func (t *transport) count(path string) int { t.mu.Lock(); defer t.mu.Unlock(); return t.paths[path] }

// A seen request is one that reached the IdP.
type seen struct {
	path   string
	header http.Header
	query  url.Values
	form   url.Values
}

// A stack is everything that the program starts, with two replicas of the auth
// server that take turns at its address, request by request.
type stack struct {
	t                          *testing.T
	app, issuer, operator, idp string // addresses
	folder                     string
	replicas                   []*Server
	clock                      *clock
	logs, libraryLogs          *buffer
	asked                      *transport                   // of the auth server, for the IdP
	front                      atomic.Pointer[http.Handler] // answers at the auth server's address instead of the replicas

	mu   sync.Mutex
	seen []seen
	// idpHook may answer in the IdP's place; it reports whether it has.
	idpHook func(w http.ResponseWriter, r *http.Request, idp http.Handler) bool
}

var sampleApp = Client{ID: "sample-app", Name: "Sample application", Secret: "planted-app-secret"}

// patience is for what must end some time, on a machine of any speed.
const patience = 5 * time.Minute

// server starts an HTTP server whose handler is known later. It answers under
// the given name, localhost or 127.0.0.1.
func server(t *testing.T, name string) (address string, start func(http.Handler)) {
	s := httptest.NewUnstartedServer(nil)
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	return "http://" + name + ":" + port, func(h http.Handler) {
		s.Config.Handler = h
		s.Start()
		t.Cleanup(s.Close)
	}
}

func newStack(t *testing.T) *stack { return newStackOn(t, filepath.Join(t.TempDir(), "auth.db")) }

// newStackOn makes one whose replicas share a database.
func newStackOn(t *testing.T, database string) *stack {
	s := &stack{t: t, folder: t.TempDir(), clock: &clock{}, logs: &buffer{}, libraryLogs: &buffer{}, asked: &transport{paths: map[string]int{}}}
	before := slog.Default()
	slog.SetDefault(newLibraryLogger(s.libraryLogs))
	t.Cleanup(func() { slog.SetDefault(before) })

	var startAuth, startIdP, startApp, startOperator func(http.Handler)
	s.issuer, startAuth = server(t, "127.0.0.1")
	s.operator, startOperator = server(t, "127.0.0.1")
	s.idp, startIdP = server(t, "localhost")
	s.app, startApp = server(t, "localhost")

	files, err := filepath.Glob("connections/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		s.write(filepath.Base(path), strings.ReplaceAll(string(content), "http://localhost:8081", s.idp))
	}

	idp := NewIdP(s.idp, idpPartnerKey, []IdPClient{{"auth-server", idpClientSecret, []string{
		s.issuer + callbackPath("corporate"), s.issuer + callbackPath("partner"), s.issuer + callbackPath("members"), s.issuer + callbackPath("sales"),
	}}})
	startIdP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.seen = append(s.seen, seen{r.URL.Path, r.Header.Clone(), r.URL.Query(), form})
		hook := s.idpHook
		s.mu.Unlock()
		if hook == nil || !hook(w, r, idp) {
			idp.ServeHTTP(w, r)
		}
	}))

	client := sampleApp
	client.RedirectURIs, client.Home = []string{s.app + "/callback"}, s.app+"/"
	for range 2 {
		store, err := sqlstore.Open(t.Context(), database, s.clock.Now)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, store.Close()) })
		replica, err := NewServer(t.Context(), Config{
			Issuer: s.issuer, Store: store, Clients: []Client{client}, Source: Folder(s.folder),
			Client: &http.Client{Transport: s.asked, Timeout: patience}, Log: newLogger(s.logs), Now: s.clock.Now,
		})
		require.NoError(t, err)
		s.replicas = append(s.replicas, replica)
	}
	handlers := []http.Handler{s.replicas[0].Handler(), s.replicas[1].Handler()}
	var turn atomic.Int64
	startAuth(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if front := s.front.Load(); front != nil {
			(*front).ServeHTTP(w, r)
			return
		}
		handlers[turn.Add(1)%2].ServeHTTP(w, r)
	}))
	startOperator(s.replicas[0].Operator(strings.TrimPrefix(s.operator, "http://")))
	startApp(NewApp(s.app, s.issuer, client, nil).Handler())
	return s
}

// write writes a file of the folder; reload makes all replicas look.
func (s *stack) write(name, content string) {
	require.NoError(s.t, os.WriteFile(filepath.Join(s.folder, name), []byte(content), 0o600))
}

func (s *stack) reload() {
	for _, r := range s.replicas {
		require.NoError(s.t, r.Connections.Reload(s.t.Context()))
	}
}

// edit changes a connection's file by replacing text that must be there.
func (s *stack) edit(name, old, new string) {
	content, err := os.ReadFile(filepath.Join(s.folder, name))
	require.NoError(s.t, err)
	require.Contains(s.t, string(content), old)
	s.write(name, strings.Replace(string(content), old, new, 1))
	s.reload()
}

func (s *stack) hook(h func(w http.ResponseWriter, r *http.Request, idp http.Handler) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idpHook = h
}

// at gives the requests that the IdP got at a path.
func (s *stack) at(path string) (out []seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.seen {
		if r.path == path {
			out = append(out, r)
		}
	}
	return out
}

// A visitor is a browser that stops before each redirect.
type visitor struct {
	*stack
	client *http.Client
}

func (s *stack) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &visitor{s, &http.Client{
		Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A reply is what the visitor got.
type reply struct {
	status int
	header http.Header
	body   string
	url    string // that was asked
	next   string // where a redirect leads, "" for none
}

func (v *visitor) do(r *http.Request) reply {
	resp, err := v.client.Do(r)
	require.NoError(v.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(v.t, err)
	out := reply{status: resp.StatusCode, header: resp.Header, body: string(body), url: r.URL.String()}
	if location, err := resp.Location(); err == nil {
		out.next = location.String()
	}
	return out
}

func (v *visitor) get(address string) reply {
	r, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(v.t, err)
	return v.do(r)
}

func (v *visitor) post(address string, form url.Values) reply {
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	require.NoError(v.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// follow goes on until the next address begins with one of the prefixes, or
// there is no next address.
func (v *visitor) follow(address string, until ...string) reply {
	for range 12 {
		r := v.get(address)
		if r.next == "" {
			return r
		}
		for _, prefix := range until {
			if strings.HasPrefix(r.next, prefix) {
				return r
			}
		}
		address = r.next
	}
	v.t.Fatal("the redirects do not end")
	return reply{}
}

// begin starts at the application and gives the upstream URL.
func (v *visitor) begin(params url.Values) string {
	r := v.follow(v.app+"/login?"+params.Encode(), v.idp)
	require.NotEmpty(v.t, r.next, "no redirect to the IdP: %d %s", r.status, r.body)
	return r.next
}

// logIn goes to the upstream URL, logs in there, and gives the callback's.
func (v *visitor) logIn(upstreamURL string) string {
	page := v.follow(upstreamURL, v.issuer)
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page.body)
	require.NotNil(v.t, id, "no login page at the IdP: %d %s", page.status, page.body)
	r := v.post(v.idp+"/login/username", url.Values{"username": {"test-user@localhost"}, "password": {"verysecure"}, "id": {id[1]}})
	require.NotEmpty(v.t, r.next, r.body)
	r = v.follow(r.next, v.issuer)
	require.NotEmpty(v.t, r.next, r.body)
	return r.next
}

// toCallback does both, for a test that is about the second leg.
func (v *visitor) toCallback(connection string) string {
	return v.logIn(v.begin(url.Values{"connection": {connection}}))
}

// cookies gives what the visitor would send to an address.
func (v *visitor) cookies(address string) []*http.Cookie {
	u, err := url.Parse(address)
	require.NoError(v.t, err)
	return v.client.Jar.Cookies(u)
}

// send makes a request with cookies of the test's choice, by nobody's browser.
func (s *stack) send(address string, cookies ...*http.Cookie) reply {
	v := s.visitor()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(s.t, err)
	for _, c := range cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return v.do(r)
}

// with changes parameters of an address; "" takes one away.
func with(t *testing.T, address string, change map[string]string) string {
	u, err := url.Parse(address)
	require.NoError(t, err)
	query := u.Query()
	for name, value := range maps.All(change) {
		if query.Del(name); value != "" {
			query.Set(name, value)
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}
