// One expression a line. Each means the same here and in Node.js, errors included.

// URL: where the token goes
((u) => { u.pathname = '.evil.test/x'; return u.href; })(new URL('https://api.example.com'))
((u) => { u.pathname = '/a/../b/./c d?e#f'; return [u.href, u.pathname]; })(new URL('https://api.example.com/x?y#z'))
((u) => { u.username = 'a@b:c/'; u.password = 'p@:/?'; return [u.href, u.username, u.password]; })(new URL('https://api.example.com'))
((u) => { u.search = 'a=b c&d=\u00e9#'; return [u.href, u.searchParams.get('a')]; })(new URL('https://api.example.com/x?y'))
((u) => { u.hash = '#a b'; return [u.href, (u.hash = '', u.href)]; })(new URL('https://api.example.com/x'))
((u) => { u.protocol = 'http'; return [u.href, (u.protocol = 'javascript', u.href), (u.protocol = 'ftp:', u.href)]; })(new URL('https://api.example.com:443/x'))
((u) => { u.href = 'https://other.example.com/?a=1'; return [u.href, u.searchParams.get('a')]; })(new URL('https://api.example.com/x'))
((u) => { u.href = 'nope'; })(new URL('https://api.example.com/x'))
((u) => { u.host = 'other.example.com:8080/x'; return u.href; })(new URL('https://api.example.com/x'))
((u) => { u.host = '@evil.test'; return u.href; })(new URL('https://api.example.com/x'))
((u) => { u.hostname = 'a#b'; return [u.href, (u.hostname = 'x y', u.href), (u.hostname = '', u.href)]; })(new URL('https://api.example.com/x'))
((u) => { u.port = '99999'; return [u.href, (u.port = '8080x', u.href), (u.port = '443', u.href)]; })(new URL('https://api.example.com/x'))
['https://ex\u00e4mple.com/', 'https://EXAMPLE.com', 'https://xn--exmple-cua.com', 'https://\u2460.com', 'https://fa\u00df.de', 'https://a\u3002b.example'].map((u) => new URL(u).href)
['https://0x7f.1/', 'https://017700000001', 'https://2130706433/', 'https://127.1', 'https://1.2.3.4.', 'https://0xffffffff/'].map((u) => new URL(u).host)
['https://256.1.1.1', 'https://1.2.3.4.5', 'https://0x1ffffffff', 'https://a b', 'https://', 'https://a%00b', 'https://xn--\u00e9', 'nope', '', 'https://a:99999', 'https://[::1', 'https://a<b'].map((u) => { try { return new URL(u).href; } catch (e) { return [e.name, e.code, e.message]; } })
['https://a.example/b/../../c', 'https://a.example/%2e%2e/b', 'https:\\\\a.example\\b', 'https:a.example', ' https://a.example/\tb\n ', 'https://u:p@a.example:443/', 'https://[::1]:443/', 'https://a.example?q', 'https://a.example#h', 'data:text/plain,x', 'mailto:a@b'].map((u) => new URL(u).href)
[new URL('../c?d', 'https://a.example/b/x').href, new URL('//o.example/y', 'https://a.example').href, new URL('?q', 'https://a.example/b').href, new URL('', 'https://a.example/b#c').href]
[URL.canParse('https://a.example'), URL.canParse('x'), URL.canParse('x', 'https://a.example')]
((u) => [u.origin, u.host, u.hostname, u.port, u.protocol, u.pathname, u.search, u.hash, u.toJSON(), String(u)])(new URL('HTTPS://U:P@A.example:8443/p%20q?a=b#c'))
((u) => { u.searchParams.append('a', 'x y+z&'); u.searchParams.set('b', '\u00e9'); u.searchParams.delete('c'); u.searchParams.sort(); return u.href; })(new URL('https://a.example/?z=1&c=2'))
[...new URLSearchParams('?a=1&a=%zz&b=+x%20&c&=d&&e=f=g')]
[new URLSearchParams({ a: 'b c', d: '~!*()\'' }).toString(), new URLSearchParams([['a', '1'], ['a', '2']]).getAll('a'), new URLSearchParams('a=1&b=2').size, new URLSearchParams('a=1').has('a', '2')]
new URLSearchParams([['a']])

// url and querystring
((u) => [u.protocol, u.auth, u.host, u.port, u.hostname, u.hash, u.search, u.query.a, u.pathname, u.path, u.href])(require('url').parse('https://u:p@H.example:8080/p/q?a=b#f', true))
((u) => [u.protocol, u.host, u.path, u.query])(require('url').parse('/p?a=b'))
[require('url').resolve('https://h.example/a/b', '../c'), require('url').resolve('/one/two', 'three'), require('url').resolve('https://h.example/', '//o.example/x')]
[require('url').format({ protocol: 'https', hostname: 'h.example', pathname: '/p', query: { a: 'b', c: [1, 2] } }), require('url').format(new URL('https://a.example/b')), require('url').format({ host: 'a.example:1', protocol: 'http:', search: 'x' })]
new (require('url').URL)('https://a.example').href
[require('querystring').stringify({ a: 'b c', d: ['1', 2], e: '', f: null, g: true, h: '!\'()*~' }), require('querystring').stringify({ a: 1 }, ';', ':'), require('querystring').stringify('x')]
[require('querystring').parse('a=b+c&d=1&d=2&e'), require('querystring').parse('x=%41;y=z', ';')].map((o) => ({ ...o }))
[require('querystring').escape('a b!*\u00e9'), require('querystring').unescape('a%20b%C3%A9')]

// Buffer
[Buffer.from('abcdef').includes('cd'), Buffer.from('abcdef').includes('x'), Buffer.from('abcdef').includes(99), Buffer.from('abcdef').includes('ef', 5)]
[Buffer.from('abcabc').indexOf('bc'), Buffer.from('abcabc').indexOf('bc', 2), Buffer.from('abcabc').lastIndexOf('abc'), Buffer.from('abc').indexOf(Buffer.from('c'))]
((b) => [b.readUInt32LE(0), b.readUInt32BE(1), b.readInt8(0), b.readInt16LE(1), b.readInt32BE(0), b.readUInt16LE(2), b.readUIntBE(0, 3), b.readDoubleLE(0), b.readFloatBE(0)])(Buffer.from([255, 1, 2, 128, 4, 5, 6, 7]))
((b) => [b.readBigUInt64BE(0).toString(), b.readBigInt64LE(0).toString()])(Buffer.from([255, 1, 2, 3, 4, 5, 6, 7]))
Buffer.from([1]).readUInt32LE(0)
((b) => { b.writeUInt32LE(0xdeadbeef, 0); b.writeInt16BE(-2, 4); b.writeDoubleBE(1.5, 6); return b.toString('hex'); })(Buffer.alloc(14))
((b) => [b.write('h\u00e9llo', 1), b.toString('latin1'), b.fill('ab').toString(), b.fill(0x41, 2, 4).toString()])(Buffer.alloc(6))
['utf8', 'hex', 'base64', 'base64url', 'latin1', 'binary', 'ascii', 'utf16le', 'UCS-2', 'UTF-8'].map((e) => Buffer.from('h\u00e9\ud83d\ude00?>').toString(e))
['h\u00e9', '\ud83d\ude00'].map((s) => ['utf8', 'latin1', 'utf16le', 'ascii'].map((e) => Buffer.from(s, e).toString('hex')))
['aGk', 'aGk=', ' a G k = ', '-_8', '+/8', 'aGk=aGk=', 'a', '!!!!'].map((s) => [Buffer.from(s, 'base64').toString('hex'), Buffer.from(s, 'base64url').toString('hex')])
['ff00', 'f', 'zz', 'ffzz00', 'FFaB'].map((s) => Buffer.from(s, 'hex').toString('hex'))
Buffer.from([0xff, 0x61, 0xe2, 0x82, 0x62, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0x80, 0xc0, 0xaf, 0xf4, 0x90, 0x80, 0x80, 0xe2]).toString()
[Buffer.alloc(3, 'ab').toString(), Buffer.alloc(2, 0x41).toString(), Buffer.alloc(4, 'YQ==', 'base64').toString(), Buffer.allocUnsafe(3).length]
[Buffer.concat([Buffer.from('a'), Buffer.from('bc')]).toString(), Buffer.concat([Buffer.from('abc')], 2).toString(), Buffer.concat([Buffer.from('a')], 3).toString('hex'), Buffer.concat([]).length]
[Buffer.byteLength('\u00e9'), Buffer.byteLength('aGk=', 'base64'), Buffer.byteLength('ff', 'hex'), Buffer.byteLength(new ArrayBuffer(3)), Buffer.byteLength('ab', 'utf16le')]
[Buffer.isBuffer(Buffer.alloc(1)), Buffer.isBuffer(new Uint8Array(1)), Buffer.isEncoding('HEX'), Buffer.isEncoding('base64url'), Buffer.isEncoding('x'), Buffer.from('x') instanceof Uint8Array]
[Buffer.compare(Buffer.from('a'), Buffer.from('b')), Buffer.from('a').equals(Buffer.from('a')), Buffer.from('abc').compare(Buffer.from('ab'))]
((b) => [b.slice(1, 3).toString(), b.slice(-2).toString(), b.subarray(1).toString(), b.toString('utf8', 1, 3), b.toString('utf8', -1), b.toString('hex', 3, 1), b.toString('utf8', 1)])(Buffer.from('abcd'))
((b) => { b.slice(0, 2)[0] = 122; return b.toString(); })(Buffer.from('abcd'))
((b) => [b.copy(Buffer.alloc(10), 2), b.copy(Buffer.alloc(2)), b.copy(Buffer.alloc(10), 0, 1, 3)])(Buffer.from('abcd'))
[Buffer.from([257, -1, 3.7, 'x']).toString('hex'), Buffer.from({ type: 'Buffer', data: [1, 2] }).toString('hex'), Buffer.from(new Uint16Array([1, 256])).toString('hex'), Buffer.from(new Uint8Array([1, 2]).buffer, 1).toString('hex'), Buffer.from(new String('hi')).toString()]
[JSON.stringify(Buffer.from('hi')), [...Buffer.from('hi')], [...Buffer.from('hi').entries()], Buffer.from('hi').toJSON()]
[Buffer.from(3)]
[Buffer.from('x', 'nope')]
[Buffer.from(null)]
[new Buffer('hi').toString('base64'), new Buffer([104]).toString(), Buffer('hi').toString('hex'), new Buffer('aGk=', 'base64').toString()]
[Buffer.from('abcd').swap16().toString(), Buffer.from('abcdefgh').swap32().toString(), require('buffer').Buffer === Buffer]
[Buffer.from('ab\u00e9').map((c) => c + 1).toString('latin1'), Buffer.from('a,b').toString().split(',')]

// text, timers, signals
Buffer.from('\ud800x').toString('hex')
[atob('aGk='), atob(' aG k'), btoa('hi'), atob(btoa('\u00ff')) === '\u00ff', btoa('')]
['a', 'a===', '*'].map((s) => { try { return atob(s); } catch (e) { return 'throws'; } })
[Array.from(new TextEncoder().encode('\u00e9\ud800')), new TextDecoder().decode(new Uint8Array([239, 187, 191, 195, 169, 255])), new TextDecoder('utf-16le').decode(new Uint8Array([104, 0])), new TextDecoder('latin1').encoding.length > 0]
new TextDecoder('nope')
new Promise((ok) => { const t = setTimeout(ok, 1, 'a'); t.unref(); t.ref(); })
new Promise((ok) => { let n = 0; const t = setInterval(() => { if (++n === 3) { clearInterval(t); ok(n); } }, 1); })
new Promise((ok) => { const all = []; setTimeout(() => { all.push('timeout'); ok(all); }, 1); Promise.resolve().then(() => all.push('promise')); queueMicrotask(() => all.push('microtask')); all.push('now'); })
((t) => { clearTimeout(t); clearTimeout(undefined); clearInterval(null); return 'ok'; })(setTimeout(() => {}, 1))
((c) => { const seen = []; c.signal.addEventListener('abort', () => seen.push('event')); c.signal.onabort = () => seen.push('on'); c.abort(); return [c.signal.aborted, c.signal.reason.name, seen.sort()]; })(new AbortController())
((c) => { c.abort('why'); return [c.signal.reason, (() => { try { c.signal.throwIfAborted(); } catch (e) { return e; } })()]; })(new AbortController())
[AbortSignal.abort().aborted, AbortSignal.abort(3).reason]
new Promise((ok) => { const s = AbortSignal.timeout(1); s.addEventListener('abort', () => ok([s.aborted, s.reason.name])); })

// events, util, stream
(() => { const e = new (require('events'))(); const n = []; e.once('x', (v) => n.push(v)); e.on('x', (v) => n.push(v * 2)); e.prependListener('x', () => n.push('first')); return [e.emit('x', 1), e.emit('x', 2), n, e.listenerCount('x'), e.eventNames(), e.emit('y')]; })()
(() => { new (require('events'))().emit('error', new TypeError('boom')); })()
(() => { new (require('events').EventEmitter)().emit('error'); })()
require('events').once(((e) => { setTimeout(() => e.emit('x', 1, 2), 1); return e; })(new (require('events'))()), 'x')
(() => { const { isDeepStrictEqual: same } = require('util'); return [same({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), same({ a: 1, b: 2 }, { b: 2, a: 1 }), same([1], ['1']), same(NaN, NaN), same(0, -0), same(new Map([[1, 2]]), new Map([[1, 2]])), same(new Set([1]), new Set([2])), same(new Date(1), new Date(1)), same({ a: undefined }, {}), same(/a/g, /a/i), same(undefined, () => 1)]; })()
[require('util').format('%s-%d %j %%', 'a', 1, { b: 2 }, 'more', { x: 1 }), require('util').format('%i %f', '42.5', '1.5'), require('util').format(1, 2)]
[require('util').inspect({ a: [1, 'x', null], b: undefined }), require('util').inspect('it\'s'), require('util').inspect([[[[1]]]]), require('util').inspect(new Map([['a', 1]])), require('util').inspect({ a: { b: { c: { d: 1 } } }, f() {}, s: Symbol('x'), d: new Date(0), r: /x/g, u: [undefined, null] })]
require('util').promisify((a, cb) => cb(null, a + 1))(1)
require('util').promisify((cb) => cb(new RangeError('x')))()
new Promise((ok) => require('util').callbackify(async (a) => a * 2)(4, (e, v) => ok([e, v])))
(() => { function A() {} function B() {} require('util').inherits(B, A); return [new B() instanceof A, B.super_ === A, require('util').types.isDate(new Date()), require('util').isArray([])]; })()
(async () => { const p = new (require('stream').PassThrough)(); p.write('a'); p.end('b'); const all = []; for await (const c of p) all.push(String(c)); return all; })()
new Promise((ok, bad) => { const { PassThrough, Transform, pipeline } = require('stream'); const from = new PassThrough(); const out = []; const up = new Transform({ transform(c, e, cb) { cb(null, String(c).toUpperCase()); } }); up.on('data', (c) => out.push(String(c))); pipeline(from, up, (e) => (e ? bad(e) : ok(out.join('')))); from.write('a'); from.end('bc'); })
(() => { const d = new (require('string_decoder').StringDecoder)('utf8'); return [d.write(Buffer.from([0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end()]; })()

// zlib and crypto
require('zlib').gunzipSync(require('zlib').gzipSync('hello')).toString()
[require('zlib').inflateSync(require('zlib').deflateSync(Buffer.from('abc'))).toString(), require('zlib').inflateRawSync(require('zlib').deflateRawSync('abc')).toString(), require('zlib').unzipSync(require('zlib').gzipSync('x')).toString()]
new Promise((ok, bad) => require('zlib').gunzip(Buffer.from('1f8b08000000000000ffaa56ca4c51b2522a3554aa05040000ffffbacac1ef0b000000', 'hex'), (e, b) => (e ? bad(e) : ok(JSON.parse(b)))))
new Promise((ok, bad) => require('zlib').gunzip(Buffer.from('nope'), (e) => ok(e.code)))
new Promise((ok, bad) => { const g = require('zlib').createGunzip(); let d = ''; g.on('data', (c) => { d += c; }).on('end', () => ok(d)).on('error', bad); const s = new (require('stream').PassThrough)(); s.pipe(g); s.end(require('zlib').gzipSync('piped')); })
[require('crypto').createHash('sha256').update('a').update('b').digest('hex'), require('crypto').createHash('md5').update('\u00e9', 'latin1').digest('base64'), require('crypto').createHash('SHA512').update(Buffer.from('x')).digest().length, require('crypto').createHash('sha1').update('6162', 'hex').digest('base64url')]
[require('crypto').createHmac('sha1', 'k').update('m').digest('base64'), require('crypto').createHmac('sha256', Buffer.from('6b', 'hex')).update('m').digest('hex'), require('crypto').createHmac('SHA384', require('crypto').createSecretKey(Buffer.from('k'))).update('m').digest('hex').length]
[require('crypto').createHash('sha256').update(5)]
[require('crypto').randomBytes(8).length, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(require('crypto').randomUUID()), require('crypto').timingSafeEqual(Buffer.from('ab'), Buffer.from('ab'))]
require('crypto').timingSafeEqual(Buffer.from('a'), Buffer.from('ab'))
((c, key, pub) => { const s = c.createSign('RSA-SHA256').update('m').sign(key); return [c.createVerify('RSA-SHA256').update('m').verify(pub, s), c.createVerify('SHA256').update('n').verify(pub, s), c.createSign('RSA-SHA1').update('m').sign(key, 'hex').slice(0, 8), c.createPrivateKey(key).asymmetricKeyType, c.createPublicKey(key).type, c.createPublicKey(pub).asymmetricKeyDetails.modulusLength]; })(require('crypto'), KEY, PUBLIC)
require('crypto').createPrivateKey('nope') && 1
[require('node:util') === require('util'), require('timers').setTimeout === setTimeout]
