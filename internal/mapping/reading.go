package mapping

// This file owns how a document is read: where its members of a profile stand. For
// each attribute that is what the connection's mapping says, else what is known of the
// strategy's own userinfo, else the standard claim of OpenID Connect.

import (
	"maps"
	"slices"
	"strings"

	"example.com/upstream/internal/strictjson"
)

// openID are the standard claims (OpenID Connect Core section 5.1) that a profile
// has an attribute for. Like the other tables here, it is never written.
var openID = map[string]string{
	"user_id": "sub", "name": "name", "nickname": "nickname", "given_name": "given_name", "family_name": "family_name",
	"picture": "picture", "username": "preferred_username", "email": "email", "email_verified": "email_verified",
	"phone_number": "phone_number", "phone_verified": "phone_number_verified",
}

// ofToken are the claims that an ID token has for itself (OpenID Connect Core
// section 2, RFC 7519 section 4.1).
var ofToken = []string{"iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "at_hash", "c_hash", "s_hash"}

// OfToken reports whether a claim is about the ID token, and says nothing of the
// user.
func OfToken(claim string) bool { return slices.Contains(ofToken, claim) }

var (
	github    = map[string]string{"user_id": "id", "name": "name", "nickname": "login", "email": "email", "picture": "avatar_url"}
	wordpress = map[string]string{
		"user_id": "ID", "name": "display_name", "username": "username",
		"email": "email", "email_verified": "email_verified", "picture": "avatar_URL",
	}
)

// Own gives the members of a strategy's own userinfo document, nil for the claims
// of OpenID Connect. Not to be changed.
func Own(strategy string) map[string]string {
	switch strategy {
	case "github":
		return github
	case "wordpress":
		return wordpress
	}
	return nil
}

// A Reading is how one document becomes a profile.
type Reading struct {
	Fields map[string]string // attribute to path; nil for the claims of OpenID Connect
	Over   Map               // above Fields
	Only   bool              // of Fields nothing but user_id counts
	Fault  string            // see Mapping
}

// Reading puts the mapping above fields: that of claims, or that of userinfo.
func (m *Mapping) Reading(fields map[string]string, claims bool) Reading {
	switch {
	case m == nil:
		return Reading{Fields: fields}
	case claims:
		return Reading{fields, m.Claims, m.Only, m.Fault}
	}
	return Reading{fields, m.Userinfo, m.Only, m.Fault}
}

// A Value is what stands in the document for an attribute.
type Value struct {
	Name, Path string
	Text       []byte
}

// Values gives what the document has, in the order of attributes: sorted, since both
// sources are maps, and the first fault of a profile has to be the same each time.
// Attributes that only the mapping knows come with the others, as the profile passes
// on what it has no field for (rule U7).
func (r *Reading) Values(members []strictjson.Member) []Value {
	names := slices.AppendSeq(slices.Collect(maps.Keys(r.fields())), maps.Keys(r.Over))
	slices.Sort(names)
	var out []Value
	for _, name := range slices.Compact(names) {
		if text, path := first(members, r.paths(name)); text != nil {
			out = append(out, Value{name, path, text})
		}
	}
	return out
}

// Path gives where an attribute is looked for, for people.
func (r *Reading) Path(name string) string { return strings.Join(r.paths(name), `" or "`) }

func (r *Reading) fields() map[string]string {
	if r.Fields == nil {
		return openID
	}
	return r.Fields
}

// paths gives where an attribute may stand, nil for nowhere. What is mapped stands
// where the mapping says and nowhere else: a usual place that serves when the mapped
// one is empty would make another user of the same person. user_id
// is looked for in its usual place also where only the mapping counts: without one
// there is no profile (rule U5).
func (r *Reading) paths(name string) []string {
	paths, mapped := r.Over[name]
	switch path := r.fields()[name]; {
	case mapped:
		return paths
	case path == "" || r.Only && name != "user_id":
		return nil
	// What is said of the standard address holds for no other.
	case name == "email_verified" && r.Over["email"] != nil, name == "phone_verified" && r.Over["phone_number"] != nil:
		return nil
	default:
		return []string{path}
	}
}

// first gives what stands at the first of the paths where anything does, null
// only where nothing else is: providers write null for "not given", but a member that
// is null in all places is told from one that is missing, in the message of a fault.
func first(members []strictjson.Member, paths []string) (value []byte, path string) {
	for _, p := range paths {
		v := lookup(members, p)
		if v != nil && !strictjson.IsNull(v) {
			return v, p
		}
		if value == nil {
			value, path = v, p
		}
	}
	return value, path
}
