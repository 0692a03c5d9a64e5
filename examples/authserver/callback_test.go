package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login/sqlstore"
)

// refused checks that an answer ends on a page, with nothing spent at the IdP
// and nothing for the application.
func (s *stack) refused(r reply, outcome string) {
	s.t.Helper()
	assert.Equal(s.t, http.StatusBadRequest, r.status)
	assert.Empty(s.t, r.next)
	assert.Contains(s.t, r.body, "This cannot go on")
	assert.Contains(s.t, s.logs.String(), outcome)
}

// loginCookie gives the one cookie of a login that is under way.
func (v *visitor) loginCookie(callback string) *http.Cookie {
	for _, c := range v.cookies(callback) {
		if strings.HasPrefix(c.Name, "upstream-login-") {
			return c
		}
	}
	v.t.Fatal("no cookie of a login")
	return nil
}

func TestCallback_Replayed(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.toCallback("corporate")
	cookie := v.loginCookie(callback)
	assert.Contains(t, v.get(callback).next, s.app+"/callback?code=")
	for range 2 { // at either replica
		s.refused(s.send(callback, cookie), "the answer was used before")
	}
	assert.Len(t, s.at("/oauth/token"), 1, "the IdP hears of no replay")
	s.refused(v.get(callback), "this browser has not begun this login") // its cookie is gone
}

// A login that has failed is spent as well.
func TestCallback_ReplayedAfterFailure(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.toCallback("corporate")
	cookie := v.loginCookie(callback)
	broken := with(t, callback, map[string]string{"code": "another"})
	assert.Contains(t, v.get(broken).next, s.app+"/callback?error=server_error")
	s.refused(s.send(callback, cookie), "the answer was used before")
	assert.Len(t, s.at("/oauth/token"), 1)
}

func TestCallback_Tampered(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.toCallback("corporate")
	cookie := v.loginCookie(callback)
	for _, test := range []struct{ name, value string }{
		{"first byte", flip(cookie.Value[:1]) + cookie.Value[1:]},
		{"cut", cookie.Value[:len(cookie.Value)-8]},
		{"empty", ""},
		{"not base64", "%%%"},
		{"plain JSON", base64.RawURLEncoding.EncodeToString([]byte(`{"c":"corporate"}`))},
		{"middle", cookie.Value[:40] + flip(cookie.Value[40:41]) + cookie.Value[41:]},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.NotEqual(t, cookie.Value, test.value)
			s.refused(s.send(callback, &http.Cookie{Name: cookie.Name, Value: test.value}), "was not sealed by this server")
		})
	}
	assert.Empty(t, s.at("/oauth/token"))
	assert.Contains(t, v.get(callback).next, "?code=", "and the true one still serves")
}

func flip(character string) string {
	if character == "A" {
		return "B"
	}
	return "A"
}

// A state that no cookie of this server goes with, and a cookie of another login.
func TestCallback_ForeignState(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.toCallback("corporate")
	foreign := with(t, callback, map[string]string{"state": "made-up"})
	s.refused(v.get(foreign), "this browser has not begun this login")
	cookie := v.loginCookie(callback)
	s.refused(s.send(foreign, &http.Cookie{Name: s.replicas[0].Connections.current().get("corporate").login.CookieName("made-up"), Value: cookie.Value}), "was not sealed by this server")
	assert.Empty(t, s.at("/oauth/token"))
}

// Somebody finishes in one browser what began in another: a login of the
// attacker's, to be taken for the user's own, or a user's, to be stolen.
func TestCallback_ForeignBrowser(t *testing.T) {
	s := newStack(t)
	attacker, user := s.visitor(), s.visitor()
	callback := attacker.toCallback("corporate")
	s.refused(user.get(callback), "this browser has not begun this login")
	user.toCallback("corporate") // with a login of its own under way, too
	s.refused(user.get(callback), "this browser has not begun this login")
	assert.Empty(t, s.at("/oauth/token"))
}

// The attacker begins at the application, the user finishes, and the attacker
// asks for the code.
func TestCallback_Fixation(t *testing.T) {
	s := newStack(t)
	attacker, user := s.visitor(), s.visitor()
	page := attacker.follow(s.app + "/login")
	callback := user.logIn(user.get(page.choice("corporate")).next)
	toApp := user.get(callback).next
	require.Contains(t, toApp, s.app+"/callback?code=")
	s.refused(attacker.get(callback), "this browser has not begun this login")
	stolen := attacker.get(s.issuer + "/authorize/callback?id=1")
	assert.Equal(t, http.StatusNotFound, stolen.status, "op's own page, which asks for no cookie")
	// The code is in the user's browser, and the application sees that the
	// login was not begun there.
	assert.Contains(t, user.get(toApp).body, "does not belong to a login that began in this browser")
}

// RFC 9207: iss is checked where it comes, in errors as well.
func TestCallback_Issuer(t *testing.T) {
	for _, test := range []struct {
		name, connection string
		change           map[string]string
		next             string
		tokens           int
	}{
		{"another's", "corporate", map[string]string{"iss": "https://attacker.example"}, "error=server_error", 0},
		{"nearly the same", "corporate", map[string]string{"iss": "http://localhost:1/"}, "error=server_error", 0},
		{"none", "corporate", map[string]string{"iss": ""}, "code=", 1},
		{"another's, in an error", "corporate", map[string]string{"iss": "https://attacker.example", "code": "", "error": "access_denied"}, "error=server_error", 0},
		{"the connection knows no issuer", "partner", map[string]string{"iss": "https://attacker.example"}, "code=", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStack(t)
			v := s.visitor()
			r := v.get(with(t, v.toCallback(test.connection), test.change))
			assert.Contains(t, r.next, s.app+"/callback?"+test.next)
			assert.Len(t, s.at("/oauth/token"), test.tokens)
			if test.tokens == 0 {
				assert.Contains(t, s.logs.String(), "iss is not the issuer of this connection")
			}
		})
	}
}

// The answer of one connection's IdP at another connection's callback.
func TestCallback_MixUp(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.toCallback("corporate")
	other := strings.Replace(callback, "/corporate?", "/partner?", 1)
	s.refused(v.get(other), "was not sealed by this server for this state, connection")
	s.refused(s.send(other, v.loginCookie(callback)), "was not sealed by this server for this state, connection")
	assert.Empty(t, s.at("/oauth/token"))
}

func TestCallback_Malformed(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.toCallback("corporate")
	for _, test := range []struct{ name, address, outcome string }{
		{"doubled state", callback + "&state=x", "state is given more than once"},
		{"doubled code", callback + "&code=x", "code is given more than once"},
		{"doubled iss", callback + "&iss=x", "iss is given more than once"},
		{"no state", with(t, callback, map[string]string{"state": ""}), "state"},
		{"code and error", callback + "&error=access_denied", "both a code and an error"},
		{"unknown connection", strings.Replace(callback, "/corporate?", "/nowhere?", 1), "unknown connection"},
	} {
		r := v.get(test.address)
		assert.Equal(t, http.StatusBadRequest, r.status, test.name)
		assert.Empty(t, r.next, test.name)
		lines := strings.Split(strings.TrimSpace(s.logs.String()), "\n")
		assert.Contains(t, lines[len(lines)-1], test.outcome, test.name)
	}
	assert.Empty(t, s.at("/oauth/token"))
	assert.Contains(t, v.get(callback).next, "?code=")
}

// What the IdP says no with reaches the application as far as it is the
// protocol's word, and never as the IdP's text.
func TestCallback_Errors(t *testing.T) {
	for given, want := range map[string]string{
		"access_denied": "access_denied", "login_required": "login_required", "consent_required": "consent_required",
		"server_error": "server_error", "planted text": "server_error",
	} {
		s := newStack(t)
		v := s.visitor()
		callback := with(t, v.toCallback("corporate"), map[string]string{"code": "", "error": given, "error_description": "planted description"})
		u, err := url.Parse(v.get(callback).next)
		require.NoError(t, err)
		assert.Equal(t, want, u.Query().Get("error"), given)
		assert.NotContains(t, u.RawQuery+s.logs.String()+s.libraryLogs.String(), "planted")
	}
}

// A connection without the header that the IdP's token endpoint demands.
func TestCallback_MissingHeader(t *testing.T) {
	s := newStack(t)
	s.edit("corporate.json", `"customHeaders": {"X-Partner-Key": "example-partner-key"},`, "")
	v := s.visitor()
	r := v.get(v.toCallback("corporate"))
	assert.Contains(t, r.next, s.app+"/callback?error=server_error")
	require.Len(t, s.at("/oauth/token"), 1)
	assert.Empty(t, s.at("/oauth/token")[0].header.Get(partnerHeader))
	assert.Contains(t, s.logs.String(), `error.step=token error.reason="token endpoint: status 403, error access_denied"`)
}

// What one replica began the other finishes; one with another key does not.
func TestCallback_Replicas(t *testing.T) {
	s := newStack(t)
	first, second := httptest.NewServer(s.replicas[0].Handler()), httptest.NewServer(s.replicas[1].Handler())
	defer first.Close()
	defer second.Close()
	config := s.replicas[0].Config
	store, err := sqlstore.Open(t.Context(), ":memory:", s.clock.Now) // with keys of its own
	require.NoError(t, err)
	defer store.Close()
	config.Store = store
	other, err := NewServer(t.Context(), config)
	require.NoError(t, err)
	stranger := httptest.NewServer(other.Handler())
	defer stranger.Close()

	v := s.visitor()
	request := v.follow(s.app+"/login?connection=corporate", s.issuer+"/authorize").next
	// All on 127.0.0.1, so the cookies are the same; cookies know no ports.
	at := func(replica *httptest.Server, address string) string {
		return strings.Replace(address, s.issuer, replica.URL, 1)
	}
	callback := v.logIn(v.get(at(first, request)).next)
	r := v.get(at(stranger, callback))
	assert.Equal(t, http.StatusBadRequest, r.status)
	assert.Contains(t, s.logs.String(), "was not sealed by this server")

	request = v.follow(s.app+"/login?connection=corporate", s.issuer+"/authorize").next
	callback = v.logIn(v.get(at(first, request)).next)
	r = v.get(at(second, callback)) // and the second at the second
	require.Contains(t, r.next, s.app+"/callback?code=")
	assert.Contains(t, v.follow(r.next).body, "oidc|corporate|id1")
}

// Two tabs of one browser, and one request that two logins are begun for.
func TestCallback_TwoTabs(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	first, second := v.toCallback("corporate"), v.toCallback("corporate")
	assert.Contains(t, v.get(first).next, "?code=", "the second tab does not take the first one's cookie")
	assert.Contains(t, v.get(second).next, "?code=")

	// The application takes one answer to its one request.
	v = s.visitor()
	page := v.follow(s.app + "/login")
	first = v.get(v.logIn(v.get(page.choice("corporate")).next)).next
	second = v.get(v.logIn(v.get(page.choice("partner")).next)).next
	assert.Contains(t, v.follow(second).body, "oauth2|partner|id1")
	assert.Contains(t, v.follow(first).body, "does not belong to a login that began in this browser")
}

// The nonce of the ID token is this login's.
func TestCallback_Nonce(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.logIn(with(t, v.begin(url.Values{"connection": {"corporate"}}), map[string]string{"nonce": "planted-nonce"}))
	assert.Contains(t, v.get(callback).next, "error=server_error")
	assert.Contains(t, s.logs.String(), `error.step="ID token"`)
	assert.NotContains(t, s.logs.String(), "planted")
}

// The code verifier is this login's.
func TestCallback_PKCE(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.logIn(with(t, v.begin(url.Values{"connection": {"corporate"}}), map[string]string{"code_challenge": strings.Repeat("A", 43)}))
	assert.Contains(t, v.get(callback).next, "error=server_error")
	require.Len(t, s.at("/oauth/token"), 1)
	assert.NotEmpty(t, s.at("/oauth/token")[0].form.Get("code_verifier"))
	assert.Contains(t, s.logs.String(), "error invalid_grant")

	s = newStack(t)
	s.edit("corporate.json", `"pkce": "S256"`, `"pkce": "disabled"`)
	v = s.visitor()
	assert.Contains(t, v.get(v.toCallback("corporate")).next, "?code=")
	assert.NotContains(t, s.at("/oauth/token")[0].form, "code_verifier", "there was no challenge")
}

// tokenAnswer changes what the IdP's token endpoint answers.
func tokenAnswer(change func(map[string]any)) func(http.ResponseWriter, *http.Request, http.Handler) bool {
	return jsonAnswer("/oauth/token", change)
}

func jsonAnswer(path string, change func(map[string]any)) func(http.ResponseWriter, *http.Request, http.Handler) bool {
	return func(w http.ResponseWriter, r *http.Request, idp http.Handler) bool {
		if r.URL.Path != path {
			return false
		}
		recorder := httptest.NewRecorder()
		idp.ServeHTTP(recorder, r)
		answer := map[string]any{}
		_ = json.Unmarshal(recorder.Body.Bytes(), &answer)
		change(answer)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(recorder.Code)
		_ = json.NewEncoder(w).Encode(answer)
		return true
	}
}

func TestCallback_IDToken(t *testing.T) {
	// claim changes a claim and leaves the signature, which then fails.
	claim := func(name string, value any) func(map[string]any) {
		return func(answer map[string]any) {
			parts := strings.Split(answer["id_token"].(string), ".")
			payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
			claims := map[string]any{}
			_ = json.Unmarshal(payload, &claims)
			claims[name] = value
			payload, _ = json.Marshal(claims)
			parts[1] = base64.RawURLEncoding.EncodeToString(payload)
			answer["id_token"] = strings.Join(parts, ".")
		}
	}
	for name, test := range map[string]struct {
		change  func(map[string]any)
		outcome string
	}{
		"missing":            {func(a map[string]any) { delete(a, "id_token") }, "gave none"},
		"not a token":        {func(a map[string]any) { a["id_token"] = "planted" }, "not a signed JWT"},
		"changed subject":    {claim("sub", "planted"), "signature"},
		"another's issuer":   {claim("iss", "https://planted.example"), "verifies its signature"},
		"another's audience": {claim("aud", "planted"), "verifies its signature"},
		"unsigned": {func(a map[string]any) {
			parts := strings.Split(a["id_token"].(string), ".")
			parts[0] = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
			a["id_token"] = parts[0] + "." + parts[1] + "."
		}, "its alg is not one of"},
		"access token of another": {func(a map[string]any) { a["access_token"] = "planted" }, "at_hash"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			v := s.visitor()
			callback := v.toCallback("corporate")
			s.hook(tokenAnswer(test.change))
			assert.Contains(t, v.get(callback).next, "error=server_error")
			assert.Contains(t, s.logs.String(), `error.step="ID token"`)
			assert.Contains(t, s.logs.String(), test.outcome)
			assert.Empty(t, s.at("/userinfo"), "nothing is asked with a token that is not believed")
			assert.NotContains(t, s.logs.String()+s.libraryLogs.String(), "planted")
		})
	}
}

// Userinfo about another user than the ID token's (OpenID Connect Core 5.3.2).
func TestCallback_OtherUsersProfile(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.toCallback("corporate")
	s.hook(jsonAnswer("/userinfo", func(answer map[string]any) { answer["sub"] = "id2" }))
	assert.Contains(t, v.get(callback).next, "error=server_error")
	assert.Contains(t, s.logs.String(), `error.step=profile`)
}

func TestCallback_NoProfile(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	callback := v.toCallback("partner")
	s.hook(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if r.URL.Path == "/userinfo" {
			http.Error(w, "planted body", http.StatusInternalServerError)
			return true
		}
		return false
	})
	assert.Contains(t, v.get(callback).next, "error=server_error")
	assert.Contains(t, s.logs.String(), `error.step=profile`)
	assert.NotContains(t, s.logs.String(), "planted")
}

// An unverified address stays one.
func TestCallback_UnverifiedEmail(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"false":  func(a map[string]any) { a["email_verified"] = false },
		"absent": func(a map[string]any) { delete(a, "email_verified") },
	} {
		s := newStack(t)
		s.hook(jsonAnswer("/userinfo", change))
		v := s.visitor()
		assert.Contains(t, v.follow(v.toCallback("corporate")).body, "<small>not verified</small>", name)
	}
}
