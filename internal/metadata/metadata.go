// Package metadata reads what an authorization server says of itself (OpenID
// Connect Discovery 1.0 section 3, RFC 8414 section 2), as far as this module
// uses it. It owns the names of the members, and must not know connections,
// networks, or which of two sources of one setting wins.
//
// The document may be the administrator's, in a connection, or come from the network.
// So its types are checked, since a wrong one in a connection is a mistake to be told,
// and what is in the values is not: whoever uses an endpoint checks it as one (https,
// host), and whoever fetched the document compares issuer with where it was had from
// (RFC 8414 section 3.3) before anything else of it is used.
package metadata

import "example.com/upstream/internal/strictjson"

// Metadata is one document. "", false and nil stand for absent.
type Metadata struct {
	Issuer                string
	AuthorizationEndpoint string
	TokenEndpoint         string
	UserinfoEndpoint      string
	JWKSURI               string
	PAREndpoint           string // pushed_authorization_request_endpoint (RFC 9126 section 5)
	EndSessionEndpoint    string // OpenID Connect RP-Initiated Logout 1.0

	RequirePAR bool // require_pushed_authorization_requests (RFC 9126 section 5)
	// ResponseIssuer says that every answer carries iss:
	// authorization_response_iss_parameter_supported (RFC 9207 section 3).
	ResponseIssuer bool

	// MTLSTokenEndpoint and MTLSUserinfoEndpoint are of mtls_endpoint_aliases
	// (RFC 8705 section 5).
	MTLSTokenEndpoint    string
	MTLSUserinfoEndpoint string
}

// A Problem is a member that is not of the type that the standards give it. The
// member reads as absent then, so that a flag with "true" in quotes requires nothing:
// a document with problems is therefore not one to be used.
type Problem struct {
	Pointer string // RFC 6901, from the document
	Message string // repeats no value
}

// Read reads a document that strictjson.Check has accepted. What is null or
// not there is absent; members that are not used are not looked at, of whatever type:
// providers put there what they like. Problems are in the order of the document, those
// of mtls_endpoint_aliases last.
func Read(text []byte) (m Metadata, problems []Problem) {
	if len(text) == 0 || strictjson.IsNull(text) {
		return m, nil
	}
	read := func(text []byte, at string, texts map[string]*string, flags map[string]*bool) {
		members, ok := strictjson.Members(text)
		if !ok {
			problems = append(problems, Problem{at, "must be an object, as a .well-known/openid-configuration is one"})
		}
		for _, member := range members {
			if strictjson.IsNull(member.Value) {
				continue
			}
			if to := texts[member.Name]; to != nil {
				if *to = strictjson.Text(member.Value); !strictjson.IsText(member.Value) {
					problems = append(problems, Problem{at + strictjson.Pointer(member.Name), "must be a string"})
				}
			}
			if to := flags[member.Name]; to != nil {
				*to = string(member.Value) == "true"
				if !*to && string(member.Value) != "false" {
					problems = append(problems, Problem{at + strictjson.Pointer(member.Name), "must be true or false, without quotes"})
				}
			}
		}
	}
	read(text, "", map[string]*string{
		"issuer":                                &m.Issuer,
		"authorization_endpoint":                &m.AuthorizationEndpoint,
		"token_endpoint":                        &m.TokenEndpoint,
		"userinfo_endpoint":                     &m.UserinfoEndpoint,
		"jwks_uri":                              &m.JWKSURI,
		"pushed_authorization_request_endpoint": &m.PAREndpoint,
		"end_session_endpoint":                  &m.EndSessionEndpoint,
	}, map[string]*bool{
		"require_pushed_authorization_requests":          &m.RequirePAR,
		"authorization_response_iss_parameter_supported": &m.ResponseIssuer,
	})
	members, _ := strictjson.Members(text)
	if aliases := strictjson.Find(members, "mtls_endpoint_aliases"); aliases != nil && !strictjson.IsNull(aliases) {
		read(aliases, "/mtls_endpoint_aliases", map[string]*string{
			"token_endpoint":    &m.MTLSTokenEndpoint,
			"userinfo_endpoint": &m.MTLSUserinfoEndpoint,
		}, nil)
	}
	return m, problems
}
