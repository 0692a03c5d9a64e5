package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An operator learns from the log which connection served which application,
// the names of what went upstream and what did not, and how it ended; and
// nothing of who the user is, or what would let anybody in.
func TestLog(t *testing.T) {
	s := newStack(t)
	var secret []string
	plant := func(value string) string { secret = append(secret, value); return value }

	v := s.visitor()
	upstreamURL := v.begin(url.Values{
		"connection": {"corporate"}, "login_hint": {plant("planted@personal.example")}, "acr_values": {plant("planted-acr")},
		"prompt": {plant("planted-prompt")}, "max_age": {plant("424242")},
	})
	callback := v.logIn(upstreamURL)
	cookie := v.loginCookie(callback)
	s.hook(func(w http.ResponseWriter, r *http.Request, idp http.Handler) bool { // tokens of the IdP
		return jsonAnswer("/oauth/token", func(a map[string]any) {
			plant(a["access_token"].(string))
			plant(a["id_token"].(string))
		})(w, r, idp)
	})
	toApp := v.get(callback).next
	page := v.follow(toApp)
	require.Contains(t, page.body, "test-user@zitadel.ch")
	s.hook(nil)
	// Failures, on both legs and in the library's own words.
	v.get(callback)
	s.send(callback, cookie)
	s.send(callback, &http.Cookie{Name: cookie.Name, Value: plant("planted-cookie")})
	v.follow(s.app + "/login?connection=" + plant("planted-connection"))
	v.get(s.issuer + "/login?id=" + plant("planted-id"))
	v.get(s.issuer + "/login/callback/" + plant("planted-path") + "?state=" + plant("planted-state") + "&code=" + plant("planted-code"))
	for _, query := range []string{
		"client_id=" + plant("planted-client"),
		"client_id=planted-client&redirect_uri=" + s.app + "/callback&response_type=code&scope=openid",
		"client_id=sample-app&redirect_uri=" + plant("https://planted-redirect.example/") + "&response_type=code&scope=openid&state=" + plant("planted-app-state"),
		"client_id=sample-app&redirect_uri=" + s.app + "/callback&response_type=code&scope=openid&max_age=" + plant("planted-number"),
		"client_id=sample-app&redirect_uri=" + s.app + "/callback&response_type=code&scope=openid&state=planted-app-state&id_token_hint=" + plant("planted-hint"),
		"client_id=sample-app&redirect_uri=" + s.app + "/callback&response_type=planted&scope=openid&state=planted-app-state",
		"client_id=sample-app&redirect_uri=" + s.app + "/callback&response_type=code&scope=openid&state=planted-app-state&prompt=a&prompt=" + plant("planted-double"),
	} {
		v.get(s.issuer + "/authorize?" + query)
	}
	r, err := http.NewRequest(http.MethodPost, s.issuer+"/oauth/token", strings.NewReader("grant_type=authorization_code&code="+plant("planted-grant")))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("sample-app", plant("planted-wrong-secret"))
	v.do(r)
	v = s.visitor()
	callback2 := v.toCallback("corporate")
	v.get(with(t, callback2, map[string]string{"code": plant("planted-idp-code")}))
	v.ask("corporate", "client_id=sample-app&login_hint="+plant("planted-paste"))

	for _, address := range []string{upstreamURL, callback, toApp} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		for _, name := range []string{"state", "nonce", "code", "code_challenge"} {
			if value := u.Query().Get(name); value != "" {
				plant(value)
			}
		}
	}
	for _, r := range s.at("/oauth/token") {
		plant(r.form.Get("code_verifier"))
	}
	plant(cookie.Value)
	secret = append(secret, sampleApp.Secret, idpClientSecret, idpPartnerKey, "test-user", "zitadel.ch", "Test User", "id1", "verysecure")

	logs := s.logs.String() + s.libraryLogs.String()
	for _, value := range secret {
		require.NotEmpty(t, value)
		assert.NotContains(t, logs, value)
	}
	assert.NotEmpty(t, s.libraryLogs.String(), "the library's lines are among what was searched")
	assert.Contains(t, logs, `msg="login begins" leg=1 client=sample-app connection=corporate sent="[acr_values client_id code_challenge code_challenge_method display login_hint nonce redirect_uri response_type scope state ui_locales]" not_sent=[prompt] not_mapped=[max_age]`)
	assert.Contains(t, logs, `msg="login ends" leg=2 connection=corporate client=sample-app outcome="logged in"`)
	assert.Contains(t, logs, `error.step=state error.reason="this browser has not begun this login, or too long ago, or has ended it"`)
	assert.Contains(t, logs, `msg="login refused" leg=1 client=sample-app outcome="unknown connection"`)
	assert.Contains(t, logs, `outcome="malformed request" parameter=prompt`)
	assert.Contains(t, logs, `error.step=token error.reason="token endpoint: status 400, error invalid_grant"`)
}

// What goes wrong in a handler or in net/http shows, and shows no values.
func TestLog_Panic(t *testing.T) {
	defer slog.SetDefault(slog.Default())
	logs := &buffer{}
	slog.SetDefault(newLibraryLogger(logs)) // as run does
	mux := http.NewServeMux()
	mux.HandleFunc("GET /panic/{name}", func(http.ResponseWriter, *http.Request) { panic("planted value") })
	mux.HandleFunc("GET /nil/{name}", func(_ http.ResponseWriter, r *http.Request) { _ = *r.Response })
	mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /twice", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); w.WriteHeader(200) })
	address := freeAddresses(t, "127.0.0.1")[0]
	end, err := serve(address, mux, newLogger(logs), make(chan error, 1))
	require.NoError(t, err)
	defer end()

	for path, line := range map[string]string{
		"/panic/planted": `level=ERROR msg=panic route="GET /panic/{name}" at=example.com/upstream/examples/authserver.TestLog_Panic.func`,
		"/nil/planted":   `level=ERROR msg=panic route="GET /nil/{name}" at=example.com/upstream/examples/authserver.TestLog_Panic.func`,
		"/twice":         `level=ERROR msg="http: superfluous response.WriteHeader call`,
	} {
		resp, err := http.Get("http://" + address + path + "?code=planted")
		if err == nil {
			resp.Body.Close()
		}
		assert.Equal(t, path == "/twice", err == nil, "after a panic there is no answer")
		assert.Contains(t, logs.String(), line, path)
	}
	before := logs.String()
	_, err = http.Get("http://" + address + "/abort")
	assert.Error(t, err)
	assert.Equal(t, before, logs.String(), "is no fault")
	assert.NotContains(t, before, "planted")
}

// A tired listener is one that cannot accept just now.
type tiredListener struct {
	net.Listener
	tired atomic.Bool
}

func (l *tiredListener) Accept() (net.Conn, error) {
	if !l.tired.Swap(true) {
		return nil, syscall.EMFILE // too many open files
	}
	return l.Listener.Accept()
}

func TestLog_Accept(t *testing.T) {
	logs := &buffer{}
	s := httptest.NewUnstartedServer(nil)
	s.Config = newHTTPServer(http.NotFoundHandler(), newLogger(logs))
	s.Listener = &tiredListener{Listener: s.Listener}
	s.StartTLS()
	defer s.Close()
	_, err := http.Get(s.URL) // by a client that does not know the certificate
	assert.Error(t, err)
	for _, line := range []string{"http: Accept error: ", "http: TLS handshake error"} {
		assert.Eventually(t, func() bool { return strings.Contains(logs.String(), `level=ERROR msg="`+line) }, 5*time.Second, 5*time.Millisecond, line)
	}
}

// The demonstration's IdP leaves slog's default logger alone.
func TestIdPKeepsDefaultLogger(t *testing.T) {
	before := slog.New(slog.NewTextHandler(io.Discard, nil))
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(before)
	NewIdP("http://localhost:1", "key", nil)
	assert.Same(t, before, slog.Default())
}
