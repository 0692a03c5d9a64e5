package outgoing

// This file decides which scopes a connection asks for by itself. What a request adds,
// and that a static scope replaces it all, is the plan's part.

import (
	"slices"

	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/rule"
)

// Scopes gives the scope parameter of a connection, whose options have own: separated
// by spaces where spec or OpenID Connect says so, else, as the vendor has it, by commas.
// The source that may ask for more is left to Compile. (rules M5, M6, O6)
//
// With OpenID Connect there is no request without openid (Core section 3.1.2.1), so that
// it is put in rather than missed. A scope in the authorization endpoint's query stands
// below the options', and would be lost under a default: there it is the connection's
// own. With OAuth 2.0 an empty scope means the provider's default (RFC 6749 section 3.3),
// and it needs no such help.
func Scopes(own []string, spec, openID bool, entries []Entry) plan.Scopes {
	out := plan.Scopes{Own: rule.Scopes(own), Sep: ','}
	if spec || openID {
		out.Sep = ' '
	}
	if !openID {
		return out
	}
	if out.Own == nil {
		for i := range entries {
			if e := &entries[i]; e.Layer == plan.URL && e.Name == "scope" {
				out.Own = rule.Scopes([]string{e.Value})
				out.Note = "the scope of the authorization endpoint's query"
			}
		}
	}
	switch {
	case out.Own == nil:
		out.Own = []string{"openid", "profile", "email"}
		out.Note = "the connection has no scope; this is the default of OpenID Connect strategies"
	case !slices.Contains(out.Own, "openid"):
		out.Own = slices.Insert(out.Own, 0, "openid")
		out.Note = "openid is put first, because the strategy is OpenID Connect"
	}
	return out
}
