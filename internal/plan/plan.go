// Package plan owns what a connection compiles to: the decision about every
// parameter that can ever be sent to an authorization endpoint, taken once as
// far as the configuration decides it, and at each request as far as that does.
//
// It knows parameters by the names that the identity provider gives them, and
// incoming values by number: what a number stands for, how a request is parsed,
// and what may be configured, is the caller's part.
//
// A connection of strategy oauth2 with scope openid, a static blog, and three
// aliases (screen_name of login_hint, with a default; prompt, with unless;
// ui_locales) compiles to these steps, one for each name that can be sent, in the
// order of the URL:
//
//	name                   kind             candidates, the highest layer first
//	blog                   constant         upstream_params "myblog..."
//	client_id              constant         protocol "idp-client"
//	code_challenge         challenge
//	code_challenge_method  forwarded
//	nonce                  forwarded
//	prompt                 mapped           upstream_params <- prompt, unless id_token_hint
//	redirect_uri           forwarded
//	response_type          constant         protocol "code"
//	scope                  preset           protocol <- connection_scope merged with "openid"
//	                                        protocol "openid"
//	screen_name            preset           upstream_params <- login_hint
//	                                        upstream_params "nobody" (the default)
//	state                  forwarded
//	ui_locales             forwarded        upstream_params <- ui_locales
//
// Sorted by name, since the URL is to the byte what oauth2.Config.AuthCodeURL
// makes (rule M9). The table says why a parameter is sent, and is for Explain and for what
// needs candidates. Append reads a code that is made of it: for each step a head of eight
// bytes (kind, number, length) and a text. Between blog and client_id nothing depends
// on the request, so that one append writes both, behind the endpoint:
//
//	constant 2              https://idp.../authorize&blog=myblog...&client_id=idp-client
//	challenge               &code_challenge=
//	forwarded the method    &code_challenge_method=
//	forwarded the nonce     &nonce=
//	mapped                                     (step 5: its candidates are asked)
//	...
//	preset login_hint       &screen_name=nobody
//	forwarded the state     &state=
//	forwarded ui_locales    &ui_locales=
//	end
//
// The code of nearly every plan is a part of the plan itself, in the order in which Append
// reads it: the plans of most tenants are in no cache, and come faster from one place.
//
// Three invariants hold what follows together:
//
//   - A step's candidates end with the first that has a value whatever comes in:
//     lower layers are dropped while compiling, not at each request. Those of layer
//     Protocol alone may have others behind them, which nobody asks.
//   - What the configuration says is encoded in link, and never again. What comes
//     in is encoded at each request, and by AppendPair alone.
//   - Append and Explain ask the same candidates in the same order through the
//     same methods (at, values, dropped): what is explained is what is sent.
package plan

import (
	"encoding/binary"
	"math"
	"net/url"
	"slices"
	"strings"

	"example.com/upstream/internal/query"
	"example.com/upstream/internal/rule"
)

// A Layer is where a value comes from. Of one name, the lowest number wins, so
// that neither a tenant's configuration nor an application's request can replace
// what protects the login: state (RFC 6749 section 10.12), the PKCE challenge
// (RFC 7636), nonce (OpenID Connect Core 15.5.2). (rule M1)
type Layer uint8

// The layers, the highest first.
const (
	Protocol Layer = iota
	Transaction
	UpstreamParams
	AuthParamsMap
	AuthParams
	Strategy
	URL
)

func (l Layer) String() string {
	return [...]string{"protocol", "transaction", "upstream_params", "authParamsMap", "authParams", "strategy", "authorizationURL"}[l]
}

// A Source is the number of a value that differs from one login to the next, which
// indexes Input.Values.
type Source uint16

// The values of the transaction, which no configuration names, and the first of the
// incoming parameters.
const (
	RedirectURI Source = iota
	State
	Nonce
	RequestToken
	ChallengeMethod
	First
)

// None stands for no incoming parameter.
const None Source = math.MaxUint16

// An Entry is one configured parameter of the layers below Protocol.
type Entry struct {
	Layer     Layer
	Name      string
	Source    Source     // None for a static value
	List      bool       // the source is a list separated by spaces
	Many      bool       // the source may have several values, in Input.Resources
	Value     string     // static, or the default
	Rule      *rule.Rule // on the incoming value
	Unless    []Source   // drops the entry where one of these has a value
	Essential bool       // to be told in the explanation
	FormPost  bool       // only with name or email in the scope that is sent (rule O9)
}

// Scopes says what the scope parameter is without a static one. (rules M5, M6, O6)
type Scopes struct {
	Own   []string
	Sep   byte   // between scopes where the request asks for some
	Asked Source // the incoming parameter that asks for more
	Note  string // why Own is not what the connection has, for the explanation
}

// An Input is what differs from one login to the next. Empty is absent.
type Input struct {
	Values    []string // by Source; the first of Resources as well
	Resources []string // all values of the parameter that may have several
	Challenge []byte   // S256, in base64url

	Scope string // the host's own, instead of all others; read for FormPost alone

	asksForUser bool // by prepare
	fetched     byte // by Fetch
}

// A kind says where a step gets its value.
type kind uint8

const (
	end       kind = iota // of the plan
	constant              // known when the plan is made
	forwarded             // one value as it is: of the transaction, or of the usual alias, without a look at candidates
	challenge             // Input.Challenge
	preset                // one incoming parameter, or what is known when the plan is made: as scope is nearly always
	mapped                // the first candidate with a value
)

// A span is a part of the plan's code. A string would take twice the room, in each
// step of each tenant.
type span struct{ from, to uint32 }

func (p *Plan) textOf(s span) []byte { return p.code()[s.from:s.to] }

// A step is the decision about one parameter name. The steps of a plan are in
// the order of the names, which is the order of the URL.
type step struct {
	text  span   // "&name="
	first uint32 // the step's first candidate among those of the plan
	n     uint16 // of what is forwarded or preset, the Source that is looked at
	kind  kind
}

// A candidate is one place that the value of a parameter may come from. It stops
// the search when it has a value, and when it is static and empty: that is how an
// administrator suppresses a parameter of a lower layer. (rule M2)
type candidate struct {
	text   span   // "&name=" and the static value, encoded; empty if that is
	source Source // None for a static value
	layer  Layer
	list   bool
	many   bool
	rule   *rule.Rule // on the incoming value
	rare   *rare
}

// suppresses reports whether the candidate is static and empty.
func (c *candidate) suppresses() bool { return c.source == None && c.text.from == c.text.to }

// rare is what few candidates have, behind one pointer that is nearly always nil.
type rare struct {
	scopes    *Scopes // of the candidate that merges scopes
	unless    []Source
	essential bool
	formPost  bool
	note      *string // on where the value is from
}

// A Plan is the compiled form of all that can ever be sent. It is immutable. The
// zero Plan sends nothing.
type Plan struct {
	steps      []step
	candidates []candidate // of all steps
	base       uint32      // bytes of the authorization endpoint, without its query
	size       uint32      // about how long a URL is
	formPost   bool        // some candidate has it
	long       []byte      // the code, if short has no room for it
	short      [512]byte   // the code of nearly all plans
}

// code is what Append goes by, and behind it the texts that it seldom needs.
func (p *Plan) code() []byte {
	if p.long != nil {
		return p.long
	}
	return p.short[:]
}

// Made reports whether the plan is not the zero Plan.
func (p *Plan) Made() bool { return p.steps != nil }

// Size gives about how many bytes a URL has.
func (p *Plan) Size() int { return int(p.size) }

// Names gives the names of all parameters that the plan may send, sorted.
func (p *Plan) Names(yield func(string) bool) {
	for i := range p.steps {
		if !yield(p.name(i)) {
			return
		}
	}
}

// name gives the name of the i-th step.
func (p *Plan) name(i int) string {
	text := p.textOf(p.steps[i].text)
	name, _ := url.QueryUnescape(string(text[1 : len(text)-1])) // it was escaped by link
	return name
}

// endpoint gives the authorization endpoint without its query, with which the first
// text begins.
func (p *Plan) endpoint() []byte { return p.code()[headSize:][:p.base] }

// of gives the candidates of the i-th step, in the order in which they are asked.
func (p *Plan) of(i int) []candidate {
	end := len(p.candidates)
	if i+1 < len(p.steps) {
		end = int(p.steps[i+1].first)
	}
	return p.candidates[p.steps[i].first:end]
}

// A draft is a step that is being put together.
type draft struct {
	name    string
	kind    kind
	source  Source // of what is forwarded; choices have their own
	choices []choice
}

// A choice is a candidate whose static value has yet to be encoded.
type choice struct {
	candidate
	value string
}

// New compiles entries, which are in the order of their layers, for OAuth 2.0.
// base is the authorization endpoint without its query.
func New(base, clientID string, scopes Scopes, entries []Entry) Plan {
	fixed := func(name, value string) draft {
		return draft{name: name, kind: constant, choices: []choice{{candidate{source: None}, value}}}
	}
	scope := draft{name: "scope", kind: mapped, choices: []choice{
		{candidate{source: scopes.Asked, rare: &rare{scopes: &scopes}}, ""},
	}}
	if len(scopes.Own) > 0 {
		own := choice{candidate{source: None}, strings.Join(scopes.Own, " ")}
		if scopes.Note != "" {
			own.rare = &rare{note: &scopes.Note}
		}
		scope.choices = append(scope.choices, own)
	}
	return compile(base, entries, []draft{
		fixed("client_id", clientID),
		{name: "code_challenge", kind: challenge},
		{name: "code_challenge_method", kind: forwarded, source: ChallengeMethod},
		{name: "nonce", kind: forwarded, source: Nonce},
		{name: "redirect_uri", kind: forwarded, source: RedirectURI},
		fixed("response_type", "code"),
		scope,
		{name: "state", kind: forwarded, source: State},
	})
}

// NewOAuth1 compiles entries for OAuth 1.0a. (rule X1)
func NewOAuth1(base string, entries []Entry) Plan {
	return compile(base, entries, []draft{{name: "oauth_token", kind: forwarded, source: RequestToken}})
}

// compile merges the layers.
func compile(base string, entries []Entry, protocol []draft) Plan {
	drafts := make([]*draft, 0, len(protocol)+len(entries))
	byName := make(map[string]*draft, len(protocol)+len(entries))
	for i := range protocol {
		drafts = append(drafts, &protocol[i])
		byName[protocol[i].name] = &protocol[i]
	}
	for i := range entries { // from the highest layer down
		e := &entries[i]
		d := byName[e.Name]
		if d == nil {
			d = &draft{name: e.Name, kind: mapped}
			byName[e.Name] = d
			drafts = append(drafts, d)
		}
		d.add(e)
	}
	slices.SortFunc(drafts, func(a, b *draft) int { return strings.Compare(a.name, b.name) })
	return link(base, drafts)
}

// add appends the candidates of an entry.
func (d *draft) add(e *Entry) {
	if d.final() {
		return
	}
	var seldom *rare
	if len(e.Unless) > 0 || e.Essential || e.FormPost {
		seldom = &rare{unless: e.Unless, essential: e.Essential, formPost: e.FormPost}
	}
	static := choice{candidate{layer: e.Layer, source: None, rare: seldom}, e.Value}
	// Only scope has candidates of layer Protocol that give way; what else stands
	// there cannot be configured at all, which the caller has checked.
	above := slices.IndexFunc(d.choices, func(c choice) bool { return c.layer == Protocol })
	switch {
	case d.name == "scope" && e.Layer != URL && above >= 0:
		// Replaces the connection's scopes, which stand in layer 1, and with
		// them what the request may ask for (rules M3, M6).
		d.choices = slices.Insert(d.choices, above, static)
		if static.final() {
			d.choices = d.choices[:above+1]
		}
	case e.Source == None:
		d.choices = append(d.choices, static)
	default:
		d.choices = append(d.choices, choice{candidate{layer: e.Layer, source: e.Source, list: e.List, many: e.Many, rule: e.Rule, rare: seldom}, ""})
		if e.Value != "" { // an empty default suppresses nothing
			d.choices = append(d.choices, static)
		}
	}
}

// final reports whether no lower layer can be asked any more.
func (d *draft) final() bool {
	n := len(d.choices)
	return n > 0 && d.choices[n-1].final()
}

func (c *candidate) final() bool { return c.isConstant() && c.layer != Protocol }

// isConstant reports whether the candidate has one value, whatever comes in.
func (c *candidate) isConstant() bool {
	return c.source == None && (c.rare == nil || len(c.rare.unless) == 0 && !c.rare.formPost)
}

// forwards reports whether the value of the candidate is that of the incoming
// parameter, as it came. A rule, several values, merging and unless all need the
// long way.
func (c *candidate) forwards() bool {
	return c.source != None && !c.many && c.rule == nil && (c.rare == nil || c.rare.scopes == nil && len(c.rare.unless) == 0)
}

// headSize is how many bytes of code stand before a text.
const headSize = 8

// A head is what Append reads first of a step, in one word: the kind, in 24 bits the
// Source or of a constant how many steps it is, and in 32 how long the text behind it is.
func head(k kind, n, size int) uint64 { return uint64(k) | uint64(n)<<8 | uint64(size)<<32 }

const most = 1<<24 - 1 // that a head can count

// link makes steps of drafts: it encodes what is known and joins neighbouring
// constants. Each candidate of a run keeps its own part of the joined text: Explain
// wants them one by one.
func link(base string, drafts []*draft) Plan {
	const value = 40 // bytes of an incoming one, more or less
	var (
		p    = Plan{base: uint32(len(base)), steps: make([]step, len(drafts))}
		code = append(make([]byte, headSize), base...)
		at   = 0 // the head that is to be completed,
		k    = constant
		n    = 0
	)
	// done completes a head: all behind it is its text.
	done := func() {
		size := len(code) - at - headSize
		binary.LittleEndian.PutUint64(code[at:], head(k, n, size))
		if p.size += uint32(size); k != constant {
			p.size += value
		}
	}
	begin := func(next kind, source uint16) {
		done()
		at, k, n = len(code), next, int(source)
		code = append(code, make([]byte, headSize)...)
	}
	pair := func(s *step, c *choice, d *draft) {
		from := len(code)
		code = append(query.AppendEscape(append(code, '&'), d.name), '=')
		s.text = span{uint32(from), uint32(len(code))}
		if c != nil {
			code = query.AppendEscape(code, c.value)
			c.text = span{uint32(from), uint32(len(code))}
		}
	}
	for i, d := range drafts {
		s := &p.steps[i]
		s.kind, s.n = d.kind, uint16(d.source)
		if d.kind == mapped {
			switch c := &d.choices[0]; {
			case len(d.choices) == 1 && c.isConstant():
				s.kind = constant
			case len(d.choices) == 1 && c.forwards():
				s.kind, s.n = forwarded, uint16(c.source)
			case len(d.choices) > 1 && c.source != None && d.choices[1].isConstant():
				s.kind, s.n = preset, uint16(c.source)
			}
		}
		if s.kind == constant {
			d.choices = d.choices[:1] // the protocol's own, whatever else is configured
		}
		switch s.kind {
		case constant:
			if k != constant || n == most {
				begin(constant, 0)
			}
			n++
			if c := &d.choices[0]; c.value != "" { // else it is suppressed
				pair(s, c, d)
			}
		case preset:
			begin(preset, s.n)
			if c := &d.choices[1]; c.value != "" {
				pair(s, c, d)
			}
		case mapped:
			begin(mapped, 0)
		default:
			begin(s.kind, s.n)
			pair(s, nil, d)
		}
	}
	begin(end, 0)
	// What the code has no use for: names that only explanations tell, and what only
	// the long way decides.
	for i, d := range drafts {
		s := &p.steps[i]
		if s.text == (span{}) {
			pair(s, nil, d)
		}
		s.first = uint32(len(p.candidates))
		for j := range d.choices {
			c := &d.choices[j]
			if c.value != "" && c.text == (span{}) {
				name := s.text
				pair(s, c, d)
				s.text = name
			}
			p.candidates = append(p.candidates, c.candidate)
			p.formPost = p.formPost || c.rare != nil && c.rare.formPost
		}
	}
	p.candidates = slices.Clip(p.candidates)
	if len(code) > len(p.short) {
		p.long = slices.Clip(code)
	} else {
		copy(p.short[:], code)
	}
	return p
}
