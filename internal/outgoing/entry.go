// Package outgoing owns what a connection may send beside the protocol's own
// parameters: the entries of layers 2 to 5, all in one form, what is wrong with
// each and with two that some server takes for one, and what a plan makes of them.
//
// It must not know Go's form of a connection nor its JSON, but for the pointers
// that it reports at; nor how a request is parsed, or what a transaction has to be.
//
// One form for four sources, because they compete for one URL, and a name that is
// wrong in one is wrong in all:
//
//	upstream_params   {"blog": {"value": "x"}}          Value
//	                  {"hint": {"alias": "login_hint"}}  Alias, with rules and a default
//	authParamsMap     {"hint": "login_hint"}             Alias
//	authParams        {"blog": "x"}                      Value
//	of the strategy   hd, response_mode                  Value
//	authorizationURL  ?blog=x                            Value
//
// The order of entries is that of the layers, the highest first, so that of two that
// collide the lower one gets the problem: an administrator goes by what wins. (rule M4)
package outgoing

import (
	"fmt"
	"regexp"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/query"
	"example.com/upstream/internal/strictjson"
)

// A Param says where the value of one parameter comes from. The root's Param, which
// has the same fields, says what they mean.
type Param struct {
	Value, Alias, From string
	Unless             []string
	Essential          bool
	Allow              []string
	AllowPattern       string
	Translate          map[string]string
}

// dynamic reports whether the value comes from the request.
func (p *Param) dynamic() bool { return p.Alias != "" || p.From != "" }

// ruled reports whether some rule looks at the value.
func (p *Param) ruled() bool {
	return p.Allow != nil || p.AllowPattern != "" || len(p.Translate) > 0
}

// isList reports whether the value is a list separated by spaces. (rule M7)
func (p *Param) isList() bool {
	return p.Alias == "acr_values" || p.Alias == "prompt" || p.Alias == "ui_locales"
}

// source names the incoming parameter of a Param, "" if it has none.
func (p *Param) source() string {
	if p.Alias != "" {
		return p.Alias
	}
	return p.From
}

// An Entry is one configured parameter.
type Entry struct {
	Layer plan.Layer
	Name  string
	Param
	At string // pointer of what has it, which is an object, or of plan.URL the URL

	formPost bool           // rule O9: it is sent only with name or email in the scope
	pattern  *regexp.Regexp // of a dynamic parameter's AllowPattern, once it has been checked
}

// Pointer says where the configuration has the entry.
func (e *Entry) Pointer() string {
	if e.Layer == plan.URL {
		return e.At
	}
	return e.At + strictjson.Pointer(e.Name)
}

// Of gives the entries of one layer in the order of names, which are keys of
// values: an object that stands at a pointer.
func Of[V any](layer plan.Layer, at string, names []string, values map[string]V, param func(V) Param) []Entry {
	out := make([]Entry, len(names))
	for i, name := range names {
		out[i] = Entry{Layer: layer, Name: name, Param: param(values[name]), At: at}
	}
	return out
}

// OfStrategy gives what a strategy asks for by itself, between authParams and the
// authorization endpoint's query. domain is that which google-apps is for. (rules
// O5, O9)
func OfStrategy(strategy, domain string) []Entry {
	switch {
	case strategy == "google-apps" && domain != "":
		return []Entry{{Layer: plan.Strategy, Name: "hd", Param: Param{Value: domain}}}
	case strategy == "apple":
		return []Entry{{Layer: plan.Strategy, Name: "response_mode", Param: Param{Value: "form_post"}, formPost: true}}
	}
	return nil
}

// A checker gathers what is wrong with the entries of one connection, and hands
// each problem up.
type checker struct {
	report   func(pointer, message string)
	patterns int // what all patterns cost, see package rule
}

// Check reports what is wrong with the entries of all layers but the last, as the
// configuration has them, and gives them with those of the last: rawQuery is the
// authorization endpoint's query, at where the configuration has it. What collides
// with an entry of the strategy's own is what is configured.
//
// The same name in two layers is what layers are for. Two names that some server reads
// as one are not: both would be sent, and the server would choose between them.
func Check(entries []Entry, rawQuery, at string, report func(pointer, message string)) []Entry {
	k := &checker{report: report}
	folded := make(map[string]string, len(entries))
	for i := range entries {
		if e := &entries[i]; e.Layer == plan.Strategy {
			folded[e.Name] = e.Name
		}
	}
	entries = append(entries, k.ofURL(rawQuery, at)...)
	for i := range entries {
		e := &entries[i]
		e.check(k)
		name := check.FoldParameter(e.Name)
		if twin, ok := folded[name]; ok && twin != e.Name {
			e.report(k, "", fmt.Sprintf("%q and %q are one name to servers that look at no case, or read . as _ and name[] as name; keep one of them", check.Shown(e.Name), check.Shown(twin)))
		} else {
			folded[name] = e.Name
		}
	}
	return entries
}

// ofURL takes the query of the authorization endpoint apart (layer 5; RFC 6749 section
// 3.1 lets it have one, and wants it kept). It is read as strictly as a request, and
// written anew with all others: a pair that two readers may take for two things has to
// go while its administrator looks at it.
func (k *checker) ofURL(rawQuery, at string) (out []Entry) {
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
		e := Entry{Layer: plan.URL, Name: string(name), Param: Param{Value: string(value)}, At: at}
		if seen[e.Name] {
			k.report(at, fmt.Sprintf("has the parameter %q twice in its query", check.Shown(e.Name)))
		}
		seen[e.Name] = true
		out = append(out, e)
	}
	return out
}

// report adds a problem, if there is one, with a member of the entry or, at "",
// with the entry.
func (e *Entry) report(k *checker, member, message string) {
	if message != "" { // a pointer is made only where there is a problem
		k.report(e.Pointer()+member, message)
	}
}
