package strategy_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2/endpoints"

	"example.com/upstream/internal/strategy"
)

// Names by protocol, kept apart from the table so that a slip there shows.
var byProtocol = map[strategy.Protocol]string{
	strategy.OAuth2: `amazon apple baidu bitbucket bitly box daccount dropbox dwolla exact facebook fitbit github
		google-apps google-oauth2 instagram line linkedin oauth2 paypal paypal-sandbox planningcenter salesforce
		salesforce-community salesforce-sandbox sharepoint shop shopify soundcloud thirtysevensignals untappd
		vkontakte weibo windowslive wordpress yahoo yandex`,
	strategy.OIDC:         `oidc okta auth0-oidc waad`,
	strategy.OAuth1:       `oauth1 evernote evernote-sandbox twitter`,
	strategy.SAML:         `samlp pingfederate`,
	strategy.WSFederation: `adfs`,
	strategy.LDAP:         `ad auth0-adldap`,
	strategy.Database:     `auth0`,
	strategy.Passwordless: `email sms`,
	strategy.Other:        `ip custom office365`,
}

// Strategies without endpoints of their own.
const noEndpoints = `daccount dwolla exact salesforce-community sharepoint shop shopify untappd
	oauth2 oauth1 oidc okta auth0-oidc waad samlp pingfederate adfs ad auth0-adldap auth0 email sms ip custom office365`

// Strategies of which the subject carries the connection's name.
const namedStrategies = `oauth2 oauth1 oidc okta auth0-oidc waad google-apps sharepoint samlp pingfederate adfs ad
	auth0-adldap auth0 email sms ip custom office365`

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(names) {
		m[n] = true
	}
	return m
}

func allNames() []string {
	var all []string
	for _, names := range byProtocol {
		all = append(all, strings.Fields(names)...)
	}
	return all
}

func TestS1ProtocolOfEveryStrategy(t *testing.T) {
	for want, names := range byProtocol {
		for _, name := range strings.Fields(names) {
			assert.Equal(t, want, strategy.Lookup(name, strategy.Settings{}).Protocol, name)
		}
	}
}

func TestS1UnknownStrategyIsZero(t *testing.T) {
	full := strategy.Settings{Protocol: "oauth2", Domain: "dev-1.okta.com", TenantDomain: "contoso.com", UseWSFed: true}
	for _, name := range []string{"", "GitHub", "github ", "TWITTER", "Okta", "waad2", "myspace"} {
		assert.Zero(t, strategy.Lookup(name, full), "%q", name)
	}
}

func TestS1ProtocolText(t *testing.T) {
	for p, want := range map[strategy.Protocol]string{
		strategy.Unknown: "unknown", strategy.OAuth2: "OAuth 2.0", strategy.OIDC: "OpenID Connect",
		strategy.OAuth1: "OAuth 1.0a", strategy.SAML: "SAML", strategy.WSFederation: "WS-Federation",
		strategy.LDAP: "LDAP", strategy.Database: "database", strategy.Passwordless: "passwordless",
		strategy.Other: "other", strategy.Other + 1: "unknown", 255: "unknown",
	} {
		assert.Equal(t, want, p.String(), "Protocol(%d)", uint8(p))
	}
}

func TestS1Twitter(t *testing.T) {
	oauth1 := strategy.Strategy{
		Protocol:        strategy.OAuth1,
		RequestTokenURL: "https://api.twitter.com/oauth/request_token",
		AuthURL:         "https://api.twitter.com/oauth/authorize",
		TokenURL:        "https://api.twitter.com/oauth/access_token",
	}
	oauth2 := strategy.Strategy{
		Protocol:  strategy.OAuth2,
		AuthURL:   endpoints.X.AuthURL,
		TokenURL:  endpoints.X.TokenURL,
		BasicAuth: true,
	}
	for _, c := range []struct {
		protocol string
		want     strategy.Strategy
	}{
		{"", oauth1},
		{"oauth1", oauth1},
		{"oauth2", oauth2},
		{"OAuth2", oauth1}, // a bad value is the caller's to report
		{"saml", oauth1},
	} {
		assert.Equal(t, c.want, strategy.Lookup("twitter", strategy.Settings{Protocol: c.protocol}), "%q", c.protocol)
	}
	// options.protocol belongs to twitter alone.
	assert.Equal(t, strategy.OAuth1, strategy.Lookup("evernote", strategy.Settings{Protocol: "oauth2"}).Protocol)
}

func TestS1WAADOverWSFederation(t *testing.T) {
	for _, c := range []struct {
		name string
		s    strategy.Settings
		want strategy.Protocol
	}{
		{"use_wsfed", strategy.Settings{UseWSFed: true}, strategy.WSFederation},
		{"use_wsfed wins", strategy.Settings{UseWSFed: true, WAADProtocol: "openid-connect"}, strategy.WSFederation},
		{"documented spelling", strategy.Settings{WAADProtocol: "ws-federation"}, strategy.WSFederation},
		{"case", strategy.Settings{WAADProtocol: "WS-Federation"}, strategy.WSFederation},
		{"short", strategy.Settings{WAADProtocol: "wsfed"}, strategy.WSFederation},
		{"no hyphen", strategy.Settings{WAADProtocol: "WsFederation"}, strategy.WSFederation},
		{"ws-fed", strategy.Settings{WAADProtocol: "ws-fed"}, strategy.WSFederation},
		{"openid-connect", strategy.Settings{WAADProtocol: "openid-connect"}, strategy.OIDC},
		{"something else", strategy.Settings{WAADProtocol: "federation"}, strategy.OIDC},
	} {
		c.s.TenantDomain = "contoso.onmicrosoft.com"
		got := strategy.Lookup("waad", c.s)
		assert.Equal(t, c.want, got.Protocol, c.name)
		assert.True(t, got.Named, c.name)
		assert.Equal(t, c.want == strategy.OIDC, got.AuthURL != "", "%s: endpoints only with OpenID Connect", c.name)
	}
}

func TestS4DefaultEndpoints(t *testing.T) {
	none := set(noEndpoints)
	for _, name := range allNames() {
		st := strategy.Lookup(name, strategy.Settings{})
		if none[name] {
			assert.Empty(t, st.AuthURL+st.TokenURL+st.RequestTokenURL+st.UserinfoURL, name)
			continue
		}
		require.NotEmpty(t, st.AuthURL, name)
		require.NotEmpty(t, st.TokenURL, name)
		assert.Equal(t, st.Protocol == strategy.OAuth1, st.RequestTokenURL != "", "%s: request token URL", name)
		requireCleanURLs(t, name, st)
		assert.LessOrEqual(t, len(st.TokenURL), 255, "%s: the limit of C5", name)
	}
}

// requireCleanURLs checks what the rest of the module relies on: C5's rules for
// endpoints, and no query, so that layer 5 of M1 is empty.
func requireCleanURLs(t *testing.T, name string, st strategy.Strategy) {
	t.Helper()
	for _, raw := range []string{st.AuthURL, st.TokenURL, st.RequestTokenURL, st.UserinfoURL} {
		if raw == "" {
			continue
		}
		u, err := url.Parse(raw)
		require.NoError(t, err, name)
		assert.Equal(t, "https", u.Scheme, "%s: %s", name, raw)
		assert.NotEmpty(t, u.Host, "%s: %s", name, raw)
		assert.Nil(t, u.User, "%s: %s", name, raw)
		assert.NotContains(t, raw, "?", name)
		assert.NotContains(t, raw, "#", name)
		assert.Equal(t, raw, u.String(), name)
	}
}

func TestS4EndpointsOfXOAuth2(t *testing.T) {
	for _, c := range []struct{ name, auth, token string }{
		{"github", endpoints.GitHub.AuthURL, endpoints.GitHub.TokenURL},
		{"google-oauth2", endpoints.Google.AuthURL, endpoints.Google.TokenURL},
		{"google-apps", endpoints.Google.AuthURL, endpoints.Google.TokenURL},
		{"vkontakte", endpoints.Vk.AuthURL, endpoints.Vk.TokenURL},
		{"windowslive", endpoints.Microsoft.AuthURL, endpoints.Microsoft.TokenURL},
		{"paypal", endpoints.PayPal.AuthURL, endpoints.PayPal.TokenURL},
		{"paypal-sandbox", endpoints.PayPalSandbox.AuthURL, endpoints.PayPalSandbox.TokenURL},
		{"linkedin", endpoints.LinkedIn.AuthURL, endpoints.LinkedIn.TokenURL},
		{"facebook", endpoints.Facebook.AuthURL, endpoints.Facebook.TokenURL},
		{"fitbit", endpoints.Fitbit.AuthURL, endpoints.Fitbit.TokenURL},
	} {
		st := strategy.Lookup(c.name, strategy.Settings{})
		assert.Equal(t, c.auth, st.AuthURL, c.name)
		assert.Equal(t, c.token, st.TokenURL, c.name)
	}
}

func TestS4UserinfoOnlyWhereMapped(t *testing.T) {
	want := map[string]string{
		"github":        "https://api.github.com/user",
		"google-oauth2": "https://openidconnect.googleapis.com/v1/userinfo",
		"wordpress":     "https://public-api.wordpress.com/rest/v1.1/me",
	}
	for _, name := range allNames() {
		assert.Equal(t, want[name], strategy.Lookup(name, strategy.Settings{}).UserinfoURL, name)
	}
}

func TestS4OktaDomain(t *testing.T) {
	for _, domain := range []string{
		"dev-1.okta.com", "login.example.co.uk", "DEV-1.Okta.com", "0-9.azAZ.z.Z.A.a",
		strings.Repeat("a", 63) + ".com", strings.Repeat("a.", 125) + "com",
	} {
		st := strategy.Lookup("okta", strategy.Settings{Domain: domain})
		assert.Equal(t, "https://"+domain+"/oauth2/v1/authorize", st.AuthURL)
		assert.Equal(t, "https://"+domain+"/oauth2/v1/token", st.TokenURL)
		requireCleanURLs(t, domain, st)
	}
}

func TestS4WAADTenant(t *testing.T) {
	for _, tenant := range []string{"contoso.onmicrosoft.com", "9188040d-6c67-4c5b-b112-36a304b66dad", "common"} {
		for _, api := range []string{"", "microsoft-identity-platform-v2.0"} {
			st := strategy.Lookup("waad", strategy.Settings{TenantDomain: tenant, IdentityAPI: api})
			assert.Equal(t, "https://login.microsoftonline.com/"+tenant+"/oauth2/v2.0/authorize", st.AuthURL)
			assert.Equal(t, "https://login.microsoftonline.com/"+tenant+"/oauth2/v2.0/token", st.TokenURL)
		}
		st := strategy.Lookup("waad", strategy.Settings{TenantDomain: tenant, IdentityAPI: "azure-active-directory-v1.0"})
		assert.Equal(t, "https://login.microsoftonline.com/"+tenant+"/oauth2/authorize", st.AuthURL)
		assert.Equal(t, "https://login.microsoftonline.com/"+tenant+"/oauth2/token", st.TokenURL)
		requireCleanURLs(t, tenant, st)
	}
}

// hostile are values that are not one plain host name.
var hostile = []string{
	"", ".", "..", "-", " ", "a b", "a..b", ".example.com", "example.com.", "-example.com", "example.com-",
	"example-.com", "example.-com", "https://dev-1.okta.com", "//dev-1.okta.com", "dev-1.okta.com/", "dev-1.okta.com:443",
	"dev-1.okta.com/evil", "dev-1.okta.com?x=y", "dev-1.okta.com#x", "user@evil.example", "user:pw@evil.example",
	`evil.example\dev-1.okta.com`, "../common", "a/../b", "%2e%2e", "%2f", "dev_1.okta.com", "[::1]", "::1",
	"dev-1.okta.com\n", "dev-1.okta.com\x00", "\tdev-1.okta.com", "bücher.example", "dev-1.оkta.com", "\xff.com",
	"example。com", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 126) + "com",
}

func TestS4HostileDomainsGiveNoEndpoints(t *testing.T) {
	for _, h := range hostile {
		for name, s := range map[string]strategy.Settings{
			"okta":    {Domain: h},
			"waad":    {TenantDomain: h},
			"waad v1": {TenantDomain: h, IdentityAPI: "azure-active-directory-v1.0"},
		} {
			st := strategy.Lookup(strings.Fields(name)[0], s)
			assert.Equal(t, strategy.Strategy{Protocol: strategy.OIDC, Named: true}, st, "%s %q", name, h)
		}
	}
}

func FuzzS4Domain(f *testing.F) {
	for _, h := range append(hostile, "dev-1.okta.com", "common") {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, h string) {
		if st := strategy.Lookup("okta", strategy.Settings{Domain: h}); st.AuthURL != "" {
			u, err := url.Parse(st.AuthURL)
			require.NoError(t, err)
			assert.Equal(t, h, u.Host)
			assert.Equal(t, "/oauth2/v1/authorize", u.Path)
			requireCleanURLs(t, h, strategy.Strategy{AuthURL: st.AuthURL})
		}
		if st := strategy.Lookup("waad", strategy.Settings{TenantDomain: h}); st.AuthURL != "" {
			assert.Equal(t, "https://login.microsoftonline.com/"+h+"/oauth2/v2.0/authorize", st.AuthURL)
		}
	})
}

func TestH5BasicOnlyWhereDemanded(t *testing.T) {
	demanded := set("bitbucket fitbit paypal paypal-sandbox")
	for _, name := range allNames() {
		assert.Equal(t, demanded[name], strategy.Lookup(name, strategy.Settings{}).BasicAuth, name)
	}
}

func TestU9NamedUnlessBuiltInSocial(t *testing.T) {
	named := set(namedStrategies)
	for _, name := range allNames() {
		assert.Equal(t, named[name], strategy.Lookup(name, strategy.Settings{}).Named, name)
	}
	assert.False(t, strategy.Lookup("twitter", strategy.Settings{Protocol: "oauth2"}).Named)
}

func TestLookupOfConstantEndpointsDoesNotAllocate(t *testing.T) {
	for _, name := range append(allNames(), "no-such-strategy") {
		n := testing.AllocsPerRun(100, func() { _ = strategy.Lookup(name, strategy.Settings{Protocol: "oauth2"}) })
		assert.Zero(t, n, name)
	}
}

// Hosts that the settings name, and bases that are none. (rule O8)
func TestO8HostOfTheSettings(t *testing.T) {
	for _, st := range []strategy.Strategy{
		strategy.Lookup("okta", strategy.Settings{Domain: "idp.example.com"}),
		strategy.Lookup("salesforce-community", strategy.Settings{CommunityBaseURL: "https://idp.example.com/site/"}),
		strategy.Lookup("exact", strategy.Settings{BaseURL: "https://idp.example.com"}),
	} {
		assert.Equal(t, "idp.example.com", st.Host)
		assert.NotEmpty(t, st.TokenURL)
	}
	for _, base := range []string{
		"http://idp.example.com", "idp.example.com", "https://idp.example.com?x=1", "https://u@idp.example.com", "https://{tenant}.example.com",
		"https://idp.example.com/#", "https://" + strings.Repeat("a", 200) + ".com",
	} {
		assert.Empty(t, strategy.Lookup("exact", strategy.Settings{BaseURL: base}).AuthURL, base)
	}
	for _, name := range []string{"okta", "waad", "salesforce-community", "exact"} {
		assert.NotEmpty(t, strategy.Derives(name))
		assert.Empty(t, strategy.Lookup(name, strategy.Settings{}).AuthURL)
	}
}
