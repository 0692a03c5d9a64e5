package fetchscript

// This file owns what a script is given.

import (
	"encoding/json"
	"strings"

	"golang.org/x/oauth2"

	"example.com/upstream"
)

// An input is what one run works on. It goes to the script as JSON.
type input struct {
	Token         string            `json:"token"`
	Secret        string            `json:"secret"` // OAuth 1.0a
	OAuth1        bool              `json:"oauth1"`
	Context       map[string]any    `json:"context"`
	Configuration map[string]string `json:"configuration"`
}

// newInput gathers the input, and which values of it no message may hold.
//
// oauth2.Token tells what the token response held only to those who know the
// name; so the script's own words are asked for.
func newInput(o *Options, words []string, token *oauth2.Token, conn *upstream.Connection) (*input, []string) {
	c := &conn.Options
	in := &input{Token: token.AccessToken, Context: map[string]any{}, Configuration: o.Configuration}
	if in.Configuration == nil {
		in.Configuration = map[string]string{}
	}
	secrets := []string{token.AccessToken, token.RefreshToken, c.ClientSecret.Reveal(), c.ClientID + ":" + c.ClientSecret.Reveal()}
	for _, value := range c.CustomHeaders {
		secrets = append(secrets, value.Reveal())
	}
	for _, value := range o.Configuration {
		secrets = append(secrets, value)
	}
	for _, name := range words {
		value := token.Extra(name)
		if value == nil || value == "" {
			continue
		}
		if _, err := json.Marshal(value); err != nil {
			continue // a program may have put anything there, with WithExtra
		}
		in.Context[name] = value
		secrets = appendSecrets(secrets, value, secretName(name), maxNested)
	}
	if text, isText := token.Extra("oauth_token_secret").(string); isText {
		in.Secret = text
		secrets = append(secrets, text)
	}
	if text, isText := token.Extra("id_token").(string); isText {
		in.Context["id_token"] = text
		secrets = append(secrets, text)
	}
	in.OAuth1 = in.Secret != "" || c.RequestTokenURL != ""
	in.describe(token, conn)
	return in, secrets
}

// describe puts in what does not depend on the script.
func (in *input) describe(token *oauth2.Token, conn *upstream.Connection) {
	c := &conn.Options
	put := func(name, value string) {
		if value != "" {
			in.Context[name] = value
		}
	}
	put("access_token", token.AccessToken)
	put("refresh_token", token.RefreshToken)
	put("token_type", token.TokenType)
	// The connection's own come last: no token response speaks for them.
	put("client_id", c.ClientID)
	put("client_secret", c.ClientSecret.Reveal())
	put("authorizationURL", c.AuthorizationURL)
	put("tokenURL", c.TokenURL)
	put("userinfo_endpoint", c.UserinfoEndpoint)
	put("issuer", c.Issuer)
	put("domain", c.Domain)
	put("tenant_domain", c.TenantDomain)
	put("requestTokenURL", c.RequestTokenURL)
	put("accessTokenURL", c.AccessTokenURL)
	put("userAuthorizationURL", c.UserAuthorizationURL)
	put("connection", conn.Name)
	put("strategy", conn.Strategy)
	if in.OAuth1 {
		for _, name := range []string{"consumerKey", "consumer_key"} {
			put(name, c.ClientID)
		}
		for _, name := range []string{"consumerSecret", "consumer_secret"} {
			put(name, c.ClientSecret.Reveal())
		}
	}
	if _, answered := in.Context["scope"]; !answered {
		put("scope", strings.Join(c.Scope, " "))
	}
}

// maxNested bounds how deep secrets are looked for in a token response. No
// vendor has them deeper than two.
const maxNested = 16

// appendSecrets gathers the texts in a member of a token response: where the
// member has the name of a secret all of them, else those under such a name, as
// in Slack's authed_user.
func appendSecrets(secrets []string, value any, secret bool, depth int) []string {
	if depth == 0 {
		return secrets
	}
	switch v := value.(type) {
	case string:
		if secret {
			secrets = append(secrets, v)
		}
	case []any:
		for _, one := range v {
			secrets = appendSecrets(secrets, one, secret, depth-1)
		}
	case map[string]any:
		for name, one := range v {
			secrets = appendSecrets(secrets, one, secretName(name) || secret && !strings.HasSuffix(strings.ToLower(name), "type"), depth-1)
		}
	}
	return secrets
}

// secretName says whether a member of a token response holds what must not be
// printed.
func secretName(name string) bool {
	name = strings.ToLower(name)
	return !strings.HasSuffix(name, "type") &&
		(strings.Contains(name, "token") || strings.Contains(name, "secret") || strings.Contains(name, "key") || strings.Contains(name, "assertion"))
}
