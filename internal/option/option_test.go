package option

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestO1EveryMemberSaysWhatItDoes(t *testing.T) {
	for _, m := range All() {
		assert.NotEmpty(t, m.Doc, m.Path)
		assert.NotContains(t, m.Doc, "\n", m.Path)
		for _, path := range m.Paths() {
			assert.Same(t, Get(m.Path), Get(path), path)
			assert.NotNil(t, In(parent(path), base(path)), path)
		}
		if m.Class == Refused {
			assert.True(t, m.Enum != nil || strings.Contains(m.Doc, "refused"), m.Path)
		}
		for value := range m.Refuses {
			assert.NotContains(t, m.Enum, value, m.Path)
			assert.NotEmpty(t, m.WrongValue(value), m.Path)
		}
		if m.Class == NoEffect {
			assert.False(t, m.Secure, m.Path)
		}
	}
	assert.Nil(t, Get("options/nothing"))
	assert.Nil(t, Names("nowhere"))
	assert.Nil(t, In("nowhere", "x"))
}

// Every member that the table has is none of another's near misses.
func TestO2NoMemberIsAMistake(t *testing.T) {
	for _, object := range Objects() {
		for _, name := range Names(object) {
			assert.NotNil(t, In(object, name))
		}
	}
	message, _ := Mistaken("nowhere", "x")
	assert.Empty(t, message)
	assert.Empty(t, Unknown("nowhere", "x"))
}

// Spellings of every honoured member that nobody who reads it would miss.
func TestO2SpellingsOfEveryMember(t *testing.T) {
	for _, m := range All() {
		if m.Class == NoEffect || strings.Contains(m.Path, "*") {
			continue
		}
		name := m.Name()
		camel := strings.ReplaceAll(name, "_", "")
		for _, wrong := range []string{strings.ToUpper(name), camel, strings.ReplaceAll(name, "_", "-"), strings.TrimSuffix(name, "s") + "s"} {
			if In(parent(m.Path), wrong) != nil {
				continue
			}
			message, _ := Mistaken(parent(m.Path), wrong)
			assert.Contains(t, message, "write ", "%s for %s", wrong, m.Path)
		}
		if !m.Secure || len(canonical(name)) < 4 {
			continue
		}
		for i := range name {
			for _, wrong := range []string{name[:i] + name[i+1:], name[:i] + "x" + name[i:], name[:i] + "x" + name[i+1:]} {
				if In(parent(m.Path), wrong) == nil {
					message, _ := Mistaken(parent(m.Path), wrong)
					assert.NotEmpty(t, message, "%s for %s", wrong, m.Path)
				}
			}
		}
	}
}

func TestO2OneEdit(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"pkce", "pkce", true}, {"pkc", "pkce", true}, {"pkcce", "pkce", true}, {"pkze", "pkce", true}, {"pcke", "pkce", true},
		{"pkec", "pkce", true}, {"ppce", "pkce", true}, {"pk", "pkce", false}, {"ecpk", "pkce", false}, {"xkcx", "pkce", false}, {"", "p", false},
		{"pkcex", "pkce", true}, {"xpkce", "pkce", true}, {"issrue", "issuer", false}, {"badc", "abcd", false}, {"ac", "ab", false}, {"abd", "abc", true},
	} {
		assert.Equal(t, tc.want, oneEdit(tc.a, tc.b), "%s %s", tc.a, tc.b)
		assert.Equal(t, tc.want, oneEdit(tc.b, tc.a), "%s %s", tc.b, tc.a)
	}
}

func TestO2Warning(t *testing.T) {
	assert.Contains(t, Unknown("options", "fetchUserProfil"), "no effect")
	assert.Contains(t, Unknown("options", "custom_headers"), "did you mean customHeaders?")
	message, _ := Mistaken("options", "custom_headers")
	assert.Empty(t, message, "the vendor's API answers with it")
	message, place := Mistaken("options", "custom-headers")
	assert.NotEmpty(t, message)
	assert.False(t, place)
	assert.NotContains(t, Unknown("options", strings.Repeat("scope", 1000)), "mean")
	assert.Equal(t, 1, len(slices.Compact([]string{canonical("upstreamParams"), canonical("upstream_param"), canonical("Upstream-Params")})))
}

func TestO7Bounds(t *testing.T) {
	for _, tc := range []struct {
		path, strategy string
		want           Limit
	}{
		{"options/scope", "oauth2", Limit{Text: 4096, Items: 20, Item: 189}},
		{"options/scope", "github", Limit{Text: 4096, Items: 255, Item: 255}},
		{"options/scope", "waad", Limit{Text: 4096, Items: 100, Item: 255}},
		{"options/scope", "apple", Limit{Text: 91260, Items: 20, Item: 189}},
		{"options/client_id", "oauth2", Limit{Text: 128}},
		{"options/client_id", "oidc", Limit{Text: 255}},
		{"options/consumerKey", "oauth1", Limit{Text: 255}},
		{"options/client_id", "apple", Limit{Text: 384}},
		{"options/client_id", "facebook", Limit{Text: 4096}},
		{"options/client_secret", "waad", Limit{Text: 10000}},
		{"options/client_secret", "facebook", Limit{Text: 13000}},
		{"options/client_secret", "github", Limit{Text: 1024}},
	} {
		assert.Equal(t, tc.want, Get(tc.path).Bound(tc.strategy), "%s %s", tc.path, tc.strategy)
	}
}

func TestO4Attached(t *testing.T) {
	for _, method := range Get("options/token_endpoint_auth_method").Enum {
		assert.Equal(t, !slices.Contains([]string{"client_secret_post", "client_secret_basic", "none"}, method), Attached(method), method)
	}
	assert.False(t, Attached(""))
}

func TestO1Idle(t *testing.T) {
	assert.Contains(t, Get("options/kid").Idle("oidc", false), "apple alone")
	assert.Empty(t, Get("options/kid").Idle("apple", false))
	assert.Contains(t, Get("options/email").Idle("github", true), "scope")
	assert.Empty(t, Get("options/email").Idle("github", false))
	assert.Empty(t, Get("options/ext_groups").Idle("oidc", false))
}

// The examples of near.go's opening lines, one of each circle.
func TestO2Circles(t *testing.T) {
	for _, tc := range []struct {
		object, name, message string
		place                 bool
	}{
		{"options", "strategy", "is not read here; write strategy at the root, beside options", true},
		{"options", "options", "is not read here; options stands at the root, once", true},
		{"", "client_id", "is not read here; write options.client_id", true},
		{"options", "clientID", "is not read here; write client_id", false},
		{"", "clientId", "is not read here; write options.client_id", false},
		{"", "CLIENT_ID", "is not read here; write options.client_id", true},
		{"options", "displayName", "is not read here; write display_name at the root, beside options", false},
		{"options", "PKCE", "is not read here; write options.connection_settings.pkce", true},
		{"options", "pkces", "is not read here; write options.connection_settings.pkce", false},
		{"options/connection_settings", "clientid", "is not read here; write options.client_id", false},
		{"options", "Client_Id", "is not read here; write client_id", true},
		{"options", "token-url", "is not read here; write tokenURL", false},
		{"options", "scopes", "is not read here; write scope", false},
		{"options", "isuer", "is not known; did you mean issuer?", false},
		{"options", "token_ulr", "is not known; did you mean tokenURL?", false},
		{"options", "custom_headers", "", false},                                                     // what the vendor's API gives back
		{"options", "bruteForceProtection", "is not read here; write brute_force_protection", false}, // also what has no effect
		{"options", "User-Likes", "", false},                                                         // but for tick boxes
		{"options", "colour", "", false},
	} {
		message, place := Mistaken(tc.object, tc.name)
		assert.Equal(t, tc.message, message, "%s %s", tc.object, tc.name)
		assert.Equal(t, tc.place, place, "%s %s", tc.object, tc.name)
	}
	assert.Equal(t, "is not known here and has no effect; did you mean upstream_params?", Unknown("options", "upstream_parms"))
	assert.Equal(t, "is not known here and has no effect; did you mean user_likes?", Unknown("options", "u_s_e_r_l_i_k_e_s"))
	assert.Equal(t, "is not known here and has no effect", Unknown("options", "colour"))
}

// Two letters keep their s.
func TestO2Form(t *testing.T) {
	for name, want := range map[string]string{"us": "us", "ids": "id", "Token-URL": "tokenurl", "token_urls": "tokenurl"} {
		assert.Equal(t, want, Form(name), name)
	}
}
