package login

// This file owns where a connection's metadata is: its own, at an address that it
// names or its strategy has, or nowhere because nothing is missing. It must not
// know how a document is fetched.

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/upstream"
	"example.com/upstream/internal/check"
)

// openSource makes all that can be made without asking the IdP.
func (l *login) openSource() error {
	s := &source{
		tenants: l.o.Tenants, anyHTTP: l.conn.InsecureAllowHTTP, every: l.o.Refresh, now: func() time.Time { return l.now() },
		use: l.use, tell: l.tell, turn: make(chan struct{}, 1),
	}
	s.turn <- struct{}{}
	l.source = s
	first, err := l.locate(s)
	if err != nil {
		return err
	}
	if len(s.urls) > 0 {
		if len(l.o.Pin) == 0 {
			return l.trial()
		}
		if first, err = readDocument(l.o.Pin, s.anyHTTP); err == nil {
			err = first.issuedFor(s.expected, s.tenants)
		}
		if err != nil {
			return fmt.Errorf("Options.Pin: %w", err)
		}
	}
	made, err := l.use(first)
	if err != nil {
		return err
	}
	s.current.Store(made) // due at once: what was pinned may be old
	return nil
}

// locate finds out where the metadata is, or gives it where the connection has it.
func (l *login) locate(s *source) (*document, error) {
	o := &l.conn.Options
	s.expected = issuersAt(o.DiscoveryURL)
	if o.Issuer != "" {
		s.expected = []string{o.Issuer}
	}
	if len(o.OIDCMetadata) > 0 { // the operator's own copy; discovery_url is for where there is none
		d, err := readDocument(o.OIDCMetadata, s.anyHTTP)
		if err == nil && len(s.expected) > 0 {
			err = d.issuedFor(s.expected, s.tenants)
		}
		if err != nil {
			return nil, fmt.Errorf("options.oidc_metadata: %w", err)
		}
		return d, nil
	}
	if o.DiscoveryURL != "" {
		if message := check.Endpoint(o.DiscoveryURL, maxMetadataURL, s.anyHTTP); message != "" {
			return nil, errors.New("options.discovery_url " + message)
		}
		if s.urls = []string{o.DiscoveryURL}; len(s.expected) == 0 {
			return nil, errors.New("options.discovery_url is not a well-known address, which would tell the issuer; set options.issuer")
		}
		return nil, nil
	}
	own, fault := upstream.NewProvider(l.conn)
	issuer := o.Issuer
	if fault == nil {
		if !own.OpenIDConnect() || issuer != "" && o.JWKSURI != "" {
			return nil, nil // it has all that it needs
		}
	}
	address, at := derived(l.conn)
	switch {
	case issuer == "" && address != "":
		s.urls, s.expected = []string{address}, []string{at}
		return nil, fault
	case issuer == "" && fault != nil:
		return nil, fault
	case issuer == "":
		return nil, errors.New("its ID tokens cannot be verified; set options.discovery_url, options.issuer or options.oidc_metadata")
	}
	if message := check.Endpoint(issuer, maxIssuer, s.anyHTTP); message != "" {
		return nil, errors.New("options.issuer " + message)
	}
	s.urls, s.expected = wellKnown(issuer), []string{issuer}
	return nil, nil
}

// trial finds what is wrong with a connection beside its missing endpoints, now
// and not when the first user comes: it has metadata that nobody is sent to.
func (l *login) trial() error {
	const nowhere = "https://metadata.invalid/" // RFC 6761 section 6.4
	conn := *l.conn
	conn.Options.OIDCMetadata = []byte(`{"issuer": "` + nowhere + `", "authorization_endpoint": "` + nowhere + `a", "token_endpoint": "` + nowhere + `t", "jwks_uri": "` + nowhere + `j"}`)
	_, err := upstream.NewProvider(&conn)
	faults := (*upstream.ConfigError)(nil)
	if !errors.As(err, &faults) {
		return err
	}
	// That the options name another host than this one is no fault.
	own := upstream.ConfigError{Connection: faults.Connection}
	for _, p := range faults.Problems {
		if !strings.HasPrefix(p.Pointer, "/options/oidc_metadata") {
			own.Problems = append(own.Problems, p)
		}
	}
	if len(own.Problems) == 0 {
		return nil
	}
	return &own
}
