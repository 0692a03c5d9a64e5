package upstream

// This file owns the parameters that go to an identity provider: Param, the entry of
// upstream_params that configures one, in Go and in JSON; what a login's request and
// transaction make of all; and Decision, the row that tells why. What may be configured
// is in internal/outgoing, and how it is decided in internal/plan. It knows nothing of
// connections and tokens.

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/incoming"
	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/outgoing"
	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/rule"
	"example.com/upstream/internal/strictjson"
	"example.com/upstream/internal/transaction"
)

// A Param is an entry of options.upstream_params, which has them by the name that
// the IdP gives the parameter. It says where the value of one parameter comes from.
//
// Without Alias it is static: Value is sent as it is, and the zero Param sends
// nothing, not even what a lower layer says.
//
// With Alias it is dynamic: the value is that of the incoming parameter, if it
// passes Allow and AllowPattern, as Translate renders it. Without such a value
// Value is the default, and without a default the lower layers decide.
//
// From takes the place of Alias for a parameter that the vendor's list does not
// have. As its name is open its values are not: Allow or AllowPattern is required.
// From claims (OpenID Connect Core 5.5), Allow and AllowPattern are for the names
// of claims, and all others are taken out.
//
// For the aliases acr_values, prompt and ui_locales, which are lists separated
// by spaces, the three rules apply to each item; items that do not pass are
// left out.
type Param struct {
	Value string
	Alias Alias
	From  string

	// Unless names incoming parameters; where the request has one of them, the
	// lower layers decide as if the Param were not there.
	Unless []string

	// Essential is for acr_values: whoever checks the ID token has to see that its
	// acr is one of those that were sent. The mapping does not change by it.
	Essential bool

	// Allow lists the values that may pass. nil allows all, an empty list none.
	Allow []string
	// AllowPattern is an RE2 pattern that the whole value has to match. A value
	// passes if Allow or AllowPattern lets it. Its length and its program are
	// bounded, and no value of more than 1,024 bytes passes it.
	AllowPattern string
	// Translate replaces a value that has passed; one without an entry stays
	// as it is, one that becomes "" is as if absent.
	Translate map[string]string
}

// Static returns a Param with a fixed value; "" suppresses the parameter.
func Static(value string) Param { return Param{Value: value} }

// Dynamic returns a Param that passes the incoming parameter on.
func Dynamic(alias Alias) Param { return Param{Alias: alias} }

const maxParamName = 128 // characters; see check.ParameterName

// paramsField reads and writes upstream_params.
type paramsField struct{ p *map[string]Param }

// Read leaves the zero Param where an entry is faulty, so that any other Param
// that the program puts there is a change.
func (f paramsField) Read(text []byte, at string) (problems []lossless.Problem) {
	members, ok := strictjson.Members(text)
	if !ok {
		return []lossless.Problem{{Pointer: at, Message: `must be an object such as {"blog": {"value": "..."}}`}}
	}
	out := make(map[string]Param, len(members))
	for _, m := range members {
		if strictjson.IsNull(m.Value) {
			continue
		}
		if check.Length(m.Name, maxParamName) != "" {
			out[m.Name] = Param{} // and is reported as such: what is wrong inside would repeat the name
			continue
		}
		param, wrong := readParam(m.Value, at+strictjson.Pointer(m.Name))
		if len(wrong) > 0 {
			param, problems = Param{}, append(problems, wrong...)
		}
		out[m.Name] = param
	}
	*f.p = out
	return problems
}

// Agrees looks at no entry that has more than a value or an alias.
func (f paramsField) Agrees(text []byte) bool {
	members, _ := strictjson.Members(text)
	for _, m := range members {
		p, ok := (*f.p)[m.Name]
		ruled := p.Allow != nil || p.AllowPattern != "" || len(p.Translate) > 0
		entry, _ := strictjson.Members(m.Value)
		if !ok || ruled || p.From != "" || p.Unless != nil || p.Essential || len(entry) != 1 {
			return false
		}
		switch e := entry[0]; {
		case e.Name == "value" && p.Alias == "" && lossless.TextIs(e.Value, p.Value):
		case e.Name == "alias" && p.Value == "" && p.Alias != "" && lossless.TextIs(e.Value, string(p.Alias)):
		default:
			return false
		}
	}
	return len(members) == len(*f.p) && (text == nil || strictjson.IsObject(text))
}

func (f paramsField) Edits(was lossless.Field, text []byte, path []string) []strictjson.Edit {
	return lossless.DictEdits(*was.(paramsField).p, *f.p, text, path,
		func(a, b Param) bool { return reflect.DeepEqual(a, b) })
}

// Value gives what internal/valid looks at.
func (f paramsField) Value() any {
	out := make(map[string]outgoing.Param, len(*f.p))
	for name, p := range *f.p {
		out[name] = outgoing.Param{Value: p.Value, Alias: string(p.Alias), From: p.From, Unless: p.Unless, Essential: p.Essential,
			Allow: p.Allow, AllowPattern: p.AllowPattern, Translate: p.Translate}
	}
	return out
}

func readParam(text []byte, at string) (p Param, problems []lossless.Problem) {
	wrong := func(pointer, message string) {
		problems = append(problems, lossless.Problem{Pointer: pointer, Message: message})
	}
	members, ok := strictjson.Members(text)
	switch {
	case !ok: // no message repeats the value, which may be a secret
		wrong(at, `must be an object; write {"value": "..."}`)
	case len(members) == 0:
		wrong(at, "is empty; give it a value or an alias")
	}
	for _, m := range members {
		at := at + strictjson.Pointer(m.Name)
		switch m.Name {
		case "value":
			switch p.Value = strictjson.Text(m.Value); {
			case strictjson.IsNull(m.Value):
				wrong(at, `must be a string; remove it, or write "" to suppress the parameter`)
			case !strictjson.IsText(m.Value):
				wrong(at, "must be a string; put quotes around it")
			}
		case "alias":
			if p.Alias = Alias(strictjson.Text(m.Value)); p.Alias == "" {
				wrong(at, "must be one of "+strings.Join(incoming.Names[:incoming.AliasEnd], " "))
			}
		case "from":
			problems = append(problems, lossless.NonEmpty(&p.From).Read(m.Value, at)...)
		case "unless":
			problems = append(problems, lossless.List(&p.Unless).Read(m.Value, at)...)
		case "essential":
			problems = append(problems, lossless.Flag(&p.Essential).Read(m.Value, at)...)
		case "allow":
			problems = append(problems, lossless.List(&p.Allow).Read(m.Value, at)...)
		case "allow_pattern":
			problems = append(problems, lossless.NonEmpty(&p.AllowPattern).Read(m.Value, at)...)
		case "translate":
			problems = append(problems, lossless.Dict(&p.Translate).Read(m.Value, at)...)
		default:
			hint := ""
			if near := check.Nearest(m.Name, option.Names("options/upstream_params/*")); near != "" {
				hint = "; did you mean " + near + "?"
			}
			wrong(at, "is not known here"+hint)
		}
	}
	return p, problems
}

// MarshalJSON writes the Param as an entry of upstream_params.
func (p Param) MarshalJSON() ([]byte, error) {
	out := struct {
		Alias        Alias             `json:"alias,omitempty"`
		From         string            `json:"from,omitempty"`
		Value        *string           `json:"value,omitempty"`
		Unless       []string          `json:"unless,omitempty"`
		Essential    bool              `json:"essential,omitempty"`
		Allow        []string          `json:"allow,omitzero"` // an empty list means something
		AllowPattern string            `json:"allow_pattern,omitempty"`
		Translate    map[string]string `json:"translate,omitempty"`
	}{p.Alias, p.From, &p.Value, p.Unless, p.Essential, p.Allow, p.AllowPattern, p.Translate}
	if p.Value == "" && (p.Alias != "" || p.From != "") {
		out.Value = nil
	}
	return json.Marshal(out)
}

// parameters is what a connection says of them, compiled. Never written once made.
type parameters struct {
	plan    plan.Plan
	sources outgoing.Sources // what the plan looks at in a request
	rules   transaction.Rules

	translatesPrompt bool // so that what came does not tell what is sent
}

// newParameters compiles entries. base is the authorization endpoint without its query.
func newParameters(rules transaction.Rules, base, clientID string, scopes plan.Scopes, entries []outgoing.Entry) parameters {
	sources, compiled := outgoing.Compile(entries)
	p := parameters{sources: sources, rules: rules}
	p.translatesPrompt = slices.ContainsFunc(entries, func(e outgoing.Entry) bool {
		return e.Alias == incoming.Names[incoming.Prompt] && len(e.Translate) > 0
	})
	if rules.OAuth1 {
		p.plan = plan.NewOAuth1(base, compiled)
		return p
	}
	scopes.Asked = sources.Of(incoming.Names[incoming.ConnectionScope])
	p.plan = plan.New(base, clientID, scopes, compiled)
	return p
}

// noRequest is read where there is no request, and never written.
var noRequest AuthorizeRequest

// ready refuses what is wrong with the request, then with the Transaction, and gathers
// what the plan needs of them. It reports whether there is a challenge.
func (p *parameters) ready(req *AuthorizeRequest, tx *Transaction, in *plan.Input, c *transaction.Challenge) (pkce bool, _ error) {
	if err := p.look(req, in); err != nil {
		return false, err
	}
	in.Values[plan.RedirectURI], in.Values[plan.State] = tx.RedirectURI, tx.State.Reveal()
	in.Values[plan.Nonce], in.Values[plan.RequestToken] = tx.Nonce.Reveal(), tx.RequestToken.Reveal()
	verifier := tx.CodeVerifier.Reveal()
	if field, problem := p.rules.Check(in, verifier); problem != "" {
		return false, &TransactionError{field, problem}
	}
	if err := p.extra(tx); err != nil {
		return false, err
	}
	return p.rules.Challenge(c, verifier), nil
}

// look gathers what the plan looks at in a request, and checks what it can only
// now: names that this connection alone asks for, and values that OpenID Connect
// restricts where they are sent on.
func (p *parameters) look(req *AuthorizeRequest, in *plan.Input) *RequestError {
	if req == nil {
		req = &noRequest
	}
	n := p.sources.Size()
	if n > len(in.Values) {
		in.Values = make([]string, n)
	}
	in.Values = in.Values[:n]
	slots, values := p.sources.Slots(), in.Values[plan.First:]
	for i, s := range slots {
		if field := req.at(s); field != nil {
			values[i] = *field
		} else {
			values[i] = req.first(s)
		}
	}
	in.Resources = req.Resource
	if req.MaxAge != "" && !rule.Seconds(req.MaxAge) && p.sources.Of(incoming.Names[incoming.MaxAge]) != plan.None {
		return badParameter(incoming.MaxAge, "is not a number of seconds")
	}
	if names := p.sources.Others(); names != nil {
		if err := req.read(names, values[len(slots):]); err != nil {
			return err
		}
		if s := p.sources.Claims(); s != plan.None && in.Values[s] != "" {
			if problem := rule.ClaimsProblem(in.Values[s]); problem != "" {
				return badName(outgoing.Claims, problem)
			}
		}
	}
	if n := len(req.Prompt); p.translatesPrompt || n >= len(prompts) || prompts[n] != req.Prompt {
		if s := p.sources.Of(incoming.Names[incoming.Prompt]); s != plan.None && p.plan.Sends(s, in, rule.NoneAmongOthers) {
			return badParameter(incoming.Prompt, "has none beside another value")
		}
	}
	return nil
}

// prompts are the values of OpenID Connect Core 3.1.2.1, which stand alone in nearly all
// requests; each is at its length, so that one comparison tells.
var prompts = [...]string{4: "none", 5: "login", 7: "consent", 14: "select_account"}

// extra checks the host's own parameters, last of a Transaction.
func (p *parameters) extra(tx *Transaction) *TransactionError {
	if len(tx.Extra) > 0 {
		if message := outgoing.Extra(tx.Extra, &p.plan); message != "" {
			return &TransactionError{"extra", message}
		}
	}
	return nil
}

// append writes the URL. refused is an error that is told only where neither request nor
// Transaction has one.
func (p *parameters) append(dst []byte, req *AuthorizeRequest, tx *Transaction, refused error) ([]byte, error) {
	if len(tx.Extra) > 0 {
		return p.appendExtra(dst, req, tx, refused)
	}
	var (
		few [16]string // values, where they are not more
		c   transaction.Challenge
	)
	in := plan.Input{Values: few[:]}
	p.plan.Fetch(&in)
	pkce, err := p.ready(req, tx, &in, &c)
	if err == nil {
		err = refused
	}
	if err != nil {
		return dst, err
	}
	if pkce { // not in ready, which would move c to the heap
		in.Challenge, in.Values[plan.ChallengeMethod] = c[:], "S256"
	}
	out, ok := p.plan.Append(dst, &in)
	if !ok {
		return dst, tooLong()
	}
	return out, nil
}

func tooLong() *RequestError { return badRequest("the authorization URL would be longer than 32 KiB") }

// appendExtra is append where the host has parameters of its own.
func (p *parameters) appendExtra(dst []byte, req *AuthorizeRequest, tx *Transaction, refused error) ([]byte, error) {
	rows, err := p.decide(req, tx)
	if err == nil {
		err = refused
	}
	if err != nil {
		return dst, err
	}
	out, ok := p.plan.AppendRows(dst, rows)
	if !ok {
		return dst, tooLong()
	}
	return out, nil
}

// decide explains every parameter.
func (p *parameters) decide(req *AuthorizeRequest, tx *Transaction) ([]plan.Row, error) {
	var (
		in plan.Input
		c  transaction.Challenge
	)
	pkce, err := p.ready(req, tx, &in, &c)
	if err != nil {
		return nil, err
	}
	if pkce {
		in.Challenge, in.Values[plan.ChallengeMethod] = c[:], "S256"
	}
	return p.rows(&in, tx.Extra)
}

// configured gives what is sent beside the protocol's own.
func (p *parameters) configured(req *AuthorizeRequest, tx *Transaction) (url.Values, error) {
	var in plan.Input
	if err := p.look(req, &in); err != nil {
		return nil, err
	}
	if err := p.extra(tx); err != nil {
		return nil, err
	}
	rows, err := p.rows(&in, tx.Extra)
	if err != nil {
		return nil, err
	}
	out := url.Values{}
	for _, row := range rows {
		if row.Sent && row.Layer != plan.Protocol {
			out.Add(row.Name, row.Value)
		}
	}
	return out, nil
}

func (p *parameters) explain(req *AuthorizeRequest, tx *Transaction) (Explanation, error) {
	rows, err := p.decide(req, tx)
	if err != nil {
		return Explanation{}, err
	}
	if req == nil {
		req = &noRequest
	}
	if _, ok := p.plan.AppendRows(nil, rows); !ok { // as the URL, so its explanation
		return Explanation{}, tooLong()
	}
	out := Explanation{Unmapped: []string{}}
	for _, row := range rows {
		out.Parameters = append(out.Parameters, newDecision(row, p.sources.Name(row.Source)))
	}
	for s := range incoming.SourceEnd {
		if !slices.Contains(p.sources.Slots(), s) && s != incoming.ClientID && s != incoming.ResponseType && req.first(s) != "" {
			out.Unmapped = append(out.Unmapped, incoming.Names[s])
		}
	}
	slices.Sort(out.Unmapped)
	return out, nil
}

func (p *parameters) rows(in *plan.Input, extra map[string]string) ([]plan.Row, error) {
	rows, ok := p.plan.Explain(in, extra, plan.Teller{Name: p.sources.Name, Missing: p.rules.Missing})
	if !ok {
		return nil, tooLong()
	}
	return rows, nil
}

// An Explanation says of every parameter of one upstream request why it is
// there, or why not.
type Explanation struct {
	// Parameters has a row for each parameter that was sent, in the order of
	// the URL, and for each that could have been. A resource with several
	// values has a row for each, sent or not.
	Parameters []Decision `json:"parameters"`
	// Unmapped names, sorted, the incoming parameters that have a value and could
	// be mapped, but that no entry of the connection names; client_id and
	// response_type, which every request has, are left out. It is never nil.
	Unmapped []string `json:"unmapped"`
}

// A Decision is one row of an [Explanation].
type Decision struct {
	Name  string `json:"name"`  // the IdP's name of the parameter
	Value string `json:"value"` // what was sent, decoded; that of id_token_hint is redacted
	// Layer says whose value it is, or which is the highest that names the
	// parameter: protocol, transaction (Extra), upstream_params, authParamsMap,
	// authParams, strategy or authorizationURL.
	Layer  string `json:"layer"`
	Source string `json:"source"`         // the incoming parameter that this layer looks at; "" if it looks at none
	Came   string `json:"came,omitempty"` // what came in that parameter; redacted as Value is
	// Items tells of each item that came what became of it. It is there for the
	// lists acr_values, prompt and ui_locales, and, with one item, where allow,
	// allow_pattern or translate had to look at the value.
	Items []struct {
		Came string `json:"came"`
		Sent string `json:"sent"` // "" if it did not pass
	} `json:"items,omitempty"`
	Essential bool   `json:"essential,omitempty"` // the connection has "essential": true
	Sent      bool   `json:"sent"`
	Reason    string `json:"reason"` // why it was not sent, or not as it came, or not that of a higher layer
}

// newDecision gives a row as hosts see it, with what is secret redacted.
func newDecision(row plan.Row, source string) Decision {
	d := Decision{
		Name: row.Name, Value: row.Value, Layer: row.Layer.String(), Source: source, Came: row.Came,
		Essential: row.Essential, Sent: row.Sent, Reason: row.Reason,
	}
	secret := source == incoming.Names[incoming.IDTokenHint] || d.Name == incoming.Names[incoming.IDTokenHint]
	show := func(text string) string {
		if secret && text != "" {
			return redacted
		}
		return text
	}
	d.Value, d.Came = show(d.Value), show(d.Came)
	for _, item := range row.Items {
		d.Items = append(d.Items, struct {
			Came string `json:"came"`
			Sent string `json:"sent"`
		}{show(item.Came), show(item.Sent)})
	}
	return d
}
