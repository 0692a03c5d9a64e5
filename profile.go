package upstream

// This file owns the user's profile: its form, the ways to get it, and the
// subject that is made of it. It knows nothing of authorization requests,
// Providers and how a token is had. Where the members of a profile stand in a
// document is in internal/mapping, what they may be in internal/attribute.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"example.com/upstream/internal/attribute"
	"example.com/upstream/internal/check"
	"example.com/upstream/internal/endpoint"
	"example.com/upstream/internal/mapping"
	"example.com/upstream/internal/strategy"
	"example.com/upstream/internal/strictjson"
	"example.com/upstream/internal/valid"
)

// A Profile is what an identity provider says about the user who logged in. It
// marshals to one flat JSON object, and back.
//
// Nothing in it proves more than the provider's word: link no account by Email
// unless EmailVerified is true and you trust this provider for that domain.
type Profile struct {
	UserID      string // "user_id": the user at this provider, required; an integer keeps its digits
	Name        string // "name"
	Nickname    string // "nickname"
	GivenName   string // "given_name"
	FamilyName  string // "family_name"
	Picture     string // "picture": a URL
	Username    string // "username"
	Email       string // "email": optional, unverified unless EmailVerified says so
	PhoneNumber string // "phone_number"

	// EmailVerified ("email_verified") and PhoneVerified ("phone_verified") are
	// nil where the provider says nothing, else whether it said true or "true".
	EmailVerified *bool
	PhoneVerified *bool

	// UserMetadata ("user_metadata") and AppMetadata ("app_metadata") are JSON
	// objects, nil where absent.
	UserMetadata json.RawMessage
	AppMetadata  json.RawMessage

	// Extra holds all other members as the provider wrote them, numbers to the
	// digit. A name of the members above is not looked at here.
	Extra map[string]json.RawMessage
}

// object is the one list of root attributes, to read and to write.
func (p *Profile) object() *attribute.Object {
	return &attribute.Object{Extra: &p.Extra, Fields: []attribute.Field{
		{Name: attribute.UserID, To: &p.UserID},
		{Name: "name", To: &p.Name},
		{Name: "nickname", To: &p.Nickname},
		{Name: "given_name", To: &p.GivenName},
		{Name: "family_name", To: &p.FamilyName},
		{Name: "picture", To: &p.Picture},
		{Name: "username", To: &p.Username},
		{Name: "email", To: &p.Email},
		{Name: "email_verified", To: &p.EmailVerified},
		{Name: "phone_number", To: &p.PhoneNumber},
		{Name: "phone_verified", To: &p.PhoneVerified},
		{Name: "user_metadata", To: &p.UserMetadata},
		{Name: "app_metadata", To: &p.AppMetadata},
	}}
}

// ParseProfile reads a profile from a JSON object of its attributes, as a
// fetchUserProfile script hands it to its callback. The error is a
// [*ProfileError].
//
// Member names match exactly, and none may stand twice. user_id is required.
// The optional text attributes take a string or an integer; null and false are
// as if absent.
func ParseProfile(data []byte) (*Profile, error) {
	members, fault := objectMembers(data)
	if fault != nil {
		return nil, fault
	}
	p := &Profile{}
	object := p.object()
	for _, m := range members {
		if problem := object.Set(m.Name, m.Value); problem != "" {
			return nil, profileError("%s", problem)
		}
	}
	if p.UserID == "" {
		return nil, profileError("user_id is missing")
	}
	return p, nil
}

func (u *profiles) parseClaims(claims []byte) (*Profile, error) {
	profile, members, fault := readProfile(claims, u.mapping.Reading(nil, true))
	if fault != nil {
		return nil, fault
	}
	maps.DeleteFunc(profile.Extra, func(name string, _ json.RawMessage) bool { return mapping.OfToken(name) })
	return u.accept(profile, strictjson.Find(members, "hd"))
}

func objectMembers(data []byte) ([]strictjson.Member, *ProfileError) {
	if err := strictjson.Check(data); err != nil {
		return nil, profileError("the profile cannot be read as JSON: %v", err)
	}
	members, object := strictjson.Members(data)
	if !object {
		return nil, profileError("the profile is not a JSON object")
	}
	return members, nil
}

// UnmarshalJSON is [ParseProfile].
func (p *Profile) UnmarshalJSON(data []byte) error {
	parsed, err := ParseProfile(data)
	if err != nil || p == nil {
		return err
	}
	*p = *parsed
	return nil
}

// MarshalJSON writes one flat object: the attributes that are set, then Extra
// in the order of names.
func (p Profile) MarshalJSON() ([]byte, error) {
	text, err := p.object().Marshal()
	if err != nil {
		return nil, profileError("%v", err)
	}
	return text, nil
}

// CheckSubject compares the profile with the sub of the ID token, which the
// program has verified. Call it with OpenID Connect, and drop the profile if it
// gives an error: the userinfo is then another user's (OpenID Connect Core
// section 5.3.2). It looks at the userinfo's own sub, or at UserID where the
// profile holds none. The error is a [*ProfileError].
func (p *Profile) CheckSubject(idTokenSub string) error {
	if p == nil {
		return profileError("there is no profile to compare with the ID token")
	}
	subject := p.UserID
	if sub, found := p.Extra["sub"]; found {
		subject = ""
		if strictjson.Check(sub) == nil {
			subject = strictjson.Text(bytes.TrimSpace(sub))
		}
	}
	if subject == "" || subject != idTokenSub {
		return profileError("its subject is not that of the ID token; the profile must not be used")
	}
	return nil
}

// A ProfileFetcher gets the profile of the user whom the token stands for, in
// ways that [Userinfo] cannot express. It takes the HTTP client from the
// context, under [oauth2.HTTPClient], and changes neither token nor conn: all
// calls share conn. A [*ProfileError] in its error gives the text, status and body.
type ProfileFetcher func(ctx context.Context, token *oauth2.Token, conn *Connection) (*Profile, error)

// profiles is what a connection says of its users: where their profiles are, how
// they are read, and what they must say. Never written once made.
type profiles struct {
	name, strategy string
	named          bool              // subjects carry the connection's name
	oidc           bool              // the protocol is OpenID Connect
	insecure       bool              // the connection may have http endpoints, which its JSON does not say
	userinfo       string            // where the profile is, "" if unknown
	script         bool              // the connection has one, which somebody else runs
	domains        []string          // one of which a user must belong to; nil for all
	own            map[string]string // of a strategy's own userinfo document; nil for the claims of OpenID Connect
	mapping        *mapping.Mapping  // nil for none
	trusted        *bool             // what every email_verified becomes; nil for what the provider says
	fetcher        ProfileFetcher
	conn           *Connection // what fetcher gets
}

func newProfiles(conn *Connection, k *valid.Result) profiles {
	o, s := &conn.Options, &k.Strategy
	u := profiles{
		name: conn.Name, strategy: conn.Strategy, named: k.Named, oidc: s.Protocol == strategy.OIDC, insecure: conn.InsecureAllowHTTP,
		userinfo: s.UserinfoURL, script: !o.FetchUserProfile.IsZero(),
		mapping: mapping.Read(o.AttributeMap, o.FieldsMap, o.UserIDAttribute),
	}
	if !u.oidc {
		u.own = mapping.Own(conn.Strategy)
	}
	if conn.Strategy == "google-apps" {
		for _, domain := range append([]string{o.Domain, o.TenantDomain}, o.DomainAliases...) {
			if domain != "" {
				u.domains = append(u.domains, domain)
			}
		}
	}
	switch o.ShouldTrustEmailVerified {
	case "never_set_emails_as_verified":
		u.trusted = new(bool)
	case "always_set_emails_as_verified":
		yes := true
		u.trusted = &yes
	}
	return u
}

// with is Provider.WithProfileFetcher.
func (u profiles) with(f ProfileFetcher, conn *Connection) profiles {
	u.fetcher, u.conn = f, &Connection{Name: u.name, Strategy: u.strategy}
	if conn != nil {
		u.conn = new(Connection)
		if text, err := conn.marshal(); err == nil {
			_ = u.conn.read(text) // what the library wrote it can read
		}
	}
	u.conn.InsecureAllowHTTP = u.insecure
	return u
}

// hasSource reports whether fetch knows where to get a profile, or who would.
func (u *profiles) hasSource() bool { return u.fetcher != nil || u.userinfo != "" || u.script }

// fetch is Provider.FetchProfile.
func (u *profiles) fetch(ctx context.Context, token *oauth2.Token, a *attachment) (*Profile, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	switch {
	case token == nil:
		return nil, profileError("there is no token; exchange the code first")
	case u.fetcher == nil && u.script:
		return nil, profileError("the connection has a fetchUserProfile script, which this package does not run; " +
			"attach module fetchscript, or a function of the program's own with Provider.WithProfileFetcher")
	case u.fetcher == nil && u.userinfo == "":
		return nil, profileError("no userinfo endpoint is known for strategy %q; set options.userinfo_endpoint, "+
			"or use Provider.WithProfileFetcher, e.g. with the Fetch method of a Userinfo", u.strategy)
	case u.fetcher == nil:
		profile, members, err := Userinfo{URL: u.userinfo}.fetch(ctx, token, a, u.mapping.Reading(u.own, false))
		if err != nil {
			return nil, err
		}
		return u.accept(profile, strictjson.Find(members, "hd"))
	}
	if a != nil {
		ctx = context.WithValue(ctx, attachmentKey{}, a)
	}
	profile, err := u.fetcher(ctx, token, u.conn)
	var own *ProfileError
	switch {
	case errors.As(err, &own) && own != nil:
		return nil, &ProfileError{StatusCode: own.StatusCode, Body: own.Body, Message: own.Message, Err: endpoint.Hide(err)}
	case err != nil:
		// Its text may quote an answer or a URL; errors.As still finds it.
		return nil, &ProfileError{Message: "the profile fetcher failed; the wrapped error has the cause", Err: endpoint.Hide(err)}
	case profile == nil || strings.TrimSpace(profile.UserID) == "":
		return nil, profileError("the profile fetcher gave no UserID")
	case !check.UserID(profile.UserID):
		return nil, profileError("the UserID that the profile fetcher gave " + check.BadUserID)
	}
	hd := profile.Extra["hd"]
	if strictjson.Check(hd) != nil {
		hd = nil
	}
	return u.accept(profile, bytes.TrimSpace(hd))
}

// accept holds a profile against what the connection says of all its users. hd is
// Google's: the Workspace domain that the user belongs to. (rules O5, O10)
func (u *profiles) accept(p *Profile, hd []byte) (*Profile, error) {
	if u.domains != nil {
		domain := strictjson.Text(hd)
		switch is := func(own string) bool { return check.EqualFoldASCII(own, domain) }; {
		case domain == "":
			return nil, profileError("it has no hd: the user is of no Google Workspace domain, and the connection is for one (domain, tenant_domain, domain_aliases)")
		case !slices.ContainsFunc(u.domains, is):
			return nil, profileError("its hd is none of the connection's domains (domain, tenant_domain, domain_aliases): the user is another organization's")
		}
	}
	if u.trusted != nil && p.Email != "" {
		verified := *u.trusted
		p.EmailVerified = &verified
	}
	return p, nil
}

// subject is Provider.Subject.
func (u *profiles) subject(userID string) string {
	switch {
	case u.strategy == "" || !check.UserID(userID):
		return ""
	case u.named && check.ConnectionName(u.name) != "":
		return ""
	case u.named:
		return u.strategy + "|" + u.name + "|" + userID
	}
	return u.strategy + "|" + userID
}

// attachmentKey is where a Userinfo that a program has made finds what is
// attached to the Provider whose fetcher it is. Other fetchers have the host's
// HTTP client as it is, guards and all.
type attachmentKey struct{}

// Userinfo fetches a profile from an endpoint that answers with a JSON object.
// Its Fetch is a [ProfileFetcher].
type Userinfo struct {
	// URL is asked with GET and the access token. Make it https: whoever sees
	// the request can act for the user.
	URL string

	// Fields says where in the document a member of the profile stands, e.g.
	// {"user_id": "account.uuid", "email": "account.email"}. A path is a
	// dotted name; a member with exactly that name wins over a nested one.
	// user_id is required; nil stands for the claims of OpenID Connect.
	//
	// Members of the document that have no entry are in Profile.Extra, but
	// for those named like an attribute: app_metadata, say, is never the
	// endpoint's to choose unless an entry says so.
	Fields map[string]string
}

// Fetch gets the profile with "Authorization: Bearer", whatever name the token
// endpoint gave to the token's type; only types that need a proof with each
// request are refused: MAC, and DPoP where no [Protection] adds it. It follows no redirect, reads at most
// 1 MiB, and uses the context's HTTP client, as [TokenConfig] does. conn is not
// looked at. The error is a [*ProfileError].
func (u Userinfo) Fetch(ctx context.Context, token *oauth2.Token, _ *Connection) (*Profile, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	a, _ := ctx.Value(attachmentKey{}).(*attachment)
	profile, _, err := u.fetch(ctx, token, a, mapping.Reading{Fields: u.Fields})
	return profile, err
}

// fetch gives the document's members as well.
func (u Userinfo) fetch(ctx context.Context, token *oauth2.Token, a *attachment, r mapping.Reading) (*Profile, []strictjson.Member, error) {
	address, err := url.Parse(u.URL)
	switch {
	case err != nil || address.Hostname() == "" || address.Scheme != "https" && address.Scheme != "http":
		return nil, nil, profileError("the userinfo URL is not an absolute https URL")
	case u.Fields != nil && u.Fields["user_id"] == "":
		return nil, nil, profileError("the mapping has no user_id; set Fields[\"user_id\"] to its path")
	case token == nil || token.AccessToken == "":
		return nil, nil, profileError("there is no access token; exchange the code first")
	case strings.EqualFold(token.TokenType, "MAC"):
		return nil, nil, profileError("a token of type MAC is not a bearer token; use Provider.WithProfileFetcher")
	}
	authorization := "Bearer " + token.AccessToken
	if strings.EqualFold(token.TokenType, "DPoP") || a.refusal(demandDPoP) != nil {
		if authorization, err = a.authorization(token); err != nil {
			return nil, nil, &ProfileError{Message: strings.TrimPrefix(err.Error(), "upstream: "), Err: endpoint.Hide(err)}
		}
	}
	status, body, err := endpoint.Get(ctx, u.URL, authorization, a.wrap(TargetResource))
	switch {
	case err != nil:
		return nil, nil, &ProfileError{StatusCode: status, Message: "userinfo endpoint: " + endpoint.Reason(err), Err: endpoint.Hide(err)}
	case status != http.StatusOK:
		return nil, nil, &ProfileError{StatusCode: status, Body: NewSecret(string(body)), Message: "userinfo endpoint: " + endpoint.Refused(status)}
	}
	profile, members, fault := readProfile(body, r)
	if fault != nil {
		fault.StatusCode, fault.Body = status, NewSecret(string(body))
		return nil, nil, fault
	}
	return profile, members, nil
}

// readProfile reads a document, and gives its members as well.
func readProfile(document []byte, r mapping.Reading) (*Profile, []strictjson.Member, *ProfileError) {
	members, fault := objectMembers(document)
	if fault != nil {
		return nil, nil, fault
	}
	if r.Fault != "" {
		return nil, nil, profileError("%s", r.Fault)
	}
	p := &Profile{}
	object := p.object()
	for _, v := range r.Values(members) {
		if problem := object.Set(v.Name, v.Text); problem != "" {
			return nil, nil, profileError("%s (it is read from %q)", problem, v.Path)
		}
	}
	if p.UserID == "" {
		return nil, nil, profileError("user_id is missing: the document has nothing at %q", r.Path("user_id"))
	}
	for _, m := range members {
		if _, mapped := p.Extra[m.Name]; !mapped && !object.Has(m.Name) && (!r.Only || m.Name == "sub") {
			_ = object.Set(m.Name, m.Value) // only an attribute can be wrong
		}
	}
	return p, members, nil
}

// A ProfileError says why there is no profile.
type ProfileError struct {
	StatusCode int    // of the userinfo endpoint's answer; 0 if there was none
	Body       Secret `json:"-"` // of that answer, empty if over 1 MiB; may hold personal data, never part of the text
	Message    string // what is wrong and what to do
	Err        error  `json:"-"` // the cause, if any; its text is not part of the text
}

// Error gives Message.
func (e *ProfileError) Error() string { return "upstream: profile: " + e.Message }

// Unwrap gives Err.
func (e *ProfileError) Unwrap() error { return e.Err }

// Format prints the text whatever the verb: Body and Err must not be printed.
func (e ProfileError) Format(f fmt.State, verb rune) { endpoint.PrintText(f, verb, e.Error()) }

func profileError(format string, args ...any) *ProfileError {
	return &ProfileError{Message: fmt.Sprintf(format, args...)}
}
