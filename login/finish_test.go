package login_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/login"
)

func TestL1WholeLogin(t *testing.T) {
	p := newIDP(t)
	p.claims = claims{"email": "ann@example.com", "email_verified": true, "amr": []string{"pwd"}, "auth_time": 1_700_000_000}
	l := newLogin(t, p.connection(t))
	assert.Empty(t, p.hits, "New makes no request")
	r, err := run(t, l, p, nil)
	require.NoError(t, err)
	assert.Equal(t, "oidc|corp|user-1", r.Subject)
	assert.Equal(t, "corp", r.Connection)
	assert.Equal(t, "ann@example.com", r.Profile.Email)
	assert.Equal(t, "request 7", string(r.Data))
	assert.Equal(t, []string{"pwd"}, r.AMR)
	assert.EqualValues(t, 1_700_000_000, r.AuthTime.Unix())
	assert.Equal(t, p.URL, r.Issuer)
	assert.Equal(t, "ACCESS-SECRET", r.Token().AccessToken)
	assert.NotEmpty(t, r.IDToken().Reveal())
	assert.Empty(t, r.Checks)
	assert.Len(t, p.form.Get("code_verifier"), 43)
	assert.Equal(t, map[string]int{"/.well-known/openid-configuration": 1, "/token": 1, "/jwks": 1}, p.hits)
	assert.NotContains(t, fmt.Sprintf("%+v %#v", r, *r), "SECRET")

	_, err = run(t, l, p, nil)
	require.NoError(t, err)
	assert.Equal(t, 1, p.hits["/jwks"], "keys are kept")
	assert.Equal(t, 1, p.hits["/.well-known/openid-configuration"], "and so is the metadata")
}

func TestL1TwoTabs(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	b := &browser{}
	first := b.begin(t, l, p, nil)
	firstNonce := p.nonce
	second := b.begin(t, l, p, nil)
	require.Len(t, b.cookies, 2)
	_, err := b.finish(l, url.Values{"code": {"c"}, "state": {second.Get("state")}})
	require.NoError(t, err)
	p.nonce = firstNonce
	_, err = b.finish(l, url.Values{"code": {"c"}, "state": {first.Get("state")}})
	require.NoError(t, err, "the first tab was not disturbed")
	assert.Empty(t, b.cookies, "the browser forgets what has ended")
}

func TestL1AbandonedTabsAreForgotten(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	b := &browser{}
	var last url.Values
	for range 20 {
		last = b.begin(t, l, p, nil)
		require.LessOrEqual(t, len(b.cookies), 8)
	}
	_, err := b.finish(l, url.Values{"code": {"c"}, "state": {last.Get("state")}})
	require.NoError(t, err)
}

func TestL1CookiesOfOthersStay(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	b := &browser{}
	for i := range 20 {
		b.cookies = append(b.cookies, &http.Cookie{Name: fmt.Sprintf("__Host-upstream-login-preference-%d", i), Value: "x"})
	}
	b.begin(t, l, p, nil)
	assert.Len(t, b.cookies, 21)
}

func TestL1DataHasABound(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	redirect, err := l.BeginLogin(t.Context(), nil, make([]byte, 2048))
	require.NoError(t, err)
	assert.Less(t, len(redirect.Cookie.Name)+len(redirect.Cookie.Value), 4096-200, "what a browser takes, with attributes")
	_, err = l.BeginLogin(t.Context(), nil, make([]byte, 2049))
	assert.Equal(t, login.StepBegin, stepOf(t, err))
}

func TestT4PKCEDisabled(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t, claims{"connection_settings": claims{"pkce": "disabled"}}))
	_, err := run(t, l, p, nil)
	require.NoError(t, err)
	assert.Empty(t, p.form["code_verifier"], "no challenge was sent, and some refuse a verifier then")
}

func stepOf(t *testing.T, err error) login.Step {
	t.Helper()
	e := (*login.Error)(nil)
	require.ErrorAs(t, err, &e)
	return e.Step
}

func TestL1State(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	b := &browser{}
	sent := b.begin(t, l, p, nil)
	good := url.Values{"code": {"c"}, "state": {sent.Get("state")}}

	for name, c := range map[string]struct {
		browser *browser
		login   *login.Login
		answer  url.Values
		step    login.Step
	}{
		"another browser":        {browser: &browser{}, step: login.StepState},
		"another state":          {answer: url.Values{"code": {"c"}, "state": {"x" + sent.Get("state")}}, step: login.StepState},
		"no state":               {answer: url.Values{"code": {"c"}}, step: login.StepAnswer},
		"a doubled state":        {answer: url.Values{"code": {"c"}, "state": {"a", "b"}}, step: login.StepAnswer},
		"the cookie was changed": {browser: &browser{cookies: []*http.Cookie{{Name: b.cookies[0].Name, Value: "A" + b.cookies[0].Value}}}, step: login.StepState},
		"another connection's":   {login: newLogin(t, p.connection(t, claims{"client_id": "other"})), step: login.StepState},
		"another server's":       {login: newLogin(t, p.connection(t), func(o *login.Options) { o.Keys = []upstream.Secret{upstream.NewSecret(strings.Repeat("x", 32))} }), step: login.StepState},
		"another callback's":     {login: newLogin(t, p.connection(t), func(o *login.Options) { o.RedirectURI += "2" }), step: login.StepState},
	} {
		t.Run(name, func(t *testing.T) {
			from, at, answer := c.browser, c.login, c.answer
			if from == nil {
				from = &browser{cookies: b.cookies}
			}
			if at == nil {
				at = l
			}
			if answer == nil {
				answer = good
			}
			r, err := from.finish(at, answer)
			require.Nil(t, r)
			e := (*login.Error)(nil)
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.step, e.Step)
			assert.Empty(t, e.Code, "there is nobody to tell")
			assert.Empty(t, e.Data)
		})
	}
	_, err := b.finish(l, good)
	require.NoError(t, err, "none of them has spent the login")
}

func TestL1AnswerWithoutCode(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	b := &browser{}
	sent := b.begin(t, l, p, nil)
	_, err := b.finish(l, url.Values{"state": {sent.Get("state")}})
	e := (*login.Error)(nil)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, login.StepAnswer, e.Step)
	assert.Equal(t, "server_error", e.Code, "this browser's application waits for an answer")
	assert.Equal(t, "request 7", string(e.Data))
	assert.Empty(t, b.cookies)
}

func TestL1StateOfARotatedKey(t *testing.T) {
	p := newIDP(t)
	b := &browser{}
	sent := b.begin(t, newLogin(t, p.connection(t)), p, nil)
	rotated := newLogin(t, p.connection(t), func(o *login.Options) {
		o.Keys = append([]upstream.Secret{upstream.NewSecret(strings.Repeat("n", 32))}, o.Keys...)
	})
	_, err := b.finish(rotated, url.Values{"code": {"c"}, "state": {sent.Get("state")}})
	require.NoError(t, err)
}

func TestL1Expires(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	b := &browser{}
	sent := b.begin(t, l, p, nil)
	login.SetClock(l, time.Now().Add(10*time.Minute))
	_, err := b.finish(l, url.Values{"code": {"c"}, "state": {sent.Get("state")}})
	assert.Equal(t, login.StepState, stepOf(t, err))
	assert.ErrorContains(t, err, "took too long")
}

func TestL1SingleUse(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	b := &browser{}
	sent := b.begin(t, l, p, nil)
	replay := &browser{cookies: b.cookies} // which does not forget
	answer := url.Values{"code": {"c"}, "state": {sent.Get("state")}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	won := 0
	for range 8 {
		wg.Go(func() {
			r, err := (&browser{cookies: replay.cookies}).finish(l, answer)
			mu.Lock()
			defer mu.Unlock()
			e := (*login.Error)(nil)
			switch {
			case r != nil:
				won++
			case !errors.As(err, &e) || e.Step != login.StepSpent || e.Code != "" || string(e.Data) != "request 7":
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 1, won)
	assert.Equal(t, 1, p.hits["/token"])
}

func TestL1StoreFails(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t), func(o *login.Options) { o.Store = &login.MemoryStore{Max: 1} })
	_, err := run(t, l, p, nil)
	require.NoError(t, err)
	e := refused(t, l, p, nil, login.StepSpent)
	assert.Equal(t, "server_error", e.Code)
	assert.Equal(t, 1, p.hits["/token"], "the code was not spent")
}

// Row 52: what the IdP advertises must be there.
func TestL1Issuer(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	_, err := run(t, l, p, nil, "iss", p.URL)
	require.NoError(t, err)
	_, err = run(t, l, p, nil)
	require.NoError(t, err, "not advertised")
	e := refused(t, l, p, nil, login.StepIssuer, "iss", "https://evil.example.com")
	assert.Equal(t, "server_error", e.Code)
	refused(t, l, p, nil, login.StepIssuer, "iss", p.URL+"/")

	p.metadata["authorization_response_iss_parameter_supported"] = true
	l = newLogin(t, p.connection(t))
	_, err = run(t, l, p, nil, "iss", p.URL)
	require.NoError(t, err)
	tokens := p.hits["/token"]
	refused(t, l, p, nil, login.StepIssuer)
	refused(t, l, p, nil, login.StepIssuer, "code", "", "error", "access_denied") // errors are answers, too
	assert.Equal(t, tokens, p.hits["/token"], "no code was sent anywhere")
}

// The user begins at the honest IdP's connection; the answer is made with the
// code of another (RFC 9700 section 4.4).
func TestL1MixUp(t *testing.T) {
	honest, evil := newIDP(t), newIDP(t)
	honest.metadata["authorization_response_iss_parameter_supported"] = true
	atHonest := newLogin(t, honest.connection(t))
	evilConn := evil.connection(t)
	evilConn.Name = "evil"
	atEvil := newLogin(t, evilConn, func(o *login.Options) { o.RedirectURI = "https://auth.example.com/callback/evil" })

	b := &browser{}
	sent := b.begin(t, atEvil, evil, nil) // the evil IdP sends the browser on to the honest one, with its own state
	answer := url.Values{"code": {"HONEST-CODE"}, "state": {sent.Get("state")}, "iss": {honest.URL}}
	_, err := b.finish(atHonest, answer) // where the honest IdP sends its answer
	assert.Equal(t, login.StepState, stepOf(t, err))
	w := httptest.NewRecorder()
	_, err = atEvil.Finish(w, b.request("GET", "https://auth.example.com/callback/evil?"+answer.Encode(), ""))
	assert.Equal(t, login.StepIssuer, stepOf(t, err))
	assert.Zero(t, evil.hits["/token"], "the evil IdP did not get the code")
	assert.Zero(t, honest.hits["/token"])
}

func TestL5Errors(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	for code, told := range map[string]string{
		"login_required": "login_required", "interaction_required": "interaction_required", "consent_required": "consent_required",
		"account_selection_required": "account_selection_required", "access_denied": "access_denied", "temporarily_unavailable": "temporarily_unavailable",
		"invalid_request": "server_error", "unauthorized_client": "server_error", "invalid_scope": "server_error", "server_error": "server_error",
		"LOGIN_REQUIRED": "server_error", "<script>": "server_error", "AADSTS50105": "server_error",
	} {
		e := refused(t, l, p, nil, login.StepRefused, "code", "", "error", code, "error_description", "STRANGERS WORDS")
		assert.Equal(t, told, e.Code, code)
		assert.Equal(t, told, login.ApplicationCode(code))
		assert.NotContains(t, e.Error(), "STRANGER")
		assert.NotContains(t, e.Error(), "<script>")
		assert.Equal(t, "request 7", string(e.Data))
	}
	assert.Zero(t, p.hits["/token"])
}

func TestL1FormPost(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t, claims{"upstream_params": claims{"response_mode": claims{"value": "form_post"}}}))
	b := &browser{}
	sent := b.begin(t, l, p, nil)
	require.Len(t, b.cookies, 1)
	assert.Equal(t, http.SameSiteNoneMode, b.cookies[0].SameSite, "else it does not come with the POST")
	assert.True(t, b.cookies[0].Secure)
	form := url.Values{"code": {"c"}, "state": {sent.Get("state")}}
	w := httptest.NewRecorder()
	r, err := l.Finish(w, b.request("POST", callback, form.Encode()))
	require.NoError(t, err)
	assert.Equal(t, "oidc|corp|user-1", r.Subject)
	b.take(w)
	assert.Empty(t, b.cookies)
}

func TestL1Cookie(t *testing.T) {
	p := newIDP(t)
	b := &browser{}
	b.begin(t, newLogin(t, p.connection(t)), p, nil)
	c := b.cookies[0]
	assert.Regexp(t, `^__Host-upstream-login-[0-9a-f]{16}$`, c.Name)
	assert.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "" && c.SameSite == http.SameSiteLaxMode && c.MaxAge == 600)
	assert.Less(t, len(c.Value), 700)

	b = &browser{}
	b.begin(t, newLogin(t, p.connection(t), func(o *login.Options) { o.RedirectURI = "http://localhost:8080/callback" }), p, nil)
	assert.Regexp(t, `^upstream-login-[0-9a-f]{16}$`, b.cookies[0].Name)
	assert.False(t, b.cookies[0].Secure)
}

func TestL1TokenRefused(t *testing.T) {
	p := newIDP(t)
	p.http = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error": "invalid_grant", "error_description": "CODE-SECRET"}`))
		}
		return r.URL.Path == "/token"
	}
	e := refused(t, newLogin(t, p.connection(t)), p, nil, login.StepToken)
	assert.Equal(t, "token endpoint: status 400, error invalid_grant", e.Reason)
	assert.Equal(t, "server_error", e.Code)
}

func TestU8UserinfoOfAnotherUser(t *testing.T) {
	p := newIDP(t)
	p.metadata["userinfo_endpoint"] = p.URL + "/userinfo"
	p.userinfo = claims{"sub": "user-1", "email": "ann@example.com"}
	l := newLogin(t, p.connection(t))
	r, err := run(t, l, p, nil)
	require.NoError(t, err)
	assert.Equal(t, "ann@example.com", r.Profile.Email)
	p.userinfo = claims{"sub": "user-2"}
	refused(t, l, p, nil, login.StepProfile)
	p.userinfo = nil
	e := refused(t, l, p, nil, login.StepProfile)
	assert.Contains(t, e.Reason, "status 500")
}

func TestL1EnabledClients(t *testing.T) {
	p := newIDP(t)
	conn := p.connection(t)
	conn.EnabledClients = []string{"app"}
	l := newLogin(t, conn)
	r, err := run(t, l, p, &upstream.AuthorizeRequest{ClientID: "app"})
	require.NoError(t, err)
	assert.Equal(t, "app", r.ClientID)
	_, err = l.BeginLogin(t.Context(), &upstream.AuthorizeRequest{ClientID: "other"}, nil)
	assert.Equal(t, login.StepBegin, stepOf(t, err))

	b := &browser{} // taken away between the legs
	sent := b.begin(t, l, p, &upstream.AuthorizeRequest{ClientID: "app"})
	conn.EnabledClients = []string{}
	after := newLogin(t, conn)
	_, err = b.finish(after, url.Values{"code": {"c"}, "state": {sent.Get("state")}})
	assert.Equal(t, login.StepRefused, stepOf(t, err))
	assert.ErrorContains(t, err, "not enabled")
}

func TestE3ZeroValues(t *testing.T) {
	var l *login.Login
	_, err := l.BeginLogin(t.Context(), nil, nil)
	assert.Error(t, err)
	_, err = l.Finish(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	assert.Error(t, err)
	_, err = (&login.Login{}).FinishLogin(t.Context(), nil, "")
	assert.Error(t, err)
	_, err = login.New(nil, login.Options{})
	assert.EqualError(t, err, "login: configuration: there is no connection")
	p := newIDP(t)
	_, err = newLogin(t, p.connection(t)).FinishLogin(t.Context(), nil, "x")
	assert.Equal(t, login.StepAnswer, stepOf(t, err))
}
