package strategy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/metadata"
	"example.com/upstream/internal/strategy"
)

// resolve gives what Resolve says, one problem a line, by the last part of its path.
func resolve(name string, s strategy.Settings, own strategy.Own) (got strategy.Strategy, told []string) {
	got = strategy.Lookup(name, s).Resolve(name, own, func(path, message string) {
		if message != "" {
			told = append(told, strings.TrimPrefix(path, "options/")+" "+message)
		}
	})
	return got, told
}

func TestO8EndpointsInTheirOrder(t *testing.T) {
	okta := strategy.Settings{Domain: "idp.example.com"}
	described := metadata.Metadata{
		AuthorizationEndpoint: "https://idp.example.com/a", TokenEndpoint: "https://idp.example.com/t", UserinfoEndpoint: "https://idp.example.com/u",
	}
	for _, tc := range []struct {
		name, strategy  string
		s               strategy.Settings
		own             strategy.Own
		auth, token, me string
	}{
		{"the strategy's own", "github", strategy.Settings{}, strategy.Own{},
			"https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token", "https://api.github.com/user"},
		{"a token endpoint takes the userinfo endpoint along", "github", strategy.Settings{}, strategy.Own{TokenURL: "https://p.example.com/t"},
			"https://github.com/login/oauth/authorize", "https://p.example.com/t", ""},
		{"the same token endpoint does not", "github", strategy.Settings{}, strategy.Own{TokenURL: "https://github.com/login/oauth/access_token"},
			"https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token", "https://api.github.com/user"},
		{"metadata over what is derived", "okta", okta, strategy.Own{Metadata: described},
			"https://idp.example.com/a", "https://idp.example.com/t", "https://idp.example.com/u"},
		{"options over metadata, each by itself", "okta", okta, strategy.Own{Metadata: described, AuthorizationURL: "https://p.example.com/a"},
			"https://p.example.com/a", "https://idp.example.com/t", "https://idp.example.com/u"},
		{"a token endpoint over metadata's, whose userinfo endpoint gets no token of another", "okta", okta, strategy.Own{Metadata: described, TokenURL: "https://p.example.com/t"},
			"https://idp.example.com/a", "https://p.example.com/t", ""},
		{"the options repeat metadata's token endpoint, which is one provider", "oidc", strategy.Settings{},
			strategy.Own{Metadata: described, AuthorizationURL: "https://idp.example.com/a", TokenURL: "https://idp.example.com/t"},
			"https://idp.example.com/a", "https://idp.example.com/t", "https://idp.example.com/u"},
		{"which takes a strategy's own userinfo endpoint along", "github", strategy.Settings{},
			strategy.Own{Metadata: metadata.Metadata{TokenEndpoint: "https://p.example.com/t"}, TokenURL: "https://p.example.com/t"},
			"https://github.com/login/oauth/authorize", "https://p.example.com/t", ""},
		{"userinfo over metadata's", "okta", okta, strategy.Own{Metadata: described, UserinfoEndpoint: "https://p.example.com/u"},
			"https://idp.example.com/a", "https://idp.example.com/t", "https://p.example.com/u"},
		{"metadata's token endpoint takes the strategy's userinfo endpoint along", "google-oauth2", strategy.Settings{},
			strategy.Own{Metadata: metadata.Metadata{TokenEndpoint: "https://p.example.com/t"}},
			"https://accounts.google.com/o/oauth2/auth", "https://p.example.com/t", ""},
		{"metadata without a token endpoint leaves it", "github", strategy.Settings{},
			strategy.Own{Metadata: metadata.Metadata{AuthorizationEndpoint: "https://p.example.com/a"}},
			"https://p.example.com/a", "https://github.com/login/oauth/access_token", "https://api.github.com/user"},
	} {
		got, told := resolve(tc.strategy, tc.s, tc.own)
		assert.Empty(t, told, tc.name)
		assert.Equal(t, []string{tc.auth, tc.token, tc.me}, []string{got.AuthURL, got.TokenURL, got.UserinfoURL}, tc.name)
	}
	got, _ := resolve("bitbucket", strategy.Settings{}, strategy.Own{TokenURL: "https://p.example.com/t"})
	assert.False(t, got.BasicAuth, "what the strategy's own endpoint demands (H5) is not said of another")
	got, _ = resolve("bitbucket", strategy.Settings{}, strategy.Own{})
	assert.True(t, got.BasicAuth)
}

func TestO8ProblemsOfEndpoints(t *testing.T) {
	const https = "must begin with https://, or http:// for a loopback host"
	missing := func(names, name string) string {
		return "is missing; set " + names + `, since strategy "` + name + `" has no endpoint of its own`
	}
	for _, tc := range []struct {
		name, strategy string
		s              strategy.Settings
		own            strategy.Own
		want           []string
	}{
		{"none at all", "oauth2", strategy.Settings{}, strategy.Own{}, []string{
			"authorizationURL " + missing("authorizationURL or authorization_endpoint", "oauth2"), "tokenURL " + missing("tokenURL or token_endpoint", "oauth2")}},
		{"which could be derived", "okta", strategy.Settings{}, strategy.Own{AuthorizationURL: "https://p.example.com/a"}, []string{
			"tokenURL " + missing("tokenURL or token_endpoint, or "+strategy.Derives("okta"), "okta")}},
		{"which the host can read", "oidc", strategy.Settings{}, strategy.Own{AuthorizationURL: "https://p.example.com/a", Promised: true}, []string{
			"tokenURL is missing; discovery_url and issuer are not fetched here: module login reads the metadata from there, or put its text into oidc_metadata"}},
		{"of OAuth 1.0a", "oauth1", strategy.Settings{}, strategy.Own{}, []string{
			"userAuthorizationURL " + missing("userAuthorizationURL", "oauth1"), "requestTokenURL " + missing("requestTokenURL", "oauth1"),
			"accessTokenURL " + missing("accessTokenURL", "oauth1")}},
		{"none is wanted of what is refused", "oidc", strategy.Settings{}, strategy.Own{Type: "front_channel"}, nil},
		{"front_channel is OpenID Connect's", "oauth2", strategy.Settings{}, strategy.Own{Type: "front_channel", TokenURL: "https://p.example.com/t"}, []string{
			"authorizationURL " + missing("authorizationURL or authorization_endpoint", "oauth2")}},
		{"nor where there is no OAuth", "samlp", strategy.Settings{}, strategy.Own{}, nil},
		{"bad ones, of both protocols", "oauth2", strategy.Settings{}, strategy.Own{
			AuthorizationURL: "http://a", TokenURL: "http://t", UserinfoEndpoint: "http://u", UserAuthorizationURL: "http://ua", RequestTokenURL: "http://rt", AccessTokenURL: "http://at",
		}, []string{"authorizationURL " + https, "tokenURL " + https, "userAuthorizationURL " + https, "requestTokenURL " + https, "accessTokenURL " + https, "userinfo_endpoint " + https}},
		{"which the program allows", "oauth2", strategy.Settings{}, strategy.Own{AuthorizationURL: "http://a", TokenURL: "http://t", AnyHTTP: true}, nil},
		{"bad ones of metadata", "oauth2", strategy.Settings{}, strategy.Own{
			Metadata: metadata.Metadata{AuthorizationEndpoint: "http://a", TokenEndpoint: "http://t", UserinfoEndpoint: "http://u"},
		}, []string{"oidc_metadata/token_endpoint " + https, "oidc_metadata/authorization_endpoint " + https, "oidc_metadata/userinfo_endpoint " + https}},
		{"which nothing is read of", "samlp", strategy.Settings{}, strategy.Own{Metadata: metadata.Metadata{TokenEndpoint: "http://t"}}, nil},
		{"metadata of another host", "okta", strategy.Settings{Domain: "idp.example.com"}, strategy.Own{
			Metadata: metadata.Metadata{AuthorizationEndpoint: "https://idp.example.com/a", TokenEndpoint: "https://evil.example.com/t"},
		}, []string{"oidc_metadata/token_endpoint is at another host than the one that the options name"}},
		{"where the options name no host", "oidc", strategy.Settings{}, strategy.Own{
			Metadata: metadata.Metadata{AuthorizationEndpoint: "https://a.example.com/a", TokenEndpoint: "https://b.example.com/t"},
		}, nil},
	} {
		_, told := resolve(tc.strategy, tc.s, tc.own)
		assert.Equal(t, tc.want, told, tc.name)
	}
	// What is of the other protocol leads nowhere.
	own := strategy.Own{
		AuthorizationURL: "https://p.example.com/a", TokenURL: "https://p.example.com/t",
		UserAuthorizationURL: "https://p.example.com/ua", RequestTokenURL: "https://p.example.com/rt", AccessTokenURL: "https://p.example.com/at",
		Metadata: metadata.Metadata{TokenEndpoint: "https://p.example.com/mt"},
	}
	one, _ := resolve("oauth1", strategy.Settings{}, own)
	assert.Equal(t, strategy.Strategy{Protocol: strategy.OAuth1, Named: true, AuthURL: own.UserAuthorizationURL, TokenURL: own.AccessTokenURL, RequestTokenURL: own.RequestTokenURL}, one)
	two, _ := resolve("oauth2", strategy.Settings{}, own)
	assert.Equal(t, strategy.Strategy{Protocol: strategy.OAuth2, Named: true, AuthURL: own.AuthorizationURL, TokenURL: own.TokenURL}, two)
}

func TestS1OAuth(t *testing.T) {
	for p := strategy.Unknown; p <= strategy.Other+1; p++ {
		want := p == strategy.OAuth2 || p == strategy.OIDC || p == strategy.OAuth1
		assert.Equal(t, want, strategy.Strategy{Protocol: p}.OAuth(), p.String())
	}
}

func TestO2NearStrategy(t *testing.T) {
	for mistaken, want := range map[string]string{
		"GitHub": "github", "githb": "github", "git-hub": "github", "GITHB": "github", "google": "", "google-oauth": "google-oauth2", "gitlab": "", "oauth": "oauth1", "aple": "apple",
		"facebok": "facebook", "faceboook": "facebook", "facbok": "", "salesforce-": "salesforce", "waadd": "", "sams": "", "smal": "", "": "", "nothing-like-it": "",
		"oauht2": "", "shops": "", "adf": "", "okt": "", "evernote-s": "", "windowsliv": "windowslive",
	} {
		assert.Equal(t, want, strategy.Near(mistaken), mistaken)
	}
}
