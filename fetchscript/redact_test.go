package fetchscript_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream/fetchscript"
)

// parts says which pieces of a secret, of eight bytes, a text holds.
func parts(text, secret string) (found []string) {
	for at := 0; at+8 <= len(secret); at++ {
		if part := secret[at : at+8]; strings.Contains(text, part) {
			found = append(found, part)
		}
	}
	return found
}

// numbered gives a secret of n bytes, no part of which is like another.
func numbered(name string, n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%s%05d.", name, i*7919%100000)
	}
	return b.String()[:n]
}

// TestRedactBeforeCutting: a text that is too long ends with no part of a secret.
func TestRedactBeforeCutting(t *testing.T) {
	secrets := []string{numbered("ACC", 1800), numbered("REF", 1200), numbered("IDT", 1600)}
	body := numbered("member", 20000)
	for _, fill := range []int{0, 10, 700, 1000, 1015, 1023, 1024, 4000, 4090, 15000, 16000, 16380, 16384} {
		for name, text := range map[string]string{
			"Fill": strings.Repeat("f", fill) + strings.Join(secrets, " "),
			"Body": body[:fill] + strings.Join(secrets, ""),
		} {
			out := fetchscript.Redact(secrets, []string{body}, text)
			for _, secret := range secrets {
				assert.Empty(t, parts(out, secret), "%s %d: %q", name, fill, out)
			}
			assert.LessOrEqual(t, len(out), 1<<10+3)
		}
	}
	for _, o := range []fetchscript.Options{{}, {Isolation: isolation}} {
		var log bytes.Buffer
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		tok := (&oauth2.Token{AccessToken: secrets[0], RefreshToken: secrets[1]}).WithExtra(map[string]any{"id_token": secrets[2]})
		_, err := fetch(t, t.Context(), o, "(t, c, cb) => { console.log(c.access_token, c.id_token, 'x'.repeat(1000), c.refresh_token); cb(new Error(t + c.id_token + c.refresh_token)) }", tok)
		require.Error(t, err)
		assert.Contains(t, log.String(), "redacted")
		for _, secret := range secrets {
			assert.Empty(t, parts(log.String()+err.Error(), secret))
		}
	}
}

// TestRedactForms: a secret is found as a script may have written it.
func TestRedactForms(t *testing.T) {
	const secret = "ab!cd/ef\"gh ij~kl*mn\\op+qrs(t)=&uvw"
	for _, body := range []string{
		"t", "encodeURIComponent(t)", "encodeURI(t)", "escape(t)", "JSON.stringify({ t })", "JSON.stringify(t).slice(1, -1)", "new URLSearchParams({ t }).toString()",
		"require('querystring').stringify({ t })", "Buffer.from(t).toString('hex')", "btoa(t)", "Buffer.from(t).toString('base64url')",
	} {
		_, err := fetch(t, t.Context(), fetchscript.Options{}, "(t, c, cb) => cb(new Error('kept: ' + "+body+"))", &oauth2.Token{AccessToken: secret})
		require.Error(t, err)
		assert.Regexp(t, `kept: \W*(t=|t%22%3A%22|t":")?\[redacted\]\W*$`, err.Error(), body)
	}
	for _, body := range []string{"'u:' + t", "'us:' + t", "'use:' + t", "'user:' + t + ':'", "t + ':x'", "t + ':xy'"} {
		for _, encoding := range []string{"base64", "base64url"} {
			_, err := fetch(t, t.Context(), fetchscript.Options{}, "(t, c, cb) => cb(new Error('kept: ' + Buffer.from("+body+").toString('"+encoding+"')))", &oauth2.Token{AccessToken: secret})
			require.Error(t, err)
			assert.Regexp(t, `kept: \w{0,12}\[redacted\][\w=]{0,8}$`, err.Error(), body)
		}
	}
}

// TestRedactNestedTokens: as Slack has them, and others.
func TestRedactNestedTokens(t *testing.T) {
	tok := token(map[string]any{
		"authed_user": map[string]any{"id": "U1-kept", "access_token": "xoxp-12345678", "token_type": "user"},
		"teams":       []any{map[string]any{"bot": map[string]any{"client_secret": "xoxb-12345678"}}},
		"tokens":      map[string]any{"google": "ya29-12345678"},
	})
	_, err := fetch(t, t.Context(), fetchscript.Options{}, "(t, c, cb) => cb(new Error(JSON.stringify([c.authed_user, c.teams, c.tokens])))", tok)
	require.ErrorContains(t, err, "U1-kept")
	assert.NotContains(t, err.Error(), "12345678")
	assert.Contains(t, err.Error(), `"token_type":"user"`)
}

// TestRedactHeaders: an answer's headers may hold a session, or a code.
func TestRedactHeaders(t *testing.T) {
	p := newIDP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=S3ss10n-9f; Path=/; HttpOnly")
		w.Header().Set("Location", "https://idp.example.com/next?code=C0de-77aa")
		w.Header().Set("WWW-Authenticate", `Bearer realm="r", nonce="N0nce-1234567890"`)
		w.Header().Set("X-Api-Token", "T0ken-5566")
		w.Header().Set("X-Trace", "trace-kept")
		w.WriteHeader(http.StatusUnauthorized)
	})
	for _, body := range []string{"JSON.stringify(r.headers)", "r.headers['set-cookie'][0].split(';')[0].split('=')[1] + r.headers.location.split('code=')[1] + r.headers['x-api-token'] + r.headers['x-trace']"} {
		_, err := fetch(t, p.context(t.Context()), fetchscript.Options{}, "(t, c, cb) => request.get('https://idp.example.com/me', (e, r, b) => cb(new Error("+body+")))", token(nil))
		require.ErrorContains(t, err, "trace-kept")
		for _, secret := range []string{"S3ss10n", "C0de-77aa", "N0nce", "T0ken"} {
			assert.NotContains(t, err.Error(), secret)
		}
	}
}
