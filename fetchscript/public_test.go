package fetchscript_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream/fetchscript"
)

func TestPublicAddresses(t *testing.T) {
	for _, a := range strings.Fields("8.8.8.8 1.1.1.1 172.15.0.1 172.32.0.1 100.63.255.255 100.128.0.1 192.0.1.1 198.17.0.1 198.20.0.1 223.255.255.255 2606:4700::1111 2a00:1450::1 64:ff9b::808:808 ::ffff:8.8.8.8") {
		assert.True(t, fetchscript.Public(netip.MustParseAddr(a)), a)
	}
	for _, a := range strings.Fields(`0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1
		192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255
		:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::7f00:1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::808:808 100::1 2001::1 2001:db8::1 2002:7f00:1:: 3fff::1 fc00::1
		fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 5f00::1`) {
		assert.False(t, fetchscript.Public(netip.MustParseAddr(a)), a)
	}
}

// TestPublicOnlyRefusesThisMachine (SECURITY.md 56): by address, by name, and by
// a redirect of a server that may be reached.
func TestPublicOnlyRefusesThisMachine(t *testing.T) {
	reached := 0
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer inside.Close()
	byName := strings.Replace(inside.URL, "127.0.0.1", "localhost", 1)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, fetchscript.PublicOnly())
	for _, target := range []string{inside.URL, byName, strings.Replace(inside.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1), strings.Replace(inside.URL, "127.0.0.1", "0x7f.1", 1)} {
		for _, o := range []fetchscript.Options{{}, {Isolation: isolation}} {
			_, err := fetch(t, ctx, o, "(t, c, cb) => request.get('"+target+"', (e, r, b) => cb(e || 'reached'))", token(nil))
			require.Error(t, err, target)
			assert.NotContains(t, err.Error(), "reached", target)
		}
	}

	client := fetchscript.PublicOnly()
	outside := client.Transport
	client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "idp.example.com" { // stands for a public server
			return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {byName}}, Body: http.NoBody, Request: r}, nil
		}
		return outside.RoundTrip(r)
	})
	ctx = context.WithValue(t.Context(), oauth2.HTTPClient, client)
	_, err := fetch(t, ctx, fetchscript.Options{}, "(t, c, cb) => request.get('https://idp.example.com/me', (e, r, b) => cb(e || 'reached'))", token(nil))
	require.ErrorContains(t, err, "the address is not public")
	assert.Zero(t, reached)
}

// TestIsolatedIsPublicOnly: the guard is there unless the host gives a client.
func TestIsolatedIsPublicOnly(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"id": "u1"}`)) }))
	defer inside.Close()
	s, err := fetchscript.Options{Isolation: isolation}.Compile("(t, c, cb) => request.get({ url: '" + inside.URL + "', json: true }, (e, r, b) => cb(e, b))")
	require.NoError(t, err)
	_, err = s.Fetch(t.Context(), token(nil), connection())
	require.ErrorContains(t, err, "the address is not public")
	profile, err := s.Fetch(context.WithValue(t.Context(), oauth2.HTTPClient, inside.Client()), token(nil), connection())
	require.NoError(t, err)
	assert.Equal(t, "u1", profile.UserID)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
