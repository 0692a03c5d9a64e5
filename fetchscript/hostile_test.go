package fetchscript_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/fetchscript"
)

// hostile are scripts that want to take the server down, with the limits one of
// which has to end each. They are the bodies of function (t, c, cb).
var hostile = []struct {
	name, body string
	limits     string
}{
	{"Loop", "for (;;) {}", "cpu"},
	{"LoopInCatch", "for (;;) { try { for (;;) {} } catch (e) {} finally { for (;;) {} } }", "cpu"},
	{"LoopInPromise", "(function again() { return Promise.resolve().then(again); })();", "cpu memory"},
	{"LoopAfterProfile", "cb(null, { user_id: 'u1' }); for (;;) {}", "none"},
	{"Recursion", "(function f() { f(); })();", "stack"},
	{"RecursionCaught", "(function f() { try { f(); } finally { f(); } })();", "stack cpu"},
	{"RecursionOfGetters", "const o = { get a() { return this.a; } }; o.a;", "stack"},
	{"RecursionOfJSON", "let s = {}; for (let i = 0; i < 1e6; i++) s = { s }; JSON.stringify(s);", "stack memory"},
	{"RecursionOfProxies", "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x;", "stack memory"},
	{"Regexp", "/^(a+)+$/.test('a'.repeat(60) + 'b'); cb(null, {user_id: 'u1'});", "cpu"},
	{"RegexpLookahead", "/^(?=(a+)+$)b/.test('a'.repeat(60) + 'b'); cb(null, {user_id: 'u1'});", "cpu"},
	{"RegexpCompile", "new RegExp('(?:'.repeat(1e5) + ')'.repeat(1e5))", "stack memory message"},
	{"GrowingArray", "const a = []; for (;;) a.push({});", "memory"},
	{"GrowingArrayCaught", "const a = []; for (;;) { try { for (;;) a.push(new Array(100).fill(a)); } catch (e) {} }", "memory cpu"},
	{"GrowingString", "let s = 'x'; for (;;) s += s + 'y';", "memory"},
	{"GrowingMap", "const m = new Map(); for (let i = 0; ; i++) m.set(i, {});", "memory"},
	{"Repeat", "'x'.repeat(2 ** 30)", "memory"},
	{"PadStart", "cb(null, { user_id: 'x'.padStart(2 ** 29) })", "memory result"},
	{"Join", "Array(2 ** 32 - 1).join('x')", "cpu memory"},
	{"JoinComma", "Array(2 ** 32 - 1).join()", "cpu memory"},
	{"FillSort", "new Array(1e8).fill().sort()", "cpu memory"},
	{"Sort", "new Array(4e5).fill().map((_, i) => 'k' + (i * 7919 % 4e5)).sort(); for (;;) {}", "cpu memory"},
	{"IndexOfNothing", "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)", "cpu"},
	{"TypedArray", "new Uint8Array(2 ** 31)", "memory"},
	{"BigInt", "let n = 3n; for (;;) n = n * n;", "cpu memory message"},
	{"ReplaceAll", "'a'.repeat(1e6).replaceAll('a', 'b'.repeat(1e6))", "memory cpu"},
	{"NeverSettles", "return new Promise(() => {});", "callback"},
	{"NeverCalls", "return;", "callback"},
	{"NeverCallsAfterHTTP", "request.get('https://idp.example.com/me', () => {});", "callback"},
	{"NeverCallsWithInterval", "setInterval(() => {}, 20);", "time"},
	{"LongTimer", "setTimeout(() => cb(null, { user_id: 'u1' }), 1e8);", "time"},
	{"TimerStorm", "for (;;) setTimeout(() => {}, 0);", "timers"},
	{"TimerChain", "(function again() { setTimeout(again, 0); })();", "timers cpu time"},
	{"TimerTree", "(function again() { setTimeout(again, 0); setTimeout(again, 0); })();", "timers"},
	{"GetterInProfile", "cb(null, { get user_id() { for (;;) {} } });", "cpu"},
	{"GetterThrows", "cb(null, { get user_id() { throw new Error('boom'); } });", "message"},
	{"ProxyProfile", "cb(null, new Proxy({}, { ownKeys() { return Array.from({ length: 1e5 }, (_, i) => 'k' + i); }, getOwnPropertyDescriptor() { return { enumerable: true, configurable: true, value: 1 }; }, get(_, k) { return typeof k === 'string' && k[0] === 'k' ? 'x'.repeat(100) : undefined; } }));", "result memory cpu"},
	{"ProxyLoop", "cb(null, new Proxy({}, { ownKeys() { for (;;) {} } }));", "cpu"},
	{"ToJSON", "cb(null, { toJSON() { for (;;) {} } });", "cpu"},
	{"EndlessProfile", "const o = { toJSON() { return { o: { toJSON: o.toJSON } }; } }; cb(null, o);", "stack memory cpu result message"},
	{"Cycle", "const p = { user_id: 'u1' }; p.self = p; cb(null, p);", "message"},
	{"LongProfile", "cb(null, { user_id: 'u1', x: 'x'.repeat(1 << 20) });", "result"},
	{"DeepProfile", "let o = 1; for (let i = 0; i < 100; i++) o = { o }; cb(null, { user_id: 'u1', o });", "message"},
	{"BigIntInProfile", "cb(null, { user_id: 10n });", "message"},
	{"ConsoleFlood", "for (;;) console.log('x');", "console"},
	{"ConsoleLongLine", "for (;;) console.log('x'.repeat(1e5));", "console cpu"},
	{"RequestFlood", "for (;;) request.get('https://idp.example.com/me', () => {});", "requests memory"},
	{"RequestChain", "(function again() { request.get('https://idp.example.com/me', again); })();", "requests"},
	{"LongAnswer", "request.get('https://idp.example.com/long', (e, r, b) => cb(null, { user_id: b.length }));", "response"},
	{"SlowAnswer", "request.get('https://idp.example.com/slow', (e, r, b) => cb(null, { user_id: 'u1' }));", "time"},
	{"HashFlood", "for (;;) require('crypto').createHash('sha256').update('x'.repeat(1e6)).digest('hex');", "cpu memory"},
	{"PatchedBuiltins", "JSON.stringify = () => { for (;;) {} }; Object.keys = null; Array.prototype.map = null; Promise.prototype.then = null; cb(null, { user_id: 'u1' });", "none"},
	{"EvalLoop", "eval('for (;;) {}')", "cpu"},
	{"Wait", "Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)", "message"},
}

func hostileIDP(t testing.TB) *idp {
	return newIDP(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			_, _ = w.Write([]byte(strings.Repeat("x", 2<<20)))
		case "/slow":
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		default:
			_, _ = w.Write([]byte("{}"))
		}
	})
}

// ends runs a hostile script and checks how it ends. That it does is what counts:
// by which limit depends on how fast the machine is, and "cpu" and "time" are
// always right. Only those of "none" are to end well, with all the time they want.
func ends(t *testing.T, o fetchscript.Options, ctx context.Context, body, limits string) {
	t.Helper()
	if limits == "none" {
		o.CPU, o.Timeout = slow.CPU, slow.Timeout
	}
	s, err := o.Compile("function (t, c, cb) { " + body + " }")
	require.NoError(t, err)
	_, err = s.Fetch(ctx, token(nil), connection())
	if limits == "none" {
		require.NoError(t, err)
		return
	}
	var failure *fetchscript.Error
	require.ErrorAs(t, err, &failure)
	if failure.Limit == "" {
		assert.Contains(t, limits, "message", "%v", err)
	} else {
		assert.Contains(t, strings.Fields(limits+" cpu time"), string(failure.Limit), "%v", err)
		assert.Contains(t, err.Error(), string(failure.Limit)+" limit")
	}
}

// slow are limits that no machine comes to by being slow.
var slow = fetchscript.Options{Timeout: 5 * time.Minute, CPU: 5 * time.Minute}

// tight are the limits under which hostile scripts run here.
var tight = fetchscript.Options{Timeout: 500 * time.Millisecond, CPU: 250 * time.Millisecond, Memory: 32 << 20}

func cancelled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// TestHostile runs every hostile script in the process of the program, and sees
// that the process is well afterwards.
func TestHostile(t *testing.T) {
	p, o := hostileIDP(t), tight
	before := runtime.NumGoroutine()
	o.Pool = fetchscript.NewPool(0, time.Millisecond)
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) { ends(t, o, p.context(t.Context()), h.body, h.limits) })
	}
	profile, err := fetch(t, answering(t.Context(), account), fetchscript.Options{}, sample, token(nil))
	require.NoError(t, err)
	assert.Equal(t, "4f1c", profile.UserID)
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+10 }, time.Minute, 20*time.Millisecond,
		"goroutines are left over")
}
