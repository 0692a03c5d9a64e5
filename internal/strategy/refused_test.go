package strategy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/strategy"
)

func TestS2S3Refused(t *testing.T) {
	for _, tc := range []struct {
		name string
		of   strategy.Protocol
		want string
	}{
		{"samlp", strategy.SAML, `strategy "samlp": SAML identity providers take no upstream parameters, so that SAML is not spoken here`},
		{"ad", strategy.LDAP, `strategy "ad" has no OAuth authorization endpoint (protocol: LDAP)`},
		{"githb", strategy.Unknown, `strategy "githb" is not known here (protocol: unknown); did you mean github?`},
		{"mine", strategy.Unknown, `strategy "mine" is not known here; write "oauth2", with authorizationURL and tokenURL in options, or "oidc", ` +
			`with authorization_endpoint and token_endpoint, for a provider that has no strategy of its own (protocol: unknown)`},
		{"a\nb", strategy.Other, `strategy "a\nb" has no OAuth authorization endpoint (protocol: other)`},
	} {
		assert.Equal(t, tc.want, strategy.Refused(tc.name, tc.of.String()))
	}
	assert.Less(t, len(strategy.Refused(strings.Repeat("x", 1<<20), "other")), 400, "P1")
}
