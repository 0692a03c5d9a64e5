Whole scripts for TestNodeScripts: each begins with a line that names it.

// request: response.on('data')
function (token, ctx, cb) { const got = []; request.get('https://idp.example.com/text').on('response', (r) => { r.on('data', (c) => got.push('r' + c)); r.on('end', () => got.push('end')); }).on('data', (c) => got.push('d' + c)).on('complete', (r, b) => cb(null, { user_id: 'u1', out: [got.sort(), r.statusCode, b] })); }

// request: pipe
function (token, ctx, cb) { const { PassThrough } = require('stream'); let d = ''; request('https://idp.example.com/text').pipe(new PassThrough()).on('data', (c) => { d += c; }).on('end', () => cb(null, { user_id: 'u1', out: d })); }

// request: callback and listeners
function (token, ctx, cb) { const seen = []; const r = request({ url: 'https://idp.example.com/me', json: true }, (e, resp, b) => { seen.push('callback'); cb(null, { user_id: 'u1', out: [seen.sort(), b.id, typeof resp.headers.date, resp.toJSON().statusCode, resp.request.method] }); }); r.on('response', () => seen.push('response')); }

// request: qs over a query, with arrays and objects
function (token, ctx, cb) { request.get({ url: 'https://idp.example.com/me?z=1&a=0', qs: { a: [1, 2], b: { c: 'd e' }, f: null, g: undefined, h: '!*()' }, json: true }, (e, r, b) => cb(null, { user_id: 'u1', out: b.raw })); }

// request: qs is a text; form is one too
function (token, ctx, cb) { request.post({ url: 'https://idp.example.com/me', qs: 'a=b c', form: "x=1&y=it's", json: true }, (e, r, b) => cb(null, { user_id: 'u1', out: [b.raw, b.body, b.type] })); }

// request: body and json together
function (token, ctx, cb) { request({ url: 'https://idp.example.com/me', method: 'POST', body: 'text', json: true }, (e, r, b) => cb(null, { user_id: 'u1', out: [b.body, b.type, b.accept] })); }

// request: body is a Buffer
function (token, ctx, cb) { request({ url: 'https://idp.example.com/me', method: 'POST', body: Buffer.from('h\u00e9') }, (e, r, b) => cb(null, { user_id: 'u1', out: JSON.parse(b).body })); }

// request: bytes that are no UTF-8
function (token, ctx, cb) { request('https://idp.example.com/bytes', (e, r, b) => cb(null, { user_id: 'u1', out: b })); }

// request: encoding null
function (token, ctx, cb) { request({ url: 'https://idp.example.com/bytes', encoding: null }, (e, r, b) => cb(null, { user_id: 'u1', out: [Buffer.isBuffer(b), b.toString('hex')] })); }

// request: invalid addresses
function (token, ctx, cb) { const out = []; const next = (list) => (list.length ? request.get(list[0], (e) => { out.push(e.message); next(list.slice(1)); }) : cb(null, { user_id: 'u1', out })); next(['nowhere', '/me', 'ftp:x']); }

// request: redirect
function (token, ctx, cb) { request({ url: 'https://idp.example.com/moved', json: true, headers: { 'X-Custom': 'c' } }, (e, r, b) => cb(null, { user_id: 'u1', out: [b.path, b.raw, b.custom, r.statusCode, r.request.uri.path || r.request.uri.href.replace(/^.*?\/\/[^/]*/, '')] })); }

// request: gzip is decompressed when asked for
function (token, ctx, cb) { request({ url: 'https://idp.example.com/gzip', gzip: true, json: true }, (e, r, b) => cb(null, { user_id: 'u1', out: b })); }

// request: headers that come more than once
function (token, ctx, cb) { request('https://idp.example.com/twice', (e, r) => cb(null, { user_id: 'u1', out: [r.headers['set-cookie'], r.headers['x-twice']] })); }

// request: nothing listens to the error
function (token, ctx, cb) { request('nowhere'); }

// request: oauth
function (token, ctx, cb) { request.post({ url: 'https://idp.example.com/me?q=1', oauth: { consumer_key: 'k', consumer_secret: 's', token: 't', token_secret: 'ts', timestamp: '1', nonce: 'n' }, form: { a: 'b c' }, json: true }, (e, r, b) => cb(null, { user_id: 'u1', out: b.authorization.split(',').sort().map((p) => p.replace(/oauth_signature=.*/, 'oauth_signature')) })); }

// axios 0.22: params
function (token, ctx, cb) { require('axios@0.22.0').get('https://idp.example.com/me', { params: { a: 'x:y,z [1]$ +@', d: new Date(0), l: [1, 'b c'], o: { p: 1 }, n: null, u: undefined } }).then((r) => cb(null, { user_id: 'u1', out: r.data.raw }), cb); }

// axios: params
function (token, ctx, cb) { require('axios').get('https://idp.example.com/me?z=1#h', { params: { a: 'x:y,z [1]$ +@', d: new Date(0), l: [1, 'b c'], o: { p: 1 }, n: null, u: undefined } }).then((r) => cb(null, { user_id: 'u1', out: r.data.raw }), cb); }

// axios: paramsSerializer, baseURL, instance
function (token, ctx, cb) { const a = require('axios').create({ baseURL: 'https://idp.example.com/', paramsSerializer: (p) => 'p=' + Object.keys(p) }); a.interceptors.request.use((c) => { c.headers['X-Custom'] = 'i'; return c; }); a.get('me', { params: { a: 1, b: 2 } }).then((r) => cb(null, { user_id: 'u1', out: [r.data.raw, r.data.path, r.data.custom, r.status, r.statusText, r.headers['x-trace'], r.config.url, r.config.method] }), cb); }

// axios: errors
async function (token, ctx) { const axios = require('axios'); const out = []; for (const f of [() => axios.get('https://idp.example.com/missing'), () => axios.get('nowhere'), () => axios.get('https://idp.example.com/me', { validateStatus: () => false })]) { try { await f(); } catch (e) { out.push([e.name, e.message, e.code || null, axios.isAxiosError(e), e.response ? [e.response.status, e.response.data.error || null] : null]); } } return { user_id: 'u1', out }; }

// axios 0.22: errors
async function (token, ctx) { const axios = require('axios@0.22.0'); try { await axios.get('https://idp.example.com/missing'); } catch (e) { return { user_id: 'u1', out: [e.name, e.message, e.code || null, axios.isAxiosError(e), e.response.status, e.toJSON().message] }; } }

// axios: bodies
async function (token, ctx) { const axios = require('axios'); const out = []; for (const [data, headers] of [[{ a: [1] }, {}], ['text', {}], [new URLSearchParams({ a: 'b c' }), {}], [{ a: 'b', c: [1, 2] }, { 'Content-Type': 'application/x-www-form-urlencoded' }], [Buffer.from('hi'), {}], ['{"a":1}', { 'content-type': 'application/json' }], [undefined, {}]]) { const r = await axios.post('https://idp.example.com/me', data, { headers }); out.push([r.data.body, r.data.type]); } return { user_id: 'u1', out }; }

// axios: response types
async function (token, ctx) { const axios = require('axios'); const out = []; out.push(Buffer.from((await axios.get('https://idp.example.com/bytes', { responseType: 'arraybuffer' })).data).toString('hex')); out.push(typeof (await axios.get('https://idp.example.com/me', { responseType: 'text', transformResponse: [(d) => d] })).data); out.push((await axios.get('https://idp.example.com/text')).data); out.push((await axios.get('https://idp.example.com/gzip')).data); out.push((await axios.get('https://idp.example.com/moved')).request.res.responseUrl.replace(/^.*?\/\/[^/]*/, '')); return { user_id: 'u1', out }; }

// axios: cancelled
async function (token, ctx) { const axios = require('axios'); const c = new AbortController(); const p = axios.get('https://idp.example.com/me', { signal: c.signal }); c.abort(); try { await p; } catch (e) { return { user_id: 'u1', out: [e.name, e.code, e.message, axios.isCancel(e)] }; } }

// https: URL and options, response is a stream
function (token, ctx, cb) { require('https').get(new URL('https://idp.example.com/me?a=b'), { headers: { 'X-Custom': 'c' } }, async (res) => { let d = ''; for await (const c of res) d += c; const b = JSON.parse(d); cb(null, { user_id: 'u1', out: [b.raw, b.custom, res.statusCode, res.statusMessage, res.headers['x-trace'], res.httpVersion] }); }); }

// https: setEncoding, pipe, write and end
function (token, ctx, cb) { const { PassThrough } = require('stream'); const req = require('https').request({ hostname: 'idp.example.com', path: '/me', method: 'POST', headers: { 'Content-Type': 'text/plain' } }, (res) => { res.setEncoding('utf8'); let d = ''; res.pipe(new PassThrough()).on('data', (c) => { d += c; }).on('end', () => cb(null, { user_id: 'u1', out: [JSON.parse(d).body, JSON.parse(d).type, req.getHeader('content-TYPE')] })); }); req.write('a'); req.write(Buffer.from('b')); req.end('c'); }

// https: zlib and pipe
function (token, ctx, cb) { const zlib = require('zlib'); require('https').get({ hostname: 'idp.example.com', path: '/gzip', headers: { 'Accept-Encoding': 'gzip' } }, (res) => { let d = ''; const s = res.headers['content-encoding'] === 'gzip' ? res.pipe(zlib.createGunzip()) : res; s.on('data', (c) => { d += c; }).on('end', () => cb(null, { user_id: 'u1', out: [JSON.parse(d), res.headers['content-encoding']] })); }).on('error', cb); }

// https: an address that is none throws
function (token, ctx, cb) { require('https').get('nowhere'); }

// https: a path cannot change the host
function (token, ctx, cb) { try { require('https').get({ hostname: 'idp.example.com', path: '/a b' }); } catch (e) { cb(null, { user_id: 'u1', out: [e.name, e.code] }); } }

// https: destroyed
function (token, ctx, cb) { const req = require('https').get('https://idp.example.com/me', () => {}); req.on('error', (e) => cb(null, { user_id: 'u1', out: [e.message, e.code] })); req.destroy(); }

// https: destroyed with an error
function (token, ctx, cb) { const req = require('https').get('https://idp.example.com/me', () => {}); req.on('error', (e) => cb(null, { user_id: 'u1', out: e.message })); req.destroy(new Error('mine')); }

// fetch: methods, headers, body
async function (token, ctx) { const r = await fetch('https://idp.example.com/me?a=b', { method: 'POST', body: new URLSearchParams({ x: 'y z' }), headers: { 'X-Custom': 'c' } }); const b = await r.json(); return { user_id: 'u1', out: [r.status, r.ok, r.statusText, r.headers.get('X-Trace'), b.body, b.type, b.custom, b.raw] }; }

// fetch: text, redirect, error
async function (token, ctx) { const out = []; out.push(await (await fetch('https://idp.example.com/text')).text()); out.push((await fetch('https://idp.example.com/moved')).url.replace(/^.*?\/\/[^/]*/, '')); try { await fetch('nowhere'); } catch (e) { out.push([e.name, e.message]); } out.push((await fetch('https://idp.example.com/missing')).ok); return { user_id: 'u1', out }; }

// fetch: aborted
async function (token, ctx) { const c = new AbortController(); c.abort(); try { await fetch('https://idp.example.com/me', { signal: c.signal }); } catch (e) { return { user_id: 'u1', out: e.name }; } }

// oauth: get, and what it is made of
function (token, ctx, cb) { const { OAuth } = require('oauth'); const o = new OAuth('https://idp.example.com/r', 'https://idp.example.com/a', 'k', 's', '1.0A', null, 'HMAC-SHA1'); o._getNonce = () => 'n'; o._getTimestamp = () => '1'; o.get('https://idp.example.com/me?a=b c', 't', 'ts', (e, d) => (e ? cb(JSON.stringify(e)) : cb(null, { user_id: 'u1', out: [JSON.parse(d).authorization.replace(/oauth_signature="[^"]*"/, ''), JSON.parse(d).raw] }))); }

// oauth: _performSecureRequest, post, errors
function (token, ctx, cb) { const { OAuth } = require('oauth'); const o = new OAuth('https://idp.example.com/r', 'https://idp.example.com/a', 'k', 's', '1.0', null, 'PLAINTEXT'); o._performSecureRequest('t', 'ts', 'POST', 'https://idp.example.com/me', { x: 'y z' }, '', null, (e, d) => { o.get('https://idp.example.com/missing', 't', 'ts', (e2) => cb(null, { user_id: 'u1', out: [e, JSON.parse(d).body, JSON.parse(d).type, e2.statusCode, e2.data] })); }); }

// oauth: OAuth2
function (token, ctx, cb) { const { OAuth2 } = require('oauth'); const o = new OAuth2('i', 's', 'https://idp.example.com/'); o.useAuthorizationHeaderforGET(true); o.get('https://idp.example.com/me', 'tok', (e, d) => cb(e && JSON.stringify(e), { user_id: 'u1', out: [JSON.parse(d).authorization, o.getAuthorizeUrl({ a: 'b c' })] })); }

// xml2js
function (token, ctx, cb) { const x = require('xml2js'); request('https://idp.example.com/xml', (e, r, b) => x.parseString(b, (e1, a) => x.parseString(b, { explicitArray: false, mergeAttrs: true, tagNameProcessors: [x.processors.stripPrefix], valueProcessors: [x.processors.parseNumbers] }, (e2, c) => x.parseString('<a><b></a>', (e3) => x.parseStringPromise(b).then((p) => cb(null, { user_id: 'u1', out: [a, c, e3.message, p, new x.Builder({ headless: true }).buildObject({ a: { b: [1, '<'] } })] })))))); }

// jsonwebtoken
function (token, ctx, cb) { const j = require('jsonwebtoken'); const t = j.sign({ a: 1, iat: 1 }, 'key', { expiresIn: '1h', audience: 'x', keyid: 'k' }); const tries = [() => j.verify(t, 'other'), () => j.verify(t, 'key'), () => j.verify(t, 'key', { ignoreExpiration: true, audience: 'y' }), () => j.verify('x', 'key'), () => j.verify('', 'key'), () => j.sign({}, ''), () => j.sign({}, 'k', { algorithm: 'RS256' }), () => j.sign({}, 'k', { expiresIn: 'soon' }), () => j.verify(t, 'key', { ignoreExpiration: true, complete: true })]; cb(null, { user_id: 'u1', out: [t, j.decode(t), j.decode(t, { complete: true }), j.decode('x'), tries.map((f) => { try { return f(); } catch (e) { return e.name + ': ' + e.message; } })] }); }

// jwt-decode
function (token, ctx, cb) { const d = require('jwt-decode'); const t = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzw6kifQ.x'; const bad = (f) => { try { return f(); } catch (e) { return [e.name, e.message]; } }; cb(null, { user_id: 'u1', out: [d(t), d(t, { header: true }), bad(() => d(1)), bad(() => d('a.b.c'))] }); }

// lodash
function (token, ctx, cb) { cb(null, { user_id: 'u1', out: [_.get({ a: { b: [1, 2] } }, 'a.b[1]'), _.merge({ a: { b: 1 } }, { a: { c: 2 } }), _.template('<%= x %>')({ x: 1 }), _.isEqual([1], [1]), _.camelCase('a b'), _.isBuffer(Buffer.from('x')), _.debounce && 1] }); }

// an error whose message cannot be read
function (token, ctx, cb) { const e = new Error('x'); Object.defineProperty(e, 'message', { get() { return 'got'; } }); cb(e); }

// an unhandled 'error' event
function (token, ctx, cb) { setTimeout(() => new (require('events'))().emit('error', new Error('nobody listens')), 1); }
