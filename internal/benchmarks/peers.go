package main

// This file holds the peers: how a program gets the same URL out of each. What
// a peer has no way to express is done as its user would have to do it, and
// said in a comment.

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/cap/oidc"
	"github.com/markbates/goth/providers/openidConnect"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"golang.org/x/text/language"

	"example.com/upstream/internal/benchmarks/sample"
)

// A peer makes, for a case, what makes its URLs.
type peer struct {
	name  string
	maker func(sample.Case) (sample.Maker, error)
}

// peers starts what the peers need, and gives them and what ends it.
func peers() ([]peer, func()) {
	discovery := discoveryServer()
	return []peer{
		{"x/oauth2", func(c sample.Case) (sample.Maker, error) { return c.Obvious(), nil }},
		{"zitadel", func(c sample.Case) (sample.Maker, error) { return zitadel(discovery.URL, c) }},
		{"goth", func(c sample.Case) (sample.Maker, error) { return gothConnect(discovery.URL, c) }},
		{"cap", func(c sample.Case) (sample.Maker, error) { return hashicorp(discovery.URL, c) }},
	}, discovery.Close
}

// discoveryServer answers OpenID Connect Discovery, which three peers insist on.
func discoveryServer() *httptest.Server {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{ // a client that went away is its own problem
			"issuer": server.URL, "authorization_endpoint": sample.AuthURL, "token_endpoint": sample.TokenURL,
			"userinfo_endpoint": server.URL + "/userinfo", "jwks_uri": server.URL + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	return server
}

func zitadel(issuer string, c sample.Case) (sample.Maker, error) {
	party, err := rp.NewRelyingPartyOIDC(context.Background(), issuer, sample.ClientID, sample.ClientSecret,
		sample.RedirectURI, sample.Scopes())
	if err != nil {
		return nil, err
	}
	fixed := []rp.AuthURLOpt{rp.AuthURLOpt(rp.WithURLParam("nonce", sample.Nonce))}
	for _, p := range c.Static {
		fixed = append(fixed, rp.AuthURLOpt(rp.WithURLParam(p.Name, p.Value)))
	}
	return func(in url.Values) (string, error) {
		options := make([]rp.AuthURLOpt, len(fixed), len(fixed)+len(c.Dynamic))
		copy(options, fixed)
		for _, p := range c.Dynamic {
			options = append(options, rp.AuthURLOpt(rp.WithURLParam(p.Name, in.Get(p.Value))))
		}
		return rp.AuthURL(sample.State, party, options...), nil
	}, nil
}

func gothConnect(issuer string, c sample.Case) (sample.Maker, error) {
	provider, err := openidConnect.New(sample.ClientID, sample.ClientSecret, sample.RedirectURI,
		issuer+"/.well-known/openid-configuration", sample.Scopes()...)
	if err != nil {
		return nil, err
	}
	return func(in url.Values) (string, error) {
		// Its options belong to the provider, and setting them appends. So each
		// request has a copy, of a provider that has none.
		own := *provider
		options := make(map[string]string, 1+len(c.Static)+len(c.Dynamic))
		options["nonce"] = sample.Nonce
		for _, p := range c.Static {
			options[p.Name] = p.Value
		}
		for _, p := range c.Dynamic {
			options[p.Name] = in.Get(p.Value)
		}
		own.SetAuthCodeOptions(options)
		session, err := own.BeginAuth(sample.State)
		if err != nil {
			return "", err
		}
		return session.GetAuthURL()
	}, nil
}

// hashicorp sends OpenID Connect's own parameters alone, each by an option of
// its own. All others have to be appended to its URL.
func hashicorp(issuer string, c sample.Case) (sample.Maker, error) {
	config, err := oidc.NewConfig(issuer, sample.ClientID, sample.ClientSecret, []oidc.Alg{oidc.RS256}, []string{sample.RedirectURI})
	if err != nil {
		return nil, err
	}
	provider, err := oidc.NewProvider(config)
	if err != nil {
		return nil, err
	}
	fixed := ""
	for _, p := range c.Static {
		fixed += "&" + url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value)
	}
	return func(in url.Values) (string, error) {
		options := []oidc.Option{oidc.WithState(sample.State), oidc.WithNonce(sample.Nonce), oidc.WithScopes(sample.Scopes()...)}
		appended := fixed
		for _, p := range c.Dynamic {
			switch value := in.Get(p.Value); p.Name {
			case "prompt":
				options = append(options, oidc.WithPrompts(oidc.Prompt(value)))
			case "ui_locales":
				var tags []language.Tag
				for locale := range strings.FieldsSeq(value) {
					tag, err := language.Parse(locale)
					if err != nil {
						return "", err
					}
					tags = append(tags, tag)
				}
				options = append(options, oidc.WithUILocales(tags...))
			default:
				appended += "&" + url.QueryEscape(p.Name) + "=" + url.QueryEscape(value)
			}
		}
		request, err := oidc.NewRequest(time.Minute, sample.RedirectURI, options...)
		if err != nil {
			return "", err
		}
		address, err := provider.AuthURL(context.Background(), request)
		return address + appended, err
	}, nil
}
