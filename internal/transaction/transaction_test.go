package transaction

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/plan"
)

// That of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestT1T2T3T4X1Check(t *testing.T) {
	oidc, pkce := Rules{Nonce: true, PKCE: Required}, Rules{PKCE: Required}
	with := func(redirectURI, state, nonce, requestToken string) plan.Input {
		return plan.Input{Values: []string{plan.RedirectURI: redirectURI, plan.State: state, plan.Nonce: nonce, plan.RequestToken: requestToken}}
	}
	good := with("https://h.test/cb", "s", "n", "")
	for _, tc := range []struct {
		name     string
		rules    Rules
		in       plan.Input
		verifier string
		want     string // the field, and how the problem begins
	}{
		{"all there", oidc, good, verifier, " "},
		{"nothing optional", Rules{}, with("https://h.test/cb", "s", "", ""), "", " "},
		{"T1 none", oidc, with("", "", "", ""), "", "redirect_uri is missing"},
		{"T1 relative", oidc, with("/cb", "", "", ""), "", "redirect_uri must be absolute"},
		{"T1 before T2", oidc, with("https://h.test/cb#f", "", "", ""), "", "redirect_uri must have no fragment"},
		{"T2", oidc, with("https://h.test/cb", "", "", ""), "", "state is missing"},
		{"T3 equal", Rules{}, with("https://h.test/cb", "s", "s", ""), "", "nonce is equal to state"},
		{"T3 none", oidc, with("https://h.test/cb", "s", "", ""), "", "nonce is missing"},
		{"T4 none", pkce, good, "", "code_verifier is missing"},
		{"T4 short", pkce, good, verifier[1:], "code_verifier must be 43 to 128"},
		{"T4 short, of its own accord", Rules{}, good, "x", "code_verifier must be 43 to 128"},
		{"T4 long", pkce, good, strings.Repeat("x", 129), "code_verifier must be"},
		{"T4 not text of a verifier", pkce, good, verifier + "+", "code_verifier must be"},
		{"T4 as long as may be", pkce, good, strings.Repeat("x", 128), " "},
		{"T4 disabled, whatever it is", Rules{PKCE: Disabled}, good, "x", " "},
		{"X1", Rules{OAuth1: true, Nonce: true, PKCE: Required}, with("", "", "", "t"), "", " "},
		{"X1 none", Rules{OAuth1: true}, good, verifier, "request_token is missing"},
	} {
		field, problem := tc.rules.Check(&tc.in, tc.verifier)
		got := field + " " + problem
		assert.True(t, tc.want == " " && got == " " || tc.want != " " && strings.HasPrefix(got, tc.want), "%s: %q, want %q", tc.name, got, tc.want)
	}
}

func TestT4Mode(t *testing.T) {
	for _, tc := range []struct {
		setting string
		enabled bool
		want    Mode
	}{{"", false, Optional}, {"", true, Required}, {"auto", false, Required}, {"S256", true, Required}, {"disabled", false, Disabled}, {"disabled", true, Disabled}} {
		assert.Equal(t, tc.want, PKCE(tc.setting, tc.enabled), tc.setting)
	}
}

func TestT4Challenge(t *testing.T) {
	for _, tc := range []struct {
		rules    Rules
		verifier string
		want     bool
	}{
		{Rules{}, verifier, true}, {Rules{PKCE: Required}, verifier, true}, {Rules{}, "", false},
		{Rules{PKCE: Disabled}, verifier, false}, {Rules{OAuth1: true}, verifier, false},
	} {
		var c Challenge
		if assert.Equal(t, tc.want, tc.rules.Challenge(&c, tc.verifier)); tc.want {
			assert.Equal(t, challenge, string(c[:]))
		}
	}
	var c Challenge
	assert.True(t, Rules{}.Challenge(&c, strings.Repeat("x", 128)))
	assert.Equal(t, "JNobgdCxbfZCju5zxp_LKpPHa8bfcG8MZnD-a_6ABGQ", string(c[:]))
}

func TestM10Missing(t *testing.T) {
	assert.Equal(t, "the transaction has no nonce", Rules{PKCE: Disabled}.Missing("nonce"))
	assert.Equal(t, "connection_settings.pkce is disabled", Rules{PKCE: Disabled}.Missing("code_challenge"))
	assert.Equal(t, "the transaction has no code verifier", Rules{}.Missing("code_challenge_method"))
}
