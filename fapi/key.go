package fapi

// This file owns single keys: what a key must be to sign or decrypt, and its
// public form. It knows nothing of sets and of connections.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"example.com/upstream/internal/strictjson"
)

// A PrivateKey is what a [Key] is made of: a [crypto.Signer] for an algorithm of
// signatures, a [crypto.Decrypter] for RSA-OAEP and RSA-OAEP-256, an
// [*ecdsa.PrivateKey] for ECDH-ES. Its methods are called from many goroutines.
type PrivateKey interface{ Public() crypto.PublicKey }

// A Key signs or decrypts by one algorithm. [NewKey] and [ParseKey] make one;
// the zero value is none, and is refused wherever it is used. It prints its
// algorithm and its kid.
type Key struct {
	k **key // fmt follows one pointer where a verb does not fit, but never two
}

// get is nil for the zero Key.
func (k Key) get() *key {
	if k.k == nil {
		return nil
	}
	return *k.k
}

type key struct {
	private    PrivateKey
	jwk        []byte // public, as it is published
	thumbprint string // RFC 7638
	kid, name  string
	alg        *algorithm // nil where the key decrypts

	assertion, request signer // with the headers of what is signed
}

// decryption are the algorithms of RFC 7518 section 4.1 that a Key may decrypt
// by. RSA1_5 is left out: it tells an attacker too much. It is never written.
var decryption = []jose.KeyAlgorithm{
	jose.RSA_OAEP, jose.RSA_OAEP_256, jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A192KW, jose.ECDH_ES_A256KW,
}

// NewKey checks that a private key fits its algorithm, and gives a Key. alg is
// one of ES256, ES384, ES512, PS256, PS384, PS512, RS256, RS384, RS512, Ed25519
// and EdDSA to sign, or of RSA-OAEP, RSA-OAEP-256, ECDH-ES and its A128KW,
// A192KW and A256KW to decrypt ID tokens. RSA keys have at least 2048 bits.
//
// kid names the key to the identity provider; "" stands for the key's RFC 7638
// thumbprint. The error is an [*Error] of the stage "key".
func NewKey(private PrivateKey, alg, kid string) (Key, error) {
	if private == nil {
		return Key{}, keyError("there is no private key")
	}
	k := &key{private: private, name: alg, alg: findAlgorithm(alg)}
	public := private.Public()
	if message := k.fits(public); message != "" {
		return Key{}, keyError("the private key %s", message)
	}
	published := jose.JSONWebKey{Key: public, Algorithm: alg, Use: "enc"}
	if k.alg != nil {
		published.Use = "sig"
	}
	sum, err := published.Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, keyError("the private key has a public key that cannot be published")
	}
	k.thumbprint = base64.RawURLEncoding.EncodeToString(sum)
	if k.kid = kid; kid == "" {
		k.kid = k.thumbprint
	}
	published.KeyID = k.kid
	if k.jwk, err = published.MarshalJSON(); err != nil {
		return Key{}, keyError("the private key has a public key that cannot be published")
	}
	if k.alg != nil {
		sign := private.(crypto.Signer) // fits has looked
		head := fmt.Appendf(nil, `{"alg":"%s","kid":%s`, alg, strictjson.Marshal(k.kid))
		k.assertion = signer{alg: k.alg, key: sign, header: encodedHeader(append(head, '}'))}
		k.request = signer{alg: k.alg, key: sign, header: encodedHeader(append(head, `,"typ":"oauth-authz-req+jwt"}`...))} // RFC 9101 section 10.8
	}
	return Key{&k}, nil
}

// fits says why the key cannot be used with its algorithm, or "".
func (k *key) fits(public crypto.PublicKey) string {
	if k.alg != nil {
		if _, ok := k.private.(crypto.Signer); !ok {
			return "is no crypto.Signer; an algorithm of signatures needs one"
		}
		return k.alg.fits(public)
	}
	if !slices.Contains(decryption, jose.KeyAlgorithm(k.name)) {
		return fmt.Sprintf("is for %q, which is not among the algorithms; see NewKey for them", k.name)
	}
	switch name := jose.KeyAlgorithm(k.name); public := public.(type) {
	case *rsa.PublicKey:
		_, decrypts := k.private.(crypto.Decrypter)
		switch {
		case name != jose.RSA_OAEP && name != jose.RSA_OAEP_256:
			return fmt.Sprintf("is an RSA key, which %s cannot use", name)
		case !decrypts:
			return "is no crypto.Decrypter; RSA-OAEP needs one"
		case public == nil || public.N == nil || public.N.BitLen() < minRSA:
			return fmt.Sprintf("is an RSA key of less than %d bits (RFC 7518 section 4.3)", minRSA)
		}
	case *ecdsa.PublicKey:
		_, local := k.private.(*ecdsa.PrivateKey)
		switch {
		case name == jose.RSA_OAEP || name == jose.RSA_OAEP_256:
			return fmt.Sprintf("is an EC key, which %s cannot use", name)
		case !local:
			return "is no *ecdsa.PrivateKey; ECDH-ES needs one"
		}
	default:
		return fmt.Sprintf("has a public key of a type that %s cannot use", name)
	}
	return ""
}

// ParseKey reads a private key from a JSON Web Key (RFC 7517), with kid and alg
// from its members. An elliptic curve key without alg is for the ES algorithm
// of its curve; an RSA key has to have one. The error is an [*Error] of the
// stage "key", and quotes nothing of the text.
func ParseKey(jwk []byte) (Key, error) {
	if err := strictjson.Check(jwk); err != nil {
		return Key{}, keyError("the key cannot be read as JSON: %v", err)
	}
	var parsed jose.JSONWebKey
	if !strictjson.IsObject(jwk) || parsed.UnmarshalJSON(jwk) != nil {
		return Key{}, keyError("the key is not a JSON Web Key")
	}
	private, ok := parsed.Key.(PrivateKey)
	if !ok || parsed.IsPublic() {
		return Key{}, keyError("the JSON Web Key holds no private key; it is what the auth server signs with")
	}
	alg := parsed.Algorithm
	if alg == "" {
		for i := range algorithms {
			if a := &algorithms[i]; !a.rsa && a.fits(private.Public()) == "" {
				alg = a.name
				break
			}
		}
	}
	if alg == "" {
		return Key{}, keyError(`the JSON Web Key has no alg; an RSA key needs one, such as "PS256"`)
	}
	return NewKey(private, alg, parsed.KeyID)
}

// ID gives the kid, "" of the zero Key.
func (k Key) ID() string {
	if q := k.get(); q != nil {
		return q.kid
	}
	return ""
}

// Algorithm gives the algorithm, "" of the zero Key.
func (k Key) Algorithm() string {
	if q := k.get(); q != nil {
		return q.name
	}
	return ""
}

// Format prints algorithm and kid, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "fapi.Key(%s %q)", k.Algorithm(), k.ID())
}

// MarshalJSON refuses: nothing that marshals what it holds writes a key out.
func (k Key) MarshalJSON() ([]byte, error) {
	return nil, keyError("a Key is not written out; a KeySet publishes its public part")
}

// signs reports whether the key is one for signatures.
func (k *key) signs() bool { return k.alg != nil }

func printText(f fmt.State, text string) { _, _ = io.WriteString(f, text) }
