package metadata

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestO8Metadata(t *testing.T) {
	m, problems := Read([]byte(`{"issuer": "i", "authorization_endpoint": "a", "token_endpoint": "t", "userinfo_endpoint": "u", "jwks_uri": "j",
		"pushed_authorization_request_endpoint": "p", "end_session_endpoint": "e", "require_pushed_authorization_requests": true,
		"authorization_response_iss_parameter_supported": true, "mtls_endpoint_aliases": {"token_endpoint": "mt", "userinfo_endpoint": "mu"},
		"scopes_supported": ["openid"]}`))
	assert.Empty(t, problems)
	assert.Equal(t, Metadata{"i", "a", "t", "u", "j", "p", "e", true, true, "mt", "mu"}, m)
	for _, nothing := range []string{"", "null", "{}", `{"issuer": null, "Issuer": "x", "mtls_endpoint_aliases": null}`} {
		m, problems := Read([]byte(nothing))
		assert.Zero(t, m)
		assert.Empty(t, problems)
	}
}

func TestO8MetadataOfWrongTypes(t *testing.T) {
	_, problems := Read([]byte(`{"issuer": 7, "require_pushed_authorization_requests": "true", "mtls_endpoint_aliases": {"token_endpoint": []}}`))
	var at []string
	for _, p := range problems {
		at = append(at, p.Pointer)
	}
	assert.Equal(t, []string{"/issuer", "/require_pushed_authorization_requests", "/mtls_endpoint_aliases/token_endpoint"}, at)
	_, problems = Read([]byte(`["x"]`))
	assert.Equal(t, []Problem{{"", "must be an object, as a .well-known/openid-configuration is one"}}, problems)
}
