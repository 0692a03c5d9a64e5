package main

// This file owns the connections: a folder with one JSON file for each, read
// again while the server runs. It must not know of HTTP requests, logins or
// applications, but for the list of client ids in a connection.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

const (
	reloadEvery = time.Second
	maxFile     = 1 << 20 // bytes, as ParseConnection has it
	maxKeySet   = 1 << 20 // bytes of a jwks_uri's answer
)

// A connection is one that can be used. It never changes: a new version of its
// file makes a new one.
type connection struct {
	config   *upstream.Connection // for reading only
	provider *upstream.Provider
	keys     oidc.KeySet // checks ID tokens; nil if the IdP issues none
	loaded   time.Time
}

// enabledFor reports whether an application may log in with the connection.
func (c *connection) enabledFor(clientID string) bool {
	return c != nil && slices.Contains(c.config.EnabledClients, clientID)
}

// A file is the state of one file of the folder.
type file struct {
	name    string      // of the connection: the file's name without .json
	content []byte      // as read last
	good    *connection // the last version that could be used; nil if there was none
	fault   error       // what is wrong with content; nil if content is what good was made of
}

// Connections gives the connections of a folder. It is safe for concurrent use.
type Connections struct {
	folder string
	client *http.Client // for all that the server asks an IdP
	log    *slog.Logger
	now    func() time.Time
	files  atomic.Pointer[map[string]*file] // by name; neither map nor files are ever changed
	fault  string                           // with the folder; only Reload uses it
}

// OpenConnections reads the folder for the first time. A broken file is
// reported and does not keep the others from serving. The client is the one for
// everything that the connections' IdPs are asked.
func OpenConnections(folder string, client *http.Client, log *slog.Logger, now func() time.Time) (*Connections, error) {
	c := &Connections{folder: folder, client: client, log: log, now: now}
	c.files.Store(&map[string]*file{})
	return c, c.Reload()
}

// Watch reads the folder again and again until the context ends. Looking every
// second costs little, works on every file system, and needs no dependency.
func (c *Connections) Watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(reloadEvery):
			_ = c.Reload() // has been logged, and the next look may find it mended
		}
	}
}

// Get gives the connection that serves under a name, nil if none does.
func (c *Connections) Get(name string) *connection {
	if f := (*c.files.Load())[name]; f != nil {
		return f.good
	}
	return nil
}

// EnabledFor gives an application's connections, sorted by name.
func (c *Connections) EnabledFor(clientID string) (out []*connection) {
	for _, f := range c.all() {
		if f.good.enabledFor(clientID) {
			out = append(out, f.good)
		}
	}
	return out
}

// all gives all files, broken ones included, sorted by name.
func (c *Connections) all() (out []*file) {
	files := *c.files.Load()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out = append(out, files[name])
	}
	return out
}

// Reload reads the folder once. It must not be called by two goroutines at
// once. What has not changed keeps its connection, and with it the IdP's keys.
func (c *Connections) Reload() error {
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		// An unmounted folder is no wish to switch every login off.
		if c.fault != err.Error() {
			c.log.Error("the folder of the connections cannot be read; all stay as they are", "error", err)
		}
		c.fault = err.Error()
		return err
	}
	c.fault = ""
	before, after := *c.files.Load(), map[string]*file{}
	for _, entry := range entries {
		name, isJSON := strings.CutSuffix(entry.Name(), ".json")
		if !isJSON || name == "" || strings.HasPrefix(name, ".") || entry.IsDir() { // editors leave .x.json.swp and the like
			continue
		}
		after[name] = c.read(name, before[name])
	}
	for name := range before {
		if after[name] == nil {
			c.log.Info("connection removed", "connection", name)
		}
	}
	c.files.Store(&after)
	return nil
}

// read gives the state of a file, which is the one before if nothing changed.
func (c *Connections) read(name string, before *file) *file {
	content, err := readFile(filepath.Join(c.folder, name+".json"))
	if err == nil && before != nil && before.content != nil && bytes.Equal(content, before.content) {
		return before
	}
	f := &file{name: name, content: content, fault: err}
	if err == nil {
		f.good, f.fault = load(name, content, c.client, c.now())
	}
	if f.fault == nil {
		c.log.Info("connection loaded", "connection", name, "strategy", f.good.config.Strategy)
		return f
	}
	if before != nil {
		f.good = before.good
		if before.fault != nil && before.fault.Error() == f.fault.Error() {
			return f // has been reported
		}
	}
	attrs := []any{"connection", name, "last_good_version_serves", f.good != nil}
	for _, p := range problems(f.fault) {
		attrs = append(attrs, slog.Group("problem", "pointer", p.Pointer, "message", p.Message))
	}
	c.log.Error("connection cannot be used", attrs...)
	return f
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1)) // one more, for ParseConnection to refuse
	if err != nil {
		return nil, err
	}
	return content, nil
}

// load makes a connection out of a file's content.
func load(name string, content []byte, client *http.Client, now time.Time) (*connection, error) {
	config, err := upstream.ParseConnection(content)
	if err != nil {
		return nil, err
	}
	provider, err := upstream.NewProvider(config)
	if err != nil {
		return nil, err
	}
	o := &config.Options
	own := &upstream.ConfigError{Connection: config.Name}
	require := func(ok bool, pointer, message string) {
		if !ok {
			own.Problems = append(own.Problems, upstream.Problem{Pointer: pointer, Message: message})
		}
	}
	require(config.Name == name, "/name", fmt.Sprintf("must be %q, like the file", name))
	// A trial run finds what this server cannot do, OAuth 1.0a above all.
	target, err := provider.AuthorizationURL(nil, exampleTransaction("https://auth.example.com/login/callback/"+name))
	require(err == nil, "/strategy", "this server cannot begin its logins: it speaks OAuth 2.0 and OpenID Connect alone")
	require(!strings.Contains(target, "response_mode=form_post"), "/options",
		"response_mode form_post is not taken by this server: its cookie does not go with a POST from another site")
	if isOpenIDConnect(config.Strategy) {
		const why = "is missing; this server checks ID tokens with it"
		require(o.Issuer != "", "/options/issuer", why)
		require(o.JWKSURI != "", "/options/jwks_uri", why)
	}
	if isOpenIDConnect(config.Strategy) || config.Strategy == "oauth2" { // others have one of their own
		require(o.UserinfoEndpoint != "" || o.FetchUserProfile.Reveal() != "", "/options/userinfo_endpoint",
			"is missing, and so is scripts.fetchUserProfile; this server reads who the user is there")
	}
	// Whoever may write this folder may also write the program: such scripts run
	// in process. Those of strangers belong in fetchscript.Isolated.
	withScript, err := fetchscript.Attach(provider, config, nil)
	require(err == nil, "/options/scripts/fetchUserProfile", fmt.Sprint("cannot be compiled: ", err))
	if len(own.Problems) > 0 {
		return nil, own
	}
	c := &connection{config: config, provider: withScript, loaded: now}
	if o.Issuer != "" && o.JWKSURI != "" {
		c.keys = rp.NewRemoteKeySet(keySetClient(client), o.JWKSURI)
	}
	return c, nil
}

// isOpenIDConnect reports whether a strategy's token endpoint gives ID tokens,
// which have to be checked before anything is believed.
func isOpenIDConnect(strategy string) bool {
	return strategy == "oidc" || strategy == "okta" || strategy == "auth0-oidc" || strategy == "waad"
}

// problems takes any error of load apart, for the log and for the operator.
func problems(err error) []upstream.Problem {
	var config *upstream.ConfigError
	if errors.As(err, &config) {
		return config.Problems
	}
	return []upstream.Problem{{Message: strings.TrimPrefix(err.Error(), "upstream: ")}}
}

// keySetClient is for jwks_uri: the client for all else, but that it follows no
// redirect and reads no endless answer. A proxy, an authority of one's own, or a
// ban on private addresses must hold for the keys above all.
func keySetClient(client *http.Client) *http.Client {
	own := *client
	own.Transport = boundedTransport{client.Transport}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// boundedTransport ends a response body with an error at maxKeySet.
type boundedTransport struct{ next http.RoundTripper } // nil for the default, as http.Client has it

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxKeySet)
	return resp, nil
}
