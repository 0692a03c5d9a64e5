// Wordpress gives a connection a static parameter: every login with it asks
// WordPress for access to one blog. It reads the connection as the Management
// API has it (before.json), adds the parameter, and prints the body for the
// API's Update, then the URL that logins use from then on. connection.json is
// the connection after that Update.
package main

import (
	_ "embed"
	"fmt"
	"log"

	"example.com/upstream"
)

//go:embed before.json
var before []byte

func main() {
	log.SetFlags(0)

	conn, err := upstream.ParseConnection(before)
	if err != nil {
		log.Fatal(err)
	}
	conn.Options.SetUpstreamParam("blog", upstream.Static("myblog.wordpress.com"))

	// An Update replaces options as a whole. The body therefore holds all that
	// was there before, what the library does not know ("profile") included.
	body, err := conn.UpdateBody()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("PATCH /api/v2/connections/%s\n%s\n\n", conn.ID, body)

	// The parameter is static, so that it needs nothing of the request.
	url, err := upstream.AuthorizationURL(conn, &upstream.AuthorizeRequest{}, upstream.Transaction{
		RedirectURI: "https://auth.example.com/login/callback",
		State:       upstream.NewSecret("unguessable-and-new-for-each-login"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(url)
}
