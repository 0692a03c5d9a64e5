package main

// This file owns the cookie that carries one login from its first leg to its
// second: what is in it, how it is sealed, and when it is refused. It must not
// know what a connection is, nor anything of the OpenID provider.

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

const (
	loginLifetime = 10 * time.Minute // from the redirect to the IdP until its answer
	maxCookie     = 3800             // bytes of name and value; browsers drop a cookie above 4096 in silence
	keySize       = 32               // bytes: AES-256
)

// A loginState is what the second leg has to know of the first. The browser keeps
// it, so any replica with the key can go on, and no other browser can.
type loginState struct {
	State      string     `json:"s"`
	Nonce      string     `json:"n,omitempty"` // OpenID Connect only
	Verifier   string     `json:"v,omitempty"` // RFC 7636; "" if no challenge was sent
	Connection string     `json:"c"`
	Request    request    `json:"r"` // the application's
	Sent       []sentName `json:"p,omitempty"`
	Expires    time.Time  `json:"e"`
}

// Why a cookie is refused. None of the texts holds anything of the request.
var (
	errNoCookie = errors.New("this browser has not begun this login")
	errSeal     = errors.New("the login's cookie was not sealed by this server")
	errExpired  = errors.New("the login took too long")
	errTooLong  = errors.New("the login does not fit into a cookie")
)

// A sealer seals logins with AES-256-GCM. It is safe for concurrent use.
type sealer struct {
	aead   cipher.AEAD
	secure bool // the cookies go over https alone
	now    func() time.Time
}

func newSealer(key []byte, secure bool, now func() time.Time) (*sealer, error) {
	own, err := deriveKey(key, "login cookie")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	// Random 96-bit nonces are good for 2^32 cookies under one key; change the
	// key before that (NIST SP 800-38D section 8.3).
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead: aead, secure: secure, now: now}, nil
}

// deriveKey gives each use a key of its own, so that what is sealed for one can
// never be opened as another.
func deriveKey(key []byte, use string) ([]byte, error) {
	if len(key) != keySize {
		return nil, errors.New("the key must have 32 bytes")
	}
	return hkdf.Key(sha256.New, key, nil, use, keySize)
}

// cookieName gives each login its own cookie: two tabs do not overwrite each
// other. The state itself does not show. Browsers take a name that begins with
// __Secure- from https alone.
func (s *sealer) cookieName(state string) string {
	prefix := "login-"
	if s.secure {
		prefix = "__Secure-login-"
	}
	sum := sha256.Sum256([]byte(state))
	return prefix + hex.EncodeToString(sum[:8])
}

// set seals a login into a cookie that goes to the connection's callback only.
func (s *sealer) set(w http.ResponseWriter, l loginState, path string) error {
	l.Expires = s.now().Add(loginLifetime)
	plain, err := json.Marshal(l)
	if err != nil {
		return err
	}
	name := s.cookieName(l.State)
	// The name is authenticated, too: no cookie opens under another's name.
	value := base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(name)))
	if len(name)+len(value) > maxCookie {
		return errTooLong
	}
	http.SetCookie(w, s.cookie(name, value, path, int(loginLifetime/time.Second)))
	return nil
}

// cookie has SameSite=Lax: the IdP's answer is a top-level GET from another
// site, to which Strict cookies do not come.
func (s *sealer) cookie(name, value, path string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	}
}

// take opens the login that a state belongs to, and has the browser forget it.
func (s *sealer) take(w http.ResponseWriter, r *http.Request, state, path string) (loginState, error) {
	name := s.cookieName(state)
	cookie, err := r.Cookie(name)
	if err != nil {
		return loginState{}, errNoCookie
	}
	http.SetCookie(w, s.cookie(name, "", path, -1))
	sealed, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(cookie.Value, "="))
	if err != nil {
		return loginState{}, errSeal
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return loginState{}, errSeal
	}
	var l loginState
	switch err := json.Unmarshal(plain, &l); {
	case err != nil || l.State != state: // the name is only a part of the state's hash
		return loginState{}, errSeal
	case !s.now().Before(l.Expires): // Max-Age is a request to the browser; this is the rule
		return loginState{}, errExpired
	}
	return l, nil
}
