package strategy

// This file tells people why a strategy is refused, and what they may have meant.

import (
	"strconv"
	"strings"

	"example.com/upstream/internal/check"
)

// noSAML is what the root's ErrSAML says.
const noSAML = "SAML identity providers take no upstream parameters"

// Refused says that a strategy of a protocol has no OAuth authorization endpoint. An
// unknown name is either a misspelt one, or that of a provider which some known protocol
// fits: nobody should have to ask which word to write. The name is cut to what an error
// shows.
func Refused(name, protocol string) string {
	text := "strategy " + strconv.Quote(check.Shown(name))
	switch protocol {
	case SAML.String():
		return text + ": " + noSAML + ", so that SAML is not spoken here"
	case Unknown.String():
		if near := Near(name); near != "" {
			return text + " is not known here (protocol: unknown); did you mean " + near + "?"
		}
		return text + ` is not known here; write "oauth2", with authorizationURL and tokenURL in options, or "oidc", ` +
			`with authorization_endpoint and token_endpoint, for a provider that has no strategy of its own (protocol: unknown)`
	}
	return text + " has no OAuth authorization endpoint (protocol: " + protocol + ")"
}

// Near gives the strategy whose name was meant by a misspelled one, "" if that
// is not plain: gitlab is nobody's misspelling of github. One letter may be wrong, or
// the end missing (google-oauth). Names of up to four letters are near to too many
// words that mean something else.
func Near(mistaken string) string {
	for name := range table {
		if strings.EqualFold(name, mistaken) {
			return name
		}
	}
	near := check.Nearest(mistaken, Names())
	if len(near) < 5 || check.Distance(strings.ToLower(mistaken), near) > 1 && !strings.HasPrefix(near, mistaken) {
		return ""
	}
	return near
}
