package main

// This file owns the connections that serve: made of what a source has, and made
// again while the server runs. It must not know of HTTP requests or applications,
// nor where connections are kept; see source.go.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/upstream"
	"example.com/upstream/fapi"
	"example.com/upstream/fetchscript"
	"example.com/upstream/login"
	"golang.org/x/oauth2"
)

// A connection is one that can be used. It never changes but for its IdP's
// metadata: a new version of its text makes a new one.
type connection struct {
	config   *upstream.Connection // for reading only
	login    *login.Login
	provider atomic.Pointer[upstream.Provider] // with everything attached; nil until the first metadata
	warnings []upstream.Problem
	loaded   time.Time
}

// enabledFor reports whether an application may log in with the connection.
func (c *connection) enabledFor(clientID string) bool {
	return c != nil && slices.Contains(c.config.EnabledClients, clientID)
}

// explain says what would become of a request, with the metadata of now.
func (c *connection) explain(ctx context.Context, req *upstream.AuthorizeRequest, tx upstream.Transaction) (upstream.Explanation, error) {
	if c.provider.Load() == nil {
		if _, err := c.login.Metadata(ctx); err != nil {
			return upstream.Explanation{}, err
		}
	}
	return c.provider.Load().Explain(req, tx)
}

// An entry is the state of one connection of the source.
type entry struct {
	name    string
	content []byte      // as read last
	keys    *keyring    // that good was made with
	good    *connection // the last version that could be used; nil if there was none
	fault   error       // what is wrong with content; nil if content is what good was made of
}

// connections are those of one moment.
type connections struct {
	entries map[string]*entry
	routing *login.Routing
}

func (c *connections) get(name string) *connection {
	if e := c.entries[name]; e != nil {
		return e.good
	}
	return nil
}

// all gives all entries, broken ones included, sorted by name.
func (c *connections) all() (out []*entry) {
	for _, name := range slices.Sorted(maps.Keys(c.entries)) {
		out = append(out, c.entries[name])
	}
	return out
}

// Connections keeps the connections of a source. It is safe for concurrent use.
type Connections struct {
	source Source
	client *http.Client // for all that the server asks an IdP
	issuer string       // this server's
	store  login.Store
	keys   *atomic.Pointer[keyring]
	signer *fapi.KeySet // this server's, as a client of IdPs
	log    *slog.Logger
	now    func() time.Time

	set     atomic.Pointer[connections] // which never changes
	reading sync.Mutex
	fault   string // with the source
}

func (c *Connections) current() *connections { return c.set.Load() }

// Reload reads the source once. A broken connection is reported, and does not keep
// the others from serving. What has not changed stays as it is, with its IdP's
// keys and metadata.
func (c *Connections) Reload(ctx context.Context) error {
	c.reading.Lock()
	defer c.reading.Unlock()
	contents, err := c.source.read(ctx)
	if err != nil {
		// An unmounted folder, or a database that is down, is no wish to switch
		// every login off.
		if c.fault != err.Error() {
			c.log.Error("the connections cannot be read; all stay as they are", "error", err)
		}
		c.fault = err.Error()
		return err
	}
	c.fault = ""
	before, after := c.current(), &connections{entries: map[string]*entry{}}
	if before == nil {
		before = &connections{}
	}
	var serving []*upstream.Connection
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		e := c.renew(name, contents[name], before.entries[name])
		if after.entries[name] = e; e.good != nil {
			serving = append(serving, e.good.config)
		}
	}
	for name := range before.entries {
		if after.entries[name] == nil {
			c.log.Info("connection removed", "connection", name)
		}
	}
	if after.routing, err = login.NewRouting(serving); err != nil {
		c.log.Error("the connections as a whole cannot be used; all stay as they are", "error", err)
		if before.entries != nil {
			return err
		}
		after.routing, _ = login.NewRouting(nil) // nobody can log in until it is mended
	}
	c.set.Store(after)
	return nil
}

// renew gives the state of a connection, which is the one before if nothing changed.
func (c *Connections) renew(name string, now content, before *entry) *entry {
	keys := c.keys.Load()
	if now.err == nil && before != nil && before.content != nil && before.keys == keys && bytes.Equal(now.text, before.content) {
		return before
	}
	e := &entry{name: name, content: now.text, keys: keys, fault: now.err}
	if e.fault == nil {
		e.good, e.fault = c.load(name, now.text, keys)
	}
	if e.fault == nil {
		if before == nil || !bytes.Equal(now.text, before.content) {
			c.log.Info("connection loaded", "connection", name, "strategy", e.good.config.Strategy)
			c.tell(slog.LevelWarn, "connection has something without effect", name, e.good.warnings)
		}
		return e
	}
	if before != nil {
		e.good = before.good
		if before.fault != nil && before.fault.Error() == e.fault.Error() {
			return e // has been reported
		}
	}
	c.tell(slog.LevelError, "connection cannot be used", name, problems(e.fault), "last_good_version_serves", e.good != nil)
	return e
}

func (c *Connections) tell(level slog.Level, message, name string, all []upstream.Problem, attrs ...any) {
	if len(all) == 0 {
		return
	}
	attrs = append([]any{"connection", name}, attrs...)
	for _, p := range all {
		attrs = append(attrs, slog.Group("problem", "pointer", p.Pointer, "message", p.Message))
	}
	c.log.Log(context.Background(), level, message, attrs...)
}

// load makes a connection out of a text.
func (c *Connections) load(name string, text []byte, keys *keyring) (*connection, error) {
	config, err := upstream.ParseConnection(text)
	if err != nil {
		return nil, err
	}
	if config.Name != name {
		return nil, problem(config.Name, "/name", fmt.Sprintf("must be %q, under which it is kept", name))
	}
	if config.EnabledClients == nil {
		config.EnabledClients = []string{} // nobody, not everybody
	}
	own := &connection{config: config, warnings: config.Warnings(), loaded: c.now()}
	sealing := make([]upstream.Secret, len(keys.cookies))
	for i, key := range keys.cookies {
		sealing[i] = upstream.NewSecret(string(key))
	}
	own.login, err = login.New(config, login.Options{
		RedirectURI: c.issuer + callbackPath(name), Keys: sealing, Store: c.store, Skew: skew,
		Attach:     c.attach,
		OnMetadata: c.metadata,
		Extend: func(conn *upstream.Connection, p *upstream.Provider) (login.Extension, error) {
			extension, err := fapi.New(conn, p, fapi.Options{Keys: c.signer})
			if err != nil {
				return nil, err
			}
			own.provider.Store(extension.Provider())
			return extension, nil
		},
	})
	if err != nil {
		return nil, err
	}
	if p := own.provider.Load(); p != nil && !p.OpenIDConnect() && !p.HasProfile() {
		return nil, problem(name, "/options/userinfo_endpoint", "is missing, and so is scripts.fetchUserProfile; this server reads who the user is there")
	}
	return own, nil
}

// attach adds the connection's own script. Whoever may write connections may also
// write the program: such scripts run in process. Those of strangers belong in
// fetchscript.Isolated.
func (c *Connections) attach(p *upstream.Provider, conn *upstream.Connection) (*upstream.Provider, error) {
	scripted, err := fetchscript.Attach(p, conn, nil)
	if err != nil {
		return nil, problem(conn.Name, "/options/scripts/fetchUserProfile", "cannot be compiled: "+err.Error())
	}
	return scripted, nil
}

func problem(connection, pointer, message string) error {
	return &upstream.ConfigError{Connection: connection, Problems: []upstream.Problem{{Pointer: pointer, Message: message}}}
}

// metadata logs what somebody should know of an IdP's metadata.
func (c *Connections) metadata(e login.MetadataEvent) {
	attrs := []any{"connection", e.Connection, "kind", string(e.Kind)}
	for _, change := range e.Changes {
		attrs = append(attrs, slog.Group("change", "member", change.Member, "old", change.Old, "new", change.New))
	}
	if e.Err != nil {
		attrs = append(attrs, "error", e.Err)
	}
	level := slog.LevelInfo
	if e.Kind == login.MetadataDrift || e.Kind == login.MetadataUnavailable {
		level = slog.LevelWarn
	}
	c.log.Log(context.Background(), level, "metadata", attrs...)
}

// problems takes any error of load apart, for the log and for the operator.
func problems(err error) []upstream.Problem {
	var config *upstream.ConfigError
	if errors.As(err, &config) {
		return config.Problems
	}
	if e := (*login.Error)(nil); errors.As(err, &e) {
		return []upstream.Problem{{Message: e.Reason}}
	}
	return []upstream.Problem{{Message: strings.TrimPrefix(err.Error(), "upstream: ")}}
}

// upstreamContext makes all requests to an IdP use one HTTP client.
func (s *Server) upstreamContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, s.Client)
}
