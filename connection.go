package upstream

// This file owns the connection: its Go form, its JSON form, the way between
// the two without loss, and what a valid one is. It knows nothing of requests
// and does not say what a parameter means: see params.go.

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/metadata"
	"example.com/upstream/internal/strategy"
	"example.com/upstream/internal/strictjson"
)

// maxConnection bounds the JSON text of a connection, in bytes.
const maxConnection = 1 << 20

// A Secret is a text that is printed nowhere: fmt and slog show [redacted], and
// where they ask no type how it prints, as in an unexported field of another
// struct, the address of the text. JSON has it in full, also in a JSON log
// that finds one inside another value. The zero Secret is the empty text.
//
// Secrets are not comparable by ==, which would compare addresses: compare
// what Reveal gives.
type Secret struct {
	_    [0]func()
	text *string // fmt follows no pointer to a string
}

// NewSecret makes a Secret of a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal gives the text, to use it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the text is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

const redacted = "[redacted]"

// Format prints [redacted], whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue gives [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText gives the text in full: JSON is for storage.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.Reveal()), nil }

// UnmarshalText is the way back.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// Headers are the connection's customHeaders: values by name, as they are sent.
type Headers map[string]Secret

// A Connection is the configuration of one identity provider, in the shape
// that Auth0's Management API gives it. Build it with [ParseConnection], or as
// a literal. Fields hold what the program works with; a parsed Connection
// remembers its JSON as well, so that marshalling it loses nothing.
//
// A Connection may be read by many goroutines, and written by one alone.
type Connection struct {
	ID             string
	Name           string // letters, digits, single hyphens; part of some subjects
	Strategy       string // the vendor's name: "oauth2", "oidc", "github", "wordpress", "samlp", ...
	DisplayName    string // text of the login button
	EnabledClients []string
	Options        Options

	// InsecureAllowHTTP accepts http endpoints of hosts that are not loopback.
	// Codes, tokens and the client's secret then cross the network in the
	// clear. No JSON sets it.
	InsecureAllowHTTP bool

	doc  *lossless.Document // what it was parsed from; nil for a literal
	text []lossless.Problem // what the schema found wrong with doc; never written
}

// Options are the settings of a connection that the library reads. "", nil and
// false stand for absent.
type Options struct {
	ClientID     string // OAuth 1.0a: also consumer_key, consumerKey
	ClientSecret Secret // "" for a public client; OAuth 1.0a: also consumer_secret, consumerSecret

	AuthorizationURL string // also authorization_endpoint
	TokenURL         string // also token_endpoint
	UserinfoEndpoint string
	Issuer           string   // for module login: there is no discovery here,
	JWKSURI          string   // and no check of ID tokens
	DiscoveryURL     string   // where module login finds the metadata
	Scope            []string // each item may hold several scopes between spaces

	// OIDCMetadata is oidc_metadata, the IdP's own description of itself (OpenID
	// Connect Discovery 1.0 section 3, RFC 8414), in JSON. Its endpoints serve
	// where the options name none.
	OIDCMetadata json.RawMessage

	// OAuth 1.0a (RFC 5849 section 2).
	RequestTokenURL      string
	UserAuthorizationURL string
	AccessTokenURL       string

	UpstreamParams Params
	AuthParams     map[string]string // static: IdP parameter to value
	AuthParamsMap  map[string]Alias  // dynamic: IdP parameter to incoming one
	// CustomHeaders go with every request to the token endpoint, and no other.
	CustomHeaders Headers

	UseOAuthSpecScope bool   // useOauthSpecScope: connection_scope is joined by spaces, as OpenID Connect needs it
	PKCEEnabled       bool   // pkce_enabled: a code verifier is required
	PKCE              string // connection_settings.pkce: auto and S256 require a code verifier; or disabled

	// TokenEndpointAuthMethod is how the client proves who it is at the token
	// endpoint: client_secret_post, client_secret_basic or none. With
	// private_key_jwt, client_secret_jwt, tls_client_auth and
	// self_signed_tls_client_auth something has to be attached that does it.
	TokenEndpointAuthMethod            string
	TokenEndpointAuthSigningAlg        string            // of private_key_jwt and client_secret_jwt
	TokenEndpointJWTCAAudFormat        string            // issuer or token_endpoint: what a client assertion names as its audience
	TokenParams                        map[string]string // token_params: static parameters of each token request
	DPoPSigningAlg                     string            // dpop_signing_alg: tokens are bound to a key (RFC 9449)
	RequirePushedAuthorizationRequests bool              // RFC 9126 section 5

	// Apple's key for the client secret, which is a signed text: app_secret in
	// PEM, kid and team_id.
	AppSecret Secret
	KeyID     string
	TeamID    string

	// What the IdP's answers are held against, and read by.
	Type                      string   // back_channel, which the code flow is; front_channel is refused
	IDTokenSignedResponseAlgs []string // which ID tokens are taken
	SendBackChannelNonce      bool
	AttributeMap              json.RawMessage // attribute_map
	FieldsMap                 json.RawMessage // fieldsMap
	UserIDAttribute           string          // waad: userid_attribute
	ShouldTrustEmailVerified  string          // should_trust_email_verified_connection

	IconURL            string
	LogoutURL          string // logoutUrl
	EndSessionEndpoint string
	FetchUserProfile   Secret // scripts.fetchUserProfile, in JavaScript; often holds keys

	// What tells protocol and endpoints of some strategies.
	Protocol          string   // twitter: oauth1 or oauth2
	Domain            string   // okta: the host; google-apps and waad: the domain of the users
	TenantDomain      string   // waad, google-apps
	DomainAliases     []string // google-apps: further domains of the users
	TenantID          string   // waad: tenantId
	UseCommonEndpoint bool     // waad: useCommonEndpoint
	IdentityAPI       string   // waad
	UseWSFed          bool     // waad
	WAADProtocol      string   // waad
	CommunityBaseURL  string   // salesforce-community: community_base_url
	BaseURL           string   // exact: baseUrl
	StrategyVersion   int      // strategy_version: which of its provider's versions
}

// schema is what the library models of a connection's JSON. Never written.
var schema = lossless.NewSchema(
	member(func(c *Connection) lossless.Field { return lossless.Text(&c.ID) }, "id"),
	member(func(c *Connection) lossless.Field { return lossless.NonEmpty(&c.Name) }, "name"),
	member(func(c *Connection) lossless.Field { return lossless.Text(&c.Strategy) }, "strategy"),
	member(func(c *Connection) lossless.Field { return lossless.NonEmpty(&c.DisplayName) }, "display_name"),
	member(func(c *Connection) lossless.Field { return lossless.List(&c.EnabledClients) }, "enabled_clients"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.ClientID) }, "client_id", "consumer_key", "consumerKey"),
	option(func(o *Options) lossless.Field { return secretField(&o.ClientSecret) }, "client_secret", "consumer_secret", "consumerSecret"),
	option(func(o *Options) lossless.Field { return lossless.NonEmpty(&o.AuthorizationURL) }, "authorizationURL", "authorization_endpoint"),
	option(func(o *Options) lossless.Field { return lossless.NonEmpty(&o.TokenURL) }, "tokenURL", "token_endpoint"),
	option(func(o *Options) lossless.Field { return lossless.NonEmpty(&o.UserinfoEndpoint) }, "userinfo_endpoint"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.Issuer) }, "issuer"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.JWKSURI) }, "jwks_uri"),
	option(func(o *Options) lossless.Field { return lossless.TextOrList(&o.Scope) }, "scope"),
	option(func(o *Options) lossless.Field { return lossless.NonEmpty(&o.UserAuthorizationURL) }, "userAuthorizationURL"),
	option(func(o *Options) lossless.Field { return lossless.NonEmpty(&o.RequestTokenURL) }, "requestTokenURL"),
	option(func(o *Options) lossless.Field { return lossless.NonEmpty(&o.AccessTokenURL) }, "accessTokenURL"),
	option(func(o *Options) lossless.Field { return paramsField{&o.UpstreamParams} }, "upstream_params"),
	option(func(o *Options) lossless.Field { return lossless.Dict(&o.AuthParams) }, "authParams"),
	option(func(o *Options) lossless.Field { return lossless.Dict(&o.AuthParamsMap) }, "authParamsMap"),
	option(func(o *Options) lossless.Field {
		return lossless.DictOrText((*map[string]Secret)(&o.CustomHeaders), NewSecret, Secret.Reveal)
	}, "customHeaders"),
	option(func(o *Options) lossless.Field { return lossless.Flag(&o.UseOAuthSpecScope) }, "useOauthSpecScope"),
	option(func(o *Options) lossless.Field { return lossless.Flag(&o.PKCEEnabled) }, "pkce_enabled"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.PKCE) }, "connection_settings/pkce"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.TokenEndpointAuthMethod) }, "token_endpoint_auth_method"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.IconURL) }, "icon_url"),
	option(func(o *Options) lossless.Field { return secretField(&o.FetchUserProfile) }, "scripts/fetchUserProfile"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.Protocol) }, "protocol"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.Domain) }, "domain"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.TenantDomain) }, "tenant_domain"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.IdentityAPI) }, "identity_api"),
	option(func(o *Options) lossless.Field { return lossless.Flag(&o.UseWSFed) }, "use_wsfed"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.WAADProtocol) }, "waad_protocol"),
	option(func(o *Options) lossless.Field { return lossless.Raw(&o.OIDCMetadata) }, "oidc_metadata"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.DiscoveryURL) }, "discovery_url"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.TokenEndpointAuthSigningAlg) }, "token_endpoint_auth_signing_alg"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.TokenEndpointJWTCAAudFormat) }, "token_endpoint_jwtca_aud_format"),
	option(func(o *Options) lossless.Field { return lossless.Dict(&o.TokenParams) }, "token_params"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.DPoPSigningAlg) }, "dpop_signing_alg"),
	option(func(o *Options) lossless.Field { return lossless.Flag(&o.RequirePushedAuthorizationRequests) }, "require_pushed_authorization_requests"),
	option(func(o *Options) lossless.Field { return secretField(&o.AppSecret) }, "app_secret"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.KeyID) }, "kid"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.TeamID) }, "team_id"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.Type) }, "type"),
	option(func(o *Options) lossless.Field { return lossless.List(&o.IDTokenSignedResponseAlgs) }, "id_token_signed_response_algs"),
	option(func(o *Options) lossless.Field { return lossless.Flag(&o.SendBackChannelNonce) }, "send_back_channel_nonce"),
	option(func(o *Options) lossless.Field { return lossless.Raw(&o.AttributeMap) }, "attribute_map"),
	option(func(o *Options) lossless.Field { return lossless.Raw(&o.FieldsMap) }, "fieldsMap"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.UserIDAttribute) }, "userid_attribute"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.ShouldTrustEmailVerified) }, "should_trust_email_verified_connection"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.LogoutURL) }, "logoutUrl"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.EndSessionEndpoint) }, "end_session_endpoint"),
	option(func(o *Options) lossless.Field { return lossless.List(&o.DomainAliases) }, "domain_aliases"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.TenantID) }, "tenantId"),
	option(func(o *Options) lossless.Field { return lossless.Flag(&o.UseCommonEndpoint) }, "useCommonEndpoint"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.CommunityBaseURL) }, "community_base_url"),
	option(func(o *Options) lossless.Field { return lossless.Text(&o.BaseURL) }, "baseUrl"),
	option(func(o *Options) lossless.Field { return lossless.Integer(&o.StrategyVersion) }, "strategy_version"),
)

func secretField(s *Secret) lossless.Field { return lossless.Opaque(s, NewSecret, Secret.Reveal) }

func member(field func(*Connection) lossless.Field, paths ...string) lossless.Member[Connection] {
	return lossless.Member[Connection]{Paths: paths, Field: field}
}

func option(field func(*Options) lossless.Field, names ...string) lossless.Member[Connection] {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = "options/" + name
	}
	return member(func(c *Connection) lossless.Field { return field(&c.Options) }, paths...)
}

// A ConfigError holds everything that is wrong with a connection.
type ConfigError struct {
	Connection string    // its name, where it has one
	Problems   []Problem // the first 100
	More       int       // how many there are beside them
}

const (
	maxProblems = 100 // that an error lists
	maxShown    = 256 // bytes of one text in an error
)

// configError lists what can be read and counts the rest.
func configError(connection string, problems []Problem) *ConfigError {
	listed := min(len(problems), maxProblems)
	return &ConfigError{connection, slices.Clip(problems[:listed]), len(problems) - listed}
}

// shown gives as much of a text as an error shows of it: names and pointers
// may be as long as the connection.
func shown(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "..."
}

// A Problem is one thing that is wrong with a connection.
type Problem struct {
	Pointer string // RFC 6901, such as /options/upstream_params/blog/alias
	Message string // what is wrong and the remedy; holds no secret
}

// Error lists the problems in one line.
func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString("upstream: connection")
	if e.Connection != "" {
		fmt.Fprintf(&b, " %q", shown(e.Connection))
	}
	for i, p := range e.Problems {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		if p.Pointer != "" {
			quoted := strconv.Quote(shown(p.Pointer)) // keeps the message on one line
			b.WriteString(quoted[1:len(quoted)-1] + " ")
		}
		b.WriteString(p.Message)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "; and %d more", e.More)
	}
	return b.String()
}

// ParseConnection reads a connection object, whole or the body of a Create or
// Update. It refuses only what is not one JSON object, is over 1 MiB, deeper
// than 64 levels, or holds a member twice in one object; the error is a
// [*ConfigError]. All else that may be wrong with it is told by
// [Connection.Validate], so that a connection of any kind can be read, changed
// and written back. The maps of the result are never nil. data is not kept.
func ParseConnection(data []byte) (*Connection, error) {
	c := new(Connection)
	if err := c.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	return c, nil
}

// UnmarshalJSON is [ParseConnection] for encoding/json.
func (c *Connection) UnmarshalJSON(data []byte) error {
	switch {
	case c == nil:
		return &ConfigError{Problems: []Problem{{"", "there is no connection to read into"}}}
	case len(data) > maxConnection:
		return &ConfigError{Problems: []Problem{{"", "is longer than 1 MiB"}}}
	}
	return c.read(data)
}

// read is UnmarshalJSON of any length.
func (c *Connection) read(data []byte) error {
	refuse := func(pointer, message string) error {
		return &ConfigError{Problems: []Problem{{pointer, message}}}
	}
	var syntax *strictjson.Error
	if err := strictjson.Check(data); errors.As(err, &syntax) {
		return refuse(syntax.Pointer, "cannot be read: "+syntax.Error())
	}
	if !strictjson.IsObject(data) {
		return refuse("", "must be a JSON object")
	}
	*c = Connection{doc: schema.Open(slices.Clone(data))} // the caller may reuse its buffer
	c.text = schema.Decode(c.doc, c)
	o := &c.Options // where the program can assign to an entry at once
	o.UpstreamParams = made(o.UpstreamParams)
	o.AuthParams = made(o.AuthParams)
	o.AuthParamsMap = made(o.AuthParamsMap)
	o.CustomHeaders = made(o.CustomHeaders)
	o.TokenParams = made(o.TokenParams)
	return nil
}

// made gives the map, made if it is nil.
func made[M ~map[string]V, V any](m M) M {
	if m == nil {
		return M{}
	}
	return m
}

// MarshalJSON writes the connection. Of a parsed one, everything that the
// program has not changed keeps its text and its place, modelled or not; a
// field set to its zero value loses its member, but false is written as such,
// and a map loses its entries. Secrets are written in full. The error is a
// [*ConfigError] for a json.RawMessage of the program's that is not JSON.
func (c Connection) MarshalJSON() ([]byte, error) {
	text, err := c.marshal()
	return slices.Clone(text), err
}

// marshal may give the document's own text: not to be changed.
func (c *Connection) marshal() ([]byte, error) {
	doc, edits := c.doc.Text(), c.edits()
	if doc == nil {
		doc = []byte("{}")
	}
	if len(edits) > 0 { // else the raw texts are the document's
		if problems := c.notJSON(); problems != nil {
			return nil, configError(c.Name, problems)
		}
	}
	return strictjson.Apply(doc, edits), nil
}

func (c *Connection) edits() []strictjson.Edit {
	edits := schema.Edits(c.doc, c)
	if len(edits) > 0 && c.protocol().Protocol == strategy.OIDC {
		// OpenID Connect strategies know only these spellings. A document that has
		// the other one keeps it: the edit then replaces a member.
		for i, e := range edits {
			switch path := strings.Join(e.Path, "/"); {
			case c.doc.Lookup(path) != nil:
			case path == "options/authorizationURL":
				edits[i].Path = []string{"options", "authorization_endpoint"}
			case path == "options/tokenURL":
				edits[i].Path = []string{"options", "token_endpoint"}
			}
		}
	}
	return edits
}

// UpdateBody returns {"options": {...}}, the body with which the Management
// API's Update changes a connection's options. An Update replaces options as a
// whole; so a connection without them, or one that was parsed without them, is
// refused, because its body would wipe out what the API still has. What the
// options say is not looked at: call [Connection.Validate] first.
func (c *Connection) UpdateBody() ([]byte, error) {
	var options []byte
	if c != nil && (c.doc == nil || strictjson.IsObject(c.doc.Lookup("options"))) {
		text, err := c.marshal()
		if err != nil {
			return nil, err
		}
		options = lossless.Lookup(text, "options")
	}
	if options == nil {
		return nil, configError(c.name(), []Problem{{"/options", "were not read; get the whole connection first"}})
	}
	return strictjson.Apply(nil, []strictjson.Edit{{Path: []string{"options"}, Value: options}}), nil
}

func (c *Connection) name() string {
	if c == nil {
		return ""
	}
	return c.Name
}

// Format prints what identifies the connection and nothing that may be secret.
func (c Connection) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "upstream.Connection{ID:%q Name:%q Strategy:%q Options:%v}", c.ID, c.Name, c.Strategy, c.Options)
}

// LogValue gives what Format prints.
func (c Connection) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Format prints the client and the names of the parameters, and nothing that
// may be secret.
func (o Options) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "upstream.Options{ClientID:%q ClientSecret:%v UpstreamParams:%q}",
		o.ClientID, o.ClientSecret, lossless.Keys(nil, o.UpstreamParams))
}

// LogValue gives what Format prints.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }

// Limits of the vendor's schema, in characters (rule C5).
const (
	maxDisplayName  = 128
	maxClientID     = 128
	maxClientSecret = 1024
	maxAuthURL      = 2083
	maxURL          = 255
	maxScopeText    = 4096
	maxScopes       = 20 // items
	maxScope        = 189
	maxScript       = 51200
	maxAuthParams   = 30 // members
	maxAuthParam    = 256
	maxAuthParamMap = 21 // members
)

// Validate reports everything that keeps the connection from being used, all
// at once, as a [*ConfigError]. That its protocol has no OAuth authorization
// endpoint is not among it: [NewProvider] tells that.
func (c *Connection) Validate() error {
	if problems := c.check().problems; len(problems) > 0 {
		return configError(c.name(), problems)
	}
	return nil
}

// checked is what a connection comes to: its problems, and if there are none,
// what the plan is made of.
type checked struct {
	problems []Problem
	reported map[string]bool    // pointers of the problems
	doc      *lossless.Document // of the connection
	strategy strategy.Strategy  // with the endpoints of options, where they have any
	metadata metadata.Metadata
	base     string // authorization endpoint without its query
	entries  []entry
}

// report adds a problem. The first at a place is the one that matters.
func (k *checked) report(pointer, message string) {
	if message == "" || k.reported[pointer] {
		return
	}
	k.reported = made(k.reported)
	k.reported[pointer] = true
	k.problems = append(k.problems, Problem{pointer, message})
}

// reportAt adds a problem, if there is one, with a member that may have several
// spellings.
func (k *checked) reportAt(message string, paths ...string) {
	if message != "" {
		k.report(k.doc.Spelling(paths...), message)
	}
}

// headers gives the custom headers in the order of the configuration.
func (c *Connection) headers() []header {
	var out []header
	for _, name := range lossless.Keys(c.doc.Lookup("options/customHeaders"), c.Options.CustomHeaders) {
		out = append(out, header{name, c.Options.CustomHeaders[name].Reveal()})
	}
	return out
}

func (c *Connection) protocol() strategy.Strategy {
	o := &c.Options
	return strategy.Lookup(c.Strategy, strategy.Settings{Protocol: o.Protocol, Domain: o.Domain,
		TenantDomain: o.TenantDomain, IdentityAPI: o.IdentityAPI, UseWSFed: o.UseWSFed, WAADProtocol: o.WAADProtocol})
}

func (c *Connection) check() *checked {
	k := new(checked)
	if c == nil {
		k.report("", "there is no connection")
		return k
	}
	k.doc = c.doc
	k.strategy = c.protocol()
	c.checkText(k)
	if c.Strategy == "" {
		k.report("/strategy", `is missing; a custom social connection has "oauth2"`)
	}
	if c.Name == "" && k.strategy.Named {
		k.report("/name", "is missing; the subjects of this strategy's users hold it")
	} else if c.Name != "" {
		k.report("/name", check.ConnectionName(c.Name))
	}
	k.report("/display_name", check.Length(c.DisplayName, maxDisplayName))
	c.checkRaw(k)
	c.checkOptions(k)
	c.checkEndpoints(k)
	for _, p := range headerProblems(c.headers()) {
		k.report("/options/customHeaders"+p.Pointer, p.Message)
	}
	return k
}

// checkText reports what the schema found in the text, as far as the program
// has not changed it since.
func (c *Connection) checkText(k *checked) {
	if len(c.text) == 0 {
		return
	}
	var changed []string
	for _, e := range c.edits() {
		at := ""
		for _, name := range e.Path {
			at += strictjson.Pointer(name)
		}
		changed = append(changed, at)
	}
	for _, p := range c.text {
		if c.Strategy == "twitter" && k.strategy.Protocol == strategy.OAuth2 && strings.HasPrefix(p.Pointer, "/options/consumer") {
			continue // an app has a pair for each protocol there, and this one is not in use
		}
		if !slices.ContainsFunc(changed, func(at string) bool { return p.Pointer == at || strings.HasPrefix(p.Pointer, at+"/") }) {
			k.report(p.Pointer, p.Message)
		}
	}
}

// checkRaw checks the options that are JSON texts, which the program may have
// set to anything, and reads the metadata.
func (c *Connection) checkRaw(k *checked) {
	if problems := c.notJSON(); problems != nil {
		for _, p := range problems {
			k.report(p.Pointer, p.Message)
		}
		return
	}
	var problems []metadata.Problem
	k.metadata, problems = metadata.Read(c.Options.OIDCMetadata)
	for _, p := range problems {
		k.report("/options/oidc_metadata"+p.Pointer, p.Message)
	}
}

// notJSON gives the options that have to be JSON texts and are not.
func (c *Connection) notJSON() (problems []Problem) {
	o := &c.Options
	for _, raw := range []struct {
		at   string
		text json.RawMessage
	}{{"oidc_metadata", o.OIDCMetadata}, {"attribute_map", o.AttributeMap}, {"fieldsMap", o.FieldsMap}} {
		var syntax *strictjson.Error
		if len(raw.text) > 0 && errors.As(strictjson.Check(raw.text), &syntax) {
			problems = append(problems, Problem{"/options/" + raw.at, "cannot be read as JSON: " + syntax.Error()})
		}
	}
	return problems
}

func (c *Connection) checkOptions(k *checked) {
	o := &c.Options
	oauth2 := k.strategy.Protocol == strategy.OAuth2 || k.strategy.Protocol == strategy.OIDC
	clientID := []string{"options/client_id", "options/consumer_key", "options/consumerKey"}
	if o.ClientID == "" && oauth2 {
		k.reportAt("is missing; the identity provider gave it when the auth server was registered there", clientID...)
	}
	k.reportAt(check.Length(o.ClientID, maxClientID), clientID...)
	k.reportAt(check.Length(o.ClientSecret.Reveal(), maxClientSecret),
		"options/client_secret", "options/consumer_secret", "options/consumerSecret")
	if o.IconURL != "" {
		k.reportAt(check.WebURL(o.IconURL, maxURL), "options/icon_url")
	}
	if _, isArray := strictjson.Elements(c.doc.Lookup("options/scope")); isArray {
		if len(o.Scope) > maxScopes {
			k.reportAt(fmt.Sprintf("has more than %d items; join some by spaces", maxScopes), "options/scope")
		}
		for i, scope := range o.Scope {
			if message := check.Length(scope, maxScope); message != "" {
				k.report("/options/scope/"+strconv.Itoa(i), message)
			}
		}
	} else {
		k.reportAt(check.Length(strings.Join(o.Scope, " "), maxScopeText), "options/scope")
	}
	k.reportAt(check.Length(o.FetchUserProfile.Reveal(), maxScript), "options/scripts/fetchUserProfile")
	switch o.PKCE {
	case "", "auto", "S256":
	case "disabled":
		if o.PKCEEnabled {
			k.reportAt("is disabled while pkce_enabled is true; keep one of them", "options/connection_settings/pkce")
		}
	case "plain":
		k.reportAt("must not be plain, which protects nothing (RFC 9700); use S256", "options/connection_settings/pkce")
	default:
		k.reportAt("must be auto, S256 or disabled", "options/connection_settings/pkce")
	}
	switch o.TokenEndpointAuthMethod {
	case "", "client_secret_basic", "client_secret_post", "none":
	case "private_key_jwt", "client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth": // see Provider.Demands
	default:
		k.reportAt("must be client_secret_post, client_secret_basic, none, private_key_jwt, client_secret_jwt, tls_client_auth or "+
			"self_signed_tls_client_auth", "options/token_endpoint_auth_method")
	}
	if c.Strategy == "twitter" && o.Protocol != "" && o.Protocol != "oauth1" && o.Protocol != "oauth2" {
		k.reportAt("must be oauth1 or oauth2", "options/protocol")
	}
}

// checkEndpoints checks URLs, puts those of options in the place of the
// strategy's own, and collects the layers, the authorization endpoint's query
// among them.
func (c *Connection) checkEndpoints(k *checked) {
	o, s := &c.Options, &k.strategy
	use := func(value string, own *string, most int, required bool, paths ...string) {
		if value != "" {
			k.reportAt(check.Endpoint(value, most, c.InsecureAllowHTTP), paths...)
			*own = value
		} else if *own == "" && required {
			names := strings.ReplaceAll(strings.Join(paths, " or "), "options/", "")
			switch c.Strategy {
			case "okta":
				names += ", or domain to the host name of the organization"
			case "waad":
				names += ", or tenant_domain to the host name or id of the tenant"
			}
			k.reportAt("is missing; set "+names+", since strategy "+strconv.Quote(shown(c.Strategy))+" has no endpoint of its own", paths...)
		}
	}
	// URLs of the protocol that the strategy does not speak are checked all the
	// same, and lead nowhere.
	first, second := new(strategy.Strategy), s
	if s.Protocol == strategy.OAuth1 {
		first, second = s, first
	}
	c.useMetadata(k)
	*s = s.With(o.TokenURL)
	oauth1, oauth2 := s.Protocol == strategy.OAuth1, s.Protocol == strategy.OAuth2 || s.Protocol == strategy.OIDC
	at := []string{"options/authorizationURL", "options/authorization_endpoint"}
	use(o.AuthorizationURL, &second.AuthURL, maxAuthURL, oauth2, at...)
	use(o.TokenURL, &second.TokenURL, maxURL, oauth2, "options/tokenURL", "options/token_endpoint")
	userAt := "options/userAuthorizationURL"
	use(o.UserAuthorizationURL, &first.AuthURL, maxURL, oauth1, userAt)
	use(o.RequestTokenURL, &first.RequestTokenURL, maxURL, oauth1, "options/requestTokenURL")
	use(o.AccessTokenURL, &first.TokenURL, maxURL, oauth1, "options/accessTokenURL")
	use(o.UserinfoEndpoint, &s.UserinfoURL, maxURL, false, "options/userinfo_endpoint")
	if oauth1 {
		at = []string{userAt}
	}
	base, query, _ := strings.Cut(s.AuthURL, "?")
	k.base, k.entries = base, c.entries(k, query, c.doc.Spelling(at...))
}

// useMetadata puts the endpoints of oidc_metadata in the place of the
// strategy's own, where the options name none. (rule O8)
func (c *Connection) useMetadata(k *checked) {
	o, m, s := &c.Options, &k.metadata, &k.strategy
	if s.Protocol != strategy.OAuth2 && s.Protocol != strategy.OIDC {
		return
	}
	use := func(value string, own *string, most int, name string) {
		if value != "" {
			k.report("/options/oidc_metadata/"+name, check.Endpoint(value, most, c.InsecureAllowHTTP))
			*own = value
		}
	}
	if o.TokenURL == "" {
		*s = s.With(m.TokenEndpoint)
		use(m.TokenEndpoint, &s.TokenURL, maxURL, "token_endpoint")
	}
	if o.AuthorizationURL == "" {
		use(m.AuthorizationEndpoint, &s.AuthURL, maxAuthURL, "authorization_endpoint")
	}
	if o.UserinfoEndpoint == "" {
		use(m.UserinfoEndpoint, &s.UserinfoURL, maxURL, "userinfo_endpoint")
	}
}
