package integration

// What all tests share: a record of what reaches a server, the user's browser,
// and the auth server's side of a login.

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

const (
	callback     = "https://auth.example.com/login/callback"
	clientID     = "auth-server"
	clientSecret = "s3cret &+:%41=" // another one where it is not form-encoded on its way (RFC 6749 section 2.3.1)
)

// A call is a request as it came.
type call struct {
	Method, Path, Query string
	Header              http.Header
	Form                url.Values // of the body
}

// A site is a server that others wrote, with a record before its door.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call
}

// newSite starts what handler gives for the issuer http://localhost:PORT.
func newSite(t *testing.T, handler func(issuer string) http.Handler) *site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	s := &site{}
	issuer := "http://localhost:" + port
	s.Server = httptest.NewUnstartedServer(s.record(handler(issuer)))
	require.NoError(t, s.Listener.Close())
	s.Listener = listener
	s.Start()
	s.URL = issuer
	t.Cleanup(s.Close)
	return s
}

func (s *site) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		form, formErr := url.ParseQuery(string(body))
		if err != nil || formErr != nil {
			http.Error(w, "the body is no form", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.mu.Lock()
		s.calls = append(s.calls, call{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), form})
		s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func (s *site) all() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// seen gives the calls to a path, in their order.
func (s *site) seen(path string) []call {
	return slices.DeleteFunc(s.all(), func(c call) bool { return c.Path != path })
}

// newProvider makes a Provider of a connection's JSON.
func newProvider(t *testing.T, name, strategy string, options map[string]any) *upstream.Provider {
	t.Helper()
	data, err := json.Marshal(map[string]any{"name": name, "strategy": strategy, "options": options})
	require.NoError(t, err)
	conn, err := upstream.ParseConnection(data)
	require.NoError(t, err)
	provider, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	return provider
}

func newTransaction() upstream.Transaction {
	return upstream.Transaction{
		RedirectURI: callback, State: upstream.NewSecret(rand.Text()), Nonce: upstream.NewSecret(rand.Text()), CodeVerifier: upstream.NewSecret(oauth2.GenerateVerifier()),
	}
}

// authorizationURL is where the auth server sends the user whose application
// called /authorize with this query.
func authorizationURL(t *testing.T, p *upstream.Provider, query url.Values, tx upstream.Transaction) string {
	t.Helper()
	req, err := upstream.ParseAuthorizeQuery(query.Encode())
	require.NoError(t, err)
	target, err := p.AuthorizationURL(req, tx)
	require.NoError(t, err)
	return target
}

// A browser keeps cookies and follows redirects, but for the one to the
// callback: nobody listens there.
type browser struct{ http.Client }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// A page is where the browser has come to.
type page struct {
	status int
	at     *url.URL // its address
	body   string
	back   url.Values // what came to the callback, nil if the browser is not there
}

func (b *browser) visit(t *testing.T, target string) page {
	t.Helper()
	resp, err := b.Get(target)
	require.NoError(t, err)
	return arrive(t, resp)
}

func (b *browser) submit(t *testing.T, target string, form url.Values) page {
	t.Helper()
	resp, err := b.PostForm(target, form)
	require.NoError(t, err)
	return arrive(t, resp)
}

func arrive(t *testing.T, resp *http.Response) page {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	p := page{status: resp.StatusCode, at: resp.Request.URL, body: string(body)}
	if location, err := resp.Location(); err == nil && strings.HasPrefix(location.String(), callback) {
		p.back = location.Query()
	}
	return p
}

// code is what the auth server's callback takes from a login that went well.
func (p page) code(t *testing.T, tx upstream.Transaction) string {
	t.Helper()
	require.NotNil(t, p.back, "the browser is at %s (%d), not at the callback: %s", p.at, p.status, p.body)
	require.Empty(t, p.back["error"], "%s", p.back)
	require.Equal(t, tx.State.Reveal(), p.back.Get("state"))
	require.Len(t, p.back["code"], 1)
	return p.back.Get("code")
}

// assertRefused says that a token request was refused, and that the error keeps
// the secrets for itself.
func assertRefused(t *testing.T, err error, status int, code string) {
	t.Helper()
	var refusal *oauth2.RetrieveError
	if assert.ErrorAs(t, err, &refusal) {
		assert.Equal(t, status, refusal.Response.StatusCode)
		assert.Equal(t, code, refusal.ErrorCode)
		assert.NotContains(t, err.Error(), clientSecret)
		assert.NotContains(t, err.Error(), string(refusal.Body))
	}
}
