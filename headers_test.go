package upstream_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

const tokenJSON = `{"access_token":"A2","token_type":"bearer","refresh_token":"R2","expires_in":3600}`

// newIdP answers at /token and /device, and with 200 elsewhere.
func newIdP(t *testing.T) *site {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/token", answer(200, "application/json", tokenJSON))
	mux.HandleFunc("/device", answer(200, "application/json", `{"device_code":"D","user_code":"U","interval":1}`))
	mux.HandleFunc("/", answer(200, "application/json", `{}`))
	return newSite(t, mux.ServeHTTP)
}

// sealed makes Headers of plain texts.
func sealed(headers map[string]string) upstream.Headers {
	out := upstream.Headers{}
	for name, value := range headers {
		out[name] = upstream.NewSecret(value)
	}
	return out
}

func newConfig(t *testing.T, idp *site, change func(*oauth2.Config), headers map[string]string) *upstream.TokenConfig {
	t.Helper()
	c := oauth2.Config{ClientID: "client", ClientSecret: "secret", RedirectURL: "https://auth.example.com/callback"}
	c.Endpoint = oauth2.Endpoint{TokenURL: idp.URL + "/token", DeviceAuthURL: idp.URL + "/device"}
	if change != nil {
		change(&c)
	}
	config, err := upstream.NewTokenConfig(c, sealed(headers))
	require.NoError(t, err)
	return config
}

var customHeaders = map[string]string{"X-Tenant": "blue", "User-Agent": "auth/1"}

func expired(refresh string) *oauth2.Token {
	return &oauth2.Token{AccessToken: "A1", RefreshToken: refresh, Expiry: time.Now().Add(-time.Hour)}
}

func TestH3HeadersGoWithTokenRequests(t *testing.T) {
	for name, request := range map[string]func(*upstream.TokenConfig) error{
		"authorization_code": func(c *upstream.TokenConfig) error {
			_, err := c.Exchange(t.Context(), "code")
			return err
		},
		"refresh_token": func(c *upstream.TokenConfig) error {
			_, err := c.TokenSource(t.Context(), expired("R1")).Token()
			return err
		},
		"password": func(c *upstream.TokenConfig) error {
			_, err := c.PasswordCredentialsToken(t.Context(), "user", "pw")
			return err
		},
		"urn:ietf:params:oauth:grant-type:device_code": func(c *upstream.TokenConfig) error {
			_, err := c.DeviceAccessToken(t.Context(), &oauth2.DeviceAuthResponse{DeviceCode: "D", Interval: 1})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			require.NoError(t, request(newConfig(t, idp, nil, customHeaders)))
			calls := idp.seen("/token")
			require.Len(t, calls, 1)
			assert.Equal(t, name, calls[0].Form.Get("grant_type"))
			assert.Equal(t, "blue", calls[0].Header.Get("X-Tenant"))
			assert.Equal(t, []string{"auth/1"}, calls[0].Header["User-Agent"])
			assert.Equal(t, "application/x-www-form-urlencoded", calls[0].Header.Get("Content-Type"))
		})
	}
}

func TestH3RefreshInTheMiddleOfAPICalls(t *testing.T) {
	idp, api := newIdP(t), newIdP(t)
	token := &oauth2.Token{AccessToken: "A1", RefreshToken: "R1", Expiry: time.Now().Add(11 * time.Second)}
	client := newConfig(t, idp, nil, customHeaders).Client(t.Context(), token)
	get := func() {
		resp, err := client.Get(api.URL + "/me")
		require.NoError(t, err)
		_ = resp.Body.Close()
	}
	get()
	time.Sleep(1100 * time.Millisecond) // oauth2 takes a token for expired 10 seconds early
	get()
	get()

	calls := api.seen("/me")
	require.Len(t, calls, 3)
	for i, want := range []string{"Bearer A1", "Bearer A2", "Bearer A2"} {
		assert.Equal(t, want, calls[i].Header.Get("Authorization"))
		assert.NotContains(t, calls[i].Header, "X-Tenant")
		assert.NotEqual(t, "auth/1", calls[i].Header.Get("User-Agent"))
	}
	refreshes := idp.seen("/token")
	require.Len(t, refreshes, 1)
	assert.Equal(t, "blue", refreshes[0].Header.Get("X-Tenant"))
	assert.Equal(t, "R1", refreshes[0].Form.Get("refresh_token"))
}

func TestH3DeviceAuthorizationEndpointGetsNoHeaders(t *testing.T) {
	idp := newIdP(t)
	da, err := newConfig(t, idp, nil, customHeaders).DeviceAuth(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "D", da.DeviceCode)
	calls := idp.seen("/device")
	require.Len(t, calls, 1)
	assert.NotContains(t, calls[0].Header, "X-Tenant")
	assert.NotContains(t, calls[0].Form, "client_secret")
}

func TestH4RedirectIsNotFollowed(t *testing.T) {
	headers := map[string]string{"X-Tenant": "blue", "Authorization": "Bearer gateway"}
	for name, request := range map[string]func(*upstream.TokenConfig) error{
		"exchange": func(c *upstream.TokenConfig) error { _, err := c.Exchange(t.Context(), "code"); return err },
		"refresh": func(c *upstream.TokenConfig) error {
			_, err := c.TokenSource(t.Context(), expired("R1")).Token()
			return err
		},
		"device": func(c *upstream.TokenConfig) error { _, err := c.DeviceAuth(t.Context()); return err },
		"client": func(c *upstream.TokenConfig) error {
			_, err := c.Client(t.Context(), expired("R1")).Get("http://127.0.0.1:1/unreached")
			return err
		},
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			for _, target := range []string{"same", "other", "bad", "none"} {
				t.Run(name+"/"+http.StatusText(status)+"/"+target, func(t *testing.T) {
					other := newIdP(t)
					idp := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
						location := map[string]string{"same": "/stolen", "other": other.URL + "/stolen", "bad": "http://[::1/%zz"}
						if l := location[target]; l != "" {
							w.Header().Set("Location", l)
						}
						w.WriteHeader(status)
					})
					err := request(newConfig(t, idp, nil, headers))
					var refused *oauth2.RetrieveError
					require.ErrorAs(t, err, &refused)
					assert.Equal(t, status, refused.Response.StatusCode)
					assert.Contains(t, err.Error(), "correct the URL")
					assert.Empty(t, other.all(), "the other host was asked")
					assert.Len(t, idp.all(), 1, "one request only")
				})
			}
		}
	}
}

func TestH7HostClientIsUsedAndUnchanged(t *testing.T) {
	idp := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sticky", Value: "node1"})
		answer(200, "application/json", tokenJSON)(w, r)
	})
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &roundTripper{}
	asked := 0
	host := &http.Client{
		Transport: transport, Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { asked++; return nil },
	}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, host)
	config := newConfig(t, idp, nil, customHeaders)
	for range 2 {
		_, err = config.Exchange(ctx, "code")
		require.NoError(t, err)
	}
	assert.EqualValues(t, 2, transport.n.Load())
	assert.Contains(t, idp.all()[1].Header.Get("Cookie"), "sticky=node1", "the jar serves")

	client := config.Client(ctx, &oauth2.Token{AccessToken: "A1"})
	assert.Equal(t, time.Minute, client.Timeout)
	assert.Same(t, jar, client.Jar)
	require.NoError(t, client.CheckRedirect(nil, nil))
	assert.Equal(t, 1, asked)

	assert.Same(t, transport, host.Transport)
	assert.Same(t, jar, host.Jar)
	assert.Equal(t, time.Minute, host.Timeout)
	require.NoError(t, host.CheckRedirect(nil, nil))
	assert.Equal(t, 2, asked, "CheckRedirect is still the host's own")
}

func TestH7WithoutAClient(t *testing.T) {
	before := *http.DefaultClient
	for name, ctx := range map[string]context.Context{
		"none":          t.Context(),
		"nil context":   nil,
		"nil client":    context.WithValue(t.Context(), oauth2.HTTPClient, (*http.Client)(nil)),
		"default":       context.WithValue(t.Context(), oauth2.HTTPClient, http.DefaultClient),
		"zero client":   context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{}),
		"another thing": context.WithValue(t.Context(), oauth2.HTTPClient, "client"),
	} {
		t.Run(name, func(t *testing.T) {
			idp := newIdP(t)
			config := newConfig(t, idp, nil, customHeaders)
			_, err := config.Exchange(ctx, "code")
			require.NoError(t, err)
			_, err = config.DeviceAuth(ctx)
			require.NoError(t, err)
			_, err = config.TokenSource(ctx, expired("R1")).Token()
			require.NoError(t, err)
			resp, err := config.Client(ctx, expired("R1")).Get(idp.URL + "/me")
			require.NoError(t, err)
			_ = resp.Body.Close()
		})
	}
	assert.Nil(t, http.DefaultClient.Transport)
	assert.Equal(t, before.Timeout, http.DefaultClient.Timeout)
	assert.Nil(t, http.DefaultClient.CheckRedirect)
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestH5H6ClientAuthentication(t *testing.T) {
	const none = "(none)"
	id := func(id string) func(*oauth2.Config) { return func(c *oauth2.Config) { c.ClientID = id } }
	style := func(s oauth2.AuthStyle) func(*oauth2.Config) {
		return func(c *oauth2.Config) { c.Endpoint.AuthStyle = s }
	}
	public := func(s oauth2.AuthStyle) func(*oauth2.Config) {
		return func(c *oauth2.Config) { c.ClientSecret, c.Endpoint.AuthStyle = "", s }
	}
	for _, c := range []struct {
		name                 string
		change               func(*oauth2.Config)
		custom               string // Authorization
		authorization        string
		clientID, secretSent string
	}{
		{"body by default", nil, "", none, "client", "secret"},
		{"unknown style", style(7), "", none, "client", "secret"},
		{"Basic by setting", style(oauth2.AuthStyleInHeader), "", basic("client", "secret"), none, none},
		{"public client", public(oauth2.AuthStyleInParams), "", none, "client", none},
		{"public client with Basic", public(oauth2.AuthStyleInHeader), "", none, "client", none},
		{"H6 own Basic", nil, basic("client", "other"), basic("client", "other"), "client", none},
		{"H6 own Basic, scheme in another case", nil, "bASIC " + basic("client", "x")[6:], "bASIC " + basic("client", "x")[6:], "client", none},
		{"H6 own Basic and Basic by setting", style(oauth2.AuthStyleInHeader), basic("client", "other"), basic("client", "other"), "client", none},
		{"H6 own Basic, form-encoded id", id("a b/c"), basic("a+b%2Fc", "x"), basic("a+b%2Fc", "x"), "a b/c", none},
		{"H6 own Basic, raw id", id("a+b"), basic("a+b", "x"), basic("a+b", "x"), "a+b", none},
		{"H6 own Basic, id that is no escape", id("a%"), basic("a%", "x"), basic("a%", "x"), "a%", none},
		{"H6 own Basic without padding", nil, strings.TrimRight(basic("client", "xy"), "="), strings.TrimRight(basic("client", "xy"), "="), "client", none},
		{"H6 own Basic without password", nil, basic("client", ""), basic("client", ""), "client", none},
		{"H6 another user", nil, basic("gateway", "x"), basic("gateway", "x"), "client", "secret"},
		{"H6 user that begins alike", nil, basic("client2", "x"), basic("client2", "x"), "client", "secret"},
		{"H6 no id", id(""), basic("", "x"), basic("", "x"), none, "secret"},
		{"H6 not base64", nil, "Basic ?", "Basic ?", "client", "secret"},
		{"H6 no colon", nil, "Basic " + base64.StdEncoding.EncodeToString([]byte("client")), "Basic Y2xpZW50", "client", "secret"},
		{"H6 Bearer", nil, "Bearer x", "Bearer x", "client", "secret"},
		{"H6 another user and Basic by setting", style(oauth2.AuthStyleInHeader), basic("gateway", "x"), basic("gateway", "x"), "client", "secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			idp := newSite(t, answer(401, "application/json", `{"error":"invalid_client"}`))
			headers := map[string]string{}
			if c.custom != "" {
				headers["authorization"] = c.custom
			}
			_, err := newConfig(t, idp, c.change, headers).Exchange(t.Context(), "code")
			require.EqualError(t, err, "upstream: token endpoint: status 401, error invalid_client")
			require.Len(t, idp.all(), 1, "a code is never spent twice")
			got := func(values []string) string {
				if len(values) == 0 {
					return none
				}
				return strings.Join(values, " and ")
			}
			assert.Equal(t, c.authorization, got(idp.all()[0].Header["Authorization"]))
			assert.Equal(t, c.clientID, got(idp.all()[0].Form["client_id"]))
			assert.Equal(t, c.secretSent, got(idp.all()[0].Form["client_secret"]))
		})
	}
}

func TestH1H2RefusedHeaders(t *testing.T) {
	const name, value, set, twin = "is not a header name", "has a value", "cannot be set here", "is the same header as"
	type headers = map[string]string
	for _, c := range []struct {
		headers headers
		want    []string // pointer and beginning of the message
	}{
		{nil, nil},
		{headers{"Authorization": "Basic eDp5", "accept": "*/*", "User-Agent": "a", "X_1!#$%&'*+-.^`|~": "a\tb c~"}, nil},
		{headers{"X": strings.Repeat("v", 1024)}, nil},
		{headers{"": "v"}, []string{"/ " + name}},
		{headers{"A B": "v"}, []string{"/A B " + name}},
		{headers{"A:": "v"}, []string{"/A: " + name}},
		{headers{"A\r\nB": "v"}, []string{"/A\r\nB " + name}},
		{headers{"Ä": "v"}, []string{"/Ä " + name}},
		{headers{"a/b~c": "v"}, []string{"/a~1b~0c " + name}},
		{headers{"A": ""}, []string{"/A has an empty value"}},
		{headers{"A": " v"}, []string{"/A " + value}},
		{headers{"A": "v\t"}, []string{"/A " + value}},
		{headers{"A": "v\r\nB: w"}, []string{"/A " + value}},
		{headers{"A": "v\x00w"}, []string{"/A " + value}},
		{headers{"A": "v\x7fw"}, []string{"/A " + value}},
		{headers{"A": "vä"}, []string{"/A " + value}},
		{headers{"A": strings.Repeat("v", 1025)}, []string{"/A has a value of 1025 characters"}},
		{headers{"X-A": "v", "x_a": "w"}, []string{"/x_a " + twin + ` "X-A"`}},
		{headers{"X-A": "v", "X-a": "v", "X_A": "v"}, []string{"/X-a " + twin, "/X_A " + twin}},
		{headers{"Cookie": "a", "Te": " "}, []string{"/Cookie " + set, "/Te " + set, "/Te " + value}},
	} {
		_, err := upstream.NewTokenConfig(oauth2.Config{}, sealed(c.headers))
		checkProblems(t, err, c.want)
	}
	for _, refused := range []string{
		"Host", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection",
		"Keep-Alive", "Upgrade", "TE", "Trailer", "Expect", "Cookie", "Proxy-Authorization", "Proxy-", "Content_Type",
	} {
		for _, spelling := range []string{refused, strings.ToLower(refused), strings.ToUpper(refused)} {
			_, err := upstream.NewTokenConfig(oauth2.Config{}, sealed(headers{spelling: "SECRET"}))
			checkProblems(t, err, []string{"/" + spelling + " " + set})
		}
	}
	many := headers{}
	for i := range 31 {
		many["X-"+strings.Repeat("a", i+1)] = "v"
	}
	_, err := upstream.NewTokenConfig(oauth2.Config{}, sealed(many))
	checkProblems(t, err, []string{" has 31 headers"})
	delete(many, "X-a")
	_, err = upstream.NewTokenConfig(oauth2.Config{}, sealed(many))
	checkProblems(t, err, nil)
}

func checkProblems(t *testing.T, err error, want []string) {
	t.Helper()
	if want == nil {
		assert.NoError(t, err)
		return
	}
	var config *upstream.ConfigError
	if !assert.ErrorAs(t, err, &config, "%q", want) || !assert.Len(t, config.Problems, len(want), "%q", want) {
		return
	}
	assert.NotContains(t, err.Error(), "SECRET")
	for i, p := range config.Problems {
		if got := p.Pointer + " " + p.Message; !strings.HasPrefix(got, want[i]) {
			t.Errorf("problem %d = %q, want %q", i, got, want[i])
		}
	}
}

func TestH1HeadersAndScopesAreCopied(t *testing.T) {
	idp := newIdP(t)
	headers, scopes := map[string]string{"X-Tenant": "blue"}, []string{"a"}
	config := newConfig(t, idp, func(c *oauth2.Config) { c.Scopes = scopes }, headers)
	headers["X-Tenant"], scopes[0] = "red", "b"
	_, err := config.PasswordCredentialsToken(t.Context(), "user", "pw")
	require.NoError(t, err)
	assert.Equal(t, "blue", idp.all()[0].Header.Get("X-Tenant"))
	assert.Equal(t, "a", idp.all()[0].Form.Get("scope"))
}

func TestH3ProviderConfig(t *testing.T) {
	idp := newIdP(t)
	p := provider(t, `{"name": "acme", "strategy": "oauth2", "options": {"client_id": "client", "client_secret": "secret",
		"authorizationURL": "`+idp.URL+`/authorize", "tokenURL": "`+idp.URL+`/token", "customHeaders": {"X-Tenant": "blue"}}}`)
	_, err := p.TokenConfig("https://auth.example.com/callback").Exchange(t.Context(), "code", oauth2.VerifierOption("v"), nil)
	require.NoError(t, err)
	sent := idp.all()[0]
	assert.Equal(t, "blue", sent.Header.Get("X-Tenant"))
	assert.Equal(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {"code"}, "code_verifier": {"v"}, "client_id": {"client"},
		"client_secret": {"secret"}, "redirect_uri": {"https://auth.example.com/callback"},
	}, sent.Form)
}

func TestTokenSourceKeepsWhatARetryNeeds(t *testing.T) {
	fail := atomic.Bool{}
	idp := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if fail.Load() {
			answer(503, "text/plain", "later")(w, r)
			return
		}
		answer(200, "application/json", tokenJSON)(w, r)
	})
	source := newConfig(t, idp, nil, nil).TokenSource(t.Context(), expired("R1"))
	fail.Store(true)
	_, err := source.Token()
	require.Error(t, err)
	fail.Store(false)
	token, err := source.Token()
	require.NoError(t, err)
	assert.Equal(t, "R1", idp.all()[1].Form.Get("refresh_token"), "the failed refresh kept it")
	assert.Equal(t, "R2", token.RefreshToken)

	// Early refresh has to find the refresher inside, with the rotated token.
	stored := &oauth2.Token{AccessToken: token.AccessToken, RefreshToken: token.RefreshToken, Expiry: token.Expiry}
	_, err = oauth2.ReuseTokenSourceWithExpiry(stored, source, 2*time.Hour).Token()
	require.NoError(t, err)
	require.Len(t, idp.all(), 3)
	assert.Equal(t, "R2", idp.all()[2].Form.Get("refresh_token"))

	_, err = newConfig(t, idp, nil, nil).TokenSource(t.Context(), nil).Token()
	require.EqualError(t, err, "upstream: the token has expired and there is no refresh token; the user has to log in again")
}

func TestClientKeepsTheTokenAtItsOrigin(t *testing.T) {
	var home, away *site
	redirects := map[string]func() string{
		"/same":  func() string { return home.URL + "/end" },
		"/away":  func() string { return away.URL + "/end" },
		"/tour":  func() string { return away.URL + "/back" },
		"/back":  func() string { return home.URL + "/end" },
		"/far":   func() string { return away.URL + "/on" },
		"/on":    func() string { return away.URL + "/end" },
		"/https": func() string { return strings.Replace(home.URL, "http:", "https:", 1) + "/end" },
	}
	serve := func(w http.ResponseWriter, r *http.Request) {
		if to, ok := redirects[r.URL.Path]; ok {
			http.Redirect(w, r, to(), http.StatusTemporaryRedirect)
		}
	}
	home, away = newSite(t, serve), newSite(t, serve)
	client := newConfig(t, home, nil, nil).Client(t.Context(), &oauth2.Token{AccessToken: "A1"})
	for path, c := range map[string]struct {
		at   *site
		want string
	}{"/same": {home, "Bearer A1"}, "/away": {away, ""}, "/tour": {home, ""}, "/far": {away, ""}} {
		home.forget()
		away.forget()
		resp, err := client.Get(home.URL + path)
		require.NoError(t, err)
		_ = resp.Body.Close()
		end := c.at.seen("/end")
		if assert.Len(t, end, 1, path) {
			assert.Equal(t, c.want, end[0].Header.Get("Authorization"), path)
		}
		assert.NotContains(t, resp.Request.Header, "Authorization")
	}
	_, err := client.Get(home.URL + "/https")
	require.Error(t, err) // the test server speaks no TLS
}

// closer is a body that knows whether it was closed.
type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error { c.closed = true; return nil }

func TestClientClosesTheBodyWhenThereIsNoToken(t *testing.T) {
	body := &closer{Reader: strings.NewReader("x")}
	req, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:1/", body)
	require.NoError(t, err)
	_, err = newConfig(t, newIdP(t), nil, nil).Client(t.Context(), nil).Transport.RoundTrip(req)
	require.Error(t, err)
	assert.True(t, body.closed)
}

func TestClientKnowsTheDefaultPort(t *testing.T) {
	for from, c := range map[string]struct{ to, want string }{
		"http://api.example.com/":     {"http://API.example.com:80/end", "Bearer A1"},
		"http://api.example.com:80/":  {"http://api.example.com/end", "Bearer A1"},
		"http://api.example.com:81/":  {"http://api.example.com/end", ""},
		"https://api.example.com/":    {"https://api.example.com:443/end", "Bearer A1"},
		"https://api.example.com:80/": {"http://api.example.com:80/end", ""},
		"http://example.com/":         {"http://api.example.com/end", ""},
	} {
		var last string
		host := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			last = r.Header.Get("Authorization")
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody} // Request is not set
			if r.URL.Path != "/end" {
				resp.StatusCode = http.StatusFound
				resp.Header.Set("Location", c.to)
			}
			return resp, nil
		})}
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, host)
		resp, err := newConfig(t, newIdP(t), nil, nil).Client(ctx, &oauth2.Token{AccessToken: "A1"}).Get(from)
		require.NoError(t, err)
		_ = resp.Body.Close()
		assert.Equal(t, c.want, last, "%s to %s", from, c.to)
	}
}

func TestE3NothingToWorkWith(t *testing.T) {
	idp := newIdP(t)
	var none *upstream.TokenConfig
	for name, c := range map[string]*upstream.TokenConfig{
		"nil": none, "zero": {}, "nil provider": (*upstream.Provider)(nil).TokenConfig("x"),
		"zero provider": (&upstream.Provider{}).TokenConfig(""), "bad URL": newConfig(t, idp, func(c *oauth2.Config) {
			c.Endpoint = oauth2.Endpoint{TokenURL: "http://[::1"}
		}, nil),
	} {
		_, exchange := c.Exchange(t.Context(), "code")
		_, password := c.PasswordCredentialsToken(t.Context(), "", "")
		_, refresh := c.TokenSource(t.Context(), expired("R1")).Token()
		_, device := c.DeviceAuth(t.Context(), nil)
		_, poll := c.DeviceAccessToken(t.Context(), &oauth2.DeviceAuthResponse{})
		_, nothing := c.DeviceAccessToken(t.Context(), nil)
		_, get := c.Client(t.Context(), nil).Post("http://127.0.0.1:1", "text/plain", strings.NewReader("x"))
		assert.ErrorContains(t, exchange, "upstream: there is no usable token URL", name)
		for _, err := range []error{exchange, password, refresh, device, poll, nothing, errors.Unwrap(get)} {
			if assert.Error(t, err, name) {
				assert.Equal(t, 1, strings.Count(err.Error(), "upstream: "), "%s: %v", name, err)
			}
		}
	}
}

func TestE3PollingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, err := upstream.NewTokenConfig(oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: "https://idp.example.com/token"}}, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		_, err = config.DeviceAccessToken(ctx, &oauth2.DeviceAuthResponse{DeviceCode: "D", Interval: 5})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.EqualError(t, err, "upstream: token endpoint: the request timed out")
		cancel()
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = config.DeviceAccessToken(ctx, &oauth2.DeviceAuthResponse{DeviceCode: "D", Interval: 5})
		require.ErrorIs(t, err, context.Canceled)
		assert.EqualError(t, err, "upstream: token endpoint: the request was canceled")
	})
}

// The interval is the server's word: it is kept to, unless it makes no sense.
// oauth2 alone panics at a negative one and at one that overflows.
func TestE3PollingInterval(t *testing.T) {
	const day = 24 * time.Hour
	for interval, want := range map[int64]time.Duration{
		1: time.Second, 0: 5 * time.Second, -1: 5 * time.Second, -1 << 62: 5 * time.Second, 86400: day, 86401: day, 1 << 62: day,
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var polled time.Duration
			ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
				polled = time.Since(start)
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"access_token": "A1"}`))}, nil
			})})
			config, err := upstream.NewTokenConfig(oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: "https://idp.example.com/token"}}, nil)
			require.NoError(t, err)
			_, err = config.DeviceAccessToken(ctx, &oauth2.DeviceAuthResponse{DeviceCode: "D", Interval: interval})
			require.NoError(t, err)
			assert.Equal(t, want, polled, "%d", interval)
		})
	}
}

// A strategy that demands Basic demands it of its own endpoint, not of one that
// the options name.
func TestH5BasicForTheStrategysOwnEndpoint(t *testing.T) {
	const own = "https://api.fitbit.com/oauth2/token"
	for options, basic := range map[string]bool{
		``:                            true,
		`, "tokenURL": "` + own + `"`: true,
		`, "tokenURL": "https://proxy.example.com/token"`:                                          false,
		`, "token_endpoint_auth_method": "client_secret_post"`:                                     false,
		`, "token_endpoint_auth_method": "none"`:                                                   false,
		`, "tokenURL": "https://a.example/t", "token_endpoint_auth_method": "client_secret_basic"`: true,
	} {
		p := provider(t, `{"strategy": "fitbit", "options": {"client_id": "c", "client_secret": "s"`+options+`}}`)
		var sent *http.Request
		client := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			sent = r.Clone(context.Background())
			require.NoError(t, sent.ParseForm())
			return nil, errors.New("offline")
		})}
		_, err := p.TokenConfig("https://a/cb").Exchange(context.WithValue(t.Context(), oauth2.HTTPClient, client), "code")
		require.Error(t, err)
		_, _, hasBasic := sent.BasicAuth()
		assert.Equal(t, basic, hasBasic, options)
		assert.Equal(t, !basic && !strings.Contains(options, "none"), sent.PostForm.Has("client_secret"), options)
	}
}
