package fetchscript_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream/fetchscript"
)

// panicking is a transport of the host with a fault in it, as is each body that
// it gives.
type panicking struct{ inBody bool }

func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.inBody {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(p), Request: r}, nil
	}
	panic("no such " + r.Header.Get("Authorization"))
}

func (panicking) Read([]byte) (int, error) { panic("no body") }

// TestHostClientPanics: a login fails, and the program goes on.
func TestHostClientPanics(t *testing.T) {
	for _, o := range []fetchscript.Options{{}, {Isolation: isolation}} {
		for _, inBody := range []bool{false, true} {
			ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: panicking{inBody}})
			_, err := fetch(t, ctx, o, "(t, c, cb) => request.get({ url: 'https://idp.example.com/me', headers: { authorization: t } }, cb)", token(nil))
			var failure *fetchscript.Error
			require.ErrorAs(t, err, &failure)
			assert.Contains(t, err.Error(), "HTTP client of the program panicked")
			assert.NotContains(t, err.Error(), accessToken)
			assert.ErrorContains(t, failure.Err, "no ")
		}
	}
}

// TestFetchRedirectModes: fetch's option redirect.
func TestFetchRedirectModes(t *testing.T) {
	p := newIDP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/me", http.StatusFound)
			return
		}
		echo(w, r)
	})
	out := func(mode, path string) string {
		return result(t, p.context(t.Context()), "async () => ({ user_id: 'u1', out: await fetch('https://idp.example.com"+path+"', { redirect: '"+mode+"' }).then((r) => r.status, (e) => e.name + ': ' + e.message + ': ' + e.cause.message) })", token(nil))
	}
	assert.Equal(t, "200", out("follow", "/moved"))
	assert.Equal(t, "302", out("manual", "/moved"))
	assert.Equal(t, "200", out("error", "/me"))
	assert.Equal(t, `"TypeError: fetch failed: unexpected redirect"`, out("error", "/moved"))
	for _, s := range p.requests()[len(p.requests())-1:] {
		assert.Equal(t, "/moved", s.Path, "what the redirect leads to was not asked")
	}
}
