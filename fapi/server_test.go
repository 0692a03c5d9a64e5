package fapi_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/fapi"
)

// A server is an authorization server and a resource server that look at
// everything a FAPI 2.0 server has to look at, and say in words what was wrong.
// Its faults are switched on by tests.
type server struct {
	*httptest.Server
	jwks http.Handler // of the client

	clientID, secret string
	audience         string // "" for the issuer
	requireNonce     bool
	asNonce, rsNonce string // in force

	// answer, where set, may answer a request in the place of the server.
	answer func(w http.ResponseWriter, r *http.Request) bool
	// alg is what the client signs assertions and proofs with.
	alg, dpopAlg string
	expired      bool // its clock is an hour ahead

	mu       sync.Mutex
	jtis     map[string]bool
	pushed   map[string]url.Values
	codes    map[string]url.Values // code -> what was authorized
	tokens   map[string]string     // access and refresh token -> thumbprint
	requests []*http.Request       // with their form
	refused  []string              // what was wrong, in words
	number   int
}

const callback = "https://auth.example.com/callback"

func newServer(t testing.TB, jwks http.Handler) *server {
	t.Helper()
	s := &server{
		jwks: jwks, clientID: "client-1", alg: "ES256", dpopAlg: "ES256", asNonce: "as-nonce-1", rsNonce: "rs-nonce-1",
		jtis: map[string]bool{}, pushed: map[string]url.Values{}, codes: map[string]url.Values{}, tokens: map[string]string{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /par", s.par)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /me", s.me)
	mux.HandleFunc("POST /api", s.me)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		_ = r.ParseForm()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		if s.answer == nil || !s.answer(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) to(path string) (found []*http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.URL.Path == path {
			found = append(found, r)
		}
	}
	return found
}

func (s *server) next(prefix string) string {
	s.number++
	return fmt.Sprintf("%s-%d", prefix, s.number)
}

func (s *server) now() time.Time {
	if s.expired {
		return time.Now().Add(time.Hour)
	}
	return time.Now()
}

// fail answers with an OAuth error. The description holds what must be in no text of ours.
func (s *server) fail(w http.ResponseWriter, status int, code, reason string) {
	s.refused = append(s.refused, reason)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "SECRET-DESCRIPTION " + reason})
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *server) keys() *jose.JSONWebKeySet {
	w := httptest.NewRecorder()
	s.jwks.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	set := new(jose.JSONWebKeySet)
	_ = json.Unmarshal(w.Body.Bytes(), set)
	return set
}

// authenticate checks private_key_jwt, and gives what is wrong.
func (s *server) authenticate(r *http.Request) string {
	if r.PostForm.Get("client_id") != s.clientID || len(r.PostForm["client_assertion"]) != 1 || r.PostForm.Has("client_secret") ||
		r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return "no client assertion, or more than one method"
	}
	alg := jose.SignatureAlgorithm(s.alg)
	jws, err := jose.ParseSignedCompact(r.PostForm.Get("client_assertion"), []jose.SignatureAlgorithm{alg})
	if err != nil {
		return "assertion: not a JWS of " + s.alg
	}
	var claims struct {
		Iss, Sub string
		Aud      any
		Jti      string
		Exp, Iat int64
	}
	var payload []byte
	if s.secret != "" {
		payload, err = jws.Verify([]byte(s.secret))
	} else {
		found := s.keys().Key(jws.Signatures[0].Header.KeyID)
		if len(found) != 1 {
			return "assertion: unknown kid"
		}
		payload, err = jws.Verify(found[0])
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return "assertion: signature"
	}
	audience := s.audience
	if audience == "" {
		audience = s.URL
	}
	now := s.now().Unix()
	switch {
	case claims.Iss != s.clientID || claims.Sub != s.clientID:
		return "assertion: iss or sub"
	case claims.Aud != any(audience):
		return "assertion: aud"
	case claims.Exp <= now || claims.Exp > now+300 || claims.Iat > now+10:
		return "assertion: expired"
	case claims.Jti == "" || s.jtis[claims.Jti]:
		return "assertion: replayed jti"
	}
	s.jtis[claims.Jti] = true
	return ""
}

// proof checks a DPoP proof and gives the thumbprint of its key, or what is wrong.
func (s *server) proof(r *http.Request, token, nonce string) (thumbprint, wrong string) {
	if len(r.Header.Values("DPoP")) != 1 {
		return "", "proof: there is not one"
	}
	name := jose.SignatureAlgorithm(s.dpopAlg)
	jws, err := jose.ParseSignedCompact(r.Header.Get("DPoP"), []jose.SignatureAlgorithm{name})
	if err != nil {
		return "", "proof: not a JWS"
	}
	header := jws.Signatures[0].Protected
	key := header.JSONWebKey
	if header.ExtraHeaders["typ"] != "dpop+jwt" || key == nil || !key.IsPublic() {
		return "", "proof: typ or jwk"
	}
	payload, err := jws.Verify(key)
	claims := map[string]any{}
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return "", "proof: signature"
	}
	jti, _ := claims["jti"].(string)
	iat, _ := claims["iat"].(float64)
	age := s.now().Unix() - int64(iat)
	sum := sha256.Sum256([]byte(token))
	switch {
	case claims["htm"] != r.Method || claims["htu"] != s.URL+r.URL.Path:
		return "", "proof: htm or htu"
	case age > 60 || age < -5:
		return "", "proof: iat"
	case jti == "" || s.jtis[jti]:
		return "", "proof: replayed jti"
	case token != "" && claims["ath"] != base64.RawURLEncoding.EncodeToString(sum[:]):
		return "", "proof: ath"
	case token == "" && claims["ath"] != nil:
		return "", "proof: ath without a token"
	}
	s.jtis[jti] = true
	if s.requireNonce && claims["nonce"] != nonce {
		return "", "nonce"
	}
	print, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", "proof: key"
	}
	return base64.RawURLEncoding.EncodeToString(print), ""
}

func (s *server) par(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wrong := s.authenticate(r); wrong != "" {
		s.fail(w, http.StatusUnauthorized, "invalid_client", wrong)
		return
	}
	params := maps.Clone(r.PostForm)
	if object := params.Get("request"); object != "" {
		jws, err := jose.ParseSignedCompact(object, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(s.alg)})
		if err != nil {
			s.fail(w, http.StatusBadRequest, "invalid_request_object", "request object")
			return
		}
		payload, err := jws.Verify(s.keys().Key(jws.Signatures[0].Header.KeyID)[0])
		claims := map[string]any{}
		if err != nil || json.Unmarshal(payload, &claims) != nil || claims["aud"] != s.URL || claims["iss"] != s.clientID {
			s.fail(w, http.StatusBadRequest, "invalid_request_object", "request object's claims")
			return
		}
		for name, value := range claims {
			params.Set(name, fmt.Sprint(value))
		}
	}
	for _, name := range []string{"redirect_uri", "state", "code_challenge", "response_type"} {
		if params.Get(name) == "" {
			s.fail(w, http.StatusBadRequest, "invalid_request", "no "+name)
			return
		}
	}
	uri := s.next("urn:ietf:params:oauth:request_uri")
	s.pushed[uri] = params
	answerJSON(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": 60})
}

// authorize is what the browser and the user do: it gives the code.
func (s *server) authorize(t testing.TB, location string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := url.Parse(location)
	require.NoError(t, err)
	query := u.Query()
	require.Equal(t, s.URL+"/auth", u.Scheme+"://"+u.Host+u.Path)
	require.Equal(t, []string{"client_id", "request_uri"}, slices.Sorted(maps.Keys(query)), "the browser carries more")
	params, ok := s.pushed[query.Get("request_uri")]
	require.True(t, ok, "the request_uri was not given, or has been used")
	delete(s.pushed, query.Get("request_uri"))
	code := s.next("code")
	s.codes[code] = params
	return code
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wrong := s.authenticate(r); wrong != "" {
		s.fail(w, http.StatusUnauthorized, "invalid_client", wrong)
		return
	}
	w.Header().Set("DPoP-Nonce", s.asNonce)
	thumbprint, wrong := s.proof(r, "", s.asNonce)
	if wrong == "nonce" {
		s.fail(w, http.StatusBadRequest, "use_dpop_nonce", wrong)
		return
	} else if wrong != "" {
		s.fail(w, http.StatusBadRequest, "invalid_dpop_proof", wrong)
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		params := s.codes[r.PostForm.Get("code")]
		delete(s.codes, r.PostForm.Get("code")) // also one that fails has spent it
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if params == nil || params.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || params.Get("dpop_jkt") != thumbprint {
			s.fail(w, http.StatusBadRequest, "invalid_grant", "code, verifier or dpop_jkt")
			return
		}
	case "refresh_token":
		if s.tokens[r.PostForm.Get("refresh_token")] != thumbprint {
			s.fail(w, http.StatusBadRequest, "invalid_grant", "refresh token of another key")
			return
		}
	}
	access, refresh := s.next("access-secret"), s.next("refresh-secret")
	s.tokens[access], s.tokens[refresh] = thumbprint, thumbprint
	answerJSON(w, http.StatusOK, map[string]any{"access_token": access, "refresh_token": refresh, "token_type": "DPoP", "expires_in": 300})
}

func (s *server) me(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("DPoP-Nonce", s.rsNonce)
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	thumbprint, wrong := s.proof(r, token, s.rsNonce)
	switch {
	case wrong == "nonce":
		s.refused = append(s.refused, wrong)
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce", error_description="nonce"`)
		w.WriteHeader(http.StatusUnauthorized)
	case wrong != "" || scheme != "DPoP" || thumbprint == "" || s.tokens[token] != thumbprint:
		s.refused = append(s.refused, wrong)
		w.Header().Set("WWW-Authenticate", `DPoP error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodPost:
		_, _ = io.Copy(w, r.Body)
	default:
		answerJSON(w, http.StatusOK, map[string]any{"sub": "user-1", "email": "user-1@example.com"})
	}
}

// connection gives a connection to the server that asks for all of FAPI 2.0.
// Options given replace or, where nil, remove.
func (s *server) connection(t testing.TB, more map[string]any) *upstream.Connection {
	t.Helper()
	options := map[string]any{
		"client_id": s.clientID, "issuer": s.URL,
		"authorization_endpoint": s.URL + "/auth", "token_endpoint": s.URL + "/token", "userinfo_endpoint": s.URL + "/me",
		"scope": "openid email", "connection_settings": map[string]any{"pkce": "S256"},
		"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": s.alg,
		"dpop_signing_alg": s.dpopAlg, "require_pushed_authorization_requests": true,
		"oidc_metadata": s.metadata(nil),
	}
	switch s.alg {
	case "ES512", "PS512", "Ed25519", "EdDSA", "HS256": // not in the vendor's schema: the key says it
		delete(options, "token_endpoint_auth_signing_alg")
	}
	if s.dpopAlg == "EdDSA" { // a server that knows the older name alone
		options["dpop_signing_alg"] = "Ed25519"
		options["oidc_metadata"] = s.metadata(map[string]any{"dpop_signing_alg_values_supported": []string{"ES256", "EdDSA"}})
	}
	for name, value := range more {
		if options[name] = value; value == nil {
			delete(options, name)
		}
	}
	text, err := json.Marshal(map[string]any{"name": "bank", "strategy": "oidc", "options": options})
	require.NoError(t, err)
	conn, err := upstream.ParseConnection(text)
	require.NoError(t, err)
	return conn
}

func (s *server) metadata(more map[string]any) map[string]any {
	m := map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/auth", "token_endpoint": s.URL + "/token",
		"pushed_authorization_request_endpoint": s.URL + "/par",
	}
	maps.Copy(m, more)
	return m
}

func newClient(t testing.TB, conn *upstream.Connection, options fapi.Options) *fapi.Client {
	t.Helper()
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	c, err := fapi.New(conn, p, options)
	require.NoError(t, err)
	return c
}
