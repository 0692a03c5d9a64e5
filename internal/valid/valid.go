// Package valid owns what a connection has to be like to be used: its values are
// held against the table of options, against each other, and against what its
// strategy asks for. It gathers everything that is wrong, each with its place, and
// what else a connection comes to on the way: its endpoints and its parameters.
//
// A value is known here by its path in the table (options/icon_url), as in the
// documentation and in a problem's pointer. So the package must not know Go's form
// of a connection, nor requests, nor what is compiled from a connection that has
// nothing wrong with it.
package valid

import (
	"strconv"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/metadata"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/outgoing"
	"example.com/upstream/internal/strategy"
	"example.com/upstream/internal/strictjson"
)

// A Connection is what is looked at.
type Connection struct {
	// Value gives what Go has at a path, as [lossless.Field] has it; of
	// upstream_params a map[string]outgoing.Param. A path that the table does not
	// have is a mistake of this package's, and may panic.
	Value func(path string) any

	Doc     *lossless.Document // what it was parsed from, nil for nothing
	Unread  []Problem          // what stands in Doc and Go could not take
	AnyHTTP bool               // http endpoints are no problem
}

func (c *Connection) text(path string) string            { return c.Value(path).(string) }
func (c *Connection) flag(path string) bool              { return c.Value(path).(bool) }
func (c *Connection) list(path string) []string          { return c.Value(path).([]string) }
func (c *Connection) dict(path string) map[string]string { return c.Value(path).(map[string]string) }

// A Problem is what is wrong, in the text or with a value.
type Problem = lossless.Problem

// A Result is what a connection comes to. Without problems, the rest is complete.
type Result struct {
	Problems []Problem
	Warnings []Problem // but those about names, see Warn

	Strategy strategy.Strategy // with the endpoints of the options, where they have any
	Metadata metadata.Metadata
	Named    bool // the subjects of its users hold its name
	Base     string
	Entries  []outgoing.Entry
	Headers  []check.Header // the custom ones, in the order of the configuration
}

// Refused reports whether the connection is of a protocol that is not spoken here.
// An unknown strategy may be a misspelled one.
func (r *Result) Refused() bool {
	return !r.Strategy.OAuth() && r.Strategy.Protocol != strategy.Unknown
}

// A checker is a connection that is being looked at, and what was found.
type checker struct {
	*Connection
	Result
	name     string // of the strategy
	reported map[string]bool
}

// report adds a problem, if there is one. The first at a place is the one that
// matters.
func (k *checker) report(pointer, message string) {
	if message == "" || k.reported[pointer] {
		return
	}
	k.reported[pointer] = true
	k.Problems = append(k.Problems, Problem{Pointer: pointer, Message: message})
}

// reportAt adds a problem, if there is one, with the member at a path; with one
// of the table of options in the spelling that the connection uses.
func (k *checker) reportAt(path, message string) {
	if message == "" {
		return
	}
	if m := option.Get(path); m != nil {
		k.report(k.Doc.Spelling(m.Paths()...), message)
	} else {
		k.report("/"+path, message)
	}
}

// reportMembers adds what was found in the object at a path.
func (k *checker) reportMembers(path string, found []check.Problem) {
	for _, p := range Members("/"+path, found) {
		k.report(p.Pointer, p.Message)
	}
}

// Members gives what was found in an object that stands at a pointer.
func Members(at string, found []check.Problem) (problems []Problem) {
	for _, p := range found {
		pointer := at
		if p.OfOne {
			pointer += strictjson.Pointer(p.Name)
		}
		problems = append(problems, Problem{Pointer: pointer, Message: p.Message})
	}
	return problems
}

// warn adds a warning, if there is one. (rule O2)
func (r *Result) warn(pointer, message string) {
	if message != "" {
		r.Warnings = append(r.Warnings, Problem{Pointer: pointer, Message: message})
	}
}

// bound gives the limits of a member. (rule O7)
func (k *checker) bound(path string) option.Limit { return option.Get(path).Bound(k.name) }

// Protocol gives what is known of the strategy, under the options that change what
// it means. (rules S1, S4)
func (c *Connection) Protocol() strategy.Strategy {
	return strategy.Lookup(c.text("strategy"), strategy.Settings{
		Protocol: c.text("options/protocol"), Domain: c.text("options/domain"),
		TenantDomain: c.text("options/tenant_domain"), TenantID: c.text("options/tenantId"),
		UseCommonEndpoint: c.flag("options/useCommonEndpoint"), IdentityAPI: c.text("options/identity_api"),
		UseWSFed: c.flag("options/use_wsfed"), WAADProtocol: c.text("options/waad_protocol"),
		CommunityBaseURL: c.text("options/community_base_url"), BaseURL: c.text("options/baseUrl"),
		Version: c.Value("options/strategy_version").(int),
	})
}

// Check looks at everything. The order is that in which problems are told; of two at
// one place the first stays, so that what is nearest to the text comes first.
func (c *Connection) Check() *Result {
	own := c.Protocol()
	k := &checker{Connection: c, Result: Result{Strategy: own}, name: c.text("strategy"), reported: map[string]bool{}}
	option.Mistakes(c.Doc.Members, k.Refused(), k.report)
	k.checkUnread()
	if k.name == "" {
		k.report("/strategy", `is missing; a custom social connection has "oauth2"`)
	}
	k.checkName()
	k.checkJSON()
	k.checkOptions()
	k.checkScope()
	k.checkEndpoints()
	k.checkHeaders()
	k.Named = k.named(own)
	if name := c.text("name"); k.Strategy.OAuth() && !k.Strategy.Named && k.Named && check.ConnectionName(name) != "" {
		k.warn("/name", "is no connection name, and users have no subject without one: endpoints or script are not "+strconv.Quote(check.Shown(k.name))+"'s own")
	}
	const params = "options/token_params"
	values := c.dict(params)
	k.reportMembers(params, check.TokenParams(lossless.Keys(c.Doc.Lookup(params), values), values))
	return &k.Result
}

// named reports whether the subjects of the connection's users hold its name. A
// social strategy stands for its one provider only as long as nobody but that
// provider can say who logged in. own is the strategy without what the options say
// of endpoints. (rule U9)
func (k *checker) named(own strategy.Strategy) bool {
	s := &k.Strategy
	return s.Named || k.text("options/scripts/fetchUserProfile") != "" || own.TokenURL == "" || own.Host != "" ||
		s.TokenURL != own.TokenURL || s.UserinfoURL != own.UserinfoURL
}

// Warn adds what the members of a connection say and nothing will come of. doc is
// the connection as it would be written. Of one that is refused there is nothing to
// tell.
func (r *Result) Warn(doc *lossless.Document, c *Connection) {
	if r.Refused() {
		r.Warnings = nil
		return
	}
	option.Warn(doc.Members, c.text("strategy"), len(c.list("options/scope")) > 0, r.warn)
}
