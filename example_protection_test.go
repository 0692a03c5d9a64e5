package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"example.com/upstream"
)

// The connection asks for more than this package does. What does it is attached:
// here a stand-in, in programs the method of module fapi.
func ExampleProvider_WithProtection() {
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("secret in the body:", r.FormValue("client_secret") != "", "proof:", r.Header.Get("DPoP"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "DPoP"}`)
	}))
	defer idp.Close()

	conn, err := upstream.ParseConnection([]byte(`{"name": "bank", "strategy": "oidc", "options": {
		"client_id": "auth-server", "token_endpoint_auth_method": "private_key_jwt", "dpop_signing_alg": "ES256",
		"authorization_endpoint": "` + idp.URL + `/authorize", "token_endpoint": "` + idp.URL + `/token"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	var unmet *upstream.ConfigError
	_, err = provider.TokenConfig("https://auth.example.com/callback").Exchange(context.Background(), "SplxlOBeZQQYbYS6WxSbIA")
	fmt.Println(errors.As(err, &unmet), provider.Demands())

	provider = provider.WithProtection(func(_ context.Context, target upstream.Target, base http.RoundTripper) http.RoundTripper {
		return proving{base, target}
	}, "private_key_jwt", "dpop_signing_alg")
	_, err = provider.TokenConfig("https://auth.example.com/callback").Exchange(context.Background(), "SplxlOBeZQQYbYS6WxSbIA")
	fmt.Println(err, provider.Demands())
	// Output:
	// true [private_key_jwt dpop_signing_alg]
	// secret in the body: false proof: ...
	// <nil> []
}

type proving struct {
	base   http.RoundTripper
	target upstream.Target
}

func (p proving) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("DPoP", "...")
	return p.base.RoundTrip(r)
}
