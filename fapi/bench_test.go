package fapi_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

// Each of the following stands beside its floor: what the signature alone costs,
// by the same key, of a text of the same kind. At most 1.3 of it is the target.

// beside runs floor and own in turn, so that both meet the same noise, and
// reports the medians and their ratio.
func beside(b *testing.B, floor, own func() error) {
	b.Helper()
	var floors, owns []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := floor(); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		if err := own(); err != nil {
			b.Fatal(err)
		}
		floors, owns = append(floors, between.Sub(start)), append(owns, time.Since(between))
	}
	slices.Sort(floors)
	slices.Sort(owns)
	f, o := float64(floors[len(floors)/2]), float64(owns[len(owns)/2])
	b.ReportMetric(f, "floor-ns")
	b.ReportMetric(o, "own-ns")
	b.ReportMetric(o/f, "of-floor")
	b.ReportMetric(0, "ns/op") // of both together: says nothing
}

func signatures(b *testing.B) map[string]struct {
	key  crypto.Signer
	sign func(message []byte) error
} {
	b.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	rsaPrivate, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(b, err)
	type row = struct {
		key  crypto.Signer
		sign func(message []byte) error
	}
	return map[string]row{
		"ES256": {ec, func(message []byte) error {
			sum := sha256.Sum256(message)
			_, err := ec.Sign(rand.Reader, sum[:], crypto.SHA256)
			return err
		}},
		"PS256": {rsaPrivate, func(message []byte) error {
			sum := sha256.Sum256(message)
			_, err := rsaPrivate.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
			return err
		}},
		"Ed25519": {ed, func(message []byte) error {
			_, err := ed.Sign(rand.Reader, message, crypto.Hash(0))
			return err
		}},
	}
}

func BenchmarkAssertion(b *testing.B) {
	for alg, s := range signatures(b) {
		b.Run(alg, func(b *testing.B) {
			message := []byte(strings.Repeat("m", 300))
			k, err := fapi.NewKey(s.key, alg, "sig-1")
			require.NoError(b, err)
			c := newClient(b, benchConnection(b), fapi.Options{Keys: newKeySet(b, fapi.Keys{Current: []fapi.Key{k}})})
			beside(b, func() error { return s.sign(message) }, func() error {
				_, err := c.Assertion()
				return err
			})
		})
	}
}

func BenchmarkProof(b *testing.B) {
	target, err := url.Parse("https://idp.example.com/token")
	require.NoError(b, err)
	for alg, s := range signatures(b) {
		if alg == "PS256" {
			continue
		}
		b.Run(alg, func(b *testing.B) {
			message := []byte(strings.Repeat("m", 450))
			k, err := fapi.NewProofKey(alg)
			require.NoError(b, err)
			beside(b, func() error { return s.sign(message) }, func() error {
				_, err := k.Proof(http.MethodPost, target, "2YotnFZFEjr1zCsicMWpAA", "nonce-1", time.Now())
				return err
			})
		})
	}
}

func benchConnection(b *testing.B) *upstream.Connection {
	b.Helper()
	conn, err := upstream.ParseConnection([]byte(`{"name": "bank", "strategy": "oidc", "options": {
		"client_id": "client-1", "issuer": "https://idp.example.com", "scope": "openid email", "connection_settings": {"pkce": "S256"},
		"token_endpoint_auth_method": "private_key_jwt",
		"dpop_signing_alg": "ES256", "require_pushed_authorization_requests": true,
		"oidc_metadata": {"issuer": "https://idp.example.com", "authorization_endpoint": "https://idp.example.com/auth",
			"token_endpoint": "https://idp.example.com/token", "pushed_authorization_request_endpoint": "https://idp.example.com/par"}}}`))
	require.NoError(b, err)
	return conn
}

// BenchmarkPushedLogin is what the auth server does until the redirect, with the
// network left out: the IdP answers at once. It stands beside the plain URL of the
// same plan, and beside the two operations with keys that it cannot do without.
func BenchmarkPushedLogin(b *testing.B) {
	keys := newKeySet(b, fapi.Keys{Current: []fapi.Key{newKey(b, "ES256", "sig-1")}})
	c := newClient(b, benchConnection(b), fapi.Options{Keys: keys})
	ctx := context.WithValue(b.Context(), oauth2.HTTPClient, &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return &http.Response{
			StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(strings.NewReader(`{"request_uri":"urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c","expires_in":60}`)),
		}, nil
	})})
	tx := upstream.NewTransaction(callback)
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Provider().AuthorizationURL(nil, tx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("pushed", func(b *testing.B) {
		ec := ecKey(b, elliptic.P256())
		message := []byte(strings.Repeat("m", 300))
		beside(b, func() error {
			if _, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
				return err
			}
			sum := sha256.Sum256(message)
			_, err := ec.Sign(rand.Reader, sum[:], crypto.SHA256)
			return err
		}, func() error {
			started, _, err := c.Start(ctx)
			if err != nil {
				return err
			}
			_, err = c.AuthorizationURL(started, nil, tx)
			return err
		})
	})
}
