package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSeal(t *testing.T) {
	s, err := newSealer(bytes.Repeat([]byte{1}, keySize), true, time.Now)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	given := loginState{State: "planted-state", Nonce: "planted-nonce", Verifier: "planted-verifier", Connection: "c", RequestID: "planted-id"}
	require.NoError(t, s.set(w, given, "/login/callback/c"))
	header := w.Header().Get("Set-Cookie")
	assert.NotContains(t, header, "planted")
	for _, attribute := range []string{"; Path=/login/callback/c;", "; Max-Age=600;", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		assert.Contains(t, header, attribute)
	}

	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", strings.SplitN(header, ";", 2)[0])
	w = httptest.NewRecorder()
	got, err := s.take(w, r, "planted-state", "/login/callback/c")
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(loginLifetime), got.Expires, time.Minute)
	given.Expires = got.Expires
	assert.Equal(t, given, got)
	assert.Contains(t, w.Header().Get("Set-Cookie"), "Max-Age=0", "the browser forgets it")
}

func TestSealRefusals(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33} {
		_, err := newSealer(make([]byte, size), true, time.Now)
		assert.Error(t, err, size)
	}
	s, err := newSealer(make([]byte, keySize), false, time.Now)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	assert.Error(t, s.set(w, loginState{Verifier: strings.Repeat("v", 4000)}, "/"), "browsers would drop it")
	assert.Empty(t, w.Header().Get("Set-Cookie"))
	a, err := deriveKey(make([]byte, keySize), "a")
	require.NoError(t, err)
	b, err := deriveKey(make([]byte, keySize), "b")
	require.NoError(t, err)
	assert.NotEqual(t, a, b)
}

// What was sealed for another cookie or another state is refused, the right key
// notwithstanding. A name is a part of the state's hash only, so both count.
func TestSealedForAnother(t *testing.T) {
	s, err := newSealer(make([]byte, keySize), false, time.Now)
	require.NoError(t, err)
	name := cookieName("state")
	const good = `{"s": "state", "e": "2999-01-01T00:00:00Z"}`
	for _, test := range []struct {
		plain, sealedFor string
		want             error
	}{
		{good, name, nil},
		{good, "", errSeal},
		{good, cookieName("another"), errSeal},
		{`{"s": "another", "e": "2999-01-01T00:00:00Z"}`, name, errSeal},
		{`{"s": 1}`, name, errSeal},
		{`{"s": "state", "e": "2001-01-01T00:00:00Z"}`, name, errExpired},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: name, Value: base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(test.plain), []byte(test.sealedFor)))})
		_, err := s.take(httptest.NewRecorder(), r, "state", "/")
		assert.Equal(t, test.want, err, "%s for %q", test.plain, test.sealedFor)
	}
}

// However many callbacks race, one state counts once, one request ends once,
// and one code buys one token.
func TestStoreOnce(t *testing.T) {
	s, err := NewStore(time.Now)
	require.NoError(t, err)
	r, err := s.addRequest(request{})
	require.NoError(t, err)
	var spent, finished, taken atomic.Int64
	var wait sync.WaitGroup
	for range 50 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if s.spend("state", time.Now().Add(time.Hour)) {
				spent.Add(1)
			}
			if _, err := s.finish(r.ID, user{Subject: "a"}); err == nil {
				finished.Add(1)
			}
		}()
	}
	wait.Wait()
	s.addCode("code", r.ID)
	for range 50 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if _, err := s.takeCode("code"); err == nil {
				taken.Add(1)
			}
		}()
	}
	wait.Wait()
	assert.EqualValues(t, 1, taken.Load())
	assert.EqualValues(t, 1, spent.Load())
	assert.EqualValues(t, 1, finished.Load())
}

// Of a login that ends well and one that fails, one counts.
func TestStoreFinishOrDrop(t *testing.T) {
	s, err := NewStore(time.Now)
	require.NoError(t, err)
	for range 50 {
		r, err := s.addRequest(request{})
		require.NoError(t, err)
		finished := make(chan bool)
		go func() {
			_, err := s.finish(r.ID, user{Subject: "a"})
			finished <- err == nil
		}()
		dropped := s.dropPending(r.ID)
		assert.NotEqual(t, dropped, <-finished)
		assert.False(t, s.dropPending(r.ID))
	}
}

func TestStoreForgets(t *testing.T) {
	c := &clock{}
	s, err := NewStore(c.Now)
	require.NoError(t, err)
	for range maxRequests {
		_, err := s.addRequest(request{})
		require.NoError(t, err)
	}
	_, err = s.addRequest(request{})
	assert.ErrorIs(t, err, errFull)
	s.spend("state", c.Now().Add(time.Minute))
	s.addToken("a", nil, nil)
	s.addCode("code", "gone")
	c.ahead.Add(int64(requestLifetime))
	_, err = s.addRequest(request{})
	require.NoError(t, err)
	assert.Len(t, s.requests, 1)
	assert.Empty(t, s.spent)
	assert.Empty(t, s.tokens)
	assert.Empty(t, s.codes)
}
