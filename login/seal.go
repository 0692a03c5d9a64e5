package login

// This file owns what is kept between the two legs of a login, and its seal. It
// must not know what is done with it.

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"example.com/upstream"
)

const (
	minKey  = 32   // bytes of a sealing key
	maxKeys = 8    // old ones included: each is tried
	maxSeal = 3600 // bytes of a cookie's value: browsers drop a cookie above 4096 in all, in silence
)

// A pending login is what the second leg has to know of the first. The browser
// keeps it, so any replica with the keys can go on, and no other browser can.
// The state is not in it: it is a part of the key.
type pending struct {
	Begun    int64  `json:"b"` // Unix seconds
	Expires  int64  `json:"e"`
	Nonce    string `json:"n,omitempty"`
	Verifier string `json:"v,omitempty"` // RFC 7636
	ClientID string `json:"i,omitempty"` // of the application
	Asked    []ask  `json:"a,omitempty"`
	Carries  int    `json:"x,omitempty"` // bytes of Carried

	Carried []byte `json:"-"` // the extension's
	Data    []byte `json:"-"` // the host's
}

// encode gives JSON, a NUL, and the two texts as they are: base64 inside JSON
// inside base64 would take a third of the room.
func (p *pending) encode() ([]byte, error) {
	p.Carries = len(p.Carried)
	head, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return slices.Concat(head, []byte{0}, p.Carried, p.Data), nil
}

func decode(plain []byte) (*pending, error) {
	head, rest, found := bytes.Cut(plain, []byte{0})
	p := new(pending)
	if err := json.Unmarshal(head, p); err != nil || !found || p.Carries < 0 || p.Carries > len(rest) {
		return nil, errSeal
	}
	p.Carried, p.Data = slices.Clip(rest[:p.Carries]), rest[p.Carries:]
	return p, nil
}

var (
	errSeal    = errors.New("the cookie was not sealed by this server for this state, connection, client and callback")
	errExpired = errors.New("the login took too long")
	errTooLong = errors.New("the login does not fit into a cookie; pass less data, or ask for fewer claims")
)

// A sealer seals the logins of one connection. It is safe for concurrent use.
type sealer struct {
	keys  [][]byte // the first seals, all open
	bound []byte   // additional data: what a login belongs to
}

func newSealer(keys []upstream.Secret, boundTo ...string) (*sealer, error) {
	switch {
	case len(keys) == 0:
		return nil, errors.New("Options.Keys is empty beside Store; give one of 32 random bytes, which all replicas share")
	case len(keys) > maxKeys:
		return nil, errors.New("Options.Keys has more than 8; drop those whose logins have ended")
	}
	s := &sealer{}
	for _, secret := range keys {
		key := []byte(secret.Reveal())
		if len(key) < minKey {
			return nil, errors.New("a key of Keys has less than 32 bytes; make it of crypto/rand")
		}
		// A key of its own for this use: what the host seals with the same one
		// can never be opened as a login.
		own, err := hkdf.Key(sha256.New, key, nil, "example.com/upstream/login: keys of logins", minKey)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, own)
	}
	s.bound, _ = json.Marshal(boundTo) // strings; unambiguous, as plain concatenation is not
	return s, nil
}

// aead gives the cipher for one login. Its key is made from the state, so it is
// never used twice, random nonces cannot run out, and whoever has a cookie
// without the state that belongs to it has nothing, not even with our key.
func aead(key []byte, state string) (cipher.AEAD, error) {
	// The state's hash, not the state: a salt is padded with zeros, and one with a
	// NUL behind it would open the login as well, under another spentID.
	own, err := hkdf.Key(sha256.New, key, digest("key", state), "login", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal gives the value of the cookie.
func (s *sealer) seal(state string, p *pending) (string, error) {
	plain, err := p.encode()
	if err != nil {
		return "", err
	}
	a, err := aead(s.keys[0], state)
	if err != nil {
		return "", err
	}
	value := base64.RawURLEncoding.EncodeToString(a.Seal(nil, nil, plain, s.bound))
	if len(value) > maxSeal {
		return "", errTooLong
	}
	return value, nil
}

// open gives the login of a cookie's value.
func (s *sealer) open(state, value string, now time.Time) (*pending, error) {
	if len(value) > maxSeal {
		return nil, errSeal
	}
	sealed, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "=")) // which some frameworks add
	if err != nil {
		return nil, errSeal
	}
	for _, key := range s.keys {
		a, err := aead(key, state)
		if err != nil {
			return nil, err
		}
		plain, err := a.Open(nil, nil, sealed, s.bound)
		if err != nil {
			continue
		}
		p, err := decode(plain)
		if err != nil {
			return nil, err
		}
		if now.Unix() >= p.Expires { // a cookie's Max-Age is a request to the browser; this is the rule
			return nil, errExpired
		}
		return p, nil
	}
	return nil, errSeal
}

// digest gives names for a login that tell nothing of its state.
func digest(use, state string) []byte {
	sum := sha256.Sum256([]byte(use + "\x00" + state))
	return sum[:]
}

// spentID is how the store knows a login.
func spentID(state string) string {
	return base64.RawURLEncoding.EncodeToString(digest("spent", state))
}

// cookieName gives each login its own cookie, so that two tabs do not overwrite
// each other's.
func cookieName(prefix, state string) string {
	return prefix + hex.EncodeToString(digest("cookie", state)[:8])
}
