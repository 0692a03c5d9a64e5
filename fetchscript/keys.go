package fetchscript

// This file owns signatures: what jsonwebtoken and OAuth 1.0a sign and verify. The
// time that one by RSA takes grows with the cube of the key's length, and nothing
// could end it; so keys are bounded before anything is computed with them.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
)

const (
	maxKeyBits  = 8192
	maxExponent = 1<<31 - 1
	maxKeyText  = 16 << 10 // bytes of PEM: a key of maxKeyBits in a certificate has half of it
)

var (
	errLargeKey = fmt.Errorf("the key is larger than %d bits", maxKeyBits)
	errNoKey    = errors.New("the key is not PEM of a kind that is known here") // what reads keys may quote them
	errOtherKey = errors.New("the key does not fit the algorithm")
)

// readKey reads PEM of a key or a certificate. private is nil for a public one.
func readKey(text string) (public crypto.PublicKey, private crypto.Signer, err error) {
	if len(text) > maxKeyText {
		return nil, nil, errLargeKey // here, since to read a private key is to compute with it
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, nil, errNoKey
	}
	var key any
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = certificate.PublicKey
		}
	}
	if signer, is := key.(crypto.Signer); is && err == nil {
		private, key = signer, signer.Public()
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if err == nil && (k.N.BitLen() > maxKeyBits || k.E > maxExponent) {
			return nil, nil, errLargeKey
		}
	case *ecdsa.PublicKey:
	default:
		err = errNoKey
	}
	if err != nil {
		return nil, nil, errNoKey
	}
	return key, private, nil
}

// describeKey says, in JSON, what Node says of a key.
func describeKey(kind, text string) (string, error) {
	public, private, err := readKey(text)
	switch {
	case err != nil:
		return "", err
	case kind == "private" && private == nil:
		return "", errNoKey
	}
	if k, is := public.(*rsa.PublicKey); is {
		return fmt.Sprintf(`{"asymmetricKeyType": "rsa", "asymmetricKeyDetails": {"modulusLength": %d}}`, k.N.BitLen()), nil
	}
	curve := public.(*ecdsa.PublicKey).Curve.Params().Name
	names := map[string]string{"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"} // OpenSSL's
	return fmt.Sprintf(`{"asymmetricKeyType": "ec", "asymmetricKeyDetails": {"namedCurve": %q}}`, names[curve]), nil
}

func sum(algorithm, data string) (crypto.Hash, []byte, error) {
	h, err := newHash(algorithm)
	if err != nil {
		return 0, nil, err
	}
	hash := map[string]crypto.Hash{"md5": crypto.MD5, "sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}[algorithm]
	w := h()
	_, _ = w.Write([]byte(data)) // never fails
	return hash, w.Sum(nil), nil
}

// sign gives PKCS #1 v1.5 or PSS by RSA, ASN.1 by ECDSA.
func sign(algorithm, padding, key, data string) (string, error) {
	_, private, err := readKey(key)
	if err != nil {
		return "", err
	}
	hash, digest, err := sum(algorithm, data)
	if err != nil {
		return "", err
	}
	if private == nil {
		return "", errOtherKey
	}
	options := crypto.SignerOpts(hash)
	if padding == "pss" {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	signature, err := private.Sign(rand.Reader, digest, options)
	if err != nil {
		return "", errOtherKey
	}
	return string(signature), nil
}

func verify(algorithm, padding, key, data, signature string) (string, error) {
	public, _, err := readKey(key)
	if err != nil {
		return "", err
	}
	hash, digest, err := sum(algorithm, data)
	if err != nil {
		return "", err
	}
	good := false
	switch k := public.(type) {
	case *rsa.PublicKey:
		if padding == "pss" {
			good = rsa.VerifyPSS(k, hash, digest, []byte(signature), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		} else {
			good = rsa.VerifyPKCS1v15(k, hash, digest, []byte(signature)) == nil
		}
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(k, digest, []byte(signature))
	}
	return strconv.FormatBool(good), nil
}
