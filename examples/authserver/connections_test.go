package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login"
	"example.com/upstream/login/sqlstore"
)

const goodFile = `{
  "name": "new", "strategy": "oauth2", "display_name": "New", "enabled_clients": ["sample-app"],
  "options": {
    "client_id": "c", "client_secret": "planted-secret", "scope": "a",
    "authorizationURL": "https://idp.example/authorize", "tokenURL": "https://idp.example/token", "userinfo_endpoint": "https://idp.example/userinfo"
  }
}`

// folder gives connections over a folder of the test's own.
func folder(t *testing.T) (c *Connections, dir string, write func(name, content string), logs *buffer) {
	dir, logs = t.TempDir(), &buffer{}
	store, err := sqlstore.Open(t.Context(), ":memory:", nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	s, err := NewServer(t.Context(), Config{
		Issuer: "https://auth.example.com", Store: store, Source: Folder(dir), Client: http.DefaultClient, Log: newLogger(logs), Now: time.Now,
	})
	require.NoError(t, err)
	return s.Connections, dir, func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		require.NoError(t, s.Connections.Reload(t.Context()))
	}, logs
}

// get gives the connection that serves under a name, nil if none does.
func (c *Connections) get(name string) *connection { return c.current().get(name) }

// choices gives the names of an application's connections.
func (c *Connections) choices(clientID string) []string {
	route, err := c.current().routing.Route(login.RouteRequest{ClientID: clientID})
	if err != nil {
		return nil
	}
	return route.Choices
}

func TestReload(t *testing.T) {
	c, dir, write, logs := folder(t)
	assert.Nil(t, c.get("new"))

	write("new.json", goodFile)
	first := c.get("new")
	require.NotNil(t, first)
	assert.Equal(t, []string{"new"}, c.choices("sample-app"))
	assert.Empty(t, c.choices("another"))

	require.NoError(t, c.Reload(t.Context()))
	assert.Same(t, first, c.get("new"), "what has not changed is not made anew")
	assert.Equal(t, 1, strings.Count(logs.String(), "connection loaded"))

	write("new.json", strings.Replace(goodFile, `"New"`, `"Newer"`, 1))
	assert.Equal(t, "Newer", c.get("new").config.DisplayName)

	require.NoError(t, os.Remove(filepath.Join(dir, "new.json")))
	require.NoError(t, c.Reload(t.Context()))
	assert.Nil(t, c.get("new"))
	assert.Contains(t, logs.String(), `msg="connection removed" connection=new`)
}

// A broken file keeps the last good version serving, and is reported once,
// with pointers and without secrets.
func TestReload_Broken(t *testing.T) {
	for name, test := range map[string]struct{ content, pointer, message string }{
		"half written":        {goodFile[:len(goodFile)/2], "pointer=/options", "cannot be read"},
		"empty":               {"", `pointer=""`, "cannot be read"},
		"misspelt alias":      {strings.Replace(goodFile, `"scope": "a",`, `"upstream_params": {"x": {"alias": "loginhint"}},`, 1), "pointer=/options/upstream_params/x/alias", "did you mean login_hint?"},
		"other name":          {strings.Replace(goodFile, `"new"`, `"old"`, 1), "pointer=/name", "must be"},
		"no OAuth 2.0":        {`{"name": "new", "strategy": "oauth1", "options": {"client_id": "c", "client_secret": "planted-secret", "requestTokenURL": "https://idp.example/r", "accessTokenURL": "https://idp.example/a", "userAuthorizationURL": "https://idp.example/u"}}`, `pointer=""`, "OAuth 1.0a"},
		"SAML":                {strings.Replace(goodFile, `"oauth2"`, `"samlp"`, 1), `pointer=""`, "SAML"},
		"no keys":             {strings.Replace(goodFile, `"oauth2"`, `"oidc"`, 1), `pointer=""`, "cannot be verified"},
		"no userinfo":         {strings.Replace(goodFile, `, "userinfo_endpoint": "https://idp.example/userinfo"`, "", 1), "pointer=/options/userinfo_endpoint", "reads who the user is"},
		"broken script":       {strings.Replace(goodFile, `"userinfo_endpoint": "https://idp.example/userinfo"`, `"scripts": {"fetchUserProfile": "function ("}`, 1), "pointer=/options/scripts/fetchUserProfile", "cannot be compiled"},
		"longer than allowed": {goodFile + strings.Repeat(" ", maxFile), `pointer=""`, "longer than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, write, logs := folder(t)
			write("new.json", goodFile)
			first := c.get("new")
			write("new.json", test.content)
			require.NoError(t, c.Reload(t.Context()))
			assert.Same(t, first, c.get("new"))
			assert.Equal(t, 1, strings.Count(logs.String(), "connection cannot be used"), "reported once")
			assert.Contains(t, logs.String(), "last_good_version_serves=true")
			assert.Contains(t, logs.String(), test.pointer)
			assert.Contains(t, logs.String(), test.message)
			assert.NotContains(t, logs.String(), "planted")

			write("new.json", strings.Replace(goodFile, `"New"`, `"Mended"`, 1))
			assert.Equal(t, "Mended", c.get("new").config.DisplayName)
			assert.Nil(t, c.current().all()[0].fault)

			c, _, write, logs = folder(t)
			write("new.json", test.content)
			assert.Nil(t, c.get("new"), "there is no good version")
			assert.Contains(t, logs.String(), "last_good_version_serves=false")
			assert.Empty(t, c.choices("sample-app"))
		})
	}
}

func TestReload_Folder(t *testing.T) {
	c, dir, write, logs := folder(t)
	write("new.json", goodFile)
	for _, other := range []string{"README.md", ".new.json", "new.json.swp", ".json"} {
		write(other, "{")
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir.json"), 0o700))
	require.NoError(t, c.Reload(t.Context()))
	assert.Len(t, c.current().all(), 1)
	assert.NotContains(t, logs.String(), "cannot be used")

	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link.json")))
	require.NoError(t, c.Reload(t.Context()))
	require.NoError(t, c.Reload(t.Context()))
	assert.Equal(t, 1, strings.Count(logs.String(), "connection cannot be used"), "a file that cannot be read is reported once")

	gone := dir + "-gone"
	require.NoError(t, os.Rename(dir, gone))
	assert.Error(t, c.Reload(t.Context()))
	assert.Error(t, c.Reload(t.Context()))
	assert.NotNil(t, c.get("new"), "a folder that is away switches no login off")
	assert.Equal(t, 1, strings.Count(logs.String(), "the connections cannot be read"))
	require.NoError(t, os.Rename(gone, dir))
	assert.NoError(t, c.Reload(t.Context()))
}

// The server itself looks again, without a restart.
func TestWatch(t *testing.T) {
	c, dir, _, _ := folder(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { c.source.watch(ctx, c.Reload); close(ended) }()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new.json"), []byte(goodFile), 0o600))
	assert.Eventually(t, func() bool { return c.get("new") != nil }, 10*reloadEvery, 20*time.Millisecond)
	stop()
	<-ended
}

// A change counts for the next login, through the whole server.
func TestReload_Login(t *testing.T) {
	s := newStack(t)
	s.edit("partner.json", `"ui_locales": "de"`, `"ui_locales": "fr"`)
	v := s.visitor()
	assert.Contains(t, v.follow(v.toCallback("partner")).body, "oauth2|partner|id1")
	assert.Equal(t, "fr", s.at("/authorize")[0].query.Get("ui_locales"))

	s.edit("partner.json", `"ui_locales": "fr"`, `"ui_locales": 7`)
	v = s.visitor()
	assert.Contains(t, v.follow(v.toCallback("partner")).body, "oauth2|partner|id1")
	assert.Equal(t, "fr", s.at("/authorize")[1].query.Get("ui_locales"), "the last good version")
}

// Whatever the server asks an IdP, it asks with the client that it was given.
func TestOneClient(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	v.follow(v.toCallback("corporate"))
	for _, path := range []string{"/oauth/token", "/keys", "/userinfo"} {
		assert.NotEmpty(t, s.at(path), path)
		assert.Equal(t, len(s.at(path)), s.asked.count(path), path)
	}
}
