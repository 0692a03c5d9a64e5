package upstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"golang.org/x/oauth2"

	"example.com/upstream"
)

// The userinfo document keeps the id in a nested member. The numeric plan is
// passed on to the digit, in Extra.
func ExampleUserinfo() {
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer 2YotnFZFEjr1zCsicMWpAA" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, `{"account": {"uuid": "4f1c", "email": "ann@example.com"}, "plan": 9007199254740993}`)
	}))
	defer idp.Close()

	userinfo := upstream.Userinfo{
		URL:    idp.URL + "/userinfo",
		Fields: map[string]string{"user_id": "account.uuid", "email": "account.email"},
	}
	profile, err := userinfo.Fetch(context.Background(), &oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(profile.UserID, profile.Email, profile.EmailVerified != nil, string(profile.Extra["plan"]))

	_, err = userinfo.Fetch(context.Background(), &oauth2.Token{AccessToken: "another"}, nil)
	var failure *upstream.ProfileError
	fmt.Println(errors.As(err, &failure) && failure.StatusCode == http.StatusUnauthorized)
	// Output:
	// 4f1c ann@example.com false 9007199254740993
	// true
}

// The end of a login: the code has become a token, the token becomes a profile,
// and the profile's user_id the sub of the auth server's own tokens.
func ExampleProvider_FetchProfile() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "bearer"}`)
	})
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, `{"sub": "248289761001", "name": "Jane Doe", "email": "jane@example.com", "email_verified": true}`)
	})
	idp := httptest.NewServer(mux)
	defer idp.Close()
	provider, err := upstream.NewProvider(&upstream.Connection{Name: "acme", Strategy: "oidc", Options: upstream.Options{
		ClientID: "auth-server", ClientSecret: upstream.NewSecret("s3cret"), AuthorizationURL: idp.URL + "/authorize", TokenURL: idp.URL + "/token",
		UserinfoEndpoint: idp.URL + "/userinfo",
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, tx := context.Background(), upstream.NewTransaction("https://auth.example.com/login/callback")
	r := httptest.NewRequest("GET", "/login/callback?code=SplxlOBeZQQYbYS6WxSbIA&state="+tx.State.Reveal(), nil)

	answer, err := provider.ParseCallback(r, tx) // tx is that of this browser's login, from where you kept it
	if err != nil {
		log.Fatal(err) // errors.As: *upstream.CallbackError: not this login's, another IdP's, or the IdP's own error
	}
	config := provider.TokenConfig(tx.RedirectURI)
	token, err := config.Exchange(ctx, answer.Code.Reveal(), oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	if err != nil {
		log.Fatal(err) // errors.As: *oauth2.RetrieveError, whose ErrorCode may be "invalid_grant"
	}
	profile, err := provider.FetchProfile(ctx, token)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(provider.Subject(profile.UserID)) // the sub of the auth server's own tokens

	fmt.Println(profile.Name, profile.Email, *profile.EmailVerified)
	// Output:
	// oidc|acme|248289761001
	// Jane Doe jane@example.com true
}

// A program's own function stands in for the fetchUserProfile script.
func ExampleProvider_WithProfileFetcher() {
	conn, err := upstream.ParseConnection([]byte(`{"name": "acme", "strategy": "oauth2", "options": {
		"client_id": "auth-server", "client_secret": "s3cret",
		"authorizationURL": "https://idp.example.com/authorize", "tokenURL": "https://idp.example.com/token"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider = provider.WithProfileFetcher(conn, func(_ context.Context, token *oauth2.Token, conn *upstream.Connection) (*upstream.Profile, error) {
		return &upstream.Profile{UserID: "4f1c", Nickname: conn.Name + "-user"}, nil
	})
	profile, err := provider.FetchProfile(context.Background(), &oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(profile.Nickname, provider.Subject(profile.UserID))
	// Output: acme-user oauth2|acme|4f1c
}

func ExampleParseProfile() {
	profile, err := upstream.ParseProfile([]byte(`{"user_id": 12345678, "email": "ann@example.com", "email_verified": "true", "org": "acme"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(profile.UserID, *profile.EmailVerified)
	text, err := json.Marshal(profile)
	fmt.Println(string(text), err)

	_, err = upstream.ParseProfile([]byte(`{"user_id": 1.2345678e7}`))
	fmt.Println(err)
	// Output:
	// 12345678 true
	// {"user_id":"12345678","email":"ann@example.com","email_verified":true,"org":"acme"} <nil>
	// upstream: profile: user_id must be a string that is not blank, or an integer without fraction and exponent
}

// With OpenID Connect, the userinfo must be of the user whom the ID token names.
func ExampleProfile_CheckSubject() {
	profile := &upstream.Profile{UserID: "248289761001"}
	fmt.Println(profile.CheckSubject("248289761001"))
	fmt.Println(profile.CheckSubject("another"))
	// Output:
	// <nil>
	// upstream: profile: its subject is not that of the ID token; the profile must not be used
}
