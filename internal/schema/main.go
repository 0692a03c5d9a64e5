// Schema prints the JSON Schema (2020-12) of a connection, made of the table of
// options:
//
//	go -C internal/schema run . > schema.json
//
// It is for editors and for programs that check connections without Go. What no
// schema can say, such as whether two members contradict each other, is told by
// Connection.Validate alone: the tests here list these.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"example.com/upstream/internal/option"
	"example.com/upstream/internal/strategy"
)

func main() {
	out, err := generate()
	if err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
	os.Stdout.Write(out)
}

// id names the version of the schema. A change that refuses what was valid
// before makes a new one.
const id = "https://example.com/upstream/schema/v1/connection.json"

// object is a JSON object; its names come out sorted.
type object = map[string]any

func generate() ([]byte, error) {
	root := objectOf("")
	root["$defs"] = object{"entry": entry(), "parameterName": parameterName, "tokenName": tokenName, "sourceName": sourceName, "headerName": headerName}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = id
	root["title"] = "Connection to an identity provider"
	root["description"] = "As Auth0's Management API has it, and as package upstream reads it. Members marked (ours) are this library's."
	root["required"] = []string{"strategy"}
	root["allOf"] = slices.Concat(
		[]any{object{"properties": object{"strategy": object{"type": "string", "minLength": 1}}}},
		names(), limits(), required(), contradictions())
	text, err := json.MarshalIndent(root, "", "\t")
	return append(text, '\n'), err
}

func ref(def string) object { return object{"$ref": "#/$defs/" + def} }

// objectOf is the schema of an object whose members are in the table.
func objectOf(path string) object {
	properties := object{}
	for _, name := range option.Names(path) {
		below := name
		if path != "" {
			below = path + "/" + name
		}
		m := option.In(path, name)
		s := value(m, below)
		s["title"] = name
		s["description"] = m.Doc + " (" + m.Class.String() + ")"
		properties[name] = s
	}
	return object{"type": []string{"object", "null"}[:1], "properties": properties}
}

// value is the schema of one member, without what depends on the strategy.
func value(m *option.Member, path string) object {
	texts := object{"type": "string"}
	switch m.Kind {
	case option.Text, option.NonEmpty:
		s := object{"type": []string{"string", "null"}}
		if m.Kind == option.NonEmpty {
			s["minLength"] = 1
		}
		if m.LimitOf == nil && m.Limit.Text > 0 {
			s["maxLength"] = m.Limit.Text
		}
		switch {
		case isEndpoint(path):
			s["pattern"] = endpoint
		case path == "options/icon_url":
			s["pattern"] = `^$|^[hH][tT][tT][pP][sS]?://` + `([^/?#]*@)?` + host + `([/?#]` + urlChars + `#?` + urlChars + `)?$`
		}
		if m.Enum != nil && m.Of == nil {
			s["enum"] = append(anys(m.Enum), "", nil)
		}
		return s
	case option.Flag:
		return object{"type": []string{"boolean", "null"}}
	case option.Integer:
		return object{"type": []string{"integer", "null"}}
	case option.List:
		return object{"type": []string{"array", "null"}, "items": texts}
	case option.TextOrList:
		return object{"type": []string{"string", "array", "null"}, "items": texts}
	case option.Object:
		s := objectOf(path)
		s["type"] = []string{"object", "null"}
		return s
	case option.Dict, option.Headers:
		return dict(m, path)
	case option.Raw:
		return raw(path)
	}
	return object{}
}

// dict is an object of strings.
func dict(m *option.Member, path string) object {
	each := object{"type": "string"}
	s := object{"type": []string{"object", "null"}, "additionalProperties": each}
	if m.Limit.Members > 0 {
		s["maxProperties"] = m.Limit.Members
	}
	switch path {
	case "options/authParams":
		each["minLength"], each["maxLength"] = 1, m.Limit.Text
		s["propertyNames"], s["properties"] = ref("parameterName"), fixed(func(v object) object { return v })
	case "options/authParamsMap":
		each["enum"] = anys(sources)
		s["propertyNames"], s["properties"] = ref("parameterName"), object{"scope": false, "response_type": false, "response_mode": false}
	case "options/token_params":
		each["minLength"], each["maxLength"], s["maxProperties"] = 1, 1024, 30
		s["propertyNames"] = ref("tokenName")
	case "options/customHeaders":
		each["maxLength"], each["pattern"] = m.Limit.Text, `^[!-~]([\t -~]*[!-~])?$`
		s["propertyNames"] = ref("headerName")
		return object{"anyOf": []any{s, object{"type": "string", "pattern": `^$|^[ \t\r\n]*\{`}}}
	}
	return s
}

// raw is what has readers of its own.
func raw(path string) object {
	switch path {
	case "options/upstream_params":
		m := option.Get(path)
		return object{
			"type": []string{"object", "null"}, "maxProperties": m.Limit.Members, "propertyNames": ref("parameterName"),
			"additionalProperties": ref("entry"),
			"properties": fixed(func(v object) object {
				return object{"anyOf": []any{object{"type": "null"}, object{"allOf": []any{
					ref("entry"), object{"not": object{"anyOf": []any{object{"required": []string{"alias"}}, object{"required": []string{"from"}}}}}, object{"properties": object{"value": v}},
				}}}}
			}),
		}
	case "options/oidc_metadata":
		text, flag := object{"type": []string{"string", "null"}}, object{"type": []string{"boolean", "null"}}
		return object{"type": []string{"object", "null"}, "properties": object{
			"issuer": text, "authorization_endpoint": text, "token_endpoint": text, "userinfo_endpoint": text, "jwks_uri": text,
			"pushed_authorization_request_endpoint": text, "end_session_endpoint": text,
			"require_pushed_authorization_requests": flag, "authorization_response_iss_parameter_supported": flag,
			"mtls_endpoint_aliases": object{"type": []string{"object", "null"}, "properties": object{
				"token_endpoint": text, "userinfo_endpoint": text,
			}},
		}}
	}
	return object{}
}

// entry is one parameter of upstream_params.
func entry() object {
	s := objectOf("options/upstream_params/*")
	properties := s["properties"].(object)
	for name, p := range properties {
		p := p.(object)
		if types, ok := p["type"].([]string); ok && name != "allow" && name != "translate" && name != "unless" {
			p["type"] = types[0] // null is no value
		}
		switch name {
		case "alias":
			p["enum"] = anys(aliases)
		case "from":
			p["allOf"] = []any{ref("sourceName"), object{"not": object{"enum": anys(aliases)}}}
		case "unless":
			p["items"] = ref("sourceName")
		}
	}
	dynamic := object{"anyOf": []any{object{"required": []string{"alias"}}, object{"required": []string{"from"}}}}
	s["type"], s["minProperties"], s["additionalProperties"] = []string{"object", "null"}, 1, false
	s["dependentSchemas"] = object{
		"allow": dynamic, "allow_pattern": dynamic,
		"from": object{ // its name is open, so its values are not
			"anyOf": []any{object{"required": []string{"allow"}}, object{"required": []string{"allow_pattern"}}},
			"not":   object{"required": []string{"alias"}},
			"if":    object{"properties": object{"from": object{"const": "claims"}}},
			"then":  object{"properties": object{"translate": object{"maxProperties": 0}}},
		},
	}
	if list, ok := properties["allow"].(object); ok {
		list["type"] = "array"
	}
	if dict, ok := properties["translate"].(object); ok {
		dict["type"] = "object"
	}
	return s
}

// fixed are the parameters that may be static only.
func fixed(of func(value object) object) object {
	return object{
		"scope":         of(object{"type": "string"}),
		"response_type": of(object{"enum": []any{"code", ""}}),
		"response_mode": of(object{"enum": []any{"query", "form_post", ""}}),
	}
}

func anys(list []string) (out []any) {
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

// Where strategies differ.

// oauth are the strategies that speak an OAuth protocol under some settings.
func oauth() (out []string) {
	for _, name := range strategy.Names() {
		if strategy.Lookup(name, strategy.Settings{}).OAuth() {
			out = append(out, name)
		}
	}
	return out
}

// oauth2 are those that speak OAuth 2.0 or OpenID Connect without being told to.
func oauth2() []string {
	return slices.DeleteFunc(oauth(), func(name string) bool {
		return strategy.Lookup(name, strategy.Settings{}).Protocol == strategy.OAuth1
	})
}

// when applies a schema to connections of some strategies; not to all others.
func when(strategies []string, then object) object {
	return object{"if": object{"properties": object{"strategy": object{"enum": anys(strategies)}}, "required": []string{"strategy"}}, "then": then}
}

func otherwise(strategies []string, then object) object {
	s := when(strategies, nil)
	delete(s, "then")
	s["else"] = then
	return s
}

// at is a schema of a member somewhere below the root.
func at(path string, s any) object {
	for _, name := range slices.Backward(strings.Split(path, "/")) {
		s = object{"properties": object{name: s}}
	}
	return s.(object)
}

// has asks for a member that says something.
func has(path string) object {
	s := object{"type": "string", "minLength": 1}
	names := strings.Split(path, "/")
	for _, name := range slices.Backward(names) {
		s = object{"type": "object", "required": []string{name}, "properties": object{name: s}}
	}
	return s
}

// limits are the lengths and counts that differ by strategy.
func limits() (out []any) {
	for _, m := range option.All() {
		if m.LimitOf == nil && m.Kind != option.TextOrList {
			continue
		}
		bound := func(l option.Limit) object {
			s := object{"maxLength": l.Text}
			if l.Items > 0 {
				s["maxItems"], s["items"] = l.Items, object{"maxLength": l.Item}
			}
			both := object{}
			for _, path := range m.Paths() {
				both[strings.TrimPrefix(path, "options/")] = s
			}
			return object{"properties": object{"options": object{"properties": both}}}
		}
		byLimit, all := map[option.Limit][]string{}, []string{}
		for name, l := range m.LimitOf {
			byLimit[l] = append(byLimit[l], name)
			all = append(all, name)
		}
		slices.Sort(all)
		for _, l := range sortedLimits(byLimit) {
			slices.Sort(byLimit[l])
			out = append(out, when(byLimit[l], bound(l)))
		}
		out = append(out, otherwise(all, bound(m.Limit)))
	}
	for _, m := range option.All() {
		if m.Enum != nil && m.Of != nil {
			out = append(out, when(m.Of, at(m.Path, object{"enum": append(anys(m.Enum), "", nil)})))
		}
	}
	return out
}

func sortedLimits(m map[option.Limit][]string) (out []option.Limit) {
	for l := range m {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b option.Limit) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return out
}

// required is what a connection of a strategy cannot be without.
func required() (out []any) {
	var named []string
	lacking := map[string][]string{}
	for _, name := range strategy.Names() {
		st := strategy.Lookup(name, strategy.Settings{})
		if st.Named {
			named = append(named, name)
		}
		if name == "twitter" || !st.OAuth() {
			continue
		}
		if st.Protocol == strategy.OAuth1 {
			if st.AuthURL == "" {
				lacking["oauth1"] = append(lacking["oauth1"], name)
			}
		} else if st.AuthURL == "" {
			lacking[name] = []string{name}
		}
	}
	out = append(out, when(named, object{
		"required": []string{"name"}, "properties": object{"name": object{"type": "string", "pattern": `^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$`}},
	}))
	clientID := object{"anyOf": []any{has("options/client_id"), has("options/consumer_key"), has("options/consumerKey")}}
	spoken := []any{
		when(slices.DeleteFunc(oauth2(), func(name string) bool { return name == "waad" }), clientID),
		object{"if": object{"required": []string{"strategy"}, "properties": object{"strategy": object{"const": "twitter"}}, "allOf": []any{at("options/protocol", object{"const": "oauth2"}), has("options/protocol")}}, "then": clientID},
		when([]string{"waad"}, object{"anyOf": []any{wsFederation, clientID}}),
	}
	out = append(out, spoken...)
	for _, name := range slices.Sorted(keys(lacking)) {
		then := object{"allOf": []any{has("options/userAuthorizationURL"), has("options/requestTokenURL"), has("options/accessTokenURL")}}
		if name != "oauth1" {
			then = ownEndpoints(name)
		}
		out = append(out, when(lacking[name], then))
	}
	return out
}

func keys(m map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// ownEndpoints are the ways to name the endpoints of a strategy without them.
func ownEndpoints(name string) object {
	one := func(paths ...string) object {
		var ways []any
		for _, path := range paths {
			ways = append(ways, has(path))
		}
		return object{"anyOf": ways}
	}
	both := object{"allOf": []any{
		one("options/authorizationURL", "options/authorization_endpoint", "options/oidc_metadata/authorization_endpoint"),
		one("options/tokenURL", "options/token_endpoint", "options/oidc_metadata/token_endpoint"),
	}}
	ways := []any{both}
	derived := func(path, pattern string) {
		ways = append(ways, object{"allOf": []any{has(path), at(path, object{"pattern": pattern})}})
	}
	switch name {
	case "okta":
		derived("options/domain", hostname)
	case "waad":
		ways = append(ways, wsFederation, object{"allOf": []any{
			object{"properties": object{"options": object{"required": []string{"useCommonEndpoint"}}}}, at("options/useCommonEndpoint", object{"const": true}),
		}})
		for _, path := range []string{"options/tenant_domain", "options/tenantId", "options/domain"} {
			derived(path, hostname)
		}
	case "salesforce-community":
		derived("options/community_base_url", endpoint)
	case "exact":
		derived("options/baseUrl", endpoint)
	}
	return object{"anyOf": ways}
}

// wsFederation holds for a waad connection that is refused for its protocol.
var wsFederation = object{"anyOf": []any{
	object{"allOf": []any{object{"properties": object{"options": object{"required": []string{"use_wsfed"}}}}, at("options/use_wsfed", object{"const": true})}},
	object{"allOf": []any{has("options/waad_protocol"), at("options/waad_protocol", object{"pattern": `(?i)^ws-?fed(eration)?$`})}},
}}

// contradictions are members that do not go together.
func contradictions() []any {
	var serving []any // endpoints of the metadata count where options name none
	for name, own := range map[string][]string{
		"authorization_endpoint": {"options/authorizationURL", "options/authorization_endpoint"},
		"token_endpoint":         {"options/tokenURL", "options/token_endpoint"},
		"userinfo_endpoint":      {"options/userinfo_endpoint"},
	} {
		var ways []any
		for _, path := range own {
			ways = append(ways, has(path))
		}
		serving = append(serving, object{
			"if": object{"anyOf": ways},
			"else": at("options/oidc_metadata/"+name, object{
				"pattern": "^$|" + endpoint, "maxLength": option.Get(own[0]).Limit.Text,
			}),
		})
	}
	slices.SortFunc(serving, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return []any{
		when(oauth2(), object{"allOf": serving}),
		object{
			"if":   object{"allOf": []any{has("options/connection_settings/pkce"), at("options/connection_settings/pkce", object{"const": "disabled"})}},
			"then": at("options/pkce_enabled", object{"enum": []any{false, nil}}),
		},
	}
}

// withoutOAuth are the strategies of which the table knows little.
func withoutOAuth() []string {
	with := oauth()
	return slices.DeleteFunc(strategy.Names(), func(name string) bool { return slices.Contains(with, name) })
}
