package upstream_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

// demanding is a connection of strategy oidc with these options besides.
func demanding(t *testing.T, idp string, options string) *upstream.Provider {
	t.Helper()
	return provider(t, `{"name":"bank","strategy":"oidc","options":{"client_id":"client","client_secret":"SECRET",
		"authorization_endpoint":"https://idp.example.com/authorize","token_endpoint":"`+idp+`/token","userinfo_endpoint":"`+idp+`/userinfo"`+options+`}}`)
}

func TestO4Demands(t *testing.T) {
	for _, c := range []struct {
		options string
		want    []string
		at      []string
	}{
		{``, nil, nil},
		{`,"token_endpoint_auth_method":"none"`, nil, nil},
		{`,"token_endpoint_auth_method":"private_key_jwt"`, []string{"private_key_jwt"}, []string{"/options/token_endpoint_auth_method"}},
		{`,"token_endpoint_auth_method":"client_secret_jwt"`, []string{"client_secret_jwt"}, []string{"/options/token_endpoint_auth_method"}},
		{`,"token_endpoint_auth_method":"tls_client_auth"`, []string{"tls_client_auth"}, []string{"/options/token_endpoint_auth_method"}},
		{`,"token_endpoint_auth_method":"self_signed_tls_client_auth"`, []string{"self_signed_tls_client_auth"}, []string{"/options/token_endpoint_auth_method"}},
		{`,"dpop_signing_alg":"ES256"`, []string{"dpop_signing_alg"}, []string{"/options/dpop_signing_alg"}},
		{
			`,"require_pushed_authorization_requests":true,"dpop_signing_alg":"ES256"`,
			[]string{"dpop_signing_alg", "require_pushed_authorization_requests"},
			[]string{"/options/dpop_signing_alg", "/options/require_pushed_authorization_requests"},
		},
	} {
		idp := newIdP(t)
		p := demanding(t, idp.URL, c.options)
		assert.Equal(t, c.want, p.Demands(), c.options)
		if c.want == nil {
			continue
		}
		config := p.TokenConfig("https://auth.example.com/callback")
		_, exchange := config.Exchange(t.Context(), "code")
		_, refresh := config.TokenSource(t.Context(), expired("R1")).Token()
		_, password := config.PasswordCredentialsToken(t.Context(), "user", "pw")
		for _, err := range []error{exchange, refresh, password} {
			var unmet *upstream.ConfigError
			require.ErrorAs(t, err, &unmet, c.options)
			var at []string
			for i, problem := range unmet.Problems {
				at = append(at, problem.Pointer)
				assert.Contains(t, problem.Message, c.want[i])
			}
			assert.Equal(t, c.at, at)
			assert.Equal(t, "bank", unmet.Connection)
			assert.True(t, strings.HasPrefix(err.Error(), "upstream: connection"), err)
		}
		assert.Empty(t, idp.all(), "no request has gone out")
		p.Demands()[0] = "changed"
		met := p.WithProtection(nil, c.want...)
		assert.Empty(t, met.Demands())
		assert.Equal(t, c.want, p.Demands(), "the receiver stays as it is")
		_, err := met.TokenConfig("https://auth.example.com/callback").Exchange(t.Context(), "code")
		require.NoError(t, err)
	}
	var none *upstream.Provider
	assert.Empty(t, none.Demands())
	assert.Empty(t, none.WithProtection(nil, "dpop_signing_alg").Demands())
}

func TestO4Apple(t *testing.T) {
	apple := func(options string) *upstream.Provider {
		return provider(t, `{"name":"apple","strategy":"apple","options":{"client_id":"client"`+options+`}}`)
	}
	for options, want := range map[string][]string{
		``: {"app_secret"}, // Apple has no public clients
		`,"app_secret":"KEY","kid":"K","team_id":"T"`:                         {"app_secret"},
		`,"app_secret":"KEY","kid":"K","team_id":"T","client_secret":"STALE"`: {"app_secret"},
		`,"client_secret":"made by the host"`:                                 nil,
	} {
		assert.Equal(t, want, apple(options).Demands(), options)
	}
}

// A login that has to be pushed has no URL that could go without.
func TestO4RequiredPAR(t *testing.T) {
	p := demanding(t, "https://idp.example.com", `,"require_pushed_authorization_requests":true`)
	tx := upstream.NewTransaction("https://auth.example.com/callback")
	url, err := p.AuthorizationURL(nil, tx)
	var unmet *upstream.ConfigError
	require.ErrorAs(t, err, &unmet)
	assert.Empty(t, url)
	assert.Equal(t, "/options/require_pushed_authorization_requests", unmet.Problems[0].Pointer)
	_, err = p.AppendAuthorizationURL(nil, nil, tx)
	require.ErrorAs(t, err, &unmet)
	_, err = p.Explain(nil, tx)
	require.NoError(t, err, "what would be pushed")
	url, err = p.WithProtection(nil, "require_pushed_authorization_requests").AuthorizationURL(nil, tx)
	require.NoError(t, err)
	assert.NotEmpty(t, url)
	_, err = demanding(t, "https://idp.example.com", `,"dpop_signing_alg":"ES256"`).AuthorizationURL(nil, tx)
	require.NoError(t, err, "all else makes its URL")
}

// adding gives a Protection that notes what it is asked, and sends a proof.
func adding(seen *[]string, name string) upstream.Protection {
	return func(ctx context.Context, target upstream.Target, base http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			*seen = append(*seen, fmt.Sprint(name, " ", target, " ", r.Header.Get("Authorization"), " ", ctx.Value(loginKey{})))
			r = r.Clone(r.Context())
			r.Header.Add("DPoP", name)
			return base.RoundTrip(r)
		})
	}
}

type loginKey struct{}

func TestO4Protection(t *testing.T) {
	idp := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			answer(200, "application/json", `{"access_token":"A1","token_type":"dpop","refresh_token":"R1"}`)(w, r)
			return
		}
		answer(200, "application/json", `{"sub":"1"}`)(w, r)
	})
	var seen []string
	p := demanding(t, idp.URL, `,"token_endpoint_auth_method":"private_key_jwt","dpop_signing_alg":"ES256"`).
		WithProtection(adding(&seen, "outer"), "private_key_jwt").WithProtection(adding(&seen, "inner"), "dpop_signing_alg")
	ctx := context.WithValue(t.Context(), loginKey{}, "login")
	config := p.TokenConfig("https://auth.example.com/callback")
	token, err := config.Exchange(ctx, "code")
	require.NoError(t, err)
	sent := idp.all()[0]
	assert.Equal(t, "client", sent.Form.Get("client_id"))
	assert.False(t, sent.Form.Has("client_secret"))
	assert.NotContains(t, sent.Text, "SECRET")
	assert.Equal(t, []string{"outer", "inner"}, sent.Header["Dpop"])

	_, err = p.FetchProfile(ctx, token)
	require.NoError(t, err)
	own := p.WithProfileFetcher(nil, upstream.Userinfo{URL: idp.URL + "/userinfo"}.Fetch)
	_, err = own.FetchProfile(ctx, token)
	require.NoError(t, err)
	resp, err := config.Client(ctx, token).Get(idp.URL + "/api")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	for _, call := range idp.all()[1:] {
		assert.Equal(t, []string{"DPoP A1"}, call.Header["Authorization"], call.Path)
		assert.Equal(t, []string{"outer", "inner"}, call.Header["Dpop"], call.Path)
	}
	_, err = config.TokenSource(ctx, expired("R1")).Token()
	require.NoError(t, err)
	assert.Equal(t, []string{
		"outer 0  login", "inner 0  login",
		"outer 1 DPoP A1 login", "inner 1 DPoP A1 login", "outer 1 DPoP A1 login", "inner 1 DPoP A1 login",
		"outer 1 DPoP A1 login", "inner 1 DPoP A1 login", "outer 0  login", "inner 0  login",
	}, seen)
}

// Without what proves it, a DPoP token goes nowhere, and neither does any other
// of a connection that asks for DPoP.
func TestO4TokenTypes(t *testing.T) {
	idp := newIdP(t)
	plain := demanding(t, idp.URL, ``)
	bound := demanding(t, idp.URL, `,"dpop_signing_alg":"ES256"`)
	for _, p := range []*upstream.Provider{plain, bound, plain.WithProtection(nil, "dpop_signing_alg"), plain.WithProtection(adding(new([]string), "x"))} {
		for _, kind := range []string{"DPoP", "dpop", "Bearer"} {
			if p != bound && kind == "Bearer" {
				continue
			}
			token := &oauth2.Token{AccessToken: "A1", TokenType: kind}
			_, err := p.FetchProfile(t.Context(), token)
			var failure *upstream.ProfileError
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, 1, strings.Count(err.Error(), "upstream: "), err)
			_, err = p.TokenConfig("https://auth.example.com/callback").Client(t.Context(), token).Get(idp.URL + "/api")
			require.ErrorContains(t, err, "dpop_signing_alg")
			if p == bound {
				var unmet *upstream.ConfigError
				require.ErrorAs(t, err, &unmet)
			}
		}
	}
	assert.Empty(t, idp.all())
}

// What a Protection answers is read within the root's bounds.
func TestO4ProtectionInsideTheBounds(t *testing.T) {
	for name, c := range map[string]struct {
		protection upstream.Protection
		want       string
	}{
		"redirect": {respond(302, `{}`, "https://evil.test/"), "redirects, which is never followed"},
		"bomb":     {respond(200, strings.Repeat(" ", 1<<20+1), ""), "larger than 1 MiB"},
		"nil":      {func(context.Context, upstream.Target, http.RoundTripper) http.RoundTripper { return nil }, ""},
		"nothing": {func(context.Context, upstream.Target, http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, nil })
		}, "the request failed"},
		"error": {func(context.Context, upstream.Target, http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
		}, "the connection ended"},
	} {
		idp := newIdP(t)
		p := demanding(t, idp.URL, ``).WithProtection(c.protection)
		_, err := p.TokenConfig("https://auth.example.com/callback").Exchange(t.Context(), "code")
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, "upstream: token endpoint: ", name)
		require.ErrorContains(t, err, c.want, name)
		assert.Empty(t, idp.all(), name)
	}
}

func respond(status int, body, location string) upstream.Protection {
	return func(context.Context, upstream.Target, http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Location": {location}}, Request: r,
				Body: io.NopCloser(strings.NewReader(body))}, nil
		})
	}
}
