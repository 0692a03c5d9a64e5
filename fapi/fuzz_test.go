package fapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

// The readers of what servers answer: whatever comes, nothing panics, nothing of
// it is in an error's text, and what is taken is what it has to be.

func FuzzPushAnswer(f *testing.F) {
	for _, body := range []string{
		`{"request_uri":"urn:ietf:params:oauth:request_uri:x","expires_in":60}`, `{"request_uri":"urn:a","request_uri":"urn:b"}`,
		`{"request_uri":7}`, `{"error":"invalid_request"}`, `{"request_uri":"urn:a b"}`, `[]`, ``, `{"request_uri":"//x"}`,
	} {
		f.Add(201, "application/json", []byte(body))
		f.Add(400, "application/json", []byte(body))
		f.Add(302, "text/html; x=\"", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, media string, body []byte) {
		uri, err := fapi.PushAnswer(status, media, body)
		if err != nil {
			if uri != "" || len(body) > 40 && strings.Contains(err.Error(), string(body)) {
				t.Errorf("%q with %v", uri, err)
			}
			return
		}
		if status != http.StatusCreated || !strings.Contains(uri, ":") || strings.ContainsAny(uri, " #\"\n\r\t") || len(uri) > 2048 {
			t.Errorf("%d %q gives %q", status, body, uri)
		}
	})
}

func FuzzTokenAnswer(f *testing.F) {
	for _, body := range []string{
		`{"error":"use_dpop_nonce"}`, `{"error":"use_dpop_nonce","error":"x"}`, `{"access_token":"A","token_type":"DPoP"}`,
		`{"token_type":"dpop","Token_Type":"Bearer"}`, `{"error":{"use_dpop_nonce":1}}`, `null`, ``, `"use_dpop_nonce"`,
	} {
		f.Add(400, []byte(body), "nonce-1")
		f.Add(200, []byte(body), `a"b`)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, nonce string) {
		challenge, bound := fapi.AsksForNonce(status, body), fapi.Bound(body)
		if challenge && (status != 400 && status != 401 || !strings.Contains(string(body), "error")) {
			t.Errorf("%d %q is taken for a challenge", status, body)
		}
		if bound && !strings.Contains(string(body), "token_type") && !strings.Contains(string(body), `\u`) {
			t.Errorf("%q is taken for a bound token", body)
		}
		if fapi.IsNonce(nonce) && strings.ContainsAny(nonce, "\"\\ \x00\n\r\t\x7f") {
			t.Errorf("%q is taken for a nonce", nonce)
		}
		if code := fapi.ErrorCode(nonce); code != "" && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("%q is taken for an error code", nonce)
		}
	})
}

func FuzzIDToken(f *testing.F) {
	k := newKey(f, "ECDH-ES", "enc-1")
	keys := newKeySet(f, fapi.Keys{Current: []fapi.Key{newKey(f, "ES256", "sig-1"), k}})
	c := newClient(f, newServer(f, keys).connection(f, nil), fapi.Options{Keys: keys})
	good := encrypted(f, signedToken, jose.ECDH_ES, jose.A256GCM, published(f, keys).Key("enc-1")[0].Key, "enc-1", nil)
	parts := strings.Split(good, ".")
	for i := range parts {
		p := append([]string{}, parts...)
		p[i] = ""
		f.Add(strings.Join(p, "."))
		p[i] = parts[i] + parts[i]
		f.Add(strings.Join(p, "."))
	}
	for _, header := range []string{`{"alg":"ECDH-ES","enc":"A256GCM"}`, `{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}`, `{"alg":"dir"}`, `[]`} {
		f.Add(base64url(header) + ".." + parts[2] + "." + parts[3] + "." + parts[4])
	}
	f.Add(good)
	f.Add(signedToken)
	f.Fuzz(func(t *testing.T, token string) {
		got, err := c.DecryptIDToken(t.Context(), token)
		switch {
		case err != nil && (got != "" || len(token) > 40 && strings.Contains(err.Error(), token)):
			t.Errorf("%q with %v", got, err)
		case err == nil && strings.Count(token, ".") == 4 && got != signedToken:
			t.Errorf("%q decrypts to %q", token, got)
		case err == nil && strings.Count(token, ".") != 4 && got != token:
			t.Errorf("%q became %q", token, got)
		}
	})
}

func FuzzProofKey(f *testing.F) {
	for _, alg := range []string{"ES256", "ES384", "ES512", "Ed25519"} {
		k, err := fapi.NewProofKey(alg)
		require.NoError(f, err)
		text, err := k.MarshalText()
		require.NoError(f, err)
		f.Add(text)
		f.Add(append([]byte("ES256"), text...))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var k fapi.ProofKey
		if err := k.UnmarshalText(text); err != nil {
			if k.Thumbprint() != "" || len(text) > 20 && strings.Contains(err.Error(), string(text)) {
				t.Error(err)
			}
			return
		}
		if again, err := k.MarshalText(); err != nil || string(again) != string(text) {
			t.Errorf("%q is read, and written as %q, %v", text, again, err)
		}
	})
}

// Metadata is written by others, and read before anything is sent.
func FuzzClientMetadata(f *testing.F) {
	keys := newES256(f)
	s := newServer(f, keys)
	for _, text := range []string{
		`{"pushed_authorization_request_endpoint":"https://idp.example.com/par","mtls_endpoint_aliases":{"token_endpoint":"https://mtls.example.com/token"}}`,
		`{"require_signed_request_object":"true"}`, `{"mtls_endpoint_aliases":[]}`, `null`, `[]`, `{"dpop_signing_alg_values_supported":{}}`,
	} {
		f.Add([]byte(text))
	}
	conn := s.connection(f, nil)
	p, err := upstream.NewProvider(conn)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text []byte) {
		changed := *conn
		changed.Options.OIDCMetadata = text
		c, err := fapi.New(&changed, p, fapi.Options{Keys: keys})
		if (c == nil) == (err == nil) {
			t.Errorf("%v, %v", c, err)
		}
	})
}
