package upstream

// This file owns the way back: the answer that the browser brings, the token
// requests around oauth2.Config, and what can be attached to them. It knows
// nothing of authorization requests, profiles and Providers; how the browser's
// answer is read is in internal/callback, how a token request is made, and kept
// from leaving the endpoint, in internal/endpoint.

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"example.com/upstream/internal/callback"
	"example.com/upstream/internal/check"
	"example.com/upstream/internal/endpoint"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/strategy"
	"example.com/upstream/internal/valid"
)

// A Callback is what the identity provider sent the browser back with. All of it
// is the word of whoever sent the browser, until [Provider.CheckCallback].
type Callback struct {
	Code  Secret // the authorization code; "" where there is an error
	State Secret
	// Issuer is iss (RFC 9207), "" where the provider sends none.
	Issuer string
	// Error is the provider's error code, if it is a registered one; any other is
	// server_error.
	Error string
	// Description is error_description, before it the code that is not a
	// registered one. It is for the operator: show it to nobody else.
	Description Secret
	// User is Apple's JSON about the user. It comes with the first login alone,
	// and no signature covers it.
	User Secret
}

// Format prints what is not secret; LogValue gives the same.
func (cb Callback) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "upstream.Callback{Issuer:%q Error:%q}", cb.Issuer, cb.Error)
}

// LogValue gives what Format prints.
func (cb Callback) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(cb)) }

// ParseCallback reads the answer of an authorization request: the query of a GET,
// the form of a POST (response_mode form_post). It checks nothing but the form:
// see [Provider.ParseCallback]. It is strict: one of the members of [Callback]
// that comes twice, and in code, state, iss and error a bad escape, a semicolon
// or a control character, is an error; so are code and error together. All other
// parameters are ignored (RFC 6749 section 4.1.2). A query has at most 32 KiB, a
// form 64 KiB. The error is a [*CallbackError].
func ParseCallback(r *http.Request) (*Callback, error) {
	a, fault := callback.Read(r)
	switch {
	case fault != nil:
		return nil, &CallbackError{Parameter: fault.Parameter, message: strings.TrimSpace(fault.Parameter + " " + fault.Message)}
	case a.Code != "" && a.Error != "":
		return nil, &CallbackError{Parameter: "error", message: "it holds both a code and an error"}
	}
	cb := &Callback{
		Code: NewSecret(a.Code), State: NewSecret(a.State), Issuer: a.Issuer,
		Error: callback.Code(a.Error), Description: NewSecret(a.Description), User: NewSecret(a.User),
	}
	if cb.Error != a.Error {
		cb.Description = NewSecret(strings.TrimSpace(a.Error + " " + a.Description))
	}
	return cb, nil
}

// checkCallback holds an answer against what is known of the login.
func checkCallback(cb *Callback, e callback.Expectation) error {
	if cb == nil {
		return &CallbackError{message: "there is none"}
	}
	fault := e.Check(&callback.Answer{Code: cb.Code.Reveal(), State: cb.State.Reveal(), Issuer: cb.Issuer, Error: cb.Error})
	switch {
	case fault == nil:
		return nil
	case fault.Parameter == "error":
		return &CallbackError{Parameter: "error", Code: callback.Code(cb.Error), Description: cb.Description, message: fault.Message}
	}
	return &CallbackError{Parameter: fault.Parameter, message: fault.Message}
}

// A CallbackError says why the answer of an authorization request is no login.
type CallbackError struct {
	// Parameter is at fault: "state", "iss", "error", "code", or another one that
	// cannot be read; "" if it is about the request as a whole.
	Parameter string
	// Code is the identity provider's error, where Parameter is "error": a
	// registered code (RFC 6749 section 4.1.2.1, OpenID Connect Core 3.1.2.6), and
	// "server_error" for any other. Otherwise "".
	Code string
	// Description is the identity provider's own text, for the operator alone.
	Description Secret

	message string
}

// Error says what is wrong, and repeats nothing of the answer but a registered code.
func (e *CallbackError) Error() string { return "upstream: callback: " + e.message }

// A Target says which requests a [Protection] is asked to wrap.
type Target uint8

// The two kinds of request that a [Protection] sees.
const (
	TargetToken    Target = iota // to the token endpoint: exchange, refresh and every other grant
	TargetResource               // with an access token: to the userinfo endpoint, and those of TokenConfig.Client
)

// A Protection puts onto requests to the identity provider what this package
// does not make itself: a client assertion, a DPoP proof. It gives a RoundTripper
// around base, which would serve the request and is the host's own transport. ctx
// is that of the call (of the making, for TokenConfig.Client and TokenSource),
// and so may carry what belongs to one login.
//
// The RoundTripper may send more than one request for the one that it is given,
// each of them a copy. That to the token endpoint has the form with its client_id
// in the body, and the custom headers; that with an access token has
// "Authorization: Bearer" or "Authorization: DPoP" and the token, or no
// Authorization, where a redirect of another origin led there. Whatever it
// answers is read within the same bounds as without it.
//
// It is called by many goroutines at once.
type Protection func(ctx context.Context, target Target, base http.RoundTripper) http.RoundTripper

// An attachment is what a connection demands of the token requests beyond this
// package, and what was attached to meet it. Never written once made; nil for a
// connection that demands nothing.
type attachment struct {
	connection string // its name
	unmet      []string
	protect    Protection // nil for none
	dpop       bool       // tokens of the type DPoP may be sent: a proof goes with them
}

const (
	demandDPoP = "dpop_signing_alg"
	demandPAR  = "require_pushed_authorization_requests"
	demandKey  = "app_secret"
)

// demands gives what the options ask for and only a Protection can do. pushed
// says that the metadata asks for pushed requests.
func (o *Options) demands(strategy string, pushed bool) (demands []string) {
	if option.Attached(o.TokenEndpointAuthMethod) {
		demands = append(demands, o.TokenEndpointAuthMethod)
	}
	// A client secret that the program has made of the key may stand instead.
	if strategy == "apple" && (!o.AppSecret.IsZero() || o.ClientSecret.IsZero()) {
		demands = append(demands, demandKey)
	}
	if o.DPoPSigningAlg != "" {
		demands = append(demands, demandDPoP)
	}
	if o.RequirePushedAuthorizationRequests || pushed {
		demands = append(demands, demandPAR)
	}
	return demands
}

// with gives a's demands without those that are met, under f.
func (a *attachment) with(f Protection, met []string) *attachment {
	var b attachment
	if a != nil {
		b = *a
	}
	isMet := func(demand string) bool { return slices.Contains(met, demand) }
	b.dpop = b.dpop || slices.Contains(b.unmet, demandDPoP) && isMet(demandDPoP)
	b.unmet = slices.DeleteFunc(slices.Clone(b.unmet), isMet)
	if before := b.protect; before == nil {
		b.protect = f
	} else if f != nil {
		b.protect = func(ctx context.Context, target Target, base http.RoundTripper) http.RoundTripper {
			return before(ctx, target, f(ctx, target, base))
		}
	}
	return &b
}

// refusal is the error while a demand is unmet: of those named, or of all.
func (a *attachment) refusal(demands ...string) error {
	if a == nil || len(a.unmet) == 0 {
		return nil
	}
	var problems []valid.Problem
	for _, demand := range a.unmet {
		if demands != nil && !slices.Contains(demands, demand) {
			continue
		}
		option := demand
		switch demand {
		case demandDPoP, demandPAR, demandKey:
		default:
			option = "token_endpoint_auth_method"
		}
		problems = append(problems, valid.Problem{Pointer: "/options/" + option, Message: "asks for " + demand +
			", which has to be attached: see Provider.WithProtection, and module fapi"})
	}
	if problems == nil {
		return nil
	}
	return configError(a.connection, problems)
}

func (a *attachment) wrap(target Target) endpoint.Wrap {
	if a == nil || a.protect == nil {
		return nil
	}
	return func(ctx context.Context, base http.RoundTripper) http.RoundTripper {
		return a.protect(ctx, target, base)
	}
}

// authorization gives the header's value that the token is sent with. A type that
// needs a proof goes out only where something adds it.
func (a *attachment) authorization(token *oauth2.Token) (string, error) {
	if err := a.refusal(demandDPoP); err != nil {
		return "", err
	}
	switch kind := token.Type(); {
	case !strings.EqualFold(kind, "DPoP"):
		return kind + " " + token.AccessToken, nil
	case a == nil || !a.dpop:
		return "", &endpoint.Error{Text: "a token of type DPoP is not a bearer token; set options.dpop_signing_alg, " +
			"and attach what makes its proofs with Provider.WithProtection"}
	}
	return "DPoP " + token.AccessToken, nil
}

// A TokenConfig makes the token requests of one connection. Its methods have the
// signatures of [oauth2.Config] and behave as they do there, but that
//
//   - the connection's customHeaders go with every request to the token
//     endpoint, refreshes included, and with no other request;
//   - neither the token endpoint nor the device authorization endpoint is
//     followed when it redirects: the error wraps an [*oauth2.RetrieveError]
//     with the status, and no header, code or secret went anywhere else;
//   - the client authenticates in one way, which is never guessed by trying:
//     with AuthStyleInHeader by Basic, else in the body; a client without a
//     secret sends its client_id in the body (RFC 6749 section 3.2.1);
//   - an answer of more than 1 MiB is an error that says so;
//   - no error text holds a body, code, token, secret, header value or URL
//     query. A body can be had from the [*oauth2.RetrieveError] that
//     [errors.As] finds; do not print that one, for its own text has it.
//
// A custom "Authorization: Basic" header whose user is the client id is the
// client's authentication: the body then holds client_id, which section 3.2.1
// allows, and no client_secret, for section 2.3 forbids a second method. Any
// other custom Authorization goes beside the client's own authentication,
// which then always stands in the body, since a request has one Authorization.
//
// The HTTP client comes with the context, under [oauth2.HTTPClient]: its
// transport, timeout and jar serve, and it is never changed. Without one,
// requests to these endpoints end after 30 seconds.
//
// A TokenConfig is safe for concurrent use. The zero value has no endpoint: its
// methods give an error.
type TokenConfig struct {
	c **tokenConfig // two pointers, which fmt never follows
}

// get is nil for the nil and the zero TokenConfig.
func (c *TokenConfig) get() *tokenConfig {
	if c == nil || c.c == nil {
		return nil
	}
	return *c.c
}

// usable gives what makes token requests, or why nothing does.
func (c *TokenConfig) usable() (*tokenConfig, error) {
	in := c.get()
	if in == nil || in.OAuth.Endpoint.TokenURL == "" {
		return nil, &endpoint.Error{Text: "there is no usable token URL; set Endpoint.TokenURL (an OAuth 1.0a connection has none for oauth2)"}
	}
	return in, in.refusal()
}

type tokenConfig struct {
	*attachment // nil for none
	endpoint.Tokens
}

// public makes all that a TokenConfig is in one piece of memory.
func (c *tokenConfig) public() *TokenConfig {
	made := &struct {
		outer TokenConfig
		inner *tokenConfig
		own   tokenConfig
	}{own: *c}
	made.inner = &made.own
	made.outer.c = &made.inner
	return &made.outer
}

// NewTokenConfig is for programs that have an [oauth2.Config] and headers for its
// token endpoint, but no [Connection]. The error is a [*ConfigError] that holds
// every problem with the headers; each pointer begins at the map.
//
// [oauth2.AuthStyleAutoDetect], the zero value, means AuthStyleInParams here:
// a guess that fails has spent the code. URLs are the program's own and not
// checked; make them https.
func NewTokenConfig(c oauth2.Config, headers Headers) (*TokenConfig, error) {
	list := make([]check.Header, 0, len(headers)) // a copy: later changes to the map change nothing
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		list = append(list, check.Header{Name: name, Value: headers[name].Reveal()})
	}
	if problems := valid.Members("", check.Headers(list)); problems != nil {
		return nil, configError("", problems)
	}
	c.Scopes = slices.Clone(c.Scopes) // the caller's
	config := tokenConfig{Tokens: endpoint.NewTokens(c, list, nil)}
	return config.public(), nil
}

// tokenConfig is what the connection says of its token requests.
func (c *Connection) tokenConfig(k *valid.Result, scopes []string) tokenConfig {
	o := &c.Options
	config := oauth2.Config{
		ClientID:     o.ClientID,
		ClientSecret: o.ClientSecret.Reveal(),
		Scopes:       scopes,
		Endpoint:     oauth2.Endpoint{AuthURL: k.Strategy.AuthURL, TokenURL: k.Strategy.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
	if k.Strategy.Protocol == strategy.OAuth1 { // its secret signs requests, and never leaves
		config.ClientSecret, config.Endpoint = "", oauth2.Endpoint{}
		return tokenConfig{Tokens: endpoint.NewTokens(config, k.Headers, nil)}
	}
	demands := o.demands(c.Strategy, k.Metadata.RequirePAR)
	switch method := o.TokenEndpointAuthMethod; {
	case method != "" && method != "client_secret_basic" && method != "client_secret_post", slices.Contains(demands, demandKey):
		config.ClientSecret = "" // none, or what a Protection does
	case method == "client_secret_basic", method == "" && k.Strategy.BasicAuth && !o.ClientSecret.IsZero():
		config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	t := tokenConfig{Tokens: endpoint.NewTokens(config, k.Headers, o.TokenParams)}
	if demands != nil {
		t.attachment = &attachment{connection: c.Name, unmet: demands}
	}
	return t
}

// Format prints the client id and nothing else, whatever the verb: a
// TokenConfig holds the client secret and header values.
func (c TokenConfig) Format(f fmt.State, verb rune) {
	id := ""
	if in := c.get(); in != nil {
		id = in.OAuth.ClientID
	}
	endpoint.PrintText(f, verb, fmt.Sprintf("upstream.TokenConfig(client %q)", id))
}

// Exchange spends an authorization code; see [oauth2.Config.Exchange]. With
// PKCE, opts holds [oauth2.VerifierOption].
//
// A resource or audience among opts goes with each refresh as well (RFC 8707
// section 2.2): the token carries them as the extras "upstream_resource" and
// "upstream_audience". JSON loses extras; a program that has stored the token
// gives them back with [oauth2.Token.WithExtra] before it calls TokenSource.
func (c *TokenConfig) Exchange(ctx context.Context, code string, opts ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
	in, err := c.usable()
	if err != nil {
		return nil, err
	}
	return in.Tokens.Exchange(ctx, in.wrap(TargetToken), code, opts)
}

// PasswordCredentialsToken is the resource owner password grant, for servers
// that leave no choice; see [oauth2.Config.PasswordCredentialsToken].
func (c *TokenConfig) PasswordCredentialsToken(ctx context.Context, username, password string) (*oauth2.Token, error) {
	in, err := c.usable()
	if err != nil {
		return nil, err
	}
	return in.Password(ctx, in.wrap(TargetToken), username, password)
}

// DeviceAuth begins a device login (RFC 8628); see [oauth2.Config.DeviceAuth].
// Unlike there, the context also ends the request. The custom headers are not
// sent: they belong to the token endpoint.
func (c *TokenConfig) DeviceAuth(ctx context.Context, opts ...oauth2.AuthCodeOption) (*oauth2.DeviceAuthResponse, error) {
	in := c.get()
	if in == nil || in.OAuth.Endpoint.DeviceAuthURL == "" {
		return nil, &endpoint.Error{Text: "there is no device authorization endpoint; set Endpoint.DeviceAuthURL"}
	}
	return in.Tokens.DeviceAuth(ctx, opts)
}

// DeviceAccessToken polls until the user has agreed on the other device; see
// [oauth2.Config.DeviceAccessToken].
func (c *TokenConfig) DeviceAccessToken(ctx context.Context, da *oauth2.DeviceAuthResponse, opts ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
	if da == nil {
		return nil, &endpoint.Error{Text: "there is no device authorization to poll for; call DeviceAuth first"}
	}
	in, err := c.usable()
	if err != nil {
		return nil, err
	}
	return in.Poll(ctx, in.wrap(TargetToken), da, opts)
}

// TokenSource gives t while it is valid, and refreshes it from then on; see
// [oauth2.Config.TokenSource]. A refresh that fails keeps the refresh token, so
// that the next call tries again. The source is a type of oauth2: print it with
// no verb.
func (c *TokenConfig) TokenSource(ctx context.Context, t *oauth2.Token) oauth2.TokenSource {
	in, err := c.usable()
	if err != nil {
		return endpoint.Unusable(t, err)
	}
	return in.Source(ctx, in.wrap(TargetToken), t)
}

// Client gives an HTTP client that sends the token with each request, and
// refreshes it; see [oauth2.Config.Client]. Requests use the transport, timeout,
// jar and CheckRedirect of the context's HTTP client, or of
// [http.DefaultClient], and carry no custom header.
//
// Redirects are followed as that client follows them. The token stays with the
// origin (scheme, host and port) of the first request: once a redirect has left
// it, the rest of the chain goes without, as net/http does it with a caller's
// own Authorization and oauth2's client does not.
func (c *TokenConfig) Client(ctx context.Context, t *oauth2.Token) *http.Client {
	source := c.TokenSource(ctx, t)
	var a *attachment
	if in := c.get(); in != nil {
		a = in.attachment
	}
	return endpoint.ResourceClient(ctx, a.wrap(TargetResource), func() (string, error) {
		token, err := source.Token()
		if err != nil {
			return "", err
		}
		return a.authorization(token)
	})
}
