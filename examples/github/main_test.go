package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func Example() {
	_ = run(os.Stdout, func() string { return "of-the-auth-server" })
	// Output:
	// GET /authorize?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback&scope=openid&state=of-the-application&connection=github&login_hint=octocat
	// 302 Found
	// Location: https://github.com/login/oauth/authorize?allow_signup=false&client_id=Iv1.0000000000000001&login=octocat&redirect_uri=https%3A%2F%2Fauth.example.com%2Flogin%2Fcallback&response_type=code&scope=read%3Auser+user%3Aemail&state=of-the-auth-server
	//
	// GET /authorize?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback&scope=openid&state=of-the-application&connection=github&login_hint=octocat&login_hint=hubot
	// 302 Found
	// Location: https://app.example.com/callback?error=invalid_request&error_description=parameter+login_hint+is+given+more+than+once&state=of-the-application
	//
	// GET /authorize?response_type=code&client_id=app&redirect_uri=https://elsewhere.example/
	// 400 Bad Request
	// unknown client_id or redirect_uri
}

func newServer(t *testing.T, state string) *server {
	conn, err := upstream.ParseConnection(file)
	require.NoError(t, err)
	provider, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	return &server{
		applications: map[string]string{"app": "https://app.example.com/callback", "other": "https://other.example.com/callback"},
		connections:  map[string]connection{"github": {provider, conn.EnabledClients}},
		newState:     func() string { return state },
		logins:       map[string]login{},
	}
}

const good = "/authorize?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback&state=a&connection=github"

// The host keeps the application's request under its own state, in the
// browser's cookie as well, and the application's state does not travel on.
func TestAuthorize_T2(t *testing.T) {
	s := newServer(t, "own")
	w := httptest.NewRecorder()
	s.authorize(w, httptest.NewRequest(http.MethodGet, good, nil))
	to, err := url.Parse(w.Header().Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, []string{"own"}, to.Query()["state"])
	require.Contains(t, s.logins, "own")
	assert.Equal(t, "a", s.logins["own"].request.State)
	assert.Equal(t, "login-own=own; Path=/login/callback; Max-Age=600; HttpOnly; Secure; SameSite=Lax", w.Header().Get("Set-Cookie"))
}

// A second tab leaves the first one's login and cookie alone, and what nobody
// came back for is forgotten.
func TestAuthorize_TwoTabs(t *testing.T) {
	s := newServer(t, "first")
	s.logins["old"] = login{begun: time.Now().Add(-lifetime - time.Second)}
	names := map[string]bool{}
	for _, state := range []string{"first", "second"} {
		s.newState = func() string { return state }
		w := httptest.NewRecorder()
		s.authorize(w, httptest.NewRequest(http.MethodGet, good, nil))
		require.Len(t, w.Result().Cookies(), 1)
		names[w.Result().Cookies()[0].Name] = true
	}
	assert.Len(t, names, 2)
	assert.ElementsMatch(t, []string{"first", "second"}, slices.Collect(maps.Keys(s.logins)))
}

func TestAuthorizeRefusals_R7(t *testing.T) {
	const back = "https://app.example.com/callback?"
	for _, test := range []struct {
		name, target, state string
		code                int
		location            string
	}{
		{"doubled parameter", good + "&prompt=a&prompt=b", "own", 302, back + "error=invalid_request&error_description=parameter+prompt+is+given+more+than+once&state=a"},
		{"doubled redirect URI leads to the registered one", good + "&redirect_uri=https://evil.example/", "own", 302, back + "error=invalid_request&error_description=parameter+redirect_uri+is+given+more+than+once&state=a"},
		{"unknown connection", strings.Replace(good, "=github", "=x", 1), "own", 302, back + "error=invalid_request&error_description=unknown+connection&state=a"},
		{"connection of other applications", strings.ReplaceAll(good, "app", "other"), "own", 302, "https://other.example.com/callback?error=invalid_request&error_description=unknown+connection&state=a"},
		{"no response type", strings.Replace(good, "response_type=code&", "", 1), "own", 302, back + "error=unsupported_response_type&error_description=response_type+must+be+code&state=a"},
		{"another response type", strings.Replace(good, "=code", "=token", 1), "own", 302, back + "error=unsupported_response_type&error_description=response_type+must+be+code&state=a"},
		{"no state of its own", good, "", 302, back + "error=server_error&error_description=the+login+cannot+begin&state=a"},
		{"unknown application", "/authorize?client_id=b&redirect_uri=https://app.example.com/callback", "own", 400, ""},
		{"neither application nor redirect URI", "/authorize", "own", 400, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, test.state)
			w := httptest.NewRecorder()
			s.authorize(w, httptest.NewRequest(http.MethodGet, test.target, nil))
			assert.Equal(t, test.code, w.Code)
			assert.Equal(t, test.location, w.Header().Get("Location"))
			assert.Empty(t, s.logins)
			assert.Empty(t, w.Header().Get("Set-Cookie"))
		})
	}
}
