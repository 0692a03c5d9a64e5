package fapi_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/fapi"
)

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return k
}

// rsaKeys are made once: they take their time.
var rsaKeys = map[int]*rsa.PrivateKey{}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	if rsaKeys[bits] == nil {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		rsaKeys[bits] = k
	}
	return rsaKeys[bits]
}

func edKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return k
}

// privateFor gives a private key that fits the algorithm.
func privateFor(t testing.TB, alg string) fapi.PrivateKey {
	t.Helper()
	switch alg {
	case "ES256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW":
		return ecKey(t, elliptic.P256())
	case "ES384":
		return ecKey(t, elliptic.P384())
	case "ES512":
		return ecKey(t, elliptic.P521())
	case "Ed25519", "EdDSA":
		return edKey(t)
	}
	return rsaKey(t, 2048)
}

func newKey(t testing.TB, alg, kid string) fapi.Key {
	t.Helper()
	k, err := fapi.NewKey(privateFor(t, alg), alg, kid)
	require.NoError(t, err)
	return k
}

func newKeySet(t testing.TB, keys fapi.Keys) *fapi.KeySet {
	t.Helper()
	s, err := fapi.NewKeySet(keys)
	require.NoError(t, err)
	return s
}

// kms is a signer and decrypter whose key lies elsewhere.
type kms struct {
	public crypto.PublicKey
	answer []byte
	err    error
}

func (k kms) Public() crypto.PublicKey { return k.public }

func (k kms) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return k.answer, k.err }

// onlyPublic signs nothing.
type onlyPublic struct{ public crypto.PublicKey }

func (k onlyPublic) Public() crypto.PublicKey { return k.public }

func TestF1KeyHasToFitItsAlgorithm(t *testing.T) {
	ec256, ec384, rsa2048, rsa1024, ed := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384()), rsaKey(t, 2048), rsaKey(t, 1024), edKey(t)
	for _, c := range []struct {
		name    string
		private fapi.PrivateKey
		alg     string
		want    string // "" if it fits
	}{
		{"P-256", ec256, "ES256", ""},
		{"P-384", ec384, "ES384", ""},
		{"P-521", ecKey(t, elliptic.P521()), "ES512", ""},
		{"RSA for PS256", rsa2048, "PS256", ""},
		{"RSA for PS384", rsa2048, "PS384", ""},
		{"RSA for PS512", rsa2048, "PS512", ""},
		{"RSA for RS256", rsa2048, "RS256", ""},
		{"RSA for RS384", rsa2048, "RS384", ""},
		{"RSA for RS512", rsa2048, "RS512", ""},
		{"Ed25519", ed, "Ed25519", ""},
		{"Ed25519 by the older name", ed, "EdDSA", ""},
		{"a signer elsewhere", kms{public: ec256.Public()}, "ES256", ""},
		{"RSA to decrypt", rsa2048, "RSA-OAEP-256", ""},
		{"EC to decrypt", ec256, "ECDH-ES+A256KW", ""},

		{"another curve", ec384, "ES256", "another curve"},
		{"EC for PS256", ec256, "PS256", "another curve or algorithm"},
		{"EC for EdDSA", ec256, "EdDSA", "another curve or algorithm"},
		{"RSA for ES256", rsa2048, "ES256", "RSA key, which ES256"},
		{"Ed25519 for ES256", ed, "ES256", "Ed25519 key, which ES256"},
		{"Ed25519 for RS256", ed, "RS256", "Ed25519 key, which RS256"},
		{"a short RSA key", rsa1024, "RS256", "1024 bits"},
		{"a short RSA key to decrypt", rsa1024, "RSA-OAEP", "less than 2048 bits"},
		{"HMAC", ec256, "HS256", "not among the algorithms"},
		{"none", ec256, "none", "not among the algorithms"},
		{"no algorithm", ec256, "", "not among the algorithms"},
		{"RSA1_5", rsa2048, "RSA1_5", "not among the algorithms"},
		{"RSA for ECDH-ES", rsa2048, "ECDH-ES", "RSA key, which ECDH-ES"},
		{"EC for RSA-OAEP", ec256, "RSA-OAEP", "EC key, which RSA-OAEP"},
		{"Ed25519 to decrypt", ed, "ECDH-ES", "of a type that ECDH-ES"},
		{"EC elsewhere to decrypt", kms{public: ec256.Public()}, "ECDH-ES", "no *ecdsa.PrivateKey"},
		{"RSA elsewhere that only signs", kms{public: rsa2048.Public()}, "RSA-OAEP", "no crypto.Decrypter"},
		{"a public key", onlyPublic{ec256.Public()}, "ES256", "no crypto.Signer"},
		{"nothing public", kms{}, "ES256", "of a type that ES256"},
		{"a nil EC key", kms{public: (*ecdsa.PublicKey)(nil)}, "ES256", "another curve"},
		{"a nil RSA key", kms{public: (*rsa.PublicKey)(nil)}, "PS256", "RSA key, which PS256"},
		{"no key", nil, "ES256", "no private key"},
	} {
		k, err := fapi.NewKey(c.private, c.alg, "")
		if c.want == "" {
			require.NoError(t, err, c.name)
			assert.Equal(t, c.alg, k.Algorithm(), c.name)
			assert.Len(t, k.ID(), 43, c.name) // a thumbprint
			continue
		}
		var own *fapi.Error
		require.ErrorAs(t, err, &own, c.name)
		assert.Equal(t, "key", own.Stage, c.name)
		assert.Contains(t, err.Error(), c.want, c.name)
		assert.Regexp(t, "^fapi: key: ", err.Error())
	}
}

func TestF1ParseKey(t *testing.T) {
	jwk := func(key any, alg, kid string) []byte {
		text, err := (&jose.JSONWebKey{Key: key, Algorithm: alg, KeyID: kid}).MarshalJSON()
		require.NoError(t, err)
		return text
	}
	ec := ecKey(t, elliptic.P384())
	for _, c := range []struct {
		name, want, alg, kid string
		text                 []byte
	}{
		{"alg and kid", "", "PS256", "k1", jwk(rsaKey(t, 2048), "PS256", "k1")},
		{"the curve's own alg", "", "ES384", "k2", jwk(ec, "", "k2")},
		{"Ed25519", "", "Ed25519", "k3", jwk(edKey(t), "", "k3")},
		{"to decrypt", "", "ECDH-ES", "k4", jwk(ec, "ECDH-ES", "k4")},
		{"RSA without alg", "has no alg", "", "", jwk(rsaKey(t, 2048), "", "k")},
		{"public", "no private key", "", "", jwk(ec.Public(), "ES384", "k")},
		{"symmetric", "no private key", "", "", jwk([]byte("SECRET-SECRET-SECRET-SECRET-SECR"), "HS256", "k")},
		{"not for it", "another curve", "", "", jwk(ec, "ES256", "k")},
		{"a member twice", "twice", "", "", []byte(`{"kty":"EC","kty":"RSA"}`)},
		{"no key", "not a JSON Web Key", "", "", []byte(`{"kty":"EC"}`)},
		{"no object", "not a JSON Web Key", "", "", []byte(`"SECRET"`)},
		{"no JSON", "cannot be read", "", "", []byte(`-----BEGIN SECRET`)},
	} {
		k, err := fapi.ParseKey(c.text)
		if c.want == "" {
			require.NoError(t, err, c.name)
			assert.Equal(t, c.alg+" "+c.kid, k.Algorithm()+" "+k.ID(), c.name)
			continue
		}
		require.Error(t, err, c.name)
		assert.Contains(t, err.Error(), c.want, c.name)
		assert.NotContains(t, err.Error(), "SECRET", c.name)
	}
}

func published(t testing.TB, s http.Handler) *jose.JSONWebKeySet {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/jwks.json", http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	set := new(jose.JSONWebKeySet)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), set))
	return set
}

func TestF1JWKS(t *testing.T) {
	a, b, enc := newKey(t, "ES256", "a"), newKey(t, "PS256", "b"), newKey(t, "RSA-OAEP-256", "e")
	s := newKeySet(t, fapi.Keys{Current: []fapi.Key{a, enc}, Next: []fapi.Key{b}})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	assert.Equal(t, "application/jwk-set+json", w.Header().Get("Content-Type"))
	assert.Equal(t, "public, max-age=300", w.Header().Get("Cache-Control"))
	for _, private := range []string{`"d"`, `"p"`, `"q"`, `"dp"`} {
		assert.NotContains(t, w.Body.String(), private)
	}
	set := published(t, s)
	require.Len(t, set.Keys, 3)
	for i, want := range []string{"a ES256 sig", "e RSA-OAEP-256 enc", "b PS256 sig"} {
		k := set.Keys[i]
		assert.Equal(t, want, k.KeyID+" "+k.Algorithm+" "+k.Use)
		assert.True(t, k.IsPublic())
		assert.True(t, k.Valid())
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", http.NoBody))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Empty(t, published(t, new(fapi.KeySet)).Keys)
}

func TestF1KeySetRefuses(t *testing.T) {
	a, b, enc, ps := newKey(t, "ES256", "a"), newKey(t, "ES256", "b"), newKey(t, "ECDH-ES", "e"), newKey(t, "PS256", "p")
	for name, keys := range map[string]fapi.Keys{
		"no current key": {Next: []fapi.Key{a}},
		"a zero Key":     {Current: []fapi.Key{a, {}}},
		`the kid "a"`:    {Current: []fapi.Key{a}, Previous: []fapi.Key{newKey(t, "PS256", "a")}},
	} {
		_, err := fapi.NewKeySet(keys)
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), name)
	}
	s := newKeySet(t, fapi.Keys{Current: []fapi.Key{a, enc}, Next: []fapi.Key{ps}})
	for name, keys := range map[string]fapi.Keys{
		`"b" has not been published`:      {Current: []fapi.Key{b, enc}, Previous: []fapi.Key{a}},
		`"a" would no longer be`:          {Current: []fapi.Key{ps, enc}},
		`"e" would no longer be`:          {Current: []fapi.Key{a, ps}},
		"no current key is for ES256":     {Current: []fapi.Key{ps, enc}, Previous: []fapi.Key{a}},
		"there is no current key":         {Previous: []fapi.Key{a, enc}},
		`"a" has not been published`:      {Current: []fapi.Key{newKey(t, "ES256", "a"), enc}},
		"a zero Key among the keys; make": {Current: []fapi.Key{a, enc, {}}},
	} {
		err := s.Rotate(keys)
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), name)
	}
	assert.Len(t, published(t, s).Keys, 3, "it stayed as it was")
	require.NoError(t, s.Rotate(fapi.Keys{Current: []fapi.Key{a, enc}, Next: []fapi.Key{b, ps}}))
	require.NoError(t, s.Rotate(fapi.Keys{Current: []fapi.Key{b, enc}, Previous: []fapi.Key{a}}))
	require.Error(t, s.Replace(fapi.Keys{Current: []fapi.Key{ps}}))
	require.NoError(t, s.Replace(fapi.Keys{Current: []fapi.Key{newKey(t, "ES256", "c")}}))
	assert.Len(t, published(t, s).Keys, 1)
	var none *fapi.KeySet = new(fapi.KeySet)
	assert.Error(t, none.Rotate(fapi.Keys{Current: []fapi.Key{a}}))
	assert.Error(t, none.Replace(fapi.Keys{Current: []fapi.Key{a}}))
}

func TestF3ProofKeyIsCarried(t *testing.T) {
	for _, alg := range []string{"ES256", "ES384", "ES512", "Ed25519", "EdDSA"} {
		k, err := fapi.NewProofKey(alg)
		require.NoError(t, err, alg)
		text, err := k.MarshalText()
		require.NoError(t, err)
		assert.LessOrEqual(t, len(text), 128)
		var again fapi.ProofKey
		require.NoError(t, again.UnmarshalText(text))
		assert.Equal(t, k.Thumbprint(), again.Thumbprint(), alg)
		for _, bad := range []string{string(text[:len(text)-1]), string(text) + "A", "x" + string(text), alg, alg + ".", strings.Replace(string(text), ".", "", 1)} {
			err := new(fapi.ProofKey).UnmarshalText([]byte(bad))
			require.Error(t, err, bad)
			assert.NotContains(t, err.Error(), string(text[len(alg)+1:]))
		}
	}
	for _, alg := range []string{"", "RS256", "HS256", "none"} {
		_, err := fapi.NewProofKey(alg)
		assert.Error(t, err, alg)
	}
	var none fapi.ProofKey
	text, err := none.MarshalText()
	require.NoError(t, err)
	assert.Empty(t, text)
	require.NoError(t, none.UnmarshalText(nil))
	assert.Empty(t, none.Thumbprint())
}

// What a program prints while it looks for a fault ends up in logs.
func TestH8KeysArePrintedNowhere(t *testing.T) {
	ed := edKey(t)
	signing, err := fapi.NewKey(ed, "Ed25519", "k")
	require.NoError(t, err)
	proof, err := fapi.NewProofKey("Ed25519")
	require.NoError(t, err)
	text, err := proof.MarshalText()
	require.NoError(t, err)
	set := newKeySet(t, fapi.Keys{Current: []fapi.Key{signing}})
	type host struct {
		key    fapi.Key
		proof  fapi.ProofKey
		keys   fapi.Keys
		set    *fapi.KeySet
		byName map[string]any
	}
	h := host{signing, proof, fapi.Keys{Current: []fapi.Key{signing}}, set, map[string]any{"k": signing, "p": proof}}
	var parsed fapi.ProofKey
	secrets := []string{
		string(text[8:]), string(ed.Seed()), fmt.Sprint([]byte(ed.Seed()))[1:20], fmt.Sprintf("%x", ed.Seed()), fmt.Sprintf("%X", ed.Seed()),
		fmt.Sprintf("%#v", []byte(ed.Seed()))[8:30],
	}
	for _, v := range []any{
		h, &h, []host{h}, signing, &signing, proof, &proof, h.keys, set, fapi.Options{Keys: set},
		parsed.UnmarshalText([]byte("Ed25519." + string(text[8:]) + "AA")),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			printed := fmt.Sprintf(verb, v)
			for _, secret := range secrets {
				assert.NotContains(t, printed, secret, "%s of %T", verb, v)
			}
		}
	}
	written, err := json.Marshal(map[string]any{"key": signing})
	require.Error(t, err, string(written))
	assert.Equal(t, `fapi.Key(Ed25519 "k")`, fmt.Sprint(signing))
}
