package fetchscript_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
)

// A connection as the Management API exports it, with its script.
func ExampleAttach() {
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"account": {"uuid": "4f1c", "email": "ann@example.com"}}`)
	}))
	defer idp.Close()
	conn, err := upstream.ParseConnection([]byte(`{"name": "acme", "strategy": "oauth2", "options": {
		"client_id": "auth-server", "client_secret": "s3cret",
		"authorizationURL": "https://idp.example.com/authorize", "tokenURL": "https://idp.example.com/token",
		"scripts": {"fetchUserProfile": "function (accessToken, ctx, cb) { request.get({ url: '` + idp.URL + `', json: true, auth: { bearer: accessToken } }, (err, res, body) => { if (err) return cb(err); cb(null, { user_id: body.account.uuid, email: body.account.email }); }); }"}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err = fetchscript.Attach(provider, conn, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	profile, err := provider.FetchProfile(context.Background(), &oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(provider.Subject(profile.UserID), profile.Email)
	// Output: oauth2|acme|4f1c ann@example.com
}

// A script that somebody else wrote runs in a process of its own.
func ExampleIsolated() {
	isolation := fetchscript.Isolated() // before anything else in main: a child comes by here too, and does not return

	conn, err := upstream.ParseConnection([]byte(`{"name": "acme", "strategy": "oauth2", "options": {
		"client_id": "auth-server", "client_secret": "s3cret",
		"authorizationURL": "https://idp.example.com/authorize", "tokenURL": "https://idp.example.com/token",
		"scripts": {"fetchUserProfile": "function (accessToken, ctx, cb) { cb(null, { user_id: ctx.team_id, nickname: typeof process }); }"}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	provider, err = fetchscript.Options{Isolation: isolation}.Attach(provider, conn, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	token := (&oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA"}).WithExtra(map[string]any{"team_id": "T1"})
	profile, err := provider.FetchProfile(context.Background(), token)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(provider.Subject(profile.UserID), profile.Nickname)
	// Output: oauth2|acme|T1 undefined
}

// A client for scripts that must not reach the network of the program.
func ExamplePublicOnly() {
	inside := httptest.NewServer(http.NotFoundHandler()) // on 127.0.0.1
	defer inside.Close()
	script, err := fetchscript.Compile("(accessToken, ctx, cb) => request.get('" + inside.URL + "', (err, res) => cb(err || 'reached'))")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	client := fetchscript.PublicOnly() // once, for all logins
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	_, err = script.Fetch(ctx, &oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA"}, nil)
	fmt.Println(err)
	// Output: upstream: profile: fetchUserProfile script: the address is not public
}

// The README's program.
func ExampleScript_Fetch() {
	script, err := fetchscript.Compile(`async (accessToken, ctx) => ({ user_id: ctx.team_id, nickname: 'ann' })`)
	if err != nil {
		log.Fatal(err) // with line and column
	}
	token := (&oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA"}).WithExtra(map[string]any{"team_id": "T1"})
	profile, err := script.Fetch(context.Background(), token, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(profile.UserID) // T1
	// Output: T1
}

func ExampleCompile() {
	script, err := fetchscript.Compile("async (accessToken, ctx) => ({ user_id: ctx.team_id + '|' + ctx.user_id })")
	if err != nil {
		fmt.Println(err)
		return
	}
	token := (&oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA"}).WithExtra(map[string]any{"team_id": "T1", "user_id": "U7"})
	profile, err := script.Fetch(context.Background(), token, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(profile.UserID)

	_, err = fetchscript.Compile("function (accessToken, ctx, cb) {\n  cb(null, {;\n}")
	var failure *fetchscript.Error
	fmt.Println(errors.As(err, &failure), failure.Line)
	// Output:
	// T1|U7
	// true 2
}

// A limit that the script comes to is in the error.
func ExampleOptions_Compile() {
	script, err := fetchscript.Options{MaxRequests: 2}.Compile(`function (accessToken, ctx, cb) {
		(function again() { request.get('http://127.0.0.1:1/', again); })();
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = script.Fetch(context.Background(), &oauth2.Token{AccessToken: "2YotnFZFEjr1zCsicMWpAA"}, &upstream.Connection{Name: "acme"})
	var failure *fetchscript.Error
	fmt.Println(errors.As(err, &failure) && failure.Limit == fetchscript.LimitRequests)
	fmt.Println(err)
	// Output:
	// true
	// upstream: profile: connection "acme": fetchUserProfile script: requests limit: more than 2 HTTP requests, redirects included
}
