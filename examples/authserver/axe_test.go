package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login/sqlstore"
)

// axe gives a look at the page that a tab shows, on a desktop and a telephone, in
// light and in dark. The test is skipped where axe-core is not installed.
func axe(b *tab) (look func(name string)) {
	source, err := os.ReadFile("testdata/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		b.t.Skip("no axe-core (sh setup.sh installs it): the pages were not looked at with it")
	}
	return func(name string) {
		b.t.Helper()
		ask(b, chromedp.Evaluate[string](string(source)+"; axe.version"))
		for _, device := range []struct {
			name          string
			width, height int64
		}{{"desktop", 1200, 900}, {"telephone", 360, 740}} {
			b.do(chromedp.EmulateViewport(device.width, device.height))
			for _, scheme := range []string{"light", "dark"} {
				b.do(prefers(scheme))
				ask(b, chromedp.Evaluate[bool](`(axe.run().then(r => document.axeFound = JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join("; ")))), true)`))
				found := ask(b, chromedp.Poll[string]("document.axeFound"))
				ask(b, chromedp.Evaluate[bool]("delete document.axeFound"))
				assert.Equal(b.t, "[]", found, "%s, %s, %s", name, device.name, scheme)
				wide := ask(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
				assert.LessOrEqual(b.t, wide, device.width, "%s, %s: the page scrolls sideways", name, device.name)
				b.picture(fmt.Sprintf("axe-%s-%s-%s", name, device.name, scheme))
			}
		}
		b.do(chromedp.EmulateViewport(1000, 900), prefers("light"))
	}
}

// prefers has the browser say that its user prefers a colour scheme.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return chromedp.Void{}, err
	}
}

// Every page that this program has, as users, operators and applications' users
// see it.
func TestBrowser_Axe(t *testing.T) {
	b := browser(t)
	look := axe(b)
	o, _ := start(t)
	app, issuer, operator := "http://"+o.app, "http://"+o.auth, "http://"+o.operator
	open := func(name, address string) {
		b.do(chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("main")))
		look(name)
	}
	open("application-start", app+"/")
	open("application-failed", app+"/callback?state=a&code=b")
	open("application-404", app+"/nowhere")
	open("start", issuer+"/")
	open("404", issuer+"/nowhere")
	open("unknown-client", issuer+"/authorize")
	open("callback-of-nobody", issuer+"/login/callback/corporate?state=a&code=b")
	open("login-page", app+"/login")
	b.do(
		chromedp.Click(chromedp.CSS(".buttons li:first-child a")), chromedp.WaitVisible(chromedp.CSS("#username")),
		chromedp.SendKeys(chromedp.CSS("#username"), "test-user@localhost"), chromedp.SendKeys(chromedp.CSS("#password"), "verysecure"),
		chromedp.Click(submit), chromedp.WaitVisible(chromedp.CSS("#sub")),
	)
	look("application-user")
	open("start-logged-in", issuer+"/")
	open("connections", operator+"/connections")
	open("operator-404", operator+"/nowhere")
	explain := operator + "/connections/corporate/explain"
	open("explain", explain)
	const request = "client_id=sample-app&connection=corporate&login_hint=ann%40example.com&prompt=login+select_account&acr_values=strong&max_age=60"
	b.do(chromedp.SetValue(chromedp.CSS("#request"), request), chromedp.Click(submit), chromedp.WaitVisible(chromedp.CSS("#explanation")))
	look("explained")
	b.do(chromedp.Navigate(explain), chromedp.SetValue(chromedp.CSS("#request"), "client_id=another&prompt=a&prompt=b"), chromedp.Click(submit), chromedp.WaitVisible(chromedp.CSS("#refused")))
	look("explain-refused")
	b.do(chromedp.Navigate(explain), chromedp.SetValue(chromedp.CSS("#request"), "client_id=another"), chromedp.Click(submit), chromedp.WaitVisible(chromedp.CSS("#sentence")))
	look("explain-sentence")
	path := filepath.Join(o.connections, "corporate.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"warnings": {`"scope": "openid profile email"`, `"scope": "openid profile email", "made_up_option": 1`},
		"problems": {`{"alias": "login_hint"}`, `{"alias": "loginhint"}`},
	} {
		require.Contains(t, string(text), change[0])
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), change[0], change[1], 1)), 0o600))
		b.until(explain, "#"+name)
		look("explain-" + name)
		b.do(chromedp.Navigate(operator+"/connections"), chromedp.WaitVisible(chromedp.CSS("table")))
		look("connections-" + name)
	}
	versions := explained{Name: "corporate", Loaded: "2026-11-21", History: []sqlstore.Connection{{Version: 2, Author: "ann"}, {Version: 1, Author: "import", Body: []byte("{}")}}}
	for name, p := range map[string]page{
		"form-post": {template: "form_post.html", data: map[string]any{"Action": "https://app.example.com", "Values": url.Values{"code": {"a"}}}}, // without its script it rests
		"history":   {template: "explain.html", data: versions},
	} {
		p.status = http.StatusOK
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				_ = render(w, p)
				return
			}
			http.ServeFileFS(w, r, pageFiles, "pages"+r.URL.Path)
		}))
		open(name, server.URL+"/")
		server.Close()
	}
}
