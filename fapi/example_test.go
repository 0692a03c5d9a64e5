package fapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"net/http/httptest"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

const bank = `{"name": "bank", "strategy": "oidc", "options": {
	"client_id": "auth-server", "scope": "openid", "connection_settings": {"pkce": "S256"},
	"token_endpoint_auth_method": "private_key_jwt", "dpop_signing_alg": "ES256",
	"oidc_metadata": {
		"issuer": "https://idp.example.com", "authorization_endpoint": "https://idp.example.com/auth",
		"token_endpoint": "https://idp.example.com/token", "require_pushed_authorization_requests": true,
		"pushed_authorization_request_endpoint": "https://idp.example.com/par"}}}`

func newExampleKey(kid string) fapi.Key {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // or any crypto.Signer
	if err != nil {
		log.Fatal(err)
	}
	key, err := fapi.NewKey(private, "ES256", kid)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

func ExampleNew() {
	keys, err := fapi.NewKeySet(fapi.Keys{Current: []fapi.Key{newExampleKey("2026-11")}})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := upstream.ParseConnection([]byte(bank))
	if err != nil {
		log.Fatal(err)
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("asked for:", provider.Demands())
	client, err := fapi.New(conn, provider, fapi.Options{Keys: keys})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("left:", client.Provider().Demands())
	plan, err := client.Explain(nil, upstream.NewTransaction("https://auth.example.com/callback"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Authentication, plan.DPoP, plan.Pushed, plan.Browser)
	// Output:
	// asked for: [private_key_jwt dpop_signing_alg require_pushed_authorization_requests]
	// left: []
	// private_key_jwt ES256 https://idp.example.com/par [client_id request_uri]
}

func ExampleKeySet_Rotate() {
	old, next := newExampleKey("2026-11"), newExampleKey("2027-05")
	keys, err := fapi.NewKeySet(fapi.Keys{Current: []fapi.Key{old}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.Rotate(fapi.Keys{Current: []fapi.Key{next}, Previous: []fapi.Key{old}}))
	// First publish it, and wait until everybody has read the JWKS again.
	fmt.Println(keys.Rotate(fapi.Keys{Current: []fapi.Key{old}, Next: []fapi.Key{next}}))
	fmt.Println(keys.Rotate(fapi.Keys{Current: []fapi.Key{next}, Previous: []fapi.Key{old}}))
	w := httptest.NewRecorder()
	keys.ServeHTTP(w, httptest.NewRequest("GET", "/jwks.json", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output:
	// fapi: key: the key "2027-05" has not been published; put it under Next first
	// <nil>
	// <nil>
	// 200 application/jwk-set+json
}
