//go:build unix

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"

	"example.com/upstream/internal/pgtest"
	"example.com/upstream/login/sqlstore"
)

// quickIdP is an identity provider that logs everybody in at once, so that what is
// measured is the auth server.
func quickIdP(b *testing.B) *httptest.Server {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
	require.NoError(b, err)
	var idp *httptest.Server
	answer := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		code := q.Get("nonce") // which the ID token has to have
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {idp.URL}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		token, _ := jwt.Signed(signer).Claims(map[string]any{
			"iss": idp.URL, "aud": "auth-server", "sub": "id1", "exp": time.Now().Unix() + 600, "iat": time.Now().Unix(), "auth_time": time.Now().Unix(),
			"nonce": r.FormValue("code"),
		}).Serialize()
		answer(w, map[string]any{"access_token": "t", "token_type": "Bearer", "expires_in": 300, "id_token": token})
	})
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"sub": "id1", "email": "ann@example.com", "email_verified": true, "name": "Ann"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	idp = httptest.NewServer(mux)
	b.Cleanup(idp.Close)
	return idp
}

// without is the server as it would be with golang.org/x/oauth2 and an OpenID
// client alone: one connection, nothing of it configurable, the login's state in a
// cookie as it is. What comes before and after is the same.
func without(s *Server, idp string) http.Handler {
	config := oauth2.Config{
		ClientID: "auth-server", ClientSecret: "secret", RedirectURL: s.Issuer + callbackPath("plain"), Scopes: []string{"openid", "profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: idp + "/authorize", TokenURL: idp + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	keys := rp.NewRemoteKeySet(s.Client, idp+"/keys")
	type state struct {
		State, Nonce, Verifier string
		Request                request
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		client := s.storage.clients[r.Form.Get("client_id")]
		asked, _, err := s.accept(r, client)
		if err != nil {
			http.Error(w, "refused", http.StatusBadRequest)
			return
		}
		l := state{rand.Text(), rand.Text(), oauth2.GenerateVerifier(), request{
			ClientID: client.ID, RedirectURI: asked.RedirectURI, State: asked.State, Nonce: asked.Nonce, Challenge: asked.CodeChallenge, Scopes: asked.Scopes,
		}}
		text, _ := json.Marshal(l)
		http.SetCookie(w, &http.Cookie{Name: "plain", Value: base64.RawURLEncoding.EncodeToString(text), Path: "/", HttpOnly: true})
		options := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("nonce", l.Nonce), oauth2.S256ChallengeOption(l.Verifier)}
		for _, name := range []string{"login_hint", "prompt", "acr_values", "ui_locales"} {
			if value := r.Form.Get(name); value != "" {
				options = append(options, oauth2.SetAuthURLParam(name, value))
			}
		}
		http.Redirect(w, r, config.AuthCodeURL(l.State, options...), http.StatusFound)
	})
	mux.HandleFunc("GET /login/callback/plain", func(w http.ResponseWriter, r *http.Request) {
		fail := func() { http.Error(w, "refused", http.StatusBadRequest) }
		var l state
		cookie, err := r.Cookie("plain")
		if err != nil {
			fail()
			return
		}
		text, _ := base64.RawURLEncoding.DecodeString(cookie.Value)
		if json.Unmarshal(text, &l) != nil || l.State != r.URL.Query().Get("state") {
			fail()
			return
		}
		if first, err := s.Store.Spend(r.Context(), l.State, s.Now().Add(10*time.Minute)); !first || err != nil {
			fail()
			return
		}
		ctx := s.upstreamContext(r.Context())
		token, err := config.Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(l.Verifier))
		if err != nil {
			fail()
			return
		}
		verifier := rp.NewIDTokenVerifier(idp, "auth-server", keys, rp.WithSupportedSigningAlgorithms("ES256"), rp.WithNonce(func(context.Context) string { return l.Nonce }))
		raw, _ := token.Extra("id_token").(string)
		claims, err := rp.VerifyTokens[*oidc.IDTokenClaims](ctx, token.AccessToken, raw, verifier)
		if err != nil {
			fail()
			return
		}
		resp, err := config.Client(ctx, token).Get(idp + "/userinfo")
		if err != nil {
			fail()
			return
		}
		defer resp.Body.Close()
		var info oidc.UserInfo
		if json.NewDecoder(resp.Body).Decode(&info) != nil || info.Subject != claims.Subject {
			fail()
			return
		}
		u := user{Subject: "oidc|plain|" + info.Subject, Connection: "plain", Email: info.Email, Name: info.Name, AuthTime: claims.GetAuthTime()}
		s.remember(w, r, u)
		s.issue(w, r, l.Request, u)
	})
	mux.Handle("/", s.Handler())
	return mux
}

// BenchmarkLogin is a whole login, from the application's request to its tokens,
// with this library and without it.
func BenchmarkLogin(b *testing.B) {
	for name, database := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(b.TempDir(), "auth.db") },
		"PostgreSQL": func() string { return pgtest.Start(b) },
	} {
		source := ""
		for _, with := range []bool{true, false} {
			b.Run(name+map[bool]string{true: "/with", false: "/without"}[with], func(b *testing.B) {
				if source == "" {
					source = database()
				}
				benchmarkLogin(b, source, with)
			})
		}
	}
}

func benchmarkLogin(b *testing.B, database string, with bool) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	idp := quickIdP(b)
	store, err := sqlstore.Open(b.Context(), database, nil)
	require.NoError(b, err)
	defer store.Close()
	conn := `{"name": "plain", "strategy": "oidc", "enabled_clients": ["sample-app"], "options": {
		"client_id": "auth-server", "client_secret": "secret", "issuer": "IDP", "authorization_endpoint": "IDP/authorize",
		"token_endpoint": "IDP/token", "userinfo_endpoint": "IDP/userinfo", "jwks_uri": "IDP/keys", "scope": "openid profile email",
		"connection_settings": {"pkce": "S256"},
		"upstream_params": {"login_hint": {"alias": "login_hint"}, "prompt": {"alias": "prompt"}, "acr_values": {"alias": "acr_values"}, "ui_locales": {"alias": "ui_locales"}}}}`
	client := sampleApp
	client.RedirectURIs = []string{"https://app.example.com/callback"}
	server := Config{
		Issuer: "http://127.0.0.1:1", Store: store, Clients: []Client{client}, Source: oneConnection(strings.ReplaceAll(conn, "IDP", idp.URL)),
		Client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, Log: newLogger(io.Discard), Now: time.Now,
	}
	s, err := NewServer(b.Context(), server)
	require.NoError(b, err)
	handler := s.Handler()
	if !with {
		handler = without(s, idp.URL)
	}
	query := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": client.RedirectURIs, "response_type": {"code"}, "scope": {"openid email"}, "state": {"s"}, "nonce": {"n"},
		"connection": {"plain"}, "login_hint": {"ann@example.com"}, "prompt": {"login"}, "acr_values": {"strong"}, "ui_locales": {"en"},
	}
	browser := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	serve := func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result()
	}
	before := cpuTime()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			first := serve(httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1/authorize?"+query.Encode(), nil))
			resp, err := browser.Get(first.Header.Get("Location"))
			if err != nil {
				b.Error(err)
				return
			}
			_ = resp.Body.Close()
			r := httptest.NewRequest(http.MethodGet, resp.Header.Get("Location"), nil)
			for _, c := range first.Cookies() {
				r.AddCookie(c)
			}
			second := serve(r)
			location, _ := url.Parse(second.Header.Get("Location"))
			form := url.Values{"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")}, "redirect_uri": client.RedirectURIs}
			r = httptest.NewRequest(http.MethodPost, "http://127.0.0.1:1/oauth/token", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth(client.ID, client.Secret)
			if last := serve(r); last.StatusCode != http.StatusOK {
				b.Errorf("status %d after %s", last.StatusCode, location)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric((cpuTime()-before).Seconds()*1000/float64(b.N), "CPU-ms/login") // says more on a busy machine
}

// cpuTime gives what this process has used of all processors: the server, the
// identity provider and the browser.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // cannot fail
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// oneConnection is a Source of one connection named plain.
type oneConnection string

func (c oneConnection) read(context.Context) (map[string]content, error) {
	return map[string]content{"plain": {text: []byte(c)}}, nil
}
func (oneConnection) watch(context.Context, func(context.Context) error) {}
func (oneConnection) history(context.Context, string) ([]sqlstore.Connection, error) {
	return nil, nil
}
