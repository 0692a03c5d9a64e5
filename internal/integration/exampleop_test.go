package integration

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

const (
	tokenPath = "/oauth/token"
	publicID  = "public-client"
	testUser  = "test-user@localhost" // of the example's storage, and so are the two below
	password  = "verysecure"
	userID    = "id1"
)

// An exampleOP is the example OpenID provider of zitadel/oidc, with a record of
// the authorization requests as it understood them.
type exampleOP struct {
	*site
	requests *recordingStorage
}

type recordingStorage struct {
	*storage.Storage
	mu     sync.Mutex
	parsed oidc.AuthRequest // the latest
	hinted string           // the user of its id_token_hint
}

func (s *recordingStorage) CreateAuthRequest(ctx context.Context, r *oidc.AuthRequest, userID string) (op.AuthRequest, error) {
	s.mu.Lock()
	s.parsed, s.hinted = *r, userID
	s.mu.Unlock()
	return s.Storage.CreateAuthRequest(ctx, r, userID)
}

func (s *recordingStorage) latest() (parsed oidc.AuthRequest, hinted string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parsed, s.hinted
}

func newExampleOP(t *testing.T) *exampleOP {
	t.Helper()
	idp := &exampleOP{}
	idp.site = newSite(t, func(issuer string) http.Handler {
		idp.requests = &recordingStorage{Storage: storage.NewStorageWithClients(storage.NewUserStore(issuer), map[string]*storage.Client{
			clientID: storage.WebClient(clientID, clientSecret, callback),
			publicID: storage.NativeClient(publicID, callback),
		})}
		return exampleop.SetupServer(issuer, idp.requests, slog.New(slog.DiscardHandler), false)
	})
	return idp
}

// provider gives a connection to the OpenID provider, with more options.
func (idp *exampleOP) provider(t *testing.T, more map[string]any) *upstream.Provider {
	t.Helper()
	options := map[string]any{
		"client_id": clientID, "client_secret": clientSecret, "issuer": idp.URL,
		"authorization_endpoint": idp.URL + "/auth", "token_endpoint": idp.URL + tokenPath,
		"userinfo_endpoint": idp.URL + "/userinfo", "scope": "openid profile email offline_access",
		"connection_settings": map[string]any{"pkce": "S256"},
	}
	for name, value := range more {
		options[name] = value
	}
	return newProvider(t, "example-op", "oidc", options)
}

// login is the sample user's, up to the callback.
func (idp *exampleOP) login(t *testing.T, p *upstream.Provider, tx upstream.Transaction) (code string) {
	t.Helper()
	user := newBrowser(t)
	form := user.visit(t, authorizationURL(t, p, nil, tx))
	id := form.at.Query().Get("authRequestID")
	require.NotEmpty(t, id, "no login page: %s", form.body)
	return user.submit(t, idp.URL+"/login/username",
		url.Values{"id": {id}, "username": {testUser}, "password": {password}}).code(t, tx)
}

// idToken gives a real one.
func (idp *exampleOP) idToken(t *testing.T) string {
	t.Helper()
	p, tx := idp.provider(t, nil), newTransaction()
	token, err := p.TokenConfig(callback).Exchange(t.Context(), idp.login(t, p, tx), oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	require.NoError(t, err)
	text, _ := token.Extra("id_token").(string)
	require.NotEmpty(t, text)
	return text
}

// aliasCases says for each alias how a connection sends it on, and what shows
// that the IdP took it as it was meant. Some values hold what an encoder gets
// wrong.
func aliasCases(idToken string) map[upstream.Alias]struct {
	as     string // the IdP's name; "" for the same
	values []string
	typed  func(t *testing.T, r oidc.AuthRequest, hinted string)
} {
	type aliasCase = struct {
		as     string
		values []string
		typed  func(t *testing.T, r oidc.AuthRequest, hinted string)
	}
	return map[upstream.Alias]aliasCase{
		"acr_values": {"", []string{"urn:example:high urn:example:low"}, func(t *testing.T, r oidc.AuthRequest, _ string) {
			assert.Equal(t, oidc.SpaceDelimitedArray{"urn:example:high", "urn:example:low"}, r.ACRValues)
		}},
		"audience": {"", []string{"https://api.example.com/v1?a=b&c=d#e"}, nil},
		// The auth server's own stand under these three names.
		"client_id":     {"application", []string{"app & more"}, nil},
		"response_mode": {"app_response_mode", []string{"fragment"}, nil},
		"response_type": {"app_response_type", []string{"code id_token"}, nil},
		"display": {"", []string{"popup"}, func(t *testing.T, r oidc.AuthRequest, _ string) {
			assert.Equal(t, oidc.DisplayPopup, r.Display)
		}},
		"id_token_hint": {"", []string{idToken}, func(t *testing.T, r oidc.AuthRequest, hinted string) {
			assert.Equal(t, idToken, r.IDTokenHint)
			assert.Equal(t, userID, hinted, "the IdP has verified the hint")
		}},
		"login_hint": {"", []string{"ädä+x@example.com&prompt=none%20;#/?\"'"}, func(t *testing.T, r oidc.AuthRequest, _ string) {
			assert.Equal(t, "ädä+x@example.com&prompt=none%20;#/?\"'", r.LoginHint)
		}},
		"max_age": {"", []string{"3600"}, func(t *testing.T, r oidc.AuthRequest, _ string) {
			if assert.NotNil(t, r.MaxAge) {
				assert.EqualValues(t, 3600, *r.MaxAge)
			}
		}},
		"prompt": {"", []string{"consent select_account"}, func(t *testing.T, r oidc.AuthRequest, _ string) {
			assert.Equal(t, oidc.SpaceDelimitedArray{oidc.PromptConsent, oidc.PromptSelectAccount}, r.Prompt)
		}},
		"resource": {"", []string{"https://b.example.com/", "https://a.example.com/"}, nil},
		"ui_locales": {"", []string{"de-CH fr"}, func(t *testing.T, r oidc.AuthRequest, _ string) {
			var tags []string
			for _, tag := range r.UILocales {
				tags = append(tags, tag.String())
			}
			assert.Equal(t, []string{"de-CH", "fr"}, tags)
		}},
	}
}

func TestA1M10EveryAliasArrives(t *testing.T) {
	idp := newExampleOP(t)
	cases := aliasCases(idp.idToken(t))
	params, everything := map[string]any{}, url.Values{}
	require.Len(t, cases, 12)
	aliases := slices.Sorted(maps.Keys(cases))
	for _, alias := range aliases {
		test := cases[alias]
		if test.as == "" {
			test.as = string(alias)
			cases[alias] = test
		}
		params[test.as] = map[string]any{"alias": alias}
		everything[string(alias)] = test.values
	}
	p := idp.provider(t, map[string]any{"upstream_params": params})

	check := func(t *testing.T, incoming url.Values) {
		t.Helper()
		tx := newTransaction()
		target := authorizationURL(t, p, incoming, tx)
		page := newBrowser(t).visit(t, target)
		require.Equal(t, "/login/username", page.at.Path, page.body)

		auth := idp.seen("/auth")
		got, err := url.ParseQuery(auth[len(auth)-1].Query)
		require.NoError(t, err)
		want := url.Values{
			"client_id": {clientID}, "redirect_uri": {callback}, "response_type": {"code"},
			"scope": {"openid profile email offline_access"}, "state": {tx.State.Reveal()}, "nonce": {tx.Nonce.Reveal()},
			"code_challenge": {oauth2.S256ChallengeFromVerifier(tx.CodeVerifier.Reveal())}, "code_challenge_method": {"S256"},
		}
		for name, values := range incoming {
			want[cases[upstream.Alias(name)].as] = values
		}
		assert.Equal(t, want, got, "what the IdP was asked")
		assert.Equal(t, want, explained(t, p, incoming, tx), "what the operator is told")

		parsed, hinted := idp.requests.latest()
		assert.Equal(t, clientID, parsed.ClientID)
		assert.Equal(t, oidc.ResponseTypeCode, parsed.ResponseType)
		assert.Empty(t, parsed.ResponseMode)
		for name := range incoming {
			if typed := cases[upstream.Alias(name)].typed; typed != nil {
				typed(t, parsed, hinted)
			}
		}
	}
	for _, alias := range aliases {
		t.Run(string(alias), func(t *testing.T) { check(t, url.Values{string(alias): cases[alias].values}) })
	}
	t.Run("none", func(t *testing.T) { check(t, nil) })
	t.Run("all", func(t *testing.T) { check(t, everything) })
}

// explained gives what an explanation says was sent (M10).
func explained(t *testing.T, p *upstream.Provider, incoming url.Values, tx upstream.Transaction) url.Values {
	t.Helper()
	req, err := upstream.ParseAuthorizeValues(incoming)
	require.NoError(t, err)
	explanation, err := p.Explain(req, tx)
	require.NoError(t, err)
	sent := url.Values{}
	for _, d := range explanation.Parameters {
		switch {
		case d.Sent && d.Source == "id_token_hint":
			assert.NotContains(t, d.Value, req.IDTokenHint.Reveal())
			sent.Add(d.Name, req.IDTokenHint.Reveal())
		case d.Sent:
			sent.Add(d.Name, d.Value)
		}
	}
	return sent
}

// A query in the authorization URL, static parameters and mapped ones: the IdP
// is asked each once, by the highest layer.
func TestM1M2M3LayersAsTheIdPParsesThem(t *testing.T) {
	idp := newExampleOP(t)
	p := idp.provider(t, map[string]any{
		"authorization_endpoint": idp.URL + "/auth?display=page&ui_locales=it&max_age=60",
		"authParams":             map[string]string{"ui_locales": "es", "acr_values": "urn:example:low"},
		"authParamsMap":          map[string]string{"acr_values": "access_type"},
		"upstream_params": map[string]any{
			"ui_locales": map[string]string{"alias": "ui_locales"}, "max_age": map[string]string{"value": ""},
			"response_mode": map[string]string{"value": "form_post"},
		},
	})
	incoming := url.Values{"access_type": {"urn:example:high"}, "ui_locales": {"fr"}}
	page := newBrowser(t).visit(t, authorizationURL(t, p, incoming, newTransaction()))
	require.Equal(t, "/login/username", page.at.Path, page.body)

	query, err := url.ParseQuery(idp.seen("/auth")[0].Query)
	require.NoError(t, err)
	for name, values := range query {
		assert.Len(t, values, 1, name)
	}
	parsed, _ := idp.requests.latest()
	assert.Equal(t, oidc.DisplayPage, parsed.Display)
	assert.Equal(t, oidc.SpaceDelimitedArray{"urn:example:high"}, parsed.ACRValues)
	assert.Nil(t, parsed.MaxAge, "suppressed")
	assert.Equal(t, oidc.ResponseModeFormPost, parsed.ResponseMode)
	if assert.Len(t, parsed.UILocales, 1) {
		assert.Equal(t, "fr", parsed.UILocales[0].String())
	}
}

// The whole login: code, tokens, refresh, profile, subject.
func TestH3T4U8U9CodeFlow(t *testing.T) {
	headers := map[string]string{"X-Tenant": "blue", "X-Api-Key": "header-secret-value"}
	for _, method := range []string{"", "client_secret_post", "client_secret_basic"} {
		t.Run("method "+method, func(t *testing.T) {
			idp := newExampleOP(t)
			more := map[string]any{"customHeaders": headers}
			if method != "" {
				more["token_endpoint_auth_method"] = method
			}
			p, tx := idp.provider(t, more), newTransaction()
			config := p.TokenConfig(callback)
			code := idp.login(t, p, tx)

			token, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
			require.NoError(t, err)
			require.NotEmpty(t, token.RefreshToken)
			claims := idp.verify(t, token, tx.Nonce.Reveal())

			_, err = config.Exchange(t.Context(), code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
			assertRefused(t, err, http.StatusBadRequest, "invalid_grant") // the code is spent

			profile, err := p.FetchProfile(t.Context(), token)
			require.NoError(t, err)
			assert.Equal(t, userID, profile.UserID)
			assert.Equal(t, "test-user@zitadel.ch", profile.Email)
			if assert.NotNil(t, profile.EmailVerified) {
				assert.True(t, *profile.EmailVerified)
			}
			assert.NoError(t, profile.CheckSubject(claims.Subject))
			assert.Error(t, profile.CheckSubject("id2"))
			assert.Equal(t, "oidc|example-op|id1", p.Subject(profile.UserID))

			// A refresh in the middle of a client's calls.
			expired := *token
			expired.Expiry = time.Now().Add(-time.Hour)
			source := config.TokenSource(t.Context(), &expired)
			fresh, err := source.Token()
			require.NoError(t, err)
			assert.NotEqual(t, token.AccessToken, fresh.AccessToken)
			assert.NotEqual(t, token.RefreshToken, fresh.RefreshToken, "the IdP rotates it")

			expired = *fresh
			expired.Expiry = time.Now().Add(-time.Hour)
			resp, err := config.Client(t.Context(), &expired).Get(idp.URL + "/userinfo")
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, http.StatusOK, resp.StatusCode)

			idp.assertOnlyTokenRequestsHave(t, headers, 4)
		})
	}
}

// verify checks the ID token as an auth server does, with the IdP's own library.
func (idp *exampleOP) verify(t *testing.T, token *oauth2.Token, nonce string) *oidc.IDTokenClaims {
	t.Helper()
	text, _ := token.Extra("id_token").(string)
	keys := rp.NewRemoteKeySet(http.DefaultClient, idp.URL+"/keys")
	verifier := rp.NewIDTokenVerifier(idp.URL, clientID, keys, rp.WithNonce(func(context.Context) string { return nonce }))
	claims, err := rp.VerifyIDToken[*oidc.IDTokenClaims](t.Context(), text, verifier)
	require.NoError(t, err)
	return claims
}

// assertOnlyTokenRequestsHave says that n token requests came, each with the
// headers, and that nothing else had a header or the secret.
func (idp *exampleOP) assertOnlyTokenRequestsHave(t *testing.T, headers map[string]string, n int) {
	t.Helper()
	assert.Len(t, idp.seen(tokenPath), n)
	for _, c := range idp.all() {
		for name, value := range headers {
			if c.Path == tokenPath {
				assert.Equal(t, []string{value}, c.Header[name], c.Path)
			} else {
				assert.Empty(t, c.Header[name], "%s %s", c.Method, c.Path)
			}
		}
		if c.Path != tokenPath {
			assert.NotContains(t, c.Query+c.Form.Encode(), url.QueryEscape(clientSecret), c.Path)
		}
	}
}

// The IdP checks the verifier against the challenge that the URL carried.
func TestT4TheIdPChecksTheVerifier(t *testing.T) {
	idp := newExampleOP(t)
	for code, opts := range map[string][]oauth2.AuthCodeOption{
		"invalid_grant":   {oauth2.VerifierOption(oauth2.GenerateVerifier())}, // another one
		"invalid_request": nil,                                                // none
	} {
		t.Run(code, func(t *testing.T) {
			p, tx := idp.provider(t, nil), newTransaction()
			_, err := p.TokenConfig(callback).Exchange(t.Context(), idp.login(t, p, tx), opts...)
			assertRefused(t, err, http.StatusBadRequest, code)
		})
	}
}

// A client without a secret proves itself by PKCE alone.
func TestH5PublicClient(t *testing.T) {
	idp := newExampleOP(t)
	for name, more := range map[string]map[string]any{
		"no secret": {"client_id": publicID, "client_secret": nil},
		"none":      {"client_id": publicID, "client_secret": "unused", "token_endpoint_auth_method": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			p, tx := idp.provider(t, more), newTransaction()
			_, err := p.TokenConfig(callback).Exchange(t.Context(), idp.login(t, p, tx), oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
			require.NoError(t, err)
			calls := idp.seen(tokenPath)
			last := calls[len(calls)-1]
			assert.Equal(t, publicID, last.Form.Get("client_id"))
			assert.NotContains(t, last.Form, "client_secret")
			assert.Empty(t, last.Header["Authorization"])
		})
	}
}

// Basic authentication as a custom header, as the vendor documents it,
// with an IdP that refuses a client which authenticates in two ways.
func TestH6BasicHeaderIsTheOnlyAuthentication(t *testing.T) {
	idp := newExampleOP(t)
	basic := func(secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":"+url.QueryEscape(secret)))
	}
	p, tx := idp.provider(t, map[string]any{"customHeaders": map[string]string{"Authorization": basic(clientSecret)}}), newTransaction()
	_, err := p.TokenConfig(callback).Exchange(t.Context(), idp.login(t, p, tx), oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	require.NoError(t, err)

	p, tx = idp.provider(t, map[string]any{"customHeaders": map[string]string{"Authorization": basic("wrong")}}), newTransaction()
	_, err = p.TokenConfig(callback).Exchange(t.Context(), idp.login(t, p, tx), oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	assertRefused(t, err, http.StatusUnauthorized, "invalid_client") // it is the header that counts

	// What the secret in the body besides would have come to.
	p, tx = idp.provider(t, nil), newTransaction()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {idp.login(t, p, tx)}, "redirect_uri": {callback},
		"code_verifier": {tx.CodeVerifier.Reveal()}, "client_id": {clientID}, "client_secret": {clientSecret},
	}
	req, err := http.NewRequest(http.MethodPost, idp.URL+tokenPath, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", basic(clientSecret))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Contains(t, string(body), "must not use more than one method")
}
