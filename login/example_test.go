package login_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"example.com/upstream"
	"example.com/upstream/login"
)

// A server has one Login for each connection, and a callback for each.
func ExampleLogin_Begin() {
	conn, err := upstream.ParseConnection([]byte(`{"name": "corp", "strategy": "oidc", "options": {
		"client_id": "c1", "client_secret": "s1", "scope": "openid email", "issuer": "https://idp.example.com",
		"authorization_endpoint": "https://idp.example.com/authorize", "token_endpoint": "https://idp.example.com/token", "jwks_uri": "https://idp.example.com/keys",
		"upstream_params": {"login_hint": {"alias": "login_hint"}}}}`))
	if err != nil {
		log.Fatal(err)
	}
	sso, err := login.New(conn, login.Options{RedirectURI: "https://auth.example.com/callback/corp"})
	if err != nil {
		log.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := upstream.ParseAuthorizeRequest(r) // check its client_id and redirect_uri first
		if err == nil {
			err = sso.Begin(w, r, req, []byte("id of the request"))
		}
		if err != nil {
			http.Error(w, "The login cannot begin.", http.StatusBadRequest)
		}
	})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/authorize?client_id=app&login_hint=ann@example.com", nil))
	location, _ := w.Result().Location()
	fmt.Println(w.Code, location.Host, location.Query().Get("login_hint"), len(w.Result().Cookies()))
	// Output: 302 idp.example.com ann@example.com 1
}

func ExampleNewRouting() {
	corp, _ := upstream.ParseConnection([]byte(`{"name": "corp", "strategy": "samlp", "options": {"domain_aliases": ["corp.example"]}}`))
	github, _ := upstream.ParseConnection([]byte(`{"name": "github", "strategy": "github", "options": {}}`))
	routing, err := login.NewRouting([]*upstream.Connection{corp, github})
	if err != nil {
		log.Fatal(err)
	}
	for _, hint := range []string{"ann@corp.example", "ann@elsewhere.example"} {
		route, err := routing.Route(login.RouteRequest{ClientID: "app", LoginHint: hint})
		fmt.Printf("%q %q %v\n", route.Connection, route.Choices, err)
	}
	// Output:
	// "corp" [] <nil>
	// "" ["corp" "github"] <nil>
}
