package login_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream/login"
)

// A world answers for hosts that are not there: an address has a document.
type world struct {
	p     *idp // signs
	pages map[string]any
	asked []string
	nonce string
}

func newWorld(t *testing.T) *world { return &world{p: newIDP(t), pages: map[string]any{}} }

func (o *world) RoundTrip(r *http.Request) (*http.Response, error) {
	address := strings.TrimSuffix(r.URL.String(), "?")
	o.asked = append(o.asked, address)
	resp := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody, Request: r}
	if page, found := o.pages[address]; found {
		if c, isClaims := page.(func() any); isClaims {
			page = c()
		}
		resp.StatusCode, resp.Body = http.StatusOK, io.NopCloser(strings.NewReader(asJSON(page)))
	}
	return resp, nil
}

// token gives the answer of a token endpoint with an ID token.
func (o *world) token(issuer string, more claims) func() any {
	return func() any {
		now := time.Now().Unix()
		c := claims{"iss": issuer, "sub": "user-1", "aud": clientID, "exp": now + 60, "iat": now, "nonce": o.nonce}
		for name, value := range more {
			c[name] = value
		}
		return claims{"access_token": "a", "token_type": "Bearer", "id_token": signed(o.p.key, "current", c)}
	}
}

func (o *world) keys() any { return claims{"keys": []claims{jwk(o.p.key, "current")}} }

// login runs one with a connection of a strategy.
func (o *world) login(t *testing.T, strategy string, options claims, form url.Values, change ...func(*login.Options)) (url.Values, *login.Result, error) {
	t.Helper()
	options["client_id"], options["client_secret"] = clientID, clientSecret
	conn := routed(t, asJSON(claims{"name": "corp", "strategy": strategy, "options": options}))
	l := newLogin(t, conn, change...)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: o})
	redirect, err := l.BeginLogin(ctx, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	u, err := url.Parse(redirect.URL)
	require.NoError(t, err)
	sent := u.Query()
	o.nonce = sent.Get("nonce")
	form.Set("state", sent.Get("state"))
	form.Set("code", "c")
	r := httptest.NewRequest(http.MethodPost, callback, bytes.NewReader([]byte(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(redirect.Cookie)
	result, err := l.Finish(httptest.NewRecorder(), r.WithContext(ctx))
	return sent, result, err
}

func TestStrategiesGoogle(t *testing.T) {
	o := newWorld(t)
	o.pages["https://www.googleapis.com/oauth2/v3/certs"] = o.keys()
	const tokenURL = "https://oauth2.googleapis.com/token"
	userinfo := claims{"sub": "user-1", "email": "ann@example.com", "email_verified": true}
	for _, at := range []string{"https://openidconnect.googleapis.com/v1/userinfo", "https://www.googleapis.com/oauth2/v3/userinfo"} {
		o.pages[at] = userinfo
	}
	for _, issuer := range []string{"https://accounts.google.com", "accounts.google.com"} {
		o.pages[tokenURL] = o.token(issuer, nil)
		sent, r, err := o.login(t, "google-oauth2", claims{"scope": "openid email"}, url.Values{})
		require.NoError(t, err)
		assert.NotEmpty(t, sent.Get("nonce"))
		assert.Equal(t, "google-oauth2|user-1", r.Subject)
	}
	o.pages[tokenURL] = o.token("https://evil.example.com", nil)
	_, _, err := o.login(t, "google-oauth2", claims{"scope": "openid email"}, url.Values{})
	assert.Equal(t, login.StepIDToken, stepOf(t, err))

	o.pages[tokenURL] = claims{"access_token": "a", "token_type": "Bearer"}
	_, _, err = o.login(t, "google-oauth2", claims{"scope": "openid email"}, url.Values{})
	assert.Equal(t, login.StepIDToken, stepOf(t, err), "openid was asked for")
	sent, r, err := o.login(t, "google-oauth2", claims{"scope": "email"}, url.Values{})
	require.NoError(t, err)
	assert.Empty(t, sent.Get("nonce"))
	assert.Equal(t, "google-oauth2|user-1", r.Subject)
	assert.Empty(t, r.Claims)
}

// The wish for a domain is held against the answer. (rule O5)
func TestStrategiesGoogleWorkspace(t *testing.T) {
	o := newWorld(t)
	o.pages["https://www.googleapis.com/oauth2/v3/certs"] = o.keys()
	options := claims{"scope": "openid email", "domain": "acme.example", "domain_aliases": []string{"acme.test"}}
	for hd, verdict := range map[string]login.Verdict{"acme.example": login.Met, "ACME.test": login.Met, "evil.example": "", "": ""} {
		o.pages["https://oauth2.googleapis.com/token"] = o.token("https://accounts.google.com", claims{"hd": hd})
		sent, r, err := o.login(t, "google-apps", options, url.Values{})
		if verdict == "" {
			assert.Equal(t, map[bool]login.Step{true: login.StepProfile, false: login.StepAsked}[hd == ""], stepOf(t, err))
			continue
		}
		require.NoError(t, err, hd)
		assert.Equal(t, "acme.example", sent.Get("hd"))
		assert.Equal(t, "google-apps|corp|user-1", r.Subject)
		require.Len(t, r.Checks, 1)
		assert.Equal(t, verdict, r.Checks[0].Verdict)
		assert.True(t, r.Checks[0].Enforced)
	}
}

func TestStrategiesOkta(t *testing.T) {
	o := newWorld(t)
	const at = "https://acme.okta.example"
	o.pages[at+"/.well-known/openid-configuration"] = claims{"issuer": at, "authorization_endpoint": at + "/oauth2/v1/authorize", "token_endpoint": at + "/oauth2/v1/token", "jwks_uri": at + "/oauth2/v1/keys"}
	o.pages[at+"/oauth2/v1/token"] = o.token(at, nil)
	o.pages[at+"/oauth2/v1/keys"] = o.keys()
	_, r, err := o.login(t, "okta", claims{"domain": "acme.okta.example", "scope": "openid"}, url.Values{})
	require.NoError(t, err)
	assert.Equal(t, "okta|corp|user-1", r.Subject)
}

func TestStrategiesEntra(t *testing.T) {
	const guid, other = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-2222-3333-4444-555555555555"
	const host = "https://login.microsoftonline.com/"
	world := func(path, issuer string) *world {
		o := newWorld(t)
		o.pages[host+path+"/.well-known/openid-configuration"] = claims{
			"issuer":                 issuer,
			"authorization_endpoint": host + path + "/authorize", "token_endpoint": host + "token", "jwks_uri": host + "keys",
		}
		o.pages[host+"token"] = o.token(host+guid+"/v2.0", claims{"tid": guid})
		o.pages[host+"keys"] = o.keys()
		return o
	}
	_, r, err := world("contoso.example/v2.0", host+guid+"/v2.0").login(t, "waad", claims{"tenant_domain": "contoso.example", "scope": "openid"}, url.Values{})
	require.NoError(t, err)
	assert.Equal(t, "waad|corp|user-1", r.Subject)
	_, _, err = world(guid+"/v2.0", host+guid+"/v2.0").login(t, "waad", claims{"tenantId": guid, "scope": "openid"}, url.Values{})
	require.NoError(t, err)
	byID := world(guid+"/v2.0", host+guid+"/v2.0")
	byID.pages[host+"token"] = byID.token(host+guid+"/v2.0", claims{"oid": "object-1"})
	byID.pages[host+guid+"/v2.0/.well-known/openid-configuration"].(claims)["userinfo_endpoint"] = "https://graph.microsoft.com/oidc/userinfo"
	_, r, err = byID.login(t, "waad", claims{"tenantId": guid, "scope": "openid", "userid_attribute": "oid"}, url.Values{})
	require.NoError(t, err)
	assert.Equal(t, "waad|corp|object-1", r.Subject)

	for name, issuer := range map[string]string{
		"another tenant": host + other + "/v2.0", "the template": host + "{tenantid}/v2.0", "elsewhere": "https://evil.example.com/" + guid + "/v2.0",
		"no tenant": host + "contoso.example/v2.0", "two segments": host + guid + "/" + guid + "/v2.0",
	} {
		_, _, err = world(guid+"/v2.0", issuer).login(t, "waad", claims{"tenantId": guid, "scope": "openid"}, url.Values{})
		assert.Equal(t, login.StepMetadata, stepOf(t, err), name)
		if name != "another tenant" { // a domain's tenant is whichever Microsoft says
			_, _, err = world("contoso.example/v2.0", issuer).login(t, "waad", claims{"tenant_domain": "contoso.example", "scope": "openid"}, url.Values{})
			assert.Equal(t, login.StepMetadata, stepOf(t, err), name)
		}
	}
	common := world("common/v2.0", host+"{tenantid}/v2.0")
	_, _, err = common.login(t, "waad", claims{"useCommonEndpoint": true, "scope": "openid"}, url.Values{})
	assert.ErrorContains(t, err, "Options.Tenants")
	_, r, err = common.login(t, "waad", claims{"useCommonEndpoint": true, "scope": "openid"}, url.Values{}, func(o *login.Options) { o.Tenants = []string{guid} })
	require.NoError(t, err)
	assert.Equal(t, host+guid+"/v2.0", r.Issuer)
	_, _, err = common.login(t, "waad", claims{"useCommonEndpoint": true, "scope": "openid"}, url.Values{}, func(o *login.Options) { o.Tenants = []string{other} })
	assert.Equal(t, login.StepIDToken, stepOf(t, err))
}

func TestStrategiesApple(t *testing.T) {
	o := newWorld(t)
	o.pages["https://appleid.apple.com/auth/keys"] = o.keys()
	o.pages["https://appleid.apple.com/auth/token"] = o.token("https://appleid.apple.com", claims{"email": "ann@example.com", "email_verified": "true"})
	scope := claims{"scope": "name email"}
	sent, r, err := o.login(t, "apple", scope, url.Values{"user": {`{"name": {"firstName": "Ann", "lastName": "Lee"}, "email": "victim@example.com", "sub": "user-2"}`}})
	require.NoError(t, err)
	assert.NotEmpty(t, sent.Get("nonce"))
	assert.Equal(t, "apple|user-1", r.Subject)
	assert.Equal(t, "Ann Lee", r.Profile.Name)
	assert.Equal(t, "ann@example.com", r.Profile.Email, "no signature covers the form")
	for _, user := range []string{"", "{", "[]", `{"name": 1}`, `{"name": {"firstName": "A\u0000nn"}}`, `{"name": {"firstName": "` + strings.Repeat("x", 5000) + `"}}`} {
		_, r, err := o.login(t, "apple", scope, url.Values{"user": {user}})
		require.NoError(t, err)
		assert.Empty(t, r.Profile.Name, user)
	}
}
