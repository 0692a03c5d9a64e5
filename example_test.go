package upstream_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/oauth2"

	"example.com/upstream"
)

// The WordPress connection of the vendor's documentation: a static parameter is added to
// what the Management API gave, nothing is lost, and the URL has it.
func Example() {
	conn, err := upstream.ParseConnection([]byte(`{"id": "con_1", "name": "wp", "strategy": "wordpress",
		"options": {"client_id": "12345", "profile": true, "scope": ["profile"]}}`))
	if err != nil {
		panic(err)
	}
	conn.Options.SetUpstreamParam("blog", upstream.Static("myblog.wordpress.com"))

	body, err := conn.UpdateBody()
	if err != nil {
		panic(err)
	}
	fmt.Println(string(body))

	url, err := upstream.AuthorizationURL(conn, nil, upstream.Transaction{
		RedirectURI: "https://auth.example.com/login/callback",
		State:       upstream.NewSecret("af0ifjsldkj"),
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(url)
	// Output:
	// {"options":{"client_id":"12345","profile":true,"scope":["profile"],"upstream_params":{"blog":{"value":"myblog.wordpress.com"}}}}
	// https://public-api.wordpress.com/oauth2/authorize?blog=myblog.wordpress.com&client_id=12345&redirect_uri=https%3A%2F%2Fauth.example.com%2Flogin%2Fcallback&response_type=code&scope=profile&state=af0ifjsldkj
}

// A server builds the Provider once and asks it for every login.
func ExampleProvider_AuthorizationURL() {
	conn, err := upstream.ParseConnection([]byte(`{"name": "my-idp", "strategy": "oauth2", "options": {
		"client_id": "idp-client", "authorizationURL": "https://idp.example.com/authorize", "tokenURL": "https://idp.example.com/token",
		"upstream_params": {"screen_name": {"alias": "login_hint"}}}}`))
	if err != nil {
		panic(err)
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		panic(err)
	}
	authorize := func(w http.ResponseWriter, r *http.Request) {
		req, err := upstream.ParseAuthorizeRequest(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		url, err := provider.AuthorizationURL(req, upstream.Transaction{
			RedirectURI: "https://auth.example.com/login/callback",
			State:       upstream.NewSecret("af0ifjsldkj"), // of the auth server, new for each login; never req.State
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, url, http.StatusFound)
	}
	w := httptest.NewRecorder()
	authorize(w, httptest.NewRequest("GET", "/authorize?response_type=code&client_id=app&login_hint=user@domain.com&state=x", nil))
	fmt.Println(w.Header().Get("Location"))
	// Output:
	// https://idp.example.com/authorize?client_id=idp-client&redirect_uri=https%3A%2F%2Fauth.example.com%2Flogin%2Fcallback&response_type=code&screen_name=user%40domain.com&state=af0ifjsldkj
}

// Explain says why each parameter is in the URL, or why not.
func ExampleProvider_Explain() {
	provider, err := upstream.NewProvider(&upstream.Connection{Name: "my-idp", Strategy: "oauth2", Options: upstream.Options{
		ClientID: "idp-client", AuthorizationURL: "https://idp.example.com/authorize", TokenURL: "https://idp.example.com/token",
		UpstreamParams: map[string]upstream.Param{
			"prompt":      {Alias: "prompt", Value: "login", Allow: []string{"login", "select_account"}},
			"screen_name": upstream.Dynamic("login_hint"),
		},
	}})
	if err != nil {
		panic(err)
	}
	req := &upstream.AuthorizeRequest{Prompt: "none", UILocales: "fr"}
	explanation, err := provider.Explain(req, upstream.Transaction{RedirectURI: "https://auth.example.com/cb", State: upstream.NewSecret("s")})
	if err != nil {
		panic(err)
	}
	for _, d := range explanation.Parameters {
		if d.Layer == "upstream_params" {
			fmt.Printf("%s=%q sent=%v %s\n", d.Name, d.Value, d.Sent, d.Reason)
		}
	}
	fmt.Println("not mapped:", explanation.Unmapped)
	// Output:
	// prompt="login" sent=true upstream_params: prompt does not pass allow, allow_pattern or translate
	// screen_name="" sent=false upstream_params: the request has no login_hint
	// not mapped: [ui_locales]
}

// AppendAuthorizationURL writes into a buffer that the server keeps.
func ExampleProvider_AppendAuthorizationURL() {
	provider, err := upstream.NewProvider(&upstream.Connection{Strategy: "github", Options: upstream.Options{ClientID: "c"}})
	if err != nil {
		panic(err)
	}
	buf := make([]byte, 0, 1024)
	buf, err = provider.AppendAuthorizationURL(buf, nil, upstream.Transaction{RedirectURI: "https://auth.example.com/cb", State: upstream.NewSecret("s")})
	fmt.Println(string(buf), err)
	// Output:
	// https://github.com/login/oauth/authorize?client_id=c&redirect_uri=https%3A%2F%2Fauth.example.com%2Fcb&response_type=code&state=s <nil>
}

// Validate tells every problem at once, with its place and the remedy.
func ExampleConnection_Validate() {
	conn, err := upstream.ParseConnection([]byte(`{"strategy": "github", "customHeaders": {},
		"options": {"client_id": "c", "upstream_params": {"prompt": "login", "login": {"alias": "login_hnt"}}}}`))
	if err != nil {
		panic(err)
	}
	var bad *upstream.ConfigError
	if errors.As(conn.Validate(), &bad) {
		for _, p := range bad.Problems {
			fmt.Println(p.Pointer, p.Message)
		}
	}
	// Output:
	// /customHeaders is not read here; write options.customHeaders
	// /options/upstream_params/prompt must be an object; write {"value": "..."}
	// /options/upstream_params/login/alias is not one of acr_values audience client_id display id_token_hint login_hint max_age prompt resource response_mode response_type ui_locales; did you mean login_hint?
}

// A malformed request has an error that fits an OAuth error response.
func ExampleParseAuthorizeQuery() {
	_, err := upstream.ParseAuthorizeQuery("client_id=app&prompt=login&prompt=none")
	var bad *upstream.RequestError
	if errors.As(err, &bad) {
		fmt.Println(bad.Code, bad.Parameter, "-", bad.Description)
	}
	// Output:
	// invalid_request prompt - parameter prompt is given more than once
}

// SAML connections are refused on every way to an authorization URL.
func ExampleNewProvider_saml() {
	_, err := upstream.NewProvider(&upstream.Connection{Name: "corp", Strategy: "samlp"})
	fmt.Println(errors.Is(err, upstream.ErrSAML), err)
	// Output:
	// true upstream: strategy "samlp": SAML identity providers take no upstream parameters, so that SAML is not spoken here
}

// From a raw query, the whole way.
func ExampleNewProvider() {
	conn, err := upstream.ParseConnection([]byte(`{"strategy": "wordpress", "options": {"client_id": "12345", "scope": ["profile"],
		"upstream_params": {"blog": {"value": "myblog.wordpress.com"}, "user": {"alias": "login_hint"}}}}`))
	if err != nil {
		log.Fatal(err)
	}
	provider, err := upstream.NewProvider(conn) // once for each connection; safe for concurrent use
	if err != nil {
		log.Fatal(err)
	}
	req, err := upstream.ParseAuthorizeQuery("client_id=app&response_type=code&login_hint=user%40domain.com") // in a handler: ParseAuthorizeRequest(r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(provider.AuthorizationURL(req, upstream.Transaction{
		RedirectURI: "https://auth.example.com/login/callback",
		State:       upstream.NewSecret("af0ifjsldkj"), // NewTransaction makes one that nobody can guess
	}))
	// Output:
	// https://public-api.wordpress.com/oauth2/authorize?blog=myblog.wordpress.com&client_id=12345&redirect_uri=https%3A%2F%2Fauth.example.com%2Flogin%2Fcallback&response_type=code&scope=profile&state=af0ifjsldkj&user=user%40domain.com <nil>
}

// The two functions that most servers need: one when it starts, one for each request.
func ExampleParseAuthorizeRequest() {
	data := []byte(`{"strategy": "github", "options": {"client_id": "c", "upstream_params": {"login": {"alias": "login_hint"}}}}`)
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/authorize?response_type=code&client_id=app&login_hint=ann", nil)
	const callback = "https://auth.example.com/login/callback"

	conn, err := upstream.ParseConnection(data) // JSON as Auth0's Management API has it
	if err != nil {
		log.Fatal(err)
	}
	provider, err := upstream.NewProvider(conn) // checked, compiled, immutable
	if err != nil {
		log.Fatal(err) // every problem at once, each with its place and the remedy
	}

	req, err := upstream.ParseAuthorizeRequest(r) // GET /authorize?...&login_hint=...
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	tx := upstream.NewTransaction(callback) // new for each login; keep it for the callback
	url, err := provider.AuthorizationURL(req, tx)

	fmt.Println(strings.HasPrefix(url, "https://github.com/login/oauth/authorize?client_id=c&code_challenge="), err)
	fmt.Println(strings.HasSuffix(url, "&state="+tx.State.Reveal()))
	// Output:
	// true <nil>
	// true
}

// A host that has parsed the request already, here of a POST, passes the values.
func ExampleParseAuthorizeValues() {
	req, err := upstream.ParseAuthorizeValues(url.Values{"client_id": {"app"}, "prompt": {"login"}, "utm_source": {"mail"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(req.ClientID, req.Prompt)
	// Output: app login
}

// For a script or a test, one call.
func ExampleAuthorizationURL() {
	conn := &upstream.Connection{Strategy: "github", Options: upstream.Options{
		ClientID:       "c",
		UpstreamParams: map[string]upstream.Param{"allow_signup": upstream.Static("false"), "login": upstream.Dynamic("login_hint")},
	}}
	fmt.Println(upstream.AuthorizationURL(conn, &upstream.AuthorizeRequest{LoginHint: "ann"},
		upstream.Transaction{RedirectURI: "https://auth.example.com/cb", State: upstream.NewSecret("s")}))
	// Output:
	// https://github.com/login/oauth/authorize?allow_signup=false&client_id=c&login=ann&redirect_uri=https%3A%2F%2Fauth.example.com%2Fcb&response_type=code&state=s <nil>
}

// A parameter is added to a connection that the Management API has given; the
// body for its Update has all that was there before.
func ExampleConnection_UpdateBody() {
	data := []byte(`{"id": "con_1", "name": "wp", "strategy": "wordpress", "options": {"client_id": "12345", "set_user_root_attributes": "on_each_login"}}`)

	conn, err := upstream.ParseConnection(data)
	if err != nil {
		log.Fatal(err)
	}
	conn.Options.SetUpstreamParam("blog", upstream.Static("myblog.wordpress.com"))
	body, err := conn.UpdateBody() // {"options": {...}}: all of the options, as the Update replaces them

	fmt.Println(string(body), err)
	// Output:
	// {"options":{"client_id":"12345","set_user_root_attributes":"on_each_login","upstream_params":{"blog":{"value":"myblog.wordpress.com"}}}} <nil>
}

// A host that makes the URL with an oauth2.Config of its own takes the
// parameters alone.
func ExampleProvider_Params() {
	conn, err := upstream.ParseConnection([]byte(`{"strategy": "wordpress", "options": {"client_id": "12345",
		"upstream_params": {"blog": {"value": "myblog.wordpress.com"}, "user": {"alias": "login_hint"}}}}`))
	if err != nil {
		log.Fatal(err)
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		log.Fatal(err)
	}
	req, err := upstream.ParseAuthorizeQuery("client_id=app&response_type=code&login_hint=user%40domain.com")
	if err != nil {
		log.Fatal(err)
	}
	params, err := provider.Params(req, upstream.Transaction{Extra: map[string]string{"lang": "fr"}}) // a value of its own beside them
	if err != nil {
		log.Fatal(err)
	}
	var options []oauth2.AuthCodeOption
	for name := range params {
		options = append(options, oauth2.SetAuthURLParam(name, params.Get(name)))
	}
	config := oauth2.Config{ClientID: "12345", Endpoint: oauth2.Endpoint{AuthURL: "https://public-api.wordpress.com/oauth2/authorize"}}
	fmt.Println(config.AuthCodeURL("af0ifjsldkj", options...))
	// Output:
	// https://public-api.wordpress.com/oauth2/authorize?blog=myblog.wordpress.com&client_id=12345&lang=fr&response_type=code&state=af0ifjsldkj&user=user%40domain.com
}

// A server that has many connections builds their Providers on all processors.
func ExampleNewProvider_many() {
	connections := []*upstream.Connection{
		{Strategy: "github", Options: upstream.Options{ClientID: "a"}},
		{Strategy: "wordpress", Options: upstream.Options{ClientID: "b"}},
		{Strategy: "samlp"},
	}

	providers := make([]*upstream.Provider, len(connections))
	var builders sync.WaitGroup
	for first := range runtime.GOMAXPROCS(0) {
		builders.Go(func() {
			for i := first; i < len(connections); i += runtime.GOMAXPROCS(0) {
				providers[i], _ = upstream.NewProvider(connections[i]) // nil for one that cannot be used: tell its owner
			}
		})
	}
	builders.Wait()

	fmt.Println(providers[0].ClientID(), providers[1].ClientID(), providers[2] == nil)
	// Output:
	// a b true
}

// What the connection says and nothing will come of.
func ExampleConnection_Warnings() {
	conn, err := upstream.ParseConnection([]byte(`{"name": "my-idp", "strategy": "oauth2", "options": {
		"client_id": "c", "authorizationURL": "https://idp.example.com/authorize", "tokenURL": "https://idp.example.com/token",
		"custom_headers": {"X-Key": "secret"}, "kid": "1", "colour": "red"}}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range conn.Warnings() {
		fmt.Println(w.Pointer, w.Message)
	}
	// Output:
	// /options/custom_headers is not known here and has no effect; did you mean customHeaders?
	// /options/colour is not known here and has no effect
	// /options/kid has no effect here; it is read for apple alone
}

// urlFor gives the query of the URL for options and a request: what the examples
// of parameters show.
func urlFor(upstreamParams, request string) string {
	conn, err := upstream.ParseConnection([]byte(`{"name": "corp", "strategy": "oidc", "options": {"client_id": "c", "scope": "openid",
		"authorization_endpoint": "https://idp.example.com/authorize", "token_endpoint": "https://idp.example.com/token",
		"upstream_params": ` + upstreamParams + `}}`))
	if err != nil {
		log.Fatal(err)
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		log.Fatal(err)
	}
	req, err := upstream.ParseAuthorizeQuery(request)
	if err != nil {
		return err.Error()
	}
	params, err := provider.Params(req, upstream.Transaction{})
	if err != nil {
		return err.Error()
	}
	return params.Encode()
}

// Names that the vendor's list does not have come by from, with values that the
// connection lists; all other values are as if absent.
func ExampleParam_from() {
	keycloak := `{"kc_idp_hint": {"from": "idphint", "allow": ["github", "corp-saml"], "value": "corp-saml"}}`
	fmt.Println(urlFor(keycloak, "idphint=github"))
	fmt.Println(urlFor(keycloak, "idphint=evil"))

	fmt.Println(urlFor(`{"kc_idp_hint": {"from": "kc_idp_hint", "allow_pattern": "[a-z0-9-]{1,32}"}}`, "kc_idp_hint=github"))
	fmt.Println(urlFor(`{"organization": {"from": "organization", "allow_pattern": "org_[A-Za-z0-9]{1,24}"}}`, "organization=org_7Xk"))
	fmt.Println(urlFor(`{"domain_hint": {"from": "domain_hint", "allow": ["contoso.com", "fabrikam.com"]}}`, "domain_hint=contoso.com&domain_hint=x"))
	// Output:
	// kc_idp_hint=github
	// kc_idp_hint=corp-saml
	// kc_idp_hint=github
	// organization=org_7Xk
	// upstream: invalid_request: parameter domain_hint is given more than once
}

// Of a claims request, the claims that are not allowed are taken out.
func ExampleParam_claims() {
	fmt.Println(urlFor(`{"claims": {"from": "claims", "allow": ["email", "auth_time"]}}`,
		url.Values{"claims": {`{"userinfo": {"email": {"essential": true}, "phone_number": null}, "id_token": {"auth_time": null}}`}}.Encode()))
	// Output:
	// claims=%7B%22userinfo%22%3A%7B%22email%22%3A%7B%22essential%22%3A+true%7D%7D%2C%22id_token%22%3A%7B%22auth_time%22%3Anull%7D%7D
}

// A prompt for everybody, but for those whose name the application knows.
func ExampleParam_unless() {
	picker := `{"prompt": {"value": "select_account", "unless": ["login_hint"]}, "login_hint": {"alias": "login_hint"}}`
	fmt.Println(urlFor(picker, ""))
	fmt.Println(urlFor(picker, "login_hint=ann@example.com"))
	// Output:
	// prompt=select_account
	// login_hint=ann%40example.com
}

// A host may read what its connections ask for, and set it in a request of its own
// making.
func ExampleAuthorizeRequest_Other() {
	req, err := upstream.ParseAuthorizeQuery("client_id=app&idphint=github")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.Other("idphint"))
	// Output:
	// github <nil>
}

func ExampleAuthorizeRequest_SetOther() {
	req := &upstream.AuthorizeRequest{ClientID: "app"}
	req.SetOther("idphint", "github")
	fmt.Println(req.Other("idphint"))
	// Output:
	// github <nil>
}
