package upstream

// This file owns what one login brings: the application's AuthorizeRequest, with the
// allowlists of incoming parameters and the strict parser, the auth server's own
// Transaction, the error of each, and the Secret that values are kept in. It knows
// nothing of connections, nor of what becomes of a parameter.

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"example.com/upstream/internal/form"
	"example.com/upstream/internal/incoming"
	"example.com/upstream/internal/query"
)

//go:generate go run ./internal/incoming/gen

// An Alias names an incoming /authorize parameter that an entry of
// upstream_params may take its value from. The list is closed, and what the
// vendor's schema allows: acr_values, audience, client_id, display, id_token_hint,
// login_hint, max_age, prompt, resource, response_mode, response_type, ui_locales
// (OpenID Connect Core 3.1.2.1, RFC 6749 4.1.1, RFC 8707; audience is the
// vendor's own). Names are case-sensitive. For all others see [Param].From.
type Alias string

// An AuthorizeRequest holds the recognised parameters of one incoming
// /authorize request, decoded. "" means absent, as an empty value does (RFC
// 6749 section 3.1). The Parse functions fill it from a request; a host may as
// well fill it by hand, then with values of its own making: nothing here is
// looked at again but by the value rules of the connection. All of it is the
// user's word: a LoginHint, say, proves nothing about who logged in.
//
// The strings of a parsed request may share the memory of the query.
type AuthorizeRequest struct {
	// What an entry of upstream_params may take by alias, and authParamsMap too.
	// The tags are the table of names that all else is generated from.
	ACRValues    string   `in:"acr_values,alias"`
	Audience     string   `in:"audience,alias"`
	ClientID     string   `in:"client_id,alias"` // the application's at the auth server, not the auth server's at the IdP
	Display      string   `in:"display,alias"`
	IDTokenHint  Secret   `in:"id_token_hint,alias"` // a token
	LoginHint    string   `in:"login_hint,alias"`
	MaxAge       string   `in:"max_age,alias"` // seconds, as it came
	Prompt       string   `in:"prompt,alias"`
	Resource     []string `in:"resource,alias"` // RFC 8707: the only one that may come several times
	ResponseMode string   `in:"response_mode,alias"`
	ResponseType string   `in:"response_type,alias"`
	UILocales    string   `in:"ui_locales,alias"`

	// What authParamsMap may take besides.
	AccessType           string `in:"access_type,map"`
	ApprovalPrompt       string `in:"approval_prompt,map"`
	ForceLogin           string `in:"force_login,map"`
	HD                   string `in:"hd,map"`
	IncludeGrantedScopes string `in:"include_granted_scopes,map"`
	WAuth                string `in:"wauth,map"`
	WHR                  string `in:"whr,map"`

	// ConnectionScope asks the IdP for more scopes than the connection has.
	ConnectionScope string `in:"connection_scope"`

	// What the host reads and nobody forwards. RedirectURI has lost its fragment.
	CodeChallenge       string `in:"code_challenge"`
	CodeChallengeMethod string `in:"code_challenge_method"`
	Connection          string `in:"connection"`
	Invitation          string `in:"invitation"`
	Nonce               string `in:"nonce"`
	Organization        string `in:"organization"`
	RedirectURI         string `in:"redirect_uri"`
	Request             string `in:"request"` // OpenID Connect Core 6.1, RFC 9101: what it holds is not looked at
	RequestURI          string `in:"request_uri"`
	Scope               string `in:"scope"`
	ScreenHint          string `in:"screen_hint"`
	State               string `in:"state"`

	// What has no field, see Other.
	rest incoming.Rest
}

// Other gives the value of a parameter that some connection may ask for by
// "from", decoded, "" if it is absent. The error is a [*RequestError] if the
// parameter is malformed or comes twice; AuthorizationURL gives the same where
// the connection asks for it. A parameter that has a field is read from there.
func (r *AuthorizeRequest) Other(name string) (string, error) {
	if s := incoming.Of(name); s != incoming.None {
		return r.first(s), nil
	}
	if name == "" { // nobody can ask for it
		return "", nil
	}
	var value [1]string
	if err := r.read(query.NewNames([]string{name}), value[:]); err != nil {
		return "", err
	}
	return value[0], nil
}

// SetOther sets such a parameter, in a request that a host fills by hand; "" takes
// it away. What a connection makes of it, it makes of one that came.
func (r *AuthorizeRequest) SetOther(name, value string) {
	if s := incoming.Of(name); s != incoming.None {
		r.set(s, value)
		return
	}
	r.rest.Set(name, value)
}

// read puts the values of parameters that have no field in the places of their
// names.
func (r *AuthorizeRequest) read(names *query.Names, values []string) *RequestError {
	if bad, problem := r.rest.Values(names, values); bad >= 0 {
		return badName(names.List()[bad], problem)
	}
	return nil
}

// Format prints the request like any struct, but for the token in it.
func (r AuthorizeRequest) Format(f fmt.State, verb rune) {
	type plain AuthorizeRequest // without this method
	r.rest = incoming.Rest{}    // may hold anything
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(r))
}

// LogValue gives what Format prints for %+v.
func (r AuthorizeRequest) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", r)) }

// first gives the value of a parameter, of resource the first; "" if it is absent.
func (r *AuthorizeRequest) first(s incoming.Slot) string {
	switch s {
	case incoming.IDTokenHint:
		return r.IDTokenHint.Reveal()
	case incoming.Resource:
		for _, value := range r.Resource {
			if value != "" {
				return value
			}
		}
		return ""
	}
	return *r.at(s)
}

// A RequestError says which recognised parameter of an /authorize request is
// malformed. It never repeats a value, so that it can be logged and shown.
type RequestError struct {
	Code        string // RFC 6749 section 4.1.2.1: always "invalid_request"
	Parameter   string // its name; "" if it is about the request as a whole
	Description string // fit for error_description: ASCII without quotes and backslashes
}

// Error gives code and description.
func (e *RequestError) Error() string { return "upstream: " + e.Code + ": " + e.Description }

func badRequest(description string) *RequestError {
	return &RequestError{"invalid_request", "", description}
}

func badParameter(s incoming.Slot, problem string) *RequestError {
	return badName(incoming.Names[s], problem)
}

// badName is badParameter for a name that may hold what a description may not.
func badName(name, problem string) *RequestError {
	what := "parameter " + name
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }) {
		what = "a parameter"
	}
	return &RequestError{"invalid_request", name, what + " " + problem}
}

// ParseAuthorizeRequest reads an /authorize request: the query of a GET or
// HEAD, the body of a POST. The query of a POST is not looked at (OpenID
// Connect Core 3.1.2.1 puts all parameters into the body), and no header but
// Content-Type. If the host has called r.ParseForm before, r.PostForm is read,
// else the body is consumed. The error is a [*RequestError].
func ParseAuthorizeRequest(r *http.Request) (*AuthorizeRequest, error) {
	raw, parsed, problem := form.Read(r, true)
	switch {
	case problem != "":
		return nil, badRequest(problem)
	case parsed != nil:
		return ParseAuthorizeValues(parsed)
	}
	req := new(AuthorizeRequest)
	if err := req.parse(raw); err != nil {
		return nil, err
	}
	return req, nil
}

// ParseAuthorizeQuery reads the raw, still encoded query of an /authorize
// request, without the question mark, at most 32 KiB. The error is a
// [*RequestError] about the first malformed parameter.
//
// Parsing is strict where net/url guesses or drops: in a recognised parameter,
// a bad escape, a raw semicolon, invalid UTF-8 or a control character is an
// error, and so is a second value (RFC 6749 section 3.1), resource excepted.
// Parameters that are not recognised are ignored, whatever they hold.
func ParseAuthorizeQuery(rawQuery string) (*AuthorizeRequest, error) {
	req := new(AuthorizeRequest) // on the caller's stack, where this is inlined
	if err := req.parseQuery(rawQuery); err != nil {
		return nil, err
	}
	return req, nil
}

func (r *AuthorizeRequest) parseQuery(raw string) error {
	if len(raw) > form.MaxQuery {
		return badRequest(form.LongQuery)
	}
	if err := r.parse(raw); err != nil {
		return err
	}
	return nil
}

// parse fills an empty request from its encoded form.
func (r *AuthorizeRequest) parse(raw string) *RequestError {
	var hint string
	if s, problem := r.scan(raw, &hint); problem != "" {
		return badParameter(s, problem)
	}
	r.IDTokenHint = NewSecret(hint)
	return nil
}

// set stores a decoded value.
func (r *AuthorizeRequest) set(s incoming.Slot, value string) {
	switch s {
	case incoming.Resource:
		if value != "" { // as if absent
			r.Resource = append(r.Resource, value)
		}
	case incoming.IDTokenHint:
		r.IDTokenHint = NewSecret(value)
	case incoming.RedirectURI:
		r.RedirectURI, _, _ = strings.Cut(value, "#")
	default:
		*r.at(s) = value
	}
}

// ParseAuthorizeValues reads an /authorize request that the host has parsed
// already. The rules are those of [ParseAuthorizeQuery] as far as url.Values
// still shows what came, and the values that it reads have at most 64 KiB in
// all; parameters are looked at in the order of their names.
// The error is a [*RequestError]. form is not changed, and kept: parameters that
// have no field are read from it when a connection asks for them.
func ParseAuthorizeValues(form url.Values) (*AuthorizeRequest, error) {
	req := new(AuthorizeRequest)
	switch s, problem := req.rest.Take(form, req.set); {
	case problem == "":
		return req, nil
	case s == incoming.None:
		return nil, badRequest(problem)
	default:
		return nil, badParameter(s, problem)
	}
}

// A Transaction is what the auth server itself adds for one login. It keeps
// the same values for the callback. OAuth 1.0a uses RequestToken alone.
type Transaction struct {
	RedirectURI  string // the auth server's callback: absolute, without fragment; required
	State        Secret // unguessable, made by the auth server; required
	Nonce        Secret // OpenID Connect; optional, other than State
	CodeVerifier Secret // RFC 7636 section 4.1; sent as its S256 challenge, unless the connection disables PKCE
	RequestToken Secret // OAuth 1.0a: the temporary credentials' identifier; required there

	// Extra holds parameters of the host's own for this one login, by the names
	// that the IdP gives them: a layer above the connection's. An empty value is
	// as if absent. What cannot be configured cannot be set here either, but for a
	// scope, a response_mode of query or form_post, and a response_type of code.
	Extra map[string]string
}

// NewTransaction makes the Transaction of one login: a state, a nonce and a code
// verifier that nobody can guess (128 bits or more), for the auth server's
// callback redirectURI.
func NewTransaction(redirectURI string) Transaction {
	return Transaction{
		RedirectURI:  redirectURI,
		State:        NewSecret(rand.Text()),
		Nonce:        NewSecret(rand.Text()),
		CodeVerifier: NewSecret(oauth2.GenerateVerifier()),
	}
}

// Format prints what is not secret; LogValue gives the same.
func (tx Transaction) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "upstream.Transaction{RedirectURI:%q}", tx.RedirectURI)
}

// LogValue gives what Format prints.
func (tx Transaction) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(tx)) }

// A TransactionError says which field of a [Transaction] cannot be used.
type TransactionError struct {
	Field       string // redirect_uri, state, nonce, code_verifier, request_token or extra
	Description string // never repeats the value
}

// Error names the field.
func (e *TransactionError) Error() string {
	return "upstream: transaction: " + e.Field + " " + e.Description
}

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
	kept := text // what has its address taken is on the heap, and the empty text need not be
	return Secret{text: &kept}
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

// The rest of this file is written by go generate; see internal/incoming/gen.

// at gives the field of a recognised parameter, nil if it is no string.
func (r *AuthorizeRequest) at(s incoming.Slot) *string {
	switch s {
	case incoming.ACRValues:
		return &r.ACRValues
	case incoming.Audience:
		return &r.Audience
	case incoming.ClientID:
		return &r.ClientID
	case incoming.Display:
		return &r.Display
	case incoming.LoginHint:
		return &r.LoginHint
	case incoming.MaxAge:
		return &r.MaxAge
	case incoming.Prompt:
		return &r.Prompt
	case incoming.ResponseMode:
		return &r.ResponseMode
	case incoming.ResponseType:
		return &r.ResponseType
	case incoming.UILocales:
		return &r.UILocales
	case incoming.AccessType:
		return &r.AccessType
	case incoming.ApprovalPrompt:
		return &r.ApprovalPrompt
	case incoming.ForceLogin:
		return &r.ForceLogin
	case incoming.HD:
		return &r.HD
	case incoming.IncludeGrantedScopes:
		return &r.IncludeGrantedScopes
	case incoming.WAuth:
		return &r.WAuth
	case incoming.WHR:
		return &r.WHR
	case incoming.CodeChallenge:
		return &r.CodeChallenge
	case incoming.CodeChallengeMethod:
		return &r.CodeChallengeMethod
	case incoming.Connection:
		return &r.Connection
	case incoming.ConnectionScope:
		return &r.ConnectionScope
	case incoming.Invitation:
		return &r.Invitation
	case incoming.Nonce:
		return &r.Nonce
	case incoming.Organization:
		return &r.Organization
	case incoming.RedirectURI:
		return &r.RedirectURI
	case incoming.Request:
		return &r.Request
	case incoming.RequestURI:
		return &r.RequestURI
	case incoming.Scope:
		return &r.Scope
	case incoming.ScreenHint:
		return &r.ScreenHint
	case incoming.State:
		return &r.State
	}
	return nil
}

// scan parses raw into the fields, and an id_token_hint into hint.
func (r *AuthorizeRequest) scan(raw string, hint *string) (bad incoming.Slot, problem string) {
	var nobody string
	return r.rest.Parse(raw, &[incoming.End + 1]*string{
		incoming.ACRValues:            &r.ACRValues,
		incoming.Audience:             &r.Audience,
		incoming.ClientID:             &r.ClientID,
		incoming.Display:              &r.Display,
		incoming.IDTokenHint:          hint,
		incoming.LoginHint:            &r.LoginHint,
		incoming.MaxAge:               &r.MaxAge,
		incoming.Prompt:               &r.Prompt,
		incoming.ResponseMode:         &r.ResponseMode,
		incoming.ResponseType:         &r.ResponseType,
		incoming.UILocales:            &r.UILocales,
		incoming.AccessType:           &r.AccessType,
		incoming.ApprovalPrompt:       &r.ApprovalPrompt,
		incoming.ForceLogin:           &r.ForceLogin,
		incoming.HD:                   &r.HD,
		incoming.IncludeGrantedScopes: &r.IncludeGrantedScopes,
		incoming.WAuth:                &r.WAuth,
		incoming.WHR:                  &r.WHR,
		incoming.CodeChallenge:        &r.CodeChallenge,
		incoming.CodeChallengeMethod:  &r.CodeChallengeMethod,
		incoming.Connection:           &r.Connection,
		incoming.ConnectionScope:      &r.ConnectionScope,
		incoming.Invitation:           &r.Invitation,
		incoming.Nonce:                &r.Nonce,
		incoming.Organization:         &r.Organization,
		incoming.RedirectURI:          &r.RedirectURI,
		incoming.Request:              &r.Request,
		incoming.RequestURI:           &r.RequestURI,
		incoming.Scope:                &r.Scope,
		incoming.ScreenHint:           &r.ScreenHint,
		incoming.State:                &r.State,
		incoming.None:                 &nobody,
	}, &r.Resource)
}
