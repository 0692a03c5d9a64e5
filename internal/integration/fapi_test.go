package integration

// Whole logins with module fapi at oidc-provider under its FAPI 2.0 profile,
// and each with the one thing missing that must make it fail.

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

// A fapiOP is oidc-provider under its FAPI 2.0 profile.
type fapiOP struct {
	nodeOP
	keys     *fapi.KeySet
	metadata map[string]any
}

func signingKey(t *testing.T, alg, kid string) fapi.Key {
	t.Helper()
	var private fapi.PrivateKey
	var err error
	if strings.HasPrefix(alg, "ES") || strings.HasPrefix(alg, "ECDH") {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	require.NoError(t, err)
	k, err := fapi.NewKey(private, alg, kid)
	require.NoError(t, err)
	return k
}

// publicJWKS gives the JWKS as the IdP is given it when the client is registered.
func publicJWKS(t *testing.T, handler http.Handler) map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/jwks.json", http.NoBody))
	set := map[string]any{}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &set))
	return set
}

// newFAPIOP starts it with a client that is registered as FAPI 2.0 has it, and
// with changes to that.
func newFAPIOP(t *testing.T, keys *fapi.KeySet, client, more map[string]any) fapiOP {
	t.Helper()
	registered := map[string]any{
		"client_id": clientID, "redirect_uris": []string{callback}, "response_types": []string{"code"},
		"grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid email offline_access",
		"token_endpoint_auth_method": "private_key_jwt", "jwks": publicJWKS(t, keys),
		"id_token_signed_response_alg": "ES256", "dpop_bound_access_tokens": true,
	}
	maps.Copy(registered, client)
	for name, value := range registered {
		if value == nil {
			delete(registered, name)
		}
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	setup := map[string]any{
		"client": registered, "nonce": true,
		"jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: own, KeyID: "idp-1", Algorithm: "ES256", Use: "sig"}}},
	}
	maps.Copy(setup, more)
	idp := fapiOP{nodeOP: nodeOP{startNode(t, "fapi.mjs", setup)}, keys: keys, metadata: map[string]any{}}
	resp, err := http.Get(idp.issuer + "/.well-known/openid-configuration")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&idp.metadata))
	return idp
}

// connection gives what an administrator writes down, and what an IdP says of itself.
func (idp fapiOP) connection(t *testing.T, more map[string]any) *upstream.Connection {
	t.Helper()
	options := map[string]any{
		"type": "back_channel", "client_id": clientID, "issuer": idp.issuer, "oidc_metadata": idp.metadata,
		"scope": "openid email offline_access", "connection_settings": map[string]any{"pkce": "S256"},
		"token_endpoint_auth_method": "private_key_jwt", "dpop_signing_alg": "ES256",
		"upstream_params": map[string]any{"prompt": map[string]string{"value": "consent"}},
	}
	maps.Copy(options, more)
	for name, value := range options {
		if value == nil {
			delete(options, name)
		}
	}
	text, err := json.Marshal(map[string]any{"name": "bank", "strategy": "oidc", "options": options})
	require.NoError(t, err)
	conn, err := upstream.ParseConnection(text)
	require.NoError(t, err)
	return conn
}

func (idp fapiOP) client(t *testing.T, more map[string]any, options fapi.Options) *fapi.Client {
	t.Helper()
	if options.Keys == nil {
		options.Keys = idp.keys
	}
	conn := idp.connection(t, more)
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	c, err := fapi.New(conn, p, options)
	require.NoError(t, err)
	return c
}

// fapiLogin goes through a whole login, refresh and userinfo included, and gives
// the first token.
func (idp fapiOP) fapiLogin(t *testing.T, ctx context.Context, c *fapi.Client) *oauth2.Token {
	t.Helper()
	tx := upstream.NewTransaction(callback)
	started, carried, err := c.Start(ctx)
	require.NoError(t, err)
	location, err := c.AuthorizationURL(started, nil, tx)
	require.NoError(t, err)
	at, err := url.Parse(location)
	require.NoError(t, err)
	assert.Len(t, at.Query(), 2, "the browser carries client_id and one more: %s", location)
	code := idp.login(t, location, tx)

	resumed, err := c.Resume(ctx, carried)
	require.NoError(t, err)
	config := c.Provider().TokenConfig(callback)
	token, err := config.Exchange(resumed, code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
	require.NoError(t, err)
	profile, err := c.Provider().FetchProfile(resumed, token)
	require.NoError(t, err)
	assert.Equal(t, "user-1", profile.UserID)

	expired := *token
	expired.Expiry = time.Now().Add(-time.Hour)
	resp, err := config.Client(resumed, &expired).Get(idp.issuer + "/me")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.JSONEq(t, `{"sub": "user-1", "email": "user-1@example.com", "email_verified": true}`, string(body))
	return token
}

func oneKey(t *testing.T, alg string) *fapi.KeySet {
	t.Helper()
	keys, err := fapi.NewKeySet(fapi.Keys{Current: []fapi.Key{signingKey(t, alg, "auth-1")}})
	require.NoError(t, err)
	return keys
}

// statuses gives how the requests to a route ended.
func (idp fapiOP) statuses(t *testing.T, route string) (list []int) {
	t.Helper()
	for _, e := range idp.seen(t, route) {
		list = append(list, e.Status)
	}
	return list
}

// The strictest that it has: PAR, private_key_jwt, DPoP with nonces that the
// server asks for.
func TestF1F2F3FAPI2WithNode(t *testing.T) {
	for _, alg := range []string{"ES256", "PS256"} {
		t.Run(alg, func(t *testing.T) {
			idp := newFAPIOP(t, oneKey(t, alg), nil, nil)
			require.Equal(t, true, idp.metadata["require_pushed_authorization_requests"])
			token := idp.fapiLogin(t, t.Context(), idp.client(t, nil, fapi.Options{}))
			assert.Equal(t, "DPoP", token.Type())
			assert.Equal(t, []int{201}, idp.statuses(t, "pushed_authorization_request"))
			assert.Equal(t, []int{400, 200, 200}, idp.statuses(t, "token"), "challenge, code, refresh")
			assert.Equal(t, []int{401, 200, 200}, idp.statuses(t, "userinfo"), "challenge, profile, after the refresh")
		})
	}
}

// With one thing missing it does not go on.
func TestF1F2F3FAPI2WithNodeOneThingMissing(t *testing.T) {
	idp := newFAPIOP(t, oneKey(t, "ES256"), nil, nil)
	t.Run("not pushed", func(t *testing.T) {
		c := idp.client(t, nil, fapi.Options{})
		plain, err := c.Provider().AuthorizationURL(nil, newTransaction())
		require.NoError(t, err)
		assert.Contains(t, newBrowser(t).visit(t, plain).back.Get("error_description"), "Pushed Authorization Request must be used")
	})
	t.Run("another key under the same kid", func(t *testing.T) {
		c := idp.client(t, nil, fapi.Options{Keys: oneKey(t, "ES256")})
		assertNotPushed(t, c, "invalid_client")
	})
	t.Run("the token endpoint as audience", func(t *testing.T) {
		c := idp.client(t, map[string]any{"token_endpoint_jwtca_aud_format": "token_endpoint"}, fapi.Options{})
		assertNotPushed(t, c, "invalid_client")
	})
	t.Run("no client authentication", func(t *testing.T) {
		c := idp.client(t, map[string]any{"token_endpoint_auth_method": "none"}, fapi.Options{})
		assertNotPushed(t, c, "invalid_client")
	})
	t.Run("no DPoP", func(t *testing.T) {
		c := idp.client(t, map[string]any{"dpop_signing_alg": nil}, fapi.Options{})
		tx := upstream.NewTransaction(callback)
		location, err := c.AuthorizationURL(t.Context(), nil, tx)
		require.NoError(t, err)
		code := idp.login(t, location, tx)
		_, err = c.Provider().TokenConfig(callback).Exchange(t.Context(), code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
		assertRefused(t, err, http.StatusBadRequest, "invalid_grant")
	})
	t.Run("no PKCE", func(t *testing.T) {
		c := idp.client(t, map[string]any{"connection_settings": map[string]any{"pkce": "disabled"}}, fapi.Options{})
		assertNotPushed(t, c, "invalid_request")
	})
	t.Run("the key of another login", func(t *testing.T) {
		c := idp.client(t, nil, fapi.Options{})
		tx := upstream.NewTransaction(callback)
		ctx, _, err := c.Start(t.Context())
		require.NoError(t, err)
		location, err := c.AuthorizationURL(ctx, nil, tx)
		require.NoError(t, err)
		code := idp.login(t, location, tx)
		other, _, err := c.Start(t.Context())
		require.NoError(t, err)
		_, err = c.Provider().TokenConfig(callback).Exchange(other, code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
		var refused *oauth2.RetrieveError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, http.StatusBadRequest, refused.Response.StatusCode)
	})
	t.Run("an assertion that was seen before", func(t *testing.T) {
		c := idp.client(t, nil, fapi.Options{})
		ctx, _, err := c.Start(t.Context())
		require.NoError(t, err)
		var first url.Values
		replaying := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			form, err := url.ParseQuery(string(body))
			require.NoError(t, err)
			if first == nil {
				first = form
			}
			form.Set("client_assertion", first.Get("client_assertion"))
			sent := r.Clone(r.Context())
			sent.Body, sent.ContentLength = io.NopCloser(strings.NewReader(form.Encode())), int64(len(form.Encode()))
			return http.DefaultTransport.RoundTrip(sent)
		})}
		ctx = context.WithValue(ctx, oauth2.HTTPClient, replaying)
		_, err = c.AuthorizationURL(ctx, nil, upstream.NewTransaction(callback))
		require.NoError(t, err)
		_, err = c.AuthorizationURL(ctx, nil, upstream.NewTransaction(callback))
		var own *fapi.Error
		require.ErrorAs(t, err, &own)
		assert.Equal(t, "invalid_client", own.Code)
	})
	t.Run("a code twice, which nothing here does", func(t *testing.T) {
		c := idp.client(t, nil, fapi.Options{})
		tx := upstream.NewTransaction(callback)
		ctx, _, err := c.Start(t.Context())
		require.NoError(t, err)
		location, err := c.AuthorizationURL(ctx, nil, tx)
		require.NoError(t, err)
		code := idp.login(t, location, tx)
		config := c.Provider().TokenConfig(callback)
		_, err = config.Exchange(ctx, code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
		require.NoError(t, err, "the challenge has not spent the code")
		_, err = config.Exchange(ctx, code, oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
		assertRefused(t, err, http.StatusBadRequest, "invalid_grant")
	})
}

func assertNotPushed(t *testing.T, c *fapi.Client, code string) {
	t.Helper()
	ctx, _, err := c.Start(t.Context())
	require.NoError(t, err)
	location, err := c.AuthorizationURL(ctx, nil, upstream.NewTransaction(callback))
	var own *fapi.Error
	require.ErrorAs(t, err, &own)
	assert.Equal(t, "push "+code, own.Stage+" "+own.Code, own.Error())
	assert.Empty(t, location)
}

// Signed request objects, which it then insists on.
func TestF2RequestObjectsWithNode(t *testing.T) {
	idp := newFAPIOP(t, oneKey(t, "ES256"), map[string]any{"request_object_signing_alg": "ES256", "require_signed_request_object": true}, map[string]any{"signed": true})
	c := idp.client(t, nil, fapi.Options{SignRequest: true})
	idp.fapiLogin(t, t.Context(), c)
	pushed := idp.seen(t, "pushed_authorization_request")
	require.Len(t, pushed, 1)
	assert.NotContains(t, pushed[0].Body, "redirect_uri", "it stands in the object alone")
	assert.Contains(t, pushed[0].Body, "request")

	if idp.metadata["require_signed_request_object"] == true {
		delete(idp.metadata, "require_signed_request_object")
	}
	assertNotPushed(t, idp.client(t, nil, fapi.Options{}), "invalid_request")
}

// ID tokens that only the auth server can read.
func TestF4EncryptedIDTokenWithNode(t *testing.T) {
	for _, alg := range []string{"RSA-OAEP-256", "ECDH-ES+A256KW"} {
		keys, err := fapi.NewKeySet(fapi.Keys{Current: []fapi.Key{signingKey(t, "ES256", "auth-1"), signingKey(t, alg, "auth-2")}})
		require.NoError(t, err)
		idp := newFAPIOP(t, keys, map[string]any{"id_token_encrypted_response_alg": alg, "id_token_encrypted_response_enc": "A256GCM"}, nil)
		c := idp.client(t, nil, fapi.Options{RequireEncryptedIDToken: true})
		token := idp.fapiLogin(t, t.Context(), c)
		idToken, _ := token.Extra("id_token").(string)
		require.Equal(t, 4, strings.Count(idToken, "."))
		signed, err := c.DecryptIDToken(t.Context(), idToken)
		require.NoError(t, err)
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(signed, ".")[1])
		require.NoError(t, err)
		assert.Contains(t, string(payload), `"sub":"user-1"`)

		other := idp.client(t, nil, fapi.Options{Keys: func() *fapi.KeySet {
			keys, err := fapi.NewKeySet(fapi.Keys{Current: []fapi.Key{signingKey(t, "ES256", "auth-1"), signingKey(t, alg, "auth-2")}})
			require.NoError(t, err)
			return keys
		}()})
		_, err = other.DecryptIDToken(t.Context(), idToken)
		require.Error(t, err)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// certificate makes a self-signed certificate.
func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// Mutual TLS: the certificate of the host's client, at the addresses for it.
func TestF3MutualTLSWithNode(t *testing.T) {
	server, own := certificate(t, "localhost"), certificate(t, "auth.example.com")
	der, err := x509.MarshalPKCS8PrivateKey(server.PrivateKey)
	require.NoError(t, err)
	registered := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: own.Leaf.PublicKey, Certificates: []*x509.Certificate{own.Leaf}, KeyID: "tls", Algorithm: "ES256", Use: "sig"}}}
	idp := newFAPIOP(t, oneKey(t, "ES256"), map[string]any{
		"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": registered,
		"tls_client_certificate_bound_access_tokens": true, "dpop_bound_access_tokens": nil,
	}, map[string]any{"tls": map[string]string{
		"key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"cert": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate[0]})),
	}})
	roots := x509.NewCertPool()
	roots.AddCert(server.Leaf)
	with := func(certificates ...tls.Certificate) context.Context {
		return context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates},
		}})
	}
	c := idp.client(t, map[string]any{"token_endpoint_auth_method": "self_signed_tls_client_auth", "dpop_signing_alg": nil}, fapi.Options{})
	token := idp.fapiLogin(t, with(own), c)
	assert.Equal(t, "Bearer", token.Type())

	// No certificate: nothing is sent. Another one: refused.
	before := len(idp.seen(t, "pushed_authorization_request"))
	_, err = c.AuthorizationURL(with(), nil, upstream.NewTransaction(callback))
	require.Error(t, err)
	assert.Contains(t, err.Error(), "no certificate")
	assert.Len(t, idp.seen(t, "pushed_authorization_request"), before)
	_, err = c.AuthorizationURL(with(certificate(t, "auth.example.com")), nil, upstream.NewTransaction(callback))
	var own2 *fapi.Error
	require.ErrorAs(t, err, &own2)
	assert.Equal(t, "invalid_client", own2.Code)
	_, err = c.Provider().FetchProfile(with(certificate(t, "auth.example.com")), token)
	require.Error(t, err, "the token is bound to the other certificate")
}
