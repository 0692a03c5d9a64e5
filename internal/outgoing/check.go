package outgoing

// This file says what is wrong with single entries, and with the host's own
// parameters, which are held to the same names. A problem repeats names, cut to
// what an error shows, and no value.

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/incoming"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/rule"
)

// Claims is the incoming parameter whose value is JSON (rule B3).
const Claims = "claims"

const maxUnless = 20 // items, more than anybody needs

// wrongStatic says what is wrong with a name, and with a fixed value for it.
// (rules C7, M3)
//
// Three of the protocol's parameters may be fixed, within what this library can
// finish: response_type other than code brings tokens through the browser (RFC 9700
// section 2.1.2), and response_mode fragment brings the answer to a page and not to
// the server. They are known by their exact names alone, so that another spelling is
// not a way around.
func wrongStatic(name, value string) string {
	if message := check.ParameterName(name); message != "" {
		return message
	}
	switch folded := check.FoldParameter(name); {
	case check.Reserved(name):
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

// Extra says what is wrong with the host's own parameters above a plan, by the
// rules for configured ones; "" if nothing is. (rule B4)
//
// It is asked at each login that has some. Their names are the host's code, and their
// spelling is held against all that the plan may send: which of two spellings goes out
// would otherwise depend on the request.
func Extra(extra map[string]string, p *plan.Plan) string {
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

// check reports what is wrong with one entry. A dynamic scope, response_type or
// response_mode would let an application decide what the auth server asks for, or how
// the answer reaches it.
func (e *Entry) check(k *checker) {
	switch e.Name {
	case "scope", "response_type", "response_mode":
		if e.dynamic() {
			e.report(k, "", e.Name+" cannot come from the request; give it a fixed value")
		}
	}
	e.report(k, "", wrongStatic(e.Name, e.Value))
	switch e.Layer {
	case plan.UpstreamParams:
		e.checkParam(k)
	case plan.AuthParamsMap:
		if incoming.Of(e.Alias) >= incoming.SourceEnd {
			e.report(k, "", notInList(e.Alias, incoming.Names[:incoming.SourceEnd])+e.swapped(incoming.SourceEnd))
		}
	case plan.AuthParams:
		if e.Value == "" {
			e.report(k, "", "is empty; give it a value or remove it")
		}
		e.report(k, "", check.Length(e.Value, option.Get("options/authParams").Limit.Text))
	}
}

// checkParam reports what is wrong with an entry of upstream_params. Rules beside a
// fixed value are a problem and not ignored: whoever wrote allow there believes that
// something is checked.
func (e *Entry) checkParam(k *checker) {
	if e.Alias != "" && incoming.Of(e.Alias) >= incoming.AliasEnd {
		message := notInList(e.Alias, incoming.Names[:incoming.AliasEnd])
		if incoming.Of(e.Alias) < incoming.SourceEnd {
			message += "; authParamsMap takes it"
		}
		e.report(k, "/alias", message+e.swapped(incoming.AliasEnd))
	}
	if e.From != "" {
		e.checkFrom(k)
	}
	if e.dynamic() && e.AllowPattern != "" {
		e.checkPattern(k)
	}
	if len(e.Unless) > maxUnless {
		e.report(k, "/unless", fmt.Sprintf("has more than %d items", maxUnless))
	} else {
		for i, name := range e.Unless {
			if incoming.Of(name) >= incoming.SourceEnd {
				e.report(k, "/unless/"+strconv.Itoa(i), wrongSource(name))
			}
		}
	}
	if e.Essential && e.Alias != "acr_values" && e.Name != "acr_values" {
		e.report(k, "/essential", "is only for acr_values")
	}
	if e.dynamic() {
		return
	}
	const pointless = "is only for a dynamic parameter; give it an alias"
	if e.Allow != nil {
		e.report(k, "/allow", pointless)
	}
	if e.AllowPattern != "" {
		e.report(k, "/allow_pattern", pointless)
	}
	if len(e.Translate) > 0 {
		e.report(k, "/translate", pointless)
	}
}

// checkPattern compiles the pattern, unless those before it were as much as may
// be. What is known without compiling (Cost) is added first, and what a refused one
// has cost counts as well, so that 200 hostile patterns take as much as a few.
func (e *Entry) checkPattern(k *checker) {
	const together = "takes too much work together with the patterns before it; make them shorter"
	if k.patterns+rule.Cost(e.AllowPattern) > rule.MaxCost {
		e.report(k, "/allow_pattern", together)
		return
	}
	re, cost, problem := rule.WholeMatch(e.AllowPattern)
	if k.patterns += cost; k.patterns > rule.MaxCost && problem == "" {
		problem = together
	}
	e.report(k, "/allow_pattern", problem)
	e.pattern = re
}

// swapped is the hint where the entry reads the wrong way round: the commonest mistake
// with aliases, since both names are names of parameters.
func (e *Entry) swapped(end incoming.Slot) string {
	if incoming.Of(e.Name) >= end {
		return ""
	}
	return "; the entry's name is the identity provider's, and what it holds is the incoming parameter: swap them"
}

// checkFrom reports what is wrong with an entry that has From. (rules B1, B3) An alias
// is one of a few names whose meaning at an IdP is known; behind From may be anything
// that an IdP has, so that the values are closed instead.
func (e *Entry) checkFrom(k *checker) {
	if e.Alias != "" {
		e.report(k, "/from", "stands beside alias; keep one of them")
	}
	if incoming.Of(e.From) < incoming.AliasEnd {
		e.report(k, "/from", "names an alias; write \"alias\" in its place")
	}
	e.report(k, "/from", wrongSource(e.From))
	if e.Allow == nil && e.AllowPattern == "" {
		e.report(k, "", "has a from without allow or allow_pattern; as its name is open, its values cannot be")
	}
	if e.From == Claims && len(e.Translate) > 0 {
		e.report(k, "/translate", "is not for claims, which are left as they are or taken out")
	}
}

// wrongSource says what keeps an incoming parameter from being named by From or
// Unless, "" if nothing does. What the two protocols each have for themselves (state,
// redirect_uri, PKCE, scope) is about the application and the auth server, and would
// mean something else to the IdP; one that it gets is also one that it may log.
func wrongSource(name string) string {
	if message := check.ParameterName(name); message != "" {
		return message
	}
	folded := check.FoldParameter(name)
	if incoming.Of(name) < incoming.SourceEnd {
		return ""
	}
	if check.Reserved(name) || folded == "scope" || folded == "connection_scope" || strings.HasPrefix(folded, "code_challenge") {
		return fmt.Sprintf("%q is the protocol's or the auth server's own, and cannot be taken from the request", check.Shown(name))
	}
	return ""
}

func notInList(alias string, names []string) string {
	hint := ""
	if near := check.Nearest(alias, names); near != "" {
		hint = "; did you mean " + near + "?"
	}
	return "is not one of " + strings.Join(names, " ") + hint
}
