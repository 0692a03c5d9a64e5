package upstream_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzConnection: nothing panics; what parses marshals to the same value, and
// that parses and marshals to the same bytes; errors begin with the prefix.
func FuzzConnection(f *testing.F) {
	for _, text := range realShapes {
		f.Add([]byte(text))
	}
	for _, vs := range vectors(f) {
		for _, v := range vs {
			f.Add([]byte(v.Connection))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := slices.Clone(data)
		conn, err := upstream.ParseConnection(data)
		assert.Equal(t, before, data, "E3: arguments stay")
		if err != nil {
			wellFormed(t, err)
			return
		}
		out, err := conn.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, string(data), string(out), "C3")
		if err := conn.Validate(); err != nil {
			wellFormed(t, err)
		}
		if p, err := upstream.NewProvider(conn); err != nil {
			wellFormed(t, err)
		} else if _, err := p.AuthorizationURL(nil, sampleTransaction); err != nil {
			wellFormed(t, err)
		}
		// One change: all other members stay, and the text still parses.
		conn.Options.UpstreamParams["blog"] = upstream.Static("myblog.wordpress.com")
		changed, err := conn.MarshalJSON()
		require.NoError(t, err)
		again, err := upstream.ParseConnection(changed)
		require.NoError(t, err)
		assert.Equal(t, upstream.Static("myblog.wordpress.com"), again.Options.UpstreamParams["blog"])
		stable, err := again.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, string(changed), string(stable))
		was, is := decode(t, data), decode(t, changed)
		without(was, "options", "upstream_params", "blog")
		without(is, "options", "upstream_params", "blog")
		assert.Equal(t, was, is)
	})
}

func decode(t testing.TB, data []byte) map[string]any {
	t.Helper()
	var out map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&out))
	return out
}

// without removes the member at path, and the objects on the way where that
// leaves them empty or they were none.
func without(v map[string]any, path ...string) {
	below, ok := v[path[0]].(map[string]any)
	if len(path) > 1 && ok {
		without(below, path[1:]...)
	}
	if len(path) == 1 || !ok || len(below) == 0 {
		delete(v, path[0])
	}
}

// wellFormed checks what every error of the package promises (E1, E2).
func wellFormed(t testing.TB, err error) {
	t.Helper()
	text := err.Error()
	text, ok := strings.CutPrefix(text, "upstream: ")
	assert.True(t, ok && !strings.HasPrefix(text, "upstream: "), text) // a name further on may say so again
	var config *upstream.ConfigError
	var request *upstream.RequestError
	var transaction *upstream.TransactionError
	var protocol *upstream.ProtocolError
	switch {
	case errors.As(err, &config):
		assert.NotEmpty(t, config.Problems)
		seen := map[string]bool{}
		for _, p := range config.Problems {
			assert.False(t, seen[p.Pointer], "%s is told twice", p.Pointer)
			seen[p.Pointer] = true
			assert.NotEmpty(t, p.Message)
		}
	case errors.As(err, &request):
		assert.Equal(t, "invalid_request", request.Code)
		for _, b := range []byte(request.Description) { // RFC 6749 section 5.2
			assert.True(t, b >= ' ' && b < 0x7f && b != '"' && b != '\\', "%q", request.Description)
		}
	case errors.As(err, &transaction), errors.As(err, &protocol):
	default:
		t.Errorf("%T is no error of the package: %v", err, err)
	}
}

// FuzzRequest: nothing panics; what parses agrees with net/url, holds no
// control character and no invalid UTF-8; the three ways in agree; errors name
// a recognised parameter and repeat no value.
func FuzzRequest(f *testing.F) {
	for _, vs := range vectors(f) {
		for _, v := range vs {
			if len(v.Request) < 2000 {
				f.Add(v.Request)
			}
		}
	}
	f.Add(sampleQuery)
	f.Add("login_hint=j%C3%B6rg;&%6cogin_hint=%00&resource=a&resource=&redirect_uri=x%23y")
	f.Fuzz(func(t *testing.T, query string) {
		req, err := upstream.ParseAuthorizeQuery(query)
		if err != nil {
			wellFormed(t, err)
			var bad *upstream.RequestError
			if require.ErrorAs(t, err, &bad); bad.Parameter != "" {
				assert.Contains(t, recognised, bad.Parameter)
			}
			return
		}
		agreesWithNetURL(t, query, req)
		for _, v := range fields(req) {
			list, ok := v.([]string)
			if !ok {
				list = []string{v.(string)}
			}
			for _, s := range list {
				assert.True(t, s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }), "%q", s)
			}
		}
		if values, err := url.ParseQuery(query); err == nil {
			same, err := upstream.ParseAuthorizeValues(values)
			require.NoError(t, err)
			assert.Equal(t, fields(req), fields(same))
		}
	})
}

// FuzzAuthorizationURL: for any connection and request that go together, the
// URL parses; scheme, host, path, client_id, redirect_uri, state and
// response_type are the configured ones, once; every pair is explained; the
// inputs do not change and a second call gives the same bytes.
func FuzzAuthorizationURL(f *testing.F) {
	for _, vs := range vectors(f) {
		for _, v := range vs {
			if len(v.Request) < 2000 {
				tx := v.transaction()
				f.Add([]byte(v.Connection), v.Request, tx.RedirectURI, tx.State.Reveal(), tx.Nonce.Reveal(), tx.CodeVerifier.Reveal(), tx.RequestToken.Reveal())
			}
		}
	}
	f.Fuzz(func(t *testing.T, connection []byte, query, redirectURI, state, nonce, verifier, token string) {
		tx := upstream.Transaction{RedirectURI: redirectURI, State: upstream.NewSecret(state), Nonce: upstream.NewSecret(nonce), CodeVerifier: upstream.NewSecret(verifier), RequestToken: upstream.NewSecret(token)}
		conn, err := upstream.ParseConnection(connection)
		if err != nil {
			return
		}
		req, err := upstream.ParseAuthorizeQuery(query)
		if err != nil {
			return
		}
		before := *req
		before.Resource = slices.Clone(req.Resource)
		p, err := upstream.NewProvider(conn)
		if err != nil {
			wellFormed(t, err)
			return
		}
		out, err := p.AuthorizationURL(req, tx)
		if err != nil {
			wellFormed(t, err)
			return
		}
		again, err := p.AppendAuthorizationURL([]byte("x"), req, tx)
		require.NoError(t, err)
		assert.Equal(t, "x"+out, string(again))
		assert.True(t, reflect.DeepEqual(&before, req), "the request was changed")
		marshalled, err := conn.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, string(connection), string(marshalled), "the connection was changed")

		// The destination is the configuration's, whatever the request says.
		endpoint, oauth1 := conn.Options.AuthorizationURL, false
		if token != "" && strings.Contains(out, "oauth_token=") {
			oauth1 = true
			endpoint = conn.Options.UserAuthorizationURL
		}
		if endpoint != "" {
			base, _, _ := strings.Cut(endpoint, "?")
			got, _, _ := strings.Cut(out, "?")
			assert.Equal(t, base, got)
		}
		u, err := url.Parse(out)
		require.NoError(t, err)
		assert.Contains(t, []string{"http", "https"}, u.Scheme)
		assert.NotEmpty(t, u.Host)
		values, err := url.ParseQuery(u.RawQuery)
		require.NoError(t, err)
		for name, list := range values {
			assert.NotContains(t, list, "", "M2: %s is sent empty", name)
		}
		if oauth1 {
			assert.Equal(t, []string{token}, values["oauth_token"])
		} else {
			assert.Equal(t, []string{conn.Options.ClientID}, values["client_id"])
			assert.Equal(t, []string{redirectURI}, values["redirect_uri"])
			assert.Equal(t, []string{state}, values["state"])
			assert.Equal(t, []string{"code"}, values["response_type"])
		}
		explained(t, p, req, tx, out)
	})
}

// Warnings never panics, and a connection of which there is nothing to say
// stays so through its JSON and back.
func FuzzWarnings(f *testing.F) {
	for _, text := range realShapes {
		f.Add([]byte(text))
	}
	f.Add([]byte(enterprise))
	for _, options := range []string{`"custom_headers": {}`, `"profile": true`, `"kid": "k"`, `"oidc_metadata": {"issuer": 7}`, `"pkce": 1, "colour": 2`} {
		f.Add([]byte(custom(options)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		conn, err := upstream.ParseConnection(text)
		if err != nil {
			return
		}
		warnings := conn.Warnings()
		for _, w := range warnings {
			if w.Pointer == "" || w.Message == "" || strings.Contains(w.Message, "\n") {
				t.Errorf("%q: warning %q", text, w)
			}
		}
		out, err := conn.MarshalJSON()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		again, err := upstream.ParseConnection(out)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if (conn.Validate() == nil) != (again.Validate() == nil) || len(again.Warnings()) != len(warnings) {
			t.Errorf("%q: %v, then %v", text, warnings, again.Warnings())
		}
	})
}
