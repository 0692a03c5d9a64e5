package integration

// Two authorization servers that take the client's credentials in one place
// only, and not in the same.

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	formoauth "github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	"github.com/go-oauth2/oauth2/v4/server"
	"github.com/go-oauth2/oauth2/v4/store"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

// newFormServer is go-oauth2, which looks for credentials in the form alone.
func newFormServer(t *testing.T) *site {
	t.Helper()
	manager := manage.NewDefaultManager()
	manager.MustTokenStorage(store.NewMemoryTokenStore())
	clients := store.NewClientStore()
	require.NoError(t, clients.Set(clientID, &models.Client{ID: clientID, Secret: clientSecret, Domain: "https://auth.example.com"}))
	manager.MapClientStorage(clients)
	config := server.NewConfig()
	config.AllowedCodeChallengeMethods = []formoauth.CodeChallengeMethod{formoauth.CodeChallengeS256}
	srv := server.NewServer(config, manager)
	srv.SetClientInfoHandler(server.ClientFormHandler)
	srv.SetUserAuthorizationHandler(func(http.ResponseWriter, *http.Request) (string, error) { return "user-1", nil })

	mux := http.NewServeMux()
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		if err := srv.HandleAuthorizeRequest(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if err := srv.HandleTokenRequest(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return newSite(t, func(string) http.Handler { return mux })
}

// newBasicServer is fosite with a client registered for client_secret_basic.
func newBasicServer(t *testing.T) *site {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(clientSecret), bcrypt.MinCost)
	require.NoError(t, err)
	memory := storage.NewMemoryStore()
	memory.Clients[clientID] = &fosite.DefaultOpenIDConnectClient{
		DefaultClient: &fosite.DefaultClient{
			ID: clientID, Secret: hash, RedirectURIs: []string{callback}, ResponseTypes: []string{"code"},
			GrantTypes: []string{"authorization_code", "refresh_token"}, Scopes: []string{"profile", "offline"},
		},
		TokenEndpointAuthMethod: "client_secret_basic",
	}
	config := &fosite.Config{GlobalSecret: []byte("32 bytes that nobody may know...")}
	srv := compose.Compose(config, memory, compose.NewOAuth2HMACStrategy(config),
		compose.OAuth2AuthorizeExplicitFactory, compose.OAuth2RefreshTokenGrantFactory, compose.OAuth2PKCEFactory)

	mux := http.NewServeMux()
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		ask, err := srv.NewAuthorizeRequest(r.Context(), r)
		if err != nil {
			srv.WriteAuthorizeError(r.Context(), w, ask, err)
			return
		}
		for _, scope := range ask.GetRequestedScopes() {
			ask.GrantScope(scope)
		}
		answer, err := srv.NewAuthorizeResponse(r.Context(), ask, &fosite.DefaultSession{Subject: "user-1"})
		if err != nil {
			srv.WriteAuthorizeError(r.Context(), w, ask, err)
			return
		}
		srv.WriteAuthorizeResponse(r.Context(), w, ask, answer)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		ask, err := srv.NewAccessRequest(r.Context(), r, &fosite.DefaultSession{})
		if err != nil {
			srv.WriteAccessError(r.Context(), w, ask, err)
			return
		}
		answer, err := srv.NewAccessResponse(r.Context(), ask)
		if err != nil {
			srv.WriteAccessError(r.Context(), w, ask, err)
			return
		}
		srv.WriteAccessResponse(r.Context(), w, ask, answer)
	})
	return newSite(t, func(string) http.Handler { return mux })
}

// connect gives a custom connection to a server of this file.
func connect(t *testing.T, s *site, method string) *upstream.Provider {
	t.Helper()
	options := map[string]any{
		"client_id": clientID, "client_secret": clientSecret, "scope": "profile offline", "pkce_enabled": true,
		"authorizationURL": s.URL + "/authorize", "tokenURL": s.URL + "/token",
	}
	if method != "" {
		options["token_endpoint_auth_method"] = method
	}
	return newProvider(t, "custom", "oauth2", options)
}

// login brings the code to the callback; these servers ask the user nothing.
func login(t *testing.T, p *upstream.Provider) (code string, verifier oauth2.AuthCodeOption) {
	t.Helper()
	tx := newTransaction()
	code = newBrowser(t).visit(t, authorizationURL(t, p, nil, tx)).code(t, tx)
	return code, oauth2.VerifierOption(tx.CodeVerifier.Reveal())
}

func TestH5TheRightMethodIsChosen(t *testing.T) {
	for _, test := range []struct {
		name   string
		start  func(*testing.T) *site
		method string
		works  bool
	}{
		{"form only, by default", newFormServer, "", true},
		{"form only, post", newFormServer, "client_secret_post", true},
		{"form only, basic", newFormServer, "client_secret_basic", false},
		{"form only, none", newFormServer, "none", false},
		{"basic only, by default", newBasicServer, "", false},
		{"basic only, post", newBasicServer, "client_secret_post", false},
		{"basic only, basic", newBasicServer, "client_secret_basic", true},
		{"basic only, none", newBasicServer, "none", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.start(t)
			p := connect(t, s, test.method)
			config := p.TokenConfig(callback)
			code, verifier := login(t, p)
			token, err := config.Exchange(t.Context(), code, verifier)

			calls := s.seen("/token")
			require.Len(t, calls, 1, "the code is sent once")
			assert.Equal(t, code, calls[0].Form.Get("code"))
			assertAuthentication(t, test.method, calls[0])
			if !test.works {
				assertRefused(t, err, http.StatusUnauthorized, "invalid_client")
				return
			}
			require.NoError(t, err)

			// A refresh authenticates in the same way, and as few times.
			token.Expiry = time.Now().Add(-time.Hour)
			fresh, err := config.TokenSource(t.Context(), token).Token()
			require.NoError(t, err)
			assert.NotEqual(t, token.AccessToken, fresh.AccessToken)
			calls = s.seen("/token")
			require.Len(t, calls, 2)
			assertAuthentication(t, test.method, calls[1])
		})
	}
}

// assertAuthentication says where a token request has the client's secret.
func assertAuthentication(t *testing.T, method string, c call) {
	t.Helper()
	user, password, basic := (&http.Request{Header: c.Header}).BasicAuth()
	assert.Equal(t, method == "client_secret_basic", basic)
	if basic {
		assert.Equal(t, []string{clientID, url.QueryEscape(clientSecret)}, []string{user, password})
	}
	inForm := method == "" || method == "client_secret_post"
	assert.Equal(t, inForm, c.Form.Get("client_secret") == clientSecret)
	assert.Equal(t, inForm, c.Form.Has("client_secret"))
}

// What H5 keeps away: oauth2 by itself tries both places, and the code goes out
// twice.
func TestH5AGuessSendsTheCodeTwice(t *testing.T) {
	s := newFormServer(t)
	p := connect(t, s, "")
	guessing := oauth2.Config{
		ClientID: clientID, ClientSecret: clientSecret, RedirectURL: callback, Endpoint: oauth2.Endpoint{TokenURL: s.URL + "/token"},
	}
	code, verifier := login(t, p)
	_, err := guessing.Exchange(t.Context(), code, verifier)
	require.NoError(t, err)
	assert.Len(t, s.seen("/token"), 2)

	// The same oauth2.Config, in ours.
	config, err := upstream.NewTokenConfig(guessing, nil)
	require.NoError(t, err)
	code, verifier = login(t, p)
	_, err = config.Exchange(t.Context(), code, verifier)
	require.NoError(t, err)
	assert.Len(t, s.seen("/token"), 3)
}
