// X is the whole of a login with X, an OAuth 1.0a identity provider (RFC 5849):
// request token, authorization URL, access token, profile, subject. The
// login_hint of the application fills the user name box of X, which knows it as
// screen_name; its @ is percent-encoded there, as in any query. The requests
// that OAuth 1.0a wants signed are made with github.com/dghubble/oauth1.
//
// A stand-in for X runs in this process and checks the signatures; nothing goes
// over the network. The example is a module of its own, for its dependency:
//
//	go -C examples/x run .
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/dghubble/oauth1"
	"github.com/dghubble/oauth1/twitter"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

//go:embed connection.json
var connection []byte

const callback = "https://auth.example.com/login/callback" // as registered at X

// authorizeQuery is the query of the application's call of /authorize.
const authorizeQuery = "client_id=app&response_type=token&redirect_uri=https://app.example.com/callback" +
	"&scope=openid%20name%20email&login_hint=user@domain.com"

// userinfo says where X's answer has the members of a profile.
var userinfo = upstream.Userinfo{
	URL: "https://api.twitter.com/1.1/account/verify_credentials.json?include_email=true",
	Fields: map[string]string{
		"user_id": "id_str", "name": "name", "nickname": "screen_name", "email": "email", "picture": "profile_image_url_https",
	},
}

func main() {
	log.SetFlags(0)
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	conn, err := upstream.ParseConnection(connection)
	if err != nil {
		return err
	}
	x, err := upstream.NewProvider(conn)
	if err != nil {
		return err
	}
	req, err := upstream.ParseAuthorizeQuery(authorizeQuery)
	if err != nil {
		return err
	}
	standIn := newProvider(conn.Options.ClientID, conn.Options.ClientSecret.Reveal(), callback)
	defer standIn.Close()
	client := standIn.Client() // for X itself, &http.Client{Timeout: ...}
	config := &oauth1.Config{
		ConsumerKey:    conn.Options.ClientID,
		ConsumerSecret: conn.Options.ClientSecret.Reveal(),
		CallbackURL:    callback,
		Endpoint:       twitter.AuthorizeEndpoint,
		HTTPClient:     client,
	}

	// A server keeps the request token and its secret for this browser, as it
	// keeps state and code verifier with OAuth 2.0.
	requestToken, requestSecret, err := config.RequestToken()
	if err != nil {
		return err
	}
	target, err := x.AuthorizationURL(req, upstream.Transaction{RequestToken: upstream.NewSecret(requestToken)})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "the application calls\n  /authorize?%s\nthe user goes to\n  %s\n", authorizeQuery, target)

	username, answer, err := browse(client, target)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "the user name box of X holds\n  %s\n", username)
	token, verifier, err := oauth1.ParseAuthorizationCallback(answer)
	if err != nil {
		return err
	}
	if token != requestToken {
		return errors.New("the callback belongs to another login")
	}
	accessToken, accessSecret, err := config.AccessToken(requestToken, requestSecret, verifier)
	if err != nil {
		return err
	}

	// X wants the request for the profile signed, where OAuth 2.0 sends the
	// token itself; the client replaces that header.
	ctx := context.WithValue(context.Background(), oauth1.HTTPClient, client)
	signing := config.Client(ctx, oauth1.NewToken(accessToken, accessSecret))
	signing.Timeout = client.Timeout // of client, it takes the transport alone
	ctx = context.WithValue(ctx, oauth2.HTTPClient, signing)
	profile, err := userinfo.Fetch(ctx, &oauth2.Token{AccessToken: accessToken}, conn)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "the profile\n  %s (%s), %s\n", profile.Name, profile.Nickname, profile.Email)
	fmt.Fprintf(w, "the subject of the application's ID token\n  %s\n", x.Subject(profile.UserID))
	return nil
}
