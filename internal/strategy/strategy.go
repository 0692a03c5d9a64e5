// Package strategy owns what is known of a connection's strategy by its name
// alone: the protocol that it speaks (S1), the endpoints that need no
// configuration (S4), how its token endpoint wants the client's credentials
// (H5), and whether a subject carries the connection's name (U9).
//
// It must not know requests or the building of authorization URLs, and [Lookup]
// refuses nothing: an unusable setting yields a [Strategy] without endpoints,
// never an error. [Strategy.Resolve] says what is wrong with the endpoints of a
// connection; how that is reported is the caller's part.
//
// An endpoint stands here only where it is one address for everybody and the
// provider's documentation has it. A guessed endpoint would send users, and
// then the client's secret, to a host that nobody chose.
package strategy

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"example.com/upstream/internal/check"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"
)

// Protocol is what a strategy speaks. Its text is for people ("SAML", "OAuth 2.0").
type Protocol uint8

// The protocols of S1.
const (
	Unknown      Protocol = iota // a strategy name that is not in the table
	OAuth2                       // OAuth 2.0 (RFC 6749)
	OIDC                         // OpenID Connect Core 1.0
	OAuth1                       // OAuth 1.0a (RFC 5849)
	SAML                         // SAML 2.0
	WSFederation                 // WS-Federation
	LDAP                         // a directory behind a connector
	Database                     // user names and passwords of the auth server itself
	Passwordless                 // one-time codes by email or SMS
	Other                        // known by name, with no protocol of this list
)

// String returns the protocol's name as people write it; "unknown" for any
// value that is not one of the constants.
func (p Protocol) String() string {
	switch p {
	case OAuth2:
		return "OAuth 2.0"
	case OIDC:
		return "OpenID Connect"
	case OAuth1:
		return "OAuth 1.0a"
	case SAML:
		return "SAML"
	case WSFederation:
		return "WS-Federation"
	case LDAP:
		return "LDAP"
	case Database:
		return "database"
	case Passwordless:
		return "passwordless"
	case Other:
		return "other"
	default:
		return "unknown"
	}
}

// Strategy is what is known of one strategy name. The zero value is an unknown
// strategy. AuthURL and TokenURL are both set or both empty; empty means that
// the connection's options have to name them.
type Strategy struct {
	// Protocol is what the strategy speaks.
	Protocol Protocol

	// AuthURL is the authorization endpoint; with OAuth 1.0a the user
	// authorization URL (RFC 5849 section 2.2).
	AuthURL string

	// TokenURL is the token endpoint; with OAuth 1.0a the access token URL
	// (RFC 5849 section 2.3).
	TokenURL string

	// RequestTokenURL is the temporary credential request URL (RFC 5849
	// section 2.1). Only OAuth 1.0a has one.
	RequestTokenURL string

	// UserinfoURL is where the user's profile is. It is set only for
	// strategies whose profile this module maps: github, google-oauth2 and
	// wordpress.
	UserinfoURL string

	// BasicAuth reports that TokenURL demands the client's credentials by HTTP
	// Basic (H5). It says nothing of an endpoint that the options name instead.
	BasicAuth bool

	// Named reports that the subject carries the connection's name (U9),
	// because two connections of this strategy may number their users alike.
	Named bool

	// Host is that of the endpoints where the settings name it (O8), "" where
	// they do not. Endpoints at other hosts are then somebody else's.
	Host string
}

// OAuth reports whether the protocol has an OAuth authorization endpoint.
func (s Strategy) OAuth() bool {
	return s.Protocol == OAuth2 || s.Protocol == OIDC || s.Protocol == OAuth1
}

// Settings are the connection options that change what a strategy means. The
// zero value is a connection that sets none of them.
type Settings struct {
	Protocol     string // options.protocol of twitter: "oauth1" (also "") or "oauth2"
	Domain       string // options.domain of okta: a host name, such as "dev-1.okta.com"
	TenantDomain string // options.tenant_domain of waad: a host name or a tenant id
	TenantID     string // options.tenantId of waad
	IdentityAPI  string // options.identity_api of waad
	UseWSFed     bool   // options.use_wsfed of waad
	WAADProtocol string // options.waad_protocol of waad

	UseCommonEndpoint bool   // options.useCommonEndpoint of waad
	CommunityBaseURL  string // options.community_base_url of salesforce-community
	BaseURL           string // options.baseUrl of exact
	Version           int    // options.strategy_version
}

// Lookup returns what is known of the strategy called name, under the options
// s. Names are case-sensitive. An unknown name gives the zero Strategy.
//
// The table answers by name, and the few strategies whose settings change the answer
// are below. A setting that cannot be used changes nothing, so that the endpoint is
// missing and gets a problem of its own, with what to write (Derives). No value of a
// setting is put into a URL before it is known to be a host or an address: it would
// choose where the client's secret is sent.
func Lookup(name string, s Settings) Strategy {
	st := table[name]
	switch name {
	case "twitter":
		// Any other value stays OAuth 1.0a: the caller reports it.
		if s.Protocol == "oauth2" {
			st = basic(endpoints.X) // X docs, "How to connect to endpoints using OAuth 2.0", confidential clients
		}
	case "okta":
		// Okta docs, "Org Authorization Server". A custom authorization server
		// has other paths, and then the options name its endpoints.
		if isHostname(s.Domain) {
			st.AuthURL = "https://" + s.Domain + "/oauth2/v1/authorize"
			st.TokenURL = "https://" + s.Domain + "/oauth2/v1/token"
			st.Host = s.Domain
		}
	case "waad":
		st = waad(st, s)
	case "salesforce-community": // Salesforce help, "OAuth Endpoints", on Experience Cloud sites
		st = st.at(s.CommunityBaseURL, "/services/oauth2/authorize", "/services/oauth2/token")
	case "exact": // https://support.exactonline.com, "Obtaining OAuth tokens"; the host differs by country
		st = st.at(s.BaseURL, "/api/oauth2/auth", "/api/oauth2/token")
	case "windowslive":
		// Version 2 is registered at the Microsoft identity platform; "consumers" is
		// its tenant of personal accounts, which this strategy is for.
		if s.Version == 2 {
			e := endpoints.AzureAD("consumers")
			st.AuthURL, st.TokenURL = e.AuthURL, e.TokenURL
		}
	}
	return st
}

// at gives the strategy with endpoints below a base that the settings name. A
// base that is not a plain https address gives none.
func (s Strategy) at(base, authorize, token string) Strategy {
	if base = strings.TrimRight(base, "/"); base == "" {
		return s
	}
	u, err := url.Parse(base)
	if err != nil || check.Endpoint(base, maxBase, false) != "" || strings.Contains(base, "?") {
		return s
	}
	s.AuthURL, s.TokenURL, s.Host = base+authorize, base+token, u.Host
	return s
}

// maxBase leaves room for the paths below it, in characters.
const maxBase = 200

// Derives says which options the strategy makes its endpoints of, as the end of
// a sentence; "" if it makes them of none.
func Derives(name string) string {
	switch name {
	case "okta":
		return "domain to the host name of the organization, without https://"
	case "waad":
		return "tenant_domain to the host name or id of the tenant, or useCommonEndpoint to true"
	case "salesforce-community":
		return "community_base_url to the https address of the site"
	case "exact":
		return "baseUrl to the https address of the country's server"
	}
	return ""
}

// With gives what is left of a strategy where the options name a token endpoint:
// what was said of its own holds for no other, and its userinfo endpoint would
// get the token of another issuer. The same URL, written out, leaves everything.
func (s Strategy) With(tokenURL string) Strategy {
	if tokenURL != "" && tokenURL != s.TokenURL {
		s.BasicAuth, s.UserinfoURL = false, ""
	}
	return s
}

// Names gives all strategy names, sorted.
func Names() []string { return slices.Sorted(maps.Keys(table)) }

// identityAPIv1 is the options.identity_api of the Azure AD v1.0 endpoints.
const identityAPIv1 = "azure-active-directory-v1.0"

// waad completes the Azure AD strategy. The tenant "common" lets in users of
// every organization, so nothing but the option that says so leads there. Of the
// settings that name a tenant the most specific wins; domain comes last, as it may
// as well be one that users are found by. Host stays empty: the settings name a
// tenant, and which of Microsoft's hosts serves it is for the metadata to say.
func waad(st Strategy, s Settings) Strategy {
	tenant := "common"
	if !s.UseCommonEndpoint {
		tenant = cmp.Or(s.TenantDomain, s.TenantID, s.Domain)
	}
	switch {
	case s.UseWSFed || saysWSFed(s.WAADProtocol):
		st.Protocol = WSFederation
	case !isHostname(tenant):
		// No usable tenant, no endpoints.
	case s.IdentityAPI == identityAPIv1:
		// Microsoft Learn, "Authorize access to Azure Active Directory web
		// applications using the OAuth 2.0 code grant flow" (v1.0).
		st.AuthURL = "https://login.microsoftonline.com/" + tenant + "/oauth2/authorize"
		st.TokenURL = "https://login.microsoftonline.com/" + tenant + "/oauth2/token"
	default:
		e := endpoints.AzureAD(tenant)
		st.AuthURL, st.TokenURL = e.AuthURL, e.TokenURL
	}
	return st
}

// saysWSFed reports whether a waad_protocol means WS-Federation. The documented
// spelling is "ws-federation" (the other value is "openid-connect"). Other
// spellings are let through on purpose: taking one for OpenID Connect would
// start a login that the connection was not made for.
func saysWSFed(protocol string) bool {
	for _, spelling := range [...]string{"ws-federation", "wsfederation", "ws-fed", "wsfed"} {
		if strings.EqualFold(protocol, spelling) {
			return true
		}
	}
	return false
}

// Limits of RFC 1035 section 2.3.4, in bytes.
const (
	maxHostname = 253
	maxLabel    = 63
)

// isHostname reports whether s can stand as the host, or as one path segment,
// of a URL and mean nothing else: dotted labels of ASCII letters, digits and
// inner hyphens. It keeps a scheme, port, user, path, query or ".." in a
// configured domain from choosing where the credentials go.
func isHostname(s string) bool {
	if len(s) > maxHostname {
		return false
	}
	for more := true; more; { // once more after the last dot: "a." has an empty label
		var label string
		label, s, more = strings.Cut(s, ".")
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return true
}

// social is a built-in social strategy over OAuth 2.0 whose endpoints are e.
func social(e oauth2.Endpoint) Strategy {
	return Strategy{Protocol: OAuth2, AuthURL: e.AuthURL, TokenURL: e.TokenURL}
}

// basic is social with a token endpoint that demands HTTP Basic (H5). The field
// AuthStyle of x/oauth2's endpoints cannot tell: it is "auto detect" in all.
func basic(e oauth2.Endpoint) Strategy {
	st := social(e)
	st.BasicAuth = true
	return st
}

// userinfo adds the address of the user's profile.
func userinfo(st Strategy, url string) Strategy {
	st.UserinfoURL = url
	return st
}

// named marks a strategy whose subjects carry the connection's name (U9).
func named(st Strategy) Strategy {
	st.Named = true
	return st
}

// table holds every strategy name. It is never written after its
// initialization, so that lookups need no lock and allocate nothing.
// Endpoints without a comment are those of x/oauth2.
var table = map[string]Strategy{
	// Built-in social strategies, OAuth 2.0.
	"amazon": social(endpoints.Amazon),
	"apple":  social(endpoints.Apple),
	"baidu": social(oauth2.Endpoint{ // https://openauth.baidu.com/doc/doc.html
		AuthURL:  "https://openapi.baidu.com/oauth/2.0/authorize",
		TokenURL: "https://openapi.baidu.com/oauth/2.0/token",
	}),
	// Basic is the only way that https://developer.atlassian.com/cloud/bitbucket/oauth-2 has.
	"bitbucket": basic(endpoints.Bitbucket),
	"bitly": social(oauth2.Endpoint{ // https://dev.bitly.com/docs/getting-started/authentication
		AuthURL:  "https://bitly.com/oauth/authorize",
		TokenURL: "https://api-ssl.bitly.com/oauth/access_token",
	}),
	"box": social(oauth2.Endpoint{ // https://developer.box.com/reference/get-authorize
		AuthURL:  "https://account.box.com/api/oauth2/authorize",
		TokenURL: "https://api.box.com/oauth2/token",
	}),
	"daccount": social(oauth2.Endpoint{}), // documented to registered parties only
	"dropbox":  social(endpoints.Dropbox),
	"dwolla":   social(oauth2.Endpoint{}), // https://developers.dwolla.com/guides/auth has no login any more
	"exact":    social(oauth2.Endpoint{}), // one host for each country
	"facebook": social(endpoints.Facebook),
	// "Must be set to Basic" for server apps:
	// https://dev.fitbit.com/build/reference/web-api/authorization/oauth2-token/
	"fitbit": basic(endpoints.Fitbit),
	"github": userinfo(social(endpoints.GitHub),
		"https://api.github.com/user"), // GitHub REST API docs, "Get the authenticated user"
	"google-oauth2": userinfo(social(endpoints.Google),
		"https://openidconnect.googleapis.com/v1/userinfo"), // https://accounts.google.com/.well-known/openid-configuration
	"instagram": social(endpoints.Instagram),
	"line":      social(endpoints.Line),
	"linkedin":  social(endpoints.LinkedIn),
	// PayPal's samples for the tokenservice and its "Get an access token" page
	// send the client id and secret by Basic.
	"paypal":         basic(endpoints.PayPal),
	"paypal-sandbox": basic(endpoints.PayPalSandbox),
	"planningcenter": social(oauth2.Endpoint{ // https://api.planningcenteronline.com/docs/overview/authentication
		AuthURL:  "https://api.planningcenteronline.com/oauth/authorize",
		TokenURL: "https://api.planningcenteronline.com/oauth/token",
	}),
	"salesforce": social(oauth2.Endpoint{ // Salesforce help, "OAuth Endpoints"
		AuthURL:  "https://login.salesforce.com/services/oauth2/authorize",
		TokenURL: "https://login.salesforce.com/services/oauth2/token",
	}),
	"salesforce-community": social(oauth2.Endpoint{}), // the host is the community's own
	"salesforce-sandbox": social(oauth2.Endpoint{ // Salesforce help, "OAuth Endpoints", on sandboxes
		AuthURL:  "https://test.salesforce.com/services/oauth2/authorize",
		TokenURL: "https://test.salesforce.com/services/oauth2/token",
	}),
	"shop":    social(oauth2.Endpoint{}), // early access, "might change" by its own documentation
	"shopify": social(oauth2.Endpoint{}), // the host is the shop's own
	"soundcloud": social(oauth2.Endpoint{ // https://developers.soundcloud.com/docs/api/guide
		AuthURL:  "https://secure.soundcloud.com/authorize",
		TokenURL: "https://secure.soundcloud.com/oauth/token",
	}),
	"thirtysevensignals": social(oauth2.Endpoint{ // https://github.com/basecamp/bc3-api/blob/master/sections/authentication.md
		AuthURL:  "https://launchpad.37signals.com/authorization/new",
		TokenURL: "https://launchpad.37signals.com/authorization/token",
	}),
	// Untappd takes "redirect_url", and GET for its tokens: a plain OAuth 2.0
	// client cannot finish a login there.
	"untappd":   social(oauth2.Endpoint{}),
	"vkontakte": social(endpoints.Vk),
	"weibo": social(oauth2.Endpoint{ // Weibo open platform wiki, OAuth2/authorize and OAuth2/access_token
		AuthURL:  "https://api.weibo.com/oauth2/authorize",
		TokenURL: "https://api.weibo.com/oauth2/access_token",
	}),
	"windowslive": social(endpoints.Microsoft),
	"wordpress": userinfo(social(oauth2.Endpoint{ // https://developer.wordpress.com/docs/oauth2/
		AuthURL:  "https://public-api.wordpress.com/oauth2/authorize",
		TokenURL: "https://public-api.wordpress.com/oauth2/token",
	}), "https://public-api.wordpress.com/rest/v1.1/me"), // WordPress.com REST API, "GET /me"
	"yahoo":  social(endpoints.Yahoo),
	"yandex": social(endpoints.Yandex),

	// Built-in social strategies, OAuth 1.0a.
	"evernote": { // https://dev.evernote.com/doc/articles/authentication.php
		Protocol:        OAuth1,
		RequestTokenURL: "https://www.evernote.com/oauth",
		AuthURL:         "https://www.evernote.com/OAuth.action",
		TokenURL:        "https://www.evernote.com/oauth", // one address for both tokens
	},
	"evernote-sandbox": { // the same page
		Protocol:        OAuth1,
		RequestTokenURL: "https://sandbox.evernote.com/oauth",
		AuthURL:         "https://sandbox.evernote.com/OAuth.action",
		TokenURL:        "https://sandbox.evernote.com/oauth",
	},
	"twitter": { // X docs, "3-legged OAuth flow"; Lookup has its OAuth 2.0
		Protocol:        OAuth1,
		RequestTokenURL: "https://api.twitter.com/oauth/request_token",
		AuthURL:         "https://api.twitter.com/oauth/authorize",
		TokenURL:        "https://api.twitter.com/oauth/access_token",
	},

	// Strategies of which a program may have many connections. Lookup adds the
	// endpoints of okta and waad.
	"oauth2":       {Protocol: OAuth2, Named: true},
	"google-apps":  named(social(endpoints.Google)),
	"sharepoint":   {Protocol: OAuth2, Named: true},
	"oidc":         {Protocol: OIDC, Named: true},
	"okta":         {Protocol: OIDC, Named: true},
	"auth0-oidc":   {Protocol: OIDC, Named: true},
	"waad":         {Protocol: OIDC, Named: true},
	"oauth1":       {Protocol: OAuth1, Named: true},
	"samlp":        {Protocol: SAML, Named: true},
	"pingfederate": {Protocol: SAML, Named: true},
	"adfs":         {Protocol: WSFederation, Named: true},
	"ad":           {Protocol: LDAP, Named: true},
	"auth0-adldap": {Protocol: LDAP, Named: true},
	"auth0":        {Protocol: Database, Named: true},
	"email":        {Protocol: Passwordless, Named: true},
	"sms":          {Protocol: Passwordless, Named: true},
	"ip":           {Protocol: Other, Named: true},
	"custom":       {Protocol: Other, Named: true},
	"office365":    {Protocol: Other, Named: true},
}
