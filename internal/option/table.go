package option

// This file is the table: the members that concern a login. Those without
// effect are in noeffect.go. To add an option, add its entry here; what Go reads
// it into is bound to its path in the root's connection.go.
//
// Order is that of OPTIONS.md, and of hints where two names are equally near. Limits
// are those of the vendor's schema (rules C5, O7), counted in characters, also where
// they are odd (91260 for apple's scope): a connection that the vendor takes has to be
// taken here. Secure is for what would weaken a login if it were ignored under a wrong
// name; a text of a button is not.

import "slices"

// Strategies that share something.
var (
	waad       = []string{"waad"}
	apple      = []string{"apple"}
	googleApps = []string{"google-apps"}
	oauth1     = []string{"oauth1", "twitter", "evernote", "evernote-sandbox"}

	// social strategies whose scopes the vendor bounds alike.
	social = []string{
		"amazon", "baidu", "bitbucket", "bitly", "box", "daccount", "dropbox", "dwolla", "exact", "facebook", "fitbit", "github",
		"google-oauth2", "instagram", "line", "linkedin", "paypal", "paypal-sandbox", "planningcenter", "salesforce",
		"salesforce-community", "salesforce-sandbox", "sharepoint", "shop", "shopify", "soundcloud", "thirtysevensignals",
		"twitter", "untappd", "vkontakte", "weibo", "windowslive", "wordpress", "yahoo", "yandex",
	}
)

// Algorithms of the vendor's schema.
var (
	signingAlgs = []string{"ES256", "ES384", "PS256", "PS384", "RS256", "RS384", "RS512"}
	dpopAlgs    = []string{"ES256", "ES384", "ES512", "Ed25519"}
	authMethods = append([]string{"client_secret_post", "client_secret_basic", "none"}, attached...)
	attached    = []string{"private_key_jwt", "client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth"}
)

// Attached reports whether a token_endpoint_auth_method is one that has to be attached.
func Attached(method string) bool { return slices.Contains(attached, method) }

// limits gives one limit to several strategies.
func limits(l Limit, strategies ...string) map[string]Limit {
	out := map[string]Limit{}
	for _, s := range strategies {
		out[s] = l
	}
	return out
}

// and adds limits to others, which it changes.
func and(to map[string]Limit, l Limit, strategies ...string) map[string]Limit {
	for _, s := range strategies {
		to[s] = l
	}
	return to
}

// Bounds of more than one member, in characters.
const (
	maxURL     = 255
	maxAuthURL = 2083
	maxScript  = 51200
)

var table = slices.Concat(root, client, endpoints, parameters, answers, ofStrategy, noEffect)

// root are the members of the connection itself.
var root = []Member{
	{Path: "id", Class: Host, Kind: Text, Doc: "the connection's identifier"},
	{Path: "name", Class: Honoured, Kind: NonEmpty, Doc: "part of the subjects of strategies of which there may be many connections", Limit: Limit{Text: 128}},
	{Path: "strategy", Class: Honoured, Kind: Text, Doc: "tells protocol and endpoints; a custom social connection has oauth2", Secure: true},
	{Path: "display_name", Class: Host, Kind: NonEmpty, Doc: "text of the login button", Limit: Limit{Text: 128}},
	{Path: "enabled_clients", Class: Host, Kind: List, Doc: "which applications may use the connection"},
	{Path: "options", Class: Honoured, Kind: Object, Doc: "the settings", Secure: true},
}

// client is who the auth server is at the IdP, and how it proves that.
var client = []Member{
	{
		Path: "options/client_id", Also: []string{"options/consumer_key", "options/consumerKey"}, Class: Honoured, Kind: Text,
		Doc:   "the auth server's own id at the identity provider",
		Limit: Limit{Text: 128},
		LimitOf: and(and(limits(Limit{Text: 255}, "oidc", "okta", "google-oauth2", "github", "amazon", "oauth1"),
			Limit{Text: 384}, "apple"), Limit{Text: 4096}, "facebook"),
	},
	{
		Path: "options/client_secret", Also: []string{"options/consumer_secret", "options/consumerSecret"}, Class: Honoured, Kind: Text,
		Doc: "its secret; without one it is a public client", Secure: true,
		Limit: Limit{Text: 1024},
		LimitOf: map[string]Limit{
			"waad": {Text: 10000}, "oauth1": {Text: 2400}, "google-apps": {Text: 4096}, "facebook": {Text: 13000},
		},
	},
	{Path: "options/token_endpoint_auth_method", Class: Honoured, Kind: Text, Enum: authMethods, Secure: true, Doc: "how the client authenticates at the token endpoint; the last four have to be attached"},
	{Path: "options/token_endpoint_auth_signing_alg", Class: Host, Kind: Text, Enum: signingAlgs, Doc: "algorithm of the client assertion that is attached"},
	{Path: "options/token_endpoint_jwtca_aud_format", Class: Host, Kind: Text, Enum: []string{"issuer", "token_endpoint"}, Doc: "audience of the client assertion that is attached"},
	{Path: "options/token_params", Class: Honoured, Kind: Dict, Doc: "static parameters of each token request (ours)"},
	{Path: "options/dpop_signing_alg", Class: Honoured, Kind: Text, Enum: dpopAlgs, Secure: true, Doc: "token requests are refused until DPoP is attached"},
	{Path: "options/require_pushed_authorization_requests", Class: Honoured, Kind: Flag, Secure: true, Doc: "refused until pushed authorization requests are attached (ours; RFC 9126)"},
	{Path: "options/customHeaders", Class: Honoured, Kind: Headers, Secure: true, Doc: "headers of each token request", Limit: Limit{Text: 1024, Members: 30}},
	{Path: "options/app_secret", Class: Honoured, Kind: Text, Of: apple, Secure: true, Doc: "private key of the client secret, in PEM; token requests are refused until its use is attached"},
	{Path: "options/kid", Class: Honoured, Kind: Text, Of: apple, Doc: "id of that key"},
	{Path: "options/team_id", Class: Honoured, Kind: Text, Of: apple, Doc: "the developer team that the key belongs to"},
}

// endpoints are URLs, and what they are derived from.
var endpoints = []Member{
	{Path: "options/authorizationURL", Also: []string{"options/authorization_endpoint"}, Class: Honoured, Kind: NonEmpty, Secure: true, Doc: "where the user is sent; its query is sent along", Limit: Limit{Text: maxAuthURL}},
	{Path: "options/tokenURL", Also: []string{"options/token_endpoint"}, Class: Honoured, Kind: NonEmpty, Secure: true, Doc: "where the code is exchanged", Limit: Limit{Text: maxURL}},
	{Path: "options/userinfo_endpoint", Class: Honoured, Kind: NonEmpty, Secure: true, Doc: "where the profile is", Limit: Limit{Text: maxURL}},
	{Path: "options/userAuthorizationURL", Class: Honoured, Kind: NonEmpty, Secure: true, Of: oauth1, Doc: "OAuth 1.0a: where the user is sent", Limit: Limit{Text: maxURL}},
	{Path: "options/requestTokenURL", Class: Honoured, Kind: NonEmpty, Secure: true, Of: oauth1, Doc: "OAuth 1.0a: where the request token comes from", Limit: Limit{Text: maxURL}},
	{Path: "options/accessTokenURL", Class: Honoured, Kind: NonEmpty, Secure: true, Of: oauth1, Doc: "OAuth 1.0a: where the access token comes from", Limit: Limit{Text: maxURL}},
	{Path: "options/issuer", Class: Host, Kind: Text, Secure: true, Doc: "the identity provider's issuer; module login checks ID tokens against it"},
	{Path: "options/jwks_uri", Class: Host, Kind: Text, Secure: true, Doc: "its keys, for module login"},
	{Path: "options/discovery_url", Class: Host, Kind: Text, Secure: true, Doc: "where module login finds the metadata"},
	{Path: "options/oidc_metadata", Class: Honoured, Kind: Raw, Secure: true, Doc: "the metadata; its endpoints serve where the options name none"},
	{Path: "options/end_session_endpoint", Class: Host, Kind: Text, Doc: "where the host logs the user out at the identity provider"},
	{Path: "options/logoutUrl", Class: Host, Kind: Text, Doc: "the same, of oauth2"},
	{Path: "options/domain", Class: Honoured, Kind: Text, Secure: true, Doc: "okta: the host of the endpoints; google-apps: the domain that users must belong to; waad: the tenant, where nothing else names it"},
	{Path: "options/tenant_domain", Class: Honoured, Kind: Text, Secure: true, Doc: "waad: the tenant; google-apps: as domain; elsewhere for the host"},
	{Path: "options/domain_aliases", Class: Host, Kind: List, Secure: true, Doc: "google-apps: further domains of the users; elsewhere for the host, which finds connections by them"},
	{Path: "options/tenantId", Class: Honoured, Kind: Text, Of: waad, Secure: true, Doc: "the tenant, by its id"},
	{Path: "options/useCommonEndpoint", Class: Honoured, Kind: Flag, Of: waad, Secure: true, Doc: "the endpoints of all tenants; the host or module login then checks which tenant a user is of"},
	{Path: "options/identity_api", Class: Honoured, Kind: Text, Of: waad, Enum: []string{"microsoft-identity-platform-v2.0", "azure-active-directory-v1.0"}, Doc: "version of the endpoints"},
	{Path: "options/community_base_url", Class: Honoured, Kind: Text, Of: []string{"salesforce", "salesforce-community", "salesforce-sandbox"}, Secure: true, Doc: "salesforce-community: base of the endpoints", Limit: Limit{Text: maxURL}},
	{Path: "options/baseUrl", Class: Honoured, Kind: Text, Of: []string{"exact"}, Secure: true, Doc: "base of the endpoints, which differs by country", Limit: Limit{Text: maxURL}},
	{Path: "options/strategy_version", Class: Honoured, Kind: Integer, Doc: "windowslive: 2 for the v2.0 endpoints; linkedin: 1 to 3, which differ in their scopes alone"},
}

// parameters are what goes to the authorization endpoint.
var parameters = []Member{
	{
		Path: "options/scope", Class: Honoured, Kind: TextOrList, Doc: "what to ask for",
		Limit: Limit{Text: 4096, Items: 20, Item: 189},
		LimitOf: and(and(and(and(limits(Limit{Text: 4096, Items: 255, Item: 255}, social...),
			Limit{Text: 4096, Items: 100, Item: 255}, "waad"),
			Limit{Text: 4096, Items: 64, Item: 255}, "google-apps"),
			Limit{Text: 91260, Items: 20, Item: 189}, "apple"),
			Limit{Text: 4096, Items: 20, Item: 255}, "oidc", "okta"),
	},
	{Path: "options/upstream_params", Class: Honoured, Kind: Raw, Secure: true, Doc: "parameters for the identity provider, static or from the incoming request", Limit: Limit{Members: 200}},
	{Path: "options/upstream_params/*/value", Class: Honoured, Kind: Text, Doc: "what is sent; beside alias or from, the default"},
	{Path: "options/upstream_params/*/alias", Class: Honoured, Kind: NonEmpty, Doc: "the incoming parameter that is sent"},
	{Path: "options/upstream_params/*/from", Class: Honoured, Kind: NonEmpty, Doc: "an incoming parameter that is no alias; beside allow or allow_pattern (ours)"},
	{Path: "options/upstream_params/*/unless", Class: Honoured, Kind: List, Doc: "incoming parameters that take its place: where the request has one, lower layers decide (ours)"},
	{Path: "options/upstream_params/*/essential", Class: Honoured, Kind: Flag, Doc: "acr_values: the ID token has to name one of those that were sent (ours)"},
	{Path: "options/upstream_params/*/allow", Class: Honoured, Kind: List, Doc: "the values that may pass (ours)"},
	{Path: "options/upstream_params/*/allow_pattern", Class: Honoured, Kind: NonEmpty, Doc: "an RE2 pattern that lets further values pass (ours)"},
	{Path: "options/upstream_params/*/translate", Class: Honoured, Kind: Dict, Doc: "what a value that has passed becomes (ours)"},
	{Path: "options/authParams", Class: Honoured, Kind: Dict, Secure: true, Doc: "static parameters", Limit: Limit{Text: 256, Members: 30}},
	{Path: "options/authParamsMap", Class: Honoured, Kind: Dict, Secure: true, Doc: "parameters from the incoming request", Limit: Limit{Members: 21}},
	{Path: "options/useOauthSpecScope", Class: Honoured, Kind: Flag, Doc: "connection_scope is joined by spaces"},
	{Path: "options/pkce_enabled", Class: Honoured, Kind: Flag, Secure: true, Doc: "a code verifier is required"},
	{Path: "options/connection_settings", Class: Honoured, Kind: Object, Secure: true, Doc: "holds pkce"},
	{Path: "options/connection_settings/pkce", Class: Refused, Kind: Text, Enum: []string{"auto", "S256", "disabled"}, Secure: true, Doc: "auto and S256 require a code verifier; plain is refused (RFC 9700)",
		Refuses: map[string]string{"plain": "must not be plain, which protects nothing (RFC 9700); use S256"}},
	{Path: "options/type", Class: Refused, Kind: Text, Of: []string{"oidc", "okta", "auth0-oidc", "waad"}, Enum: []string{"back_channel"}, Doc: "back_channel is the code flow; front_channel, an ID token through the browser, is refused",
		Refuses: map[string]string{"front_channel": "asks for an ID token through the browser, without a code; there is only the code flow here: write back_channel, with a client_secret and a token endpoint"}},
	{Path: "options/send_back_channel_nonce", Class: Honoured, Kind: Flag, Doc: "OpenID Connect: with false, a transaction without nonce is no error"},
}

// answers are how the IdP's answers are read.
var answers = []Member{
	{Path: "options/id_token_signed_response_algs", Class: Host, Kind: List, Secure: true, Doc: "which ID tokens module login takes"},
	{Path: "options/attribute_map", Class: Honoured, Kind: Raw, Doc: "OpenID Connect: which claims become which attributes"},
	{Path: "options/fieldsMap", Class: Honoured, Kind: Raw, Doc: "oauth2: which members of userinfo become which attributes"},
	{Path: "options/userid_attribute", Class: Honoured, Kind: Text, Of: waad, Secure: true, Doc: "the claim that is the user id: oid or sub"},
	{
		Path: "options/should_trust_email_verified_connection", Class: Honoured, Kind: Text,
		Enum: []string{"never_set_emails_as_verified", "always_set_emails_as_verified"}, Doc: "whether an email counts as verified",
	},
	{Path: "options/scripts", Class: Honoured, Kind: Object, Doc: "holds fetchUserProfile"},
	{Path: "options/scripts/fetchUserProfile", Class: Honoured, Kind: Text, Doc: "the profile, by a script; module fetchscript runs it", Limit: Limit{Text: maxScript}},
	{Path: "options/scripts/getLogoutUrl", Class: Host, Kind: Any, Doc: "a script for the host's logout", Limit: Limit{Text: maxScript}},
	{Path: "options/icon_url", Class: Host, Kind: Text, Doc: "icon of the login button", Limit: Limit{Text: maxURL}},
}

// ofStrategy are settings that choose a protocol.
var ofStrategy = []Member{
	{Path: "options/protocol", Class: Honoured, Kind: Text, Of: []string{"twitter"}, Enum: []string{"oauth1", "oauth2"}, Doc: "oauth1 or oauth2"},
	{Path: "options/use_wsfed", Class: Refused, Kind: Flag, Of: waad, Doc: "WS-Federation is refused; remove it, or set it to false"},
	{Path: "options/waad_protocol", Class: Refused, Kind: Text, Of: waad, Enum: []string{"openid-connect", "ws-federation"}, Doc: "openid-connect; ws-federation is refused"},
	{Path: "options/signatureMethod", Class: Host, Kind: Any, Of: oauth1, Doc: "OAuth 1.0a: how the host signs its requests"},
}
