package fetchscript_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/fetchscript"
)

// TestURLSettersKeepTheHost (SECURITY.md 55): no setter of a URL moves a request,
// and the token in it, to another host than Node.js would ask.
func TestURLSettersKeepTheHost(t *testing.T) {
	for name, change := range map[string]string{
		"pathname":      "u.pathname = '.evil.test/x'",
		"pathname, @":   "u.pathname = '@evil.test/x'",
		"search":        "u.search = '@evil.test'",
		"hash":          "u.hash = '@evil.test/'",
		"username":      "u.username = 'evil.test/'",
		"password":      "u.password = '@evil.test/'",
		"port":          "u.port = '443@evil.test'",
		"host":          "u.host = 'api.example.com@evil.test'",
		"hostname":      "u.hostname = 'api.example.com#evil.test'",
		"protocol":      "u.protocol = 'https://evil.test/'",
		"href, refused": "try { u.href = 'evil' } catch (e) {}",
		"searchParams":  "u.searchParams.set('a', '@evil.test/#')",
		"dots":          "u.pathname = '/../../evil.test'",
		"backslash":     "u.pathname = '\\\\\\\\evil.test'",
	} {
		for _, send := range []string{
			"request.get({ url: u.href, headers }, (e, r) => cb(e, { user_id: 'u1' }))",
			"request.get({ url: u, headers }, (e, r) => cb(e, { user_id: 'u1' }))",
			"require('axios').get(String(u), { headers }).then(() => cb(null, { user_id: 'u1' }), cb)",
			"require('https').get(u, { headers }, (res) => { res.resume(); cb(null, { user_id: 'u1' }); })",
			"fetch(u, { headers }).then(() => cb(null, { user_id: 'u1' }), cb)",
		} {
			p := newIDP(t, echo)
			_, err := fetch(t, p.context(t.Context()), fetchscript.Options{}, "(token, c, cb) => { const headers = { 'X-Custom': token }; const u = new URL('https://api.example.com'); "+change+"; "+send+" }", token(nil))
			require.NoError(t, err, "%s: %s", name, send)
			require.Len(t, p.requests(), 1)
			assert.Equal(t, "api.example.com", p.requests()[0].Host, "%s: %s", name, send)
		}
	}
}

// TestPartsOfAnAddressStayApart: what https is given in parts is one address, or none.
func TestPartsOfAnAddressStayApart(t *testing.T) {
	for options, want := range map[string]string{
		"{ hostname: 'api.example.com', path: '.evil.test/x' }":           "/.evil.test/x",
		"{ hostname: 'api.example.com', path: '@evil.test/x' }":           "/@evil.test/x",
		"{ hostname: 'api.example.com', path: '//evil.test/x' }":          "//evil.test/x",
		"{ hostname: 'api.example.com', path: '/a/../b#c' }":              "/a/../b",
		"{ host: 'api.example.com', port: 443, path: '/' }":               "/",
		"{ hostname: 'evil.test/?', host: 'api.example.com', path: '/' }": "",
		"{ hostname: 'a@evil.test' }":                                     "",
		"{ hostname: 'evil.test#' }":                                      "",
		"{ hostname: 'evil.test\\\\' }":                                   "",
		"{ hostname: 'api.example.com', port: '443@evil.test' }":          "",
		"{ hostname: 'api.example.com', path: '/ b' }":                    "",
	} {
		p := newIDP(t, echo)
		_, err := fetch(t, p.context(t.Context()), fetchscript.Options{}, "(token, c, cb) => { require('https').get("+options+", () => cb(null, { user_id: 'u1' })).on('error', cb) }", token(nil))
		if want == "" {
			require.Error(t, err, options)
			assert.Empty(t, p.requests(), options)
			continue
		}
		require.NoError(t, err, options)
		assert.Equal(t, "api.example.com", p.requests()[0].Host, options)
		assert.Equal(t, want, p.requests()[0].Path, options)
	}
}

// TestHostHeaderWithoutDefaultPort: as every client of HTTP has it.
func TestHostHeaderWithoutDefaultPort(t *testing.T) {
	for _, send := range []string{"request.get('https://idp.example.com:443/me', cb)", "require('axios').get('https://idp.example.com:443/me').then(() => cb())", "require('https').get('https://idp.example.com:443/me', () => cb())", "require('https').get({ host: 'idp.example.com', port: 443 }, () => cb())"} {
		p := newIDP(t, echo)
		_, _ = fetch(t, p.context(t.Context()), fetchscript.Options{}, "(t, c, cb) => "+send, token(nil))
		if assert.Len(t, p.requests(), 1, send) {
			assert.Equal(t, "idp.example.com", p.requests()[0].Host, send)
		}
	}
}

// TestErrorsThatCannotBeRead still fail the login with words of ours.
func TestErrorsThatCannotBeRead(t *testing.T) {
	for _, body := range []string{
		"cb({ get message() { throw new Error('x'); } })",
		"const e = new Error('x'); Object.defineProperty(e, 'message', { get() { throw e; } }); cb(e)",
		"const e = new Error('x'); Object.defineProperty(e, 'name', { get() { throw e; } }); throw e",
		"cb({ [Symbol.toPrimitive]() { throw 1; }, toJSON() { throw 2; } })",
		"cb(new Proxy({}, { get() { throw 1; } }))",
	} {
		_, err := fetch(t, t.Context(), fetchscript.Options{}, "(t, c, cb) => { "+body+" }", token(nil))
		require.ErrorContains(t, err, "script: an error that cannot be written down", body)
	}
}
