package fapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

// Everything that a failing login gives back, in every form that it is printed
// in, and nothing of what must not stand there.
func TestH8NoErrorHoldsASecret(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	var errs []error
	var seen []string // what was sent and must not be repeated
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	answers := []func(w http.ResponseWriter, r *http.Request){
		func(w http.ResponseWriter, r *http.Request) {
			answerJSON(w, 400, map[string]string{"error": "invalid_grant", "error_description": "SECRET " + fmt.Sprint(r.PostForm)})
		},
		func(w http.ResponseWriter, r *http.Request) {
			answerJSON(w, 201, map[string]string{"request_uri": "SECRET " + fmt.Sprint(r.PostForm)})
		},
		func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			_, _ = fmt.Fprint(w, r.PostForm, r.Header)
		},
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.test/SECRET?"+r.PostForm.Encode(), http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, r *http.Request) {
			answerJSON(w, 200, map[string]string{"access_token": "SECRET", "token_type": "Bearer"})
		},
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("DPoP-Nonce", "SECRET-nonce")
			w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
			answerJSON(w, 401, map[string]string{"error": "use_dpop_nonce", "error_description": fmt.Sprint(r.Header)})
		},
		func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, "SECRET\r\n\r\n")
			_ = conn.Close()
		},
	}
	for _, answer := range answers {
		for _, sign := range []bool{false, true} {
			c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys, SignRequest: sign})
			s.answer = nil
			f := begin(t, s, c)
			seen = append(seen, string(f.carried), f.tx.State.Reveal(), f.tx.Nonce.Reveal(), f.tx.CodeVerifier.Reveal())
			s.answer = func(w http.ResponseWriter, r *http.Request) bool { answer(w, r); return true }
			_, err := f.exchange(c)
			note(err)
			_, err = c.AuthorizationURL(f.ctx, nil, f.tx)
			note(err)
			_, err = c.Provider().FetchProfile(f.ctx, &oauth2.Token{AccessToken: "SECRET-token", TokenType: "DPoP"})
			note(err)
			_, err = c.Provider().TokenConfig(callback).TokenSource(f.ctx, &oauth2.Token{RefreshToken: "SECRET-refresh"}).Token()
			note(err)
		}
	}
	s.answer = nil
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
	_, err := c.Resume(t.Context(), []byte("ES256.SECRET"))
	note(err)
	_, err = c.Authorize(t.Context(), "https://evil.test/?x=SECRET")
	note(err)
	_, err = c.DecryptIDToken(t.Context(), "SECRET.a.b.c.d")
	note(err)
	_, err = fapi.ParseKey([]byte(`{"kty":"oct","k":"SECRET"}`))
	note(err)
	for _, r := range s.to("/token") {
		seen = append(seen, r.PostForm.Get("client_assertion"), r.Header.Get("DPoP"))
	}
	for _, r := range s.to("/par") {
		seen = append(seen, r.PostForm.Get("client_assertion"), r.PostForm.Get("request"))
	}
	require.Greater(t, len(errs), 50)
	for _, err := range errs {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Error("login", "err", err)
		slog.New(slog.NewTextHandler(&log, nil)).Error("login", "err", err)
		text := fmt.Sprintf("%v %+v %#v %s %q %x %d %v", err, err, err, err, err, err, err, []error{err}) + log.String()
		assert.NotContains(t, text, "SECRET")
		for _, secret := range seen {
			if secret != "" {
				assert.NotContains(t, text, secret)
			}
		}
		assert.Regexp(t, `^(fapi|upstream): `, err.Error())
		assert.Equal(t, 1, strings.Count(err.Error(), "fapi: ")+strings.Count(err.Error(), "upstream: "), err.Error())
	}
}

// A Client and what it hands out print nothing of the login.
func TestH8ClientPrintsNothing(t *testing.T) {
	keys := newES256(t)
	secret := strings.Repeat("SECRET", 6)
	s := newServer(t, keys)
	conn := s.connection(t, map[string]any{"client_secret": secret, "token_endpoint_auth_method": "client_secret_basic", "token_endpoint_auth_signing_alg": nil})
	c := newClient(t, conn, fapi.Options{Keys: keys})
	ctx, carried, err := c.Start(context.Background())
	require.NoError(t, err)
	type host struct {
		client *fapi.Client
		value  fapi.Client
		http   *http.Client
		ctx    context.Context
	}
	client := c.Provider().TokenConfig(callback).Client(ctx, &oauth2.Token{AccessToken: secret, TokenType: "DPoP"})
	for _, v := range []any{c, *c, client, client.Transport, host{c, *c, client, ctx}, &host{c, *c, client, ctx}, ctx, fapi.Options{Keys: keys}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, v)
			assert.NotContains(t, text, "SECRET", "%s of %T", verb, v)
			assert.NotContains(t, text, string(carried[6:]), "%s of %T", verb, v)
		}
	}
	assert.Equal(t, `fapi.Client("client-1")`, fmt.Sprint(c))
	written, err := json.Marshal(map[string]any{"client": c})
	require.NoError(t, err)
	assert.JSONEq(t, `{"client": {}}`, string(written))
	e, err := c.Explain(nil, upstream.NewTransaction(callback))
	require.NoError(t, err)
	assert.NotContains(t, fmt.Sprint(e)+url.QueryEscape(fmt.Sprint(e)), "SECRET")
}
