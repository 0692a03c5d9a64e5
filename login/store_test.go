package login_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login"
)

func TestL1MemoryStoreOneWinner(t *testing.T) {
	var s login.MemoryStore
	for i := range 300 {
		var winners atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				first, err := s.Spend(t.Context(), fmt.Sprint(i), time.Now().Add(time.Hour))
				if err == nil && first {
					winners.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, winners.Load())
	}
}

func TestL1MemoryStoreFull(t *testing.T) {
	s := login.MemoryStore{Max: 2}
	soon := time.Now().Add(-time.Second) // has expired: may be forgotten, but only when the room is needed
	for _, id := range []string{"a", "b"} {
		first, err := s.Spend(t.Context(), id, soon)
		require.NoError(t, err)
		assert.True(t, first)
	}
	first, err := s.Spend(t.Context(), "a", soon)
	require.NoError(t, err)
	assert.False(t, first)
	for _, id := range []string{"c", "d"} { // in the room of a and b
		first, err := s.Spend(t.Context(), id, time.Now().Add(time.Hour))
		require.NoError(t, err)
		assert.True(t, first)
	}
	_, err = s.Spend(t.Context(), "e", time.Now().Add(time.Hour))
	assert.EqualError(t, err, "login: the store of used logins is full", "what is still needed is never forgotten")
	first, err = s.Spend(t.Context(), "c", time.Now().Add(time.Hour))
	require.NoError(t, err)
	assert.False(t, first, "a full store still knows")
}
