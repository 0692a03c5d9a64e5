// Customoauth2 sends users to an OAuth 2.0 server of one's own choice, a custom
// social connection. Its options set a static parameter (authParams), let an
// incoming one take its place (authParamsMap), and ask for scopes, to which an
// application may add with connection_scope.
//
// The identity provider runs in this process and answers with what it received.
package main

import (
	_ "embed"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"

	"example.com/upstream"
)

//go:embed connection.json
var connection []byte

// identityProvider is an authorization endpoint. A real one would ask the user
// to log in.
func identityProvider(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "the identity provider received, at %s:\n", r.URL.Path)
	query := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		fmt.Fprintf(w, "  %-13s  %s\n", name, strings.Join(query[name], ", "))
	}
}

func main() {
	log.SetFlags(0)
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	idp := httptest.NewServer(http.HandlerFunc(identityProvider))
	defer idp.Close()

	conn, err := upstream.ParseConnection(connection)
	if err != nil {
		return err
	}
	conn.Options.AuthorizationURL = idp.URL + "/oauth2/authorize" // http is fine for loopback hosts
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "login button: %s (%s)\n", conn.DisplayName, conn.Options.IconURL)

	const request = "response_type=code&client_id=app&redirect_uri=https://app.example.com/callback" +
		"&scope=openid%20profile%20email&connection=custom-idp"
	for _, query := range []string{
		request,
		request + "&access_type=offline",
		request + "&connection_scope=calendar,contacts",
	} {
		req, err := upstream.ParseAuthorizeQuery(query)
		if err != nil {
			return err
		}
		target, err := provider.AuthorizationURL(req, upstream.Transaction{
			RedirectURI: "https://auth.example.com/login/callback",
			State:       upstream.NewSecret("unguessable-and-new-for-each-login"),
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\nGET /authorize?%s\n", query)
		if err := visit(w, target); err != nil {
			return err
		}
	}
	return nil
}

// visit does what a browser does that is sent to a URL.
func visit(w io.Writer, target string) error {
	resp, err := http.Get(target)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}
