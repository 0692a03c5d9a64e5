package upstream

// This file owns the connection: its Go form, its JSON form, the way between
// the two without loss, and what a valid one is. Which options there are is in
// internal/option, what a parameter may be in params.go: each hands its problems
// up to here. It knows nothing of requests, tokens and profiles.

import (
	"cmp"
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
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/outgoing"
	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/strategy"
	"example.com/upstream/internal/strictjson"
)

// maxConnection bounds the JSON text of a connection, in bytes.
const maxConnection = 1 << 20

// Headers are the connection's customHeaders: values by name, as they are sent.
type Headers map[string]Secret

// LogValue gives the names; JSON logs would have the values.
func (h Headers) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(h)) }

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

	UpstreamParams map[string]Param
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

// SetUpstreamParam puts an entry into UpstreamParams, and makes the map where it
// is nil, as that of a literal is.
func (o *Options) SetUpstreamParam(name string, p Param) {
	o.UpstreamParams = made(o.UpstreamParams)
	o.UpstreamParams[name] = p
}

// schema binds members of the table of options to fields. Never written.
var schema = lossless.NewSchema(
	member("id", func(c *Connection) lossless.Field { return lossless.Text(&c.ID) }),
	member("name", func(c *Connection) lossless.Field { return lossless.NonEmpty(&c.Name) }),
	member("strategy", func(c *Connection) lossless.Field { return lossless.Text(&c.Strategy) }),
	member("display_name", func(c *Connection) lossless.Field { return lossless.NonEmpty(&c.DisplayName) }),
	member("enabled_clients", func(c *Connection) lossless.Field { return lossless.List(&c.EnabledClients) }),
	setting("options/client_id", func(o *Options) lossless.Field { return lossless.Text(&o.ClientID) }),
	setting("options/client_secret", func(o *Options) lossless.Field { return secretField(&o.ClientSecret) }),
	setting("options/authorizationURL", func(o *Options) lossless.Field { return lossless.NonEmpty(&o.AuthorizationURL) }),
	setting("options/tokenURL", func(o *Options) lossless.Field { return lossless.NonEmpty(&o.TokenURL) }),
	setting("options/userinfo_endpoint", func(o *Options) lossless.Field { return lossless.NonEmpty(&o.UserinfoEndpoint) }),
	setting("options/issuer", func(o *Options) lossless.Field { return lossless.Text(&o.Issuer) }),
	setting("options/jwks_uri", func(o *Options) lossless.Field { return lossless.Text(&o.JWKSURI) }),
	setting("options/scope", func(o *Options) lossless.Field { return lossless.TextOrList(&o.Scope) }),
	setting("options/userAuthorizationURL", func(o *Options) lossless.Field { return lossless.NonEmpty(&o.UserAuthorizationURL) }),
	setting("options/requestTokenURL", func(o *Options) lossless.Field { return lossless.NonEmpty(&o.RequestTokenURL) }),
	setting("options/accessTokenURL", func(o *Options) lossless.Field { return lossless.NonEmpty(&o.AccessTokenURL) }),
	setting("options/upstream_params", func(o *Options) lossless.Field { return paramsField{&o.UpstreamParams} }),
	setting("options/authParams", func(o *Options) lossless.Field { return lossless.Dict(&o.AuthParams) }),
	setting("options/authParamsMap", func(o *Options) lossless.Field { return lossless.Dict(&o.AuthParamsMap) }),
	setting("options/customHeaders", func(o *Options) lossless.Field {
		return lossless.DictOrText((*map[string]Secret)(&o.CustomHeaders), NewSecret, Secret.Reveal)
	}),
	setting("options/useOauthSpecScope", func(o *Options) lossless.Field { return lossless.Flag(&o.UseOAuthSpecScope) }),
	setting("options/pkce_enabled", func(o *Options) lossless.Field { return lossless.Flag(&o.PKCEEnabled) }),
	setting("options/connection_settings/pkce", func(o *Options) lossless.Field { return lossless.Text(&o.PKCE) }),
	setting("options/token_endpoint_auth_method", func(o *Options) lossless.Field { return lossless.Text(&o.TokenEndpointAuthMethod) }),
	setting("options/icon_url", func(o *Options) lossless.Field { return lossless.Text(&o.IconURL) }),
	setting("options/scripts/fetchUserProfile", func(o *Options) lossless.Field { return secretField(&o.FetchUserProfile) }),
	setting("options/protocol", func(o *Options) lossless.Field { return lossless.Text(&o.Protocol) }),
	setting("options/domain", func(o *Options) lossless.Field { return lossless.Text(&o.Domain) }),
	setting("options/tenant_domain", func(o *Options) lossless.Field { return lossless.Text(&o.TenantDomain) }),
	setting("options/identity_api", func(o *Options) lossless.Field { return lossless.Text(&o.IdentityAPI) }),
	setting("options/use_wsfed", func(o *Options) lossless.Field { return lossless.Flag(&o.UseWSFed) }),
	setting("options/waad_protocol", func(o *Options) lossless.Field { return lossless.Text(&o.WAADProtocol) }),
	setting("options/oidc_metadata", func(o *Options) lossless.Field { return lossless.Raw(&o.OIDCMetadata) }),
	setting("options/discovery_url", func(o *Options) lossless.Field { return lossless.Text(&o.DiscoveryURL) }),
	setting("options/token_endpoint_auth_signing_alg", func(o *Options) lossless.Field { return lossless.Text(&o.TokenEndpointAuthSigningAlg) }),
	setting("options/token_endpoint_jwtca_aud_format", func(o *Options) lossless.Field { return lossless.Text(&o.TokenEndpointJWTCAAudFormat) }),
	setting("options/token_params", func(o *Options) lossless.Field { return lossless.Dict(&o.TokenParams) }),
	setting("options/dpop_signing_alg", func(o *Options) lossless.Field { return lossless.Text(&o.DPoPSigningAlg) }),
	setting("options/require_pushed_authorization_requests", func(o *Options) lossless.Field { return lossless.Flag(&o.RequirePushedAuthorizationRequests) }),
	setting("options/app_secret", func(o *Options) lossless.Field { return secretField(&o.AppSecret) }),
	setting("options/kid", func(o *Options) lossless.Field { return lossless.Text(&o.KeyID) }),
	setting("options/team_id", func(o *Options) lossless.Field { return lossless.Text(&o.TeamID) }),
	setting("options/type", func(o *Options) lossless.Field { return lossless.Text(&o.Type) }),
	setting("options/id_token_signed_response_algs", func(o *Options) lossless.Field { return lossless.List(&o.IDTokenSignedResponseAlgs) }),
	setting("options/send_back_channel_nonce", func(o *Options) lossless.Field { return lossless.Flag(&o.SendBackChannelNonce) }),
	setting("options/attribute_map", func(o *Options) lossless.Field { return lossless.Raw(&o.AttributeMap) }),
	setting("options/fieldsMap", func(o *Options) lossless.Field { return lossless.Raw(&o.FieldsMap) }),
	setting("options/userid_attribute", func(o *Options) lossless.Field { return lossless.Text(&o.UserIDAttribute) }),
	setting("options/should_trust_email_verified_connection", func(o *Options) lossless.Field { return lossless.Text(&o.ShouldTrustEmailVerified) }),
	setting("options/logoutUrl", func(o *Options) lossless.Field { return lossless.Text(&o.LogoutURL) }),
	setting("options/end_session_endpoint", func(o *Options) lossless.Field { return lossless.Text(&o.EndSessionEndpoint) }),
	setting("options/domain_aliases", func(o *Options) lossless.Field { return lossless.List(&o.DomainAliases) }),
	setting("options/tenantId", func(o *Options) lossless.Field { return lossless.Text(&o.TenantID) }),
	setting("options/useCommonEndpoint", func(o *Options) lossless.Field { return lossless.Flag(&o.UseCommonEndpoint) }),
	setting("options/community_base_url", func(o *Options) lossless.Field { return lossless.Text(&o.CommunityBaseURL) }),
	setting("options/baseUrl", func(o *Options) lossless.Field { return lossless.Text(&o.BaseURL) }),
	setting("options/strategy_version", func(o *Options) lossless.Field { return lossless.Integer(&o.StrategyVersion) }),
)

func secretField(s *Secret) lossless.Field { return lossless.Opaque(s, NewSecret, Secret.Reveal) }

func member(path string, field func(*Connection) lossless.Field) lossless.Member[Connection] {
	return lossless.Member[Connection]{Paths: option.Get(path).Paths(), Field: field}
}

func setting(path string, field func(*Options) lossless.Field) lossless.Member[Connection] {
	return member(path, func(c *Connection) lossless.Field { return field(&c.Options) })
}

// A ConfigError holds everything that is wrong with a connection.
type ConfigError struct {
	Connection string    // its name, where it has one
	Problems   []Problem // the first 100
	More       int       // how many there are beside them
}

const (
	maxProblems = 100 // that an error lists
)

// configError lists what can be read and counts the rest.
func configError(connection string, problems []Problem) *ConfigError {
	listed := min(len(problems), maxProblems)
	return &ConfigError{connection, slices.Clip(problems[:listed]), len(problems) - listed}
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
		fmt.Fprintf(&b, " %q", check.Shown(e.Connection))
	}
	for i, p := range e.Problems {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		if p.Pointer != "" {
			quoted := strconv.Quote(check.Shown(p.Pointer)) // keeps the message on one line
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

// Validate reports everything that keeps the connection from being used, all
// at once, as a [*ConfigError]. That its protocol has no OAuth authorization
// endpoint is not among it: [NewProvider] tells that.
func (c *Connection) Validate() error {
	if problems := c.check().problems; len(problems) > 0 {
		return configError(c.name(), problems)
	}
	return nil
}

// maxWarnings bounds what Warnings lists.
const maxWarnings = 100

// Warnings gives what the connection says and nothing will come of: members
// that the library does not know, with the nearest known name; those that
// another strategy reads; a scope that lacks what OpenID Connect needs. They
// are like the problems of [Connection.Validate], and keep nothing from
// working: print them where an operator looks. At most 100 are listed. For a
// protocol that [NewProvider] refuses there are none.
func (c *Connection) Warnings() []Problem {
	k := c.check()
	if c == nil || !k.strategy.OAuth() && k.strategy.Protocol != strategy.Unknown {
		return nil
	}
	text, err := c.marshal()
	if err != nil {
		return nil // a problem
	}
	option.Warn(schema.Open(text).Members, c.Strategy, len(c.Options.Scope) > 0, k.warn)
	return slices.Clip(k.warnings[:min(len(k.warnings), maxWarnings)])
}

// checked is what a connection comes to: its problems, and if there are none,
// what the plan is made of.
type checked struct {
	problems []Problem
	warnings []Problem          // but those about names, see Warnings
	reported map[string]bool    // pointers of the problems
	doc      *lossless.Document // of the connection
	strategy strategy.Strategy  // with the endpoints of options, where they have any
	metadata metadata.Metadata
	base     string // authorization endpoint without its query
	entries  []outgoing.Entry
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

// add reports each of them.
func (k *checked) add(problems []Problem) {
	for _, p := range problems {
		k.report(p.Pointer, p.Message)
	}
}

// reportAt adds a problem, if there is one, with the member at a path; with one
// of the table of options in the spelling that the connection uses.
func (k *checked) reportAt(path, message string) {
	if message == "" {
		return
	}
	if m := option.Get(path); m != nil {
		k.report(k.doc.Spelling(m.Paths()...), message)
	} else {
		k.report("/"+path, message)
	}
}

// warn adds a warning, if there is one. (rule O2)
func (k *checked) warn(pointer, message string) {
	if message != "" {
		k.warnings = append(k.warnings, Problem{pointer, message})
	}
}

// bound gives the limits of a member of the table of options. (rule O7)
func (c *Connection) bound(path string) option.Limit { return option.Get(path).Bound(c.Strategy) }

// headers gives the custom headers in the order of the configuration.
func (c *Connection) headers() []check.Header {
	var out []check.Header
	for _, name := range lossless.Keys(c.doc.Lookup("options/customHeaders"), c.Options.CustomHeaders) {
		out = append(out, check.Header{Name: name, Value: c.Options.CustomHeaders[name].Reveal()})
	}
	return out
}

// memberProblems gives what was found in an object that stands at a pointer.
func memberProblems(at string, found []check.Problem) (problems []Problem) {
	for _, p := range found {
		pointer := at
		if p.OfOne {
			pointer += strictjson.Pointer(p.Name)
		}
		problems = append(problems, Problem{pointer, p.Message})
	}
	return problems
}

func (c *Connection) protocol() strategy.Strategy {
	o := &c.Options
	return strategy.Lookup(c.Strategy, strategy.Settings{Protocol: o.Protocol, Domain: o.Domain,
		TenantDomain: o.TenantDomain, TenantID: o.TenantID, UseCommonEndpoint: o.UseCommonEndpoint,
		IdentityAPI: o.IdentityAPI, UseWSFed: o.UseWSFed, WAADProtocol: o.WAADProtocol,
		CommunityBaseURL: o.CommunityBaseURL, BaseURL: o.BaseURL, Version: o.StrategyVersion})
}

func (c *Connection) check() *checked {
	k := new(checked)
	if c == nil {
		k.report("", "there is no connection")
		return k
	}
	k.doc = c.doc
	k.strategy = c.protocol()
	option.Mistakes(c.doc.Members, !k.strategy.OAuth() && k.strategy.Protocol != strategy.Unknown, k.report)
	c.checkText(k)
	if c.Strategy == "" {
		k.report("/strategy", `is missing; a custom social connection has "oauth2"`)
	}
	switch {
	case !k.strategy.Named:
		k.report("/name", check.Length(c.Name, c.bound("name").Text))
	case c.Name == "":
		k.report("/name", "is missing; the subjects of this strategy's users hold it")
	default:
		k.report("/name", check.ConnectionName(c.Name))
	}
	c.checkRaw(k)
	c.checkOptions(k)
	c.checkEndpoints(k)
	k.add(memberProblems("/options/customHeaders", check.Headers(c.headers())))
	c.checkOneAuthentication(k)
	if k.strategy.OAuth() && !k.strategy.Named && c.named(k) && check.ConnectionName(c.Name) != "" {
		k.warn("/name", "is no connection name, and users have no subject without one: endpoints or script are not "+strconv.Quote(check.Shown(c.Strategy))+"'s own")
	}
	keys := lossless.Keys(c.doc.Lookup("options/token_params"), c.Options.TokenParams)
	k.add(memberProblems("/options/token_params", check.TokenParams(keys, c.Options.TokenParams)))
	return k
}

// named reports whether the subjects of the connection's users hold its name. A
// social strategy stands for its one provider only as long as nobody but that
// provider can say who logged in. (rule U9)
func (c *Connection) named(k *checked) bool {
	s, own := &k.strategy, c.protocol()
	return s.Named || !c.Options.FetchUserProfile.IsZero() || own.TokenURL == "" || own.Host != "" ||
		s.TokenURL != own.TokenURL || s.UserinfoURL != own.UserinfoURL
}

// checkOneAuthentication refuses a second way beside one that is attached: RFC
// 6749 section 2.3 has one for each request. Of a client secret it says nothing,
// since the custom header then stands in its place. (rule H6)
func (c *Connection) checkOneAuthentication(k *checked) {
	o := &c.Options
	switch o.TokenEndpointAuthMethod {
	case "private_key_jwt", "client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth":
	default:
		return
	}
	for name, value := range o.CustomHeaders {
		if strings.EqualFold(name, "Authorization") && check.Authenticates(value.Reveal(), o.ClientID) {
			k.report("/options/customHeaders"+strictjson.Pointer(name), "is this client's authentication, and token_endpoint_auth_method asks for another; remove one")
		}
	}
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
		k.add(problems)
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

// checkOptions holds single options against the table, and against each other.
func (c *Connection) checkOptions(k *checked) {
	o := &c.Options
	if o.ClientID == "" && k.strategy.OAuth() && k.strategy.Protocol != strategy.OAuth1 {
		k.reportAt("options/client_id", "is missing; the identity provider gave it when the auth server was registered there")
	}
	for _, v := range [...]struct{ path, text string }{
		{"display_name", c.DisplayName}, {"options/client_id", o.ClientID}, {"options/client_secret", o.ClientSecret.Reveal()},
		{"options/scripts/fetchUserProfile", o.FetchUserProfile.Reveal()}, {"options/icon_url", o.IconURL},
		{"options/token_endpoint_auth_method", o.TokenEndpointAuthMethod}, {"options/connection_settings/pkce", o.PKCE},
		{"options/token_endpoint_auth_signing_alg", o.TokenEndpointAuthSigningAlg},
		{"options/token_endpoint_jwtca_aud_format", o.TokenEndpointJWTCAAudFormat},
		{"options/community_base_url", o.CommunityBaseURL}, {"options/baseUrl", o.BaseURL},
		{"options/dpop_signing_alg", o.DPoPSigningAlg}, {"options/protocol", o.Protocol}, {"options/waad_protocol", o.WAADProtocol},
		{"options/identity_api", o.IdentityAPI}, {"options/type", o.Type}, {"options/should_trust_email_verified_connection", o.ShouldTrustEmailVerified},
	} {
		if v.text == "" {
			continue
		}
		if m := option.Get(v.path); m.Enum != nil && m.Serves(c.Strategy) && !slices.Contains(m.Enum, v.text) {
			k.reportAt(v.path, m.WrongValue(v.text))
		} else if most := m.Bound(c.Strategy).Text; most > 0 {
			k.reportAt(v.path, check.Length(v.text, most))
		}
	}
	if o.IconURL != "" {
		k.reportAt("options/icon_url", check.WebURL(o.IconURL, c.bound("options/icon_url").Text))
	}
	if o.PKCE == "disabled" && o.PKCEEnabled {
		k.reportAt("options/connection_settings/pkce", "is disabled while pkce_enabled is true; keep one of them")
	}
	c.checkScope(k)
}

func (c *Connection) checkScope(k *checked) {
	limit, scope := c.bound("options/scope"), c.Options.Scope
	if _, isArray := strictjson.Elements(c.doc.Lookup("options/scope")); !isArray {
		k.reportAt("options/scope", check.Length(strings.Join(scope, " "), limit.Text))
		return
	}
	if len(scope) > limit.Items {
		k.reportAt("options/scope", fmt.Sprintf("has more than %d items; join some by spaces", limit.Items))
	}
	for i, item := range scope {
		if message := check.Length(item, limit.Item); message != "" {
			k.report("/options/scope/"+strconv.Itoa(i), message)
		}
	}
}

// checkEndpoints resolves the endpoints, and collects the layers, the
// authorization endpoint's query among them. (rule O8)
func (c *Connection) checkEndpoints(k *checked) {
	o, s := &c.Options, &k.strategy
	*s = s.Resolve(c.Strategy, strategy.Own{
		AuthorizationURL: o.AuthorizationURL, TokenURL: o.TokenURL, UserinfoEndpoint: o.UserinfoEndpoint,
		UserAuthorizationURL: o.UserAuthorizationURL, RequestTokenURL: o.RequestTokenURL, AccessTokenURL: o.AccessTokenURL,
		Metadata: k.metadata, Type: o.Type, Promised: o.DiscoveryURL != "" || o.Issuer != "", AnyHTTP: c.InsecureAllowHTTP,
	}, k.reportAt)
	at := "options/authorizationURL"
	if s.Protocol == strategy.OAuth1 {
		at = "options/userAuthorizationURL"
	}
	base, query, _ := strings.Cut(s.AuthURL, "?")
	if check.Length(s.AuthURL, c.bound("options/authorizationURL").Text) != "" {
		query = "" // that was a problem, and is not taken apart
	}
	k.base, k.entries = base, outgoing.Check(c.configured(k), query, k.doc.Spelling(option.Get(at).Paths()...), k.report)
	for i := range k.entries {
		e := &k.entries[i]
		if e.Name == "scope" && e.Layer != plan.URL && s.Protocol == strategy.OIDC && !slices.Contains(strings.Fields(e.Value), "openid") {
			k.warn(e.Pointer(), "has no openid, and goes out as it is written: the identity provider gives no ID token then")
		}
	}
}

// configured brings layers 2 to 4 to one list, the highest first and each in the
// order of the configuration, and after them what the strategy asks for.
func (c *Connection) configured(k *checked) []outgoing.Entry {
	o := &c.Options
	return slices.Concat(
		layer(c, k, plan.UpstreamParams, "options/upstream_params", o.UpstreamParams, Param.outgoing),
		layer(c, k, plan.AuthParamsMap, "options/authParamsMap", o.AuthParamsMap, func(a Alias) outgoing.Param { return outgoing.Param{Alias: string(a)} }),
		layer(c, k, plan.AuthParams, "options/authParams", o.AuthParams, func(value string) outgoing.Param { return outgoing.Param{Value: value} }),
		outgoing.OfStrategy(c.Strategy, cmp.Or(o.Domain, o.TenantDomain)))
}

// layer gives the entries of one of them. What goes beyond the limit is counted, and
// not looked at. (rule P1)
func layer[V any](c *Connection, k *checked, layer plan.Layer, path string, values map[string]V, param func(V) outgoing.Param) []outgoing.Entry {
	names, most := lossless.Keys(c.doc.Lookup(path), values), c.bound(path).Members
	if len(names) > most {
		k.reportAt(path, fmt.Sprintf("has more than %d members", most))
	}
	return outgoing.Of(layer, "/"+path, names[:min(len(names), most)], values, param)
}
