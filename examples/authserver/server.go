package main

// This file owns the auth server as a whole: what it is made of, its routes,
// and what every answer carries. It must not know how a login goes; see
// authorize.go, login.go and callback.go, in the order of a login.

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/oauth2"
)

// A Config is what an auth server is made of. Replicas have the same Issuer,
// Key, Store and Clients.
type Config struct {
	Issuer      string // the server's own address, without a slash at the end
	Key         []byte // 32 bytes; whoever has it can forge logins
	Store       *Store
	Clients     []Client
	Connections *Connections
	Log         *slog.Logger
	Now         func() time.Time
}

// A Server is one replica of the auth server. It is safe for concurrent use.
type Server struct {
	Config
	provider *op.Provider
	storage  storage
	sealer   *sealer
}

// NewServer makes a replica.
func NewServer(c Config) (*Server, error) {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" || issuer.Path != "" || issuer.RawQuery != "" {
		return nil, errors.New("the issuer must be an address such as https://auth.example.com, without a path")
	}
	s := &Server{Config: c, storage: storage{Store: c.Store, clients: map[string]Client{}}}
	for _, client := range c.Clients {
		s.storage.clients[client.ID] = client
	}
	if s.sealer, err = newSealer(c.Key, issuer.Scheme == "https", c.Now); err != nil {
		return nil, err
	}
	codeKey, err := deriveKey(c.Key, "authorization codes")
	if err != nil {
		return nil, err
	}
	config := &op.Config{CryptoKey: [keySize]byte(codeKey), CryptoKeyId: "codes", CodeMethodS256: true}
	options := []op.Option{
		op.WithCORSOptions(nil), // no page of another origin has any business here
		// Providers of one process share op.DefaultEndpoints: a path that another
		// one sets, such as exampleop's /auth, would be this one's as well.
		op.WithCustomAuthEndpoint(op.NewEndpoint("authorize")),
	}
	if issuer.Scheme == "http" {
		options = append(options, op.WithAllowInsecure())
	}
	if s.provider, err = op.NewProvider(config, s.storage, op.StaticIssuer(c.Issuer), options...); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler serves applications and users.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /authorize", s.authorize)
	mux.HandleFunc("GET "+oidc.DiscoveryEndpoint, s.discovery)
	mux.HandleFunc("GET /login", s.login)
	mux.HandleFunc("GET /login/callback/{connection}", s.callback)
	mux.HandleFunc("GET /style.css", style)
	// op's own page after a login gives the code to whoever knows the request's
	// id. Somebody could begin a login, have another user finish it, and fetch
	// the code; callback.go answers the browser that came back, and no other.
	mux.Handle("/authorize/callback", http.NotFoundHandler())
	// Of op's other pages, those that this server stands behind.
	for _, path := range []string{"/keys", "/oauth/token", "/userinfo", "/revoke"} {
		mux.Handle(path, http.MaxBytesHandler(s.provider, maxForm))
	}
	return mux
}

// callbackPath is a connection's own callback. That each has its own is the
// first defence against mix-ups (RFC 9700 section 4.4.2).
func callbackPath(connection string) string { return "/login/callback/" + connection }

// upstreamContext makes all requests to an IdP use one HTTP client, which is
// that of their keys as well.
func (s *Server) upstreamContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, s.Connections.client)
}

//go:embed pages
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

func style(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=300")
	http.ServeFileFS(w, r, pageFiles, "pages/style.css")
}

// A page is an HTML answer.
type page struct {
	status   int
	template string // file in pages
	data     any
	images   []string // addresses of images on the page
	forms    bool     // it has a form that comes back here

	// crossForms is for a form whose answer redirects to other sites: browsers
	// hold form-action against the whole chain of redirects.
	crossForms bool
}

// render writes a page that no other may frame and that runs no script.
func render(w http.ResponseWriter, p page) error {
	images := "'self'"
	for _, address := range p.images {
		if u, err := url.Parse(address); err == nil && (u.Scheme == "https" || u.Scheme == "http") && !strings.ContainsAny(u.Host, " ;,'\"") {
			images += " " + u.Scheme + "://" + u.Host
		}
	}
	forms := "; form-action 'none'"
	switch {
	case p.forms:
		forms = "; form-action 'self'"
	case p.crossForms:
		forms = ""
	}
	var body strings.Builder // a page that fails half-way is no page
	if err := pages.ExecuteTemplate(&body, p.template, p.data); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src "+images+forms+
		"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // the login page's address names the request
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.status)
	_, err := w.Write([]byte(body.String()))
	return err
}
