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
	given := loginState{State: "planted-state", Nonce: "planted-nonce", Verifier: "planted-verifier", Connection: "c", Request: request{ClientID: "planted-id", Scopes: []string{"planted-scope"}}}
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
	name := s.cookieName("state")
	const good = `{"s": "state", "e": "2999-01-01T00:00:00Z"}`
	for _, test := range []struct {
		plain, sealedFor string
		want             error
	}{
		{good, name, nil},
		{good, "", errSeal},
		{good, s.cookieName("another"), errSeal},
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

// However many callbacks race, one state counts once, and one code buys one
// token; the others take it away again.
func TestStoreOnce(t *testing.T) {
	s, err := NewStore(time.Now)
	require.NoError(t, err)
	ctx := t.Context()
	g := grants{s}
	code, _, err := g.put(ctx, kindCode, grant{ID: "planted"}, time.Minute)
	require.NoError(t, err)
	var spent, taken atomic.Int64
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if first, _ := s.Spend(ctx, "state", time.Now().Add(time.Hour)); first {
				spent.Add(1)
			}
			if _, err := g.takeOnce(ctx, kindCode, code); err == nil {
				taken.Add(1)
			}
		})
	}
	wait.Wait()
	assert.EqualValues(t, 1, taken.Load())
	assert.EqualValues(t, 1, spent.Load())
	token, _, err := g.put(ctx, kindToken, grant{ID: "planted"}, time.Minute)
	require.NoError(t, err)
	_, err = g.get(ctx, kindToken, token)
	assert.ErrorIs(t, err, errNotFound, "revoked, although it came after the replay")
}

func TestStoreForgets(t *testing.T) {
	c := &clock{}
	s, err := NewStore(c.Now)
	require.NoError(t, err)
	_, err = s.Spend(t.Context(), "state", c.Now().Add(time.Minute))
	require.NoError(t, err)
	id, _, err := grants{s}.put(t.Context(), kindToken, grant{}, time.Minute)
	require.NoError(t, err)
	c.ahead.Add(int64(time.Minute))
	_, err = s.Get(t.Context(), kindToken, id)
	assert.ErrorIs(t, err, errNotFound)
	_, err = s.Spend(t.Context(), "another", c.Now().Add(time.Minute))
	require.NoError(t, err)
	assert.Len(t, s.spent, 1)
	assert.Empty(t, s.records)
}
