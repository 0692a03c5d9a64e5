package upstream_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/upstream"
	"example.com/upstream/internal/option"
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
		UpstreamParams: map[string]upstream.Param{}, AuthParams: map[string]string{}, AuthParamsMap: map[string]upstream.Alias{}, CustomHeaders: upstream.Headers{},
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

// The table of options is data; what Go reads and writes is bound to it.
func TestO1EveryClass(t *testing.T) {
	for _, m := range option.All() {
		t.Run(m.Path, func(t *testing.T) {
			if strings.Contains(m.Path, "*") || m.Path == "strategy" || m.Path == "options" {
				return
			}
			conn := holding(t, m.Path, sampleOf(m))
			for _, w := range conn.Warnings() {
				assert.NotContains(t, w.Message, "not known", "a member of the table is known")
			}
			out, err := conn.MarshalJSON()
			require.NoError(t, err)
			assert.Equal(t, string(source(t, m.Path, sampleOf(m))), string(out), "kept to the byte")

			// What the table says of a type is what validation says.
			wrong := map[option.Kind]string{
				option.Text: `[]`, option.NonEmpty: `7`, option.Flag: `"true"`, option.Integer: `"2"`, option.List: `"a"`,
				option.TextOrList: `7`, option.Dict: `[]`, option.Headers: `7`, option.Object: `7`,
			}[m.Kind]
			if wrong != "" && m.Class != option.NoEffect {
				assert.Contains(t, pointersOf(holding(t, m.Path, wrong).Validate()), "/"+m.Path, "%s takes %s", m.Path, wrong)
			}
		})
	}
}

// pointersOf gives the pointers of a ConfigError.
func pointersOf(err error) (out []string) {
	var config *upstream.ConfigError
	if errors.As(err, &config) {
		for _, p := range config.Problems {
			out = append(out, p.Pointer)
		}
	}
	return out
}

func source(t *testing.T, path, value string) []byte {
	t.Helper()
	names := strings.Split(path, "/")
	text := value
	for _, name := range slices.Backward(names) {
		text = `{"` + name + `": ` + text + `}`
	}
	return []byte(text)
}

// holding gives a connection that has nothing but one member.
func holding(t *testing.T, path, value string) *upstream.Connection {
	t.Helper()
	return parse(t, string(source(t, path, value)))
}

func sampleOf(m option.Member) string {
	if m.Enum != nil {
		return `"` + m.Enum[0] + `"`
	}
	return map[option.Kind]string{
		option.Text: `"x"`, option.NonEmpty: `"x"`, option.Flag: `true`, option.Integer: `2`, option.List: `["a"]`,
		option.TextOrList: `"a b"`, option.Dict: `{"a": "b"}`, option.Headers: `{"X-A": "b"}`, option.Object: `{}`, option.Raw: `{}`, option.Any: `1`,
	}[m.Kind]
}

func TestO2MisspellingsOfTheReadme(t *testing.T) {
	for _, wrong := range []string{
		`"upstreamParams": {}`, `"upstream_param": {}`, `"pkceEnabled": true`, `"connection_setings": {"pkce": "S256"}`, `"scopes": "a"`,
		`"clientId": "x"`, `"token_url": "https://idp.example.com/t"`, `"authorization_url": "https://idp.example.com/a"`,
		`"auth_params": {}`, `"authParamMap": {}`, `"usrinfo_endpoint": "https://idp.example.com/u"`, `"clientSecret": "S3CRET"`,
	} {
		pointers, message := problems(t, custom(wrong))
		require.Len(t, pointers, 1, wrong)
		assert.True(t, strings.HasPrefix(pointers[0], "/options/"), wrong)
		assert.Regexp(t, "write |did you mean", message)
		assert.NotContains(t, message, "S3CRET")
	}
	conn := parse(t, custom(`"custom_headers": {"X-A": "b"}, "colour": "red", "iconURL": "x"`))
	assert.NoError(t, parse(t, custom(`"custom_headers": {"X-A": "b"}, "colour": "red"`)).Validate())
	assert.Equal(t, []upstream.Problem{
		{Pointer: "/options/custom_headers", Message: "is not known here and has no effect; did you mean customHeaders?"},
		{Pointer: "/options/colour", Message: "is not known here and has no effect"},
	}, conn.Warnings())
}

func TestO2Warnings(t *testing.T) {
	assert.Nil(t, (*upstream.Connection)(nil).Warnings())
	assert.Empty(t, parse(t, custom(``)).Warnings())
	assert.Empty(t, parse(t, `{"name": "n", "strategy": "samlp", "options": {"signInEndpoint": "x", "user_id_attribute": "y"}}`).Warnings())
	assert.NoError(t, parse(t, `{"name": "n", "strategy": "samlp", "options": {"signInEndpoint": "x", "user_id_attribute": "y"}}`).Validate())
	for text, want := range map[string][]string{
		custom(`"kid": "k", "name": 3`):                        {"/options/kid"},
		custom(`"profile": true`):                              {"/options/profile"},
		custom(`"profile": true, "scope": ["profile"]`):        nil,
		custom(`"useCommonEndpoint": false, "tenantId": null`): nil,
		custom(`"connection_settings": {"kind": 1}`):           {"/options/connection_settings/kind"},
		custom(`"type": "front_channel"`):                      {"/options/type"},
		`{"name": "n", "strategy": "oidc", "options": {"client_id": "c", "upstream_params": {"scope": {"value": "email"}}}}`:          {"/options/upstream_params/scope"},
		`{"name": "n", "strategy": "oidc", "options": {"client_id": "c", "authParams": {"scope": "openid email"}, "scope": "email"}}`: nil,
		`{"$schema": "x", "x": 1, "strategy": "nope", "options": {}}`:                                                                 {"/x"},
	} {
		var got []string
		for _, w := range parse(t, text).Warnings() {
			got = append(got, w.Pointer)
		}
		assert.Equal(t, want, got, text)
	}
	var many strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&many, `, "unknown%d": 1`, i)
	}
	assert.Len(t, parse(t, custom(`"x1": 1`+many.String())).Warnings(), 100)
	literal := &upstream.Connection{Name: "n", Strategy: "oidc", Options: upstream.Options{KeyID: "k"}}
	assert.Equal(t, "/options/kid", literal.Warnings()[0].Pointer)
}

func TestP5ModelledNamesAtAnotherLevel(t *testing.T) {
	objects := map[string]string{"": `{%s, "strategy": "github", "options": {"client_id": "c"}}`}
	objects["options"] = `{"strategy": "github", "options": {"client_id": "c", %s}}`
	objects["options/connection_settings"] = `{"strategy": "github", "options": {"client_id": "c", "connection_settings": {%s}}}`
	objects["options/scripts"] = `{"strategy": "github", "options": {"client_id": "c", "scripts": {%s}}}`
	for _, m := range option.All() {
		if m.Class == option.NoEffect || strings.Contains(m.Path, "*") {
			continue
		}
		for _, path := range m.Paths() {
			name := path[strings.LastIndexByte(path, '/')+1:]
			for object, format := range objects {
				if option.In(object, name) != nil {
					continue
				}
				at := "/" + name
				if object != "" {
					at = "/" + object + at
				}
				err := parse(t, fmt.Sprintf(format, `"`+name+`": null`)).Validate()
				assert.Contains(t, pointersOf(err), at, "%s in %s", name, object)
				assert.ErrorContains(t, err, name)
			}
		}
	}
	pointers, message := problems(t, custom(`"pkce": "S256"`))
	assert.Equal(t, []string{"/options/pkce"}, pointers)
	assert.Contains(t, message, "write options.connection_settings.pkce")
	pointers, _ = problems(t, custom(`"options": {"upstream_params": {}}`))
	assert.Equal(t, []string{"/options/options"}, pointers)
}

func TestO3FrontChannel(t *testing.T) {
	for _, strategy := range []string{"oidc", "okta"} {
		pointers, message := problems(t, `{"name": "n", "strategy": "`+strategy+`", "options": {"client_id": "c", "type": "front_channel"}}`)
		assert.Equal(t, []string{"/options/type"}, pointers)
		assert.Contains(t, message, "back_channel")
	}
	pointers, _ := problems(t, `{"name": "n", "strategy": "samlp", "options": {"type": "front_channel"}}`)
	assert.Empty(t, pointers)
}

func TestO7LimitsOfTheStrategy(t *testing.T) {
	for _, m := range option.All() {
		for _, strategy := range []string{"oauth2", "oidc", "waad", "apple", "facebook", "oauth1", "google-apps", "github", "yahoo"} {
			limit := m.Bound(strategy)
			for most, value := range map[int]func(n int) string{
				limit.Text:  func(n int) string { return `"` + strings.Repeat("a", n) + `"` },
				limit.Items: func(n int) string { return `["a"` + strings.Repeat(`,"a"`, n-1) + `]` },
				limit.Item:  func(n int) string { return `["` + strings.Repeat("a", n) + `"]` },
			} {
				if most == 0 || m.Path != "options/client_id" && m.Path != "options/client_secret" && m.Path != "options/scope" && m.Path != "display_name" {
					continue
				}
				with := func(n int) []string {
					text := string(source(t, m.Path, value(n)))
					return pointersOf(parse(t, `{"strategy": "`+strategy+`", `+text[1:]).Validate())
				}
				under := func(pointers []string) bool {
					return slices.ContainsFunc(pointers, func(p string) bool { return strings.HasPrefix(p, "/"+m.Path) })
				}
				assert.False(t, under(with(most)), "%s of %s at %d", m.Path, strategy, most)
				assert.True(t, under(with(most+1)), "%s of %s over %d", m.Path, strategy, most)
			}
		}
	}
}

func TestO8DerivedEndpoints(t *testing.T) {
	const login = "https://login.microsoftonline.com/"
	for _, tc := range []struct{ strategy, options, want string }{
		{"okta", `"domain": "dev-1.okta.com"`, "https://dev-1.okta.com/oauth2/v1/authorize"},
		{"waad", `"tenant_domain": "contoso.com"`, login + "contoso.com/oauth2/v2.0/authorize"},
		{"waad", `"tenant_domain": "contoso.com", "tenantId": "t-1", "domain": "d.com"`, login + "contoso.com/oauth2/v2.0/authorize"},
		{"waad", `"tenantId": "t-1", "domain": "d.com"`, login + "t-1/oauth2/v2.0/authorize"},
		{"waad", `"domain": "d.com"`, login + "d.com/oauth2/v2.0/authorize"},
		{"waad", `"useCommonEndpoint": true, "domain": "d.com"`, login + "common/oauth2/v2.0/authorize"},
		{"waad", `"useCommonEndpoint": true, "identity_api": "azure-active-directory-v1.0"`, login + "common/oauth2/authorize"},
		{"salesforce-community", `"community_base_url": "https://c.example.com/site/"`, "https://c.example.com/site/services/oauth2/authorize"},
		{"exact", `"baseUrl": "https://start.exactonline.nl"`, "https://start.exactonline.nl/api/oauth2/auth"},
		{"windowslive", `"strategy_version": 2`, login + "consumers/oauth2/v2.0/authorize"},
		{"windowslive", `"strategy_version": 1`, "https://login.live.com/oauth20_authorize.srf"},
		{"linkedin", `"strategy_version": 3`, "https://www.linkedin.com/oauth/v2/authorization"},
		// Options' own, then metadata, then what is derived.
		{"waad", `"tenantId": "t-1", "oidc_metadata": {"authorization_endpoint": "https://login.example.us/a"}`, "https://login.example.us/a"},
		{"okta", `"domain": "dev-1.okta.com", "oidc_metadata": {"authorization_endpoint": "https://dev-1.okta.com/custom"}`, "https://dev-1.okta.com/custom"},
	} {
		conn := parse(t, `{"name": "n", "strategy": "`+tc.strategy+`", "options": {"client_id": "c", `+tc.options+`}}`)
		url, err := upstream.AuthorizationURL(conn, nil, upstream.NewTransaction("https://auth.example.com/callback"))
		if assert.NoError(t, err, tc.options) {
			assert.Equal(t, tc.want, url[:strings.IndexByte(url, '?')])
		}
	}
	for options, want := range map[string]string{
		`"domain": "dev-1.okta.com", "oidc_metadata": {"token_endpoint": "https://evil.example/t"}`: "/options/oidc_metadata/token_endpoint is at another host",
		`"domain": "https://dev-1.okta.com"`:                               "without https://",
		`"issuer": "https://idp.example.com"`:                              "module login",
		`"discovery_url": "https://idp.example.com/d"`:                     "oidc_metadata",
		`"authorization_endpoint": "https://{tenant}.example.com/a"`:       "holds a brace",
		`"token_endpoint": "https://idp.example.com/t|x"`:                  "cannot; percent-encode",
		`"authorization_endpoint": "https://idp.example.com/a?p={policy}"`: "holds a brace",
	} {
		err := parse(t, `{"name": "n", "strategy": "okta", "options": {"client_id": "c", `+options+`}}`).Validate()
		assert.ErrorContains(t, err, want, options)
	}
}

// Entries that read the wrong way round. (issue: messages a newcomer understands)
func TestC5SwappedNames(t *testing.T) {
	for _, text := range []string{`"authParamsMap": {"login_hint": "screen_name"}`, `"upstream_params": {"login_hint": {"alias": "screen_name"}}`} {
		_, message := problems(t, custom(text))
		assert.Contains(t, message, "swap them", text)
	}
	_, message := problems(t, custom(`"authParamsMap": {"screen_name": "user"}`))
	assert.NotContains(t, message, "swap")
}

// A literal connection's maps are nil; the documented way works all the same.
func TestC1LiteralConnection(t *testing.T) {
	conn := &upstream.Connection{Strategy: "wordpress", Options: upstream.Options{ClientID: "c"}}
	conn.Options.SetUpstreamParam("blog", upstream.Static("b"))
	body, err := conn.UpdateBody()
	require.NoError(t, err)
	assert.Equal(t, `{"options":{"client_id":"c","upstream_params":{"blog":{"value":"b"}}}}`, string(body))
	conn.Options.SetUpstreamParam("blog", upstream.Static("c"))
	assert.Equal(t, map[string]upstream.Param{"blog": upstream.Static("c")}, conn.Options.UpstreamParams)
}

// Names that no subject holds are free.
func TestU9NameThatNoSubjectHolds(t *testing.T) {
	for _, name := range []string{"", "my_idp", "a|b"} {
		p, err := upstream.NewProvider(&upstream.Connection{Name: name, Strategy: "github", Options: upstream.Options{ClientID: "c"}})
		require.NoError(t, err, name)
		assert.Equal(t, "github|1", p.Subject("1"), name)
		own, err := upstream.NewProvider(&upstream.Connection{Name: name, Strategy: "github", Options: upstream.Options{
			ClientID: "c", TokenURL: "https://git.example.com/t"}})
		require.NoError(t, err, name)
		assert.Empty(t, own.Subject("1"), "a server of the tenant's own has subjects with a name, and this is none: %q", name)
	}
}
