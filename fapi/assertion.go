package fapi

// This file owns how the client authenticates with what it signs: assertions
// (RFC 7523 with OpenID Connect Core section 9) and apple's client secret. It
// knows nothing of HTTP.

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"strconv"
	"sync/atomic"
	"time"

	"example.com/upstream/internal/strictjson"
)

const (
	assertionLife = time.Minute // one request's; FAPI 2.0 servers take at most five
	appleLife     = time.Hour   // Apple takes at most six months (15777000 s); a short one is less worth stealing
	appleRenewal  = 5 * time.Minute

	assertionPairs = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion="
	appleAudience  = "https://appleid.apple.com"

	// minSecret is what RFC 7518 section 3.2 asks of a key for HS256, in bytes.
	minSecret = 32
)

// An authenticator gives the client's authentication as pairs of a form, encoded,
// "" for none. Each call makes a new one. tokenURL is where token requests go.
type authenticator interface {
	authenticate(now time.Time, tokenURL string) (pairs string, err error)
}

// asserting is private_key_jwt and client_secret_jwt.
type asserting struct {
	keys   *KeySet // nil with a secret
	alg    string
	secret *signer
	claims string // the beginning, which does not change
	aud    string // "" for the token endpoint, which a strategy may have derived
}

func newAsserting(clientID, audience string) *asserting {
	id := string(strictjson.Marshal(clientID))
	return &asserting{claims: `{"iss":` + id + `,"sub":` + id + `,"jti":"`, aud: audience}
}

func (a *asserting) authenticate(now time.Time, tokenURL string) (string, error) {
	jwt, err := a.assertion(now, cmp.Or(a.aud, tokenURL))
	if err != nil {
		return "", err
	}
	return assertionPairs + jwt, nil // which stands for itself
}

// assertion makes an assertion for one request. Servers keep the jti of each
// until it has expired, and refuse it when it comes again.
func (a *asserting) assertion(now time.Time, audience string) (string, error) {
	claims := make([]byte, 0, 512)
	claims = append(claims, a.claims...)
	claims = appendID(claims)
	claims = append(append(claims, `","aud":`...), strictjson.Marshal(audience)...) // one string, never a list
	claims = appendTimes(claims, now, assertionLife)
	s := a.secret
	if s == nil {
		k := a.keys.signing(a.alg) // the one in force now: the set may have been rotated
		if k == nil {
			return "", &Error{Stage: "assertion", message: "there is no key for " + a.alg}
		}
		s = &k.assertion
	}
	jwt, err := s.sign(append(claims, '}'))
	if err != nil {
		return "", signFailed("assertion", err)
	}
	return jwt, nil
}

func appendTimes(claims []byte, now time.Time, life time.Duration) []byte {
	claims = strconv.AppendInt(append(claims, `,"iat":`...), now.Unix(), 10)
	return strconv.AppendInt(append(claims, `,"exp":`...), now.Add(life).Unix(), 10)
}

// newSecretSigner is for client_secret_jwt, by HS256.
func newSecretSigner(secret string) *signer {
	return &signer{secret: []byte(secret), header: encodedHeader([]byte(`{"alg":"HS256"}`))}
}

// apple makes the client secret that Apple's "Creating a client secret" has: a
// JWT, which is the same for many requests.
type apple struct {
	signer signer
	claims string // the beginning
	latest atomic.Pointer[appleSecret]
}

type appleSecret struct {
	jwt         string
	from, until time.Time // when it serves; a clock may also be set back
}

// newApple reads options.app_secret, the text of the file that Apple gives.
func newApple(clientID, secret, kid, teamID string) (*apple, error) {
	block, rest := pem.Decode([]byte(secret))
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, connectionError("options.app_secret is not the PEM text of a private key; it is the .p8 file that Apple gave")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, connectionError("options.app_secret holds no PKCS #8 private key")
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	es256 := findAlgorithm("ES256")
	if !ok || es256.fits(private.Public()) != "" {
		return nil, connectionError("options.app_secret holds a key that Apple does not give; ES256 needs an EC key of the curve P-256")
	}
	header := append([]byte(`{"alg":"ES256","kid":`), strictjson.Marshal(kid)...)
	return &apple{
		signer: signer{alg: es256, key: private, header: encodedHeader(append(header, '}'))},
		claims: `{"iss":` + string(strictjson.Marshal(teamID)) + `,"sub":` + string(strictjson.Marshal(clientID)) +
			`,"aud":"` + appleAudience + `"`,
	}, nil
}

func (a *apple) authenticate(now time.Time, _ string) (string, error) {
	if s := a.latest.Load(); s != nil && !now.Before(s.from) && now.Before(s.until) {
		return "client_secret=" + s.jwt, nil
	}
	jwt, err := a.signer.sign(append(appendTimes([]byte(a.claims), now, appleLife), '}'))
	if err != nil {
		return "", signFailed("assertion", err)
	}
	// Two requests may both have made one; either serves.
	a.latest.Store(&appleSecret{jwt, now, now.Add(appleLife - appleRenewal)})
	return "client_secret=" + jwt, nil
}

// inForm is client_secret_post and none, for the pushed request: at the token
// endpoint the root does both.
type inForm string

func (f inForm) authenticate(time.Time, string) (string, error) { return string(f), nil }
