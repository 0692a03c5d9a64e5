// Github is the /authorize endpoint of an auth server that sends users on to
// GitHub. The application's login_hint reaches GitHub as its parameter login.
// The server keeps what it needs at GitHub's callback under a state of its own,
// and a malformed request becomes an OAuth error response.
//
// The program sends the endpoint three requests in process and prints what it
// answers; nothing goes over the network.
package main

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"example.com/upstream"
)

//go:embed connection.json
var file []byte

const (
	callback = "https://auth.example.com/login/callback" // as registered at GitHub
	lifetime = 10 * time.Minute                          // of a login, from here to the callback
)

func main() {
	log.SetFlags(0)
	if err := run(os.Stdout, rand.Text); err != nil {
		log.Fatal(err)
	}
}

// A server is safe for concurrent use: one Provider serves all logins.
type server struct {
	applications map[string]string     // the redirect URI of each client id, without a query
	connections  map[string]connection // by name
	newState     func() string

	mu     sync.Mutex
	logins map[string]login // by state
}

type connection struct {
	provider *upstream.Provider
	clients  []string // the applications that may use it
}

// A login is what the callback needs to finish it and go back to the application.
type login struct {
	provider *upstream.Provider
	request  *upstream.AuthorizeRequest
	begun    time.Time
}

func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	// No error goes to an address that the application has not registered (RFC
	// 6749 section 4.1.2.1). This comes first, because a malformed request has
	// to be answered too; url.Values is good enough to find a registered pair.
	query := r.URL.Query()
	application := s.applications[query.Get("client_id")]
	if application == "" || application != query.Get("redirect_uri") {
		http.Error(w, "unknown client_id or redirect_uri", http.StatusBadRequest)
		return
	}
	refuse := func(code, description string) {
		answer := url.Values{"error": {code}, "error_description": {description}}
		if state := query.Get("state"); state != "" {
			answer.Set("state", state)
		}
		http.Redirect(w, r, application+"?"+answer.Encode(), http.StatusFound)
	}

	req, err := upstream.ParseAuthorizeRequest(r)
	if err != nil {
		var bad *upstream.RequestError
		errors.As(err, &bad) // a GET fails with no other error
		refuse(bad.Code, bad.Description)
		return
	}
	if req.ResponseType != "code" {
		refuse("unsupported_response_type", "response_type must be code")
		return
	}
	conn := s.connections[req.Connection]
	if !slices.Contains(conn.clients, req.ClientID) { // one answer, so that nobody learns which connections exist
		refuse("invalid_request", "unknown connection")
		return
	}

	state := s.newState() // the application's own state stays here
	target, err := conn.provider.AuthorizationURL(req, upstream.Transaction{RedirectURI: callback, State: upstream.NewSecret(state)})
	if err != nil {
		refuse("server_error", "the login cannot begin")
		return
	}
	s.mu.Lock()
	maps.DeleteFunc(s.logins, func(_ string, l login) bool { return time.Since(l.begun) > lifetime }) // nobody came back
	s.logins[state] = login{conn.provider, req, time.Now()}
	s.mu.Unlock()
	// The callback looks for the cookie of the state that comes back, so that
	// nobody can finish in one browser what began in another (RFC 6749 section
	// 10.12). Each login has its own: a second tab does not break the first.
	http.SetCookie(w, &http.Cookie{
		Name: "login-" + state, Value: state, Path: "/login/callback", MaxAge: int(lifetime / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, target, http.StatusFound)
}

func run(w io.Writer, newState func() string) error {
	conn, err := upstream.ParseConnection(file)
	if err != nil {
		return err
	}
	github, err := upstream.NewProvider(conn)
	if err != nil {
		return err
	}
	s := &server{
		applications: map[string]string{"app": "https://app.example.com/callback"},
		connections:  map[string]connection{conn.Name: {github, conn.EnabledClients}},
		newState:     newState,
		logins:       map[string]login{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.authorize)

	const request = "/authorize?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback" +
		"&scope=openid&state=of-the-application&connection=github"
	for _, target := range []string{
		request + "&login_hint=octocat",
		request + "&login_hint=octocat&login_hint=hubot",
		"/authorize?response_type=code&client_id=app&redirect_uri=https://elsewhere.example/",
	} {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, target, nil))
		fmt.Fprintf(w, "GET %s\n%d %s\n", target, answer.Code, http.StatusText(answer.Code))
		if to := answer.Header().Get("Location"); to != "" {
			fmt.Fprintf(w, "Location: %s\n\n", to)
		} else {
			fmt.Fprintf(w, "%s\n", answer.Body)
		}
	}
	return nil
}
