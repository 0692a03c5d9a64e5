package fetchscript_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/fetchscript"
)

// TestHostFunctionsEnd: what Go does for a script ends in time too, though it
// looks for no interrupt of the engine and has no memory that could be taken away.
func TestHostFunctionsEnd(t *testing.T) {
	for name, body := range map[string]string{
		"UTF16":     "Buffer.from(Buffer.alloc(8e6)).toString('utf16le').length",
		"URL":       "new URL('../'.repeat(1e6), 'https://idp.example.com/' + 'a/'.repeat(1e6)).href.length",
		"XML":       "require('xml2js').parseString('<a>' + '<b c=\"d\"/>'.repeat(1e5) + '</a>', cb)",
		"XMLBomb":   "require('xml2js').parseString('<!DOCTYPE a [<!ENTITY b \"' + 'x'.repeat(1e5) + '\"><!ENTITY c \"' + '&b;'.repeat(1e5) + '\">]><a>' + '&c;'.repeat(1e3) + '</a>', cb)",
		"Gunzip":    "require('zlib').gunzipSync(require('zlib').gzipSync(Buffer.alloc(64e6))).length",
		"LongBytes": "require('crypto').createHash('sha512').update('x'.repeat(40e6)).digest('hex')",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := fetch(t, t.Context(), tight, "(t, c, cb) => cb(null, { user_id: 'u1', out: "+body+" })", token(nil)); err != nil {
				var failure *fetchscript.Error
				require.ErrorAs(t, err, &failure)
			}
		})
	}
}

// TestLargeKeysAreRefused: a signature by a key of 100000 bits takes minutes.
func TestLargeKeysAreRefused(t *testing.T) {
	verify := func(bits int) string {
		raw := make([]byte, bits/8)
		_, _ = rand.Read(raw)
		raw[0] |= 0x80
		raw[len(raw)-1] |= 1
		der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(raw), E: 1<<31 - 1})
		require.NoError(t, err)
		key, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
		require.NoError(t, err)
		signature := base64.RawURLEncoding.EncodeToString(append([]byte{0}, raw[1:]...))
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`))
		_, err = fetch(t, t.Context(), slow, "(t, c, cb) => jwt.verify('"+header+".e30."+signature+"', "+string(key)+", cb)", token(nil))
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "limit")
		_, direct := fetch(t, t.Context(), slow, "(t, c, cb) => cb(String(require('crypto').createVerify('RSA-SHA256').update('x').verify("+string(key)+", 'x')))", token(nil))
		require.Error(t, direct)
		return err.Error() + direct.Error()
	}
	assert.Contains(t, verify(8192), "invalid signature")
	for _, bits := range []int{8200, 16384, 1 << 17} {
		assert.Contains(t, verify(bits), "the key is larger than 8192 bits")
	}
	large, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	large.N.Lsh(large.N, 1<<16) // no key any more, but it reads as one
	key, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(large)})))
	require.NoError(t, err)
	for _, body := range []string{"jwt.sign({ a: 1 }, " + string(key) + ", { algorithm: 'RS256' })", "request.get({ url: 'https://idp.example.com/', oauth: { consumer_key: 'k', consumer_secret: " + string(key) + ", signature_method: 'RSA-SHA1' } }, cb) && undefined"} {
		_, err := fetch(t, t.Context(), slow, "(t, c, cb) => cb(null, { user_id: "+body+" })", token(nil))
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "limit")
	}
}
