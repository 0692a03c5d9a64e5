package integration

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

const (
	oidcProviderDir = "testdata/oidc-provider"
	startTime       = 30 * time.Second // for node to come up on a busy machine
)

// A nodeOP is oidc-provider in a process of its own.
type nodeOP struct{ issuer string }

// An exchange is a request as oidc-provider's routes have parsed it.
type exchange struct {
	Route  string
	Status int
	Header map[string]string
	Params map[string]any
	Body   map[string]any // of a POST
}

func newNodeOP(t *testing.T) nodeOP {
	t.Helper()
	setup := map[string]string{"client_id": clientID, "client_secret": clientSecret, "callback": callback}
	return nodeOP{startNode(t, "idp.mjs", setup)}
}

// nodeIn gives node for a package below testdata, or skips the test.
func nodeIn(t *testing.T, dir, name string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not there, and " + name + " runs on nothing else")
	}
	if _, err := os.Stat(dir + "/node_modules/" + name + "/package.json"); err != nil {
		remedy := name + " is not installed; run sh internal/integration/setup.sh"
		if os.Getenv("CI") != "" {
			t.Fatal(remedy)
		}
		t.Skip(remedy)
	}
	return node
}

// startNode starts an OpenID provider of oidc-provider's and gives its issuer.
func startNode(t *testing.T, script string, setup any) (issuer string) {
	t.Helper()
	node := nodeIn(t, oidcProviderDir, "oidc-provider")
	text, err := json.Marshal(setup)
	require.NoError(t, err)
	var complaints bytes.Buffer
	cmd := exec.CommandContext(t.Context(), node, script, string(text))
	cmd.Dir, cmd.Stderr = oidcProviderDir, &complaints
	stdin, err := cmd.StdinPipe() // it ends when this does, however the test ends
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait() // the context has killed it, perhaps
		if t.Failed() {
			t.Logf("oidc-provider said:\n%s", complaints.String())
		}
	})
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(stdout).ReadString('\n')
		line <- strings.TrimSpace(text)
	}()
	select {
	case issuer = <-line:
		require.NotEmpty(t, issuer, "oidc-provider did not start")
	case <-time.After(startTime):
		require.Fail(t, "oidc-provider did not start in time")
	}
	return issuer
}

// seen gives the requests to a route, in their order.
func (idp nodeOP) seen(t *testing.T, route string) []exchange {
	t.Helper()
	resp, err := http.Get(idp.issuer + "/record")
	require.NoError(t, err)
	defer resp.Body.Close()
	var all, seen []exchange
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&all))
	for _, e := range all {
		if e.Route == route || route == "" {
			seen = append(seen, e)
		}
	}
	return seen
}

// provider gives a connection to the OpenID provider, with more options.
func (idp nodeOP) provider(t *testing.T, more map[string]any) *upstream.Provider {
	t.Helper()
	options := map[string]any{
		"client_id": clientID, "client_secret": clientSecret, "issuer": idp.issuer,
		"authorization_endpoint": idp.issuer + "/auth", "token_endpoint": idp.issuer + "/token",
		"userinfo_endpoint": idp.issuer + "/me", "scope": "openid email offline_access",
		"connection_settings": map[string]any{"pkce": "S256"},
		// Without consent it gives no refresh token (OpenID Connect Core section 11).
		"upstream_params": map[string]any{"prompt": map[string]string{"value": "consent"}},
	}
	for name, value := range more {
		options[name] = value
	}
	return newProvider(t, "node-op", "oidc", options)
}

// aliases is upstream_params for aliases that go under their own names.
func aliases(names ...upstream.Alias) map[string]any {
	params := map[string]any{"prompt": map[string]string{"value": "consent"}}
	for _, name := range names {
		params[string(name)] = map[string]any{"alias": name}
	}
	return params
}

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)

// login goes through oidc-provider's development pages: name, then consent.
func (idp nodeOP) login(t *testing.T, target string, tx upstream.Transaction) (code string) {
	t.Helper()
	user := newBrowser(t)
	at := user.visit(t, target)
	for _, form := range []url.Values{
		{"prompt": {"login"}, "login": {"user-1"}, "password": {"any"}},
		{"prompt": {"consent"}},
	} {
		action := formAction.FindStringSubmatch(at.body)
		require.NotNil(t, action, "no form at %s (%d, %s): %s", at.at, at.status, at.back, at.body)
		at = user.submit(t, action[1], form)
	}
	assert.Equal(t, idp.issuer, at.back.Get("iss")) // RFC 9207
	return at.code(t, tx)
}

// oidc-provider looks at no parameter further once one of those that it knows
// comes twice.
func TestM1NoParameterComesTwice(t *testing.T) {
	idp := newNodeOP(t)
	const twice = "must not be provided twice"
	withQuery := idp.issuer + "/auth?ui_locales=it&login_hint=from-the-url"
	p := idp.provider(t, map[string]any{
		"authorization_endpoint": withQuery,
		"authParams":             map[string]string{"ui_locales": "es", "acr_values": "urn:example:low"},
		"authParamsMap":          map[string]string{"acr_values": "access_type"},
		"upstream_params":        aliases("ui_locales", "login_hint", "acr_values", "max_age"),
	})
	incoming := url.Values{
		"ui_locales": {"de-CH fr"}, "login_hint": {"ädä+x@example.com&prompt=none"},
		"acr_values": {"urn:example:high urn:example:low"}, "max_age": {"3600"}, "access_type": {"urn:example:low"},
	}
	target := authorizationURL(t, p, incoming, newTransaction())

	at := newBrowser(t).visit(t, target)
	require.Equal(t, http.StatusOK, at.status, at.body)
	require.Nil(t, at.back, "refused: %s", at.back)
	assert.Contains(t, at.body, `value="ädä+x@example.com&amp;prompt=none"`, "its login page has the user name")
	auth := idp.seen(t, "authorization")
	require.Len(t, auth, 1)
	for name, want := range map[string]string{
		"ui_locales": "de-CH fr", "login_hint": "ädä+x@example.com&prompt=none",
		"acr_values": "urn:example:high urn:example:low", "max_age": "3600", "prompt": "consent",
		"client_id": clientID, "redirect_uri": callback, "response_type": "code", "scope": "openid email offline_access",
	} {
		assert.Equal(t, want, auth[0].Params[name], name)
	}

	// It would refuse our URL with any of them added,
	for name := range incoming {
		if name == "access_type" {
			continue // unknown there
		}
		doubled := newBrowser(t).visit(t, target+"&"+name+"=1")
		assert.Equal(t, "invalid_request", doubled.back.Get("error"), name)
		assert.Equal(t, "'"+name+"' parameter "+twice, doubled.back.Get("error_description"))
	}
	// and what oauth2 makes of an endpoint with a query.
	plain := oauth2.Config{ClientID: clientID, RedirectURL: callback, Scopes: []string{"openid"}, Endpoint: oauth2.Endpoint{AuthURL: withQuery}}
	doubled := newBrowser(t).visit(t, plain.AuthCodeURL("state", oauth2.SetAuthURLParam("ui_locales", "de"), oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	assert.Equal(t, "'ui_locales' parameter "+twice, doubled.back.Get("error_description"))
}

// RFC 8707: both resources arrive, and a token can be had for each.
func TestM8EveryResourceArrives(t *testing.T) {
	idp := newNodeOP(t)
	resources := []string{"https://b.example.com/", "https://a.example.com/x?y=z"}
	p, tx := idp.provider(t, map[string]any{
		"upstream_params": aliases("resource"), "scope": "openid email offline_access read",
	}), newTransaction()
	config := p.TokenConfig(callback)
	code := idp.login(t, authorizationURL(t, p, url.Values{"resource": resources}, tx), tx)

	auth := idp.seen(t, "authorization")
	require.Len(t, auth, 1)
	assert.Equal(t, []any{resources[0], resources[1]}, auth[0].Params["resource"])

	token, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()), oauth2.SetAuthURLParam("resource", resources[1]))
	require.NoError(t, err)
	assert.Equal(t, resources[1], audience(t, token))

	// One that the URL did not have is refused.
	tx = newTransaction()
	code = idp.login(t, authorizationURL(t, p, url.Values{"resource": resources}, tx), tx)
	_, err = config.Exchange(t.Context(), code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()), oauth2.SetAuthURLParam("resource", "https://c.example.com/"))
	assertRefused(t, err, http.StatusBadRequest, "invalid_target")
}

// audience reads what an access token is for.
func audience(t *testing.T, token *oauth2.Token) string {
	t.Helper()
	parts := strings.Split(token.AccessToken, ".")
	require.Len(t, parts, 3, "no JWT: the IdP has not looked at the resource")
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims struct{ Aud string }
	require.NoError(t, json.Unmarshal(data, &claims))
	return claims.Aud
}

// The whole login: code, tokens, profile, subject, refresh.
func TestH3U8U9CodeFlowWithNode(t *testing.T) {
	idp := newNodeOP(t)
	const header = "X-Api-Key"
	p, tx := idp.provider(t, map[string]any{"customHeaders": map[string]string{header: "header-secret-value"}}), newTransaction()
	config := p.TokenConfig(callback)
	code := idp.login(t, authorizationURL(t, p, nil, tx), tx)
	token, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	require.NoError(t, err)

	profile, err := p.FetchProfile(t.Context(), token)
	require.NoError(t, err)
	assert.Equal(t, "user-1@example.com", profile.Email)
	assert.NoError(t, profile.CheckSubject("user-1"))
	assert.Equal(t, "oidc|node-op|user-1", p.Subject(profile.UserID))

	token.Expiry = time.Now().Add(-time.Hour)
	resp, err := config.Client(t.Context(), token).Get(idp.issuer + "/me")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.JSONEq(t, `{"sub": "user-1", "email": "user-1@example.com", "email_verified": true}`, string(body))

	_, err = config.Exchange(t.Context(), code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	assertRefused(t, err, http.StatusBadRequest, "invalid_grant") // the code is spent

	assert.Len(t, idp.seen(t, "token"), 3)
	assert.Len(t, idp.seen(t, "userinfo"), 2)
	for _, e := range idp.seen(t, "") {
		got := e.Header[strings.ToLower(header)]
		if e.Route == "token" {
			assert.Equal(t, "header-secret-value", got, e.Route)
		} else {
			assert.Empty(t, got, e.Route)
		}
	}
}
