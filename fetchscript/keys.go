package fetchscript

// This file owns signatures: what jwt and OAuth 1.0a sign and verify. The time
// that one by RSA takes grows with the cube of the key's length, and nothing
// could end it; so keys are bounded before anything is computed with them.

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxKeyBits  = 8192
	maxExponent = 1<<31 - 1
	maxKeyText  = 16 << 10 // bytes of PEM: a key of maxKeyBits in a certificate has half of it
)

var errLargeKey = fmt.Errorf("the key is larger than %d bits", maxKeyBits)

func rsaPublicKey(key string) (*rsa.PublicKey, error) {
	if len(key) > maxKeyText {
		return nil, errLargeKey
	}
	k, err := jwt.ParseRSAPublicKeyFromPEM([]byte(key))
	if err == nil && (k.N.BitLen() > maxKeyBits || k.E > maxExponent) {
		return nil, errLargeKey
	}
	return k, err
}

func rsaPrivateKey(key string) (*rsa.PrivateKey, error) {
	if len(key) > maxKeyText {
		return nil, errLargeKey // here, since to read a private key is to compute with it
	}
	k, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(key))
	if err == nil && (k.N.BitLen() > maxKeyBits || k.E > maxExponent) {
		return nil, errLargeKey
	}
	return k, err
}

// signingKey reads the key that an algorithm needs.
func signingKey(method jwt.SigningMethod, key string) (any, error) {
	switch method.(type) {
	case *jwt.SigningMethodHMAC:
		if key == "" {
			return nil, errors.New("secretOrPrivateKey must have a value")
		}
		return []byte(key), nil
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		return rsaPrivateKey(key)
	case *jwt.SigningMethodECDSA:
		if len(key) > maxKeyText {
			return nil, errLargeKey
		}
		return jwt.ParseECPrivateKeyFromPEM([]byte(key))
	}
	return nil, errors.New("invalid algorithm")
}

func jwtSign(algorithm, input, key string) (string, error) {
	method := jwt.GetSigningMethod(algorithm)
	k, err := signingKey(method, key)
	if err != nil {
		return "", keyError(err)
	}
	signature, err := method.Sign(input, k)
	if err != nil {
		return "", keyError(err)
	}
	return base64.RawURLEncoding.EncodeToString(signature), nil
}

func jwtVerify(algorithm, input, signature, key string) (string, error) {
	var k any
	var err error
	method := jwt.GetSigningMethod(algorithm)
	switch method.(type) {
	case *jwt.SigningMethodHMAC:
		if key == "" {
			return "", errors.New("secret or public key must be provided")
		}
		k = []byte(key)
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		k, err = rsaPublicKey(key)
	case *jwt.SigningMethodECDSA:
		if len(key) > maxKeyText {
			return "", errLargeKey
		}
		k, err = jwt.ParseECPublicKeyFromPEM([]byte(key))
	default:
		return "", errors.New("invalid algorithm")
	}
	if err != nil {
		return "", keyError(err)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil {
		return "false", nil
	}
	return strconv.FormatBool(method.Verify(input, raw, k) == nil), nil
}

// keyError has words of ours: what reads keys may quote them.
func keyError(err error) error {
	switch {
	case errors.Is(err, errLargeKey):
		return err
	case errors.Is(err, jwt.ErrKeyMustBePEMEncoded):
		return errors.New("the key must be in PEM for this algorithm")
	}
	return errors.New("the key does not fit the algorithm")
}

func rsaSHA1(data, key string) (string, error) {
	k, err := rsaPrivateKey(key)
	if err != nil {
		return "", keyError(err)
	}
	sum := sha1.Sum([]byte(data))
	signature, err := rsa.SignPKCS1v15(nil, k, crypto.SHA1, sum[:])
	if err != nil {
		return "", keyError(err)
	}
	return string(signature), nil
}
