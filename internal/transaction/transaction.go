// Package transaction owns what an auth server itself has to bring for one login, and
// what becomes of the secret part of it that an identity provider may not see: the code
// verifier goes out as its challenge.
//
// It must not know where these values are kept, nor what else a URL is made of. What a
// connection demands is compiled to [Rules], since it is looked at in each login.
//
// All three values defend against somebody else's answer, each in another place, and
// none replaces another:
//
//	state          the browser that comes back is the one that left   RFC 6749 section 10.12
//	nonce          the ID token was made for this login               OpenID Connect Core 15.5.2
//	code verifier  the code is spent by whoever asked for it          RFC 7636 section 1
package transaction

import (
	"crypto/sha256"
	"encoding/base64"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/plan"
)

// A Mode says whether there is a code verifier. (rule T4)
type Mode uint8

const (
	Optional Mode = iota
	Required
	Disabled
)

// PKCE gives the Mode of connection_settings.pkce and pkce_enabled. "auto" requires a
// verifier as "S256" does: an identity provider without PKCE ignores parameters that it
// does not know (RFC 6749 section 3.1), so that there is nothing to find out.
func PKCE(setting string, enabled bool) Mode {
	switch {
	case setting == "disabled":
		return Disabled
	case enabled || setting != "":
		return Required
	}
	return Optional
}

// Rules are what a connection asks of a transaction.
type Rules struct {
	OAuth1 bool // the request token, and nothing else
	Nonce  bool // is required
	PKCE   Mode
}

// Check gives the first field that is wrong and why, in the order of the rules, without
// its value; "" and "" if nothing is. What in has of the request is not looked at.
// (rules T1 to T4, X1)
//
// State and nonce may be any text: how well they can be guessed is not to be seen. That
// they are equal is, and whoever saw the state come back would know what the ID token
// has to hold.
func (r Rules) Check(in *plan.Input, verifier string) (field, problem string) {
	redirectURI, state, nonce := in.Values[plan.RedirectURI], in.Values[plan.State], in.Values[plan.Nonce]
	switch {
	case r.OAuth1:
		if in.Values[plan.RequestToken] == "" {
			return "request_token", "is missing; get one from the request token URL first"
		}
		return "", ""
	case redirectURI == "":
		return "redirect_uri", "is missing"
	}
	if problem := check.AbsoluteURI(redirectURI); problem != "" {
		return "redirect_uri", problem
	}
	switch {
	case state == "":
		return "state", "is missing; make an unguessable one for each login"
	case nonce == state:
		return "nonce", "is equal to state; whoever sees one would know the other"
	case r.Nonce && nonce == "":
		return "nonce", "is missing; OpenID Connect needs one for each login, to be found again in the ID token"
	case r.PKCE == Disabled, r.PKCE == Optional && verifier == "":
		return "", ""
	case verifier == "":
		return "code_verifier", "is missing; the connection requires PKCE"
	case !check.CodeVerifier(verifier):
		return "code_verifier", "must be 43 to 128 letters, digits or - . _ ~"
	}
	return "", ""
}

// A Challenge is what PKCE sends: RFC 7636 section 4.2, S256. The other method, plain,
// would send the verifier.
type Challenge [43]byte

// Challenge makes c of a verifier that Check has let pass, and reports whether there is
// any. It copies the verifier, because a conversion to bytes would be an allocation.
func (r Rules) Challenge(c *Challenge, verifier string) bool {
	if verifier == "" || r.OAuth1 || r.PKCE == Disabled {
		return false
	}
	var text [128]byte
	sum := sha256.Sum256(text[:copy(text[:], verifier)])
	base64.RawURLEncoding.Encode(c[:], sum[:])
	return true
}

// Missing says why a parameter of the protocol is not sent.
func (r Rules) Missing(parameter string) string {
	switch {
	case parameter == "nonce":
		return "the transaction has no nonce"
	case r.PKCE == Disabled:
		return "connection_settings.pkce is disabled"
	}
	return "the transaction has no code verifier"
}
