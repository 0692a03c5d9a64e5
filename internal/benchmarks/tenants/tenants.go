// Package tenants shows how a server keeps the Providers of a million tenants.
//
// A [upstream.Provider] takes about as much memory as its connection's JSON
// and a kilobyte or two, and some microseconds to build. So a server does not
// need all of them: it builds one when a login of its tenant first asks for it
// and forgets those that nobody has asked for lately. When a connection
// changes, it builds the new Provider beside the old one and swaps a pointer:
// whoever works with the old one ends what it has begun, nobody waits, and a
// connection that cannot be used never replaces one that can.
//
// [Cache] does that in some eighty lines, to be copied and adapted. Its lock is held
// for a look into a map; a server on many cores that feels it has a Cache for
// each of several hashes of the tenant.
package tenants

import (
	"container/list"
	"sync"
	"sync/atomic"

	"example.com/upstream"
)

// A Cache holds the Providers of the tenants that were asked for last. It is
// safe for concurrent use.
type Cache struct {
	limit int
	load  func(tenant string) (*upstream.Connection, error)

	mu      sync.Mutex
	entries map[string]*list.Element // of recent
	recent  list.List                // of *entry, the latest in front
}

type entry struct {
	tenant   string
	build    sync.Once // the first request builds, others that come meanwhile wait for it
	err      error     // of build
	provider atomic.Pointer[upstream.Provider]
}

// New makes a Cache for at most limit Providers. load reads a tenant's
// connection from where the server keeps them, such as a database.
func New(limit int, load func(tenant string) (*upstream.Connection, error)) *Cache {
	return &Cache{limit: limit, load: load, entries: map[string]*list.Element{}}
}

// Provider gives the Provider of a tenant. Errors are not kept: the next call
// tries again.
func (c *Cache) Provider(tenant string) (*upstream.Provider, error) {
	e := c.entry(tenant)
	e.build.Do(func() {
		var p *upstream.Provider
		if p, e.err = c.make(tenant); e.err == nil {
			e.provider.CompareAndSwap(nil, p) // unless Update was faster
		}
	})
	if p := e.provider.Load(); p != nil {
		return p, nil
	}
	c.forget(e)
	return nil, e.err
}

func (c *Cache) make(tenant string) (*upstream.Provider, error) {
	conn, err := c.load(tenant)
	if err != nil {
		return nil, err
	}
	return upstream.NewProvider(conn)
}

// Update is for a connection that has changed. If it cannot be used, the error
// says why, and the old one stays in use.
func (c *Cache) Update(tenant string, conn *upstream.Connection) error {
	p, err := upstream.NewProvider(conn)
	if err != nil {
		return err
	}
	c.entry(tenant).provider.Store(p)
	return nil
}

// entry finds or makes a tenant's entry and moves it to the front.
func (c *Cache) entry(tenant string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.entries[tenant]; ok {
		c.recent.MoveToFront(at)
		return at.Value.(*entry)
	}
	e := &entry{tenant: tenant}
	c.entries[tenant] = c.recent.PushFront(e)
	if c.recent.Len() > c.limit { // requests that have the Provider keep it alive
		last := c.recent.Back()
		c.recent.Remove(last)
		delete(c.entries, last.Value.(*entry).tenant)
	}
	return e
}

// forget removes an entry that holds an error.
func (c *Cache) forget(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.entries[e.tenant]; ok && at.Value == any(e) {
		c.recent.Remove(at)
		delete(c.entries, e.tenant)
	}
}

// Len gives how many entries there are.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.Len()
}
