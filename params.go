package upstream

// This file owns what may go out: Param as the configuration has it, what is
// wrong with one, and the entries that all layers are brought to before
// internal/plan compiles them. It knows nothing of connections, of how a request
// is parsed, of the transaction's rules, or of tokens.

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/incoming"
	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/query"
	"example.com/upstream/internal/rule"
	"example.com/upstream/internal/strictjson"
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

const (
	maxParamName = 128 // characters; see check.ParameterName
	maxParams    = 200 // entries (rule P1)
)

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
		entry, _ := strictjson.Members(m.Value)
		if !ok || p.ruled() || p.From != "" || p.Unless != nil || p.Essential || len(entry) != 1 {
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
	if p.dynamic() && p.Value == "" {
		out.Value = nil
	}
	return json.Marshal(out)
}

// An entry is one configured parameter of layers 2 to 5, all brought to one form.
type entry struct {
	layer plan.Layer
	name  string
	param Param
	// formPost stands for rule O9: it is sent only with name or email in the scope.
	formPost bool
	parent   string // pointer of the object that has it; of plan.URL, of the URL itself

	pattern *regexp.Regexp // of a dynamic parameter's allow_pattern, once it has been checked
}

// pointer says where the configuration has the entry.
func (e *entry) pointer() string {
	if e.layer == plan.URL {
		return e.parent
	}
	return e.parent + strictjson.Pointer(e.name)
}

// report adds a problem, if there is one, with a member of the entry or, at "",
// with the entry.
func (e *entry) report(k *entryCheck, member, message string) {
	if message != "" { // a pointer is made only where there is a problem
		k.report(e.pointer()+member, message)
	}
}

// dynamic reports whether the value comes from the request.
func (p *Param) dynamic() bool { return p.Alias != "" || p.From != "" }

// ruled reports whether some rule looks at the value.
func (p *Param) ruled() bool {
	return p.Allow != nil || p.AllowPattern != "" || len(p.Translate) > 0
}

// newRule compiles the rules of a valid Param, nil if it has none. It copies,
// because the caller may go on changing its slices and maps.
func newRule(e *entry) *rule.Rule {
	p := &e.param
	if !p.ruled() {
		return nil
	}
	return &rule.Rule{
		Items:      p.isList(),
		Claims:     p.From == claimsName,
		Restricted: p.Allow != nil || p.AllowPattern != "",
		Allow:      slices.Sorted(slices.Values(p.Allow)),
		Pattern:    e.pattern,
		Translate:  maps.Clone(p.Translate),
	}
}

// isList reports whether the value is a list separated by spaces. (rule M7)
func (p *Param) isList() bool {
	return p.Alias == "acr_values" || p.Alias == "prompt" || p.Alias == "ui_locales"
}

// claimsName is the incoming parameter whose value is JSON (rule B3).
const claimsName = "claims"

// sources numbers the incoming parameters that a plan looks at: first those that
// have a field in AuthorizeRequest, then the others.
type sources struct {
	names *query.Names
	count uint8 // of list
	list  [incoming.End]incoming.Slot
}

func (s *sources) slots() []incoming.Slot { return s.list[:s.count] }

// newSources collects the sources of all entries.
func newSources(entries []entry) sources {
	s := sources{list: [incoming.End]incoming.Slot{incoming.ConnectionScope}, count: 1}
	known := [incoming.None]bool{incoming.ConnectionScope: true}
	var open []string
	seen := map[string]bool{}
	add := func(name string) {
		switch slot := incoming.Of(name); {
		case name == "" || slot == incoming.None && seen[name]:
		case slot == incoming.None:
			seen[name] = true
			open = append(open, name)
		case !known[slot]:
			known[slot] = true
			s.list[s.count] = slot
			s.count++
		}
	}
	for i := range entries {
		p := &entries[i].param
		add(p.source())
		for _, name := range p.Unless {
			add(name)
		}
	}
	s.names = query.NewNames(open)
	return s
}

// source names the incoming parameter of a Param, "" if it has none.
func (p *Param) source() string {
	if p.Alias != "" {
		return string(p.Alias)
	}
	return p.From
}

func (s *sources) size() int { return len(s.slots()) + len(s.names.List()) }

// of gives the number of an incoming parameter, plan.None if nobody asks for it.
func (s *sources) of(name string) plan.Source {
	if slot := incoming.Of(name); slot != incoming.None {
		if i := slices.Index(s.slots(), slot); i >= 0 {
			return plan.Source(i)
		}
	} else if i := s.names.Index(name); i >= 0 {
		return plan.Source(len(s.slots()) + i)
	}
	return plan.None
}

// name is the way back.
func (s *sources) name(n plan.Source) string {
	switch i := int(n) - len(s.slots()); {
	case n == plan.None:
		return ""
	case i >= 0:
		return s.names.List()[i]
	}
	return incoming.Names[s.list[n]]
}

// compile gives the entry as a plan takes it.
func (e *entry) compile(s *sources) plan.Entry {
	p := &e.param
	out := plan.Entry{Layer: e.layer, Name: e.name, Source: s.of(p.source()), Value: p.Value, Essential: p.Essential, FormPost: e.formPost}
	if out.Source != plan.None {
		out.List, out.Many, out.Rule = p.isList(), p.source() == "resource", newRule(e)
	}
	for _, name := range p.Unless {
		out.Unless = append(out.Unless, s.of(name))
	}
	return out
}

// An entryCheck gathers what is wrong with the entries of one connection, and
// hands each problem up.
type entryCheck struct {
	report   func(pointer, message string)
	patterns int // what all patterns cost, see package rule
}

// checkEntries reports what is wrong with the entries of layers 2 to 4, as the
// configuration has them, and gives them with those of layer 5: rawQuery is the
// authorization endpoint's query, at where the configuration has it. What
// collides with an entry of the strategy's own is what is configured.
func checkEntries(entries []entry, rawQuery, at string, report func(pointer, message string)) []entry {
	k := &entryCheck{report: report}
	folded := make(map[string]string, len(entries))
	for i := range entries {
		if e := &entries[i]; e.layer == plan.Strategy {
			folded[e.name] = e.name
		}
	}
	entries = append(entries, k.urlEntries(rawQuery, at)...)
	for i := range entries {
		e := &entries[i]
		e.check(k)
		name := check.FoldParameter(e.name)
		if twin, ok := folded[name]; ok && twin != e.name {
			e.report(k, "", fmt.Sprintf("%q and %q are one name to servers that look at no case, or read . as _ and name[] as name; keep one of them", check.Shown(e.name), check.Shown(twin)))
		} else {
			folded[name] = e.name
		}
	}
	return entries
}

// urlEntries takes the query of the authorization endpoint apart (layer 5).
func (k *entryCheck) urlEntries(rawQuery, at string) (out []entry) {
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, wrong := query.AppendUnescape(nil, rawName)
		value, wrongValue := query.AppendUnescape(nil, rawValue)
		if wrong == "" {
			wrong = wrongValue
		}
		if wrong != "" {
			k.report(at, "has a query of which a parameter "+wrong)
			continue
		}
		e := entry{layer: plan.URL, name: string(name), param: Static(string(value)), parent: at}
		if seen[e.name] {
			k.report(at, fmt.Sprintf("has the parameter %q twice in its query", check.Shown(e.name)))
		}
		seen[e.name] = true
		out = append(out, e)
	}
	return out
}

// wrongStatic says what is wrong with a name, and with a fixed value for it.
// (rules C7, M3)
func wrongStatic(name, value string) string {
	if message := check.ParameterName(name); message != "" {
		return message
	}
	switch folded := check.FoldParameter(name); {
	case isReserved(name):
		return fmt.Sprintf("%q is set by the protocol and cannot be configured", check.Shown(name))
	case folded != "scope" && folded != "response_type" && folded != "response_mode":
	case folded != name:
		return "must be written " + folded
	case folded == "response_type" && value != "code":
		return "response_type must be code"
	case folded == "response_mode" && value != "" && value != "query" && value != "form_post":
		return "response_mode must be query or form_post"
	}
	return ""
}

// checkExtra says what is wrong with the host's own parameters, by the rules for
// configured ones; "" if nothing is.
func checkExtra(extra map[string]string, p *plan.Plan) string {
	spellings := make(map[string]string, len(extra))
	for name := range p.Names {
		spellings[check.FoldParameter(name)] = name
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		value := extra[name]
		if value == "" {
			continue
		}
		message := wrongStatic(name, value)
		folded := check.FoldParameter(name)
		if twin, ok := spellings[folded]; ok && twin != name && message == "" {
			message = fmt.Sprintf("%q is another spelling of it; keep one of them", check.Shown(twin))
		}
		if message != "" {
			return "has the parameter " + strconv.Quote(check.Shown(name)) + ", which cannot be sent: " + message
		}
		spellings[folded] = name
	}
	return ""
}

// check reports what is wrong with one entry.
func (e *entry) check(k *entryCheck) {
	switch e.name {
	case "scope", "response_type", "response_mode":
		if e.param.dynamic() {
			e.report(k, "", e.name+" cannot come from the request; give it a fixed value")
		}
	}
	e.report(k, "", wrongStatic(e.name, e.param.Value))
	switch e.layer {
	case plan.UpstreamParams:
		e.checkParam(k)
	case plan.AuthParamsMap:
		if incoming.Of(string(e.param.Alias)) >= incoming.SourceEnd {
			e.report(k, "", notInList(e.param.Alias, incoming.Names[:incoming.SourceEnd])+e.swapped(incoming.SourceEnd))
		}
	case plan.AuthParams:
		if e.param.Value == "" {
			e.report(k, "", "is empty; give it a value or remove it")
		}
		e.report(k, "", check.Length(e.param.Value, option.Get("options/authParams").Limit.Text))
	}
}

// checkParam reports what is wrong with an entry of upstream_params.
func (e *entry) checkParam(k *entryCheck) {
	p := &e.param
	if p.Alias != "" && incoming.Of(string(p.Alias)) >= incoming.AliasEnd {
		message := notInList(p.Alias, incoming.Names[:incoming.AliasEnd])
		if incoming.Of(string(p.Alias)) < incoming.SourceEnd {
			message += "; authParamsMap takes it"
		}
		e.report(k, "/alias", message+e.swapped(incoming.AliasEnd))
	}
	if p.From != "" {
		e.checkFrom(k)
	}
	if p.dynamic() {
		if p.AllowPattern != "" {
			e.checkPattern(k)
		}
	}
	if len(p.Unless) > maxUnless {
		e.report(k, "/unless", fmt.Sprintf("has more than %d items", maxUnless))
	} else {
		for i, name := range p.Unless {
			if incoming.Of(name) >= incoming.SourceEnd {
				e.report(k, "/unless/"+strconv.Itoa(i), wrongSource(name))
			}
		}
	}
	if p.Essential && p.Alias != "acr_values" && e.name != "acr_values" {
		e.report(k, "/essential", "is only for acr_values")
	}
	if p.dynamic() {
		return
	}
	const pointless = "is only for a dynamic parameter; give it an alias"
	if p.Allow != nil {
		e.report(k, "/allow", pointless)
	}
	if p.AllowPattern != "" {
		e.report(k, "/allow_pattern", pointless)
	}
	if len(p.Translate) > 0 {
		e.report(k, "/translate", pointless)
	}
}

// checkPattern compiles the pattern, unless those before it were as much as may
// be.
func (e *entry) checkPattern(k *entryCheck) {
	const together = "takes too much work together with the patterns before it; make them shorter"
	pattern := e.param.AllowPattern
	if k.patterns+rule.Cost(pattern) > rule.MaxCost {
		e.report(k, "/allow_pattern", together)
		return
	}
	re, cost, problem := rule.WholeMatch(pattern)
	if k.patterns += cost; k.patterns > rule.MaxCost && problem == "" {
		problem = together
	}
	e.report(k, "/allow_pattern", problem)
	e.pattern = re
}

// swapped is the hint where the entry reads the wrong way round.
func (e *entry) swapped(end incoming.Slot) string {
	if incoming.Of(e.name) >= end {
		return ""
	}
	return "; the entry's name is the identity provider's, and what it holds is the incoming parameter: swap them"
}

const maxUnless = 20 // items, more than anybody needs

// checkFrom reports what is wrong with an entry that has From. (rules B1, B3)
func (e *entry) checkFrom(k *entryCheck) {
	p := &e.param
	if p.Alias != "" {
		e.report(k, "/from", "stands beside alias; keep one of them")
	}
	if incoming.Of(p.From) < incoming.AliasEnd {
		e.report(k, "/from", "names an alias; write \"alias\" in its place")
	}
	e.report(k, "/from", wrongSource(p.From))
	if p.Allow == nil && p.AllowPattern == "" {
		e.report(k, "", "has a from without allow or allow_pattern; as its name is open, its values cannot be")
	}
	if p.From == claimsName && len(p.Translate) > 0 {
		e.report(k, "/translate", "is not for claims, which are left as they are or taken out")
	}
}

// wrongSource says what keeps an incoming parameter from being named by From or
// Unless, "" if nothing does.
func wrongSource(name string) string {
	if message := check.ParameterName(name); message != "" {
		return message
	}
	folded := check.FoldParameter(name)
	if incoming.Of(name) < incoming.SourceEnd {
		return ""
	}
	if isReserved(name) || folded == "scope" || folded == "connection_scope" || strings.HasPrefix(folded, "code_challenge") {
		return fmt.Sprintf("%q is the protocol's or the auth server's own, and cannot be taken from the request", check.Shown(name))
	}
	return ""
}

func notInList(alias Alias, names []string) string {
	hint := ""
	if near := check.Nearest(string(alias), names); near != "" {
		hint = "; did you mean " + near + "?"
	}
	return "is not one of " + strings.Join(names, " ") + hint
}

// isReserved reports whether a name, in any case, belongs to the protocol and
// may not be configured, or is read so by some server. (rules M3, P2)
func isReserved(name string) bool {
	return isProtocols(check.FoldParameter(name)) || isProtocols(check.FoldUnclosed(name))
}

func isProtocols(folded string) bool {
	switch folded {
	case "client_id", "client_secret", "redirect_uri", "state", "nonce", "code", "code_verifier",
		"code_challenge", "code_challenge_method", "grant_type", "request", "request_uri",
		"client_assertion", "client_assertion_type":
		return true
	}
	return strings.HasPrefix(folded, "oauth_")
}
