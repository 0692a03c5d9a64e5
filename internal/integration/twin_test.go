package integration

// openid-client makes the same requests from the same inputs: what it puts into
// assertions, proofs and request objects is held against what module fapi does.

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

const twinDir = "testdata/openid-client"

// A sent request, of either side.
type sent struct {
	URL    string            `json:"url"`
	Method string            `json:"method"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

func (s sent) form(t *testing.T) url.Values {
	t.Helper()
	form, err := url.ParseQuery(s.Body)
	require.NoError(t, err)
	return form
}

func jwkOf(t *testing.T, alg, kid string) (private crypto.Signer, text json.RawMessage) {
	t.Helper()
	var err error
	switch alg {
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "Ed25519":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	require.NoError(t, err)
	text, err = (&jose.JSONWebKey{Key: private, KeyID: kid, Algorithm: alg}).MarshalJSON()
	require.NoError(t, err)
	return private, text
}

// twin gives what openid-client sends.
func twin(t *testing.T, setup map[string]any) (all []sent) {
	t.Helper()
	node := nodeIn(t, twinDir, "openid-client")
	text, err := json.Marshal(setup)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), node, "twin.mjs", string(text))
	cmd.Dir = twinDir
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	require.NoError(t, err, complaints.String())
	require.NoError(t, json.Unmarshal(out, &all))
	return all
}

// ours gives what module fapi sends, to an IdP that answers as the twin's does.
func ours(t *testing.T, c *fapi.Client, tx upstream.Transaction) (all []sent, browser string) {
	t.Helper()
	known := 0
	transport := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		s := sent{URL: r.URL.String(), Method: r.Method, Header: map[string]string{}}
		for name := range r.Header {
			s.Header[strings.ToLower(name)] = r.Header.Get(name)
		}
		if r.Body != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			s.Body = string(body)
		}
		all = append(all, s)
		resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: r}
		body := `{"sub":"user-1"}`
		switch r.URL.Path {
		case "/par":
			resp.StatusCode, body = 201, `{"request_uri":"urn:example:1","expires_in":60}`
		case "/token":
			if known++; known == 1 {
				resp.StatusCode, body = 400, `{"error":"use_dpop_nonce"}`
				resp.Header.Set("DPoP-Nonce", "nonce-1")
			} else {
				body = `{"access_token":"A1","token_type":"DPoP","refresh_token":"R1"}`
			}
		}
		resp.Body = io.NopCloser(strings.NewReader(body))
		return resp, nil
	})
	ctx, _, err := c.Start(context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: transport}))
	require.NoError(t, err)
	browser, err = c.AuthorizationURL(ctx, nil, tx)
	require.NoError(t, err)
	got, err := c.Provider().TokenConfig(callback).Exchange(ctx, "code-1", oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	require.NoError(t, err)
	_, err = c.Provider().FetchProfile(ctx, got)
	require.NoError(t, err)
	return all, browser
}

// jwt gives header and claims of a token whose signature somebody else checks.
func jwt(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3, token)
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into))
	}
	return header, claims
}

// assertSame compares two tokens: the same members but for those of without, and
// the same values but for those that are made anew each time.
func assertSame(t *testing.T, what, theirs, own string, without ...string) {
	t.Helper()
	header, claims := jwt(t, theirs)
	ownHeader, ownClaims := jwt(t, own)
	for _, name := range without {
		delete(claims, name)
		delete(ownClaims, name)
	}
	for _, h := range []map[string]any{header, ownHeader} {
		if _, ok := h["jwk"]; ok {
			h["jwk"] = "a key of its own"
		}
	}
	assert.Equal(t, header, ownHeader, what)
	for _, c := range []map[string]any{claims, ownClaims} {
		iat, _ := c["iat"].(float64)
		if exp, ok := c["exp"].(float64); ok {
			c["exp"] = exp - iat
		}
		if nbf, ok := c["nbf"].(float64); ok {
			c["nbf"] = nbf - iat
		}
		for _, name := range []string{"jti", "iat", "dpop_jkt"} {
			if c[name] != nil {
				c[name] = "there"
			}
		}
	}
	assert.Equal(t, claims, ownClaims, what)
}

// query gives what the browser carries.
func query(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Query()
}

func TestF1F2F3SameAsOpenIDClient(t *testing.T) {
	for _, c := range []struct{ alg, dpop, secret string }{
		{"ES256", "ES256", ""}, {"PS256", "Ed25519", ""}, {"ES384", "ES256", ""}, {"RS256", "ES256", ""},
		{"HS256", "ES256", strings.Repeat("s", 40)},
	} {
		t.Run(c.alg+" "+c.dpop, func(t *testing.T) {
			const issuer = "https://idp.example.com"
			// userinfo is elsewhere: the twin keeps one nonce for each origin, we keep
			// those of authorization server and resource server apart.
			metadata := map[string]any{
				"issuer": issuer, "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token",
				"userinfo_endpoint": "https://rs.example.com/me", "pushed_authorization_request_endpoint": issuer + "/par",
				"require_pushed_authorization_requests": true, "dpop_signing_alg_values_supported": []string{c.dpop},
			}
			signing := map[bool]string{true: "ES256", false: c.alg}[c.secret != ""]
			private, jwk := jwkOf(t, signing, "auth-1")
			key, err := fapi.NewKey(private, signing, "auth-1")
			require.NoError(t, err)
			keys, err := fapi.NewKeySet(fapi.Keys{Current: []fapi.Key{key}})
			require.NoError(t, err)
			_, dpop := jwkOf(t, c.dpop, "")
			options := map[string]any{
				"type": "back_channel", "client_id": clientID, "issuer": issuer, "oidc_metadata": metadata, "scope": "openid email",
				"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": c.alg, "dpop_signing_alg": c.dpop,
				"connection_settings": map[string]any{"pkce": "S256"},
				"upstream_params":     map[string]any{"max_age": map[string]string{"value": "300"}, "ui_locales": map[string]string{"value": "de"}},
			}
			if c.secret != "" {
				options["token_endpoint_auth_method"], options["client_secret"] = "client_secret_jwt", c.secret
				delete(options, "token_endpoint_auth_signing_alg")
			}
			text, err := json.Marshal(map[string]any{"name": "bank", "strategy": "oidc", "options": options})
			require.NoError(t, err)
			conn, err := upstream.ParseConnection(text)
			require.NoError(t, err)
			p, err := upstream.NewProvider(conn)
			require.NoError(t, err)
			client, err := fapi.New(conn, p, fapi.Options{Keys: keys})
			require.NoError(t, err)

			tx := upstream.NewTransaction(callback)
			plain, err := client.Provider().AuthorizationURL(nil, tx)
			require.NoError(t, err)
			at, err := url.Parse(plain)
			require.NoError(t, err)
			parameters := map[string]string{}
			for name, values := range at.Query() {
				parameters[name] = values[0]
			}
			setup := map[string]any{
				"metadata": metadata, "client_id": clientID, "dpop_jwk": dpop, "request_jwk": jwk, "parameters": parameters,
				"redirect_uri": callback, "code": "code-1", "verifier": tx.CodeVerifier.Reveal(),
			}
			if c.secret != "" {
				setup["secret"] = c.secret
			} else {
				setup["jwk"] = jwk
			}
			theirs := twin(t, setup)
			own, browser := ours(t, client, tx)

			// Theirs: the request object, the push, the browser, two token requests, userinfo.
			require.Len(t, theirs, 6)
			require.Len(t, own, 4)
			assert.Equal(t, query(t, theirs[2].URL), query(t, browser))
			pushed, ownPushed := theirs[1].form(t), own[0].form(t)
			assertSame(t, "assertion of the push", pushed.Get("client_assertion"), ownPushed.Get("client_assertion"), "nbf")
			// It binds the code by a proof beside the push, we by the thumbprint in
			// it: RFC 9449 section 10.1 has both.
			assert.NotEmpty(t, theirs[1].Header["dpop"])
			assert.Len(t, ownPushed.Get("dpop_jkt"), 43)
			ownPushed.Del("dpop_jkt")
			pushed.Del("client_assertion")
			ownPushed.Del("client_assertion")
			assert.Equal(t, pushed, ownPushed)
			for i := range 2 {
				a, b := theirs[3+i].form(t), own[1+i].form(t)
				assertSame(t, "assertion", a.Get("client_assertion"), b.Get("client_assertion"), "nbf")
				a.Del("client_assertion")
				b.Del("client_assertion")
				assert.Equal(t, a, b)
				assertSame(t, "proof", theirs[3+i].Header["dpop"], own[1+i].Header["dpop"])
			}
			assert.NotEqual(t, own[1].form(t).Get("client_assertion"), own[2].form(t).Get("client_assertion"))
			assert.NotEqual(t, own[1].Header["dpop"], own[2].Header["dpop"])
			assertSame(t, "proof of userinfo", theirs[5].Header["dpop"], own[3].Header["dpop"])
			assert.Equal(t, theirs[5].Header["authorization"], own[3].Header["authorization"])

			signed, err := fapi.New(conn, p, fapi.Options{Keys: keys, SignRequest: true})
			require.NoError(t, err)
			own, _ = ours(t, signed, tx)
			// Ours has dpop_jkt inside, where nobody on the way can change it, and five
			// minutes where theirs has one.
			assertSame(t, "request object", query(t, theirs[0].URL).Get("request"), own[0].form(t).Get("request"), "dpop_jkt", "exp")
		})
	}
}
