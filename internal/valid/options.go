package valid

// This file holds single options against the table, and options against each
// other. It must not know what an option does, but for what rules out another.

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/metadata"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/strategy"
	"example.com/upstream/internal/strictjson"
)

// checkUnread reports what Go could not take.
func (k *checker) checkUnread() {
	for _, p := range k.Unread {
		if k.name == "twitter" && k.Strategy.Protocol == strategy.OAuth2 && strings.HasPrefix(p.Pointer, "/options/consumer") {
			continue // an app has a pair for each protocol there, and this one is not in use
		}
		k.report(p.Pointer, p.Message)
	}
}

// checkName is strict only where a subject holds the name: there it must not be
// mistaken for another part of one. (rule U9)
func (k *checker) checkName() {
	name := k.text("name")
	switch {
	case !k.Strategy.Named:
		k.report("/name", check.Length(name, k.bound("name").Text))
	case name == "":
		k.report("/name", "is missing; the subjects of this strategy's users hold it")
	default:
		k.report("/name", check.ConnectionName(name))
	}
}

// checkJSON checks the options that are JSON texts, which the program may have set
// to anything, and reads the metadata, if all of them can be read.
func (k *checker) checkJSON() {
	if problems := k.NotJSON(); problems != nil {
		for _, p := range problems {
			k.report(p.Pointer, p.Message)
		}
		return
	}
	const path = "options/oidc_metadata"
	var problems []metadata.Problem
	k.Metadata, problems = metadata.Read(k.Value(path).([]byte))
	for _, p := range problems {
		k.report("/"+path+p.Pointer, p.Message)
	}
}

// NotJSON gives the options that have to be JSON texts and are not: nothing can be
// written with them.
func (c *Connection) NotJSON() (problems []Problem) {
	for _, path := range [...]string{"options/oidc_metadata", "options/attribute_map", "options/fieldsMap"} {
		var syntax *strictjson.Error
		if text := c.Value(path).([]byte); len(text) > 0 && errors.As(strictjson.Check(text), &syntax) {
			problems = append(problems, Problem{Pointer: "/" + path, Message: "cannot be read as JSON: " + syntax.Error()})
		}
	}
	return problems
}

// texts are the options that the table says all there is to say of: their values or
// their length. URLs and what is part of one are checked as such.
var texts = [...]string{
	"display_name", "options/client_id", "options/client_secret", "options/scripts/fetchUserProfile", "options/icon_url",
	"options/token_endpoint_auth_method", "options/connection_settings/pkce", "options/token_endpoint_auth_signing_alg",
	"options/token_endpoint_jwtca_aud_format", "options/community_base_url", "options/baseUrl", "options/dpop_signing_alg",
	"options/protocol", "options/waad_protocol", "options/identity_api", "options/type",
	"options/should_trust_email_verified_connection",
}

// checkOptions reads no value that another strategy's setting has: the vendor keeps
// what its dashboard once wrote. Its size counts all the same.
func (k *checker) checkOptions() {
	if k.text("options/client_id") == "" && k.Strategy.OAuth() && k.Strategy.Protocol != strategy.OAuth1 {
		k.reportAt("options/client_id", "is missing; the identity provider gave it when the auth server was registered there")
	}
	for _, path := range texts {
		text, m := k.text(path), option.Get(path)
		switch {
		case text == "":
		case m.Enum != nil && m.Serves(k.name) && !slices.Contains(m.Enum, text):
			k.reportAt(path, m.WrongValue(text))
		case m.Bound(k.name).Text > 0:
			k.reportAt(path, check.Length(text, m.Bound(k.name).Text))
		}
	}
	const icon, pkce = "options/icon_url", "options/connection_settings/pkce"
	if url := k.text(icon); url != "" {
		k.reportAt(icon, check.WebURL(url, k.bound(icon).Text))
	}
	if k.text(pkce) == "disabled" && k.flag("options/pkce_enabled") {
		k.reportAt(pkce, "is disabled while pkce_enabled is true; keep one of them")
	}
}

// checkScope has two bounds, as the vendor's schema has two forms. Scopes that were
// not read from an array will be written as one string. (rule O7)
func (k *checker) checkScope() {
	const path = "options/scope"
	limit, scope := k.bound(path), k.list(path)
	if _, isArray := strictjson.Elements(k.Doc.Lookup(path)); !isArray {
		k.reportAt(path, check.Length(strings.Join(scope, " "), limit.Text))
		return
	}
	if len(scope) > limit.Items {
		k.reportAt(path, fmt.Sprintf("has more than %d items; join some by spaces", limit.Items))
	}
	for i, item := range scope {
		if message := check.Length(item, limit.Item); message != "" {
			k.report("/"+path+"/"+strconv.Itoa(i), message)
		}
	}
}

// checkHeaders collects the custom headers. A second authentication beside one that
// is attached is refused: RFC 6749 section 2.3 has one for each request. Of a client
// secret nothing is said, since the custom header then stands in its place. (rules
// H1, H2, H6)
func (k *checker) checkHeaders() {
	const path = "options/customHeaders"
	values := k.dict(path)
	for _, name := range lossless.Keys(k.Doc.Lookup(path), values) {
		k.Headers = append(k.Headers, check.Header{Name: name, Value: values[name]})
	}
	k.reportMembers(path, check.Headers(k.Headers))
	if !option.Attached(k.text("options/token_endpoint_auth_method")) {
		return
	}
	for _, h := range k.Headers {
		if strings.EqualFold(h.Name, "Authorization") && check.Authenticates(h.Value, k.text("options/client_id")) {
			k.report("/"+path+strictjson.Pointer(h.Name), "is this client's authentication, and token_endpoint_auth_method asks for another; remove one")
		}
	}
}
