package upstream_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream"
)

// accumulated is the SHA-256 over the results of 100,000 pseudo-random pairs
// of a connection and a request. It changes where the behaviour changes: then
// find out by which pair, and whether that was meant, before it is set anew.
const accumulated = "a017150c08951b6ec1611119ec0acf9fde50b180ae6bfd26ab8d11ff1fcab79a"

// dice draws from lists in which good values are frequent and bad ones are not
// rare.
type dice struct{ *rand.Rand }

func (d dice) of(list ...string) string { return list[d.IntN(len(list))] }

func (d dice) text() string {
	return d.of("a", "login", "select_account", "user@domain.com", "bob@example.com", "a b", "fr-CA fr", "é漢", "a&b=c#d%", "4", "none", "login consent", "x,y", "")
}

// rarely gives one of the bad values, once in a while.
func (d dice) rarely(good, bad string) string {
	if d.IntN(40) == 0 {
		return bad
	}
	return good
}

func (d dice) name() string {
	good := d.of("blog", "prompt", "login_hint", "screen_name", "acr_values", "hd", "é", "resource", "max_age", "a", "b", "z/~")
	return d.rarely(good, d.of("p q", "Prompt", "scope", "response_mode", "state", "A"))
}

func (d dice) param() string {
	alias := d.of("login_hint", "prompt", "acr_values", "ui_locales", "resource", "max_age", "id_token_hint", "client_id", "audience", d.rarely("display", "login_hnt"))
	value, _ := json.Marshal(d.text())
	switch d.IntN(12) {
	case 0, 1, 2:
		return `{"value": ` + string(value) + `}`
	case 3:
		return `{"alias": "` + alias + `", "value": ` + string(value) + `}`
	case 4:
		return `{"alias": "` + alias + `", "allow": ["login", "4", "user@domain.com"]}`
	case 5:
		return `{"alias": "` + alias + `", "allow_pattern": "[^@]+@example\\.com", "translate": {"4": "urn:high", "login": ""}}`
	case 6:
		return d.rarely(`null`, d.of(`"bare"`, `{}`, `{"value": 1}`, `{"alias": "prompt", "allow": "x"}`, `{"value": "x", "allow": []}`))
	}
	return `{"alias": "` + alias + `"}`
}

func (d dice) members(most int, value func() string) string {
	seen, out := map[string]bool{}, []string{}
	for range d.IntN(most) {
		if name := d.name(); !seen[name] {
			seen[name] = true
			out = append(out, fmt.Sprintf("%q: %s", name, value()))
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func (d dice) connection() string {
	quoted := func() string { return fmt.Sprintf("%q", d.rarely("x"+d.text(), "")) }
	options := []string{`"client_id": "c"`}
	if d.IntN(20) > 0 {
		options = append(options, `"authorizationURL": "`+d.rarely(d.of("https://idp.example.com/a", "https://idp.example.com/a?acr_values=AAL2&t=1", "https://idp.example.com/a?"), d.of("https://idp.example.com/a?x=1&x=2", "http://idp.example.com/a"))+`"`,
			`"tokenURL": "`+d.rarely("https://idp.example.com/t", "https://idp.example.com/t#f")+`"`)
	}
	for _, member := range []string{
		`"scope": ` + d.rarely(d.of(`"openid email"`, `["a", "b c"]`, `""`, `null`), `[1]`),
		`"useOauthSpecScope": ` + d.of("true", "false"),
		`"pkce_enabled": ` + d.rarely(d.of("true", "false"), `"x"`),
		`"connection_settings": {"pkce": "` + d.rarely(d.of("auto", "S256", "disabled"), "plain") + `"}`,
		`"authParams": ` + d.members(4, quoted),
		`"authParamsMap": ` + d.members(4, func() string { return `"` + d.rarely(d.of("access_type", "prompt", "hd", "max_age"), "nope") + `"` }),
		`"customHeaders": ` + d.rarely(d.of(`{"X-A": "b"}`, `""`, `"{\"X-A\": \"b\"}"`), `{"Host": "x"}`),
	} {
		if d.IntN(4) == 0 {
			options = append(options, member)
		}
	}
	options = append(options, `"upstream_params": `+d.members(6, d.param))
	strategy := d.of("oauth2", "oauth2", "oauth2", "oauth2", "oidc", "github", "wordpress", "twitter", d.rarely("oauth2", d.of("samlp", "sms", "")))
	return `{"name": "` + d.rarely("my-idp", "my_idp") + `", "strategy": "` + strategy + `", "options": {` + strings.Join(options, ", ") + `}}`
}

func (d dice) request() string {
	pairs := []string{"response_type=code", "client_id=app-1", "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback", "state=app-state"}
	for range d.IntN(6) {
		name := d.of("login_hint", "prompt", "acr_values", "ui_locales", "resource", "resource", "max_age", "id_token_hint", "audience", "access_type", "hd", "connection_scope", "foo")
		value := url.QueryEscape(d.text())
		if d.IntN(40) == 0 {
			value = d.of("%zz", "a;b", "%00", "%ff")
		}
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "&")
}

func TestAccumulatedVector(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and too slow with the race detector: runs without it")
	}
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(2026, 11))}
	hash := sha256.New()
	counts := map[string]int{}
	for range 100_000 {
		v := vector{Connection: json.RawMessage(d.connection()), Request: d.request()}
		v.Transaction.RedirectURI, v.Transaction.State = "https://auth.example.com/login/callback", upstream.NewSecret(d.rarely("st-1", ""))
		v.Transaction.Nonce, v.Transaction.RequestToken = upstream.NewSecret(d.rarely(d.of("", "n"), "st-1")), upstream.NewSecret(d.rarely("t/1", ""))
		v.Transaction.CodeVerifier = upstream.NewSecret(d.rarely(d.of("", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "short"))
		out, failure, _ := v.run()
		kind := "url"
		if failure != nil {
			kind = failure.Kind
		}
		counts[kind]++
		result, err := json.Marshal([]any{out, failure})
		if err != nil {
			t.Fatal(err)
		}
		hash.Write(append(result, '\n'))
	}
	assert.Equal(t, accumulated, hex.EncodeToString(hash.Sum(nil)), "%v", counts)
	for _, kind := range []string{"url", "config", "request", "transaction", "saml", "unsupported"} {
		assert.Greater(t, counts[kind], 50, "%s: the pairs must reach every kind of result", kind)
	}
}
