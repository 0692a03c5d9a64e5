// Package connections makes connections as different as those of many tenants
// are, and the same in every run.
package connections

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// Line gives the i-th connection, as the Management API answers.
func Line(i int) ([]byte, error) {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	host := fmt.Sprintf("idp-%d.tenant-%d.example.com", r.IntN(1000), i)
	options := map[string]any{
		"client_id":     fmt.Sprintf("client-%08x", r.Uint32()),
		"client_secret": fmt.Sprintf("%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64()),
		"scope":         []any{"openid profile email", []string{"openid", "email"}, "read:user user:email"}[r.IntN(3)],
		// What the library does not model, and keeps.
		"set_user_root_attributes":            "on_each_login",
		"non_persistent_attrs":                []string{},
		"email":                               true,
		"api_enable_users":                    r.IntN(2) == 0,
		"federated_connections_access_tokens": map[string]any{"active": false},
	}
	strategy := []string{"oauth2", "oauth2", "oauth2", "oidc", "oidc", "github", "google-oauth2", "wordpress"}[r.IntN(8)]
	switch strategy {
	case "oauth2":
		options["authorizationURL"] = "https://" + host + "/oauth2/authorize"
		options["tokenURL"] = "https://" + host + "/oauth2/token"
		options["icon_url"] = "https://cdn.example.com/" + host + "/icon.png"
		options["pkce_enabled"] = r.IntN(2) == 0
		options["scripts"] = map[string]any{"fetchUserProfile": "function(accessToken, ctx, cb) {\n  request.get({url: 'https://" + host +
			"/me', headers: {Authorization: 'Bearer ' + accessToken}}, (e, r, b) => e ? cb(e) : cb(null, JSON.parse(b)));\n}"}
		if r.IntN(3) == 0 {
			options["customHeaders"] = map[string]string{"X-Tenant": fmt.Sprint(i), "X-Api-Key": fmt.Sprintf("%016x", r.Uint64())}
		}
	case "oidc":
		options["issuer"] = "https://" + host
		options["authorization_endpoint"] = "https://" + host + "/authorize"
		options["token_endpoint"] = "https://" + host + "/token"
		options["userinfo_endpoint"] = "https://" + host + "/userinfo"
		options["jwks_uri"] = "https://" + host + "/keys"
		options["connection_settings"] = map[string]string{"pkce": "auto"}
	}
	params := map[string]any{}
	aliases := []string{"login_hint", "prompt", "ui_locales", "acr_values", "display", "max_age"}
	for n := range r.IntN(6) {
		alias := aliases[n]
		params[[]string{alias, "x_" + alias}[r.IntN(2)]] = map[string]any{"alias": alias}
	}
	for n := range r.IntN(3) {
		params[fmt.Sprintf("tenant_%d", n)] = map[string]any{"value": host}
	}
	options["upstream_params"] = params
	return json.Marshal(map[string]any{
		"id": fmt.Sprintf("con_%016x", r.Uint64()), "name": fmt.Sprintf("tenant-%d", i), "strategy": strategy,
		"display_name": fmt.Sprintf("Tenant %d", i), "realms": []string{fmt.Sprintf("tenant-%d", i)},
		"enabled_clients":      []string{fmt.Sprintf("%016x", r.Uint64()), fmt.Sprintf("%016x", r.Uint64())},
		"is_domain_connection": false, "metadata": map[string]string{"plan": "enterprise"}, "options": options,
	})
}
