package login_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/login"
)

func begins(l *login.Login) (string, error) {
	r, err := l.BeginLogin(context.Background(), nil, nil)
	if err != nil {
		return "", err
	}
	address, _, _ := strings.Cut(r.URL, "?")
	return address, nil
}

func TestL2Sources(t *testing.T) {
	p := newIDP(t)
	for name, options := range map[string]claims{
		"issuer alone":               {},
		"discovery_url alone":        {"issuer": nil, "discovery_url": p.URL + "/.well-known/openid-configuration"},
		"discovery_url and issuer":   {"discovery_url": p.URL + "/.well-known/openid-configuration"},
		"oidc_metadata alone":        {"issuer": nil, "oidc_metadata": p.metadata},
		"oidc_metadata and its URL":  {"discovery_url": p.URL + "/.well-known/openid-configuration", "oidc_metadata": p.metadata},
		"all endpoints of its own":   {"authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks"},
		"endpoints, but no jwks_uri": {"authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token"},
	} {
		t.Run(name, func(t *testing.T) {
			p.hits = map[string]int{}
			r, err := run(t, newLogin(t, p.connection(t, options)), p, nil)
			require.NoError(t, err)
			assert.Equal(t, "oidc|corp|user-1", r.Subject)
			fetched := 1
			if options["oidc_metadata"] != nil || options["jwks_uri"] != nil {
				fetched = 0
			}
			assert.Equal(t, fetched, p.hits["/.well-known/openid-configuration"])
		})
	}
}

func TestL2RFC8414(t *testing.T) {
	p := newIDP(t)
	p.http = func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/tenant/.well-known/openid-configuration":
			http.NotFound(w, r)
		case "/.well-known/oauth-authorization-server/tenant":
			p.metadata["issuer"] = p.URL + "/tenant"
			_, _ = w.Write([]byte(asJSON(p.metadata)))
		default:
			return false
		}
		return true
	}
	_, err := begins(newLogin(t, p.connection(t, claims{"issuer": p.URL + "/tenant"})))
	require.NoError(t, err)
}

func TestL2NotBelieved(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*idp)
		reason string
	}{
		"another issuer":  {func(p *idp) { p.metadata["issuer"] = "https://evil.example.com" }, "another issuer's"},
		"a slash more":    {func(p *idp) { p.metadata["issuer"] = p.URL + "/" }, "another issuer's"},
		"down":            {func(p *idp) { p.metadata = nil }, "status 500"},
		"gone":            {func(p *idp) { p.Close() }, "cannot be had"},
		"no endpoints":    {func(p *idp) { delete(p.metadata, "token_endpoint") }, "tokenURL"},
		"no keys":         {func(p *idp) { delete(p.metadata, "jwks_uri") }, "no jwks_uri"},
		"a bad endpoint":  {func(p *idp) { p.metadata["jwks_uri"] = "http://keys.example.com/" }, "jwks_uri must begin"},
		"PAR is required": {func(p *idp) { p.metadata["require_pushed_authorization_requests"] = true }, "require_pushed_authorization_requests"},
		"a redirect": {func(p *idp) {
			p.http = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
				return true
			}
		}, "redirects"},
		"over 1 MiB": {func(p *idp) { p.metadata["x"] = strings.Repeat("x", 1<<20) }, "larger than 1 MiB"},
		"a name twice": {func(p *idp) {
			p.http = func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = w.Write([]byte(strings.Replace(asJSON(p.metadata), "{", `{"issuer": "https://a.example",`, 1)))
				return true
			}
		}, "cannot be read as JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIDP(t)
			c.change(p)
			var events []login.MetadataEvent
			l := newLogin(t, p.connection(t), func(o *login.Options) { o.OnMetadata = func(e login.MetadataEvent) { events = append(events, e) } })
			_, err := begins(l)
			e := (*login.Error)(nil)
			require.ErrorAs(t, err, &e)
			assert.Equal(t, login.StepMetadata, e.Step)
			assert.Equal(t, "server_error", e.Code)
			assert.Contains(t, e.Reason, c.reason)
			require.Len(t, events, 1)
			assert.Equal(t, login.MetadataUnavailable, events[0].Kind)
			assert.Equal(t, "corp", events[0].Connection)
			_, err = begins(l)
			assert.Error(t, err, "nothing fails open")
			assert.Len(t, events, 1, "logins do not queue up for an IdP that is down")
		})
	}
}

func TestL2NotConfigured(t *testing.T) {
	p := newIDP(t)
	for name, c := range map[string]struct {
		options claims
		reason  string
	}{
		"nothing to find metadata with":  {claims{"issuer": nil}, "discovery_url|authorizationURL"},
		"endpoints without any issuer":   {claims{"issuer": nil, "authorization_endpoint": p.URL, "token_endpoint": p.URL}, "discovery_url"},
		"an http discovery_url":          {claims{"discovery_url": "http://idp.example.com/.well-known/openid-configuration"}, "discovery_url must begin"},
		"a discovery_url of no form":     {claims{"issuer": nil, "discovery_url": p.URL + "/metadata"}, "options.issuer"},
		"an http issuer":                 {claims{"issuer": "http://idp.example.com"}, "issuer must begin"},
		"metadata of another issuer":     {claims{"issuer": "https://idp.example.com", "oidc_metadata": p.metadata}, "another issuer's"},
		"metadata without endpoints":     {claims{"oidc_metadata": claims{"issuer": p.URL}}, "authorization"},
		"what is wrong beside":           {claims{"client_id": nil}, "client_id is missing"},
		"PKCE that contradicts itself":   {claims{"connection_settings": claims{"pkce": "plain"}}, "plain"},
		"private_key_jwt, and no module": {claims{"token_endpoint_auth_method": "private_key_jwt", "oidc_metadata": p.metadata}, "private_key_jwt"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := login.New(p.connection(t, c.options), options())
			e := (*login.Error)(nil)
			require.ErrorAs(t, err, &e)
			assert.Equal(t, login.StepConfig, e.Step)
			assert.Regexp(t, c.reason, e.Reason)
		})
	}
	for name, change := range map[string]func(*login.Options){
		"no callback":          func(o *login.Options) { o.RedirectURI = "" },
		"an http callback":     func(o *login.Options) { o.RedirectURI = "http://auth.example.com/" },
		"no keys":              func(o *login.Options) { o.Keys = nil },
		"no store":             func(o *login.Options) { o.Store = nil },
		"a day":                func(o *login.Options) { o.Lifetime = 24 * time.Hour },
		"a negative lifetime":  func(o *login.Options) { o.Lifetime = -1 },
		"an hour's skew":       func(o *login.Options) { o.Skew = time.Hour },
		"a negative refresh":   func(o *login.Options) { o.Refresh = -1 },
		"a script for logouts": func(o *login.Options) { o.PostLogoutRedirectURI = "javascript:alert(1)" },
		"a bad pin":            func(o *login.Options) { o.Pin = []byte("{") },
		"another's pin": func(o *login.Options) {
			o.Pin = []byte(strings.Replace(asJSON(p.metadata), `"issuer":"http`, `"issuer":"https`, 1))
		},
	} {
		o := options()
		change(&o)
		_, err := login.New(p.connection(t), o)
		assert.Error(t, err, name)
	}
	conn := routed(t, `{"name": "s", "strategy": "samlp", "options": {"issuer": "https://idp.example.com"}}`)
	_, err := login.New(conn, options())
	assert.ErrorIs(t, err, upstream.ErrSAML)
	_, err = login.New(routed(t, `{"name": "x", "strategy": "twitter", "options": {"consumer_key": "k", "consumer_secret": "s"}}`), options())
	assert.ErrorContains(t, err, "OAuth 1.0a")
}

// Row 54: discovery points at a new host, or loses PKCE.
func TestL2Drift(t *testing.T) {
	p := newIDP(t)
	p.metadata["authorization_response_iss_parameter_supported"] = true
	var events []login.MetadataEvent
	conn := p.connection(t)
	l := newLogin(t, conn, func(o *login.Options) { o.OnMetadata = func(e login.MetadataEvent) { events = append(events, e) } })
	now := time.Now()
	later := func() {
		now = now.Add(2 * time.Hour)
		login.SetClock(l, now)
	}
	login.SetClock(l, now)
	_, err := begins(l)
	require.NoError(t, err)
	require.Len(t, events, 1)
	assert.Equal(t, login.MetadataFirst, events[0].Kind)
	first := events[0].Metadata

	p.metadata["authorization_endpoint"] = p.URL + "/authorize/v2"
	address, err := begins(l)
	require.NoError(t, err)
	assert.Equal(t, p.URL+"/authorize", address, "kept for an hour")
	later()
	address, err = begins(l)
	require.NoError(t, err)
	assert.Equal(t, p.URL+"/authorize/v2", address, "a path may change")
	require.Len(t, events, 2)
	assert.Equal(t, login.MetadataChanged, events[1].Kind)

	p.metadata["token_endpoint"] = "https://evil.example.com/token"
	p.metadata["authorization_endpoint"] = "https://evil.example.com/authorize"
	delete(p.metadata, "authorization_response_iss_parameter_supported")
	p.metadata["code_challenge_methods_supported"] = []string{"plain"}
	for range 3 {
		later()
		address, err = begins(l)
		require.NoError(t, err)
		assert.Equal(t, p.URL+"/authorize/v2", address, "not followed")
	}
	require.Len(t, events, 3, "told once")
	assert.Equal(t, login.MetadataDrift, events[2].Kind)
	assert.Equal(t, []login.Change{
		{Member: "authorization_endpoint", Old: p.URL + "/authorize/v2", New: "https://evil.example.com/authorize"},
		{Member: "authorization_response_iss_parameter_supported", Old: "true", New: "false"},
		{Member: "code_challenge_methods_supported", Old: "S256", New: "plain"},
		{Member: "token_endpoint", Old: p.URL + "/token", New: "https://evil.example.com/token"},
	}, events[2].Changes)

	// A restart, with the metadata that was had before.
	events = nil
	restarted := newLogin(t, conn, func(o *login.Options) {
		o.Pin, o.OnMetadata = first, func(e login.MetadataEvent) { events = append(events, e) }
	})
	address, err = begins(restarted)
	require.NoError(t, err)
	assert.Equal(t, p.URL+"/authorize", address)
	require.Len(t, events, 1)
	assert.Equal(t, login.MetadataDrift, events[0].Kind)
	pinned, err := restarted.Metadata(t.Context())
	require.NoError(t, err)
	assert.Equal(t, string(first), string(pinned))

	p.metadata = nil // and when it is down, what was required stays so
	later()
	refused(t, l, p, nil, login.StepIssuer)
}

func TestL2RefreshFails(t *testing.T) {
	p := newIDP(t)
	var events []login.MetadataEvent
	l := newLogin(t, p.connection(t), func(o *login.Options) { o.OnMetadata = func(e login.MetadataEvent) { events = append(events, e) } })
	now := time.Now()
	login.SetClock(l, now)
	_, err := begins(l)
	require.NoError(t, err)
	good := p.metadata
	p.metadata = nil
	login.SetClock(l, now.Add(2*time.Hour))
	for range 3 {
		_, err = begins(l)
		require.NoError(t, err)
	}
	require.Len(t, events, 2, "asked again after a minute, not with each login")
	assert.Equal(t, login.MetadataUnavailable, events[1].Kind)
	assert.EqualError(t, events[1].Err, "the metadata cannot be had: status 500")
	p.metadata = good
	login.SetClock(l, now.Add(2*time.Hour+2*time.Minute))
	_, err = begins(l)
	require.NoError(t, err)
	require.Len(t, events, 2)
}

func TestL2OneFetchForMany(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := begins(l); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 1, p.hits["/.well-known/openid-configuration"])
}

func TestL2CanceledLoginSaysNothingOfTheIdP(t *testing.T) {
	p := newIDP(t)
	for range 20 { // whether it waits for its turn or has it
		l := newLogin(t, p.connection(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := l.BeginLogin(ctx, nil, nil)
		require.Error(t, err)
		_, err = begins(l)
		require.NoError(t, err)
	}
}

func TestH7HostClientFetchesMetadataAndKeys(t *testing.T) {
	p := newIDP(t)
	var mu sync.Mutex
	var paths []string
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.URL.Path)
		return http.DefaultTransport.RoundTrip(r)
	})}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, client)
	l := newLogin(t, p.connection(t))
	redirect, err := l.BeginLogin(ctx, nil, nil)
	require.NoError(t, err)
	r := httptest.NewRequest("GET", redirect.URL, nil)
	p.nonce = r.FormValue("nonce")
	cb := &upstream.Callback{Code: upstream.NewSecret("c"), State: upstream.NewSecret(r.FormValue("state"))}
	assert.Equal(t, redirect.Cookie.Name, l.CookieName(cb.State.Reveal()))
	_, err = l.FinishLogin(ctx, cb, redirect.Cookie.Value)
	require.NoError(t, err)
	assert.Equal(t, []string{"/.well-known/openid-configuration", "/token", "/jwks"}, paths)
	assert.Nil(t, client.CheckRedirect)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestL2EntraTenants(t *testing.T) {
	p := newIDP(t)
	p.http = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/common/v2.0/.well-known/openid-configuration" {
			return false
		}
		p.metadata["issuer"] = p.URL + "/{tenantid}/v2.0"
		_, _ = w.Write([]byte(asJSON(p.metadata)))
		return true
	}
	conn := p.connection(t, claims{"issuer": nil, "discovery_url": p.URL + "/common/v2.0/.well-known/openid-configuration"})
	_, err := begins(newLogin(t, conn))
	assert.ErrorContains(t, err, "Options.Tenants")

	l := newLogin(t, conn, func(o *login.Options) { o.Tenants = []string{"t1", "t2"} })
	p.claims = claims{"iss": p.URL + "/t2/v2.0", "tid": "t2"}
	r, err := run(t, l, p, nil)
	require.NoError(t, err)
	assert.Equal(t, p.URL+"/t2/v2.0", r.Issuer)
	_, err = run(t, l, p, nil, "iss", p.URL+"/t2/v2.0")
	require.NoError(t, err)
	refused(t, l, p, nil, login.StepIssuer, "iss", p.URL+"/t3/v2.0")
	for name, bad := range map[string]claims{
		"a tenant that is not let in":   {"iss": p.URL + "/t3/v2.0", "tid": "t3"},
		"tid is another's":              {"iss": p.URL + "/t3/v2.0", "tid": "t1"},
		"iss is another's":              {"iss": p.URL + "/t1/v2.0", "tid": "t2"},
		"no tid":                        {"iss": p.URL + "/t1/v2.0"},
		"the template itself":           {"iss": p.URL + "/{tenantid}/v2.0", "tid": "{tenantid}"},
		"a tenant that breaks out":      {"iss": p.URL + "/t1/../t3/v2.0", "tid": "t1/../t3"},
		"an issuer without any tenant":  {"iss": p.URL, "tid": "t1"},
		"an empty tenant":               {"iss": p.URL + "//v2.0", "tid": ""},
		"a tenant as a list of tenants": {"iss": p.URL + "/t1/v2.0", "tid": []string{"t1"}},
	} {
		p.claims = bad
		e := refused(t, l, p, nil, login.StepIDToken)
		assert.Contains(t, e.Reason, "tenant", name)
	}
}
