package login

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const goodDocument = `{"issuer": "https://idp.example.com", "authorization_endpoint": "https://idp.example.com/auth",
	"token_endpoint": "https://idp.example.com/token", "jwks_uri": "https://keys.example.com/jwks",
	"mtls_endpoint_aliases": {"token_endpoint": "https://mtls.example.com/token"},
	"authorization_response_iss_parameter_supported": true, "require_pushed_authorization_requests": true,
	"code_challenge_methods_supported": ["plain", "S256"], "dpop_signing_alg_values_supported": ["ES256"],
	"token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"], "unknown": [1, {"a": null}]}`

func TestL2Document(t *testing.T) {
	d, err := readDocument([]byte(goodDocument), false)
	require.NoError(t, err)
	assert.Equal(t, "https://idp.example.com/token", d.endpoints["token_endpoint"])
	assert.Equal(t, "https://mtls.example.com/token", d.endpoints["mtls_endpoint_aliases/token_endpoint"])
	assert.True(t, d.flags["authorization_response_iss_parameter_supported"])
	assert.Equal(t, []string{"plain", "S256"}, d.lists["code_challenge_methods_supported"])

	for name, c := range map[string]struct{ data, message string }{
		"no JSON":             {`{"issuer": `, "cannot be read as JSON"},
		"trailing data":       {goodDocument + "{}", "cannot be read as JSON"},
		"an array":            {`[]`, "not a JSON object"},
		"a doubled issuer":    {`{"issuer": "https://a.example", "issuer": "https://b.example"}`, "cannot be read as JSON"},
		"no issuer":           {`{}`, "issuer must be"},
		"another case":        {`{"Issuer": "https://a.example"}`, "issuer must be"},
		"an http issuer":      {`{"issuer": "http://a.example"}`, "issuer must be"},
		"a query":             {`{"issuer": "https://a.example?x"}`, "issuer must be"},
		"an issuer's number":  {`{"issuer": 1}`, "issuer must be"},
		"an http endpoint":    {strings.Replace(goodDocument, "https://idp.example.com/token", "http://idp.example.com/token", 1), "token_endpoint must begin"},
		"an endpoint's array": {strings.Replace(goodDocument, `"https://idp.example.com/token"`, "[]", 1), "token_endpoint must be absolute"},
		"a script":            {strings.Replace(goodDocument, "https://idp.example.com/auth", "javascript:alert(1)", 1), "authorization_endpoint must name a host"},
		"a template":          {strings.Replace(goodDocument, "https://keys.example.com/jwks", "https://{tenantid}/jwks", 1), "jwks_uri"},
		"a flag in quotes":    {strings.Replace(goodDocument, `supported": true`, `supported": "true"`, 1), "must be true or false"},
		"a list of one text":  {strings.Replace(goodDocument, `["plain", "S256"]`, `"S256"`, 1), "must be an array of strings"},
		"a list of numbers":   {strings.Replace(goodDocument, `["plain", "S256"]`, `[256]`, 1), "must be an array of strings"},
		"aliases of no kind":  {strings.Replace(goodDocument, `{"token_endpoint": "https://mtls.example.com/token"}`, `7`, 1), "must be an object"},
		"a bad alias":         {strings.Replace(goodDocument, "https://mtls.example.com/token", "ftp://mtls.example.com", 1), "mtls_endpoint_aliases/token_endpoint must begin"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readDocument([]byte(c.data), false)
			assert.ErrorContains(t, err, c.message)
		})
	}
}

func TestL2IssuedFor(t *testing.T) {
	for _, c := range []struct {
		name, issuer string
		expected     []string
		tenants      []string
		fault        string
	}{
		{"equal", "https://idp.example.com", []string{"https://idp.example.com"}, nil, ""},
		{"a slash more", "https://idp.example.com/", []string{"https://idp.example.com"}, nil, "another issuer's"},
		{"another host", "https://evil.example.com", []string{"https://idp.example.com"}, nil, "another issuer's"},
		{"another case", "https://IDP.example.com", []string{"https://idp.example.com"}, nil, "another issuer's"},
		{"nothing is expected", "https://idp.example.com", nil, nil, "another issuer's"},
		{"Entra", "https://login.example.com/{tenantid}/v2.0", []string{"https://login.example.com/common/v2.0"}, []string{"t1"}, ""},
		{"Entra without tenants", "https://login.example.com/{tenantid}/v2.0", []string{"https://login.example.com/common/v2.0"}, nil, "Options.Tenants"},
		{"Entra elsewhere", "https://evil.example.com/{tenantid}/v2.0", []string{"https://login.example.com/common/v2.0"}, []string{"t1"}, "another issuer's"},
		{"a template for the host", "https://{tenantid}/common/v2.0", []string{"https://login.example.com/common/v2.0"}, []string{"t1"}, "another issuer's"},
		{"two templates", "https://x/{tenantid}/{tenantid}", []string{"https://x/common/common"}, []string{"t1"}, "more than once"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := (&document{issuer: c.issuer}).issuedFor(c.expected, c.tenants)
			if c.fault == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.fault)
			}
		})
	}
}

func TestL2Drift(t *testing.T) {
	old, err := readDocument([]byte(goodDocument), false)
	require.NoError(t, err)
	for _, c := range []struct {
		name, was, is string
		want          []Change
	}{
		{"a new path", "https://idp.example.com/token", "https://idp.example.com/oauth2/token", nil},
		{"a port that is the default", "https://idp.example.com/token", "https://idp.example.com:443/token", nil},
		{
			"another host", "https://idp.example.com/token", "https://evil.example.com/token",
			[]Change{{"token_endpoint", "https://idp.example.com/token", "https://evil.example.com/token"}},
		},
		{
			"another port", "https://keys.example.com/jwks", "https://keys.example.com:8443/jwks",
			[]Change{{"jwks_uri", "https://keys.example.com/jwks", "https://keys.example.com:8443/jwks"}},
		},
		{
			"an endpoint less", `"jwks_uri": "https://keys.example.com/jwks",`, "",
			[]Change{{"jwks_uri", "https://keys.example.com/jwks", ""}},
		},
		{
			"an alias elsewhere", "https://mtls.example.com/token", "https://mtls.example.net/token",
			[]Change{{"mtls_endpoint_aliases/token_endpoint", "https://mtls.example.com/token", "https://mtls.example.net/token"}},
		},
		{
			"no iss", `"authorization_response_iss_parameter_supported": true,`, "",
			[]Change{{"authorization_response_iss_parameter_supported", "true", "false"}},
		},
		{
			"no PAR", `"require_pushed_authorization_requests": true`, `"require_pushed_authorization_requests": false`,
			[]Change{{"require_pushed_authorization_requests", "true", "false"}},
		},
		{"no S256", `["plain", "S256"]`, `["plain"]`, []Change{{"code_challenge_methods_supported", "plain S256", "plain"}}},
		{"no plain", `["plain", "S256"]`, `["S256"]`, nil},
		{"no PKCE", `"code_challenge_methods_supported": ["plain", "S256"],`, "", []Change{{"code_challenge_methods_supported", "plain S256", ""}}},
		{
			"no private_key_jwt", `, "private_key_jwt"`, "",
			[]Change{{"token_endpoint_auth_methods_supported", "client_secret_basic private_key_jwt", "client_secret_basic"}},
		},
		{"no DPoP", `["ES256"]`, `[]`, []Change{{"dpop_signing_alg_values_supported", "ES256", ""}}},
		{"another DPoP algorithm", `["ES256"]`, `["ES384"]`, nil},
		{"unknown members", `"unknown"`, `"other"`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, goodDocument, c.was)
			next, err := readDocument([]byte(strings.Replace(goodDocument, c.was, c.is, 1)), false)
			require.NoError(t, err)
			assert.Equal(t, c.want, old.drift(next))
		})
	}
	assert.Empty(t, old.drift(old))
}

func TestL2WhereMetadataStands(t *testing.T) {
	assert.Equal(t, []string{"https://a.example/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server"},
		wellKnown("https://a.example"))
	assert.Equal(t, []string{"https://a.example/t/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server/t"},
		wellKnown("https://a.example/t/"))
	assert.Equal(t, []string{"https://a.example/t", "https://a.example/t/"}, issuersAt("https://a.example/t/.well-known/openid-configuration"))
	assert.Equal(t, []string{"https://a.example/t", "https://a.example/t/"}, issuersAt("https://a.example/.well-known/oauth-authorization-server/t"))
	assert.Empty(t, issuersAt("https://a.example/metadata.json"))
	assert.Empty(t, issuersAt("https://a.example/v2.0/.well-known/openid-configuration?p=B2C_1"))
}
