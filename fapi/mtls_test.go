package fapi_test

import (
	"context"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key := ecKey(t, elliptic.P256())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "auth.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// The plain server must not be asked at all: what it has aliases for goes there.
func TestF3MutualTLS(t *testing.T) {
	var asked []string
	mutual := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked = append(asked, fmt.Sprint(r.URL.Path, " ", len(r.TLS.PeerCertificates), " ", r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), r.PostForm.Get("client_assertion")))
		switch r.URL.Path {
		case "/m/par":
			answerJSON(w, http.StatusCreated, map[string]any{"request_uri": "urn:a"})
		case "/m/token":
			answerJSON(w, http.StatusOK, map[string]any{"access_token": "A1", "token_type": "Bearer"})
		default:
			answerJSON(w, http.StatusOK, map[string]any{"sub": "user-1"})
		}
	}))
	mutual.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	mutual.StartTLS()
	defer mutual.Close()
	with := func(certificates ...tls.Certificate) context.Context {
		config := mutual.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		config.Certificates = certificates
		return context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: &http.Transport{TLSClientConfig: config}})
	}
	for _, method := range []string{"tls_client_auth", "self_signed_tls_client_auth"} {
		asked = nil
		s := newServer(t, newES256(t))
		conn := s.connection(t, map[string]any{
			"token_endpoint_auth_method": method, "token_endpoint_auth_signing_alg": nil, "dpop_signing_alg": nil,
			"oidc_metadata": s.metadata(map[string]any{"userinfo_endpoint": s.URL + "/me", "mtls_endpoint_aliases": map[string]string{
				"token_endpoint": mutual.URL + "/m/token", "userinfo_endpoint": mutual.URL + "/m/me",
				"pushed_authorization_request_endpoint": mutual.URL + "/m/par",
			}}),
		})
		c := newClient(t, conn, fapi.Options{})
		ctx, tx := with(selfSigned(t)), upstream.NewTransaction(callback)
		location, err := c.AuthorizationURL(ctx, nil, tx)
		require.NoError(t, err)
		u, err := url.Parse(location)
		require.NoError(t, err)
		assert.Equal(t, s.URL, u.Scheme+"://"+u.Host, "the browser has no such certificate")
		token, err := c.Provider().TokenConfig(callback).Exchange(ctx, "code-1", oauth2.VerifierOption(tx.CodeVerifier.Reveal()))
		require.NoError(t, err)
		_, err = c.Provider().FetchProfile(ctx, token)
		require.NoError(t, err)
		assert.Equal(t, []string{"/m/par 1 client-1", "/m/token 1 client-1", "/m/me 1 "}, asked)
		assert.Empty(t, s.to("/par"))
		e, err := c.Explain(nil, tx)
		require.NoError(t, err)
		assert.Equal(t, mutual.URL+"/m/par true "+method, fmt.Sprint(e.Pushed, " ", e.MutualTLS, " ", e.Authentication))

		// Without a certificate nothing is sent.
		asked = nil
		for _, none := range []context.Context{with(), t.Context()} {
			_, err = c.AuthorizationURL(none, nil, tx)
			require.Error(t, err)
			_, err = c.Provider().TokenConfig(callback).Exchange(none, "code-1")
			require.Error(t, err)
			_, err = c.Provider().FetchProfile(none, token)
			require.Error(t, err)
		}
		assert.Empty(t, asked)
	}
}
