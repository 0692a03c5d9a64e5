package login_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login"
)

func TestL3IDToken(t *testing.T) {
	p := newIDP(t)
	hash := sha256.Sum256([]byte("ACCESS-SECRET"))
	now := time.Now().Unix()
	l := newLogin(t, p.connection(t))
	trusting := newLogin(t, p.connection(t), func(o *login.Options) { o.TrustedAudiences = []string{"other"} })
	for _, c := range []struct {
		name   string
		claims claims
		sign   func(claims) string
		answer func(claims)
		login  *login.Login
		reason string // "": accepted
	}{
		{name: "nothing special"},
		{name: "aud as a list", claims: claims{"aud": []string{clientID}}},
		{name: "azp is this client", claims: claims{"azp": clientID}},
		{name: "a foreign aud", claims: claims{"aud": "other"}, reason: "aud is not this client"},
		{name: "no aud", claims: claims{"aud": nil}, reason: "aud is not this client"},
		{name: "aud of numbers", claims: claims{"aud": []any{clientID, 1}}, reason: "aud is not|JWT"},
		{name: "a second aud", claims: claims{"aud": []string{clientID, "other"}, "azp": clientID}, reason: "not trusted"},
		{name: "a second aud that is trusted", claims: claims{"aud": []string{clientID, "other"}, "azp": clientID}, login: trusting},
		{name: "a trusted second aud without azp", claims: claims{"aud": []string{clientID, "other"}}, login: trusting, reason: "azp is missing"},
		{name: "wrong azp", claims: claims{"azp": "other"}, reason: "azp is another"},
		{name: "azp is no text", claims: claims{"azp": 7}, reason: "azp is another"},
		{name: "another issuer", claims: claims{"iss": "https://evil.example.com"}, reason: "iss is another"},
		{name: "a slash behind the issuer", claims: claims{"iss": p.URL + "/"}, reason: "iss is another"},
		{name: "no issuer", claims: claims{"iss": nil}, reason: "iss is another"},
		{name: "wrong nonce", claims: claims{"nonce": "other"}, reason: "nonce"},
		{name: "no nonce", claims: claims{"nonce": nil}, reason: "nonce"},
		{name: "no sub", claims: claims{"sub": nil}, reason: "sub is missing"},
		{name: "an empty sub", claims: claims{"sub": ""}, reason: "sub is missing"},
		{name: "sub is a number", claims: claims{"sub": 7}, reason: "claims|sub|JWT"},
		{name: "expired", claims: claims{"exp": now - 61}, reason: "exp is"},
		{name: "expired within the skew", claims: claims{"exp": now - 30}},
		{name: "no exp", claims: claims{"exp": nil}, reason: "exp is"},
		{name: "exp as text", claims: claims{"exp": fmt.Sprint(now + 60)}, reason: "exp is|JWT"},
		{name: "exp in milliseconds", claims: claims{"exp": (now + 60) * 1000}, reason: "exp is"},
		{name: "exp with a fraction", claims: claims{"exp": float64(now) + 60.5}},
		{name: "no iat", claims: claims{"iat": nil}, reason: "iat is"},
		{name: "iat in the future", claims: claims{"iat": now + 90}, reason: "iat is"},
		{name: "iat within the skew", claims: claims{"iat": now + 30}},
		{name: "iat is negative", claims: claims{"iat": -5}, reason: "iat is"},
		{name: "nbf in the future", claims: claims{"nbf": now + 90}, reason: "nbf is"},
		{name: "nbf within the skew", claims: claims{"nbf": now + 30}},
		{name: "auth_time in milliseconds", claims: claims{"auth_time": now * 1000}, reason: "auth_time is"},
		{name: "auth_time in the future", claims: claims{"auth_time": now + 3600}, reason: "auth_time is"},
		{name: "at_hash", claims: claims{"at_hash": base64url(hash[:16])}},
		{name: "at_hash of another token", claims: claims{"at_hash": base64url(hash[16:])}, reason: "at_hash"},
		{name: "at_hash in two spellings", sign: func(claims) string {
			return signedText(p, fmt.Sprintf(`{"iss":%q,"sub":"user-1","aud":%q,"exp":%d,"iat":%d,"nonce":%q,"at_hash":%q,"AT_HASH":%q}`, p.URL, clientID, now+60, now, p.nonce,
				base64url(hash[16:]), base64url(hash[:16])))
		}, reason: "at_hash"},
		{name: "at_hash is no text", claims: claims{"at_hash": 5}, reason: "at_hash|claims|JWT"},
		{name: "none", sign: unsigned, reason: "its alg is not|not a signed JWT"},
		{name: "HS256 with the client's secret", sign: func(c claims) string { return symmetric(c, clientSecret) }, reason: "its alg is not"},
		{name: "another key under the same kid", sign: func(c claims) string { return signed(p.other, "current", c) }, reason: "no key at jwks_uri"},
		{name: "an unknown kid", sign: func(c claims) string { return signed(p.other, "gone", c) }, reason: "no key at jwks_uri"},
		{name: "a tampered payload", sign: func(c claims) string {
			parts := strings.Split(signed(p.key, "current", c), ".")
			c["sub"] = "victim"
			return parts[0] + "." + base64url([]byte(asJSON(c))) + "." + parts[2]
		}, reason: "no key at jwks_uri"},
		{name: "encrypted", sign: func(claims) string { return "a.b.c.d.e" }, reason: "it is encrypted"},
		{name: "no JWT", sign: func(claims) string { return "SECRET-TEXT" }, reason: "not a signed JWT"},
		{name: "a name twice", sign: func(claims) string {
			return signedText(p, fmt.Sprintf(`{"iss":%q,"sub":"victim","sub":"attacker","aud":%q,"exp":%d,"iat":%d,"nonce":%q}`, p.URL, clientID, now+60, now, p.nonce))
		}, reason: "not strict JSON"},
		{name: "SUB beside sub", claims: claims{"SUB": "attacker"}},
		{name: "none given", answer: func(a claims) { delete(a, "id_token") }, reason: "gave none"},
		{name: "it is no text", answer: func(a claims) { a["id_token"] = 7 }, reason: "gave none"},
		{name: "too long", claims: claims{"x": strings.Repeat("x", 300<<10)}, reason: "longer than 256 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.claims, p.sign, p.answer = c.claims, c.sign, c.answer
			at := c.login
			if at == nil {
				at = l
			}
			if c.reason == "" {
				r, err := run(t, at, p, nil)
				require.NoError(t, err)
				assert.Equal(t, "oidc|corp|user-1", r.Subject)
				return
			}
			e := refused(t, at, p, nil, login.StepIDToken)
			assert.Equal(t, "server_error", e.Code)
			assert.Regexp(t, c.reason, e.Reason)
		})
	}
}

func TestL3KeysCannotBeHad(t *testing.T) {
	for name, c := range map[string]struct{ body, reason string }{
		"not JSON":                        {`nothing`, "cannot be had"},
		"a name twice":                    {`{"keys": [], "keys": []}`, "cannot be had"},
		"no keys":                         {`{}`, "cannot be had"},
		"too many keys":                   {`{"keys": [` + strings.Repeat(`{"kty":"unknown"},`, 100) + `{"kty":"unknown"}]}`, "cannot be had"},
		"100 of a kind that nobody knows": {`{"keys": [` + strings.Repeat(`{"kty":"unknown"},`, 99) + `{"kty":"unknown"}]}`, "no key at jwks_uri"},
		"empty":                           {`{"keys": []}`, "no key at jwks_uri"},
		"over 1 MiB":                      {strings.Repeat(" ", 1<<20) + `{"keys": []}`, "cannot be had: the answer is larger than 1 MiB"},
		"SECRET":                          {`{"keys": "SECRET"}`, "cannot be had"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIDP(t)
			p.http = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/jwks" {
					_, _ = w.Write([]byte(c.body))
				}
				return r.URL.Path == "/jwks"
			}
			e := refused(t, newLogin(t, p.connection(t)), p, nil, login.StepIDToken)
			assert.Contains(t, e.Reason, c.reason)
			assert.NotContains(t, e.Reason, "SECRET")
		})
	}
	p := newIDP(t)
	p.http = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/jwks" {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}
		return r.URL.Path == "/jwks"
	}
	refused(t, newLogin(t, p.connection(t)), p, nil, login.StepIDToken)
}

func TestL3KeysRotate(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	_, err := run(t, l, p, nil)
	require.NoError(t, err)
	p.key, p.other = p.other, p.key
	p.sign = func(c claims) string { return signed(p.key, "current", c) }
	_, err = run(t, l, p, nil)
	require.NoError(t, err)
	assert.Equal(t, 2, p.hits["/jwks"])
	p.sign = func(c claims) string { return signed(p.other, "current", c) }
	refused(t, l, p, nil, login.StepIDToken)
}

func TestL3Algs(t *testing.T) {
	p := newIDP(t)
	refused(t, newLogin(t, p.connection(t, claims{"id_token_signed_response_algs": []string{"RS256"}})), p, nil, login.StepIDToken)
	_, err := run(t, newLogin(t, p.connection(t, claims{"id_token_signed_response_algs": []string{"ES256"}})), p, nil)
	require.NoError(t, err)
	for _, alg := range []string{"none", "HS256", "es256", ""} {
		_, err := login.New(p.connection(t, claims{"id_token_signed_response_algs": []string{alg}}), options())
		assert.Error(t, err, alg)
	}
}
