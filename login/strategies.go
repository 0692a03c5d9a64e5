package login

// This file owns what is known of the issuers of built-in strategies, whose
// connections name none. It must not know how metadata is fetched.

import (
	"cmp"
	"strings"

	"example.com/upstream"
	"example.com/upstream/internal/strictjson"
)

// anyTenant stands in an expected issuer for a tenant's id: Entra's metadata may
// be asked for by a domain of the tenant, and has the id.
const anyTenant = "{guid}"

// signingIssuers are those of strategies that issue ID tokens although their
// protocol, as the vendor has it, is plain OAuth 2.0.
var signingIssuers = map[string]struct{ issuer, jwksURI string }{
	"apple":         {"https://appleid.apple.com", "https://appleid.apple.com/auth/keys"},
	"google-apps":   {google, "https://www.googleapis.com/oauth2/v3/certs"},
	"google-oauth2": {google, "https://www.googleapis.com/oauth2/v3/certs"},
}

// workspaceDomains gives the domains that users of a google-apps connection belong
// to, nil for other strategies, and where it is for everybody.
func workspaceDomains(conn *upstream.Connection) (domains []string) {
	o := &conn.Options
	if conn.Strategy != "google-apps" {
		return nil
	}
	for _, domain := range append([]string{o.Domain, o.TenantDomain}, o.DomainAliases...) {
		if domain != "" {
			domains = append(domains, domain)
		}
	}
	return domains
}

// derived gives where the metadata of a connection is that names neither issuer
// nor discovery_url, but has the endpoints of its strategy, and whose it must be.
func derived(conn *upstream.Connection) (address, issuer string) {
	o := &conn.Options
	switch {
	case o.AuthorizationURL+o.TokenURL != "": // somewhere else, perhaps
	case conn.Strategy == "okta" && o.Domain != "":
		issuer = "https://" + o.Domain // the organization's own, as its endpoints are
		return issuer + openidConfiguration, issuer
	case conn.Strategy == "waad":
		return entra(o)
	}
	return "", ""
}

// entra follows Microsoft Learn, "OpenID Connect on the Microsoft identity
// platform". The host and the form of the issuer are Microsoft's, and the path of
// the address names the tenant, so that no other can answer.
func entra(o *upstream.Options) (address, issuer string) {
	tenant := cmp.Or(o.TenantDomain, o.TenantID, o.Domain)
	segment := anyTenant
	switch {
	case o.UseCommonEndpoint:
		tenant, segment = "common", "common" // the document has a template there, and Options.Tenants says who may come
	case tenant == "":
		return "", ""
	case isGUID(tenant):
		segment = strings.ToLower(tenant)
	}
	if o.IdentityAPI == "azure-active-directory-v1.0" {
		return "https://login.microsoftonline.com/" + tenant + openidConfiguration, "https://sts.windows.net/" + segment + "/"
	}
	return "https://login.microsoftonline.com/" + tenant + "/v2.0" + openidConfiguration, "https://login.microsoftonline.com/" + segment + "/v2.0"
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (s[i] == '-') || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return false
		}
	}
	return true
}

// isIssuer compares an issuer with an expected one: to the byte, but for anyTenant.
func isIssuer(expected, got string) bool {
	before, after, open := strings.Cut(expected, anyTenant)
	if !open {
		return got == expected
	}
	tenant, found := strings.CutPrefix(got, before)
	tenant, ends := strings.CutSuffix(tenant, after)
	return found && ends && isGUID(tenant)
}

const maxUser = 4096 // bytes

// nameFromApple fills in the name that Apple sends beside the code, at the first
// login alone. No signature covers it: it is the user's own word, and only ever a
// name.
func nameFromApple(p *upstream.Profile, user upstream.Secret) {
	text := []byte(user.Reveal())
	if len(text) == 0 || len(text) > maxUser || strictjson.Check(text) != nil {
		return
	}
	members, _ := strictjson.Members(text)
	name, _ := strictjson.Members(strictjson.Find(members, "name"))
	part := func(member string) string {
		s := strings.TrimSpace(strictjson.Text(strictjson.Find(name, member)))
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return ""
		}
		return s
	}
	first, last := part("firstName"), part("lastName")
	p.GivenName, p.FamilyName = cmp.Or(p.GivenName, first), cmp.Or(p.FamilyName, last)
	p.Name = cmp.Or(p.Name, strings.TrimSpace(first+" "+last))
}
