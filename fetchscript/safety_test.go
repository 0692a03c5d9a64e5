package fetchscript_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
)

// sharing leaves a trace wherever a script can leave one, and tells which traces
// of an earlier run it finds.
const sharing = `function (token, ctx, cb) {
	const found = [];
	const leave = (name, has, put) => { if (has()) found.push(name); put(); };
	leave('global', () => 'trace' in globalThis, () => { globalThis.trace = 1; });
	leave('prototype', () => 'trace' in {}, () => { Object.prototype.trace = 1; });
	delete Object.prototype.trace;
	leave('Array.prototype', () => 'trace' in [], () => { Array.prototype.trace = 1; });
	leave('function', () => 'trace' in Array.from, () => { Array.from.trace = 1; });
	leave('JSON', () => JSON.trace, () => { JSON.trace = 1; });
	leave('request', () => request.trace, () => { request.trace = 1; });
	leave('lodash', () => _.trace, () => { _.mixin({ trace: () => 1 }); });
	leave('module', () => require('crypto').trace, () => { require('crypto').trace = 1; });
	leave('axios', () => require('axios').defaults.headers.common.trace, () => { require('axios').defaults.headers.common.trace = 1; });
	leave('symbol', () => Symbol.for('x').description === 'y' || Symbol.trace, () => { Symbol.trace = Symbol.for('trace'); });
	leave('regexp', () => RegExp.trace, () => { RegExp.trace = /a/g.test('a'); });
	leave('configuration', () => configuration.trace, () => { configuration.trace = 1; });
	leave('context', () => ctx.trace, () => { ctx.trace = 1; });
	leave('the function itself', () => globalThis.own || (cb.trace), () => { cb.trace = 1; });
	const first = setTimeout(() => {}, 100000);
	leave('timer', () => +first !== 1, () => {});
	leave('prepare', () => typeof Error.prepareStackTrace === 'function', () => { Error.prepareStackTrace = () => 'x'; });
	leave('frozen', () => Object.isFrozen(Math), () => { Object.freeze(Math); });
	leave('constructor', () => (() => {}).constructor.trace, () => { (() => {}).constructor.trace = 1; });
	leave('iterator', () => Object.getPrototypeOf([][Symbol.iterator]()).trace, () => { Object.getPrototypeOf([][Symbol.iterator]()).trace = 1; });
	Promise.reject(new Error('left over'));
	cb(null, { user_id: 'u1', found, random: Math.random(), token });
}`

func sharesNothing(t *testing.T, s *fetchscript.Script) {
	randoms := map[string]bool{}
	for i := range 5 {
		own := fmt.Sprintf("token-of-run-%d", i)
		tok := token(nil)
		tok.AccessToken = own
		profile, err := s.Fetch(t.Context(), tok, connection())
		require.NoError(t, err)
		assert.JSONEq(t, "[]", string(profile.Extra["found"]), "run %d", i)
		assert.JSONEq(t, `"`+own+`"`, string(profile.Extra["token"]))
		randoms[string(profile.Extra["random"])] = true
	}
	assert.Len(t, randoms, 5, "runs of one copy of memory must not share chance either")
}

// TestRunsShareNothing: issue point 5. One engine serves all runs here.
func TestRunsShareNothing(t *testing.T) {
	s, err := fetchscript.Options{Idle: 1, Concurrency: 1}.Compile(sharing)
	require.NoError(t, err)
	sharesNothing(t, s)
}

// TestScriptSeesNothingOfTheHost: no file, environment, process or module of it.
func TestScriptSeesNothingOfTheHost(t *testing.T) {
	t.Setenv("DATABASE_PASSWORD", "secret")
	out := result(t, t.Context(), `(t, c, cb) => {
		const names = ['process', 'std', 'os', 'bjson', 'Deno', 'Bun', 'host', 'fetchscript', 'scriptArgs', 'print', 'module', 'load', 'loadScript', 'gc', 'Worker', 'navigator'];
		const seen = names.filter((n) => n in globalThis);
		for (const n of ['fs', 'child_process', 'net', 'os', 'process', 'vm', 'std', '../x', '/etc/passwd', '__proto__', 'constructor', 'toString']) {
			try { require(n); seen.push(n); } catch (e) {}
		}
		import('std').then(() => { seen.push('import'); }, () => {}).then(() => cb(null, { user_id: 'u1', out: seen }));
	}`, token(nil))
	assert.JSONEq(t, "[]", out)
}

// TestProtoInTheBody: a member named __proto__ pollutes nothing.
func TestProtoInTheBody(t *testing.T) {
	ctx := answering(t.Context(), `{"id": "u1", "__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}}`)
	s, err := fetchscript.Compile(`(t, c, cb) => request.get({ url: 'https://idp.example.com/me', json: true }, (e, r, b) => {
		_.merge({}, b);
		cb(null, { user_id: b.id, polluted: ({}).admin === true, own: Object.keys(b).length });
	})`)
	require.NoError(t, err)
	for range 2 {
		profile, err := s.Fetch(ctx, token(nil), connection())
		require.NoError(t, err)
		assert.JSONEq(t, "false", string(profile.Extra["polluted"]))
		assert.JSONEq(t, "3", string(profile.Extra["own"]))
	}
	// A profile that is the body itself keeps the member as any other.
	profile, err := fetch(t, ctx, fetchscript.Options{}, "(t, c, cb) => request.get({ url: 'https://idp.example.com/me', json: true }, (e, r, b) => cb(null, b))", token(nil))
	require.NoError(t, err)
	assert.Contains(t, profile.Extra, "__proto__")
}

const personal = `{"id": "u1", "email": "ann.private@example.com", "address": {"street": "1 Long Lane", "city": "Exampletown"}}`

// TestH8ErrorsHoldNoSecret: the script's message stays, what it quotes does not.
func TestH8ErrorsHoldNoSecret(t *testing.T) {
	for name, source := range map[string]string{
		"token":          "(t, c, cb) => cb(new Error('kept: ' + t))",
		"token, encoded": "(t, c, cb) => cb(new Error('kept: ' + Buffer.from(t).toString('base64') + encodeURIComponent(t)))",
		"id_token":       "(t, c, cb) => cb('kept: ' + c.id_token)",
		"secret":         "(t, c, cb) => cb(new Error('kept: ' + JSON.stringify(c)))",
		"basic":          "(t, c, cb) => cb(new Error('kept: Basic ' + btoa(c.client_id + ':' + c.client_secret)))",
		"configuration":  "(t, c, cb) => { throw new Error('kept: ' + configuration.key); }",
		"body":           "(t, c, cb) => request.get('https://idp.example.com/me', (e, r, b) => cb(new Error('kept: ' + b)))",
		"body, written":  "(t, c, cb) => request.get({ url: 'https://idp.example.com/me', json: true }, (e, r, b) => cb(new Error('kept: ' + JSON.stringify(b))))",
		"body, in part":  "(t, c, cb) => request.get('https://idp.example.com/me', (e, r, b) => cb(new Error('kept: ' + b.slice(10, 80))))",
		"body, object":   "(t, c, cb) => require('axios').get('https://idp.example.com/me').then((r) => { throw { message: 'kept: ' + JSON.stringify(r.data.address) }; }).catch(cb)",
		"rejection":      "async (t, c) => { throw new Error('kept: ' + t); }",
		"left over":      "(t, c, cb) => { Promise.reject(new Error('kept: ' + t)); }",
		"module name":    "(t, c, cb) => require('kept: ' + t)",
	} {
		t.Run(name, func(t *testing.T) {
			o := fetchscript.Options{Configuration: map[string]string{"key": "CONF-112233"}}
			ctx := answering(t.Context(), personal)
			tok := token(map[string]any{"id_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzMSJ9.SIGNATURE"})
			s, err := o.Compile(source)
			require.NoError(t, err)
			_, err = s.Fetch(ctx, tok, connection())
			require.Error(t, err)
			var own *fetchscript.Error
			require.ErrorAs(t, err, &own)
			assert.Contains(t, err.Error(), `connection "acme"`)
			for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %#v %q", err, err, own, own), fmt.Sprintf("%+v", *own), own.Message} {
				assert.Contains(t, text, "kept")
				for _, secret := range []string{accessToken, clientSecret, "SIGNATURE", "CONF-112233", "ann.private", "Long Lane", "Q1MtMGIyZDRmNmE4Yw", "QVQtN2YzYTljNWQxZQ"} {
					assert.NotContains(t, text, secret)
				}
			}
		})
	}
	_, err := fetch(t, t.Context(), fetchscript.Options{}, "(t, c, cb) => cb(new Error('x'.repeat(1e6) + '\\n\\u001b[1m'))", token(nil))
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 2000)
}

// TestH8ConsoleGoesToSlog at debug level, and holds no token.
func TestH8ConsoleGoesToSlog(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	_, err := fetch(t, answering(t.Context(), personal), fetchscript.Options{Logger: logger}, `(token, c, cb) => {
		console.log('kept', token, { secret: c.client_secret, n: 1 });
		console.error('line\nbreak');
		request.get('https://idp.example.com/me', (e, r, b) => { console.warn('body', b); cb(null, { user_id: 'u1' }); });
	}`, token(nil))
	require.NoError(t, err)
	assert.Contains(t, log.String(), "kept")
	assert.Contains(t, log.String(), "connection=acme")
	assert.Equal(t, 3, strings.Count(log.String(), "level=DEBUG"))
	for _, secret := range []string{accessToken, clientSecret, "ann.private"} {
		assert.NotContains(t, log.String(), secret)
	}
	log.Reset()
	quiet := slog.New(slog.NewTextHandler(&log, nil))
	_, err = fetch(t, t.Context(), fetchscript.Options{Logger: quiet}, "(t, c, cb) => { console.log('x'); cb(null, { user_id: 'u1' }); }", token(nil))
	require.NoError(t, err)
	assert.Empty(t, log.String())
}

// TestU2RedirectsKeepTheToken: a redirect is followed, but a token never goes to
// another host, not even on the way back.
func TestU2RedirectsKeepTheToken(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/same":
			http.Redirect(w, r, "/me", http.StatusFound)
		case "/other":
			http.Redirect(w, r, "https://evil.example.net/me", http.StatusFound)
		case "/port":
			http.Redirect(w, r, "https://idp.example.com:8443/me", http.StatusFound)
		case "/plain":
			http.Redirect(w, r, "http://idp.example.com/me", http.StatusFound)
		case "/there":
			http.Redirect(w, r, "https://evil.example.net/back", http.StatusTemporaryRedirect)
		case "/back":
			http.Redirect(w, r, "https://idp.example.com/me", http.StatusTemporaryRedirect)
		case "/post":
			http.Redirect(w, r, "https://evil.example.net/post2", http.StatusTemporaryRedirect)
		case "/see":
			http.Redirect(w, r, "/me", http.StatusSeeOther)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			echo(w, r)
		}
	}
	const headers = "{ Authorization: 'Bearer ' + token, Cookie: 'c=1', 'X-Custom': token }"
	request := func(path string) string {
		return "request.get({ url: 'https://idp.example.com" + path + "', json: true, headers: " + headers + " }, (e, r, b) => e ? cb(e) : cb(null, { user_id: 'u1', out: [b.authorization, b.custom, b.host] }))"
	}
	axios := func(path string) string {
		return "require('axios').get('https://idp.example.com" + path + "', { headers: " + headers + " }).then(({ data: b }) => cb(null, { user_id: 'u1', out: [b.authorization, b.custom, b.host] }), cb)"
	}
	for _, c := range []struct{ name, statement, want string }{
		{"request, same host", request("/same"), `["Bearer ` + accessToken + `","` + accessToken + `","idp.example.com"]`},
		{"axios, same host", axios("/same"), `["Bearer ` + accessToken + `","` + accessToken + `","idp.example.com"]`},
		{"request, other host", request("/other"), `["","","evil.example.net"]`},
		{"axios, other host", axios("/other"), `["","","evil.example.net"]`},
		{"other port", request("/port"), `["","","idp.example.com:8443"]`},
		{"http", axios("/plain"), `["","","idp.example.com"]`},
		{"there and back", request("/there"), `["","","idp.example.com"]`},
		{"fetch", "fetch('https://idp.example.com/other', { headers: " + headers + " }).then((r) => r.json()).then((b) => cb(null, { user_id: 'u1', out: b.authorization }))", `""`},
		{"https does not follow", "require('https').get('https://idp.example.com/other', (res) => cb(null, { user_id: 'u1', out: [res.statusCode, res.headers.location] }))", `[302,"https://evil.example.net/me"]`},
		{"followRedirect: false", "request.get({ url: 'https://idp.example.com/same', followRedirect: false }, (e, r) => cb(null, { user_id: 'u1', out: r.statusCode }))", "302"},
		{"request does not follow a POST", "request.post({ url: 'https://idp.example.com/see', form: { a: 1 } }, (e, r) => cb(null, { user_id: 'u1', out: r.statusCode }))", "303"},
		{"followAllRedirects", "request.post({ url: 'https://idp.example.com/see', form: { a: 1 }, followAllRedirects: true }, (e, r, b) => { b = JSON.parse(b); cb(null, { user_id: 'u1', out: [b.method, b.body, b.type] }) })", `["GET","",""]`},
		{"a body goes to no other host", "require('axios').post('https://idp.example.com/post', { secret: c.client_secret }).catch((e) => cb(null, { user_id: 'u1', out: e.message }))", `"a redirect to another host is not followed with a body"`},
		{"too many", "require('axios').get('https://idp.example.com/loop').catch((e) => cb(null, { user_id: 'u1', out: e.message }))", `"Exceeded maxRedirects"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newIDP(t, handler)
			assert.JSONEq(t, c.want, result(t, p.context(t.Context()), "(token, c, cb) => { "+c.statement+" }", token(nil)))
			for _, s := range p.requests() {
				if s.Host != "idp.example.com" {
					assert.NotContains(t, fmt.Sprint(s), accessToken)
					assert.NotContains(t, fmt.Sprint(s), clientSecret)
				}
			}
		})
	}
}

// TestTokenResponseSpeaksForNoOption: the connection's own members win.
func TestTokenResponseSpeaksForNoOption(t *testing.T) {
	tok := token(map[string]any{"client_secret": "x", "tokenURL": "https://evil.example.net", "client_id": "x", "scope": "granted", "odd": func() {}})
	out := result(t, t.Context(), "(t, c, cb) => cb(null, { user_id: 'u1', out: [c.client_id, c.client_secret.length, c.tokenURL, c.scope, c.odd] })", tok)
	assert.JSONEq(t, `["client-1",13,"https://idp.example.com/token","granted",null]`, out)
}

// TestE4Concurrent: 100 logins at once, on one script.
func TestE4Concurrent(t *testing.T) {
	p := newIDP(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		_, _ = fmt.Fprintf(w, `{"account": {"uuid": %q}}`, r.Header.Get("Authorization"))
	})
	ctx := p.context(t.Context())
	for _, concurrency := range []int{100, 7} {
		s, err := fetchscript.Options{Concurrency: concurrency, Timeout: slow.Timeout}.Compile(sample)
		require.NoError(t, err)
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				tok := token(nil)
				tok.AccessToken = fmt.Sprintf("token-%d", i)
				profile, err := s.Fetch(ctx, tok, connection())
				if assert.NoError(t, err) {
					assert.Equal(t, "Bearer "+tok.AccessToken, profile.UserID)
				}
			})
		}
		all.Wait()
	}
}

// TestE4Waiting: a run that finds all engines in use waits no longer than it may.
func TestE4Waiting(t *testing.T) {
	s, err := fetchscript.Options{Concurrency: 1, Timeout: 300 * time.Millisecond}.Compile("(t, c, cb) => setTimeout(cb, 1e8)")
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			_, err := s.Fetch(t.Context(), token(nil), connection())
			var failure *fetchscript.Error
			if assert.ErrorAs(t, err, &failure) {
				assert.Equal(t, fetchscript.LimitTime, failure.Limit)
			}
		})
	}
	all.Wait()
}

// TestE3TheLoginIsGivenUp: the context's end is the run's.
func TestE3TheLoginIsGivenUp(t *testing.T) {
	for name, body := range map[string]string{"waiting": "setTimeout(cb, 1e8)", "computing": "for (;;) {}", "in a built-in": "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)"} {
		s, err := slow.Compile("(t, c, cb) => { " + body + " }")
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err = s.Fetch(ctx, token(nil), connection())
		require.ErrorIs(t, err, context.Canceled, name)
		cancel()
	}
}

func TestE3NoPanic(t *testing.T) {
	var none *fetchscript.Script
	_, err := none.Fetch(t.Context(), token(nil), connection())
	require.Error(t, err)
	_, err = (&fetchscript.Script{}).Fetch(t.Context(), token(nil), connection())
	require.Error(t, err)
	s, err := fetchscript.Compile("(t, c, cb) => cb(null, { user_id: 'u1' })")
	require.NoError(t, err)
	_, err = s.Fetch(t.Context(), nil, connection())
	require.Error(t, err)
	var noContext context.Context
	profile, err := s.Fetch(noContext, token(nil), nil)
	require.NoError(t, err)
	assert.Equal(t, "u1", profile.UserID)
	var own *upstream.ProfileError
	_, err = s.Fetch(cancelled(t.Context()), token(nil), connection())
	require.ErrorAs(t, err, &own)
	assert.True(t, errors.Is(err, context.Canceled))
}

// TestMemoryStaysFlat: issue, how it must perform. Failing runs are among them.
func TestMemoryStaysFlat(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("the race detector's own memory grows")
	}
	s, err := fetchscript.Compile(sample)
	require.NoError(t, err)
	good, bad := answering(t.Context(), account), answering(t.Context(), "no JSON")
	debug.FreeOSMemory() // what other tests left
	runs := func(n int) uint64 {
		for i := range n {
			ctx := good
			if i%10 == 0 {
				ctx = bad
			}
			_, _ = s.Fetch(ctx, token(nil), connection())
		}
		debug.FreeOSMemory()
		return resident(t)
	}
	after1000 := runs(1000)
	after10000 := runs(9000)
	t.Logf("resident after 1000 runs: %d KiB, after 10000: %d KiB", after1000>>10, after10000>>10)
	assert.Less(t, float64(after10000), 1.2*float64(after1000))
}

// TestEnginesAreFreed: a script that is not used any more leaves nothing behind,
// nor does one whose engine was taken away from it.
func TestEnginesAreFreed(t *testing.T) {
	if underRace {
		t.Skip("the race detector's own memory grows")
	}
	o := fetchscript.Options{CPU: 5 * time.Millisecond, Memory: 8 << 20}
	cycle := func(n int) uint64 {
		for range n {
			s, err := o.Compile("(t, c, cb) => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)")
			require.NoError(t, err)
			_, err = s.Fetch(t.Context(), token(nil), connection())
			require.ErrorContains(t, err, "cpu limit")
		}
		runtime.GC()
		time.Sleep(20 * time.Millisecond) // cleanups run behind
		runtime.GC()
		return resident(t)
	}
	before := cycle(20)
	after := cycle(60)
	t.Logf("resident before: %d KiB, after: %d KiB", before>>10, after>>10)
	assert.Less(t, float64(after), 1.3*float64(before))
}

// TestStackOption: the setting is what counts.
func TestStackOption(t *testing.T) {
	source := "(t, c, cb) => { let n = 0; try { (function f() { n++; f(); })(); } catch (e) {} cb(null, { user_id: n }); }"
	depth := func(stack int) int {
		profile, err := fetch(t, t.Context(), fetchscript.Options{Stack: stack}, source, token(nil))
		require.NoError(t, err)
		n, err := strconv.Atoi(profile.UserID)
		require.NoError(t, err)
		return n
	}
	assert.Less(t, depth(100), 110)
	assert.Greater(t, depth(800), 200)
}

// TestMemoryOption: what fits into the default does not fit into less.
func TestMemoryOption(t *testing.T) {
	source := "(t, c, cb) => cb(null, { user_id: new Uint8Array(20 << 20).length })"
	_, err := fetch(t, t.Context(), fetchscript.Options{}, source, token(nil))
	require.NoError(t, err)
	_, err = fetch(t, t.Context(), fetchscript.Options{Memory: 16 << 20}, source, token(nil))
	require.ErrorContains(t, err, "memory limit")
}

// TestCallbackEndsTheScript: what comes after does not hold the login up.
func TestCallbackEndsTheScript(t *testing.T) {
	_, err := fetch(t, t.Context(), slow, "(t, c, cb) => { cb(null, { user_id: 'u1' }); for (;;) {} }", token(nil))
	require.NoError(t, err)
}

// TestCookiesAreNotShared: the host's client may have a jar.
func TestCookiesAreNotShared(t *testing.T) {
	p := newIDP(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "login", Value: "of another user"})
		echo(w, r)
	})
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	ctx := p.context(t.Context())
	ctx.Value(oauth2.HTTPClient).(*http.Client).Jar = jar
	for range 2 {
		_, err = fetch(t, ctx, fetchscript.Options{}, "(t, c, cb) => request.get('https://idp.example.com/me', () => request.get('https://idp.example.com/me', () => cb(null, { user_id: 'u1' })))", token(nil))
		require.NoError(t, err)
	}
	for _, s := range p.requests() {
		assert.Empty(t, s.Header.Get("Cookie"))
	}
}

// TestConcurrencyAndIdle: so many at once, and so many engines afterwards.
func TestConcurrencyAndIdle(t *testing.T) {
	p := newIDP(t, echo)
	ctx := p.context(t.Context())
	client := ctx.Value(oauth2.HTTPClient).(*http.Client)
	direct := client.Transport
	asked, answered := make(chan bool, 6), make(chan bool)
	client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		asked <- true
		<-answered
		return direct.RoundTrip(r)
	})
	s, err := fetchscript.Options{Concurrency: 3, Idle: 2, Timeout: slow.Timeout}.Compile("(t, c, cb) => request.get('https://idp.example.com/me', () => cb(null, { user_id: 'u1' }))")
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			_, err := s.Fetch(ctx, token(nil), connection())
			assert.NoError(t, err)
		})
	}
	for range 3 {
		<-asked
	}
	select {
	case <-asked:
		t.Error("a fourth run is under way")
	case <-time.After(50 * time.Millisecond):
	}
	close(answered)
	all.Wait()
	assert.Equal(t, 2, fetchscript.Idle(s))
}
