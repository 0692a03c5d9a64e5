package main

// This file owns what all replicas of the auth server share: pending requests,
// codes, access tokens, the signing key, and which logins have come back. A
// real server has a database here; every method is one statement of it. It must
// not know of HTTP, of connections, or of how a user is logged in.

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"sync"
	"time"

	"example.com/upstream"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

const (
	requestLifetime = 15 * time.Minute
	codeLifetime    = time.Minute // RFC 6749 section 4.1.2 asks for a short one
	tokenLifetime   = 5 * time.Minute
	maxRequests     = 10_000 // anybody can make one
)

var (
	errUnknownRequest = errors.New("the request is unknown, finished or too old")
	errUnknownCode    = errors.New("the code is unknown, spent or too old")
	errUnknownToken   = errors.New("the token is unknown or too old")
	errFull           = errors.New("too many requests are pending")
)

// A user is who has logged in, as the auth server knows them from then on.
type user struct {
	Subject       string
	Email         string
	EmailVerified *bool // nil: the IdP says nothing
	Name          string
	AuthTime      time.Time  // zero: the IdP says nothing
	Sent          []sentName // what went upstream
}

// A sentName is a parameter that went upstream, without its value: what the
// application may know of its user's login.
type sentName struct {
	Name   string `json:"name"`
	Layer  string `json:"layer"`            // of the connection, e.g. upstream_params
	Source string `json:"source,omitempty"` // the parameter of the application's request behind it
}

// A request is an application's /authorize request.
type request struct {
	ID       string
	OIDC     oidc.AuthRequest           // as the OpenID provider parsed it
	Upstream *upstream.AuthorizeRequest // as this library did; for reading only
	User     *user                      // nil until the login has succeeded; for reading only
	expires  time.Time
}

type token struct {
	clientID string
	scopes   []string
	user     *user
	expires  time.Time
}

// A Store is safe for concurrent use. It hands out copies.
type Store struct {
	key *rsa.PrivateKey
	now func() time.Time

	mu       sync.Mutex
	requests map[string]request
	codes    map[string]string // request id by code
	tokens   map[string]token
	spent    map[string]time.Time // states of logins that have come back, until their cookies expire
}

// NewStore makes an empty store with a new signing key.
func NewStore(now func() time.Time) (*Store, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &Store{
		key: key, now: now,
		requests: map[string]request{}, codes: map[string]string{}, tokens: map[string]token{}, spent: map[string]time.Time{},
	}, nil
}

// addRequest keeps a request until it is finished or too old.
func (s *Store) addRequest(r request) (request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prune()
	if len(s.requests) >= maxRequests {
		return request{}, errFull
	}
	r.ID = rand.Text()
	r.expires = s.now().Add(requestLifetime)
	s.requests[r.ID] = r
	return r, nil
}

// prune forgets what is too old; a database does it by itself.
func (s *Store) prune() {
	now := s.now()
	for id, r := range s.requests {
		if !now.Before(r.expires) {
			delete(s.requests, id)
		}
	}
	for code, id := range s.codes {
		if _, alive := s.requests[id]; !alive {
			delete(s.codes, code)
		}
	}
	for id, t := range s.tokens {
		if !now.Before(t.expires) {
			delete(s.tokens, id)
		}
	}
	for state, expires := range s.spent {
		if !now.Before(expires) {
			delete(s.spent, state)
		}
	}
}

// pending gives a request that nobody has logged in for yet.
func (s *Store) pending(id string) (request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[id]
	if !ok || r.User != nil || !s.now().Before(r.expires) {
		return request{}, errUnknownRequest
	}
	return r, nil
}

// spend marks the state of a login as used, and reports whether it was not so
// before. Only one of all calls with the same state, on all replicas, hears
// true: a single INSERT of a unique key, or SET NX with a time to live.
func (s *Store) spend(state string, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.spent[state]; again {
		return false
	}
	s.spent[state] = until
	return true
}

// finish notes who has logged in. It succeeds once for each request, so that
// of two logins that were begun for it only one counts.
func (s *Store) finish(id string, u user) (request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[id]
	if !ok || r.User != nil || !s.now().Before(r.expires) {
		return request{}, errUnknownRequest
	}
	r.User = &u
	r.expires = s.now().Add(codeLifetime)
	s.requests[id] = r
	return r, nil
}

// dropPending ends a request that nobody has logged in for, and reports whether
// there was one: DELETE with the user's absence in its WHERE. Asked before, it
// might be another answer by the time of the DELETE.
func (s *Store) dropPending(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.requests[id]; !ok || r.User != nil {
		return false
	}
	delete(s.requests, id)
	return true
}

func (s *Store) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
}

func (s *Store) addCode(code, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
}

// takeCode gives the request behind a code, once (RFC 6749 section 4.1.2).
func (s *Store) takeCode(code string) (request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.codes[code]
	r, alive := s.requests[id]
	delete(s.codes, code)
	if !ok || !alive || r.User == nil || !s.now().Before(r.expires) {
		return request{}, errUnknownCode
	}
	return r, nil
}

func (s *Store) addToken(clientID string, scopes []string, u *user) (id string, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, expires = rand.Text(), s.now().Add(tokenLifetime)
	s.tokens[id] = token{clientID: clientID, scopes: scopes, user: u, expires: expires}
	return id, expires
}

func (s *Store) token(id string) (token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[id]
	if !ok || !s.now().Before(t.expires) {
		return token{}, errUnknownToken
	}
	return t, nil
}

func (s *Store) dropToken(id, clientID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens[id].clientID == clientID {
		delete(s.tokens, id)
	}
}
