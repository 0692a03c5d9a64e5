package login

// This file owns the metadata document: how it is read, whose it is, and what
// of a new one would be drift. It must not know where a document comes from.

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/endpoint"
	"example.com/upstream/internal/strictjson"
)

const (
	maxMetadataURL = 2083 // characters, as the authorization endpoint of a connection
	maxIssuer      = 2083
	tenantid       = "{tenantid}" // in the issuer of Entra's multi-tenant documents
)

// A document is metadata of an identity provider (OpenID Connect Discovery 1.0
// section 3, RFC 8414 section 2). It never changes.
type document struct {
	raw       []byte
	issuer    string              // as it stands; may hold {tenantid}
	endpoints map[string]string   // by name; those of mtls_endpoint_aliases behind a slash
	flags     map[string]bool     // those of securityFlags that are true
	lists     map[string][]string // those of securityLists
}

// endpointNames are what a login, or an extension of it, sends the user or a
// request to.
var endpointNames = []string{
	"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint",
	"pushed_authorization_request_endpoint", "revocation_endpoint", "introspection_endpoint", "device_authorization_endpoint",
}

const aliases = "mtls_endpoint_aliases" // RFC 8705 section 5

// securityFlags are promises: a document in which one is no longer true weakens
// every login from then on.
var securityFlags = []string{
	"authorization_response_iss_parameter_supported", // RFC 9207
	"require_pushed_authorization_requests",          // RFC 9126
	"require_signed_request_object",                  // RFC 9101
	"tls_client_certificate_bound_access_tokens",     // RFC 8705
}

// securityLists have values that must not get lost; nil stands for all of them.
var securityLists = map[string][]string{
	"code_challenge_methods_supported":      {"S256"},
	"token_endpoint_auth_methods_supported": {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"},
	"dpop_signing_alg_values_supported":     nil,
}

// readDocument reads metadata. What it says is believed only after issuedFor.
// An error's text names members, and quotes nothing.
func readDocument(data []byte, anyHTTP bool) (*document, error) {
	if err := strictjson.Check(data); err != nil {
		return nil, fmt.Errorf("the document cannot be read as JSON: %w", err)
	}
	members, object := strictjson.Members(data)
	if !object {
		return nil, errors.New("the document is not a JSON object")
	}
	d := &document{raw: slices.Clone(data), endpoints: map[string]string{}, flags: map[string]bool{}, lists: map[string][]string{}}
	value := strictjson.Find(members, "issuer")
	d.issuer = strictjson.Text(value)
	// The template is looked at as if it were filled in; all else of it must be a URL.
	filled := strings.Replace(d.issuer, tenantid, "tenant", 1)
	if message := check.Endpoint(filled, maxIssuer, anyHTTP); message != "" || strings.Contains(d.issuer, "?") {
		return nil, errors.New("issuer must be an https URL without query and fragment (RFC 8414 section 2)")
	}
	if err := d.readEndpoints(members, "", anyHTTP); err != nil {
		return nil, err
	}
	if value := strictjson.Find(members, aliases); present(value) {
		below, object := strictjson.Members(value)
		if !object {
			return nil, errors.New(aliases + " must be an object")
		}
		if err := d.readEndpoints(below, aliases+"/", anyHTTP); err != nil {
			return nil, err
		}
	}
	for _, name := range securityFlags {
		switch value := strictjson.Find(members, name); {
		case string(value) == "true":
			d.flags[name] = true
		case present(value) && string(value) != "false":
			return nil, errors.New(name + " must be true or false")
		}
	}
	for name := range securityLists {
		value := strictjson.Find(members, name)
		if !present(value) {
			continue
		}
		elements, array := strictjson.Elements(value)
		for _, e := range elements {
			array = array && strictjson.IsText(e)
			d.lists[name] = append(d.lists[name], strictjson.Text(e))
		}
		if !array {
			return nil, errors.New(name + " must be an array of strings")
		}
	}
	return d, nil
}

func (d *document) readEndpoints(members []strictjson.Member, under string, anyHTTP bool) error {
	for _, name := range endpointNames {
		value := strictjson.Find(members, name)
		if !present(value) {
			continue
		}
		address := strictjson.Text(value)
		if message := check.Endpoint(address, maxMetadataURL, anyHTTP); message != "" {
			return errors.New(under + name + " " + message)
		}
		d.endpoints[under+name] = address
	}
	return nil
}

// present reports whether there is a member that says something.
func present(value []byte) bool { return value != nil && !strictjson.IsNull(value) }

// issuedFor checks that the document speaks for the issuer that was asked for,
// to the byte (OpenID Connect Discovery section 4.3, RFC 8414 section 3.3). Else
// whoever can put a document somewhere could speak for anybody.
func (d *document) issuedFor(expected []string, tenants []string) error {
	switch strings.Count(d.issuer, tenantid) {
	case 0:
		if slices.ContainsFunc(expected, func(e string) bool { return isIssuer(e, d.issuer) }) {
			return nil
		}
		return errors.New("the document is another issuer's; issuer must be the connection's, byte for byte: see options.issuer, options.discovery_url")
	case 1:
	default:
		return errors.New("issuer holds {tenantid} more than once")
	}
	if len(tenants) == 0 {
		return errors.New("the document is every tenant's; set Options.Tenants to the ids of those whose users may log in, " +
			"or the connection's tenant to one")
	}
	for _, name := range []string{tenantid, "common", "organizations", "consumers"} {
		if slices.Contains(expected, strings.Replace(d.issuer, tenantid, name, 1)) {
			return nil
		}
	}
	return errors.New("the document is another issuer's; its issuer with {tenantid} filled in must be the connection's")
}

// A Change is a member of the metadata that says something else than before.
type Change struct {
	Member   string // such as token_endpoint, or mtls_endpoint_aliases/token_endpoint
	Old, New string // "" where it was, or is, not there
}

// drift gives the changes from d to a new document that are not followed: an
// endpoint at another origin, or gone, and a security feature that is gone. An
// IdP may do so on purpose; but so does whoever has taken over its domain, and
// only a person can tell. (rule L2)
func (d *document) drift(next *document) (changes []Change) {
	for name, old := range d.endpoints {
		if got := next.endpoints[name]; origin(got) != origin(old) {
			changes = append(changes, Change{name, old, got})
		}
	}
	for _, name := range securityFlags {
		if d.flags[name] && !next.flags[name] {
			changes = append(changes, Change{name, "true", "false"})
		}
	}
	for name, matter := range securityLists {
		old, got := d.lists[name], next.lists[name]
		lost := func(value string) bool {
			return slices.Contains(old, value) && !slices.Contains(got, value)
		}
		if slices.ContainsFunc(matter, lost) || matter == nil && len(old) > 0 && len(got) == 0 {
			changes = append(changes, Change{name, strings.Join(old, " "), strings.Join(got, " ")})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Member, b.Member) })
	return changes
}

// origin gives scheme, host and port of an address that was checked, "" of "".
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	return endpoint.Origin(u)
}

// wellKnown gives where an issuer's metadata may stand: by OpenID Connect
// Discovery section 4, then by RFC 8414 section 3.
func wellKnown(issuer string) []string {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil
	}
	path := strings.TrimSuffix(u.Path, "/")
	first, second := *u, *u
	first.Path, first.RawPath = path+openidConfiguration, ""
	second.Path, second.RawPath = oauthServer+path, ""
	return []string{first.String(), second.String()}
}

const (
	openidConfiguration = "/.well-known/openid-configuration"
	oauthServer         = "/.well-known/oauth-authorization-server"
)

// issuersAt gives the issuers whose metadata may stand at a discovery URL: with
// and without a slash at the end, which the rules drop on the way there.
func issuersAt(discoveryURL string) []string {
	if prefix, found := strings.CutSuffix(discoveryURL, openidConfiguration); found {
		return []string{prefix, prefix + "/"}
	}
	u, err := url.Parse(discoveryURL)
	if err != nil || u.RawQuery != "" {
		return nil
	}
	if path, found := strings.CutPrefix(u.Path, oauthServer); found {
		u.Path, u.RawPath = path, ""
		return []string{u.String(), u.String() + "/"}
	}
	return nil
}
