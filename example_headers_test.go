package upstream_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"golang.org/x/oauth2"

	"example.com/upstream"
)

// The callback has brought a code: the connection's customHeaders go with it to
// the token endpoint, and nowhere else.
func ExampleProvider_TokenConfig() {
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.FormValue("grant_type"), r.FormValue("code"), r.Header.Get("X-Tenant"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "bearer"}`)
	}))
	defer idp.Close()

	conn, err := upstream.ParseConnection([]byte(`{"name": "acme", "strategy": "oauth2", "options": {
		"client_id": "auth-server", "client_secret": "s3cret", "customHeaders": {"X-Tenant": "blue"},
		"authorizationURL": "` + idp.URL + `/authorize", "tokenURL": "` + idp.URL + `/token"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	config := provider.TokenConfig("https://auth.example.com/callback")
	token, err := config.Exchange(context.Background(), "SplxlOBeZQQYbYS6WxSbIA")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.Type(), config)
	// Output:
	// authorization_code SplxlOBeZQQYbYS6WxSbIA blue
	// Bearer upstream.TokenConfig(client "auth-server")
}

// Without a connection, and with an identity provider that wants Basic
// authentication written as a header: the secret does not also go into the body.
func ExampleNewTokenConfig() {
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		fmt.Printf("user %q, secret in the body %q\n", user, r.PostFormValue("client_secret"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error": "invalid_grant", "error_description": "code SplxlOBeZQQYbYS6WxSbIA is spent"}`)
	}))
	defer idp.Close()

	config, err := upstream.NewTokenConfig(oauth2.Config{
		ClientID:     "auth-server",
		ClientSecret: "s3cret",
		Endpoint:     oauth2.Endpoint{TokenURL: idp.URL + "/token"},
	}, upstream.Headers{"Authorization": upstream.NewSecret("Basic YXV0aC1zZXJ2ZXI6czNjcmV0")})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = config.Exchange(context.Background(), "SplxlOBeZQQYbYS6WxSbIA")
	fmt.Println(err)

	_, err = upstream.NewTokenConfig(oauth2.Config{}, upstream.Headers{"Host": upstream.NewSecret("idp.example.com")})
	fmt.Println(err != nil)
	// Output:
	// user "auth-server", secret in the body ""
	// upstream: token endpoint: status 400, error invalid_grant
	// true
}

// The token of a login is used for the provider's API: refreshed where it has
// expired, with the customHeaders, which the API never sees.
func ExampleTokenConfig_Client() {
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s with X-Tenant %q\n", r.URL.Path, r.Header.Get("X-Tenant"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token": "new", "token_type": "bearer", "expires_in": 3600}`)
	}))
	defer idp.Close()
	config, err := upstream.NewTokenConfig(oauth2.Config{
		ClientID: "auth-server",
		Endpoint: oauth2.Endpoint{TokenURL: idp.URL + "/token"},
	}, upstream.Headers{"X-Tenant": upstream.NewSecret("blue")})
	if err != nil {
		fmt.Println(err)
		return
	}
	expired := &oauth2.Token{AccessToken: "old", RefreshToken: "8xLOxBtZp8", Expiry: time.Now().Add(-time.Hour)}

	resp, err := config.Client(context.Background(), expired).Get(idp.URL + "/api")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()

	token, err := config.TokenSource(context.Background(), expired).Token()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.AccessToken, token.RefreshToken)
	// Output:
	// /token with X-Tenant "blue"
	// /api with X-Tenant ""
	// /token with X-Tenant "blue"
	// new 8xLOxBtZp8
}
