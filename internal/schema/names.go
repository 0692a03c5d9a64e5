package main

// This file holds what names and URLs look like, as patterns that every dialect
// of regular expressions reads alike.

import (
	"slices"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/incoming"
	"example.com/upstream/internal/option"
)

// Incoming parameters: those that upstream_params may name, and those that
// authParamsMap may name.
var aliases, sources = incoming.Names[:incoming.AliasEnd], incoming.Names[:incoming.SourceEnd]

// reserved parameters belong to the protocol, or to the connection's user.
var reserved = []string{
	"client_id", "client_secret", "redirect_uri", "state", "nonce", "code", "code_verifier", "code_challenge",
	"code_challenge_method", "grant_type", "request", "request_uri", "client_assertion", "client_assertion_type",
}

const (
	host     = `([A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+(:[0-9]*)?`
	urlChars = `([A-Za-z0-9._~:/?@!$&'()*+,;=\[\]-]|%[0-9A-Fa-f]{2})*`
	endpoint = `^([hH][tT][tT][pP][sS]://(` + host + `|\[[0-9A-Fa-f:.]+\](:[0-9]*)?)|` +
		`[hH][tT][tT][pP]://([lL][oO][cC][aA][lL][hH][oO][sS][tT]|127\.[0-9]+\.[0-9]+\.[0-9]+|\[::1\])(:[0-9]*)?)([/?]` + urlChars + `)?$`
	hostname = `^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`
)

func isEndpoint(path string) bool {
	return slices.Contains([]string{
		"options/authorizationURL", "options/authorization_endpoint", "options/tokenURL", "options/token_endpoint", "options/userinfo_endpoint",
		"options/userAuthorizationURL", "options/requestTokenURL", "options/accessTokenURL",
	}, path)
}

// folded is a pattern of a name in any case, with what servers read as one
// letter in the place of another.
func folded(name string, like func(r rune) string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case like(r) != "":
			b.WriteString(like(r))
		case 'a' <= r && r <= 'z':
			b.WriteString("[" + string(r) + strings.ToUpper(string(r)) + "]")
		default:
			b.WriteString(string(r))
		}
	}
	return b.String()
}

// parameterName is what a configured parameter may be called, tokenName one of
// the token request, sourceName an incoming one that from and unless may name.
var (
	parameterName = named()
	tokenName     = named("refresh_token", "username", "password", "device_code", "assertion", "access_token")
	sourceName    = object{"anyOf": []any{object{"enum": anys(sources)}, named("scope", "connection_scope", "code_challenge.*")}}
)

// named is a parameter name that is neither reserved nor one of more.
func named(more ...string) object {
	underscore := func(r rune) string {
		if r == '_' {
			return `[_.\[]` // an unclosed bracket is read so, too
		}
		return ""
	}
	var alternatives []string
	for _, name := range slices.Concat(reserved, more) {
		prefix, any := strings.CutSuffix(name, ".*")
		alternatives = append(alternatives, folded(prefix, underscore)+map[bool]string{false: `(\[.*)?`, true: ".*"}[any])
	}
	alternatives = append(alternatives, folded("oauth_", underscore)+".*")
	return object{"allOf": []any{
		object{"pattern": "^[^\\s\\x00-\\x1f\\x7f-\\x9f]{1,128}$"},
		object{"not": object{"pattern": "^(" + strings.Join(alternatives, "|") + ")$"}},
	}}
}

// headerName is what a custom header may be called.
var headerName = func() object {
	dash := func(r rune) string {
		if r == '-' {
			return "[-_]"
		}
		return ""
	}
	var alternatives []string
	for _, name := range check.RefusedHeaders {
		alternatives = append(alternatives, folded(name, dash))
	}
	alternatives = append(alternatives, folded("proxy-", dash)+".*")
	return object{"allOf": []any{
		object{"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"},
		object{"not": object{"pattern": "^(" + strings.Join(alternatives, "|") + ")$"}},
	}}
}()

// names refuses members that are nearly, or elsewhere, those of the table.
func names() (out []any) {
	for _, path := range option.Objects() {
		allowed := slices.Clone(option.Names(path))
		if path == "options" {
			allowed = append(allowed, "custom_headers")
		}
		forms := map[string]bool{}
		for _, m := range option.All() {
			if strings.Contains(m.Path, "*") {
				continue
			}
			for _, spelling := range m.Paths() {
				parent, name := "", spelling
				if slash := strings.LastIndexByte(spelling, '/'); slash >= 0 {
					parent, name = spelling[:slash], spelling[slash+1:]
				}
				if parent == path && !m.Switch || parent != path && m.Class != option.NoEffect {
					forms[option.Form(name)] = true
				}
			}
		}
		var alternatives []string
		for _, form := range sorted(forms) {
			alternatives = append(alternatives, spellings(form))
		}
		rule := object{"propertyNames": object{"anyOf": []any{
			object{"enum": anys(allowed)},
			object{"not": object{"pattern": "^[_-]*(" + strings.Join(alternatives, "|") + ")$"}},
		}}}
		if path != "" {
			rule = at(path, rule)
		}
		out = append(out, rule)
	}
	return []any{otherwise(withoutOAuth(), object{"allOf": out})}
}

func sorted(set map[string]bool) (out []string) {
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// spellings is a pattern of all ways to write a name that option.Form brings to
// one form.
func spellings(form string) string {
	var b strings.Builder
	for _, r := range form {
		if 'a' <= r && r <= 'z' {
			b.WriteString("[" + string(r) + strings.ToUpper(string(r)) + "][_-]*")
		} else {
			b.WriteString(string(r) + "[_-]*")
		}
	}
	return b.String() + "([sS][_-]*)?"
}
