// X gives a connection a dynamic parameter: the login_hint of the application
// fills the user name box of X, which knows it as screen_name. X is an OAuth
// 1.0a identity provider; its authorization URL holds a request token, which
// the auth server has got from X just before (here it is given). The @ of the
// user name is percent-encoded there, as in any query.
package main

import (
	_ "embed"
	"fmt"
	"log"

	"example.com/upstream"
)

//go:embed connection.json
var connection []byte

// authorizeQuery is the query of the application's call of /authorize.
const authorizeQuery = "client_id=app&response_type=token&redirect_uri=https://app.example.com/callback" +
	"&scope=openid%20name%20email&login_hint=user@domain.com"

func main() {
	log.SetFlags(0)

	conn, err := upstream.ParseConnection(connection)
	if err != nil {
		log.Fatal(err)
	}
	req, err := upstream.ParseAuthorizeQuery(authorizeQuery)
	if err != nil {
		log.Fatal(err)
	}
	url, err := upstream.AuthorizationURL(conn, req, upstream.Transaction{RequestToken: "example-request-token"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(url)
}
