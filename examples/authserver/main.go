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
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

// The demonstration's secrets, which its connection files and its IdP share.
const (
	idpClientSecret = "example-client-secret"
	idpPartnerKey   = "example-partner-key"
)

// keyVariable may hold the key that replicas share, 32 bytes in base64.
const keyVariable = "AUTHSERVER_KEY"

// upstreamTimeout bounds each request to an IdP.
const upstreamTimeout = 15 * time.Second

type options struct {
	auth, operator, idp, app string // addresses to listen on
	connections              string // folder
	key                      string // base64; "" for a new one
}

func main() {
	var o options
	flag.StringVar(&o.auth, "auth", "127.0.0.1:8080", "`address` of the auth server")
	flag.StringVar(&o.operator, "operator", "127.0.0.1:8083", "`address` of the auth server's pages for its operator")
	flag.StringVar(&o.idp, "idp", "localhost:8081", "`address` of the identity provider; the connection files name it, too")
	flag.StringVar(&o.app, "app", "localhost:8082", "`address` of the sample application")
	flag.StringVar(&o.connections, "connections", "connections", "`folder` of the connections, one JSON file each")
	flag.Parse()
	o.key = os.Getenv(keyVariable)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
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
	key, err := readKey(o.key, log)
	if err != nil {
		return err
	}
	issuer, appAddress := "http://"+o.auth, "http://"+o.app
	store, err := NewStore(time.Now)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: upstreamTimeout} // a real server's dials no private addresses
	connections, err := OpenConnections(o.connections, client, log, time.Now)
	if err != nil {
		return err
	}
	application := Client{
		ID: "sample-app", Name: "Sample application", Home: appAddress + "/", Secret: rand.Text(), RedirectURIs: []string{appAddress + "/callback"},
	}
	server, err := NewServer(Config{
		Issuer: issuer, Key: key, Store: store, Clients: []Client{application}, Connections: connections, Log: log, Now: time.Now,
	})
	if err != nil {
		return err
	}
	idp := NewIdP("http://"+o.idp, idpPartnerKey, []IdPClient{{
		ID: "auth-server", Secret: idpClientSecret,
		Callbacks: []string{issuer + callbackPath("corporate"), issuer + callbackPath("partner"), issuer + callbackPath("members"), issuer + callbackPath("sales")},
	}})
	app := NewApp(appAddress, issuer, application, []string{"corporate", "partner", "members", "sales"})

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go connections.Watch(ctx)
	failed := make(chan error, 4)
	for address, handler := range map[string]http.Handler{
		o.auth: server.Handler(), o.operator: server.Operator(o.operator), o.idp: idp, o.app: app.Handler(),
	} {
		end, err := serve(address, handler, log, failed)
		if err != nil {
			return err
		}
		defer end()
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

// serve answers requests until end is called.
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
	return func() { _ = server.Close() }, nil
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

// readKey takes the key that all replicas have, or makes one for this process.
func readKey(text string, log *slog.Logger) ([]byte, error) {
	if text == "" {
		log.Warn("no key is set, so no other replica can finish what this one begins", "variable", keyVariable)
		key := make([]byte, keySize)
		_, _ = rand.Read(key) // never fails
		return key, nil
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != keySize {
		return nil, errors.New(keyVariable + " must be 32 bytes in base64; make one with: openssl rand -base64 32")
	}
	return key, nil
}
