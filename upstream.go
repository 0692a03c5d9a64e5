// This file owns the Provider: what a connection compiles to, and what it does
// with a request. It knows nothing of JSON and of how a request is parsed.

// Package upstream makes the URL with which an auth server sends a user on to
// an upstream identity provider (IdP), and finishes the login there: code to
// token, token to profile, profile to the sub of the auth server's own tokens.
//
// Most servers need two functions: [NewProvider], once for each connection, and
// [ParseAuthorizeRequest], once for each request.
//
//	conn, err := upstream.ParseConnection(data) // JSON as Auth0's Management API has it
//	if err != nil {
//		log.Fatal(err)
//	}
//	provider, err := upstream.NewProvider(conn) // checked, compiled, immutable
//	if err != nil {
//		log.Fatal(err) // every problem at once, each with its place and the remedy
//	}
//
//	req, err := upstream.ParseAuthorizeRequest(r) // GET /authorize?...&login_hint=...
//	if err != nil {
//		http.Error(w, err.Error(), http.StatusBadRequest)
//		return
//	}
//	tx := upstream.NewTransaction(callback) // new for each login; keep it for the callback
//	url, err := provider.AuthorizationURL(req, tx)
//
// # Parameters
//
// Of one name, the highest layer that has a value is sent, and no other:
//
//  1. the protocol's: client_id, redirect_uri, response_type, scope, state,
//     nonce, code_challenge, code_challenge_method; below these, and above all
//     others, the host's own, [Transaction].Extra
//  2. options.upstream_params: {"blog": {"value": "x"}} sends x with every
//     login, {"screen_name": {"alias": "login_hint"}} sends the login_hint of
//     the incoming request; see [Param] for defaults and value rules
//  3. options.authParamsMap: {"custom_param": "access_type"} sends the incoming
//     access_type
//  4. options.authParams: {"custom_param": "x"} sends x with every login
//  5. the query of options.authorizationURL; above it what a strategy asks for
//     itself: hd for google-apps with a domain, response_mode=form_post for apple
//
// Nothing is sent with an empty value. Names of layer 1 cannot be configured,
// in any case, but for a static scope, response_type and response_mode.
// [Provider.Explain] tells of every parameter why it is sent or not.
//
// SAML connections are refused ([ErrSAML]); so is every other protocol without
// an OAuth authorization endpoint ([ProtocolError]).
//
// # Errors
//
// Every error begins with "upstream: ". [errors.As] finds [*ConfigError] with
// every problem of a connection, [*RequestError] for a malformed incoming
// request, [*TransactionError] for what the host itself passed, [*CallbackError]
// for an answer that is no login, [*ProfileError] for a profile that cannot be
// had, [*ProtocolError] for a protocol without OAuth. None of them, and no other
// type of the package but [Explanation], prints a secret, a token, a code, a header
// value or a response body. JSON is for storage, and has them all.
//
// # Differences and decisions
//
// Where the documents of the vendor are silent, testdata/vectors/README.md says what
// the package does, by the rules that its tests and vectors name.
package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"example.com/upstream/internal/callback"
	"example.com/upstream/internal/outgoing"
	"example.com/upstream/internal/strategy"
	"example.com/upstream/internal/transaction"
	"golang.org/x/oauth2"
)

// ErrSAML is what errors.Is finds in the refusal of a SAML connection: SAML
// identity providers take no upstream parameters.
var ErrSAML = errors.New("upstream: SAML identity providers take no upstream parameters")

// A ProtocolError refuses a connection whose strategy has no OAuth
// authorization endpoint to send a user to.
type ProtocolError struct {
	Strategy string
	Protocol string // "SAML", "WS-Federation", "LDAP", "database", "passwordless", "other" or "unknown"
}

// Error names the strategy and the protocol.
func (e *ProtocolError) Error() string {
	return "upstream: " + strategy.Refused(e.Strategy, e.Protocol)
}

// Is reports whether target is [ErrSAML] and the protocol is SAML.
func (e *ProtocolError) Is(target error) bool {
	return target == ErrSAML && e.Protocol == strategy.SAML.String()
}

// A Provider is a connection ready for use: checked, compiled, immutable, and
// safe for concurrent use. [NewProvider] makes one; the zero Provider refuses
// everything.
type Provider struct {
	// fmt follows one pointer where a verb does not fit, but never two.
	p **provider
}

// get is nil for the nil and the zero Provider.
func (p *Provider) get() *provider {
	if p == nil || p.p == nil {
		return nil
	}
	return *p.p
}

// public copies p to beside what points to it: of the tenants of a server nearly
// none is in a cache, and each other place in memory takes a URL as long again as
// all its parsing.
func (p *provider) public() *Provider {
	here := &struct {
		public Provider
		at     *provider
		provider
	}{provider: *p}
	here.at = &here.provider
	here.public.p = &here.at
	return &here.public
}

// A provider begins with what a URL is made of.
type provider struct {
	parameters
	config tokenConfig // without RedirectURL
	profiles
	expected callback.Expectation // of an answer, without the state
}

// Format prints name and strategy; LogValue gives the same.
func (p Provider) Format(f fmt.State, _ rune) {
	q := p.get()
	if q == nil {
		q = new(provider)
	}
	fmt.Fprintf(f, "upstream.Provider{Name:%q Strategy:%q}", q.name, q.strategy)
}

// LogValue gives what Format prints.
func (p Provider) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// Name gives the connection's name, "" for none.
func (p *Provider) Name() string { return p.read().name }

// Strategy gives the connection's strategy.
func (p *Provider) Strategy() string { return p.read().strategy }

// ClientID gives what the auth server is called at the identity provider.
func (p *Provider) ClientID() string { return p.read().config.OAuth.ClientID }

// Issuer gives the identity provider's issuer identifier, of options.issuer or
// oidc_metadata; "" if neither has one.
func (p *Provider) Issuer() string { return p.read().expected.Issuer }

// OpenIDConnect reports whether the answer of the token endpoint has to hold an
// ID token, which the host verifies; see [Provider.ParseClaims].
func (p *Provider) OpenIDConnect() bool { return p.read().oidc }

// RequiresPKCE reports whether a [Transaction] without CodeVerifier is an error.
func (p *Provider) RequiresPKCE() bool { return p.read().rules.PKCE == transaction.Required }

// HasProfile reports whether the connection has a source of profiles besides the
// ID token: a userinfo endpoint, a fetchUserProfile script, or what
// [Provider.WithProfileFetcher] has attached.
func (p *Provider) HasProfile() bool { return p.read().hasSource() }

// read is get, with an empty one in the place of nil.
func (p *Provider) read() *provider {
	if q := p.get(); q != nil {
		return q
	}
	return new(provider)
}

// TokenConfig gives what exchanges a code for a token, and refreshes it.
// redirectURL is the very one that the authorization URL was made with. That of
// an OAuth 1.0a connection gives errors: its tokens are not oauth2's.
func (p *Provider) TokenConfig(redirectURL string) *TokenConfig {
	q := p.get()
	if q == nil {
		return &TokenConfig{}
	}
	t := q.config.public() // what it shares with the Provider's is never written
	t.get().OAuth.RedirectURL = redirectURL
	return t
}

// Demands names what the connection asks for beyond this package, and nothing has
// met yet: "private_key_jwt", "client_secret_jwt", "tls_client_auth" or
// "self_signed_tls_client_auth" (token_endpoint_auth_method), "app_secret" (of
// apple), "dpop_signing_alg", "require_pushed_authorization_requests". While there
// is any, all requests for tokens fail, and with the last there is no
// authorization URL: with a [*ConfigError] that points to these options.
func (p *Provider) Demands() []string {
	if q := p.get(); q != nil && q.config.attachment != nil {
		return slices.Clone(q.config.unmet)
	}
	return nil
}

// WithProtection gives a Provider whose requests with codes and tokens go through
// f, and is like p in all else; p stays as it is. f sits inside those that were
// attached before. It may be nil, for a host whose own HTTP client does what is
// demanded, as with a certificate (RFC 8705).
//
// met lists those of [Provider.Demands] that f meets, or that the host meets;
// other names are ignored. Where a way of client authentication is met, the body
// of a token request holds client_id and no client_secret. Where
// "dpop_signing_alg" is met, tokens of the type DPoP are sent, as
// "Authorization: DPoP"; f adds the proof.
func (p *Provider) WithProtection(f Protection, met ...string) *Provider {
	q := *p.read()
	q.config.attachment = q.config.attachment.with(f, met)
	return q.public()
}

// WithProfileFetcher gives a Provider that gets profiles from f and is like p in
// all else; p stays as it is. A nil f goes back to the strategy's own way.
//
// f is given a copy of conn, the connection that p was made from, as it is now: a
// Provider itself keeps no JSON. Of a nil conn, for functions that need nothing of
// it, the copy has name and strategy alone.
func (p *Provider) WithProfileFetcher(conn *Connection, f ProfileFetcher) *Provider {
	q := *p.read()
	q.profiles = q.profiles.with(f, conn)
	return q.public()
}

// FetchProfile gets the profile of the user whom the token stands for: from the
// function of [Provider.WithProfileFetcher], else from the userinfo endpoint of
// the connection or its strategy. GitHub and WordPress answer in their own
// members, all others are read as OpenID Connect has it, but where
// userid_attribute, fieldsMap or attribute_map say otherwise: they may name
// members of the answer, and no expressions. Of the strategies only github,
// google-oauth2 and wordpress have such an endpoint, and only while their tokens
// come from their own token endpoint. A connection with a fetchUserProfile script
// has no other source.
//
// With strategy google-apps and a domain, a profile whose hd is none of domain,
// tenant_domain and domain_aliases is refused, from whatever source.
// should_trust_email_verified_connection decides EmailVerified, where it stands.
//
// The error is a [*ProfileError]. With OpenID Connect, call
// [Profile.CheckSubject] next.
func (p *Provider) FetchProfile(ctx context.Context, token *oauth2.Token) (*Profile, error) {
	if p.get() == nil {
		return nil, profileError("there is no provider; make one with NewProvider")
	}
	return p.get().fetch(ctx, token, p.get().config.attachment)
}

// ParseClaims reads a profile from the claims of an ID token, a JSON object. The
// host has verified the token: its signature, iss, aud, exp and nonce (OpenID
// Connect Core section 3.1.3.7). Claims are read as OpenID Connect names them, but
// where the connection's mapping says otherwise, and held against its domains, as
// with [Provider.FetchProfile]; those that are about the token are left out. The
// error is a [*ProfileError].
func (p *Provider) ParseClaims(claims []byte) (*Profile, error) {
	if p.get() == nil {
		return nil, profileError("there is no provider; make one with NewProvider")
	}
	return p.get().parseClaims(claims)
}

// Subject gives the sub for the auth server's own tokens:
// "<strategy>|<user id>" for a strategy that stands for one provider, such as
// "github|1234", else "<strategy>|<connection name>|<user id>". Neither strategy
// nor name holds a "|", so no two users of these share a subject, whatever
// userID holds. A social strategy whose token or userinfo endpoint is the
// connection's own, or whose profiles come from its script, has the name as well:
// a tenant's server must not speak for GitHub's users.
// It is "" where there is no user id, or one that ParseProfile would refuse, and
// where it has to hold the connection's name and that is none by the vendor's rule.
func (p *Provider) Subject(userID string) string { return p.read().subject(userID) }

// ParseCallback is [ParseCallback] and [Provider.CheckCallback].
func (p *Provider) ParseCallback(r *http.Request, tx Transaction) (*Callback, error) {
	cb, err := ParseCallback(r)
	if err == nil {
		err = p.CheckCallback(cb, tx)
	}
	if err != nil {
		return nil, err
	}
	return cb, nil
}

// CheckCallback holds an answer against the login that asked: its state, which
// is compared in constant time, must be tx.State; its issuer that of the
// connection, where both are known, and be there where the metadata promises it
// (RFC 9207); it must hold a code and no error. Everything else of tx is not
// looked at. The error, a [*CallbackError], is about the first of these.
//
// The caller sees to it that tx is that of this browser, and that it is used
// once: see module login.
func (p *Provider) CheckCallback(cb *Callback, tx Transaction) error {
	q := p.read()
	if !q.plan.Made() || q.rules.OAuth1 {
		return &CallbackError{message: "there is no connection that it could be an answer to (OAuth 1.0a has another kind)"}
	}
	e := q.expected
	e.State = tx.State.Reveal()
	return checkCallback(cb, e)
}

// NewProvider checks and compiles a connection. Later changes to conn do not
// reach the Provider. The error is a [*ProtocolError] if the protocol has no
// OAuth authorization endpoint, else a [*ConfigError] with every problem.
func NewProvider(conn *Connection) (*Provider, error) {
	if conn != nil && conn.Strategy != "" {
		switch p := conn.values().Protocol().Protocol; p {
		case strategy.OAuth2, strategy.OIDC, strategy.OAuth1:
		default:
			return nil, &ProtocolError{conn.Strategy, p.String()}
		}
	}
	k := conn.check()
	if len(k.Problems) > 0 {
		return nil, configError(conn.name(), k.Problems)
	}
	o := &conn.Options
	p := &provider{
		profiles: newProfiles(conn, k),
		expected: callback.Expectation{Issuer: cmp.Or(o.Issuer, k.Metadata.Issuer), HasIssuer: k.Metadata.ResponseIssuer},
	}
	rules := transaction.Rules{OAuth1: k.Strategy.Protocol == strategy.OAuth1, PKCE: transaction.PKCE(o.PKCE, o.PKCEEnabled)}
	rules.Nonce = p.oidc && (o.SendBackChannelNonce || string(conn.doc.Lookup("options/send_back_channel_nonce")) != "false")
	scopes := outgoing.Scopes(o.Scope, o.UseOAuthSpecScope, p.oidc, k.Entries)
	p.config = conn.tokenConfig(k, scopes.Own)
	p.parameters = newParameters(rules, k.Base, o.ClientID, scopes, k.Entries)
	return p.public(), nil
}

// AuthorizationURL returns the URL to send the user to. req may be nil, for a
// login that no request asked for. The error is a [*TransactionError], or a
// [*RequestError] where the URL would be longer than 32 KiB; of the zero Provider,
// and of one that has yet to push its requests ([Provider.Demands]), a
// [*ConfigError].
func (p *Provider) AuthorizationURL(req *AuthorizeRequest, tx Transaction) (string, error) {
	q := p.get()
	if err := q.usable(); err != nil {
		return "", err
	}
	if q.plan.Size() > shortURL {
		return q.longURL(req, &tx)
	}
	var buf [shortURL]byte // still longer URLs move to the heap
	out, err := q.append(buf[:0], req, &tx, q.pushed())
	if err != nil {
		return "", err
	}
	return string(out), nil
}

const shortURL = 768 // bytes

// longURL is AuthorizationURL with a buffer that costs more to clear.
//
//go:noinline
func (p *provider) longURL(req *AuthorizeRequest, tx *Transaction) (string, error) {
	var buf [2048]byte
	out, err := p.append(buf[:0], req, tx, p.pushed())
	if err != nil {
		return "", err
	}
	return string(out), nil
}

// AppendAuthorizationURL is [Provider.AuthorizationURL] into a buffer of the
// caller's, which it returns extended; with room enough it allocates nothing.
// After an error the buffer is as it was.
func (p *Provider) AppendAuthorizationURL(dst []byte, req *AuthorizeRequest, tx Transaction) ([]byte, error) {
	q := p.get()
	if err := q.usable(); err != nil {
		return dst, err
	}
	return q.append(dst, req, &tx, q.pushed())
}

// pushed refuses a URL where the connection requires a pushed request, and
// nothing pushes it.
func (p *provider) pushed() error {
	if err := p.config.refusal(demandPAR); err != nil {
		return err
	}
	return nil
}

// Params gives what AuthorizationURL sends beside the protocol's own parameters:
// those of Extra, upstream_params, authParamsMap, authParams, the strategy, and the
// query of the authorization endpoint. It is for hosts that make the URL
// themselves, say with an oauth2.Config, whose AuthURL then has no query; of the
// Transaction it reads Extra alone. The result is the caller's own. The error is
// that of AuthorizationURL.
func (p *Provider) Params(req *AuthorizeRequest, tx Transaction) (url.Values, error) {
	q := p.get()
	if err := q.usable(); err != nil {
		return nil, err
	}
	return q.configured(req, &tx)
}

// usable refuses the nil and the zero Provider, before all else.
func (p *provider) usable() error {
	if p == nil || !p.plan.Made() {
		return &ConfigError{Problems: []Problem{{"", "there is no connection; make the Provider with NewProvider"}}}
	}
	return nil
}

// AuthorizationURL is [NewProvider] and [Provider.AuthorizationURL] in one
// call, for scripts and tests. A server makes the Provider once.
func AuthorizationURL(conn *Connection, req *AuthorizeRequest, tx Transaction) (string, error) {
	p, err := NewProvider(conn)
	if err != nil {
		return "", err
	}
	return p.AuthorizationURL(req, tx)
}

// Explain tells how AuthorizationURL comes to its result for the same
// arguments, from the same compiled plan. It is for operators: values of the
// request stand in it. The error is that of AuthorizationURL.
func (p *Provider) Explain(req *AuthorizeRequest, tx Transaction) (Explanation, error) {
	q := p.get()
	if err := q.usable(); err != nil {
		return Explanation{}, err
	}
	return q.explain(req, &tx)
}
