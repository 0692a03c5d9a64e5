package main

// This file holds the rows that speak with a server: token and profile, ours
// beside plain x/oauth2, both through the same HTTP client.

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"golang.org/x/oauth2"

	"example.com/upstream/internal/benchmarks/measure"
	"example.com/upstream/internal/benchmarks/sample"
)

// identityProvider answers at /token and /userinfo, always the same.
func identityProvider() *httptest.Server {
	mux := http.NewServeMux()
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // as a server that reads the form
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, text) // a client that went away is its own problem
		}
	}
	mux.HandleFunc("POST /token", answer(`{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA"}`))
	mux.HandleFunc("GET /userinfo", answer(`{"sub":"248289761001","name":"Jane Doe","given_name":"Jane","family_name":"Doe",`+
		`"preferred_username":"j.doe","email":"janedoe@example.com","email_verified":true,"picture":"https://example.com/janedoe/me.jpg"}`))
	return httptest.NewServer(mux)
}

// networkRows gives the rows and what ends their server.
func networkRows() ([]measure.Row, func(), error) {
	server := identityProvider()
	provider, err := sample.Sample().ProviderAt(sample.AuthURL, server.URL+"/token", server.URL+"/userinfo")
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	plain := sample.Config()
	plain.Endpoint.TokenURL = server.URL + "/token"
	client := &http.Client{Transport: http.DefaultTransport, Timeout: 30 * time.Second}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, client)
	token := &oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA", TokenType: "Bearer"}

	exchanged := func(t *oauth2.Token, err error) error {
		if err == nil && t.AccessToken != token.AccessToken {
			err = errors.New("another token")
		}
		return err
	}
	return []measure.Row{
		{Name: "token-exchange", Impls: []measure.Impl{
			measure.Repeat(ours, func() error {
				return exchanged(provider.TokenConfig(sample.RedirectURI).Exchange(ctx, "SplxlOBeZQQYbYS6WxSbIA"))
			}),
			measure.Repeat("x/oauth2", func() error { return exchanged(plain.Exchange(ctx, "SplxlOBeZQQYbYS6WxSbIA")) }),
		}},
		{Name: "profile-fetch", Impls: []measure.Impl{
			measure.Repeat(ours, func() error {
				profile, err := provider.FetchProfile(ctx, token)
				if err == nil && profile.UserID != "248289761001" {
					err = errors.New("another user")
				}
				return err
			}),
			measure.Repeat("x/oauth2", func() error { return fetchPlainly(ctx, plain, token, server.URL+"/userinfo") }),
		}},
	}, server.Close, nil
}

// fetchPlainly is what a program without this library does for a profile.
func fetchPlainly(ctx context.Context, config *oauth2.Config, token *oauth2.Token, address string) error {
	resp, err := config.Client(ctx, token).Get(address)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // all that matters has been read
	var claims map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&claims); err != nil {
		return err
	}
	if claims["sub"] != "248289761001" {
		return errors.New("another user")
	}
	return nil
}
