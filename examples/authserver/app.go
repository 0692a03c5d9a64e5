package main

// This file owns the sample application: an OpenID client of the auth server,
// and of nobody else. It must not know that the auth server has upstream
// identity providers, but for the parameter connection and one claim.

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
)

const (
	maxVisits = 10_000 // that the sample remembers at a time
	appCookie = "app"
)

// forwarded are the parameters that the form on the start page offers.
var forwarded = []string{"connection", "login_hint", "prompt", "ui_locales", "acr_values", "max_age"}

// An App is the sample application. It is safe for concurrent use.
type App struct {
	issuer   string // the auth server's
	oauth    oauth2.Config
	verifier *rp.IDTokenVerifier
	choices  []string // of connections, for the form

	mu     sync.Mutex
	visits map[string]*visit // by cookie
	order  []string          // of the cookies that were given, the oldest first
}

// A visit is one visitor's login, first begun and then done.
type visit struct {
	state, nonce, verifier string
	asked                  url.Values // what the form added to the request
	claims                 *oidc.IDTokenClaims
}

// NewApp makes the application. address is its own, issuer the auth server's.
func NewApp(address, issuer string, client Client, choices []string) *App {
	keys := rp.NewRemoteKeySet(&http.Client{Timeout: 10 * time.Second}, issuer+"/keys")
	return &App{
		issuer: issuer,
		oauth: oauth2.Config{
			ClientID: client.ID, ClientSecret: client.Secret, RedirectURL: address + "/callback",
			Scopes: []string{"openid", "profile", "email"},
			Endpoint: oauth2.Endpoint{
				AuthURL: issuer + "/authorize", TokenURL: issuer + "/oauth/token", AuthStyle: oauth2.AuthStyleInHeader,
			},
		},
		verifier: rp.NewIDTokenVerifier(issuer, client.ID, keys, rp.WithNonce(nonceOf), rp.WithSupportedSigningAlgorithms("ES256")),
		choices:  choices,
		visits:   map[string]*visit{},
	}
}

type nonceKey struct{}

func nonceOf(ctx context.Context) string { nonce, _ := ctx.Value(nonceKey{}).(string); return nonce }

// Handler serves the application.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /login", a.login)
	mux.HandleFunc("GET /callback", a.callback)
	mux.HandleFunc("GET /again", a.again)
	assets(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { failed(w, http.StatusNotFound, "There is no such page.") })
	return secured(mux)
}

func (a *App) visitOf(r *http.Request) *visit {
	cookie, err := r.Cookie(appCookie)
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.visits[cookie.Value]
}

// keep stores a visit under a new name, so that none can be planted, in the place
// of the browser's last one.
func (a *App) keep(w http.ResponseWriter, r *http.Request, s *visit) {
	id := rand.Text()
	a.mu.Lock()
	if cookie, err := r.Cookie(appCookie); err == nil {
		delete(a.visits, cookie.Value)
	}
	a.visits[id], a.order = s, append(a.order, id)
	for len(a.order) > maxVisits { // a sample may forget; the oldest go first
		delete(a.visits, a.order[0])
		a.order = a.order[1:]
	}
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: appCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// login sends the browser to the auth server.
func (a *App) login(w http.ResponseWriter, r *http.Request) {
	s := &visit{state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), asked: url.Values{}}
	options := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("nonce", s.nonce), oauth2.S256ChallengeOption(s.verifier)}
	for _, name := range forwarded {
		if value := r.URL.Query().Get(name); value != "" {
			s.asked.Set(name, value)
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	a.keep(w, r, s)
	http.Redirect(w, r, a.oauth.AuthCodeURL(s.state, options...), http.StatusFound)
}

// again forgets who is logged in.
func (a *App) again(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(appCookie); err == nil {
		a.mu.Lock()
		delete(a.visits, cookie.Value)
		a.mu.Unlock()
	}
	http.Redirect(w, r, "/", http.StatusFound)
}

func failed(w http.ResponseWriter, status int, message string) {
	_ = render(w, page{status: status, template: "app_failed.html", data: message})
}

// callback takes the auth server's answer.
func (a *App) callback(w http.ResponseWriter, r *http.Request) {
	fail := func(message string) { failed(w, http.StatusBadRequest, message) }
	query, s := r.URL.Query(), a.visitOf(r)
	switch {
	case s == nil || s.state == "" || query.Get("state") != s.state:
		fail("This answer does not belong to a login that began in this browser.")
		return
	case query.Get("iss") != a.issuer: // RFC 9207: the auth server says in its metadata that it is there
		fail("This answer is not the auth server's.")
		return
	case query.Has("error"):
		fail(query.Get("error") + ": " + query.Get("error_description"))
		return
	}
	token, err := a.oauth.Exchange(r.Context(), query.Get("code"), oauth2.VerifierOption(s.verifier))
	if err != nil {
		fail("The auth server gave no token.")
		return
	}
	raw, _ := token.Extra("id_token").(string)
	ctx := context.WithValue(r.Context(), nonceKey{}, s.nonce)
	claims, err := rp.VerifyTokens[*oidc.IDTokenClaims](ctx, token.AccessToken, raw, a.verifier)
	if err != nil {
		fail("The auth server's ID token cannot be verified.")
		return
	}
	a.keep(w, r, &visit{asked: s.asked, claims: claims})
	http.Redirect(w, r, "/", http.StatusFound)
}

// home shows the form, or who is logged in.
func (a *App) home(w http.ResponseWriter, r *http.Request) {
	s := a.visitOf(r)
	if s == nil || s.claims == nil {
		_ = render(w, page{status: http.StatusOK, template: "app_start.html", data: a.choices, crossForms: true})
		return
	}
	type row struct{ Name, Layer, Source, Value string }
	data := struct {
		Subject, Email, Name string
		Verified             bool
		Rows                 []row
		NotSent              []string
	}{
		Subject: s.claims.Subject, Email: s.claims.Email, Verified: bool(s.claims.EmailVerified), Name: s.claims.Name,
	}
	used := []string{"connection"} // is the auth server's own
	for _, item := range list(s.claims.Claims[sentClaim]) {
		sent := row{Name: text(item, "name"), Layer: text(item, "layer"), Source: text(item, "source")}
		sent.Value = s.asked.Get(sent.Source) // the application's own word; it is told no values
		used = append(used, sent.Source)
		data.Rows = append(data.Rows, sent)
	}
	for _, name := range forwarded {
		if s.asked.Has(name) && !slices.Contains(used, name) {
			data.NotSent = append(data.NotSent, name)
		}
	}
	_ = render(w, page{status: http.StatusOK, template: "app_user.html", data: data})
}

func list(claim any) []any { l, _ := claim.([]any); return l }

func text(item any, name string) string {
	object, _ := item.(map[string]any)
	value, _ := object[name].(string)
	return value
}
