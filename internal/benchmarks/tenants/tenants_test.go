package tenants_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/internal/benchmarks/tenants"
)

func connection(blog string) *upstream.Connection {
	return &upstream.Connection{Name: "blogs", Strategy: "wordpress", Options: upstream.Options{
		ClientID:       "client",
		UpstreamParams: map[string]upstream.Param{"blog": upstream.Static(blog)},
	}}
}

var tx = upstream.Transaction{RedirectURI: "https://auth.example.com/callback", State: upstream.NewSecret("state-1")}

func Example_swap() {
	cache := tenants.New(10_000, func(string) (*upstream.Connection, error) { // the database
		return connection("old.example.com"), nil
	})
	before, err := cache.Provider("tenant-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	// An administrator changes the connection while a login is under way ...
	if err := cache.Update("tenant-1", connection("new.example.com")); err != nil {
		fmt.Println(err)
		return
	}
	after, err := cache.Provider("tenant-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range []*upstream.Provider{before, after} { // ... which still has the old one
		address, err := p.AuthorizationURL(nil, tx)
		fmt.Println(address, err)
	}
	// A connection that cannot be used does not replace one that can.
	fmt.Println(cache.Update("tenant-1", &upstream.Connection{Name: "blogs", Strategy: "wordpress"}) != nil)
	now, err := cache.Provider("tenant-1")
	fmt.Println(now == after, err)
	// Output:
	// https://public-api.wordpress.com/oauth2/authorize?blog=old.example.com&client_id=client&redirect_uri=https%3A%2F%2Fauth.example.com%2Fcallback&response_type=code&state=state-1 <nil>
	// https://public-api.wordpress.com/oauth2/authorize?blog=new.example.com&client_id=client&redirect_uri=https%3A%2F%2Fauth.example.com%2Fcallback&response_type=code&state=state-1 <nil>
	// true
	// true <nil>
}

func TestBuildsOnFirstUseAndForgets(t *testing.T) {
	var loads atomic.Int64
	cache := tenants.New(2, func(string) (*upstream.Connection, error) {
		loads.Add(1)
		return connection("a"), nil
	})
	for _, tenant := range []string{"a", "b", "a", "c", "a", "b"} { // c pushes b out, and b comes back
		_, err := cache.Provider(tenant)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 4, loads.Load())
	assert.Equal(t, 2, cache.Len())
}

func TestErrorsAreNotKept(t *testing.T) {
	broken := errors.New("no database")
	fails := true
	cache := tenants.New(2, func(string) (*upstream.Connection, error) {
		if fails {
			return nil, broken
		}
		return connection("a"), nil
	})
	_, err := cache.Provider("a")
	require.ErrorIs(t, err, broken)
	assert.Zero(t, cache.Len())
	fails = false
	_, err = cache.Provider("a")
	require.NoError(t, err)
}

// Logins and updates of the same few tenants at once, with a cache that is too
// small for them: nothing may be nil and, under -race, nothing may race.
func TestConcurrentUse(t *testing.T) {
	cache := tenants.New(3, func(string) (*upstream.Connection, error) { return connection("a"), nil })
	var work sync.WaitGroup
	for g := range 8 {
		work.Go(func() {
			for i := range 500 {
				tenant := fmt.Sprint((g + i) % 5)
				if i%10 == 0 {
					assert.NoError(t, cache.Update(tenant, connection("b")))
				}
				p, err := cache.Provider(tenant)
				if assert.NoError(t, err) {
					_, err = p.AuthorizationURL(nil, tx)
					assert.NoError(t, err)
				}
			}
		})
	}
	work.Wait()
	assert.LessOrEqual(t, cache.Len(), 3)
}
