package fapi

// This file owns sets of keys: the keys that sign now, those that will and those
// that did, how one becomes the other, and the JWKS that publishes them all. It
// knows nothing of connections.

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Keys are the auth server's keys at one time, to sign and to decrypt. All of
// them are published. A set for several identity providers holds a Current key
// for each algorithm that they ask for.
type Keys struct {
	Current  []Key // sign from now on: for each algorithm, the first of it
	Next     []Key // do not sign yet, so that everybody has seen them when they do
	Previous []Key // do not sign any more, but what they signed is on its way
}

// Format prints algorithms and kids.
func (k Keys) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "fapi.Keys{Current:%v Next:%v Previous:%v}", k.Current, k.Next, k.Previous)
}

// A KeySet holds Keys that can be replaced while they are in use. It is an
// [http.Handler] that publishes the public parts as a JSON Web Key Set (RFC 7517
// section 5), for the identity provider's jwks_uri of this client. One set can
// serve any number of connections. It is safe for concurrent use; [NewKeySet]
// makes one.
//
// To rotate without a login that fails: publish the new key under Next and wait
// until each identity provider has read the JWKS again (it may be kept for
// [JWKSMaxAge]; providers differ in what they make of that). Then call
// [KeySet.Rotate] with it under Current and the old one under Previous. Leave
// that one there for as long again.
type KeySet struct {
	replace sync.Mutex // Rotate and Replace look before they write
	state   atomic.Pointer[keyState]
}

// JWKSMaxAge is how long the JWKS may be kept, in seconds (Cache-Control).
const JWKSMaxAge = 300

// keyState is never written once it is in a KeySet.
type keyState struct {
	keys    Keys
	decrypt []*key // in the order in which they are tried
	jwks    []byte
}

// NewKeySet checks the keys. The error is an [*Error] of the stage "key".
func NewKeySet(keys Keys) (*KeySet, error) {
	state, err := newKeyState(keys)
	if err != nil {
		return nil, err
	}
	s := new(KeySet)
	s.state.Store(state)
	return s, nil
}

func newKeyState(keys Keys) (*keyState, error) {
	s := &keyState{keys: Keys{slices.Clone(keys.Current), slices.Clone(keys.Next), slices.Clone(keys.Previous)}} // the caller's
	kids := map[string]bool{}
	var published []string
	for _, public := range s.keys.all() {
		k := public.get()
		switch {
		case k == nil:
			return nil, keyError("there is a zero Key among the keys; make each with NewKey or ParseKey")
		case kids[k.kid]:
			return nil, keyError("two keys have the kid %q; an identity provider could not tell which one signed", k.kid)
		}
		kids[k.kid] = true
		published = append(published, string(k.jwk))
		if !k.signs() {
			s.decrypt = append(s.decrypt, k)
		}
	}
	if len(s.keys.Current) == 0 {
		return nil, keyError("there is no current key")
	}
	s.jwks = []byte(`{"keys":[` + strings.Join(published, ",") + `]}`)
	return s, nil
}

func (k Keys) all() []Key { return slices.Concat(k.Current, k.Next, k.Previous) }

// Rotate replaces the keys where no login can fail by it: every key that starts
// to sign has been published by this set, and every key that has signed or
// been encrypted for stays published. The error is an [*Error] of the stage
// "key"; the set then stays as it was.
func (s *KeySet) Rotate(keys Keys) error {
	s.replace.Lock()
	defer s.replace.Unlock()
	now := s.state.Load()
	if now == nil {
		return keyError("there are no keys to rotate; make the set with NewKeySet")
	}
	for _, k := range keys.Current {
		if q := k.get(); q != nil && q.signs() && !holds(now.keys.all(), k) {
			return keyError("the key %q has not been published; put it under Next first", q.kid)
		}
	}
	for _, k := range now.keys.Current {
		if !holds(keys.all(), k) {
			return keyError("the key %q would no longer be published; put it under Previous", k.ID())
		}
	}
	return s.store(now, keys)
}

// Replace replaces the keys at once, for one that others have come to know:
// logins that are under way may fail, and new ones until each identity
// provider has read the JWKS again. The error is an [*Error] of the stage
// "key"; the set then stays as it was.
func (s *KeySet) Replace(keys Keys) error {
	s.replace.Lock()
	defer s.replace.Unlock()
	now := s.state.Load()
	if now == nil {
		return keyError("there are no keys to replace; make the set with NewKeySet")
	}
	return s.store(now, keys)
}

// store keeps to the algorithms: a Client of this set was told that they are there.
func (s *KeySet) store(now *keyState, keys Keys) error {
	next, err := newKeyState(keys)
	if err != nil {
		return err
	}
	for _, k := range now.keys.Current {
		if k.get().signs() && next.signing(k.Algorithm()) == nil {
			return keyError("no current key is for %s any more, which connections may ask for", k.Algorithm())
		}
	}
	s.state.Store(next)
	return nil
}

// holds reports whether the key is among keys; k is not the zero Key.
func holds(keys []Key, k Key) bool {
	return slices.ContainsFunc(keys, func(other Key) bool {
		return other.get() != nil && other.get().thumbprint == k.get().thumbprint && other.ID() == k.ID() && other.Algorithm() == k.Algorithm()
	})
}

// signing gives the key that signs by an algorithm, "" for any; nil where
// there is none.
func (s *keyState) signing(alg string) *key {
	for _, k := range s.keys.Current {
		if q := k.get(); q.signs() && (alg == "" || q.name == alg) {
			return q
		}
	}
	return nil
}

// signing is that of the keys in force; a nil set has none.
func (s *KeySet) signing(alg string) *key {
	if s == nil {
		return nil
	}
	state := s.state.Load()
	if state == nil {
		return nil
	}
	return state.signing(alg)
}

// decrypting gives the keys to decrypt with.
func (s *KeySet) decrypting() []*key {
	if s == nil || s.state.Load() == nil {
		return nil
	}
	return s.state.Load().decrypt
}

// ServeHTTP publishes the JWKS. It answers GET and HEAD at any path.
func (s *KeySet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	jwks := []byte(`{"keys":[]}`)
	if state := s.state.Load(); state != nil {
		jwks = state.jwks
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", JWKSMaxAge))
	_, _ = w.Write(jwks) // a client that has gone needs no answer
}

// Format prints the type's name and nothing else.
func (s *KeySet) Format(f fmt.State, _ rune) { printText(f, "fapi.KeySet") }
