package fapi_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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

func base64url(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// Every algorithm of the vendor's schema, as another implementation reads it.
func TestF1AssertionsOfEveryAlgorithm(t *testing.T) {
	for _, alg := range []string{"ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA"} {
		keys := newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, alg, "sig-1")}})
		s := newServer(t, keys)
		s.alg = alg
		c := newClient(t, s.connection(t, nil), fapi.Options{Keys: keys})
		begin(t, s, c).token(t, c)
		assert.Empty(t, s.refused, alg)
	}
}

func TestF1ClientSecretJWT(t *testing.T) {
	secret := strings.Repeat("s", 32)
	s := newServer(t, newES256(t))
	s.alg, s.secret = "HS256", secret
	c := newClient(t, s.connection(t, map[string]any{
		"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": nil, "client_secret": secret,
	}), fapi.Options{})
	begin(t, s, c).token(t, c)
	assert.Empty(t, s.refused)
	for _, r := range append(s.to("/token"), s.to("/par")...) {
		assert.NotContains(t, r.PostForm.Encode(), secret)
	}
}

// A connection that cannot be served is an error when it is configured.
func TestF1NewRefuses(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	for _, c := range []struct {
		name    string
		more    map[string]any
		options fapi.Options
		want    string
	}{
		{"no keys", nil, fapi.Options{}, "no current key for it"},
		{"keys for something else", nil, fapi.Options{Keys: newKeySet(t, fapi.Keys{Current: []fapi.Key{newKey(t, "ECDH-ES", "e")}})}, "no current key for it"},
		{"another algorithm", map[string]any{"token_endpoint_auth_signing_alg": "RS256"}, fapi.Options{Keys: keys}, "no current key for it"},
		{"no algorithm that is listed", map[string]any{"token_endpoint_auth_signing_alg": nil,
			"oidc_metadata": s.metadata(map[string]any{"token_endpoint_auth_signing_alg_values_supported": []string{"PS256"}})}, fapi.Options{Keys: keys}, "metadata lists"},
		{"an algorithm that is not listed", map[string]any{
			"oidc_metadata": s.metadata(map[string]any{"token_endpoint_auth_signing_alg_values_supported": []string{"PS256"}})}, fapi.Options{Keys: keys}, "does not list"},
		{"DPoP not listed", map[string]any{"oidc_metadata": s.metadata(map[string]any{"dpop_signing_alg_values_supported": []string{"PS256"}})}, fapi.Options{Keys: keys}, "dpop_signing_alg"},
		{"no issuer", map[string]any{"issuer": nil, "oidc_metadata": map[string]any{"pushed_authorization_request_endpoint": s.URL + "/par"}}, fapi.Options{Keys: keys}, "issuer is not known"},
		{"nowhere to push", map[string]any{"oidc_metadata": nil}, fapi.Options{Keys: keys}, "pushed_authorization_request_endpoint"},
		{"to push to an insecure place", map[string]any{"oidc_metadata": s.metadata(map[string]any{"pushed_authorization_request_endpoint": "http://idp.example.com/par"})}, fapi.Options{Keys: keys}, "https://"},
		{"a short secret", map[string]any{"token_endpoint_auth_method": "client_secret_jwt", "client_secret": "SECRET"}, fapi.Options{Keys: keys}, "less than 32 bytes"},
		{"request objects that nobody signs", map[string]any{"token_endpoint_auth_method": "none"}, fapi.Options{SignRequest: true}, "no current key"},
		{"encryption without a key", nil, fapi.Options{Keys: keys, RequireEncryptedIDToken: true}, "no key that decrypts"},
	} {
		p, err := upstream.NewProvider(s.connection(t, c.more))
		if err != nil {
			assert.Contains(t, err.Error(), c.want, c.name) // the root said so itself
			continue
		}
		_, err = fapi.New(s.connection(t, c.more), p, c.options)
		require.Error(t, err, c.name)
		assert.Contains(t, err.Error(), c.want, c.name)
		assert.NotContains(t, err.Error(), "SECRET")
		assert.Regexp(t, "^fapi: connection: ", err.Error())
	}
	_, err := fapi.New(nil, nil, fapi.Options{})
	require.Error(t, err)
	var none fapi.Client
	_, _, err = none.Start(t.Context())
	require.Error(t, err)
	assert.Nil(t, none.Provider())
}

// What is attached twice would be pushed with another authentication than the
// token request has.
func TestF1AttachedTwice(t *testing.T) {
	keys := newES256(t)
	s := newServer(t, keys)
	conn := s.connection(t, map[string]any{"client_secret": "SECRET"})
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	_, err = fapi.New(conn, p.WithProtection(nil, "private_key_jwt"), fapi.Options{Keys: keys})
	require.ErrorContains(t, err, "attached by something else")
	assert.NotContains(t, err.Error(), "SECRET")
}

// A signer elsewhere that fails or answers what is no signature.
func TestF1SignerFails(t *testing.T) {
	public := ecKey(t, elliptic.P256()).Public()
	down := errors.New("SECRET kms is down")
	for name, signer := range map[string]kms{
		"wrapped error":     {public: public, err: down},
		"no signature":      {public: public, answer: []byte("SECRET")},
		"is no signature":   {public: public},
		"no signature of":   {public: public, answer: []byte{0x30, 6, 2, 1, 0, 2, 1, 0}},
		"signature of its ": {public: rsaKey(t, 2048).Public(), answer: []byte("SECRET")},
		" no signature of ": {public: edKey(t).Public(), answer: []byte("SECRET")},
	} {
		alg := map[bool]string{true: "ES256", false: "PS256"}[signer.public == public]
		if name == " no signature of " {
			alg = "Ed25519"
		}
		k, err := fapi.NewKey(signer, alg, "k")
		require.NoError(t, err, name)
		keys := newKeySet(t, fapi.Keys{Current: []fapi.Key{k}})
		s := newServer(t, keys)
		s.alg = alg
		c := newClient(t, s.connection(t, map[string]any{"dpop_signing_alg": nil}), fapi.Options{Keys: keys})
		_, err = c.AuthorizationURL(t.Context(), nil, upstream.NewTransaction(callback))
		require.Error(t, err)
		assert.Contains(t, err.Error(), name)
		assert.NotContains(t, err.Error(), "SECRET")
		assert.Equal(t, signer.err != nil, errors.Is(err, down))
		assert.Empty(t, s.requests)
	}
}

// appleServer is a stand-in for Apple's token endpoint, as "Generate and validate
// tokens" and "Creating a client secret" document it: a form with client_id,
// client_secret, code, grant_type and redirect_uri, and a client secret that is a
// JWT by ES256 with kid, iss (team), iat, exp within 15777000 seconds, aud and sub.
func appleServer(t *testing.T, key any, now func() time.Time) (*httptest.Server, *[]string) {
	t.Helper()
	var secrets []string
	check := func(r *http.Request) string {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("Authorization") != "" {
			return "method, type or Authorization"
		}
		if err := r.ParseForm(); err != nil {
			return "form"
		}
		for name, values := range r.PostForm {
			if len(values) != 1 || !strings.Contains(" client_id client_secret code grant_type redirect_uri refresh_token code_verifier ", " "+name+" ") {
				return "parameter " + name
			}
		}
		secret := r.PostForm.Get("client_secret")
		secrets = append(secrets, secret)
		jws, err := jose.ParseSignedCompact(secret, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil || jws.Signatures[0].Header.KeyID != "KEYID12345" {
			return "alg or kid"
		}
		payload, err := jws.Verify(key)
		claims := map[string]any{}
		if err != nil || json.Unmarshal(payload, &claims) != nil {
			return "signature"
		}
		iat, _ := claims["iat"].(float64)
		exp, _ := claims["exp"].(float64)
		at := float64(now().Unix())
		switch {
		case claims["iss"] != "TEAMID1234" || claims["sub"] != "com.example.web" || claims["aud"] != "https://appleid.apple.com":
			return "iss, sub or aud"
		case r.PostForm.Get("client_id") != "com.example.web":
			return "client_id"
		case iat == 0 || iat > at || exp <= at || exp > at+15777000:
			return "iat or exp"
		case r.PostForm.Get("grant_type") == "authorization_code" && (r.PostForm.Get("code") != "c.0" || r.PostForm.Get("redirect_uri") != callback):
			return "code or redirect_uri"
		}
		return ""
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wrong := check(r); wrong != "" {
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_client", "error_description": wrong})
			return
		}
		answerJSON(w, http.StatusOK, map[string]any{"access_token": "A1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "R1", "id_token": "e30.e30."})
	}))
	t.Cleanup(s.Close)
	return s, &secrets
}

// appleConnection has the members of connections as the vendor's API returns them;
// their keys there are made up, and not even of the right kind.
func appleConnection(t *testing.T, appSecret, tokenURL string) *upstream.Connection {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"id": "con_0000000000000001", "name": "apple", "strategy": "apple", "is_domain_connection": false,
		"enabled_clients": []string{}, "realms": []string{"apple"},
		"options": map[string]any{
			"client_id": "com.example.web", "app_secret": appSecret, "team_id": "TEAMID1234", "kid": "KEYID12345",
			"name": true, "email": true, "scope": "name email", "set_user_root_attributes": "on_each_login",
			"upstream_params":  map[string]any{"screen_name": map[string]string{"alias": "login_hint"}},
			"authorizationURL": "https://appleid.apple.com/auth/authorize", "tokenURL": tokenURL,
		},
	})
	require.NoError(t, err)
	conn, err := upstream.ParseConnection(text)
	require.NoError(t, err)
	return conn
}

func pemOf(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestF1Apple(t *testing.T) {
	key := ecKey(t, elliptic.P256())
	clock := time.Now()
	now := func() time.Time { return clock }
	server, secrets := appleServer(t, key.Public(), now)
	conn := appleConnection(t, pemOf(t, key), server.URL+"/auth/token")
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	_, err = p.TokenConfig(callback).Exchange(t.Context(), "c.0")
	require.Error(t, err, "without module fapi")
	assert.Empty(t, *secrets)

	c, err := fapi.New(conn, p, fapi.Options{})
	require.NoError(t, err)
	c.At(now)
	config := c.Provider().TokenConfig(callback)
	token, err := config.Exchange(t.Context(), "c.0")
	require.NoError(t, err)
	refresh := func() {
		t.Helper()
		_, err := config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		require.NoError(t, err)
	}
	refresh()
	require.Len(t, *secrets, 2)
	assert.Equal(t, (*secrets)[0], (*secrets)[1], "one secret serves while it is young")
	clock = clock.Add(56 * time.Minute)
	refresh()
	assert.NotEqual(t, (*secrets)[0], (*secrets)[2])
	clock = clock.Add(-2 * time.Hour) // the clock was wrong
	refresh()
	assert.NotEqual(t, (*secrets)[2], (*secrets)[3])

	// Each of Apple's checks counts.
	other, _ := appleServer(t, ecKey(t, elliptic.P256()).Public(), now)
	conn = appleConnection(t, pemOf(t, key), other.URL+"/auth/token")
	c = newClient(t, conn, fapi.Options{})
	_, err = c.Provider().TokenConfig(callback).Exchange(t.Context(), "c.0")
	require.Error(t, err)
}

func TestF1AppleKeyIsChecked(t *testing.T) {
	good := pemOf(t, ecKey(t, elliptic.P256()))
	for name, c := range map[string]struct{ secret, want string }{
		"no PEM":           {"SECRET", "PEM text"},
		"no key":           {"-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----", "PKCS #8"},
		"two keys":         {good + good, "PEM text"},
		"RSA, as recorded": {pemOf(t, rsaKey(t, 2048)), "P-256"},
		"another curve":    {pemOf(t, ecKey(t, elliptic.P384())), "P-256"},
	} {
		conn := appleConnection(t, c.secret, "https://appleid.apple.com/auth/token")
		p, err := upstream.NewProvider(conn)
		require.NoError(t, err, name)
		_, err = fapi.New(conn, p, fapi.Options{})
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), c.want, name)
		assert.NotContains(t, err.Error(), "SECRET")
		assert.NotContains(t, err.Error(), "BEGIN")
	}
	conn := appleConnection(t, strings.ReplaceAll(good, "\n", "\r\n")+"\r\n", "https://appleid.apple.com/auth/token")
	assert.NotNil(t, newClient(t, conn, fapi.Options{}))
	conn.Options.TeamID = ""
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	_, err = fapi.New(conn, p, fapi.Options{})
	require.Error(t, err, fmt.Sprint(p.Demands()))
}
