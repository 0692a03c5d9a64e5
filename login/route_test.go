package login_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/login"
)

func routed(t *testing.T, text string) *upstream.Connection {
	conn, err := upstream.ParseConnection([]byte(text))
	require.NoError(t, err)
	return conn
}

func TestRouting(t *testing.T) {
	r, err := login.NewRouting([]*upstream.Connection{
		routed(t, `{"name": "acme", "strategy": "oidc", "enabled_clients": ["app", "crm"], "options": {"domain_aliases": ["acme.example", "ACME.test"]}}`),
		routed(t, `{"name": "saml", "strategy": "samlp", "enabled_clients": ["crm"], "options": {"domain_aliases": ["saml.example"]}}`),
		routed(t, `{"name": "space", "strategy": "google-apps", "enabled_clients": ["app"], "options": {"domain": "space.example", "tenant_domain": "space.example"}}`),
		routed(t, `{"name": "okta", "strategy": "okta", "enabled_clients": ["app"], "options": {"domain": "acme.okta.example"}}`),
		routed(t, `{"name": "hub", "strategy": "github", "enabled_clients": ["app"], "options": {}}`),
		nil,
	})
	require.NoError(t, err)
	all := login.Route{Choices: []string{"acme", "space", "okta", "hub"}}
	to := func(name string) login.Route { return login.Route{Connection: name} }
	for _, c := range []struct {
		name    string
		request login.RouteRequest
		want    login.Route // the zero Route: refused
	}{
		{"no hint", login.RouteRequest{ClientID: "app"}, all},
		{"connection", login.RouteRequest{ClientID: "app", Connection: "hub"}, to("hub")},
		{"connection before the domain", login.RouteRequest{ClientID: "app", Connection: "hub", LoginHint: "ann@acme.example"}, to("hub")},
		{"a connection of another application", login.RouteRequest{ClientID: "app", Connection: "saml"}, login.Route{}},
		{"no such connection", login.RouteRequest{ClientID: "app", Connection: "none"}, login.Route{}},
		{"no such application", login.RouteRequest{ClientID: "none"}, login.Route{}},
		{"an organization's only connection", login.RouteRequest{ClientID: "app", Organization: []string{"hub"}}, to("hub")},
		{"the only one that is enabled", login.RouteRequest{ClientID: "app", Organization: []string{"hub", "saml"}}, to("hub")},
		{"an organization's two", login.RouteRequest{ClientID: "app", Organization: []string{"hub", "acme"}}, login.Route{Choices: []string{"acme", "hub"}}},
		{"an organization's two, and a domain", login.RouteRequest{ClientID: "app", Organization: []string{"hub", "acme"}, LoginHint: "a@acme.example"}, to("acme")},
		{"a domain outside the organization", login.RouteRequest{ClientID: "app", Organization: []string{"hub", "acme"}, LoginHint: "a@space.example"}, login.Route{Choices: []string{"acme", "hub"}}},
		{"a connection outside the organization", login.RouteRequest{ClientID: "app", Organization: []string{"hub"}, Connection: "acme"}, login.Route{}},
		{"an organization without connections", login.RouteRequest{ClientID: "app", Organization: []string{}}, login.Route{}},
		{"login_hint", login.RouteRequest{ClientID: "app", LoginHint: "ann@acme.example"}, to("acme")},
		{"case", login.RouteRequest{ClientID: "app", LoginHint: "ann@Acme.Test"}, to("acme")},
		{"domain_hint", login.RouteRequest{ClientID: "app", DomainHint: "SPACE.example"}, to("space")},
		{"login_hint before domain_hint", login.RouteRequest{ClientID: "app", LoginHint: "a@acme.example", DomainHint: "space.example"}, to("acme")},
		{"domain_hint where login_hint's is unknown", login.RouteRequest{ClientID: "app", LoginHint: "a@none.example", DomainHint: "space.example"}, to("space")},
		{"two @", login.RouteRequest{ClientID: "app", LoginHint: "attacker@evil.example@acme.example"}, all},
		{"two @, the other way", login.RouteRequest{ClientID: "app", LoginHint: "a@acme.example@evil.example"}, all},
		{"a subdomain", login.RouteRequest{ClientID: "app", LoginHint: "a@mail.acme.example"}, all},
		{"a suffix", login.RouteRequest{ClientID: "app", LoginHint: "a@notacme.example"}, all},
		{"a dot behind", login.RouteRequest{ClientID: "app", LoginHint: "a@acme.example."}, all},
		{"no address", login.RouteRequest{ClientID: "app", LoginHint: "acme.example"}, all},
		{"the Kelvin sign is no K", login.RouteRequest{ClientID: "app", LoginHint: "a@o\u212Ata.example"}, all},
		{"okta's domain is not its users'", login.RouteRequest{ClientID: "app", LoginHint: "a@acme.okta.example"}, all},
		{"an unknown domain", login.RouteRequest{ClientID: "app", LoginHint: "a@none.example"}, all},
		{"a known one that is not enabled", login.RouteRequest{ClientID: "app", LoginHint: "a@saml.example"}, all},
		{"anybody at a known one", login.RouteRequest{ClientID: "app", LoginHint: "nobody-at-all@acme.example"}, to("acme")},
		{"a saml connection routes as well", login.RouteRequest{ClientID: "crm", LoginHint: "a@saml.example"}, to("saml")},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.Route(c.request)
			assert.Equal(t, c.want, got)
			if c.want.Connection == "" && c.want.Choices == nil {
				assert.EqualError(t, err, "login: begin: no connection is enabled for this request")
			} else {
				assert.NoError(t, err)
			}
		})
	}
	_, err = (*login.Routing)(nil).Route(login.RouteRequest{})
	assert.Error(t, err)
}

func TestRoutingProblems(t *testing.T) {
	_, err := login.NewRouting([]*upstream.Connection{
		routed(t, `{"name": "a", "strategy": "oidc", "options": {"domain_aliases": ["x.example", "x.example", "a@b.example"]}}`),
		routed(t, `{"name": "b", "strategy": "waad", "options": {"domain_aliases": ["X.Example"]}}`),
		routed(t, `{"name": "b", "strategy": "oidc", "options": {}}`),
		routed(t, `{"name": "c", "strategy": "oidc", "options": {"domain_aliases": ["müller.example"]}}`),
	})
	assert.EqualError(t, err, `login: configuration: connection "a" has a domain that is none, in domain_aliases perhaps: "a@b.example"; `+
		`connections "a" and "b" have the same domain "x.example"; two connections are named "b"; `+
		`connection "c" has a domain that is none, in domain_aliases perhaps: "müller.example"`)
}
