package fetchscript_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream/fetchscript"
)

// TestPoolBoundsAllScripts: many scripts, in process and isolated, share what
// there may be at once, and each login gets its turn.
func TestPoolBoundsAllScripts(t *testing.T) {
	for name, isolation := range map[string]*fetchscript.Isolation{"in process": nil, "isolated": isolation} {
		t.Run(name, func(t *testing.T) {
			pool := fetchscript.NewPool(3, time.Hour)
			o := fetchscript.Options{Pool: pool, Isolation: isolation, Timeout: time.Minute}
			before := len(children(t))
			var scripts []*fetchscript.Script
			for i := range 8 {
				s, err := o.Compile(fmt.Sprintf("(t, c, cb) => setTimeout(() => cb(null, { user_id: 'u%d' }), 1)", i))
				require.NoError(t, err)
				scripts = append(scripts, s)
			}
			var all sync.WaitGroup
			most, over := make(chan int, 1000), make(chan struct{})
			go func() { // looks on
				defer close(most)
				for {
					select {
					case <-over:
						return
					case most <- max(pool.Figures().Busy+pool.Figures().Idle, len(children(t))-before):
						time.Sleep(time.Millisecond)
					}
				}
			}()
			for i, s := range scripts {
				for range 3 {
					all.Go(func() {
						profile, err := s.Fetch(t.Context(), token(nil), connection())
						if assert.NoError(t, err) {
							assert.Equal(t, fmt.Sprintf("u%d", i), profile.UserID)
						}
					})
				}
			}
			all.Wait()
			close(over)
			for n := range most {
				assert.LessOrEqual(t, n, 3)
			}
			f := pool.Figures()
			assert.Equal(t, 3, f.Total)
			assert.Zero(t, f.Busy)
			assert.Zero(t, f.Waiting)
			assert.Equal(t, 3, f.Idle)
			assert.Positive(t, f.Evicted)
			for _, s := range scripts {
				fetchscript.DropIdle(s)
			}
			assert.Zero(t, pool.Figures().Idle)
			assert.LessOrEqual(t, len(children(t)), before, "no process is left")
		})
	}
}

// TestPoolEvictsTheLeastRecentlyUsed: the script that was used last keeps its engine.
func TestPoolEvictsTheLeastRecentlyUsed(t *testing.T) {
	pool := fetchscript.NewPool(2, time.Hour)
	var scripts []*fetchscript.Script
	for range 3 {
		s, err := fetchscript.Options{Pool: pool}.Compile("(t, c, cb) => cb(null, { user_id: 'u1' })")
		require.NoError(t, err)
		scripts = append(scripts, s)
	}
	run := func(i int) {
		_, err := scripts[i].Fetch(t.Context(), token(nil), connection())
		require.NoError(t, err)
	}
	idle := func() (n []int) {
		for _, s := range scripts {
			n = append(n, fetchscript.Idle(s))
		}
		return n
	}
	assert.Equal(t, []int{0, 1, 1}, idle())
	run(1)
	run(0) // in the place of 2
	assert.Equal(t, []int{1, 1, 0}, idle())
	assert.EqualValues(t, 2, pool.Figures().Evicted)
	assert.EqualValues(t, 4, pool.Figures().Started)
	assert.EqualValues(t, 1, pool.Figures().Reused)
}

// TestPoolGivesBackWhatIsIdle: engines and processes that nobody uses end.
func TestPoolGivesBackWhatIsIdle(t *testing.T) {
	pool := fetchscript.NewPool(0, 10*time.Millisecond)
	before := len(children(t))
	for _, o := range []fetchscript.Options{{Pool: pool}, {Pool: pool, Isolation: isolation}} {
		_, err := fetch(t, t.Context(), o, "(t, c, cb) => cb(null, { user_id: 'u1' })", token(nil))
		require.NoError(t, err)
		require.Eventually(t, func() bool { f := pool.Figures(); return f.Idle == 0 && f.Busy == 0 && f.Expired > 0 }, time.Minute, time.Millisecond)
	}
	assert.LessOrEqual(t, len(children(t)), before)
	assert.Equal(t, 100, pool.Figures().Total)
}

// TestPoolWaiting: a run that finds every place at work waits no longer than it
// may, and leaves nothing behind.
func TestPoolWaiting(t *testing.T) {
	pool := fetchscript.NewPool(1, time.Hour)
	p := newIDP(t, echo)
	answered, asked := make(chan bool), make(chan bool, 1)
	holding, err := fetchscript.Options{Pool: pool, Timeout: time.Minute}.Compile("(t, c, cb) => request.get('https://idp.example.com/me', () => cb(null, { user_id: 'u1' }))")
	require.NoError(t, err)
	fetchscript.DropIdle(holding)
	other, err := fetchscript.Options{Pool: pool, Timeout: time.Minute}.Compile("(t, c, cb) => cb(null, { user_id: 'u2' })")
	require.NoError(t, err)
	ctx := p.context(t.Context())
	client := ctx.Value(oauth2.HTTPClient).(*http.Client)
	direct := client.Transport
	client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		asked <- true
		<-answered
		return direct.RoundTrip(r)
	})
	var all sync.WaitGroup
	all.Go(func() {
		_, err := holding.Fetch(ctx, token(nil), connection())
		assert.NoError(t, err)
	})
	<-asked
	given, cancel := context.WithCancel(t.Context())
	all.Go(func() {
		_, err := other.Fetch(given, token(nil), connection())
		assert.ErrorIs(t, err, context.Canceled)
	})
	require.Eventually(t, func() bool { return pool.Figures().Waiting == 1 }, time.Minute, time.Millisecond)
	cancel()
	require.Eventually(t, func() bool { return pool.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	all.Go(func() {
		profile, err := other.Fetch(t.Context(), token(nil), connection())
		if assert.NoError(t, err) {
			assert.Equal(t, "u2", profile.UserID)
		}
	})
	require.Eventually(t, func() bool { return pool.Figures().Waiting == 1 }, time.Minute, time.Millisecond)
	close(answered)
	all.Wait()
	assert.Equal(t, 1, pool.Figures().Idle)
}
