package upstream_test

import (
	"errors"
	"fmt"
	"net/http/httptest"

	"example.com/upstream"
)

// The browser comes back: with a code, with the identity provider's error, or
// with somebody else's answer.
func ExampleProvider_ParseCallback() {
	conn, err := upstream.ParseConnection([]byte(`{"name": "acme", "strategy": "oidc", "options": {"client_id": "auth-server",
		"issuer": "https://idp.example.com", "authorization_endpoint": "https://idp.example.com/authorize",
		"token_endpoint": "https://idp.example.com/token", "pkce_enabled": true}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	tx := upstream.NewTransaction("https://auth.example.com/callback") // that of this browser, from where it was kept
	for _, query := range []string{
		"code=SplxlOBeZQQYbYS6WxSbIA&iss=https%3A%2F%2Fidp.example.com&state=" + tx.State.Reveal(),
		"error=access_denied&error_description=The+user+said+no&state=" + tx.State.Reveal(),
		"code=SplxlOBeZQQYbYS6WxSbIA&iss=https%3A%2F%2Fevil.test&state=" + tx.State.Reveal(),
	} {
		callback, err := provider.ParseCallback(httptest.NewRequest("GET", "/callback?"+query, nil), tx)
		var failure *upstream.CallbackError
		if errors.As(err, &failure) {
			fmt.Println(failure.Parameter, failure.Code, "-", err)
			continue
		}
		fmt.Println("code", callback.Code.Reveal(), "for TokenConfig.Exchange")
	}
	// Output:
	// code SplxlOBeZQQYbYS6WxSbIA for TokenConfig.Exchange
	// error access_denied - upstream: callback: the identity provider answers with the error access_denied
	// iss  - upstream: callback: iss is not the issuer of this connection: it is another identity provider's answer (RFC 9207)
}

// One handler may serve many connections: the answer is read first, its state
// says whose it is, and then it is checked.
func ExampleParseCallback() {
	callback, err := upstream.ParseCallback(httptest.NewRequest("GET", "/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj", nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	var provider *upstream.Provider // by callback.State, from where the login was kept
	tx := upstream.Transaction{State: callback.State}
	fmt.Println(provider.CheckCallback(callback, tx))
	// Output:
	// upstream: callback: there is no connection that it could be an answer to (OAuth 1.0a has another kind)
}

// What a host has to know of a connection, and the profile of a verified ID token.
func ExampleProvider_ParseClaims() {
	conn, err := upstream.ParseConnection([]byte(`{"name": "acme", "strategy": "oidc", "options": {"client_id": "auth-server",
		"issuer": "https://idp.example.com", "authorization_endpoint": "https://idp.example.com/authorize",
		"token_endpoint": "https://idp.example.com/token", "pkce_enabled": true}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(provider.Name(), provider.Strategy(), provider.ClientID(), provider.Issuer())
	fmt.Println(provider.OpenIDConnect(), provider.RequiresPKCE(), provider.HasProfile())

	claims := []byte(`{"iss": "https://idp.example.com", "aud": "auth-server", "sub": "248289761001", "email": "jane@example.com"}`)
	profile, err := provider.ParseClaims(claims) // their signature, iss, aud, exp and nonce are right: see module login
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(profile.Email, provider.Subject(profile.UserID))
	// Output:
	// acme oidc auth-server https://idp.example.com
	// true true false
	// jane@example.com oidc|acme|248289761001
}
