// Authserver is an auth server as its users run them: an OpenID provider built
// on github.com/zitadel/oidc/v3, which uses the upstream library to log users in
// at other identity providers.
//
// The program starts three servers on loopback: the auth server, an identity
// provider for it to log users in at, and a sample application to log in to.
// It prints the address to open. See README.md.
package main

// This file owns the command: flags, listeners, and what is given to whom. It
// must not know what the servers do.

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"example.com/upstream/fetchscript"
	"example.com/upstream/login/sqlstore"
)

// The demonstration's secrets, which its connection files and its IdP share.
const (
	idpClientSecret = "example-client-secret"
	idpPartnerKey   = "example-partner-key"
)

const (
	upstreamTimeout = 15 * time.Second // for each request to an IdP
	drainTimeout    = 20 * time.Second // for the requests under way when the server is told to end
)

type options struct {
	auth, operator, idp, app string // addresses to listen on
	connections              string // folder, "" for the database
	imported                 string // folder to save in the database, "" for none
	database                 string
}

func main() {
	var o options
	flag.StringVar(&o.auth, "auth", "127.0.0.1:8080", "`address` of the auth server")
	flag.StringVar(&o.operator, "operator", "127.0.0.1:8083", "`address` of the auth server's pages for its operator")
	flag.StringVar(&o.idp, "idp", "localhost:8081", "`address` of the identity provider, which the connection files name, too; empty to start none, and to connect to public addresses alone")
	flag.StringVar(&o.app, "app", "localhost:8082", "`address` of the sample application")
	flag.StringVar(&o.connections, "connections", "connections", "`folder` of the connections, one JSON file each; empty for those in the database")
	flag.StringVar(&o.imported, "import", "", "`folder` of connections to save in the database first")
	flag.StringVar(&o.database, "database", "authserver.db", "`file` of SQLite, or postgres://... for several replicas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "authserver:", err)
		os.Exit(1)
	}
}

// run serves until the context ends. It says where on out, and logs on logs.
func run(ctx context.Context, o options, out, logs io.Writer) error {
	slog.SetDefault(newLibraryLogger(logs))
	log := newLogger(logs)
	store, err := sqlstore.Open(ctx, o.database, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	source, err := openSource(ctx, o, store)
	if err != nil {
		return err
	}
	issuer, appAddress := "http://"+o.auth, "http://"+o.app
	application := Client{
		ID: "sample-app", Name: "Sample application", Home: appAddress + "/", Secret: rand.Text(), RedirectURIs: []string{appAddress + "/callback"},
	}
	server, err := NewServer(ctx, Config{
		Issuer: issuer, Store: store, Clients: []Client{application}, Source: source, Log: log, Now: time.Now,
		Client: upstreamClient(o.idp),
	})
	if err != nil {
		return err
	}
	if o.idp != "" {
		tellElsewhere(out, server.Connections, o.idp)
	}
	var names, callbacks []string
	for _, e := range server.Connections.current().all() {
		names, callbacks = append(names, e.name), append(callbacks, issuer+callbackPath(e.name))
	}
	app := NewApp(appAddress, issuer, application, names)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { server.Run(ctx) })
	failed := make(chan error, 4)
	type served struct {
		address string
		handler http.Handler
	}
	servers := []served{{o.auth, server.Handler()}, {o.operator, server.Operator(o.operator)}, {o.app, app.Handler()}}
	if o.idp != "" {
		idp := NewIdP("http://"+o.idp, idpPartnerKey, []IdPClient{{ID: "auth-server", Secret: idpClientSecret, Callbacks: callbacks}})
		servers = append([]served{{o.idp, idp}}, servers...)
	}
	for _, s := range servers {
		end, err := serve(s.address, s.handler, log, failed)
		if err != nil {
			return err
		}
		defer end() // the application first, the IdP last: each may need those before it
	}
	fmt.Fprintf(out, "open %s/ and log in as test-user@localhost with the password verysecure\n", appAddress)
	fmt.Fprintf(out, "the operator's pages are at http://%s/connections\n", o.operator)
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// upstreamClient gives the client for all that is asked of identity providers.
// Theirs are public addresses: a connection must not lead into the network that the
// server stands in. The program's own is on loopback.
func upstreamClient(idp string) *http.Client {
	if idp == "" {
		return fetchscript.PublicOnly()
	}
	return &http.Client{Timeout: upstreamTimeout}
}

// openSource says where the connections are.
func openSource(ctx context.Context, o options, store *sqlstore.Store) (Source, error) {
	database := Database{store}
	if o.imported != "" {
		if err := database.Import(ctx, o.imported, "import"); err != nil {
			return nil, err
		}
	}
	if o.connections == "" {
		return database, nil
	}
	return Folder(o.connections), nil
}

// tellElsewhere names the connections that do not lead to the identity provider
// that the program has started: their logins go elsewhere, or nowhere.
func tellElsewhere(out io.Writer, connections *Connections, idp string) {
	for _, e := range connections.current().all() {
		if !bytes.Contains(e.content, []byte("http://"+idp)) {
			fmt.Fprintf(out, "connection %s does not name http://%s, where this program's identity provider is: edit its endpoints, or leave -idp out\n", e.name, idp)
		}
	}
}

// serve answers requests until end is called, which lets those under way end.
func serve(address string, handler http.Handler, log *slog.Logger, failed chan<- error) (end func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := newHTTPServer(handler, log)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	return func() {
		ctx, stop := context.WithTimeout(context.Background(), drainTimeout)
		defer stop()
		if err := server.Shutdown(ctx); err != nil {
			log.Warn("requests were cut off", "address", address)
			_ = server.Close()
		}
	}, nil
}

// newHTTPServer makes a server that bounds what a slow client can hold, and says
// what goes wrong. Without an ErrorLog, net/http tells package log, whose lines
// are slog's at Info once slog has a default: the library's logger drops them.
func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           logPanics(log, handler),
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelError),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute,
	}
}
