package fapi_test

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/fapi"
)

const signedToken = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJl"

func encrypted(t testing.TB, plain string, alg jose.KeyAlgorithm, enc jose.ContentEncryption, key any, kid string, opts *jose.EncrypterOptions) string {
	t.Helper()
	e, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: alg, Key: key, KeyID: kid}, opts)
	require.NoError(t, err)
	object, err := e.Encrypt([]byte(plain))
	require.NoError(t, err)
	text, err := object.CompactSerialize()
	require.NoError(t, err)
	return text
}

// remote is a decrypter whose key lies elsewhere.
type remote struct{ key *rsa.PrivateKey }

func (r remote) Public() crypto.PublicKey { return r.key.Public() }

func (r remote) Decrypt(random io.Reader, message []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	return r.key.Decrypt(random, message, opts)
}

func decrypting(t testing.TB, keys *fapi.KeySet, require bool) *fapi.Client {
	t.Helper()
	s := newServer(t, keys)
	return newClient(t, s.connection(t, nil), fapi.Options{Keys: keys, RequireEncryptedIDToken: require})
}

func TestF4EncryptedIDToken(t *testing.T) {
	for _, alg := range []jose.KeyAlgorithm{jose.RSA_OAEP, jose.RSA_OAEP_256, jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A192KW, jose.ECDH_ES_A256KW} {
		for _, enc := range []jose.ContentEncryption{jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512, jose.A128GCM, jose.A192GCM, jose.A256GCM} {
			private := privateFor(t, string(alg))
			if k, ok := private.(*rsa.PrivateKey); ok {
				private = remote{k}
			}
			k, err := fapi.NewKey(private, string(alg), "enc-1")
			require.NoError(t, err)
			keys := newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, "ES256", "sig-1"), k}})
			c := decrypting(t, keys, true)
			name := fmt.Sprint(alg, " ", enc)
			// As an IdP does it, with the key that was published.
			public := published(t, keys).Key("enc-1")[0].Key
			for _, kid := range []string{"enc-1", ""} {
				got, err := c.DecryptIDToken(t.Context(), encrypted(t, signedToken, alg, enc, public, kid, (&jose.EncrypterOptions{}).WithContentType("JWT")))
				require.NoError(t, err, name)
				assert.Equal(t, signedToken, got, name)
			}
		}
	}
}

func TestF4EncryptedIDTokenRefused(t *testing.T) {
	private, other := rsaKey(t, 2048), rsaKey(t, 3072)
	k, err := fapi.NewKey(private, "RSA-OAEP-256", "enc-1")
	require.NoError(t, err)
	keys := newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, "ES256", "sig-1"), k}})
	c, lax := decrypting(t, keys, true), decrypting(t, keys, false)
	good := encrypted(t, signedToken, jose.RSA_OAEP_256, jose.A256GCM, &private.PublicKey, "enc-1", nil)
	parts := strings.Split(good, ".")
	with := func(i int, text string) string {
		p := append([]string{}, parts...)
		p[i] = text
		return strings.Join(p, ".")
	}
	header := func(text string) string { return with(0, base64url(text)) }
	for name, token := range map[string]string{
		"another key":           encrypted(t, signedToken, jose.RSA_OAEP_256, jose.A256GCM, &other.PublicKey, "enc-1", nil),
		"another kid":           encrypted(t, signedToken, jose.RSA_OAEP_256, jose.A256GCM, &private.PublicKey, "enc-2", nil),
		"another algorithm":     encrypted(t, signedToken, jose.RSA_OAEP, jose.A256GCM, &private.PublicKey, "enc-1", nil),
		"RSA1_5":                encrypted(t, signedToken, jose.RSA1_5, jose.A256GCM, &private.PublicKey, "enc-1", nil),
		"compressed":            encrypted(t, signedToken, jose.RSA_OAEP_256, jose.A256GCM, &private.PublicKey, "enc-1", &jose.EncrypterOptions{Compression: jose.DEFLATE}),
		"claims without a JWS":  encrypted(t, `{"sub":"user-1"}`, jose.RSA_OAEP_256, jose.A256GCM, &private.PublicKey, "enc-1", nil),
		"encrypted twice":       encrypted(t, good, jose.RSA_OAEP_256, jose.A256GCM, &private.PublicKey, "enc-1", nil),
		"empty":                 encrypted(t, "", jose.RSA_OAEP_256, jose.A256GCM, &private.PublicKey, "enc-1", nil),
		"a changed text":        with(3, strings.Repeat("A", len(parts[3]))),
		"a changed tag":         with(4, "AAAAAAAAAAAAAAAAAAAAAA"),
		"a changed key":         with(1, strings.Repeat("A", len(parts[1]))),
		"no key":                with(1, ""),
		"alg twice":             header(`{"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc-1"}`),
		"critical members":      header(`{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":["exp"],"exp":1}`),
		"dir":                   header(`{"alg":"dir","enc":"A256GCM"}`),
		"PBES2":                 header(`{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":100000000,"p2s":"AAAA"}`),
		"another type":          header(`{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"json"}`),
		"no header":             with(0, ""),
		"a header of something": header(`7`),
		"five dots of nothing":  "....",
		"too long":              good + strings.Repeat("A", 256<<10),
	} {
		for _, c := range []*fapi.Client{c, lax} {
			got, err := c.DecryptIDToken(t.Context(), token)
			var own *fapi.Error
			require.ErrorAs(t, err, &own, name)
			assert.Equal(t, "id_token", own.Stage)
			assert.Empty(t, got, name)
		}
	}
	_, err = c.DecryptIDToken(t.Context(), signedToken)
	assert.Error(t, err, "not encrypted, and has to be")
	for _, plain := range []string{signedToken, "", "x"} { // the caller's to verify
		got, err := lax.DecryptIDToken(t.Context(), plain)
		require.NoError(t, err)
		assert.Equal(t, plain, got)
	}
}

// What was encrypted for a key is readable until the key leaves the set.
func TestF4RotationOfDecryptionKeys(t *testing.T) {
	sig, first, second := newKey(t, "ES256", "sig-1"), newKey(t, "ECDH-ES", "enc-1"), newKey(t, "ECDH-ES", "enc-2")
	keys := newKeySet(t, fapi.Keys{Current: []fapi.Key{sig, first}, Next: []fapi.Key{second}})
	c := decrypting(t, keys, true)
	token := encrypted(t, signedToken, jose.ECDH_ES, jose.A256GCM, published(t, keys).Key("enc-1")[0].Key, "enc-1", nil)
	require.Error(t, keys.Rotate(fapi.Keys{Current: []fapi.Key{sig, second}}))
	require.NoError(t, keys.Rotate(fapi.Keys{Current: []fapi.Key{sig, second}, Previous: []fapi.Key{first}}))
	_, err := c.DecryptIDToken(t.Context(), token)
	require.NoError(t, err)
	require.NoError(t, keys.Rotate(fapi.Keys{Current: []fapi.Key{sig, second}}))
	_, err = c.DecryptIDToken(t.Context(), token)
	require.Error(t, err)
}
