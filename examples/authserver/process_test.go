package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/pgtest"
	"example.com/upstream/login/sqlstore"
)

// replicaVariable makes the test's program one replica of the auth server. It
// holds the issuer, the database, the folder of connections and the address of
// the application, one a line.
const replicaVariable = "AUTHSERVER_TEST_REPLICA"

func TestMain(m *testing.M) {
	if setting := os.Getenv(replicaVariable); setting != "" {
		if err := replica(strings.Split(setting, "\n"), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// replica serves until its standard input ends, and says where.
func replica(setting []string, in io.Reader, out io.Writer) error {
	ctx := contextUntilEOF(in)
	store, err := sqlstore.Open(ctx, setting[1], nil)
	if err != nil {
		return err
	}
	defer store.Close()
	client := sampleApp
	client.RedirectURIs = []string{setting[3] + "/callback"}
	server, err := NewServer(ctx, Config{
		Issuer: setting[0], Store: store, Clients: []Client{client}, Source: Folder(setting[2]),
		Client: &http.Client{Timeout: upstreamTimeout}, Log: newLogger(io.Discard), Now: time.Now,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, listener.Addr())
	go func() { _ = http.Serve(listener, server.Handler()) }()
	<-ctx.Done()
	return nil
}

// A process is a replica that runs by itself.
type process struct {
	t       *testing.T
	command *exec.Cmd
	handler http.Handler // leads to it
}

// process starts one more replica over the stack's database.
func (s *stack) process(database string) *process {
	own, err := os.Executable()
	require.NoError(s.t, err)
	p := &process{t: s.t, command: exec.Command(own)}
	p.command.Env = append(os.Environ(), replicaVariable+"="+strings.Join([]string{s.issuer, database, s.folder, s.app}, "\n"))
	p.command.Stderr = os.Stderr
	in, err := p.command.StdinPipe()
	require.NoError(s.t, err)
	out, err := p.command.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, p.command.Start())
	s.t.Cleanup(func() { _ = in.Close(); _ = p.command.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(s.t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: strings.TrimSpace(address)})
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p.handler = proxy
	return p
}

// kill ends it as a loss of power would.
func (p *process) kill() {
	require.NoError(p.t, p.command.Process.Kill())
	_ = p.command.Wait()
}

func (s *stack) serveBy(p *process) { s.front.Store(&p.handler) }

// onEach runs a test over both databases.
func onEach(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "auth.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, pgtest.Start(t)) })
}

// A login that begins at one process ends at another, and its code is redeemed at
// either.
func TestProcesses_Login(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := newStackOn(t, database)
		a, b := s.process(database), s.process(database)
		v := s.visitor()
		s.serveBy(a)
		begun := v.begin(url.Values{"connection": {"corporate"}})
		s.serveBy(b)
		toApp := v.get(v.logIn(begun)).next
		require.Contains(t, toApp, s.app+"/callback?code=")
		s.serveBy(a)
		assert.Contains(t, v.follow(toApp).body, "oidc|corporate|id1", "signed by one, checked with the keys of the other")
	})
}

// A process that is killed takes no login with it: neither one that is at the
// identity provider, nor a code that is on its way, nor a session.
func TestProcesses_Killed(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := newStackOn(t, database)
		a, b := s.process(database), s.process(database)
		v, other := s.visitor(), s.visitor()
		s.serveBy(a)
		callback := v.logIn(v.begin(url.Values{"connection": {"corporate"}}))
		otherCallback := other.toCallback("corporate")
		toApp := v.get(callback).next
		require.Contains(t, toApp, s.app+"/callback?code=")
		a.kill()
		assert.Equal(t, http.StatusBadGateway, v.get(s.issuer+"/keys").status, "it is gone")
		s.serveBy(b)
		assert.Contains(t, v.follow(toApp).body, "oidc|corporate|id1", "the code")
		assert.Contains(t, other.follow(otherCallback).body, "oidc|corporate|id1", "the login")
		asked := len(s.at("/authorize"))
		v.get(s.app + "/again")
		assert.Contains(t, v.follow(s.app+"/login").body, "oidc|corporate|id1", "the session")
		assert.Len(t, s.at("/authorize"), asked, "nobody was sent to the identity provider")
		s.refused(s.visitor().get(callback), "")
	})
}

// Killed between the identity provider's answer and the code for the application,
// while it asks for the token: the user begins again, and the answer that was under
// way buys nothing more.
func TestProcesses_KilledAtTheToken(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := newStackOn(t, database)
		a, b := s.process(database), s.process(database)
		v := s.visitor()
		s.serveBy(a)
		callback := v.toCallback("corporate")
		cookie := v.loginCookie(callback)
		asked, answer := make(chan struct{}), make(chan struct{})
		s.hook(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if r.URL.Path == "/oauth/token" {
				close(asked)
				<-answer
				return true
			}
			return false
		})
		done := make(chan reply, 1)
		go func() { done <- s.send(callback, cookie) }()
		<-asked
		a.kill()
		s.hook(nil)
		close(answer)
		assert.Equal(t, http.StatusBadGateway, (<-done).status)
		s.serveBy(b)
		assert.Equal(t, http.StatusBadRequest, s.send(callback, cookie).status, "spent, and that was written down before the token was asked for")
		v = s.visitor()
		assert.Contains(t, v.follow(v.toCallback("corporate")).body, "oidc|corporate|id1")
	})
}

// Of eight who bring the same answer at once, to two processes, one gets a code.
func TestProcesses_Races(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := newStackOn(t, database)
		processes := []*process{s.process(database), s.process(database)}
		s.serveBy(processes[0])
		for range 10 { // login/sqlstore's own test has 300 races of its statement
			v := s.visitor()
			callback := v.toCallback("corporate")
			cookie := v.loginCookie(callback)
			var wait sync.WaitGroup
			codes := make(chan string, 8)
			for i := range 8 {
				front := processes[i%2].handler
				wait.Go(func() {
					server := &recorder{header: http.Header{}}
					r, _ := http.NewRequest(http.MethodGet, callback, nil)
					r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
					front.ServeHTTP(server, r)
					if strings.Contains(server.header.Get("Location"), "code=") {
						codes <- server.header.Get("Location")
					}
				})
			}
			wait.Wait()
			assert.Len(t, codes, 1)
		}
	})
}

// A recorder keeps the head of an answer.
type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(p []byte) (int, error) { return len(p), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }

// contextUntilEOF gives a context that ends when nobody holds the other end.
func contextUntilEOF(in io.Reader) context.Context {
	ctx, stop := context.WithCancel(context.Background())
	go func() { _, _ = io.Copy(io.Discard, in); stop() }()
	return ctx
}
