package fapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

// A flow is one login on its way.
type flow struct {
	ctx     context.Context // of Resume
	carried []byte
	tx      upstream.Transaction
	code    string
}

// begin goes to the IdP and back.
func begin(t testing.TB, s *server, c *fapi.Client) flow {
	t.Helper()
	f := flow{tx: upstream.NewTransaction(callback)}
	ctx, carried, err := c.Start(context.Background())
	require.NoError(t, err)
	location, err := c.AuthorizationURL(ctx, nil, f.tx)
	require.NoError(t, err)
	f.carried, f.code = carried, s.authorize(t, location)
	f.ctx, err = c.Resume(context.Background(), carried)
	require.NoError(t, err)
	return f
}

func (f flow) exchange(c *fapi.Client) (*oauth2.Token, error) {
	return c.Provider().TokenConfig(callback).Exchange(f.ctx, f.code, oauth2.VerifierOption(f.tx.CodeVerifier.Reveal()))
}

func (f flow) token(t testing.TB, c *fapi.Client) *oauth2.Token {
	t.Helper()
	token, err := f.exchange(c)
	require.NoError(t, err)
	return token
}

func newES256(t testing.TB) *fapi.KeySet {
	t.Helper()
	return newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, "ES256", "sig-1")}})
}

// The whole of it, at a server that looks at everything: push, code, nonces,
// userinfo, refresh.
func TestF1F2F3Login(t *testing.T) {
	for _, alg := range []string{"ES256", "PS256"} {
		for _, dpop := range []string{"ES256", "EdDSA"} {
			t.Run(alg+" "+dpop, func(t *testing.T) {
				keys := newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, "ES256", "sig-1"), newKey(t, "PS256", "sig-2")}})
				s := newServer(t, keys)
				s.requireNonce, s.alg, s.dpopAlg = true, alg, dpop
				c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
				f := begin(t, s, c)
				token := f.token(t, c)
				assert.Equal(t, "DPoP", token.Type())

				pushed := s.to("/par")
				require.Len(t, pushed, 1)
				want, err := c.Provider().AuthorizationURL(nil, f.tx)
				require.NoError(t, err)
				u, err := url.Parse(want)
				require.NoError(t, err)
				for name, values := range u.Query() { // the plan's own parameters, all of them
					assert.Equal(t, values, pushed[0].PostForm[name], name)
				}

				profile, err := c.Provider().FetchProfile(f.ctx, token)
				require.NoError(t, err)
				assert.Equal(t, "user-1", profile.UserID)

				// Another process, later: what was carried is all that it has.
				again, err := c.Resume(context.Background(), f.carried)
				require.NoError(t, err)
				token.Expiry = time.Now().Add(-time.Hour)
				client := c.Provider().TokenConfig(callback).Client(again, token)
				resp, err := client.Post(s.URL+"/api", "text/plain", strings.NewReader("hello"))
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, "hello", string(body))

				// One challenge for each server, and none once its nonce is known.
				assert.Equal(t, []string{"nonce", "nonce"}, s.refused)
				assert.Len(t, s.to("/token"), 3) // challenge, exchange, refresh
				assert.Len(t, s.to("/me"), 2)    // challenge, userinfo
				assert.Len(t, s.to("/api"), 1)
			})
		}
	}
}

// A body that a challenge met is sent whole the second time, and one that cannot
// be had again is not.
func TestF3NonceChallengeWithABody(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	s.requireNonce = true
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
	f := begin(t, s, c)
	client := c.Provider().TokenConfig(callback).Client(f.ctx, f.token(t, c))
	resp, err := client.Post(s.URL+"/api", "text/plain", strings.NewReader("hello"))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, "hello", string(body))
	assert.Len(t, s.to("/api"), 2)

	s.mu.Lock()
	s.rsNonce = "rs-nonce-2"
	s.mu.Unlock()
	resp, err = client.Post(s.URL+"/api", "text/plain", io.MultiReader(strings.NewReader("hello")))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, "the caller's to send again")
}

// Each of the things that FAPI asks for, missing or wrong: the login ends.
func TestF1F2F3OneThingMissing(t *testing.T) {
	keys := newES256(t)
	foreign := newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, "ES256", "sig-1")}})
	for _, c := range []struct {
		name    string
		server  func(s *server)
		options map[string]any
		keys    *fapi.KeySet
		refused string
	}{
		{"nothing", func(*server) {}, nil, keys, ""},
		{"another audience", func(s *server) { s.audience = "https://other.example.com" }, nil, keys, "assertion: aud"},
		{"the token endpoint as audience", func(*server) {}, map[string]any{"token_endpoint_jwtca_aud_format": "token_endpoint"}, keys, "assertion: aud"},
		{"expired", func(s *server) { s.expired = true }, nil, keys, "assertion: expired"},
		{"a foreign key", func(*server) {}, nil, foreign, "assertion: signature"},
		{"another client", func(s *server) { s.clientID = "client-2" }, map[string]any{"client_id": "client-1"}, keys, "no client assertion, or more than one method"},
		{"an unknown kid", func(*server) {}, nil, newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, "ES256", "sig-9")}}), "assertion: unknown kid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, keys)
			c.server(s)
			client := newClient(t, s.connection(t, c.options), fapi.Options{Keys: c.keys})
			ctx, _, err := client.Start(t.Context())
			require.NoError(t, err)
			location, err := client.AuthorizationURL(ctx, nil, upstream.NewTransaction(callback))
			if c.refused == "" {
				require.NoError(t, err)
				return
			}
			var own *fapi.Error
			require.ErrorAs(t, err, &own)
			assert.Empty(t, location)
			assert.Equal(t, "push 401 invalid_client", fmt.Sprint(own.Stage, " ", own.Status, " ", own.Code))
			assert.Equal(t, []string{c.refused}, s.refused)
		})
	}
}

func TestF1AudienceIsTheTokenEndpoint(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	s.audience = s.URL + "/token"
	c := newClient(t, s.connection(t, map[string]any{"token_endpoint_jwtca_aud_format": "token_endpoint"}), fapi.Options{Keys: keys})
	begin(t, s, c).token(t, c)
	assert.Empty(t, s.refused)
}

// The key of another login, and none.
func TestF3TheKeyOfTheLogin(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
	tx := upstream.NewTransaction(callback)
	_, err := c.AuthorizationURL(t.Context(), nil, tx)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "Client.Start")
	_, err = c.Resume(t.Context(), nil)
	require.Error(t, err)
	_, err = c.Resume(t.Context(), []byte("ES256.AAAA"))
	require.Error(t, err)

	f, other := begin(t, s, c), begin(t, s, c)
	f.ctx = other.ctx
	_, err = f.exchange(c)
	require.Error(t, err)
	assert.Equal(t, []string{"code, verifier or dpop_jkt"}, s.refused)

	f = begin(t, s, c)
	own := f.ctx
	f.ctx = t.Context()
	before := len(s.to("/token"))
	_, err = f.exchange(c)
	require.Error(t, err)
	assert.Len(t, s.to("/token"), before, "nothing was sent")
	assert.Equal(t, "upstream: token endpoint: proof: the context holds no key of this login; take that of Client.Start or Client.Resume", err.Error())
	f.ctx = own
	token := f.token(t, c)
	_, err = c.Provider().FetchProfile(t.Context(), token)
	require.Error(t, err)
	assert.Empty(t, s.to("/me"), "nothing was sent")
	_, err = c.Provider().FetchProfile(other.ctx, token)
	require.Error(t, err)
	_, err = c.Provider().TokenConfig(callback).TokenSource(other.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	require.Error(t, err)
	assert.Equal(t, "refresh token of another key", s.refused[len(s.refused)-1])
}

// A server that asks for another nonce each time gets one more try, and the
// second answer is the one that counts.
func TestF3UseDPoPNonceTwice(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
	f := begin(t, s, c)
	n := 0
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		n++
		w.Header().Set("DPoP-Nonce", fmt.Sprint("n", n))
		if r.URL.Path == "/token" {
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": "use_dpop_nonce"})
			return true
		}
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	_, err := f.exchange(c)
	var refused *oauth2.RetrieveError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "use_dpop_nonce", refused.ErrorCode)
	sent := s.to("/token")
	require.Len(t, sent, 2)
	for _, name := range []string{"client_assertion", "code"} {
		assert.Equal(t, name == "code", sent[0].PostForm.Get(name) == sent[1].PostForm.Get(name), name)
	}
	assert.NotEqual(t, sent[0].Header.Get("DPoP"), sent[1].Header.Get("DPoP"))
	_, err = c.Provider().FetchProfile(f.ctx, &oauth2.Token{AccessToken: "A1", TokenType: "DPoP"})
	require.Error(t, err)
	assert.Len(t, s.to("/me"), 2)
}

// What is no challenge is not answered by a second request: the first may have
// spent the code.
func TestF3NoSecondTryWithoutAChallenge(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no nonce": func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": "use_dpop_nonce"})
		},
		"two nonces": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Dpop-Nonce"] = []string{"a", "b"}
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": "use_dpop_nonce"})
		},
		"a nonce that is none": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("DPoP-Nonce", `a"b`)
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": "use_dpop_nonce"})
		},
		"a long nonce": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("DPoP-Nonce", strings.Repeat("n", 513))
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": "use_dpop_nonce"})
		},
		"another error": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("DPoP-Nonce", "n")
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_dpop_proof"})
		},
		"another status": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("DPoP-Nonce", "n")
			answerJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "use_dpop_nonce"})
		},
		"the error twice": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("DPoP-Nonce", "n")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"use_dpop_nonce","error":"use_dpop_nonce"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			keys := newES256(t)
			s := newServer(t, keys)
			c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
			f := begin(t, s, c)
			s.answer = func(w http.ResponseWriter, r *http.Request) bool { answer(w, r); return true }
			_, err := f.exchange(c)
			require.Error(t, err)
			assert.Len(t, s.to("/token"), 1)
		})
	}
}

// A server that gives a bearer token where a bound one was asked for.
func TestF3UnboundTokenIsRefused(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
	for _, body := range []string{
		`{"access_token":"A1","token_type":"Bearer"}`, `{"access_token":"A1"}`, `{"access_token":"A1","token_type":7}`,
		`{"access_token":"A1","token_type":"DPoP","token_type":"Bearer"}`, `access_token=A1&token_type=DPoP`,
	} {
		f := begin(t, s, c)
		s.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
			return true
		}
		_, err := f.exchange(c)
		var own *fapi.Error
		require.ErrorAs(t, err, &own, body)
		assert.Equal(t, "token", own.Stage)
		s.answer = nil
	}
	f := begin(t, s, c)
	_, err := c.Provider().FetchProfile(f.ctx, &oauth2.Token{AccessToken: "A1", TokenType: "Bearer"})
	require.Error(t, err)
	assert.Empty(t, s.to("/me"))
}

// Without module fapi the connection makes no token request (SPEC O4).
func TestO4NothingIsSentUnattached(t *testing.T) {
	s := newServer(t, newES256(t))
	p, err := upstream.NewProvider(s.connection(t, nil))
	require.NoError(t, err)
	assert.Subset(t, p.Demands(), []string{"private_key_jwt", "dpop_signing_alg", "require_pushed_authorization_requests"})
	_, err = p.TokenConfig(callback).Exchange(t.Context(), "code-1")
	require.Error(t, err)
	_, err = p.AuthorizationURL(nil, upstream.NewTransaction(callback))
	require.Error(t, err)
	assert.Empty(t, s.requests)
}

// Logins go on while the keys are rotated, and each is accepted by a server that
// reads the JWKS anew each time.
func TestF1RotationUnderLoad(t *testing.T) {
	const rounds = 6
	kid := func(n int) string { return fmt.Sprint("sig-", n) }
	ring := []fapi.Key{newKey(t, "ES256", kid(0)), newKey(t, "ES256", kid(1))}
	keys := newKeySet(t, fapi.Keys{Current: ring[:1], Next: ring[1:2]})
	s := newServer(t, keys)
	s.requireNonce = true
	c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	failed := make(chan error, 100)
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := one(s, c); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for n := 2; n < rounds; n++ {
		before := len(s.to("/par"))
		require.Eventually(t, func() bool { return len(s.to("/par")) >= before+8 || len(failed) > 0 }, time.Minute, time.Millisecond)
		ring = append(ring, newKey(t, "ES256", kid(n)))
		require.NoError(t, keys.Rotate(fapi.Keys{Current: ring[n-1 : n], Next: ring[n : n+1], Previous: ring[:n-1]}))
	}
	close(stop)
	wg.Wait()
	close(failed)
	for err := range failed {
		assert.NoError(t, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, reason := range s.refused {
		assert.Equal(t, "nonce", reason)
	}
	assert.False(t, slices.Contains(s.refused, "assertion: unknown kid"))
}

// one is a login without a test around it.
func one(s *server, c *fapi.Client) error {
	tx := upstream.NewTransaction(callback)
	ctx, _, err := c.Start(context.Background())
	if err != nil {
		return err
	}
	location, err := c.AuthorizationURL(ctx, nil, tx)
	if err != nil {
		return err
	}
	u, err := url.Parse(location)
	if err != nil {
		return err
	}
	s.mu.Lock()
	code := s.next("code")
	s.codes[code] = s.pushed[u.Query().Get("request_uri")]
	s.mu.Unlock()
	token, err := c.Provider().TokenConfig(callback).Exchange(ctx, code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	if err != nil {
		return err
	}
	_, err = c.Provider().FetchProfile(ctx, token)
	return err
}
