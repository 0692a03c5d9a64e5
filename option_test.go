package upstream_test

import (
	"encoding/json"
	"testing"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const enterprise = `{"name":"corp","strategy":"oidc","options":{"client_id":"c","oidc_metadata": {"issuer":"https://idp.example.com", "x": 1.0},
	"discovery_url":"https://idp.example.com/.well-known/openid-configuration","type":"back_channel",
	"id_token_signed_response_algs":["ES256"],"send_back_channel_nonce":true,"token_endpoint_auth_method":"private_key_jwt",
	"token_endpoint_auth_signing_alg":"ES256","token_endpoint_jwtca_aud_format":"issuer","dpop_signing_alg":"Ed25519",
	"require_pushed_authorization_requests":true,"token_params":{"a":"1"},"app_secret":"pem","kid":"k","team_id":"t",
	"domain":"example.com","tenant_domain":"example.org","domain_aliases":["example.net"],"tenantId":"tid","useCommonEndpoint":true,
	"community_base_url":"https://c.example.com","baseUrl":"https://b.example.com","strategy_version":2,
	"attribute_map": {"mapping_mode":"use_map"},"fieldsMap": {"email":"mail"},"userid_attribute":"oid",
	"should_trust_email_verified_connection":"never_set_emails_as_verified","logoutUrl":"https://o.example.com","end_session_endpoint":"https://e.example.com"}}`

func TestO1FieldsOfEnterpriseOptions(t *testing.T) {
	conn := parse(t, enterprise)
	assert.Equal(t, upstream.Options{
		ClientID: "c", OIDCMetadata: json.RawMessage(`{"issuer":"https://idp.example.com", "x": 1.0}`),
		DiscoveryURL: "https://idp.example.com/.well-known/openid-configuration", Type: "back_channel",
		IDTokenSignedResponseAlgs: []string{"ES256"}, SendBackChannelNonce: true, TokenEndpointAuthMethod: "private_key_jwt",
		TokenEndpointAuthSigningAlg: "ES256", TokenEndpointJWTCAAudFormat: "issuer", DPoPSigningAlg: "Ed25519",
		RequirePushedAuthorizationRequests: true, TokenParams: map[string]string{"a": "1"},
		AppSecret: upstream.NewSecret("pem"), KeyID: "k", TeamID: "t",
		Domain: "example.com", TenantDomain: "example.org", DomainAliases: []string{"example.net"}, TenantID: "tid", UseCommonEndpoint: true,
		CommunityBaseURL: "https://c.example.com", BaseURL: "https://b.example.com", StrategyVersion: 2,
		AttributeMap: json.RawMessage(`{"mapping_mode":"use_map"}`), FieldsMap: json.RawMessage(`{"email":"mail"}`),
		UserIDAttribute: "oid", ShouldTrustEmailVerified: "never_set_emails_as_verified",
		LogoutURL: "https://o.example.com", EndSessionEndpoint: "https://e.example.com",
		UpstreamParams: upstream.Params{}, AuthParams: map[string]string{}, AuthParamsMap: map[string]upstream.Alias{}, CustomHeaders: upstream.Headers{},
	}, conn.Options)
	out, err := conn.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, enterprise, string(out))

	conn.Options.OIDCMetadata = json.RawMessage(`{"issuer":"https://other.example.com"}`)
	conn.Options.StrategyVersion, conn.Options.FieldsMap = 0, nil
	out, err = conn.MarshalJSON()
	require.NoError(t, err)
	again := parse(t, string(out))
	assert.Equal(t, conn.Options, again.Options)
}

func TestO1RawOptionThatIsNotJSON(t *testing.T) {
	conn := parse(t, custom(``))
	conn.Options.OIDCMetadata = json.RawMessage(`{"issuer": }`)
	_, err := conn.MarshalJSON()
	assert.ErrorContains(t, err, "/options/oidc_metadata cannot be read as JSON")
	_, err = conn.UpdateBody()
	assert.Error(t, err)
	assert.ErrorContains(t, conn.Validate(), "/options/oidc_metadata")
}

func TestO8MetadataEndpoints(t *testing.T) {
	const metadata = `"oidc_metadata": {"issuer": "https://idp.example.com", "authorization_endpoint": "https://idp.example.com/a?x=1",
		"token_endpoint": "https://idp.example.com/t", "userinfo_endpoint": "https://idp.example.com/u"}`
	for name, tc := range map[string]struct{ options, want, problem string }{
		"alone":            {metadata, "https://idp.example.com/a?", ""},
		"options' own win": {metadata + `, "authorization_endpoint": "https://own.example.com/a"`, "https://own.example.com/a?", ""},
		"plain http":       {`"token_endpoint": "https://idp.example.com/t", "oidc_metadata": {"authorization_endpoint": "http://idp.example.com/a"}`, "", "/options/oidc_metadata/authorization_endpoint"},
		"not an object":    {`"oidc_metadata": "https://idp.example.com"`, "", "/options/oidc_metadata"},
		"not a string":     {`"oidc_metadata": {"token_endpoint": 7}`, "", "/options/oidc_metadata/token_endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := parse(t, `{"name": "corp", "strategy": "oidc", "options": {"client_id": "c", `+tc.options+`}}`)
			url, err := upstream.AuthorizationURL(conn, nil, upstream.NewTransaction("https://auth.example.com/callback"))
			if tc.problem != "" {
				assert.ErrorContains(t, err, tc.problem+" ")
				return
			}
			require.NoError(t, err)
			assert.Contains(t, url, tc.want)
		})
	}
}
