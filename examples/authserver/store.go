package main

// This file owns what all replicas of the auth server share: records that
// expire, some of them good for one use, and the keys. It must not know what is
// in a record; see grants.go.

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

var (
	errNotFound = errors.New("unknown, revoked or too old")
	errTaken    = errors.New("used already")
)

// A Record is something that the server has to remember.
type Record struct {
	Kind, ID string
	Group    string // what is revoked together
	Body     []byte
	Expires  time.Time
}

type recordKey struct{ kind, id string }

type heldRecord struct {
	Record
	taken bool
}

// A Store is safe for concurrent use.
type Store struct {
	key *ecdsa.PrivateKey
	now func() time.Time

	mu      sync.Mutex
	records map[recordKey]heldRecord
	spent   map[string]time.Time // until when
}

// NewStore makes an empty store with a new signing key.
func NewStore(now func() time.Time) (*Store, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return &Store{key: key, now: now, records: map[recordKey]heldRecord{}, spent: map[string]time.Time{}}, nil
}

// Spend reports whether id has not been spent before. Of all calls with one id,
// at all replicas, one hears true.
func (s *Store) Spend(_ context.Context, id string, until time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	if _, again := s.spent[id]; again {
		return false, nil
	}
	s.spent[id] = until
	return true, nil
}

// Put keeps a record.
func (s *Store) Put(_ context.Context, r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	s.records[recordKey{r.Kind, r.ID}] = heldRecord{Record: r}
	return nil
}

// Get gives a record that is neither too old, nor taken, nor revoked.
func (s *Store) Get(_ context.Context, kind, id string) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(recordKey{kind, id})
}

func (s *Store) get(key recordKey) (Record, error) {
	r, ok := s.records[key]
	_, revoked := s.spent["revoked "+r.Group]
	switch {
	case !ok || revoked || !s.now().Before(r.Expires):
		return Record{}, errNotFound
	case r.taken:
		return Record{Group: r.Group}, errTaken
	}
	return r.Record, nil
}

// Take gives a record once. Until the given time it says of a second call that
// it is one, and of which group.
func (s *Store) Take(_ context.Context, kind, id string, until time.Time) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := recordKey{kind, id}
	r, err := s.get(key)
	if err == nil {
		s.records[key] = heldRecord{Record{Kind: kind, ID: id, Group: r.Group, Expires: until}, true}
	}
	return r, err
}

// Delete forgets a record.
func (s *Store) Delete(_ context.Context, kind, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, recordKey{kind, id})
	return nil
}

// Revoke makes all records of a group unknown, those to come included.
func (s *Store) Revoke(ctx context.Context, group string, until time.Time) error {
	_, err := s.Spend(ctx, "revoked "+group, until)
	return err
}

// sweep forgets what is too old.
func (s *Store) sweep() {
	now := s.now()
	for key, r := range s.records {
		if !now.Before(r.Expires) {
			delete(s.records, key)
		}
	}
	for id, until := range s.spent {
		if !now.Before(until) {
			delete(s.spent, id)
		}
	}
}
