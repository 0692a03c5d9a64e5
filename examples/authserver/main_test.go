package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	exampleclients "github.com/zitadel/oidc/v3/example/server/storage"

	"example.com/upstream/login/sqlstore"
)

// freeAddresses gives addresses that nobody listens on just now, one for each name.
func freeAddresses(t *testing.T, names ...string) (out []string) {
	for _, name := range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close() // once all are found, so that none comes twice
		_, port, _ := net.SplitHostPort(l.Addr().String())
		out = append(out, name+":"+port)
	}
	return out
}

// start runs the whole program, as main does, on free ports.
func start(t *testing.T, change ...func(*options)) (o options, out *buffer) {
	free := freeAddresses(t, "127.0.0.1", "127.0.0.1", "localhost", "localhost")
	o = options{auth: free[0], operator: free[1], idp: free[2], app: free[3], connections: t.TempDir(), database: filepath.Join(t.TempDir(), "auth.db")}
	files, err := filepath.Glob("connections/*.json")
	require.NoError(t, err)
	for _, path := range files {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		content = []byte(strings.ReplaceAll(string(content), "localhost:8081", o.idp))
		require.NoError(t, os.WriteFile(filepath.Join(o.connections, filepath.Base(path)), content, 0o600))
	}
	for _, c := range change {
		c(&o)
	}
	before := slog.Default()
	ctx, stop := context.WithCancel(context.Background())
	out = &buffer{}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, o, out, io.Discard) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
		slog.SetDefault(before)
	})
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "operator") || len(ended) > 0 }, 10*time.Second, 10*time.Millisecond)
	return o, out
}

func TestRun(t *testing.T) {
	o, out := start(t)
	assert.Contains(t, out.String(), "open http://"+o.app+"/ ")
	s := &stack{t: t, app: "http://" + o.app, issuer: "http://" + o.auth, idp: "http://" + o.idp, operator: "http://" + o.operator}
	v := s.visitor()
	assert.Contains(t, v.follow(v.toCallback("corporate")).body, "oidc|corporate|id1")
	assert.Contains(t, v.get(s.operator+"/connections").body, "partner")

	// The ports are taken now.
	assert.Error(t, run(t.Context(), o, io.Discard, io.Discard))
	o.connections += "-gone"
	assert.Error(t, run(t.Context(), o, io.Discard, io.Discard))
}

// Without an identity provider of its own the program connects to public addresses
// alone: a connection that leads to this machine is not followed.
func TestRun_PublicOnly(t *testing.T) {
	asked := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("was asked") }))
	defer asked.Close()
	o, _ := start(t, func(o *options) {
		path := filepath.Join(o.connections, "corporate.json")
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "http://"+o.idp, asked.URL)), 0o600))
		o.idp = ""
	})
	s := &stack{t: t, app: "http://" + o.app, issuer: "http://" + o.auth}
	v := s.visitor()
	begun := v.follow(s.app+"/login?connection=corporate", asked.URL)
	state, err := url.Parse(begun.next)
	require.NoError(t, err)
	answer := url.Values{"code": {"a"}, "state": {state.Query().Get("state")}, "iss": {asked.URL}}
	assert.Contains(t, v.get(s.issuer+callbackPath("corporate")+"?"+answer.Encode()).next, "error=server_error")
}

// Connections that the database has, imported and served.
func TestRun_Database(t *testing.T) {
	o, _ := start(t, func(o *options) { o.imported, o.connections = o.connections, "" })
	s := &stack{t: t, app: "http://" + o.app, issuer: "http://" + o.auth, idp: "http://" + o.idp, operator: "http://" + o.operator}
	v := s.visitor()
	assert.Contains(t, v.follow(v.toCallback("corporate")).body, "oidc|corporate|id1")
	assert.Contains(t, section(v.get(s.operator+"/connections/corporate/explain").body, "history"), "import")
}

// All providers of a process share their endpoints' paths. Whatever another one
// has set, the auth server tells its own.
func TestSharedEndpoints(t *testing.T) {
	issuer := "http://127.0.0.1:1"
	exampleop.SetupServer("http://localhost:1", storageOfExample(), nil, false)
	store, err := sqlstore.Open(t.Context(), ":memory:", nil)
	require.NoError(t, err)
	defer store.Close()
	s, err := NewServer(t.Context(), Config{Issuer: issuer, Store: store, Source: Folder(t.TempDir()), Log: newLogger(io.Discard), Now: time.Now})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, issuer+"/.well-known/openid-configuration", nil))
	assert.Contains(t, w.Body.String(), `"authorization_endpoint":"`+issuer+`/authorize"`)
}

func storageOfExample() *exampleclients.Storage {
	return exampleclients.NewStorageWithClients(exampleclients.NewUserStore("http://localhost:1"), nil)
}

func TestNewServerRefusals(t *testing.T) {
	for _, issuer := range []string{"", "auth.example.com", "https://auth.example.com/", "https://auth.example.com?a", "https://auth.example.com/x"} {
		_, err := NewServer(t.Context(), Config{Issuer: issuer, Now: time.Now})
		assert.Error(t, err, issuer)
	}
}
