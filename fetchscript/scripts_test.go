package fetchscript_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"context"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
)

func TestU1SampleVerbatim(t *testing.T) {
	p := newIDP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+accessToken {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(account))
	})
	s, err := fetchscript.Compile(sample)
	require.NoError(t, err)
	for range 3 {
		profile, err := s.Fetch(p.context(t.Context()), token(nil), connection())
		require.NoError(t, err)
		assert.Equal(t, "4f1c", profile.UserID)
		assert.Equal(t, "ann@example.com", profile.Email)
	}
	require.Len(t, p.requests(), 3)
	assert.Equal(t, "auth.example.com", p.requests()[0].Host)
	assert.Equal(t, "/userinfo", p.requests()[0].Path)

	failing := newIDP(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	_, err = s.Fetch(failing.context(t.Context()), token(nil), connection())
	require.Error(t, err)
}

// TestU1FunctionForms has every form in which scripts are written.
func TestU1FunctionForms(t *testing.T) {
	body := "(accessToken, ctx, cb) { cb(null, { user_id: 'u1', out: accessToken.length }); }"
	for name, source := range map[string]string{
		"anonymous":                    "function " + body,
		"anonymous, semicolon":         "function " + body + ";\n",
		"anonymous, comment behind":    "function " + body + " // the end",
		"comments first":               "// a comment\n/* another\n function x() {} */\nfunction " + body,
		"named":                        "function fetchUserProfile" + body,
		"another name":                 "function getProfile" + body,
		"with another function":        "function other(a) { return a; }\nfunction getProfile(t, c, cb) { cb(null, { user_id: other('u1') }); }",
		"with another behind":          "function fetchUserProfile(t, c, cb) { cb(null, { user_id: other('u1') }); }\nfunction other(a, b, c) { return a; }",
		"module.exports":               "module.exports = function " + body + ";",
		"module.exports, named":        "module.exports = function fetchUserProfile" + body,
		"module.exports of an object":  "module.exports = { fetchUserProfile: function " + body + " };",
		"module.exports behind const":  "const _ = require('lodash');\nmodule.exports = function " + body + ";",
		"exports.fetchUserProfile":     "exports.fetchUserProfile = function " + body + ";",
		"exports.x":                    "'use strict';\nexports.profile = function " + body,
		"exports.x, arrow":             "exports.x = async (accessToken, ctx) => ({ user_id: 'u1' });",
		"IIFE":                         "(function () { var n = 'u1'; return function (t, c, cb) { cb(null, { user_id: n }); }; })()",
		"IIFE, semicolon":              "(function () { return function " + body + "; })();",
		"in parentheses":               "(function " + body + ")",
		"arrow":                        "(accessToken, ctx, cb) => cb(null, { user_id: 'u1' })",
		"const arrow":                  "const fetchUserProfile = (accessToken, ctx, cb) => cb(null, { user_id: 'u1' });",
		"var of another name":          "var profile = function " + body,
		"async anonymous":              "async function (accessToken, ctx) { return { user_id: 'u1' }; }",
		"async named":                  "async function fetchUserProfile(accessToken, ctx, cb) { await null; return { user_id: 'u1' }; }",
		"async with callback":          "async function (accessToken, ctx, cb) { await null; cb(null, { user_id: 'u1' }); }",
		"async arrow":                  "async (accessToken, ctx, cb) => ({ user_id: 'u1' })",
		"a Promise":                    "function (accessToken, ctx) { return Promise.resolve({ user_id: 'u1' }); }",
		"a Promise after a timer":      "function (t, c) { return new Promise(function (ok) { setTimeout(function () { ok({ user_id: 'u1' }); }, 5); }); }",
		"a byte order mark, CRLF":      "\uFEFFfunction " + strings.ReplaceAll(body, "; ", ";\r\n"),
		"async that resolves to other": "async function (t, c, cb) { return request.get('https://idp.example.com/me', function () { cb(null, { user_id: 'u1' }); }); }",
	} {
		t.Run(name, func(t *testing.T) {
			profile, err := fetch(t, answering(t.Context(), "{}"), fetchscript.Options{}, source, token(nil))
			require.NoError(t, err)
			assert.Equal(t, "u1", profile.UserID)
		})
	}
}

func TestU1SyntaxErrorHasItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, source string
		line, column int
	}{
		{"first line of an expression", "function (a, b, c) { var 1x; }", 1, 26},
		{"later line", "function (a, b, c) {\n  var x = ;\n}", 2, 11},
		{"named", "function f(a, b, c) {\n  foo(;\n}", 2, 7},
		{"module.exports", "module.exports = function (a, b, c) {\n\n  return [1, 2;\n};", 3, 15},
		{"prose", "function as recorded", 1, 13},
		{"not closed", "function (a, b, c) {\n  if (a) {\n}", 3, 2},
	} {
		_, err := fetchscript.Compile(c.source)
		var fault *fetchscript.Error
		if assert.ErrorAs(t, err, &fault, c.name) {
			assert.Equal(t, c.line, fault.Line, "%s: line of %v", c.name, err)
			assert.InDelta(t, c.column, fault.Column, 1, "%s: column of %v", c.name, err)
			assert.Equal(t, 1, strings.Count(err.Error(), "upstream: "), c.name)
		}
	}
	for _, source := range []string{"", " \n// nothing\n", "\xff", strings.Repeat("x", 1<<19)} {
		_, err := fetchscript.Compile(source)
		assert.Error(t, err)
	}
	_, err := fetch(t, t.Context(), fetchscript.Options{}, "42", token(nil))
	assert.ErrorContains(t, err, "gives no function")
}

// TestU1CallShapes has every way in which scripts call request, axios and https.
func TestU1CallShapes(t *testing.T) {
	p := newIDP(t, shapes)
	for _, c := range callShapes {
		t.Run(c.name, func(t *testing.T) {
			assert.JSONEq(t, c.want, result(t, p.context(t.Context()), shapeSource(c.statement), token(nil)))
		})
	}
}

var callShapes = []struct{ name, statement, want string }{
	{"request(url, cb)", "request(url, (e, r, b) => out([r.statusCode, typeof b, JSON.parse(b).path, r.body === b]))", `[200,"string","/me",true]`},
	{"request(opts, cb), uri", "request({ uri: url, json: true }, (e, r, b) => out([b.method, b.accept]))", `["GET","application/json"]`},
	{"request.get(url, opts, cb)", "request.get(url, { headers: { 'X-Custom': 'c' }, json: true }, (e, r, b) => out([b.custom, r.headers['x-trace']]))", `["c","t1"]`},
	{"request.get(opts, cb)", "request.get({ url, headers: { Authorization: 'Bearer ' + token } }, (e, r, b) => out(JSON.parse(b).authorization))", `"Bearer ` + accessToken + `"`},
	{"request.get(url, cb)", "request.get(url, (e, r, b) => out(r.statusMessage))", `"OK"`},
	{"request with method", "request({ method: 'PUT', url, json: { a: 1 } }, (e, r, b) => out([b.method, b.body, b.type]))", `["PUT","{\"a\":1}","application/json"]`},
	{"request.post form", "request.post({ url, form: { a: 'x y', b: ['1', '2'] } }, (e, r, b) => { b = JSON.parse(b); out([b.method, b.body, b.type]) })", `["POST","a=x%20y\u0026b%5B0%5D=1\u0026b%5B1%5D=2","application/x-www-form-urlencoded"]`},
	{"request.post(url, opts, cb)", "request.post(url, { json: true, body: { a: [1] } }, (e, r, b) => out([b.body, b.type]))", `["{\"a\":[1]}","application/json"]`},
	{"body text", "request.post({ url, body: '<a/>', headers: { 'content-type': 'text/xml' } }, (e, r, b) => { b = JSON.parse(b); out([b.body, b.type]) })", `["\u003ca/\u003e","text/xml"]`},
	{"qs", "request.get({ url: url + '?z=1', qs: { a: 'b c', n: 2 }, json: true }, (e, r, b) => out(b.query))", `{"a":"b c","n":"2","z":"1"}`},
	{"auth bearer", "request.get({ url, auth: { bearer: token }, json: true }, (e, r, b) => out(b.authorization === 'Bearer ' + token))", "true"},
	{"auth basic", "request.get({ url, auth: { user: 'u', pass: 'p' }, json: true }, (e, r, b) => out(b.authorization))", `"Basic dTpw"`},
	{".auth()", "request.get(url, (e, r, b) => out(JSON.parse(b).authorization)).auth(null, null, true, 'x')", `"Bearer x"`},
	{"auth in the URL", "request.get('https://u:p@idp.example.com/me', (e, r, b) => out(JSON.parse(b).authorization))", `"Basic dTpw"`},
	{"timeout option", "request.get({ url, timeout: 5000 }, (e, r, b) => out(e))", "null"},
	{"json: true, no JSON", "request.get({ url: base + '/text', json: true }, (e, r, b) => out(b))", `"plain"`},
	{"status", "request.get(base + '/missing', (e, r, b) => out([e, r.statusCode, JSON.parse(b).error]))", `[null,404,"gone"]`},
	{"defaults", "request.defaults({ json: true, headers: { 'X-Custom': 'd' } })(url, (e, r, b) => out(b.custom))", `"d"`},
	{"encoding null", "request.get({ url: base + '/text', encoding: null }, (e, r, b) => out([Buffer.isBuffer(b), b.toString('hex')]))", `[true,"706c61696e"]`},
	{"events", "request.get(url).on('response', (r) => out(r.statusCode)).on('error', cb)", "200"},
	{"bad address", "request.get('nowhere', (e) => out(e.message.slice(0, 11)))", `"Invalid URI"`},
	{"no address", "request.get({}, (e) => out(e instanceof Error))", "true"},
	{"promisify", "require('util').promisify(request.get)({ url, json: true }).then((r) => out(r.body.method), cb)", `"GET"`},

	{"axios.get", "const axios = require('axios@0.22.0'); axios.get(url, { headers: { 'X-Custom': 'a' }, params: { p: 'q r', l: [1, 2] } }).then((r) => out([r.status, r.data.custom, r.data.query, r.headers['x-trace']])).catch(cb)", `[200,"a",{"l[]":"1","p":"q r"},"t1"]`},
	{"axios.post", "require('axios').post(url, { a: 1 }).then(({ data }) => out([data.method, data.body, data.type]))", `["POST","{\"a\":1}","application/json"]`},
	{"axios.post form", "require('axios').post(url, new URLSearchParams({ a: 'b c' })).then(({ data }) => out([data.body, data.type]))", `["a=b+c","application/x-www-form-urlencoded;charset=utf-8"]`},
	{"axios(config)", "require('axios')({ method: 'delete', url, auth: { username: 'u', password: 'p' } }).then((r) => out([r.data.method, r.data.authorization]))", `["DELETE","Basic dTpw"]`},
	{"axios(url)", "require('axios')(url).then((r) => out(r.statusText))", `"OK"`},
	{"axios.request", "require('axios').request({ url: '/me', baseURL: base }).then((r) => out(r.data.path))", `"/me"`},
	{"axios rejects", "require('axios').get(base + '/missing').catch((e) => out([e.message, e.response.status, e.response.data.error, e.isAxiosError, e.code]))", `["Request failed with status code 404",404,"gone",true,"ERR_BAD_REQUEST"]`},
	{"axios validateStatus", "require('axios').get(base + '/missing', { validateStatus: () => true }).then((r) => out(r.status))", "404"},
	{"axios.create", "require('axios').create({ baseURL: base, headers: { 'X-Custom': 'z' } }).get('/me').then((r) => out([r.data.custom, r.data.path]))", `["z","/me"]`},
	{"axios defaults", "const a = require('axios'); a.defaults.headers.common.Authorization = 'Bearer k'; a.get(url).then((r) => out(r.data.authorization))", `"Bearer k"`},
	{"axios interceptors", "const a = require('axios').create(); a.interceptors.response.use((r) => r.data); a.get(url).then((d) => out(d.path))", `"/me"`},
	{"axios await", "(async () => { const { data } = await require('axios').get(url); out(data.id); })()", `"u1"`},
	{"axios.all", "const a = require('axios'); a.all([a.get(url), a.get(url)]).then(a.spread((x, y) => out(x.status + y.status)))", "400"},

	{"https.get", "require('https').get(url, (res) => { let d = ''; res.on('data', (c) => d += c); res.on('end', () => out([res.statusCode, JSON.parse(d).path])); }).on('error', cb)", `[200,"/me"]`},
	{"https.request", "const req = require('https').request({ hostname: 'idp.example.com', path: '/x?y=1', method: 'POST', headers: { 'X-Custom': 'h' } }, (res) => { const all = []; res.on('data', (c) => all.push(c)); res.on('end', () => { const b = JSON.parse(Buffer.concat(all).toString()); out([b.method, b.path, b.query, b.custom, b.body]); }); }); req.on('error', cb); req.write('a='); req.write('1'); req.end();", `["POST","/x",{"y":"1"},"h","a=1"]`},
	{"https.request, host and port", "require('https').request({ host: 'idp.example.com', port: 443, path: '/p', auth: 'u:p:q' }, (res) => { res.setEncoding('utf8'); let d = ''; res.on('data', (c) => { d += c; }).on('end', () => out([JSON.parse(d).path, JSON.parse(d).authorization])); }).end()", `["/p","Basic dTpwOnE="]`},
	{"https error", "try { require('https').get('https://'); } catch (e) { out([e.name, e.message]); }", `["TypeError","Invalid URL"]`},
	{"fetch", "fetch(url, { headers: { 'X-Custom': 'f' } }).then((r) => r.json()).then((d) => out(d.custom))", `"f"`},
}

// TestU1Modules has the modules and globals, with and without require.
func TestU1Modules(t *testing.T) {
	for _, c := range []struct{ name, expression, want string }{
		{"lodash", "[_.get({ a: { b: [1, 2] } }, 'a.b[1]'), require('lodash').VERSION, require('lodash@3.10.1') === _, _.map([1], (x) => x + 1)]", `[2,"4.17.21",true,[2]]`},
		{"Buffer.from", "[Buffer.from('h\u00e9').toString('hex'), Buffer.from('aGk', 'base64').toString(), Buffer.from('-_8', 'base64url').toString('base64'), Buffer.from('ff00', 'hex').toString('base64url'), Buffer.from([104, 105]).toString('utf-8'), new Buffer('hi').toString('base64'), Buffer('hi').toString('latin1')]", `["68c3a9","hi","+/8=","_wA","hi","aGk=","hi"]`},
		{"Buffer.alloc, concat", "[Buffer.alloc(2).toString('hex'), Buffer.alloc(3, 'ab').toString(), Buffer.concat([Buffer.from('a'), Buffer.from('bc')]).toString(), Buffer.byteLength('\u00e9'), Buffer.isBuffer(Buffer.from('')), Buffer.from('x') instanceof Buffer, Buffer.from('abc').slice(1).toString(), Buffer.from('a').equals(Buffer.from('a'))]", `["0000","aba","abc",2,true,true,"bc",true]`},
		{"Buffer JSON", "[Buffer.from('hi'), require('buffer').Buffer === Buffer]", `[{"type":"Buffer","data":[104,105]},true]`},
		{"querystring", "[require('querystring').stringify({ a: 'b c', d: ['1', 2], e: '' }), require('querystring').parse('a=b+c&d=1&d=2&e').d, require('querystring').parse('x=%41').x]", `["a=b%20c\u0026d=1\u0026d=2\u0026e=",["1","2"],"A"]`},
		{"url", "[require('url').parse('https://u:p@h.example:8080/p/q?a=b#f', true).query.a, require('url').parse('https://h.example/p?a=b').path, require('url').resolve('https://h.example/a/b', '../c'), require('url').format({ protocol: 'https', hostname: 'h.example', pathname: '/p', query: { a: 'b' } })]", `["b","/p?a=b","https://h.example/c","https://h.example/p?a=b"]`},
		{"URL", "(() => { const u = new URL('/p?a=1#h', 'https://H.example:443/x'); u.searchParams.set('b', 'c d'); u.searchParams.delete('a'); return [u.href, u.host, u.origin, u.search, String(u), u.hash]; })()", `["https://h.example/p?b=c+d#h","h.example","https://h.example","?b=c+d","https://h.example/p?b=c+d#h","#h"]`},
		{"URL, invalid", "(() => { try { new URL('nope'); } catch (e) { return [e.name, e.message]; } })()", `["TypeError","Invalid URL"]`},
		{"URLSearchParams", "[new URLSearchParams('?a=1&a=2&b=%20').getAll('a'), new URLSearchParams({ x: 'y z' }).toString(), [...new URLSearchParams([['k', 'v']])], new URLSearchParams('a=1').has('b')]", `[["1","2"],"x=y+z",[["k","v"]],false]`},
		{"crypto", "[require('crypto').createHash('sha256').update('a').update('b').digest('hex').slice(0, 8), require('crypto').createHmac('sha1', 'k').update('m').digest('base64'), require('crypto').createHash('md5').update('').digest('hex'), require('crypto').randomBytes(8).length, require('crypto').createHash('SHA512').update('x').digest().length]", `["fb8e20fc","dytxyKKZfnaL4B2XEeSk80ok7zM=","d41d8cd98f00b204e9800998ecf8427e",8,64]`},
		{"crypto, unknown", "(() => { try { require('crypto').createHash('sha9'); } catch (e) { return e.message.slice(0, 6); } })()", `"digest"`},
		{"jsonwebtoken.decode", "[jwt.decode(ctx.id_token).sub, require('jsonwebtoken@7.1.9').decode(ctx.id_token, { complete: true }).header.alg, jwt.decode('x')]", `["s1","HS256",null]`},
		{"jwt-decode", "[require('jwt-decode')(ctx.id_token).sub, require('jwt-decode')(ctx.id_token, { header: true }).alg, require('jwt-decode').jwtDecode(ctx.id_token).sub]", `["s1","HS256","s1"]`},
		{"jwt.sign, verify", "(() => { const t = jwt.sign({ a: 1 }, 'key', { expiresIn: '1h', audience: 'x' }); const p = jwt.verify(t, 'key', { audience: 'x' }); return [p.a, p.exp - p.iat, p.aud]; })()", `[1,3600,"x"]`},
		{"jwt.verify fails", "['wrong', 'none', 'expired'].map((c) => { try { const t = jwt.sign({ exp: c === 'expired' ? 1 : 9e9 }, 'key'); jwt.verify(c === 'none' ? t.replace(/^[^.]*/, Buffer.from('{\"alg\":\"none\"}').toString('base64url')) : t, c === 'wrong' ? 'other' : 'key'); } catch (e) { return e.name + ': ' + e.message; } })", `["JsonWebTokenError: invalid signature","JsonWebTokenError: invalid algorithm","TokenExpiredError: jwt expired"]`},
		{"a public key is no HMAC secret", "(() => { const key = '-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGPSUyzqhkf9oD+GZGo+SjZGSPpO+\\nyqvWODyfnUc+ptkzcGvcM0AkcfGUQTM89tzDeVbVq5sFEoztqfw8ynkZ3w==\\n-----END PUBLIC KEY-----\\n'; try { jwt.verify(jwt.sign({}, key), key, { algorithms: ['HS256', 'ES256'] }); } catch (e) { return e.message; } })()", `"secretOrPublicKey must be a symmetric key when using HS256"`},
		{"atob, btoa", "[atob('aGk='), btoa('hi'), atob(btoa('\u00ff')) === '\u00ff']", `["hi","aGk=",true]`},
		{"TextEncoder", "[Array.from(new TextEncoder().encode('\u00e9')), new TextDecoder().decode(new Uint8Array([195, 169]))]", `[[195,169],"\u00e9"]`},
		{"util", "[typeof require('util').promisify, require('util').format('%s-%d %j', 'a', 1, { b: 2 }), require('node:util') === require('util')]", `["function","a-1 {\"b\":2}",true]`},
		{"configuration", "[configuration.plan, Object.keys(configuration)]", `["gold",["plan"]]`},
		{"Promise, Map, Date", "[typeof Promise.all, new Map([[1, 2]]).get(1), new Date(0).toISOString()]", `["function",2,"1970-01-01T00:00:00.000Z"]`},
		{"xml2js", "(() => { let r; require('xml2js').parseString('<a x=\"1\"><b>t</b><b>u</b><c/></a>', (e, o) => { r = o; }); return r; })()", `{"a":{"$":{"x":"1"},"b":["t","u"],"c":[""]}}`},
		{"xml2js options", "(() => { let r; new (require('xml2js').Parser)({ explicitArray: false, mergeAttrs: true, explicitRoot: false }).parseString('<a x=\"1\"><n:b>t &amp; u</n:b></a>', (e, o) => { r = o; }); return r; })()", `{"x":"1","n:b":"t \u0026 u"}`},
		{"xml2js, not XML", "(() => { let r; require('xml2js').parseString('<a><b></a>', (e) => { r = e.message.slice(0, 20); }); return r; })()", `"Unexpected close tag"`},
		{"xml2js, a DTD", "(() => { let r; require('xml2js').parseString('<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>', (e) => { r = e.message.slice(0, 24); }); return r; })()", `"Invalid character entity"`},
		{"events", "(() => { let n = 0; const e = new (require('events'))(); e.once('x', () => n++); e.emit('x'); e.emit('x'); return n; })()", "1"},
		{"context", "[ctx.client_id, ctx.client_secret.length, ctx.team_id, ctx.user.name, ctx.id, ctx.tokenURL, ctx.refresh_token]", `["client-1",13,"T1",{"first":"Ann"},7,"https://idp.example.com/token",null]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := fetchscript.Options{Configuration: map[string]string{"plan": "gold"}}
			source := "function (token, ctx, cb) { cb(null, { user_id: 'u1', out: " + c.expression + " }); }"
			tok := token(map[string]any{"id_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzMSJ9.x", "team_id": "T1", "id": 7.0, "user": map[string]any{"name": map[string]any{"first": "Ann"}}})
			profile, err := fetch(t, t.Context(), o, source, tok)
			require.NoError(t, err)
			assert.JSONEq(t, c.want, string(profile.Extra["out"]))
		})
	}
}

func TestU1MissingModuleIsNamed(t *testing.T) {
	_, err := fetch(t, t.Context(), fetchscript.Options{}, "function (t, c, cb) { require('mongodb@3.1.4'); }", token(nil))
	require.ErrorContains(t, err, `module "mongodb@3.1.4" is not available`)
	require.ErrorContains(t, err, "axios, buffer, crypto")
	require.ErrorContains(t, err, "xml2js")
}

// TestU1CallbackOddities has what scripts do to their callback.
func TestU1CallbackOddities(t *testing.T) {
	for _, c := range []struct{ name, source, id, failure string }{
		{"error as Error", "function (t, c, cb) { cb(new Error('boom')); }", "", "script: boom"},
		{"error as text", "function (t, c, cb) { cb('boom'); }", "", "script: boom"},
		{"error as object", "function (t, c, cb) { cb({ message: 'boom', code: 7 }); }", "", "script: boom"},
		{"error as other object", "function (t, c, cb) { cb({ error: 'boom' }); }", "", `script: {"error":"boom"}`},
		{"cb(err, null)", "function (t, c, cb) { cb(new Error('boom'), null); }", "", "script: boom"},
		{"empty profile on error", "function (t, c, cb) { cb(new Error('boom'), {}); }", "", "script: boom"},
		{"a third argument", "function (t, c, cb) { cb(null, { user_id: 'u1' }, { more: 1 }); }", "u1", ""},
		{"called twice", "function (t, c, cb) { cb(null, { user_id: 'u1' }); cb(new Error('late')); }", "u1", ""},
		{"called twice, error first", "function (t, c, cb) { cb(new Error('boom')); cb(null, { user_id: 'u1' }); }", "", "boom"},
		{"undefined for no error", "function (t, c, cb) { cb(undefined, { user_id: 'u1' }); }", "u1", ""},
		{"async and callback", "async function (t, c, cb) { cb(null, { user_id: 'u1' }); return { user_id: 'u2' }; }", "u1", ""},
		{"async throws", "async function (t, c) { throw new Error('boom'); }", "", "script: boom"},
		{"throws", "function (t, c, cb) { throw new Error('boom'); }", "", "script: boom"},
		{"throws a text", "function (t, c, cb) { throw 'boom'; }", "", "script: boom"},
		{"throws later", "function (t, c, cb) { setTimeout(() => { throw new Error('boom'); }, 1); }", "", "script: boom"},
		{"an error of its own", "function (t, c, cb) {\n  const a = {};\n  cb(null, { user_id: a.b.c });\n}", "", "TypeError: cannot read property 'c' of undefined (line 3)"},
		{"a rejection nobody handles", "function (t, c, cb) { Promise.resolve().then(() => { throw new TypeError('boom'); }); }", "", "script: TypeError: boom"},
		{"no profile", "function (t, c, cb) { cb(); }", "", "gave no profile"},
		{"null", "function (t, c, cb) { cb(null, null); }", "", "no object"},
		{"raw body", "function (t, c, cb) { request.get({ url: 'https://idp.example.com/me', json: true }, (e, r, b) => cb(e, b)); }", "77", ""},
		{"raw text of the body", "function (t, c, cb) { request.get('https://idp.example.com/me', (e, r, b) => cb(e, b)); }", "77", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := answering(t.Context(), `{"id": 77, "name": "Ann", "picture": {"data": {"url": "x"}}}`)
			profile, err := fetch(t, ctx, fetchscript.Options{}, c.source, token(nil))
			if c.failure != "" {
				require.ErrorContains(t, err, c.failure)
				assert.ErrorContains(t, err, `connection "acme"`)
				assert.Equal(t, 1, strings.Count(err.Error(), "upstream: "), "%v", err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.id, profile.UserID)
		})
	}
}

// TestU5UserID: user_id, else id, uid or sub, and never another user's.
func TestU5UserID(t *testing.T) {
	for _, c := range []struct{ name, profile, id string }{
		{"user_id", "{ user_id: 'a', id: 'b', sub: 'c' }", "a"},
		{"id", "{ id: 'b', uid: 'c' }", "b"},
		{"uid", "{ uid: 'c', sub: 'd' }", "c"},
		{"sub", "{ sub: 'd' }", "d"},
		{"user_id undefined", "{ user_id: undefined, id: 'b' }", "b"},
		{"user_id null", "{ user_id: null, id: 'b' }", "b"},
		{"with a bar", "{ user_id: 'x|y|1' }", "x|y|1"},
		{"number", "{ user_id: 12345678 }", "12345678"},
		{"last exact number", "{ user_id: 9007199254740991 }", "9007199254740991"},
		{"beyond", "{ user_id: 9007199254740992 }", ""},
		{"from JSON, beyond", "{ user_id: JSON.parse('{\"id\": 9007199254740993}').id }", "9007199254740993"},
		{"from JSON, joined", "{ user_id: 'x|' + JSON.parse('[12345678901234567890]')[0] }", "x|12345678901234567890"},
		{"exponent", "{ user_id: 1e21 }", ""},
		{"fraction", "{ user_id: 1.5 }", ""},
		{"blank", "{ user_id: '  ', id: 'b' }", ""},
		{"empty", "{ user_id: '', id: 'b' }", ""},
		{"object", "{ user_id: {}, id: 'b' }", ""},
		{"boolean", "{ user_id: true }", ""},
		{"none", "{ email: 'a@example.com' }", ""},
		{"another case", "{ User_ID: 'a', ID: 'b' }", ""},
		{"an array", "['a']", ""},
	} {
		profile, err := fetch(t, t.Context(), fetchscript.Options{}, "(t, c, cb) => cb(null, "+c.profile+")", token(nil))
		if c.id == "" {
			assert.Error(t, err, c.name)
		} else if assert.NoError(t, err, c.name) {
			assert.Equal(t, c.id, profile.UserID, c.name)
		}
	}
}

// TestU7Attributes: what scripts put into profiles.
func TestU7Attributes(t *testing.T) {
	profile, err := fetch(t, t.Context(), fetchscript.Options{}, `(t, c, cb) => cb(null, {
		user_id: 'u1', email: 'ann@example.com', email_verified: 'true', name: null, user_metadata: { a: 1 }, app_metadata: { roles: ['x'] },
		raw: { nested: [1, 2.5] }, nickname: 'ann', gone: undefined, f: () => 1 })`, token(nil))
	require.NoError(t, err)
	assert.Equal(t, "ann", profile.Nickname)
	require.NotNil(t, profile.EmailVerified)
	assert.True(t, *profile.EmailVerified)
	assert.JSONEq(t, `{"a":1}`, string(profile.UserMetadata))
	assert.JSONEq(t, `{"roles":["x"]}`, string(profile.AppMetadata))
	assert.JSONEq(t, `{"nested":[1,2.5]}`, string(profile.Extra["raw"]))
	assert.Len(t, profile.Extra, 1)
}

// TestU3BodyWithAMemberTwice: JavaScript would take the last.
func TestU3BodyWithAMemberTwice(t *testing.T) {
	ctx := answering(t.Context(), `{"sub": "victim", "sub": "attacker"}`)
	_, err := fetch(t, ctx, fetchscript.Options{}, "(t, c, cb) => request.get('https://idp.example.com/me', (e, r, b) => cb(null, JSON.parse(b)))", token(nil))
	require.ErrorContains(t, err, "twice")
}

// TestU1OAuth1 has the form with four arguments. The expected signature is that
// of the reference in RFC 5849's terms, checked by a server that computes it anew.
func TestU1OAuth1(t *testing.T) {
	p := newIDP(t, echo)
	source := `function (token, tokenSecret, ctx, cb) {
		const { OAuth } = require('oauth');
		const client = new OAuth(ctx.requestTokenURL, ctx.accessTokenURL, ctx.client_id, ctx.client_secret, '1.0A', null, 'HMAC-SHA1');
		client.get('https://idp.example.com/me.json?include_email=true', token, tokenSecret, (e, data) => {
			if (e) return cb(e);
			cb(null, { user_id: 'u1', out: JSON.parse(data).authorization });
		});
	}`
	s, err := fetchscript.Compile(source)
	require.NoError(t, err)
	conn := connection()
	conn.Options.RequestTokenURL = "https://idp.example.com/request_token"
	profile, err := s.Fetch(p.context(t.Context()), token(map[string]any{"oauth_token_secret": "TS-99887766"}), conn)
	require.NoError(t, err)
	header := string(profile.Extra["out"])
	assert.Contains(t, header, `oauth_consumer_key=\"client-1\"`)
	assert.Contains(t, header, `oauth_token=\"`+accessToken)
	assert.Equal(t, oauth1Signature(t, header, "GET", "https://idp.example.com/me.json", url.Values{"include_email": {"true"}}, clientSecret, "TS-99887766"), oauth1Part(t, header, "oauth_signature"))

	failing := newIDP(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusUnauthorized) })
	_, err = s.Fetch(failing.context(t.Context()), token(nil), conn)
	require.ErrorContains(t, err, "401")
}

// TestH7HostClient: HTTP goes through the client in the context, which stays as it is.
func TestH7HostClient(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(account)) }))
	defer server.Close()
	script := strings.ReplaceAll(sample, "https://auth.example.com", server.URL)
	s, err := fetchscript.Compile(script)
	require.NoError(t, err)
	client := server.Client() // the only one that knows the server's certificate
	before := *client
	_, err = s.Fetch(context.WithValue(t.Context(), oauth2.HTTPClient, client), token(nil), connection())
	require.NoError(t, err)
	assert.Equal(t, before.Transport, client.Transport)
	assert.Nil(t, client.CheckRedirect)
	_, err = s.Fetch(t.Context(), token(nil), connection())
	require.ErrorContains(t, err, "certificate could not be verified")
}

// TestAttachPicks: own Go function, script, userinfo, in this order.
func TestAttachPicks(t *testing.T) {
	ctx := answering(t.Context(), `{"sub": "from-userinfo", "id": 5}`)
	own := func(context.Context, *oauth2.Token, *upstream.Connection) (*upstream.Profile, error) {
		return &upstream.Profile{UserID: "from-own"}, nil
	}
	with := func(strategy, userinfo, script string) *upstream.Connection {
		c := connection()
		c.Strategy, c.Options.UserinfoEndpoint, c.Options.FetchUserProfile = strategy, userinfo, upstream.NewSecret(script)
		return c
	}
	const script, userinfo = "(t, c, cb) => cb(null, { user_id: 'from-script' })", "https://idp.example.com/userinfo"
	for _, c := range []struct {
		name string
		conn *upstream.Connection
		own  upstream.ProfileFetcher
		want string
	}{
		{"own function", with("oauth2", userinfo, script), own, "from-own"},
		{"script beside a userinfo endpoint", with("oauth2", userinfo, script), nil, "from-script"},
		{"userinfo endpoint", with("oauth2", userinfo, ""), nil, "from-userinfo"},
		{"script of a strategy with one", with("github", "", script), nil, "from-script"},
		{"script", with("oauth2", "", script), nil, "from-script"},
	} {
		provider, err := upstream.NewProvider(c.conn)
		require.NoError(t, err, c.name)
		provider, err = fetchscript.Attach(provider, c.conn, c.own)
		require.NoError(t, err, c.name)
		profile, err := provider.FetchProfile(ctx, token(nil))
		require.NoError(t, err, c.name)
		assert.Equal(t, c.want, profile.UserID, c.name)
	}
	conn := with("oauth2", "", "")
	provider, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	provider, err = fetchscript.Attach(provider, conn, nil)
	require.NoError(t, err)
	_, err = provider.FetchProfile(ctx, token(nil))
	require.Error(t, err, "nothing to get a profile with")

	conn = with("oauth2", "", "function (")
	_, err = fetchscript.Attach(provider, conn, nil)
	require.ErrorContains(t, err, `connection "acme"`)
	_, err = fetchscript.Attach(nil, nil, nil)
	require.Error(t, err)
}
