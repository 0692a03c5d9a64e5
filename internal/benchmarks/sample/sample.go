// Package sample holds the work that is measured, ours and the obvious way to
// do the same with x/oauth2. It imports nothing else, so that package latest
// can build it with another version of x/oauth2.
package sample

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"example.com/upstream"
)

// A Pair is a configured parameter: its name at the identity provider, and its
// fixed value or the incoming parameter that it takes its value from.
type Pair struct{ Name, Value string }

// A Case is what all implementations of a row are given.
type Case struct {
	Static   []Pair // name and value
	Dynamic  []Pair // name and incoming parameter
	RawQuery string // of the /authorize request
}

// What is the same in all cases. cap sends a nonce always, so all do.
const (
	ClientID     = "idp-client"
	ClientSecret = "idp-secret"
	RedirectURI  = "https://auth.example.com/login/callback"
	State        = "3Qz0pHkEw7Xb1v5tFZyQyA"
	Nonce        = "b7Kq2vYc9TzRf4mWnXsLhg"
	AuthURL      = "https://idp.example.com/oauth2/authorize"
	TokenURL     = "https://idp.example.com/oauth2/token"
)

// Scopes gives the connection's scopes.
func Scopes() []string { return []string{"openid", "profile", "email"} }

// Query is the /authorize request of the sample: nine parameters.
const Query = "response_type=code&client_id=app-1&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback" +
	"&scope=openid+profile&state=app-state&login_hint=user%40domain.com&prompt=select_account" +
	"&ui_locales=fr-CA+fr+en&connection=my-idp"

// Sample is the case of the first rows: one static parameter, three dynamic.
func Sample() Case {
	return Case{
		Static:   []Pair{{"blog", "myblog.wordpress.com"}},
		Dynamic:  []Pair{{"prompt", "prompt"}, {"screen_name", "login_hint"}, {"ui_locales", "ui_locales"}},
		RawQuery: Query,
	}
}

// Transaction is what the auth server adds.
func Transaction() upstream.Transaction {
	return upstream.Transaction{RedirectURI: RedirectURI, State: upstream.NewSecret(State), Nonce: upstream.NewSecret(Nonce)}
}

// Connection gives the case's configuration as the Management API has it. The
// last two arguments are the identity provider's endpoints.
func (c Case) Connection(authURL, tokenURL, userinfoURL string) []byte {
	params := map[string]map[string]string{}
	for _, p := range c.Static {
		params[p.Name] = map[string]string{"value": p.Value}
	}
	for _, p := range c.Dynamic {
		params[p.Name] = map[string]string{"alias": p.Value}
	}
	options := map[string]any{
		"client_id": ClientID, "client_secret": ClientSecret, "scope": strings.Join(Scopes(), " "),
		"authorizationURL": authURL, "tokenURL": tokenURL, "upstream_params": params,
	}
	if userinfoURL != "" {
		options["userinfo_endpoint"] = userinfoURL
	}
	data, err := json.Marshal(map[string]any{"name": "my-idp", "strategy": "oauth2", "options": options})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return data
}

// Provider compiles the case.
func (c Case) Provider() (*upstream.Provider, error) { return c.ProviderAt(AuthURL, TokenURL, "") }

// ProviderAt compiles the case for an identity provider with other endpoints.
func (c Case) ProviderAt(authURL, tokenURL, userinfoURL string) (*upstream.Provider, error) {
	conn, err := upstream.ParseConnection(c.Connection(authURL, tokenURL, userinfoURL))
	if err != nil {
		return nil, err
	}
	return upstream.NewProvider(conn)
}

// Config is the same configuration for x/oauth2.
func Config() *oauth2.Config {
	return &oauth2.Config{
		ClientID: ClientID, ClientSecret: ClientSecret, RedirectURL: RedirectURI, Scopes: Scopes(),
		Endpoint: oauth2.Endpoint{AuthURL: AuthURL, TokenURL: TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// A Maker makes the authorization URL of a request that has been parsed.
type Maker func(in url.Values) (string, error)

// Obvious is what people write without a library for it. Whatever does not
// change with the request is prepared once, as in all other implementations.
func (c Case) Obvious() Maker {
	config := Config()
	fixed := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("nonce", Nonce)}
	for _, p := range c.Static {
		fixed = append(fixed, oauth2.SetAuthURLParam(p.Name, p.Value))
	}
	return func(in url.Values) (string, error) {
		options := make([]oauth2.AuthCodeOption, len(fixed), len(fixed)+len(c.Dynamic))
		copy(options, fixed)
		for _, p := range c.Dynamic {
			options = append(options, oauth2.SetAuthURLParam(p.Name, in.Get(p.Value)))
		}
		return config.AuthCodeURL(State, options...), nil
	}
}

// FromQuery makes a function that goes the whole way from the raw query.
func (c Case) FromQuery(m Maker) func() (string, error) {
	return func() (string, error) {
		in, err := url.ParseQuery(c.RawQuery)
		if err != nil {
			return "", err
		}
		return m(in)
	}
}

// Ours is the whole way with this library.
type Ours struct {
	Provider *upstream.Provider
	RawQuery string
	tx       upstream.Transaction
}

// Ours compiles the case.
func (c Case) Ours() (*Ours, error) {
	p, err := c.Provider()
	return &Ours{p, c.RawQuery, Transaction()}, err
}

// FromQuery is a method and no closure, which the compiler would move into
// other packages and then leave ParseAuthorizeQuery out of line.
func (o *Ours) FromQuery() (string, error) {
	req, err := upstream.ParseAuthorizeQuery(o.RawQuery)
	if err != nil {
		return "", err
	}
	return o.Provider.AuthorizationURL(req, o.tx)
}

// Same reports an error unless two URLs say the same: the peers write the
// parameters in other orders.
func Same(got, want string) error {
	a, errA := url.Parse(got)
	b, errB := url.Parse(want)
	if errA != nil || errB != nil {
		return fmt.Errorf("not a URL: %q or %q", got, want)
	}
	if a.Query().Encode() != b.Query().Encode() {
		return fmt.Errorf("%q does not say what %q says", got, want)
	}
	a.RawQuery, b.RawQuery = "", ""
	if a.String() != b.String() {
		return fmt.Errorf("%q is another endpoint than %q", got, want)
	}
	return nil
}
