package login

// This file owns single use: the interface that a host's database implements,
// and the store in memory for a server that runs once. It must not know what a
// login is; an id is a text to it.

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Store makes each login end once. Implementations are safe for concurrent
// use, by all processes that share the sealing keys: with several replicas it is
// a database, such as one of example.com/upstream/login/sqlstore.
type Store interface {
	// Spend marks id as used and reports whether it was not so before. Of all
	// calls with the same id, at once or one after the other, on any replica,
	// exactly one reports true: a single INSERT ... ON CONFLICT DO NOTHING, or
	// SET NX. After expires the id may be forgotten, not earlier: a store that
	// is full gives an error.
	//
	// id has 43 characters of base64url and tells nothing of the login; expires
	// is at most [Options].Lifetime away. An error refuses the login, which can
	// not be tried again: whether the id was marked is not known then.
	Spend(ctx context.Context, id string, expires time.Time) (first bool, err error)
}

// defaultSpent is how many ids a [MemoryStore] holds unless told otherwise. Each
// takes about 150 bytes, and with a lifetime of ten minutes they are enough for
// 166 logins a second.
const defaultSpent = 100_000

// A MemoryStore is a [Store] for a server that is one process, and whose logins
// under way may be lost when it ends. The zero value is ready for use.
//
// What is remembered is lost with the process, so the sealing keys must not
// outlive it either: an answer that was used before a restart could else be used
// once more after it.
type MemoryStore struct {
	// Max is how many ids it holds at once, 0 for 100,000. A login that comes
	// when it is full is refused.
	Max int

	mu       sync.Mutex
	spent    map[string]time.Time // until when each is remembered
	earliest time.Time            // of spent, or before it
	sweepAt  int                  // ids; 0 for minSweep
}

const minSweep = 1024 // ids

var errStoreFull = errors.New("login: the store of used logins is full")

// Spend is [Store].Spend. The error says that it is full.
func (s *MemoryStore) Spend(_ context.Context, id string, expires time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.spent[id]; again {
		return false, nil // perhaps expired, but its login is then as well
	}
	most := s.Max
	if most <= 0 {
		most = defaultSpent
	}
	// Sweeping costs time in proportion to what is there, so it waits until the
	// number has doubled, or there is no room, and until something has expired.
	if now := time.Now(); len(s.spent) >= min(most, max(minSweep, s.sweepAt)) && !now.Before(s.earliest) {
		s.forget(now)
		s.sweepAt = 2 * len(s.spent)
	}
	if len(s.spent) >= most {
		return false, errStoreFull
	}
	if s.spent == nil {
		s.spent = map[string]time.Time{}
	}
	if len(s.spent) == 0 || expires.Before(s.earliest) {
		s.earliest = expires
	}
	s.spent[id] = expires
	return true, nil
}

// forget drops what has expired, and finds what will be next.
func (s *MemoryStore) forget(now time.Time) {
	left := make(map[string]time.Time) // a map gives no room back
	s.earliest = time.Time{}
	for id, expires := range s.spent {
		if !now.Before(expires) {
			continue
		}
		left[id] = expires
		if s.earliest.IsZero() || expires.Before(s.earliest) {
			s.earliest = expires
		}
	}
	s.spent = left
}
