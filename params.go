package upstream

// This file owns what may go out: Param and Params as the configuration has
// them, and the plan that their layers are merged into once, so that a request
// costs only its dynamic values. It knows nothing of how a request is parsed,
// of the transaction's rules, or of tokens.

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/query"
	"example.com/upstream/internal/rule"
	"example.com/upstream/internal/strictjson"
)

// Params is options.upstream_params: what to send to the IdP's authorization
// endpoint, by the name that the IdP gives the parameter.
type Params map[string]Param

// A Param says where the value of one parameter comes from.
//
// Without Alias it is static: Value is sent as it is, and the zero Param sends
// nothing, not even what a lower layer says.
//
// With Alias it is dynamic: the value is that of the incoming parameter, if it
// passes Allow and AllowPattern, as Translate renders it. Without such a value
// Value is the default, and without a default the lower layers decide.
//
// For the aliases acr_values, prompt and ui_locales, which are lists separated
// by spaces, the three rules apply to each item; items that do not pass are
// left out.
type Param struct {
	Value string
	Alias Alias

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
type paramsField struct{ p *Params }

// Read leaves the zero Param where an entry is faulty, so that any other Param
// that the program puts there is a change.
func (f paramsField) Read(text []byte, at string) (problems []lossless.Problem) {
	members, ok := strictjson.Members(text)
	if !ok {
		return []lossless.Problem{{Pointer: at, Message: `must be an object such as {"blog": {"value": "..."}}`}}
	}
	out := make(Params, len(members))
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
		if !ok || p.Allow != nil || p.AllowPattern != "" || p.Translate != nil || len(entry) != 1 {
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
	case strictjson.IsText(text):
		wrong(at, `must be an object; write {"value": `+short(text)+`}`)
	case !ok:
		wrong(at, `must be an object; write {"value": "`+short(text)+`"}`)
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
				wrong(at, `must be a string; put it in quotes: "`+short(m.Value)+`"`)
			}
		case "alias":
			if p.Alias = Alias(strictjson.Text(m.Value)); p.Alias == "" {
				wrong(at, "must be one of "+strings.Join(slotNames[:aliasEnd], " "))
			}
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

// short gives a JSON value for a hint, if it is short enough to be read there.
func short(text []byte) string {
	if len(text) > 40 || strings.ContainsAny(string(text), "{[\\") {
		return "..."
	}
	return string(text)
}

// MarshalJSON writes the Param as an entry of upstream_params.
func (p Param) MarshalJSON() ([]byte, error) {
	out := struct {
		Alias        Alias             `json:"alias,omitempty"`
		Value        *string           `json:"value,omitempty"`
		Allow        []string          `json:"allow,omitzero"` // an empty list means something
		AllowPattern string            `json:"allow_pattern,omitempty"`
		Translate    map[string]string `json:"translate,omitempty"`
	}{p.Alias, &p.Value, p.Allow, p.AllowPattern, p.Translate}
	if p.Alias != "" && p.Value == "" {
		out.Value = nil
	}
	return json.Marshal(out)
}

// A layer is where an entry comes from. Of one name, the lowest number wins.
type layer uint8

const (
	layerProtocol layer = iota
	layerTransaction
	layerUpstreamParams
	layerAuthParamsMap
	layerAuthParams
	layerStrategy
	layerURL
)

func (l layer) String() string {
	return [...]string{"protocol", "transaction", "upstream_params", "authParamsMap", "authParams", "strategy", "authorizationURL"}[l]
}

// An entry is one configured parameter of layers 2 to 5, all brought to one form.
type entry struct {
	layer  layer
	name   string
	param  Param
	parent string // pointer of the object that has it; of layerURL, of the URL itself

	pattern *regexp.Regexp // of a dynamic parameter's allow_pattern, once it has been checked
}

// pointer says where the configuration has the entry.
func (e *entry) pointer() string {
	if e.layer == layerURL {
		return e.parent
	}
	return e.parent + strictjson.Pointer(e.name)
}

// report adds a problem, if there is one, with a member of the entry or, at "",
// with the entry.
func (e *entry) report(k *checked, member, message string) {
	if message != "" { // a pointer is made only where there is a problem
		k.report(e.pointer()+member, message)
	}
}

// scopes is what connection_scope is merged with. (rule M6)
type scopes struct {
	own []string
	sep string
}

// newRule compiles the rules of a valid Param, nil if it has none. It copies,
// because the caller may go on changing its slices and maps.
func newRule(e *entry) *rule.Rule {
	p := &e.param
	if p.Allow == nil && p.AllowPattern == "" && len(p.Translate) == 0 {
		return nil
	}
	return &rule.Rule{
		Items:      p.Alias == AliasACRValues || p.Alias == AliasPrompt || p.Alias == AliasUILocales,
		Restricted: p.Allow != nil || p.AllowPattern != "",
		Allow:      slices.Sorted(slices.Values(p.Allow)),
		Pattern:    e.pattern,
		Translate:  maps.Clone(p.Translate),
	}
}

// A candidate is one place that the value of a parameter may come from.
type candidate struct {
	layer  layer
	source slot       // the incoming parameter; noSlot for a static value
	value  string     // static value
	text   string     // "&name=" and the static value, encoded; "" if that is empty, and in constants
	rule   *rule.Rule // on the incoming value
	scopes *scopes    // only for connection_scope
}

// values gives how many values there are to look at.
func (c *candidate) values(req *AuthorizeRequest) int {
	if c.source == noSlot {
		return 1
	}
	return req.values(c.source)
}

// size gives how long several values are together, where that matters.
func (c *candidate) size(req *AuthorizeRequest) (n int) {
	if c.source == slotResource && c.rule != nil {
		for _, value := range req.Resource {
			n += len(value)
		}
	}
	return n
}

// at gives the i-th value, "" for none, of values of that size.
func (c *candidate) at(req *AuthorizeRequest, i, size int) string {
	switch {
	case c.source == noSlot:
		return c.value
	case c.scopes != nil:
		return rule.MergeScopes(req.ConnectionScope, c.scopes.own, c.scopes.sep)
	}
	value := req.value(c.source, i)
	if c.source == slotResource {
		return c.rule.Part(value, size)
	}
	return c.rule.Apply(value)
}

// forwards reports whether the value of a dynamic candidate is the only one of
// the incoming parameter, as it came.
func (c *candidate) forwards() bool {
	return c.source != slotResource && c.rule == nil && c.scopes == nil
}

// A kind says where a step gets its value.
type kind uint8

const (
	kindConstant  kind = iota // known when the Provider is built
	kindForwarded             // one incoming parameter as it came
	kindMapped                // the first candidate with a value
	kindRedirectURI
	kindState
	kindNonce
	kindChallenge
	kindChallengeMethod
	kindRequestToken
)

// A step is the decision about one parameter name. The steps of a plan are in
// the order of the names, which is the order of the URL.
type step struct {
	name string
	// text is "&name=", to be followed by a value; of a constant it is the whole
	// pair, and that of all constants that follow at once, whose own is "".
	text string
	kind kind
	// skip is how many constants follow whose text this one has.
	skip uint16
	// first is the step's first candidate among those of the plan. A slice would
	// take more room, in each step of each tenant.
	first uint32
}

// A plan is the compiled form of all that can ever be sent.
type plan struct {
	base       string // the authorization endpoint without its query
	steps      []step
	candidates []candidate // of all steps
	size       int         // about how long a URL is
}

// of gives the candidates of the i-th step, in the order in which they are asked.
func (p *plan) of(i int) []candidate {
	end := len(p.candidates)
	if i+1 < len(p.steps) {
		end = int(p.steps[i+1].first)
	}
	return p.candidates[p.steps[i].first:end]
}

// A draft is a step that is being put together.
type draft struct {
	name       string
	kind       kind
	candidates []candidate
}

// newPlan merges the layers. protocol holds the steps of layer 1, own the
// connection's scopes as a candidate, if the protocol has scopes.
func newPlan(base string, entries []entry, protocol []draft) plan {
	drafts := make([]*draft, 0, len(protocol)+len(entries))
	byName := make(map[string]*draft, len(protocol)+len(entries))
	for i := range protocol {
		drafts = append(drafts, &protocol[i])
		byName[protocol[i].name] = &protocol[i]
	}
	for i := range entries { // from the highest layer down
		e := &entries[i]
		d := byName[e.name]
		if d == nil {
			d = &draft{name: e.name, kind: kindMapped}
			byName[e.name] = d
			drafts = append(drafts, d)
		}
		d.add(e)
	}
	slices.SortFunc(drafts, func(a, b *draft) int { return strings.Compare(a.name, b.name) })
	count := 0
	for i := range drafts {
		count += len(drafts[i].candidates)
	}
	p := plan{base: base, steps: make([]step, len(drafts)), candidates: make([]candidate, 0, count)}
	for i, d := range drafts {
		p.steps[i] = step{name: d.name, kind: d.kind, first: uint32(len(p.candidates))}
		p.candidates = append(p.candidates, d.candidates...)
	}
	p.link()
	return p
}

// add appends the candidates of an entry.
func (d *draft) add(e *entry) {
	if d.final() {
		return
	}
	static := candidate{layer: e.layer, source: noSlot, value: e.param.Value}
	if d.name == "scope" && e.layer != layerURL {
		// Replaces the connection's scopes, which stand in layer 1, and with
		// them what the request may ask for (rules M3, M6).
		d.candidates = []candidate{static}
		return
	}
	if e.param.Alias == "" {
		d.candidates = append(d.candidates, static)
		return
	}
	d.candidates = append(d.candidates, candidate{
		layer: e.layer, source: slotOf(string(e.param.Alias)), rule: newRule(e),
	})
	if e.param.Value != "" {
		d.candidates = append(d.candidates, static)
	}
}

// final reports whether no lower layer can be asked any more.
func (d *draft) final() bool {
	n := len(d.candidates)
	return n > 0 && d.candidates[n-1].source == noSlot && d.candidates[n-1].layer != layerProtocol
}

// link encodes what is known and joins neighbouring constants.
func (p *plan) link() {
	const value = 40 // bytes of an incoming one, more or less
	p.size = len(p.base)
	var run *step // the constant that carries the text of those after it
	var text []byte
	end := func() {
		if run != nil {
			run.text = string(text)
		}
		run, text = nil, text[:0]
	}
	for i := range p.steps {
		s, candidates := &p.steps[i], p.of(i)
		key := "&" + string(query.AppendEscape(nil, s.name)) + "="
		if s.kind == kindMapped && len(candidates) == 1 {
			if c := &candidates[0]; c.source == noSlot {
				s.kind = kindConstant
			} else if c.forwards() {
				s.kind = kindForwarded
			}
		}
		if s.kind == kindConstant {
			if run != nil && run.skip == math.MaxUint16 {
				end()
			}
			if run == nil {
				run = s
			} else {
				run.skip++
			}
			if value := candidates[0].value; value != "" { // else it is suppressed
				before := len(text)
				text = query.AppendEscape(append(text, key...), value)
				p.size += len(text) - before
			}
			continue
		}
		end()
		s.text = key
		p.size += len(key) + value
		for j := range candidates {
			if c := &candidates[j]; c.value != "" {
				c.text = key + string(query.AppendEscape(nil, c.value))
			}
		}
	}
	end()
}

// entries brings layers 2 to 5 to one list, the highest first and each in the
// order of the configuration, and reports what is wrong with them. query is
// that of the authorization endpoint, at where the configuration has it.
func (c *Connection) entries(k *checked, rawQuery, at string) []entry {
	o := &c.Options
	var out []entry
	// What goes beyond the limit is counted, and not looked at.
	within := func(path string, names []string, most int) []string {
		if len(names) > most {
			k.reportAt(path, fmt.Sprintf("has more than %d members", most))
		}
		return names[:min(len(names), most)]
	}
	const params, mapped, static = "options/upstream_params", "options/authParamsMap", "options/authParams"
	for _, name := range within(params, lossless.Keys(c.doc.Lookup(params), o.UpstreamParams), maxParams) {
		out = append(out, entry{layer: layerUpstreamParams, name: name, param: o.UpstreamParams[name], parent: "/" + params})
	}
	for _, name := range within(mapped, lossless.Keys(c.doc.Lookup(mapped), o.AuthParamsMap), c.bound(mapped).Members) {
		out = append(out, entry{layer: layerAuthParamsMap, name: name, param: Dynamic(o.AuthParamsMap[name]), parent: "/" + mapped})
	}
	for _, name := range within(static, lossless.Keys(c.doc.Lookup(static), o.AuthParams), c.bound(static).Members) {
		out = append(out, entry{layer: layerAuthParams, name: name, param: Static(o.AuthParams[name]), parent: "/" + static})
	}
	out = append(out, urlEntries(k, rawQuery, at)...)
	folded := make(map[string]string, len(out))
	for i := range out {
		e := &out[i]
		e.check(k)
		name := check.FoldParameter(e.name)
		if twin, ok := folded[name]; ok && twin != e.name {
			e.report(k, "", fmt.Sprintf("%q and %q are one name to servers that look at no case, or read . as _ and name[] as name; keep one of them", shown(e.name), shown(twin)))
		} else {
			folded[name] = e.name
		}
	}
	return out
}

// urlEntries takes the query of the authorization endpoint apart (layer 5).
func urlEntries(k *checked, rawQuery, at string) (out []entry) {
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
		e := entry{layer: layerURL, name: string(name), param: Static(string(value)), parent: at}
		if seen[e.name] {
			k.report(at, fmt.Sprintf("has the parameter %q twice in its query", shown(e.name)))
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
		return fmt.Sprintf("%q is set by the protocol and cannot be configured", shown(name))
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

// checkExtra holds the host's own parameters against the rules for configured
// ones.
func (p *plan) checkExtra(extra map[string]string) *TransactionError {
	if len(extra) == 0 {
		return nil
	}
	spellings := make(map[string]string, len(p.steps)+len(extra))
	for i := range p.steps {
		spellings[check.FoldParameter(p.steps[i].name)] = p.steps[i].name
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		value := extra[name]
		if value == "" {
			continue
		}
		message := wrongStatic(name, value)
		folded := check.FoldParameter(name)
		if twin, ok := spellings[folded]; ok && twin != name && message == "" {
			message = fmt.Sprintf("differs from %q only in case; keep one spelling", twin)
		}
		if message != "" {
			return &TransactionError{"extra", "has the parameter " + strconv.Quote(shown(name)) + ", which cannot be sent: " + message}
		}
		spellings[folded] = name
	}
	return nil
}

// check reports what is wrong with one entry.
func (e *entry) check(k *checked) {
	switch e.name {
	case "scope", "response_type", "response_mode":
		if e.param.Alias != "" {
			e.report(k, "", e.name+" cannot come from the request; give it a fixed value")
		}
	}
	e.report(k, "", wrongStatic(e.name, e.param.Value))
	switch e.layer {
	case layerUpstreamParams:
		e.checkParam(k)
	case layerAuthParamsMap:
		if slotOf(string(e.param.Alias)) >= sourceEnd {
			e.report(k, "", notInList(e.param.Alias, slotNames[:sourceEnd])+e.swapped(sourceEnd))
		}
	case layerAuthParams:
		if e.param.Value == "" {
			e.report(k, "", "is empty; give it a value or remove it")
		}
		e.report(k, "", check.Length(e.param.Value, option.Get("options/authParams").Limit.Text))
	}
}

// checkParam reports what is wrong with an entry of upstream_params.
func (e *entry) checkParam(k *checked) {
	p := &e.param
	if p.Alias != "" {
		if slotOf(string(p.Alias)) >= aliasEnd {
			message := notInList(p.Alias, slotNames[:aliasEnd])
			if slotOf(string(p.Alias)) < sourceEnd {
				message += "; authParamsMap takes it"
			}
			message += e.swapped(aliasEnd)
			e.report(k, "/alias", message)
		}
		if p.AllowPattern != "" {
			e.checkPattern(k)
		}
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
func (e *entry) checkPattern(k *checked) {
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
func (e *entry) swapped(end slot) string {
	if slotOf(e.name) >= end {
		return ""
	}
	return "; the entry's name is the identity provider's, and what it holds is the incoming parameter: swap them"
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
