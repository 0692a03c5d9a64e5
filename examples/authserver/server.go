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
	"sync"
	"sync/atomic"
	"time"

	"example.com/upstream/fapi"
	"example.com/upstream/login/sqlstore"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// A Config is what an auth server is made of. Replicas have the same Issuer,
// Store and Clients.
type Config struct {
	Issuer  string // the server's own address, without a slash at the end
	Store   *sqlstore.Store
	Clients []Client
	Source  Source       // of connections
	Client  *http.Client // for all that is asked of IdPs
	Log     *slog.Logger
	Now     func() time.Time
}

// A Server is one replica of the auth server. It is safe for concurrent use.
type Server struct {
	Config
	Connections *Connections
	provider    *op.Provider
	storage     storage
	keys        atomic.Pointer[keyring]
	signer      *fapi.KeySet
	secure      bool // cookies go over https alone
}

// NewServer makes a replica.
func NewServer(ctx context.Context, c Config) (*Server, error) {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" || issuer.Path != "" || issuer.RawQuery != "" {
		return nil, errors.New("the issuer must be an address such as https://auth.example.com, without a path")
	}
	s := &Server{Config: c, secure: issuer.Scheme == "https"}
	s.storage = storage{grants: grants{c.Store, c.Now}, keys: &s.keys, clients: map[string]Client{}}
	for _, client := range c.Clients {
		s.storage.clients[client.ID] = client
	}
	if err := s.refreshKeys(ctx); err != nil {
		return nil, err
	}
	s.Connections = &Connections{
		source: c.Source, client: c.Client, issuer: c.Issuer, store: c.Store, keys: &s.keys, signer: s.signer, log: c.Log, now: c.Now,
	}
	if err := s.Connections.Reload(ctx); err != nil {
		return nil, err
	}
	// op seals nothing: its tokens are signed, and the codes are this server's.
	config := &op.Config{CryptoKey: [keySize]byte(s.keys.Load().cookies[0]), CryptoKeyId: "unused", CodeMethodS256: true, GrantTypeRefreshToken: true}
	options := []op.Option{
		op.WithCORSOptions(nil), // no page of another origin has any business here
		// Providers of one process share op.DefaultEndpoints: a path that another
		// one sets, such as exampleop's /auth, would be this one's as well.
		op.WithCustomAuthEndpoint(op.NewEndpoint("authorize")),
	}
	if !s.secure {
		options = append(options, op.WithAllowInsecure())
	}
	if s.provider, err = op.NewProvider(config, s.storage, op.StaticIssuer(c.Issuer), options...); err != nil {
		return nil, err
	}
	return s, nil
}

// Run keeps the keys and the connections up to date, and the database small, until
// the context ends.
func (s *Server) Run(ctx context.Context) {
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() { s.Source.watch(ctx, s.Connections.Reload) })
	wait.Go(func() { s.Store.SweepEvery(ctx, time.Minute) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(keysRefresh):
			if err := s.refreshKeys(ctx); err != nil {
				s.Log.Error("the keys cannot be read; they stay as they are", "error", err)
			} else {
				_ = s.Connections.Reload(ctx) // has been logged
			}
		}
	}
}

// Handler serves applications and users.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.start)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /authorize", s.authorize)
	mux.HandleFunc("GET "+oidc.DiscoveryEndpoint, s.discovery)
	mux.HandleFunc("GET /login/callback/{connection}", s.callback)
	mux.HandleFunc("POST /login/callback/{connection}", s.callback) // response_mode=form_post
	mux.Handle("POST /logout", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.logout)))
	mux.Handle("GET /upstream-keys", s.signer) // for IdPs, to which this server is a client
	assets(mux)
	// Of op's other pages, those that this server stands behind.
	for _, path := range []string{"/keys", "/oauth/token", "/userinfo", "/revoke"} {
		mux.Handle(path, http.MaxBytesHandler(s.provider, maxForm))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.refuse(w, http.StatusNotFound, "", "There is no such page.")
	})
	return secured(mux)
}

// secured sets what every answer carries unless its handler knows better: no
// text of this server does anything where some browser takes it for a page, and
// nothing is kept, least of all a token (RFC 6749 section 5.1).
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer") // the login page's address is the application's request
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// callbackPath is a connection's own callback. That each has its own is the
// first defence against mix-ups (RFC 9700 section 4.4.2).
func callbackPath(connection string) string { return "/login/callback/" + connection }

//go:embed pages
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// assets serves the files that the pages use.
func assets(mux *http.ServeMux) {
	for path, file := range map[string]string{"/style.css": "style.css", "/favicon.ico": "icon.svg", "/submit.js": "submit.js"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=300")
			http.ServeFileFS(w, r, pageFiles, "pages/"+file)
		})
	}
}

// A page is an HTML answer.
type page struct {
	status   int
	template string // file in pages
	data     any
	images   []string // addresses of images on the page
	forms    bool     // it has a form that comes back here
	script   bool     // it sends its form by itself

	// crossForms is for a form whose answer redirects to other sites: browsers
	// hold form-action against the whole chain of redirects.
	crossForms bool
}

// render writes a page that no other may frame, and that runs no script but one.
func render(w http.ResponseWriter, p page) error {
	policy := "default-src 'none'; style-src 'self'; img-src 'self'"
	for _, address := range p.images {
		if u, err := url.Parse(address); err == nil && (u.Scheme == "https" || u.Scheme == "http") && !strings.ContainsAny(u.Host, " ;,'\"") {
			policy += " " + u.Scheme + "://" + u.Host
		}
	}
	if p.script {
		policy += "; script-src 'self'"
	}
	switch {
	case p.forms:
		policy += "; form-action 'self'"
	case !p.crossForms:
		policy += "; form-action 'none'"
	}
	var body strings.Builder // a page that fails half-way is no page
	if err := pages.ExecuteTemplate(&body, p.template, p.data); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy+"; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(p.status)
	_, err := w.Write([]byte(body.String()))
	return err
}
