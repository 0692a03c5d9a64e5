package main

import (
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// 200 whole logins at once: all end well, and what they needed is given back.
func TestLoad(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		s := newStackOn(t, database)
		wave := func() {
			visitors := make([]*visitor, 200)
			var done atomic.Int64
			var wait sync.WaitGroup
			start := make(chan struct{})
			for i := range visitors {
				v := s.visitor()
				connection := []string{"corporate", "partner"}[i%2]
				wait.Go(func() {
					<-start
					page := v.follow(v.logIn(v.begin(url.Values{"connection": {connection}})))
					if strings.Contains(page.body, "|"+connection+"|id1</code>") {
						done.Add(1)
					}
				})
			}
			close(start)
			wait.Wait()
			require.EqualValues(t, len(visitors), done.Load())
		}
		measure := func() (heap int64, goroutines int) {
			s.mu.Lock()
			s.seen = nil
			s.mu.Unlock()
			for _, v := range s.replicas {
				v.Client.CloseIdleConnections()
			}
			s.visitor().client.CloseIdleConnections()
			for range 3 {
				runtime.GC()
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc), runtime.NumGoroutine()
		}
		wave() // buffers, pools, and the identity provider's memory grow to what they need
		heap, _ := measure()
		wave()
		after, goroutines := measure()
		t.Logf("the second 200 left %d kB", (after-heap)>>10)
		// The identity provider and the application remember each login, some 10 kB.
		assert.Less(t, after-heap, int64(12<<20), "bytes")
		assert.Less(t, goroutines, 400)
	})
}
