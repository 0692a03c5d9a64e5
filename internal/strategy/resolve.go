package strategy

// This file puts the endpoints of a connection together: the options' own, then
// the metadata's, then what the strategy has or derives. (rules C5, E5, O8)
//
// What is nearest to the administrator wins, for each endpoint by itself, since
// one is often overridden alone (a proxy before the token endpoint). Metadata comes
// from the network at some time in the life of a connection, so that it never
// replaces what somebody wrote; and where the options name the provider's host,
// metadata that points elsewhere is a mix-up (RFC 9700 section 4.4) and refused.
//
//	                       authorization   token   userinfo
//	options                the first that is there, each by itself
//	options.oidc_metadata        |           |      only of the token endpoint's provider:
//	strategy, by settings        |           |      another token endpoint in a line above
//	strategy, fixed              v           v      takes it away
//
// The userinfo endpoint is the exception because an access token is sent to it: one
// that another provider issued would be handed to a stranger.

import (
	"cmp"
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
// and reports problems by the path of the member. An endpoint that is wrong is used
// all the same, since the problem keeps the connection from being built, and a second
// one ("is missing") would be about nothing.
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
	// After the metadata, whose userinfo endpoint goes as well.
	s = s.With(own.TokenURL)
	oauth1 := s.Protocol == OAuth1
	// front_channel is a problem of its own already, and means something to OpenID
	// Connect alone.
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
// own, where the options name none. The token endpoint is first, since it decides
// about the userinfo endpoint. Metadata is limited as the vendor limits the option
// of the same name, for any strategy: it is no strategy's own form.
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
	// Options that repeat what the metadata says, as a dashboard writes them, are the
	// same provider.
	if own.TokenURL == "" || own.TokenURL == m.TokenEndpoint {
		s = s.With(m.TokenEndpoint)
		s.TokenURL = cmp.Or(own.TokenURL, s.TokenURL)
	}
	use(own.TokenURL, m.TokenEndpoint, &s.TokenURL, "options/token_endpoint")
	use(own.AuthorizationURL, m.AuthorizationEndpoint, &s.AuthURL, "options/authorization_endpoint")
	use(own.UserinfoEndpoint, m.UserinfoEndpoint, &s.UserinfoURL, "options/userinfo_endpoint")
	return s
}

// missing says what to do where the strategy has no endpoint and the options
// name none. A promise of metadata goes first: whoever wrote an issuer has not
// forgotten the endpoint, but expects it to be found.
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
