package login

// This file owns the Login: its settings, and what a connection and its metadata
// come to. It must not know what is done with them: see begin.go and finish.go.

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"example.com/upstream"
	"example.com/upstream/internal/check"
)

const (
	defaultLifetime = 10 * time.Minute
	maxLifetime     = time.Hour
	defaultSkew     = time.Minute
	maxSkew         = 10 * time.Minute
	maxData         = 2048 // bytes of the host's own
	maxCarried      = 512  // bytes of the extension's
)

// Options say how a connection's logins are made. RedirectURI is required, and
// with more than one process, or to outlive a restart, Keys and Store.
type Options struct {
	// RedirectURI is the address of this server that the IdP sends its answers to:
	// absolute, https or http on a loopback host. Give each connection its own:
	// what one IdP answers can then never be taken for another's.
	RedirectURI string

	// Keys seal the logins under way: 32 random bytes or more each, the same on
	// all replicas. The first seals, all open, so that a new key goes in front of
	// the old one, which can go when Lifetime has passed.
	//
	// Store makes each login end once, and is shared by all that share the Keys.
	// Without both the server is one process: logins under way end with it.
	Keys  []upstream.Secret
	Store Store

	// Lifetime is how long a user may take at the IdP: 10 minutes where it is 0,
	// at most an hour.
	Lifetime time.Duration

	// Skew is how far the IdP's clock may be from ours: a minute where it is 0, at
	// most 10.
	Skew time.Duration

	// TrustedAudiences are other clients that may stand in aud of an ID token,
	// beside this one, and then with azp.
	TrustedAudiences []string

	// Tenants are the tenant ids whose users may log in where the IdP is Entra's
	// for many tenants (common, organizations). Without them it is refused.
	Tenants []string

	// PostLogoutRedirectURI is where the IdP sends the user after a logout. It is
	// never taken from a request.
	PostLogoutRedirectURI string

	// Refresh is how often metadata is looked at anew: an hour where it is 0.
	Refresh time.Duration

	// Pin is metadata that an event of OnMetadata, or [Login.Metadata], gave
	// earlier, perhaps in another process. A document that drifts from it is
	// reported and not followed. Without it the first document that is fetched is
	// the one that later ones are held against, and a restart forgets it.
	Pin []byte

	// OnMetadata hears of new, changed, drifting and missing metadata. It is
	// called while a login waits, by one goroutine at a time, and calls no method
	// of the Login.
	OnMetadata func(MetadataEvent)

	// Attach gives the Provider what the host adds to it, such as a profile
	// fetcher: fetchscript.Attach. It is called again after each change of the
	// metadata; conn is for reading.
	Attach func(p *upstream.Provider, conn *upstream.Connection) (*upstream.Provider, error)

	// Extend attaches what the connection demands beyond that, such as module
	// fapi. It is called like Attach, after it.
	Extend func(conn *upstream.Connection, p *upstream.Provider) (Extension, error)
}

// A Login logs users in through one connection. It is safe for concurrent use.
type Login struct{ in *login }

// login is behind a pointer, so that a Login that a host's struct holds by value
// prints no key.
type login struct {
	conn   *upstream.Connection
	o      Options
	seal   *sealer
	source *source
	cookie string // prefix of names
	secure bool   // the callback is https
	now    func() time.Time
}

// Format prints the connection's name.
func (l Login) Format(f fmt.State, _ rune) {
	name := ""
	if l.in != nil {
		name = l.in.conn.Name
	}
	fmt.Fprintf(f, "login.Login{%q}", name)
}

// A snapshot is what a connection and one document of metadata come to. It never
// changes.
type snapshot struct {
	doc      *document // nil where the connection has its endpoints of its own
	provider *upstream.Provider
	ext      Extension
	verify   *verifier // nil where the IdP issues no ID token that could be verified
	keys     oidc.KeySet
	jwksURI  string
}

// New checks a connection and the Options. It makes no request: metadata is
// fetched when the first login begins, so that a server starts while an IdP is
// down. Later changes to conn do not reach the Login. The error is an [*Error] of
// StepConfig, which wraps the root's *ConfigError and *ProtocolError.
func New(conn *upstream.Connection, o Options) (*Login, error) {
	if conn == nil {
		return nil, &Error{Step: StepConfig, Code: serverError, Reason: "there is no connection"}
	}
	l := &login{o: o, now: time.Now}
	var err error
	if l.conn, err = clone(conn); err == nil {
		err = l.settings()
	}
	if err == nil {
		l.seal, err = newSealer(l.o.Keys, conn.Strategy, conn.Name, conn.ID, conn.Options.ClientID, o.RedirectURI)
	}
	if err == nil {
		err = l.openSource()
	}
	if err != nil {
		return nil, l.fault(StepConfig, err)
	}
	return &Login{l}, nil
}

// clone gives a connection of its own.
func clone(conn *upstream.Connection) (*upstream.Connection, error) {
	text, err := conn.MarshalJSON()
	if err != nil {
		return nil, err
	}
	own, err := upstream.ParseConnection(text)
	if err != nil {
		return nil, err
	}
	own.InsecureAllowHTTP = conn.InsecureAllowHTTP
	own.EnabledClients = slices.Clone(conn.EnabledClients) // an empty list of the program's is not in the text, and lets nobody in
	return own, nil
}

// settings checks the Options and fills in what is 0.
func (l *login) settings() error {
	o := &l.o
	if message := check.Endpoint(o.RedirectURI, maxMetadataURL, l.conn.InsecureAllowHTTP); message != "" {
		return errors.New("Options.RedirectURI " + message)
	}
	u, err := url.Parse(o.RedirectURI)
	if err != nil {
		return errors.New("Options.RedirectURI is not a URL")
	}
	// With the prefix a browser takes the cookie from this host alone: no sibling
	// domain can put its own login into somebody's browser. It asks for Path=/.
	if l.secure = u.Scheme == "https"; l.secure {
		l.cookie = "__Host-"
	}
	l.cookie += "upstream-login-"
	if o.PostLogoutRedirectURI != "" {
		if message := check.Endpoint(o.PostLogoutRedirectURI, maxMetadataURL, true); message != "" {
			return errors.New("Options.PostLogoutRedirectURI " + message)
		}
	}
	if o.Store == nil && len(o.Keys) == 0 {
		key := make([]byte, minKey)
		_, _ = rand.Read(key) // never fails
		o.Store, o.Keys = &MemoryStore{}, []upstream.Secret{upstream.NewSecret(string(key))}
	}
	switch {
	case o.Store == nil:
		return errors.New("Options.Store is missing beside Keys: whoever shares the keys has to share what was used")
	case o.Lifetime < 0 || o.Lifetime > maxLifetime:
		return errors.New("Options.Lifetime must be at most an hour")
	case o.Skew < 0 || o.Skew > maxSkew:
		return errors.New("Options.Skew must be at most 10 minutes")
	case o.Refresh < 0:
		return errors.New("Options.Refresh must not be negative")
	}
	if o.Lifetime == 0 {
		o.Lifetime = defaultLifetime
	}
	if o.Skew == 0 {
		o.Skew = defaultSkew
	}
	if o.Refresh == 0 {
		o.Refresh = defaultRefresh
	}
	o.TrustedAudiences = slices.Clone(o.TrustedAudiences)
	o.Tenants = slices.Clone(o.Tenants)
	for _, alg := range l.conn.Options.IDTokenSignedResponseAlgs {
		if !slices.Contains(knownAlgs, alg) {
			return errors.New("options.id_token_signed_response_algs must have only " + strings.Join(knownAlgs, ", "))
		}
	}
	return nil
}

// use makes what logins need of the connection and a document, nil for none.
func (l *login) use(d *document) (*snapshot, error) {
	conn := *l.conn // whose maps nobody writes to
	if d != nil {
		conn.Options.OIDCMetadata = slices.Clone(d.raw)
	}
	p, err := upstream.NewProvider(&conn)
	if err != nil {
		return nil, err
	}
	if l.o.Attach != nil {
		if p, err = l.o.Attach(p, &conn); err != nil {
			return nil, err
		}
	}
	made := &snapshot{doc: d, ext: none{p}}
	if l.o.Extend != nil {
		if made.ext, err = l.o.Extend(&conn, p); err != nil {
			return nil, err
		}
		if made.ext == nil {
			return nil, errors.New("Options.Extend gave neither an extension nor an error")
		}
	}
	made.provider = made.ext.Provider()
	if unmet := made.provider.Demands(); len(unmet) > 0 {
		return nil, errors.New("it demands " + strings.Join(unmet, ", ") + ", which nothing has been attached for; see Options.Extend and module fapi")
	}
	// What cannot make a URL is told now, and not to the first user.
	_, err = made.provider.Explain(nil, upstream.NewTransaction(l.o.RedirectURI))
	if bad := (*upstream.TransactionError)(nil); errors.As(err, &bad) && bad.Field == "request_token" {
		return nil, errors.New("the protocol is OAuth 1.0a, whose logins have another form: see examples/x")
	} else if err != nil {
		return nil, err
	}
	return made, l.verifier(&conn, made)
}

// verifier adds what checks ID tokens.
func (l *login) verifier(conn *upstream.Connection, made *snapshot) error {
	o := &conn.Options
	issuer, jwksURI := o.Issuer, o.JWKSURI
	if made.doc != nil {
		issuer = made.doc.issuer
		if jwksURI == "" {
			jwksURI = made.doc.endpoints["jwks_uri"]
		}
	}
	if own, known := signingIssuers[conn.Strategy]; known && issuer == "" {
		issuer, jwksURI = own.issuer, own.jwksURI
	} else if !known && !made.provider.OpenIDConnect() {
		return nil
	}
	if jwksURI == "" {
		return errors.New("there is no jwks_uri to verify ID tokens with")
	}
	if message := check.Endpoint(jwksURI, maxMetadataURL, conn.InsecureAllowHTTP); message != "" {
		return errors.New("options.jwks_uri " + message)
	}
	algs := o.IDTokenSignedResponseAlgs
	if len(algs) == 0 {
		algs = defaultAlgs
	}
	made.jwksURI = jwksURI
	if old := l.source.current.Load(); old != nil && old.jwksURI == jwksURI {
		made.keys = old.keys // with what it has fetched
	} else {
		made.keys = &lazyKeys{uri: jwksURI}
	}
	made.verify = &verifier{
		clientID: o.ClientID, audiences: l.o.TrustedAudiences, issuer: issuer, tenants: l.o.Tenants,
		signature: newSignature(made.keys, algs, l.now), skew: l.o.Skew, now: func() time.Time { return l.now() },
	}
	return nil
}

// tell passes an event on.
func (l *login) tell(e MetadataEvent) {
	if l.o.OnMetadata != nil {
		e.Connection = l.conn.Name
		l.o.OnMetadata(e)
	}
}

// fault makes an Error whose application is told server_error.
func (l *login) fault(step Step, err error) *Error {
	name := ""
	if l.conn != nil {
		name = l.conn.Name
	}
	e := &Error{Connection: name, Step: step, Code: serverError, Err: err, Reason: err.Error()}
	e.Reason = strings.TrimPrefix(e.Reason, "upstream: ")
	return e
}

// Metadata gives the metadata in force, for [Options].Pin, and fetches it where
// there is none yet. The error is an [*Error].
func (l *Login) Metadata(ctx context.Context) (json.RawMessage, error) {
	s, err := l.ready(ctx)
	switch {
	case err != nil:
		return nil, err
	case s.doc == nil:
		return nil, l.in.fault(StepMetadata, errNoMetadata)
	}
	return slices.Clone(s.doc.raw), nil
}

// ready gives what a login needs.
func (l *Login) ready(ctx context.Context) (*snapshot, error) {
	if l == nil || l.in == nil {
		return nil, &Error{Step: StepConfig, Code: serverError, Reason: "there is no connection; make the Login with New"}
	}
	s, err := l.in.source.get(ctx)
	if err != nil {
		return nil, l.in.fault(StepMetadata, err)
	}
	return s, nil
}
