package login_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login"
)

// Many whole logins at once: none is lost, none gets another's user, and nothing
// of them stays but the ids of the answers that were used.
func TestLoad(t *testing.T) {
	const logins = 400
	p := newIDP(t)
	p.perCode = true
	conn := p.connection(t)
	store := &login.MemoryStore{}
	l := newLogin(t, conn, func(o *login.Options) { o.Store = store })
	whole := func() {
		redirect, err := l.BeginLogin(t.Context(), nil, []byte("mine"))
		if err != nil {
			t.Error(err)
			return
		}
		u, err := url.Parse(redirect.URL)
		if err != nil {
			t.Error(err)
			return
		}
		nonce := u.Query().Get("nonce")
		answer := url.Values{"code": {"nonce:" + nonce}, "state": u.Query()["state"]}
		r := httptest.NewRequest(http.MethodGet, callback+"?"+answer.Encode(), nil)
		r.AddCookie(redirect.Cookie)
		result, err := l.Finish(httptest.NewRecorder(), r)
		if err != nil || result.Subject != "oidc|corp|user-of-"+nonce {
			t.Errorf("%v %v", result, err)
		}
	}
	whole()
	before := heap()
	var wg sync.WaitGroup
	for range logins {
		wg.Go(whole)
	}
	wg.Wait()
	require.False(t, t.Failed())
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	p.CloseClientConnections()
	assert.Less(t, heap(), before+1<<20, "bytes")
	runtime.KeepAlive(store)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
