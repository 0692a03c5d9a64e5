package upstream

// This file owns the connection: its Go form, its JSON form, the way between
// the two without loss, and how its problems are told. Which options there are is in
// internal/option, what a connection has to be like in internal/valid. It knows
// nothing of requests, tokens and profiles.

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
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/strategy"
	"example.com/upstream/internal/strictjson"
	"example.com/upstream/internal/valid"
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
		if problems := c.values().NotJSON(); problems != nil {
			return nil, configError(c.Name, problems)
		}
	}
	return strictjson.Apply(doc, edits), nil
}

func (c *Connection) edits() []strictjson.Edit {
	edits := schema.Edits(c.doc, c)
	if len(edits) > 0 && c.values().Protocol().Protocol == strategy.OIDC {
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
		return nil, configError(c.name(), []valid.Problem{{Pointer: "/options", Message: "were not read; get the whole connection first"}})
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
	if k := c.check(); len(k.Problems) > 0 {
		return configError(c.name(), k.Problems)
	}
	return nil
}

// Warnings gives what the connection says and nothing will come of: members
// that the library does not know, with the nearest known name; those that
// another strategy reads; a scope that lacks what OpenID Connect needs. They
// are like the problems of [Connection.Validate], and keep nothing from
// working: print them where an operator looks. At most 100 are listed. For a
// protocol that [NewProvider] refuses there are none.
func (c *Connection) Warnings() []Problem {
	if c == nil {
		return nil
	}
	k := c.check()
	text, err := c.marshal()
	if err != nil {
		return nil // a problem
	}
	k.Warn(schema.Open(text), c.values())
	return told(k.Warnings)
}

// values is the connection as internal/valid looks at it.
func (c *Connection) values() *valid.Connection {
	return &valid.Connection{Value: func(path string) any { return schema.Value(c, path) }, Doc: c.doc, AnyHTTP: c.InsecureAllowHTTP}
}

// check gives what the connection comes to: its problems, and if there are none,
// what the plan is made of.
func (c *Connection) check() *valid.Result {
	if c == nil {
		return &valid.Result{Problems: []valid.Problem{{Message: "there is no connection"}}}
	}
	values := c.values()
	if len(c.text) > 0 {
		values.Unread = lossless.Standing(c.text, c.edits())
	}
	return values.Check()
}

// maxProblems bounds what an error lists, and Warnings.
const maxProblems = 100

// A ConfigError holds everything that is wrong with a connection.
type ConfigError struct {
	Connection string    // its name, where it has one
	Problems   []Problem // the first 100
	More       int       // how many there are beside them
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

// configError lists what can be read and counts the rest.
func configError(connection string, found []valid.Problem) *ConfigError {
	listed := told(found)
	return &ConfigError{connection, listed, len(found) - len(listed)}
}

// told gives the first problems as the package tells them, nil for none.
func told(found []valid.Problem) (problems []Problem) {
	for _, p := range found[:min(len(found), maxProblems)] {
		problems = append(problems, Problem(p))
	}
	return slices.Clip(problems)
}
