package strategy

// This file puts the endpoints of a connection together: the options' own, then
// the metadata's, then what the strategy has or derives. (rules C5, E5, O8)
//
// What is nearest to the administrator wins, for each endpoint by itself, since
// one is often overridden alone (a proxy before the token endpoint). Metadata comes
// from the network at some time in the life of a connection, so that it never
// replaces what somebody wrote; and where the options name the provider's host,
// metadata that points elsewhere is a mix-up (RFC 9700 section 4.4) and refused.

import (
	"strconv"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/metadata"
	"example.com/upstream/internal/option"
)

// Own is what the options say of endpoints. "" stands for absent.
type Own struct {
	AuthorizationURL, TokenURL, UserinfoEndpoint          string
	UserAuthorizationURL, RequestTokenURL, AccessTokenURL string // OAuth 1.0a

	Metadata metadata.Metadata
	Type     string // options.type
	Promised bool   // there is an issuer or a discovery_url, from which metadata may be read
	AnyHTTP  bool   // http is no problem
}

// frontChannel is the options.type of an ID token that comes through the
// browser, without a code. It has no use for endpoints of a code flow, and is
// refused by its name.
const frontChannel = "front_channel"

// Resolve gives the strategy called name with the endpoints of a connection,
// and reports problems by the path of the member.
func (s Strategy) Resolve(name string, own Own, report func(path, message string)) Strategy {
	use := func(path, value string, to *string, required bool) {
		if value != "" {
			report(path, check.Endpoint(value, option.Get(path).Bound(name).Text, own.AnyHTTP))
			*to = value
		} else if *to == "" && required {
			report(path, missing(name, path, own.Promised))
		}
	}
	// URLs of the protocol that the strategy does not speak are checked all the
	// same, and lead nowhere.
	first, second := new(Strategy), &s
	if s.Protocol == OAuth1 {
		first, second = &s, first
	} else if s.OAuth() {
		s = s.described(own, report)
	}
	// Another token endpoint is another provider: the strategy's userinfo endpoint
	// must not get that one's token.
	s = s.With(own.TokenURL)
	oauth1 := s.Protocol == OAuth1
	oauth2 := s.OAuth() && !oauth1 && (own.Type != frontChannel || s.Protocol != OIDC)
	use("options/authorizationURL", own.AuthorizationURL, &second.AuthURL, oauth2)
	use("options/tokenURL", own.TokenURL, &second.TokenURL, oauth2)
	use("options/userAuthorizationURL", own.UserAuthorizationURL, &first.AuthURL, oauth1)
	use("options/requestTokenURL", own.RequestTokenURL, &first.RequestTokenURL, oauth1)
	use("options/accessTokenURL", own.AccessTokenURL, &first.TokenURL, oauth1)
	use("options/userinfo_endpoint", own.UserinfoEndpoint, &s.UserinfoURL, false)
	return s
}

// described puts the endpoints of the metadata in the place of the strategy's
// own, where the options name none.
func (s Strategy) described(own Own, report func(path, message string)) Strategy {
	m := &own.Metadata
	use := func(named, value string, to *string, path string) {
		if named != "" || value == "" {
			return
		}
		at := "options/oidc_metadata" + path[strings.LastIndexByte(path, '/'):]
		report(at, check.Endpoint(value, option.Get(path).Limit.Text, own.AnyHTTP))
		if s.Host != "" && !check.HasHost(value, s.Host) {
			report(at, "is at another host than the one that the options name")
		}
		*to = value
	}
	if own.TokenURL == "" {
		s = s.With(m.TokenEndpoint)
	}
	use(own.TokenURL, m.TokenEndpoint, &s.TokenURL, "options/token_endpoint")
	use(own.AuthorizationURL, m.AuthorizationEndpoint, &s.AuthURL, "options/authorization_endpoint")
	use(own.UserinfoEndpoint, m.UserinfoEndpoint, &s.UserinfoURL, "options/userinfo_endpoint")
	return s
}

// missing says what to do where the strategy has no endpoint and the options
// name none.
func missing(name, path string, promised bool) string {
	if promised {
		return "is missing; discovery_url and issuer are not fetched here: module login reads the metadata from there, " +
			"or put its text into oidc_metadata"
	}
	names := strings.ReplaceAll(strings.Join(option.Get(path).Paths(), " or "), "options/", "")
	if from := Derives(name); from != "" {
		names += ", or " + from
	}
	return "is missing; set " + names + ", since strategy " + strconv.Quote(name) + " has no endpoint of its own"
}
