package fapi

// This file owns DPoP (RFC 9449) as far as it needs no HTTP: the key of a login
// chain, how it is carried from one request to the next, and the proofs made
// with it. It knows nothing of nonces' origins.

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/upstream/internal/strictjson"
)

// A ProofKey is the key that the tokens of one login are bound to (RFC 9449):
// its access token and its refresh tokens are of no use without it. Make one for
// each login with [Client.Start], and keep its text ([ProofKey.MarshalText])
// where the refresh token is kept, as secret as that one. The zero value is no
// key. It is safe for concurrent use.
type ProofKey struct{ k **proofKey } // two pointers, see Key

// get is nil for the zero ProofKey.
func (k ProofKey) get() *proofKey {
	if k.k == nil {
		return nil
	}
	return *k.k
}

type proofKey struct {
	private    crypto.Signer
	alg        *algorithm
	signer     signer
	thumbprint string // dpop_jkt
}

// NewProofKey makes a key for one of ES256, ES384, ES512, Ed25519 and EdDSA.
// The error is an [*Error] of the stage "key".
func NewProofKey(alg string) (ProofKey, error) {
	a := findAlgorithm(alg)
	if a == nil || a.rsa {
		return ProofKey{}, keyError("%q is no algorithm for DPoP here; use ES256, ES384, ES512 or Ed25519", alg)
	}
	if a.curve == nil {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return ProofKey{}, signFailed("key", err)
		}
		return newProofKey(a, private)
	}
	private, err := ecdsa.GenerateKey(a.curve(), rand.Reader)
	if err != nil {
		return ProofKey{}, signFailed("key", err)
	}
	return newProofKey(a, private)
}

func newProofKey(a *algorithm, private crypto.Signer) (ProofKey, error) {
	jwk, err := publicJWK(private.Public())
	if err != nil {
		return ProofKey{}, keyError("the key has no public form")
	}
	sum := sha256.Sum256(jwk)
	header := []byte(`{"alg":"` + a.name + `","jwk":` + string(jwk) + `,"typ":"dpop+jwt"}`)
	k := &proofKey{
		private: private, alg: a, thumbprint: base64.RawURLEncoding.EncodeToString(sum[:]),
		signer: signer{alg: a, key: private, header: encodedHeader(header)},
	}
	return ProofKey{&k}, nil
}

// publicJWK gives the members of a public key that RFC 7638 section 3.2 makes a
// thumbprint of, in its form: they are the whole key, so it serves as jwk, too.
func publicJWK(public crypto.PublicKey) ([]byte, error) {
	encode := base64.RawURLEncoding.EncodeToString
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			return nil, err
		}
		size := len(point) / 2 // after the byte that says "uncompressed"
		return []byte(`{"crv":"` + key.Params().Name + `","kty":"EC","x":"` + encode(point[1:1+size]) + `","y":"` + encode(point[1+size:]) + `"}`), nil
	case ed25519.PublicKey:
		return []byte(`{"crv":"Ed25519","kty":"OKP","x":"` + encode(key) + `"}`), nil
	}
	return nil, errSignature
}

// Thumbprint gives the RFC 7638 thumbprint of the public key, which the
// authorization request carries as dpop_jkt (RFC 9449 section 10); "" of the
// zero value.
func (k ProofKey) Thumbprint() string {
	if q := k.get(); q != nil {
		return q.thumbprint
	}
	return ""
}

// MarshalText writes the private key, at most 128 characters: for the sealed
// login state and beside the refresh token, and for no log. The zero value
// gives no text.
func (k ProofKey) MarshalText() ([]byte, error) {
	q := k.get()
	if q == nil {
		return nil, nil
	}
	var raw []byte
	switch private := q.private.(type) {
	case *ecdsa.PrivateKey:
		var err error
		if raw, err = private.Bytes(); err != nil {
			return nil, keyError("the key cannot be written")
		}
	case ed25519.PrivateKey:
		raw = private.Seed()
	}
	return base64.RawURLEncoding.AppendEncode([]byte(q.alg.name+"."), raw), nil
}

// UnmarshalText reads what MarshalText wrote. The error is an [*Error] of the
// stage "key", and quotes nothing.
func (k *ProofKey) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*k = ProofKey{}
		return nil
	}
	name, encoded, _ := strings.Cut(string(text), ".")
	a := findAlgorithm(name)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	// A decoder reads over line ends; what is stored has one spelling.
	if a == nil || a.rsa || err != nil || len(text) > maxProofKey || strings.ContainsAny(encoded, "\r\n") {
		return keyError("the text holds no key of a login")
	}
	var private crypto.Signer
	if a.curve == nil {
		if len(raw) != ed25519.SeedSize {
			return keyError("the text holds no key of a login")
		}
		private = ed25519.NewKeyFromSeed(raw)
	} else if private, err = ecdsa.ParseRawPrivateKey(a.curve(), raw); err != nil {
		return keyError("the text holds no key of a login")
	}
	parsed, err := newProofKey(a, private)
	if err == nil {
		*k = parsed
	}
	return err
}

const maxProofKey = 128 // bytes of a key's text; 95 with P-521

// Format prints the public key's thumbprint, whatever the verb.
func (k ProofKey) Format(f fmt.State, _ rune) {
	printText(f, fmt.Sprintf("fapi.ProofKey(%s)", k.Thumbprint()))
}

type proofKeyContext struct{}

// WithProofKey gives a context for the requests of one login: those to the token
// endpoint and those with its access token. [Client.Start] and [Client.Resume]
// call it.
func WithProofKey(ctx context.Context, k ProofKey) context.Context {
	return context.WithValue(ctx, proofKeyContext{}, k)
}

// proofKeyOf gives nil where the context has none.
func proofKeyOf(ctx context.Context) *proofKey {
	k, _ := ctx.Value(proofKeyContext{}).(ProofKey)
	return k.get()
}

// proof makes a DPoP proof (RFC 9449 section 4.2). token is the access token it
// goes with, nonce the server's latest; both may be "".
func (k *proofKey) proof(method string, target *url.URL, token, nonce string, now time.Time) (string, error) {
	claims := make([]byte, 0, 512)
	claims = append(claims, `{"jti":"`...)
	claims = appendID(claims)
	claims = append(claims, `","htm":`...)
	claims = append(claims, strictjson.Marshal(method)...)
	claims = append(claims, `,"htu":`...)
	claims = append(claims, strictjson.Marshal(withoutQuery(target))...)
	claims = append(claims, `,"iat":`...)
	claims = strconv.AppendInt(claims, now.Unix(), 10)
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims = append(claims, `,"ath":"`...)
		claims = base64.RawURLEncoding.AppendEncode(claims, sum[:])
		claims = append(claims, '"')
	}
	if nonce != "" {
		claims = append(append(append(claims, `,"nonce":"`...), nonce...), '"') // see isNonce
	}
	proof, err := k.signer.sign(append(claims, '}'))
	if err != nil {
		return "", signFailed("proof", err)
	}
	return proof, nil
}

// withoutQuery gives the htu of section 4.2: a server compares it with the URL
// that it was asked for.
func withoutQuery(target *url.URL) string {
	u := *target
	u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment, u.User = "", false, "", "", nil
	if u.Path == "" {
		u.Path = "/" // as it stands in the request
	}
	return u.String()
}

// appendID appends 22 characters that nobody guesses or meets twice.
func appendID(dst []byte) []byte {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.AppendEncode(dst, id[:])
}
