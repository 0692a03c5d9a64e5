// Authorizeurl prints the URL with which an auth server sends a user on to an
// upstream identity provider, for a connection and an /authorize request:
//
//	go run ./examples/authorizeurl [flags] CONNECTION.json AUTHORIZE_URL
//
// It shows the whole way that a server goes: connection, provider, request,
// transaction, URL.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"example.com/upstream"
)

const usage = `usage:
  authorizeurl [flags] CONNECTION.json AUTHORIZE_URL
  authorizeurl -vectors < vectors.jsonl

CONNECTION.json is a file, or - for standard input.
AUTHORIZE_URL is a whole URL, a path with a query, or a query alone.

flags:
`

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c command
	flags := flag.NewFlagSet("authorizeurl", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	secret := func(s *upstream.Secret, name, usage string) {
		flags.TextVar(s, name, upstream.Secret{}, usage)
	}
	flags.BoolVar(&c.explain, "explain", false, "say of each parameter why it is in the URL, or why not")
	flags.BoolVar(&c.json, "json", false, "print one JSON object, also for an error")
	flags.StringVar(&c.strategy, "strategy", "", "`name` of the connection's strategy, where the file is a body that has options alone")
	vectors := flags.Bool("vectors", false, "answer conformance vectors from standard input, one JSON object a line; stands alone")
	flags.StringVar(&c.tx.RedirectURI, "redirect-uri", "", "the auth server's own callback `URI`")
	secret(&c.tx.State, "state", "the auth server's own `state`")
	secret(&c.tx.Nonce, "nonce", "OpenID Connect `nonce`")
	secret(&c.tx.CodeVerifier, "code-verifier", "PKCE `verifier`; the URL has its S256 challenge")
	secret(&c.tx.RequestToken, "request-token", "OAuth 1.0a request `token`")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}

	var err error
	switch {
	case *vectors && flags.NFlag() == 1 && flags.NArg() == 0:
		err = answerVectors(stdin, stdout)
	case !*vectors && flags.NArg() == 2:
		err = c.run(flags.Arg(0), flags.Arg(1), stdin, stdout, stderr)
	default:
		flags.Usage()
		return 2
	}
	if err == nil {
		return 0
	}
	if !c.json || printJSONError(stdout, err) != nil {
		printError(stderr, err)
	}
	return 1
}

// A command is what the flags say.
type command struct {
	explain, json bool
	strategy      string
	tx            upstream.Transaction
}

func (c *command) run(file, authorizeURL string, stdin io.Reader, stdout, stderr io.Writer) error {
	conn, err := c.read(file, stdin, stderr)
	if err != nil {
		return err
	}
	printWarnings(stderr, conn)
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	query, err := rawQuery(authorizeURL)
	if err != nil {
		return err
	}
	req, err := upstream.ParseAuthorizeQuery(query)
	if err != nil {
		return err
	}
	target, err := c.authorizationURL(provider, req, stderr)
	if err != nil {
		return err
	}
	if !c.explain {
		return c.print(stdout, target, nil)
	}
	explanation, err := provider.Explain(req, c.tx)
	if err != nil {
		return err
	}
	return c.print(stdout, target, &explanation)
}

// maxInput is more than ParseConnection takes, in bytes, so that it says so.
const maxInput = 2 << 20

// read reads the connection. With -strategy it may be the body of an Update, as
// the vendor's documents show it, which lacks what the whole connection has.
func (c *command) read(file string, stdin io.Reader, stderr io.Writer) (*upstream.Connection, error) {
	var data []byte
	var err error
	if file == "-" {
		data, err = io.ReadAll(io.LimitReader(stdin, maxInput))
	} else {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	conn, err := upstream.ParseConnection(data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", file, err)
	case c.strategy == "":
		return conn, nil
	case conn.Strategy != "" && conn.Strategy != c.strategy:
		return nil, fmt.Errorf("%s: its strategy is %q, not that of -strategy", file, conn.Strategy)
	}
	conn.Strategy = c.strategy
	for _, lacking := range []struct {
		field       *string
		name, value string
	}{{&conn.Name, "name", "example"}, {&conn.Options.ClientID, "client_id", "example-client"}} {
		if *lacking.field == "" {
			*lacking.field = lacking.value
			fmt.Fprintf(stderr, "authorizeurl: no %s in the connection, using %s\n", lacking.name, lacking.value)
		}
	}
	return conn, nil
}

// authorizationURL gives the URL. What the connection's protocol needs and no
// flag has given gets a value here; the error of the first try says what that is.
func (c *command) authorizationURL(p *upstream.Provider, req *upstream.AuthorizeRequest, stderr io.Writer) (string, error) {
	said := func(name, value string) {
		fmt.Fprintf(stderr, "authorizeurl: no -%s given, using %s\n", name, value)
	}
	for {
		target, err := p.AuthorizationURL(req, c.tx)
		var bad *upstream.TransactionError
		if !errors.As(err, &bad) {
			return target, err
		}
		var field *upstream.Secret
		var value string
		switch bad.Field {
		case "redirect_uri":
			if c.tx.RedirectURI != "" {
				return "", err
			}
			c.tx.RedirectURI = "https://auth.example.com/login/callback"
			said("redirect-uri", c.tx.RedirectURI)
			continue
		case "state":
			field, value = &c.tx.State, rand.Text()
		case "code_verifier":
			field, value = &c.tx.CodeVerifier, rand.Text()+rand.Text() // one has 26 characters, the least is 43
		case "request_token":
			field, value = &c.tx.RequestToken, "example-request-token"
		}
		if field == nil || field.Reveal() != "" { // given, and not good
			return "", err
		}
		*field = upstream.NewSecret(value)
		said(strings.ReplaceAll(bad.Field, "_", "-"), value)
	}
}

// rawQuery takes the query, still encoded, out of https://host/authorize?x=y,
// /authorize?x=y, ?x=y or x=y.
func rawQuery(s string) (string, error) {
	s, _, _ = strings.Cut(s, "#") // no browser sends that
	if name, _, ok := strings.Cut(s, "="); ok && !strings.ContainsAny(name, "?/:") {
		s = "?" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", fmt.Errorf("bad URL: %w", errors.Unwrap(err)) // err repeats the URL
	}
	whole := (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
	local := u.Scheme == "" && u.Host == "" && (strings.HasPrefix(s, "/") || strings.HasPrefix(s, "?"))
	if !whole && !local {
		return "", fmt.Errorf("bad URL: %q is not a whole URL, a path with a query, or a query", s)
	}
	return u.RawQuery, nil
}

// print writes the URL, and its explanation if there is one.
func (c *command) print(w io.Writer, target string, e *upstream.Explanation) error {
	if !c.json {
		if _, err := fmt.Fprintln(w, target); err != nil || e == nil {
			return err
		}
		return printTable(w, e)
	}
	return newEncoder(w).Encode(output{target, e})
}

// The output of -json.
type output struct {
	URL string `json:"url"`
	*upstream.Explanation
}

// newEncoder writes one object a line and leaves the & of a URL alone.
func newEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}
