package login_test

// A scriptable identity provider: each test says what it answers, however wrong.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/login"
)

type claims = map[string]any

// An idp answers with what its fields say at the time. Its tests are its only
// user, so the lock is for its handlers' sake.
type idp struct {
	*httptest.Server
	key, other *ecdsa.PrivateKey

	mu       sync.Mutex
	metadata claims                                        // nil: 500
	claims   claims                                        // over the usual ones; a nil value takes a claim away
	sign     func(claims) string                           // nil: with key
	answer   func(token claims)                            // changes the token endpoint's answer
	userinfo claims                                        // nil: none
	hits     map[string]int                                // requests by path
	form     url.Values                                    // of the last token request
	perCode  bool                                          // each code has a user of its own
	nonce    string                                        // of the last authorization URL
	http     func(http.ResponseWriter, *http.Request) bool // answers in the place of all else
}

func newIDP(t testing.TB) *idp {
	p := &idp{hits: map[string]int{}}
	for _, key := range []**ecdsa.PrivateKey{&p.key, &p.other} {
		var err error
		*key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
	}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	p.metadata = claims{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
		"end_session_endpoint": p.URL + "/logout", "code_challenge_methods_supported": []string{"S256"},
	}
	return p
}

func (p *idp) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hits[r.URL.Path]++
	if p.http != nil && p.http(w, r) {
		return
	}
	var out any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		if p.metadata != nil {
			out = p.metadata
		}
	case "/authorize":
		query := r.URL.Query()
		back := url.Values{"code": {"nonce:" + query.Get("nonce")}, "state": query["state"]}
		http.Redirect(w, r, query.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
		return
	case "/jwks":
		out = claims{"keys": []claims{jwk(p.key, "current")}}
	case "/token":
		_ = r.ParseForm()
		p.form = r.PostForm
		token := claims{"access_token": "ACCESS-SECRET", "token_type": "Bearer", "expires_in": 60}
		if nonce, found := strings.CutPrefix(p.form.Get("code"), "nonce:"); found {
			p.nonce = nonce
		}
		if p.nonce != "" {
			token["id_token"] = p.idToken()
		}
		if p.answer != nil {
			p.answer(token)
		}
		out = token
	case "/userinfo":
		if p.userinfo != nil {
			out = p.userinfo
		}
	}
	if out == nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// idToken signs the usual claims with the test's over them.
func (p *idp) idToken() string {
	now := time.Now().Unix()
	out := claims{"iss": p.URL, "sub": "user-1", "aud": clientID, "exp": now + 60, "iat": now, "nonce": p.nonce}
	if p.perCode {
		out["sub"] = "user-of-" + p.nonce
	}
	maps.Copy(out, p.claims)
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	if p.sign != nil {
		return p.sign(out)
	}
	return signed(p.key, "current", out)
}

func signed(key *ecdsa.PrivateKey, kid string, c claims) string {
	return oidctest.SignIDToken(key, kid, "ES256", asJSON(c))
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a mistake of the test's
	}
	return string(text)
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func jwk(key *ecdsa.PrivateKey, kid string) claims {
	point, err := key.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		panic(err)
	}
	return claims{"kty": "EC", "crv": "P-256", "use": "sig", "kid": kid, "x": base64url(point[1:33]), "y": base64url(point[33:])}
}

// unsigned gives a token of alg none.
func unsigned(c claims) string {
	return base64url([]byte(`{"alg":"none"}`)) + "." + base64url([]byte(asJSON(c))) + "."
}

// symmetric gives a token of HS256 with a text as the key.
func symmetric(c claims, key string) string {
	body := base64url([]byte(`{"alg":"HS256","kid":"current"}`)) + "." + base64url([]byte(asJSON(c)))
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(mac, body)
	return body + "." + base64url(mac.Sum(nil))
}

const (
	clientID     = "client-at-the-idp"
	clientSecret = "CLIENT-SECRET"
	callback     = "https://auth.example.com/callback/corp"
)

// connection gives one whose metadata is fetched, with more options.
func (p *idp) connection(t testing.TB, options ...claims) *upstream.Connection {
	o := claims{"client_id": clientID, "client_secret": clientSecret, "scope": "openid email", "issuer": p.URL}
	for _, more := range options {
		maps.Copy(o, more)
	}
	maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil })
	conn, err := upstream.ParseConnection([]byte(asJSON(claims{"name": "corp", "strategy": "oidc", "options": o})))
	require.NoError(t, err)
	return conn
}

func options() login.Options {
	return login.Options{RedirectURI: callback, Keys: []upstream.Secret{upstream.NewSecret(strings.Repeat("k", 32))}, Store: &login.MemoryStore{}}
}

func newLogin(t testing.TB, conn *upstream.Connection, change ...func(*login.Options)) *login.Login {
	o := options()
	for _, f := range change {
		f(&o)
	}
	l, err := login.New(conn, o)
	require.NoError(t, err)
	return l
}

// A browser keeps cookies, and goes where it is sent.
type browser struct {
	cookies []*http.Cookie
}

func (b *browser) request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

func (b *browser) take(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		kept := b.cookies[:0:0]
		for _, old := range b.cookies {
			if old.Name != c.Name {
				kept = append(kept, old)
			}
		}
		if b.cookies = kept; c.MaxAge >= 0 {
			b.cookies = append(b.cookies, c)
		}
	}
}

// begin goes to the IdP, and gives the parameters that it got there.
func (b *browser) begin(t testing.TB, l *login.Login, p *idp, req *upstream.AuthorizeRequest) url.Values {
	w := httptest.NewRecorder()
	require.NoError(t, l.Begin(w, b.request("GET", "https://auth.example.com/login", ""), req, []byte("request 7")))
	require.Equal(t, http.StatusFound, w.Code)
	b.take(w)
	u, err := url.Parse(w.Header().Get("Location"))
	require.NoError(t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nonce = u.Query().Get("nonce")
	return u.Query()
}

// finish comes back with an answer.
func (b *browser) finish(l *login.Login, answer url.Values) (*login.Result, error) {
	w := httptest.NewRecorder()
	result, err := l.Finish(w, b.request("GET", callback+"?"+answer.Encode(), ""))
	b.take(w)
	return result, err
}

// run is a whole login.
func run(t testing.TB, l *login.Login, p *idp, req *upstream.AuthorizeRequest, more ...string) (*login.Result, error) {
	b := &browser{}
	sent := b.begin(t, l, p, req)
	answer := url.Values{"code": {"CODE-SECRET"}, "state": {sent.Get("state")}}
	for i := 0; i+1 < len(more); i += 2 {
		answer.Set(more[i], more[i+1])
	}
	return b.finish(l, answer)
}

// refused runs a login that has to end at a step, and gives the error.
func refused(t testing.TB, l *login.Login, p *idp, req *upstream.AuthorizeRequest, step login.Step, more ...string) *login.Error {
	t.Helper()
	result, err := run(t, l, p, req, more...)
	require.Nil(t, result)
	e := (*login.Error)(nil)
	require.ErrorAs(t, err, &e)
	require.Equal(t, step, e.Step, e.Error())
	for _, secret := range []string{"CODE-SECRET", "ACCESS-SECRET", clientSecret, "request 7", "user-1"} {
		require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %q", e, e, *e, err, err), secret)
	}
	return e
}

// signedText signs a payload that need not be good JSON.
func signedText(p *idp, payload string) string {
	return oidctest.SignIDToken(p.key, "current", "ES256", payload)
}
