package sample

// This file holds what a server sees: requests that differ, in values, in their
// lengths and in the order of the parameters. One repeated request flatters
// whoever parses by hand, because the branch predictor knows it by heart.

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"example.com/upstream"
)

// Verifier is the PKCE verifier of the varied rows.
const Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

// Requests is how many different requests a varied row has.
const Requests = 512

// Varied gives the queries, the same in every run. more are the names of further
// parameters that each request has.
func Varied(more ...string) []string {
	r := rand.New(rand.NewPCG(2026, 11))
	text := func(least, most int) string {
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		var b strings.Builder
		for range least + r.IntN(most-least+1) {
			b.WriteByte(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	of := func(list ...string) string { return list[r.IntN(len(list))] }
	queries := make([]string, Requests)
	for i := range queries {
		pairs := [][2]string{
			{"response_type", "code"},
			{"client_id", text(8, 32)},
			{"redirect_uri", "https://" + strings.ToLower(text(3, 20)) + ".example.com/" + text(2, 12)},
			{"scope", of("openid", "openid profile", "openid profile email offline_access")},
			{"state", text(8, 64)},
			{"login_hint", text(3, 20) + of("@", "+x@", "") + strings.ToLower(text(3, 12)) + ".example.org"},
			{"prompt", of("login", "consent", "select_account", "none")},
			{"ui_locales", of("fr-CA fr en", "de", "en-GB en", "pt-BR")},
			{"connection", strings.ToLower(text(4, 24))},
		}
		for _, name := range more {
			pairs = append(pairs, [2]string{name, of("github", "corp", "saml-eu", "google")})
		}
		r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		escaped := make([]string, len(pairs))
		for j, p := range pairs {
			escaped[j] = p[0] + "=" + url.QueryEscape(p[1])
		}
		queries[i] = strings.Join(escaped, "&")
	}
	return queries
}

// VariedTransaction is Transaction with PKCE.
func VariedTransaction() upstream.Transaction {
	tx := Transaction()
	tx.CodeVerifier = upstream.NewSecret(Verifier)
	return tx
}

// OursVaried is the whole way with this library, each time for the next query.
type OursVaried struct {
	Provider *upstream.Provider
	Queries  []string
	TX       upstream.Transaction
	next     int
}

// FromQuery makes the next URL. It is a method for the reason that Ours has one.
func (o *OursVaried) FromQuery() (string, error) {
	o.next++
	req, err := upstream.ParseAuthorizeQuery(o.Queries[o.next%len(o.Queries)])
	if err != nil {
		return "", err
	}
	return o.Provider.AuthorizationURL(req, o.TX)
}

// ObviousVaried is the obvious way, each time for the next query, with PKCE.
func (c Case) ObviousVaried(queries []string) func() (string, error) {
	config := Config()
	fixed := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("nonce", Nonce)}
	for _, p := range c.Static {
		fixed = append(fixed, oauth2.SetAuthURLParam(p.Name, p.Value))
	}
	next := 0
	return func() (string, error) {
		next++
		in, err := url.ParseQuery(queries[next%len(queries)])
		if err != nil {
			return "", err
		}
		options := make([]oauth2.AuthCodeOption, len(fixed), len(fixed)+1+len(c.Dynamic))
		copy(options, fixed)
		options = append(options, oauth2.S256ChallengeOption(Verifier))
		for _, p := range c.Dynamic {
			options = append(options, oauth2.SetAuthURLParam(p.Name, in.Get(p.Value)))
		}
		return config.AuthCodeURL(State, options...), nil
	}
}

// With gives a provider whose upstream_params are this JSON object.
func With(upstreamParams string) (*upstream.Provider, error) {
	conn, err := upstream.ParseConnection(fmt.Appendf(nil, `{"name": "my-idp", "strategy": "oauth2", "options": {"client_id": %q, "scope": %q,
		"authorizationURL": %q, "tokenURL": %q, "upstream_params": %s}}`, ClientID, strings.Join(Scopes(), " "), AuthURL, TokenURL, upstreamParams))
	if err != nil {
		return nil, err
	}
	return upstream.NewProvider(conn)
}
