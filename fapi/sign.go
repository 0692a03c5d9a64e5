package fapi

// This file owns signatures: which algorithm wants which key, and the compact
// form of a signed JWT (RFC 7515, RFC 7518). It knows nothing of what is signed
// and of who asks.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the table
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// minRSA is what RFC 7518 section 3.3 and FAPI 2.0 section 5.4.1 ask of an RSA
// key, in bits. Small ones are recorded in real connections.
const minRSA = 2048

// An algorithm is a row of RFC 7518 section 3.1 or RFC 9864 section 2.2.
type algorithm struct {
	name  string
	hash  crypto.Hash           // 0 for Ed25519, which hashes by itself
	curve func() elliptic.Curve // of an ECDSA key
	pss   bool                  // else an RSA signature is PKCS #1 v1.5
	rsa   bool
}

// algorithms are all that a key may be for. It is never written.
var algorithms = []algorithm{
	{name: "ES256", hash: crypto.SHA256, curve: elliptic.P256},
	{name: "ES384", hash: crypto.SHA384, curve: elliptic.P384},
	{name: "ES512", hash: crypto.SHA512, curve: elliptic.P521},
	{name: "PS256", hash: crypto.SHA256, rsa: true, pss: true},
	{name: "PS384", hash: crypto.SHA384, rsa: true, pss: true},
	{name: "PS512", hash: crypto.SHA512, rsa: true, pss: true},
	{name: "RS256", hash: crypto.SHA256, rsa: true},
	{name: "RS384", hash: crypto.SHA384, rsa: true},
	{name: "RS512", hash: crypto.SHA512, rsa: true},
	{name: "Ed25519"},
	{name: "EdDSA"}, // the older name of the same (RFC 8037)
}

// findAlgorithm gives nil for a name that is not in the table.
func findAlgorithm(name string) *algorithm {
	for i := range algorithms {
		if algorithms[i].name == name {
			return &algorithms[i]
		}
	}
	return nil
}

// fits says why a public key cannot be used with the algorithm, or "".
func (a *algorithm) fits(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if a.curve == nil || key == nil || key.Curve != a.curve() {
			return fmt.Sprintf("is an EC key of another curve or algorithm than %s has", a.name)
		}
	case *rsa.PublicKey:
		switch {
		case !a.rsa || key == nil || key.N == nil:
			return fmt.Sprintf("is an RSA key, which %s cannot use", a.name)
		case key.N.BitLen() < minRSA:
			return fmt.Sprintf("is an RSA key of %d bits; it must have at least %d (RFC 7518 section 3.3)", key.N.BitLen(), minRSA)
		}
	case ed25519.PublicKey:
		if a.hash != 0 || len(key) != ed25519.PublicKeySize {
			return fmt.Sprintf("is an Ed25519 key, which %s cannot use", a.name)
		}
	default:
		return fmt.Sprintf("has a public key of a type that %s cannot use; *ecdsa.PublicKey, *rsa.PublicKey and ed25519.PublicKey can be", a.name)
	}
	return ""
}

// A signer signs JWTs of one kind with one key: their header does not change.
type signer struct {
	alg    *algorithm
	key    crypto.Signer
	secret []byte // of HMAC, in the place of alg and key
	header string // encoded, with the dot after it
}

// sign appends the compact JWT over the claims, a JSON object.
func (s *signer) sign(claims []byte) (string, error) {
	out := make([]byte, 0, len(s.header)+base64.RawURLEncoding.EncodedLen(len(claims))+1+700) // 700: of RSA 4096
	out = append(out, s.header...)
	out = base64.RawURLEncoding.AppendEncode(out, claims)
	signature, err := s.signature(out)
	if err != nil {
		return "", err
	}
	out = append(out, '.')
	return string(base64.RawURLEncoding.AppendEncode(out, signature)), nil
}

func (s *signer) signature(input []byte) ([]byte, error) {
	if s.secret != nil {
		mac := hmac.New(crypto.SHA256.New, s.secret)
		mac.Write(input)
		return mac.Sum(nil), nil
	}
	return s.alg.sign(s.key, input)
}

// errSignature stands for what a key gave and what is no signature: a remote
// one may answer anything.
var errSignature = errors.New("what the key answered is no signature of its algorithm")

func (a *algorithm) sign(key crypto.Signer, input []byte) ([]byte, error) {
	if a.hash == 0 {
		signature, err := key.Sign(rand.Reader, input, crypto.Hash(0))
		if err == nil && len(signature) != ed25519.SignatureSize {
			err = errSignature
		}
		return signature, err
	}
	h := a.hash.New()
	h.Write(input)
	var room [64]byte
	digest := h.Sum(room[:0])
	var opts crypto.SignerOpts = a.hash
	if a.pss {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: a.hash} // RFC 7518 section 3.5
	}
	signature, err := key.Sign(rand.Reader, digest, opts)
	switch {
	case err != nil:
		return nil, err
	case a.curve != nil:
		return fixed(signature, (a.curve().Params().BitSize+7)/8)
	}
	if public, ok := key.Public().(*rsa.PublicKey); !ok || len(signature) != public.Size() {
		return nil, errSignature
	}
	return signature, nil
}

// fixed turns an ASN.1 signature into the two numbers of RFC 7518 section 3.4,
// each of size bytes.
func fixed(signature []byte, size int) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signature, &pair)
	if err != nil || len(rest) > 0 || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 ||
		pair.R.BitLen() > 8*size || pair.S.BitLen() > 8*size {
		return nil, errSignature
	}
	out := make([]byte, 2*size)
	pair.R.FillBytes(out[:size])
	pair.S.FillBytes(out[size:])
	return out, nil
}

// encodedHeader gives the base64url of a JOSE header and the dot after it.
// What it is given is JSON already.
func encodedHeader(json []byte) string {
	return base64.RawURLEncoding.EncodeToString(json) + "."
}
