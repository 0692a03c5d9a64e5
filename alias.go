package upstream

// This file owns what may come in: the allowlists of incoming parameters, the
// AuthorizeRequest and its strict parser, and the request error. It knows
// nothing of connections, nor of what becomes of a parameter.

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/upstream/internal/query"
)

// An Alias names an incoming /authorize parameter that an entry of
// upstream_params may take its value from. The list is closed: it is what the
// vendor's schema allows. Names are case-sensitive.
type Alias string

// The twelve aliases (OpenID Connect Core 3.1.2.1, RFC 6749 4.1.1, RFC 8707,
// and audience, the vendor's own).
const (
	AliasACRValues    Alias = "acr_values"
	AliasAudience     Alias = "audience"
	AliasClientID     Alias = "client_id"
	AliasDisplay      Alias = "display"
	AliasIDTokenHint  Alias = "id_token_hint"
	AliasLoginHint    Alias = "login_hint"
	AliasMaxAge       Alias = "max_age"
	AliasPrompt       Alias = "prompt"
	AliasResource     Alias = "resource"
	AliasResponseMode Alias = "response_mode"
	AliasResponseType Alias = "response_type"
	AliasUILocales    Alias = "ui_locales"
)

// Aliases returns all twelve, sorted. The slice is the caller's own.
func Aliases() []Alias {
	var out []Alias
	for s := range aliasEnd {
		out = append(out, Alias(slotNames[s]))
	}
	return out
}

// A slot is a recognised incoming parameter. Slots below aliasEnd are the
// aliases of upstream_params (rule A1), those below sourceEnd the sources of
// authParamsMap (A2); the rest is for the host to read (R6) and never
// forwarded, but for connection_scope (A3).
type slot uint8

const (
	slotACRValues slot = iota
	slotAudience
	slotClientID
	slotDisplay
	slotIDTokenHint
	slotLoginHint
	slotMaxAge
	slotPrompt
	slotResource
	slotResponseMode
	slotResponseType
	slotUILocales
	aliasEnd
)

const (
	slotAccessType = aliasEnd + iota
	slotApprovalPrompt
	slotForceLogin
	slotHD
	slotIncludeGrantedScopes
	slotWAuth
	slotWHR
	sourceEnd
)

const (
	slotCodeChallenge = sourceEnd + iota
	slotCodeChallengeMethod
	slotConnection
	slotConnectionScope
	slotInvitation
	slotNonce
	slotOrganization
	slotRedirectURI
	slotRequest
	slotRequestURI
	slotScope
	slotScreenHint
	slotState
	slotEnd
)

// noSlot stands for a parameter that is not recognised, or for no parameter.
const noSlot = slotEnd

var slotNames = [slotEnd]string{
	"acr_values", "audience", "client_id", "display", "id_token_hint", "login_hint", "max_age", "prompt",
	"resource", "response_mode", "response_type", "ui_locales",
	"access_type", "approval_prompt", "force_login", "hd", "include_granted_scopes", "wauth", "whr",
	"code_challenge", "code_challenge_method", "connection", "connection_scope", "invitation", "nonce",
	"organization", "redirect_uri", "request", "request_uri", "scope", "screen_hint", "state",
}

const maxName = len("include_granted_scopes")

// slotOf finds a name of slotNames. The compiler makes more of a switch than
// of any table: it takes half the time.
func slotOf(name string) slot {
	switch name {
	case "acr_values":
		return slotACRValues
	case "audience":
		return slotAudience
	case "client_id":
		return slotClientID
	case "display":
		return slotDisplay
	case "id_token_hint":
		return slotIDTokenHint
	case "login_hint":
		return slotLoginHint
	case "max_age":
		return slotMaxAge
	case "prompt":
		return slotPrompt
	case "resource":
		return slotResource
	case "response_mode":
		return slotResponseMode
	case "response_type":
		return slotResponseType
	case "ui_locales":
		return slotUILocales
	case "access_type":
		return slotAccessType
	case "approval_prompt":
		return slotApprovalPrompt
	case "force_login":
		return slotForceLogin
	case "hd":
		return slotHD
	case "include_granted_scopes":
		return slotIncludeGrantedScopes
	case "wauth":
		return slotWAuth
	case "whr":
		return slotWHR
	case "code_challenge":
		return slotCodeChallenge
	case "code_challenge_method":
		return slotCodeChallengeMethod
	case "connection":
		return slotConnection
	case "connection_scope":
		return slotConnectionScope
	case "invitation":
		return slotInvitation
	case "nonce":
		return slotNonce
	case "organization":
		return slotOrganization
	case "redirect_uri":
		return slotRedirectURI
	case "request":
		return slotRequest
	case "request_uri":
		return slotRequestURI
	case "scope":
		return slotScope
	case "screen_hint":
		return slotScreenHint
	case "state":
		return slotState
	}
	return noSlot
}

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
	ACRValues    string
	Audience     string
	ClientID     string // the application's at the auth server, not the auth server's at the IdP
	Display      string
	IDTokenHint  Secret // a token
	LoginHint    string
	MaxAge       string // seconds, as it came
	Prompt       string
	Resource     []string // RFC 8707: the only one that may come several times
	ResponseMode string
	ResponseType string
	UILocales    string

	// What authParamsMap may take besides.
	AccessType           string
	ApprovalPrompt       string
	ForceLogin           string
	HD                   string
	IncludeGrantedScopes string
	WAuth                string
	WHR                  string

	// ConnectionScope asks the IdP for more scopes than the connection has.
	ConnectionScope string

	// What the host reads and nobody forwards. RedirectURI has lost its fragment.
	CodeChallenge       string
	CodeChallengeMethod string
	Connection          string
	Invitation          string
	Nonce               string
	Organization        string
	RedirectURI         string
	Request             string // OpenID Connect Core 6.1, RFC 9101: what it holds is not looked at
	RequestURI          string
	Scope               string
	ScreenHint          string
	State               string

	others *others // what has no field, see Other; nil if there is nothing
}

// others are the parameters of a request that have no field. Which of them
// matter, a connection says; so they are kept as they came. It is never changed.
type others struct {
	raw  string     // a part of the query that has them all
	form url.Values // or the form, where the host had parsed it
	set  map[string]string
}

// Other gives the value of a parameter that some connection may ask for by
// "from", decoded, "" if it is absent. The error is a [*RequestError] if the
// parameter is malformed or comes twice; AuthorizationURL gives the same where
// the connection asks for it. A parameter that has a field is read from there.
func (r *AuthorizeRequest) Other(name string) (string, error) {
	if s := slotOf(name); s != noSlot {
		return r.first(s), nil
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
	if s := slotOf(name); s != noSlot {
		r.set(s, value)
		return
	}
	o := others{}
	if r.others != nil {
		o = *r.others
	}
	if o.set = maps.Clone(o.set); o.set == nil {
		o.set = map[string]string{}
	}
	o.set[name] = value
	r.others = &o // a copy of the request keeps its own
}

// read puts the values of parameters that have no field in the places of their
// names.
func (r *AuthorizeRequest) read(names *query.Names, values []string) *RequestError {
	o := r.others
	if o == nil || names == nil {
		return nil
	}
	list := names.List()
	bad, problem := -1, ""
	if o.form != nil {
		bad, problem = names.FormValues(o.form, values)
	} else if o.raw != "" {
		bad, problem = names.Values(o.raw, values)
	}
	if bad >= 0 {
		return badName(list[bad], problem)
	}
	for i, name := range list {
		if value, ok := o.set[name]; ok {
			if values[i] = value; query.Problem(value) != "" {
				return badName(name, query.Problem(value))
			}
		}
		if len(values[i]) > maxForm {
			return badName(name, "is longer than 64 KiB")
		}
	}
	return nil
}

// Format prints the request like any struct, but for the token in it.
func (r AuthorizeRequest) Format(f fmt.State, verb rune) {
	type plain AuthorizeRequest // without this method
	r.others = nil              // may hold anything
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(r))
}

// LogValue gives what Format prints for %+v.
func (r AuthorizeRequest) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", r)) }

// at gives the field of a recognised parameter. Resource and IDTokenHint have
// no such field.
func (r *AuthorizeRequest) at(s slot) *string {
	switch s {
	case slotACRValues:
		return &r.ACRValues
	case slotAudience:
		return &r.Audience
	case slotClientID:
		return &r.ClientID
	case slotDisplay:
		return &r.Display
	case slotLoginHint:
		return &r.LoginHint
	case slotMaxAge:
		return &r.MaxAge
	case slotPrompt:
		return &r.Prompt
	case slotResponseMode:
		return &r.ResponseMode
	case slotResponseType:
		return &r.ResponseType
	case slotUILocales:
		return &r.UILocales
	case slotAccessType:
		return &r.AccessType
	case slotApprovalPrompt:
		return &r.ApprovalPrompt
	case slotForceLogin:
		return &r.ForceLogin
	case slotHD:
		return &r.HD
	case slotIncludeGrantedScopes:
		return &r.IncludeGrantedScopes
	case slotWAuth:
		return &r.WAuth
	case slotWHR:
		return &r.WHR
	case slotConnectionScope:
		return &r.ConnectionScope
	case slotCodeChallenge:
		return &r.CodeChallenge
	case slotCodeChallengeMethod:
		return &r.CodeChallengeMethod
	case slotConnection:
		return &r.Connection
	case slotInvitation:
		return &r.Invitation
	case slotNonce:
		return &r.Nonce
	case slotOrganization:
		return &r.Organization
	case slotRedirectURI:
		return &r.RedirectURI
	case slotRequest:
		return &r.Request
	case slotRequestURI:
		return &r.RequestURI
	case slotScope:
		return &r.Scope
	case slotScreenHint:
		return &r.ScreenHint
	}
	return &r.State
}

// first gives the value of a parameter, of resource the first; "" if it is absent.
func (r *AuthorizeRequest) first(s slot) string {
	switch s {
	case slotIDTokenHint:
		return r.IDTokenHint.Reveal()
	case slotResource:
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

func badParameter(s slot, problem string) *RequestError { return badName(slotNames[s], problem) }

// badName is badParameter for a name that may hold what a description may not.
func badName(name, problem string) *RequestError {
	what := "parameter " + name
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }) {
		what = "a parameter"
	}
	return &RequestError{"invalid_request", name, what + " " + problem}
}

const (
	maxQuery = 32 << 10 // bytes of a query, undecoded
	maxForm  = 64 << 10 // bytes of a POST body
)

// ParseAuthorizeRequest reads an /authorize request: the query of a GET or
// HEAD, the body of a POST. The query of a POST is not looked at (OpenID
// Connect Core 3.1.2.1 puts all parameters into the body), and no header but
// Content-Type. If the host has called r.ParseForm before, r.PostForm is read,
// else the body is consumed. The error is a [*RequestError].
func ParseAuthorizeRequest(r *http.Request) (*AuthorizeRequest, error) {
	switch {
	case r == nil:
		return nil, badRequest("there is no request")
	case r.Method == http.MethodPost:
		return parseForm(r)
	case r.Method != "" && r.Method != http.MethodGet && r.Method != http.MethodHead:
		return nil, badRequest("the method is neither GET nor POST")
	case r.URL == nil:
		return ParseAuthorizeQuery("")
	}
	return ParseAuthorizeQuery(r.URL.RawQuery)
}

func parseForm(r *http.Request) (*AuthorizeRequest, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, badRequest("the body of a POST must be application/x-www-form-urlencoded")
	}
	if r.PostForm != nil {
		return ParseAuthorizeValues(r.PostForm)
	}
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxForm+1)); err != nil {
			return nil, badRequest("the body cannot be read")
		}
	}
	if len(body) > maxForm {
		return nil, badRequest("the body is longer than 64 KiB")
	}
	req := new(AuthorizeRequest)
	if err := req.parse(string(body)); err != nil {
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
	if len(raw) > maxQuery {
		return badRequest("the query is longer than 32 KiB")
	}
	if err := r.parse(raw); err != nil {
		return err
	}
	return nil
}

// parse fills an empty request from its encoded form. Values that stand for
// themselves stay parts of raw; all others are decoded into one buffer, of
// which one string is made in the end.
func (r *AuthorizeRequest) parse(raw string) *RequestError {
	var (
		buf     [256]byte // more moves to the heap
		decoded = buf[:0]
		ends    [slotEnd]int32 // of a decoded value in the buffer; they begin where the one before ends
		order   [slotEnd]slot
		n       int
		seen    uint64 // one bit a slot
		whole   = raw
		first   = -1 // where the first pair that is not recognised begins,
		last    = 0  // and where the last ends
	)
	for raw != "" {
		if raw[0] == '&' { // an empty pair
			raw = raw[1:]
			continue
		}
		s, rest := firstName(raw)
		if s == noSlot {
			if first < 0 {
				first = len(whole) - len(raw)
			}
			pair := strings.IndexByte(raw, '&')
			if pair < 0 {
				pair = len(raw)
			}
			raw = raw[pair:]
			last = len(whole) - len(raw)
			continue
		}
		if seen&(1<<s) != 0 && s != slotResource {
			return badParameter(s, query.Doubled)
		}
		seen |= 1 << s
		// Many a value stands for itself: then looking for what does not has found
		// its end as well.
		end := query.Plain(rest)
		value := rest[:end]
		if end < len(rest) && rest[end] != '&' {
			start := len(decoded)
			var problem string
			if decoded, end, problem = query.AppendValue(decoded, rest, end); problem != "" {
				return badParameter(s, problem)
			}
			if s != slotResource {
				order[n], ends[n] = s, int32(len(decoded))
				n++
				raw = rest[min(end+1, len(rest)):]
				continue
			}
			value = string(decoded[start:])
			decoded = decoded[:start]
		}
		r.set(s, value)
		raw = rest[min(end+1, len(rest)):]
	}
	all, start := string(decoded), int32(0)
	for i := range n {
		r.set(order[i], all[start:ends[i]])
		start = ends[i]
	}
	if first >= 0 {
		r.others = &others{raw: whole[first:last]}
	}
	return nil
}

// firstName recognises the first name of a query and gives the query from its value
// on.
func firstName(raw string) (s slot, rest string) {
	// Most names are recognised and without escapes.
	if i := strings.IndexByte(raw[:min(len(raw), maxName+1)], '='); i > 0 {
		if s = slotOf(raw[:i]); s != noSlot {
			return s, raw[i+1:]
		}
	}
	end := strings.IndexAny(raw, "=&")
	switch {
	case end < 0:
		return slotOfEncoded(raw), ""
	case raw[end] == '=':
		return slotOfEncoded(raw[:end]), raw[end+1:]
	}
	return slotOfEncoded(raw[:end]), raw[end:]
}

// set stores a decoded value.
func (r *AuthorizeRequest) set(s slot, value string) {
	switch s {
	case slotResource:
		if value != "" { // as if absent
			r.Resource = append(r.Resource, value)
		}
	case slotIDTokenHint:
		r.IDTokenHint = NewSecret(value)
	case slotRedirectURI:
		r.RedirectURI, _, _ = strings.Cut(value, "#")
	default:
		*r.at(s) = value
	}
}

// slotOfEncoded recognises a name that may be percent-encoded.
func slotOfEncoded(name string) slot {
	if s := slotOf(name); s != noSlot {
		return s
	}
	var buf [3 * maxName]byte // with every byte escaped
	if len(name) > len(buf) {
		return noSlot
	}
	decoded, wrong := query.AppendUnescape(buf[:0], name)
	if wrong != "" {
		return noSlot
	}
	return slotOf(string(decoded))
}

// ParseAuthorizeValues reads an /authorize request that the host has parsed
// already. The rules are those of [ParseAuthorizeQuery] as far as url.Values
// still shows what came, and the values that it reads have at most 64 KiB in
// all; parameters are looked at in the order of their names.
// The error is a [*RequestError]. form is not changed, and kept: parameters that
// have no field are read from it when a connection asks for them.
func ParseAuthorizeValues(form url.Values) (*AuthorizeRequest, error) {
	req := new(AuthorizeRequest)
	size, known := 0, 0
	for _, s := range slotsSorted {
		values, ok := form[slotNames[s]]
		if ok {
			known++
		}
		if len(values) > 1 && s != slotResource {
			return nil, badParameter(s, query.Doubled)
		}
		for _, value := range values {
			if size += len(value); size > maxForm {
				return nil, badRequest("the parameters are longer than 64 KiB")
			}
			if problem := query.Problem(value); problem != "" {
				return nil, badParameter(s, problem)
			}
			req.set(s, value)
		}
	}
	if known < len(form) {
		req.others = &others{form: form}
	}
	return req, nil
}

// slotsSorted are all slots in the order of their names.
var slotsSorted = func() []slot {
	var out []slot
	for s := range slotEnd {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b slot) int { return strings.Compare(slotNames[a], slotNames[b]) })
	return out
}()
