package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A tab is a page in a headless Chromium with a profile of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// browser starts one. The test is skipped where there is no Chromium.
func browser(t *testing.T) *tab {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium in PATH: the login in a real browser was not tested")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1000, 900),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
	}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stopTab := chromedp.NewContext(ctx)
	t.Cleanup(stopTab)
	return &tab{t, ctx}
}

// do carries out steps, each of them in time.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx)) // starts the browser, whose life is this context's
	ctx, stop := context.WithTimeout(b.ctx, 20*time.Second)
	defer stop()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

func ask[T any](b *tab, question chromedp.Action[T]) T {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 20*time.Second)
	defer stop()
	answer, err := chromedp.Run(ctx, question)
	require.NoError(b.t, err)
	return answer
}

// text waits for an element and gives what a reader sees of it.
func (b *tab) text(selector chromedp.CSS) string {
	b.t.Helper()
	b.do(chromedp.WaitVisible(selector))
	return ask(b, chromedp.Text(selector))
}

// picture keeps a screenshot where SCREENSHOTS names a folder.
func (b *tab) picture(name string) {
	if folder := os.Getenv("SCREENSHOTS"); folder != "" {
		require.NoError(b.t, os.WriteFile(filepath.Join(folder, name+".png"), ask(b, chromedp.FullScreenshot(100)), 0o600))
	}
}

const submit = chromedp.CSS("button[type=submit]")

// What a new user does: open the page, log in, look.
func TestBrowser_Login(t *testing.T) {
	b := browser(t)
	o, _ := start(t)
	b.do(chromedp.Navigate("http://" + o.app + "/"))
	assert.Equal(t, "Sample application", b.text("h1"))
	b.picture("1-application")
	b.do(chromedp.SetValue(chromedp.CSS("#acr_values"), "strong"), chromedp.SetValue(chromedp.CSS("#max_age"), "60"), chromedp.Click(submit))

	assert.Equal(t, "Continue with Example Corporation", b.text(".buttons li:first-child"))
	const width = "document.querySelector('.buttons img').naturalWidth"
	assert.Positive(t, ask(b, chromedp.Poll[int](width)), "the policy lets the icon through")
	b.picture("2-login-page")
	b.do(chromedp.Click(chromedp.CSS(".buttons li:first-child a")), chromedp.WaitVisible(chromedp.CSS("#username")))
	b.picture("3-identity-provider")
	b.do(
		chromedp.SendKeys(chromedp.CSS("#username"), "test-user@localhost"),
		chromedp.SendKeys(chromedp.CSS("#password"), "verysecure"),
		chromedp.Click(submit),
	)

	assert.Equal(t, "oidc|corporate|id1", b.text("#sub"))
	assert.Equal(t, "test-user@zitadel.ch verified", b.text("#email"))
	sent := b.text("#sent")
	for _, name := range []string{"acr_values", "login_hint", "code_challenge", "ui_locales"} {
		assert.Contains(t, sent, name)
	}
	b.picture("4-logged-in")
}

// What an operator does: paste a request, break a file, read what is wrong.
func TestBrowser_Explain(t *testing.T) {
	b := browser(t)
	o, _ := start(t)
	explain := "http://" + o.operator + "/connections/corporate/explain"
	const request = "https://auth.example.com/authorize?client_id=sample-app&redirect_uri=https://app.example.com/callback&response_type=code" +
		"&scope=openid&connection=corporate&login_hint=ann%40example.com&prompt=login+select_account&acr_values=strong&max_age=60"
	b.do(chromedp.Navigate(explain), chromedp.SetValue(chromedp.CSS("#request"), request), chromedp.Click(submit))
	target := b.text("#target")
	assert.Contains(t, target, "http://"+o.idp+"/authorize?acr_values=urn%3Aexample%3Atwo-factors&")
	assert.Contains(t, target, "&prompt=login&")
	assert.Contains(t, b.text("#explanation"), "ann@example.com")
	style := ask(b, chromedp.Evaluate[string]("getComputedStyle(document.querySelector('main')).maxWidth"))
	assert.NotEqual(t, "none", style, "the policy lets the style through")
	b.picture("5-explain")

	require.NoError(t, os.WriteFile(filepath.Join(o.connections, "corporate.json"), []byte(`{
		"name": "corporate", "strategy": "oidc", "enabled_clients": ["sample-app"],
		"options": {
			"client_id": "auth-server",
			"authorization_endpoint": "http://idp.example.com/authorize",
			"scope": "openid",
			"customHeaders": {"Host": "elsewhere"},
			"upstream_params": {"prompt": "login", "login": {"alias": "loginhint"}}
		}
	}`), 0o600))
	require.Eventually(t, func() bool { // without a restart
		b.do(chromedp.Navigate("http://" + o.operator + "/connections"))
		return strings.Contains(b.text("table"), "broken")
	}, 10*time.Second, 200*time.Millisecond)
	b.picture("6-connections")
	b.do(chromedp.Navigate(explain), chromedp.SetValue(chromedp.CSS("#request"), "client_id=another-app&prompt=login&prompt=consent"), chromedp.Click(submit))
	assert.Contains(t, b.text("#refused"), "parameter prompt is given more than once")
	problems := b.text("#problems")
	for _, pointer := range []string{
		"/options/upstream_params/prompt", "/options/upstream_params/login/alias", "/options/tokenURL", "/options/customHeaders/Host",
	} {
		assert.Contains(t, problems, pointer)
	}
	b.picture("7-explain-errors")
}

// until opens a page again and again until it has an element.
func (b *tab) until(address, selector string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		b.do(chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("main")))
		return ask(b, chromedp.Evaluate[bool]("document.querySelector('"+selector+"') !== null"))
	}, time.Minute, 200*time.Millisecond)
}

// logIn fills in the identity provider's form, and waits for the application.
func (b *tab) logIn() {
	b.t.Helper()
	b.do(
		chromedp.WaitVisible(chromedp.CSS("#username")),
		chromedp.SendKeys(chromedp.CSS("#username"), "test-user@localhost"), chromedp.SendKeys(chromedp.CSS("#password"), "verysecure"),
		chromedp.Click(submit),
	)
}

// What users do besides: go back and choose otherwise, reload, use two tabs, log
// out, and come to an address that is none.
func TestBrowser_TabsAndBack(t *testing.T) {
	first := browser(t)
	o, _ := start(t)
	app, issuer := "http://"+o.app, "http://"+o.auth
	choice := func(n int) chromedp.CSS { return chromedp.CSS(fmt.Sprintf(".buttons li:nth-child(%d) a", n)) }

	first.do(chromedp.Navigate(app+"/login"), chromedp.Click(choice(1)), chromedp.WaitVisible(chromedp.CSS("#username")))
	first.do(chromedp.NavigateBack(), chromedp.WaitVisible(choice(3)), chromedp.Reload(), chromedp.WaitVisible(choice(3)), chromedp.Click(choice(3)))
	first.do(chromedp.WaitVisible(chromedp.CSS("#username")))

	// The second tab begins a login of its own and ends it first. The sample
	// application remembers one login for each browser, the last that was begun.
	ctx, stop := chromedp.NewContext(first.ctx)
	t.Cleanup(stop)
	second := &tab{t, ctx}
	second.do(chromedp.Navigate(app+"/login?connection=members"), chromedp.WaitVisible(chromedp.CSS("#username")))
	second.logIn()
	assert.Equal(t, "oauth2|members|id1", second.text("#sub"))
	first.logIn()
	assert.Contains(t, first.text(".bad"), "does not belong to a login that began in this browser")

	// The server itself has let both in, and the last one counts.
	first.do(chromedp.Navigate(issuer + "/"))
	assert.Equal(t, "oauth2|partner|id1", first.text("code"))
	first.do(chromedp.Navigate(app+"/again"), chromedp.Navigate(app+"/login"))
	assert.Equal(t, "oauth2|partner|id1", first.text("#sub"), "without a page between")
	first.do(chromedp.Navigate(issuer+"/"), chromedp.Click(submit), chromedp.WaitNotPresent(chromedp.CSS("form")))
	assert.Equal(t, "Auth server", first.text("h1"))

	first.do(chromedp.Navigate(issuer+"/nowhere"), chromedp.Click(chromedp.CSS("main a")))
	assert.Equal(t, "Auth server", first.text("h1"))
	first.do(chromedp.Click(chromedp.CSS(".buttons a")))
	assert.Equal(t, "Logged in", first.text("h1"))
}

// response_mode=form_post: the page sends itself, which its policy lets it do.
func TestBrowser_FormPost(t *testing.T) {
	b := browser(t)
	s := newStack(t)
	got := make(chan url.Values, 1)
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.ParseForm() == nil {
			got <- r.PostForm
		}
		_, _ = w.Write([]byte("<main>thank you</main>"))
	}))
	defer application.Close()
	config := s.replicas[0].Config
	config.Clients = []Client{{ID: "other", Name: "Other", RedirectURIs: []string{application.URL + "/callback"}}}
	s.edit("corporate.json", `"enabled_clients": ["sample-app"]`, `"enabled_clients": ["sample-app", "other"]`)
	server := httptest.NewUnstartedServer(nil)
	config.Issuer = "http://" + server.Listener.Addr().String()
	other, err := NewServer(t.Context(), config)
	require.NoError(t, err)
	server.Config.Handler = other.Handler()
	server.Start()
	defer server.Close()
	b.do(chromedp.Navigate(s.app + "/login?connection=corporate"))
	b.logIn()
	b.text("#sub") // and there is a session, for cookies know no ports
	query := url.Values{
		"client_id": {"other"}, "redirect_uri": {application.URL + "/callback"}, "response_type": {"code"}, "scope": {"openid"},
		"response_mode": {"form_post"}, "state": {"a&b"},
	}
	b.do(chromedp.Navigate(config.Issuer + "/authorize?" + query.Encode()))
	var form url.Values
	select {
	case form = <-got:
	case <-time.After(time.Minute):
		t.Fatal("the page does not send itself")
	}
	assert.NotEmpty(t, form.Get("code"))
	assert.Equal(t, "a&b", form.Get("state"))
	assert.Equal(t, config.Issuer, form.Get("iss"))
}
