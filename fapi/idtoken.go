package fapi

// This file owns ID tokens that come encrypted (OpenID Connect Core section
// 10.2, RFC 7516). What is inside is signed, and is not its part.

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // RSA-OAEP is defined with it, and does not rely on its collisions
	"encoding/base64"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"example.com/upstream/internal/strictjson"
)

const maxIDToken = 256 << 10 // bytes

// contentEncryption are the algorithms of RFC 7518 section 5.1. It is never written.
var contentEncryption = []jose.ContentEncryption{
	jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512, jose.A128GCM, jose.A192GCM, jose.A256GCM,
}

// DecryptIDToken gives the signed ID token inside an encrypted one. One that is
// not encrypted it gives back as it is, unless Options.RequireEncryptedIDToken
// says that it must be. The caller verifies the result like any other: that it
// was encrypted says nothing of who made it.
//
// The error is an [*Error] of the stage "id_token", the same for every way in
// which decrypting can fail.
func (c *Client) DecryptIDToken(_ context.Context, idToken string) (string, error) {
	if q := c.get(); q != nil {
		return q.decrypt(idToken)
	}
	return "", errNoClient()
}

func (c *client) decrypt(idToken string) (string, error) {
	if strings.Count(idToken, ".") != 4 {
		if c.options.RequireEncryptedIDToken {
			return "", idTokenError("is not encrypted, and has to be")
		}
		return idToken, nil
	}
	if len(idToken) > maxIDToken {
		return "", idTokenError("is longer than 256 KiB")
	}
	alg, kid, message := jweHeader(idToken)
	if message != "" {
		return "", idTokenError(message)
	}
	object, err := jose.ParseEncryptedCompact(idToken, []jose.KeyAlgorithm{alg}, contentEncryption)
	if err != nil {
		return "", idTokenError("cannot be read as a JWE of the algorithms in use")
	}
	for _, k := range c.options.Keys.decrypting() {
		if k.name != string(alg) || kid != "" && k.kid != kid {
			continue
		}
		if plain, err := object.Decrypt(k.decrypter()); err == nil {
			if strings.Count(string(plain), ".") != 2 {
				return "", idTokenError("holds no signed token")
			}
			return string(plain), nil
		}
	}
	return "", idTokenError("could not be decrypted with any key of Options.Keys")
}

func idTokenError(message string) *Error {
	return &Error{Stage: "id_token", message: "the ID token " + message}
}

// jweHeader reads the protected header, in which no member may stand twice.
func jweHeader(idToken string) (alg jose.KeyAlgorithm, kid, message string) {
	encoded, _, _ := strings.Cut(idToken, ".")
	header, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || strictjson.Check(header) != nil {
		return "", "", "has a header that cannot be read"
	}
	members, object := strictjson.Members(header)
	if !object {
		return "", "", "has a header that cannot be read"
	}
	// A compressed text can grow a hundredfold (RFC 8725 section 3.6); critical
	// members ask for what is not known here.
	for _, name := range []string{"zip", "crit", "b64"} {
		if strictjson.Find(members, name) != nil {
			return "", "", "has the header member " + name + ", which is not supported"
		}
	}
	if content := strictjson.Text(strictjson.Find(members, "cty")); content != "" && !strings.EqualFold(content, "JWT") {
		return "", "", "holds another type than a JWT"
	}
	alg = jose.KeyAlgorithm(strictjson.Text(strictjson.Find(members, "alg")))
	return alg, strictjson.Text(strictjson.Find(members, "kid")), ""
}

// decrypter gives what go-jose decrypts with.
func (k *key) decrypter() any {
	if private, ok := k.private.(*ecdsa.PrivateKey); ok {
		return private
	}
	hash := crypto.SHA1
	if k.name == string(jose.RSA_OAEP_256) {
		hash = crypto.SHA256
	}
	return oaep{k.private.(crypto.Decrypter), hash} // NewKey has looked
}

// oaep decrypts with a key that may lie in a KMS.
type oaep struct {
	key  crypto.Decrypter
	hash crypto.Hash
}

func (o oaep) DecryptKey(encrypted []byte, _ jose.Header) ([]byte, error) {
	return o.key.Decrypt(rand.Reader, encrypted, &rsa.OAEPOptions{Hash: o.hash})
}
