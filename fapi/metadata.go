package fapi

// This file owns what is read of the identity provider's metadata (RFC 8414,
// RFC 9126 section 5, RFC 9449 section 5.1, RFC 8705 section 5). Fetching and
// trusting it is not its part.

import (
	"example.com/upstream"
	"example.com/upstream/internal/check"
	"example.com/upstream/internal/strictjson"
)

const maxEndpoint = 2083 // characters of an endpoint in metadata

type metadata struct {
	issuer, tokenEndpoint, userinfoEndpoint, pushEndpoint string

	aliases                              map[string]string // address -> its address for mutual TLS
	assertionAlgs, requestAlgs, dpopAlgs []string          // nil where it lists none
	signedRequests, pushedRequests       bool
}

// read takes options before metadata (SPEC O8).
func (m *metadata) read(conn *upstream.Connection) error {
	o := &conn.Options
	m.issuer, m.tokenEndpoint, m.userinfoEndpoint = o.Issuer, o.TokenURL, o.UserinfoEndpoint
	if len(o.OIDCMetadata) == 0 {
		return nil
	}
	if err := strictjson.Check(o.OIDCMetadata); err != nil {
		return connectionError("options.oidc_metadata cannot be read: %v", err)
	}
	members, object := strictjson.Members(o.OIDCMetadata)
	if !object {
		if strictjson.IsNull(o.OIDCMetadata) {
			return nil
		}
		return connectionError("options.oidc_metadata is not a JSON object")
	}
	r := reader{members: members, insecure: conn.InsecureAllowHTTP}
	own := func(option *string, value string) {
		if *option == "" {
			*option = value
		}
	}
	own(&m.issuer, r.text("issuer"))
	metaToken, metaUserinfo := r.endpoint("token_endpoint"), r.endpoint("userinfo_endpoint")
	own(&m.tokenEndpoint, metaToken)
	own(&m.userinfoEndpoint, metaUserinfo)
	m.pushEndpoint = r.endpoint("pushed_authorization_request_endpoint")
	m.assertionAlgs = r.list("token_endpoint_auth_signing_alg_values_supported")
	m.requestAlgs = r.list("request_object_signing_alg_values_supported")
	m.dpopAlgs = r.list("dpop_signing_alg_values_supported")
	m.pushedRequests = r.flag("require_pushed_authorization_requests")
	m.signedRequests = r.flag("require_signed_request_object")
	if aliases := strictjson.Find(members, "mtls_endpoint_aliases"); strictjson.IsObject(aliases) {
		a := r
		a.members, _ = strictjson.Members(aliases)
		m.aliases = map[string]string{}
		for plain, alias := range map[string]string{
			m.tokenEndpoint: a.endpoint("token_endpoint"), m.userinfoEndpoint: a.endpoint("userinfo_endpoint"),
			m.pushEndpoint: a.endpoint("pushed_authorization_request_endpoint"),
		} {
			if plain != "" && alias != "" {
				m.aliases[plain] = alias
			}
		}
		r.bad = a.bad
	}
	if r.bad != "" {
		return connectionError("options.oidc_metadata: %s", r.bad)
	}
	return nil
}

// A reader takes single members, and keeps the first thing that is wrong.
type reader struct {
	members  []strictjson.Member
	insecure bool
	bad      string
}

func (r *reader) fail(name, message string) {
	if r.bad == "" {
		r.bad = name + " " + message
	}
}

func (r *reader) find(name string) []byte {
	value := strictjson.Find(r.members, name)
	if strictjson.IsNull(value) {
		return nil
	}
	return value
}

func (r *reader) text(name string) string {
	value := r.find(name)
	if value != nil && !strictjson.IsText(value) {
		r.fail(name, "is not a string")
	}
	return strictjson.Text(value)
}

func (r *reader) endpoint(name string) string {
	address := r.text(name)
	if address == "" {
		return ""
	}
	if message := check.Endpoint(address, maxEndpoint, r.insecure); message != "" {
		r.fail(name, message)
		return ""
	}
	return address
}

func (r *reader) flag(name string) bool {
	value := string(r.find(name))
	if value != "" && value != "true" && value != "false" {
		r.fail(name, "is neither true nor false")
	}
	return value == "true"
}

func (r *reader) list(name string) (list []string) {
	value := r.find(name)
	if value == nil {
		return nil
	}
	elements, array := strictjson.Elements(value)
	if !array {
		r.fail(name, "is not an array")
	}
	for _, e := range elements {
		list = append(list, strictjson.Text(e))
	}
	return list
}
