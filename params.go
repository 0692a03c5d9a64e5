package upstream

// This file owns a parameter as hosts see it, in Go and in JSON: Param, the entry of
// upstream_params that configures one, and Decision, the row that tells what became of
// one. What may be configured is in internal/outgoing, and how it is decided in
// internal/plan. It knows nothing of connections, requests and tokens.

import (
	"encoding/json"
	"reflect"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/incoming"
	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/outgoing"
	"example.com/upstream/internal/plan"
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
