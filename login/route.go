package login

// This file owns the choice of the connection (home realm discovery): a pure
// function of what the request says. It must not know of logins under way, and
// it cannot know whether a user exists.

import (
	"fmt"
	"slices"
	"strings"

	"example.com/upstream"
)

// A Routing says which connection a request is for. It never changes, and is safe
// for concurrent use.
type Routing struct {
	routes  []route
	domains map[string]int // index into routes
}

type route struct {
	name    string
	enabled []string // clients; nil for all
}

// NewRouting takes the connections of a server, of any strategy, in the order in
// which a list shows them. Later changes to them do not reach the Routing. Two
// connections with one name, or one domain of users (domain_aliases, of
// google-apps also domain and tenant_domain), are an error: nobody could say which
// of them a user's password is for. So is a domain that no address can have. The
// error is an [*Error] of StepConfig that tells all of it.
func NewRouting(conns []*upstream.Connection) (*Routing, error) {
	r := &Routing{domains: map[string]int{}}
	var problems []string
	for _, conn := range conns {
		if conn == nil {
			continue
		}
		if slices.ContainsFunc(r.routes, func(other route) bool { return other.name == conn.Name }) {
			problems = append(problems, fmt.Sprintf("two connections are named %q", conn.Name))
			continue
		}
		r.routes = append(r.routes, route{conn.Name, slices.Clone(conn.EnabledClients)})
		own := len(r.routes) - 1
		for _, text := range domainsOf(conn) {
			domain, ok := userDomain(text)
			other, taken := r.domains[domain]
			switch {
			case !ok:
				problems = append(problems, fmt.Sprintf("connection %q has a domain that is none, in domain_aliases perhaps: %q", conn.Name, text))
			case taken && other != own:
				problems = append(problems, fmt.Sprintf("connections %q and %q have the same domain %q", r.routes[other].name, conn.Name, domain))
			default:
				r.domains[domain] = own
			}
		}
	}
	if len(problems) > 0 {
		return nil, &Error{Step: StepConfig, Code: serverError, Reason: strings.Join(problems, "; ")}
	}
	return r, nil
}

func domainsOf(conn *upstream.Connection) []string {
	if domains := workspaceDomains(conn); domains != nil {
		return domains
	}
	return conn.Options.DomainAliases // domain is a host of the IdP's
}

// userDomain gives a domain as it is compared: to the byte, but for ASCII case.
// A domain in Unicode has many spellings, and is not compared at all.
func userDomain(text string) (string, bool) {
	for i := range len(text) {
		if b := text[i]; b <= ' ' || b >= 0x7f || b == '@' {
			return "", false
		}
	}
	return strings.ToLower(text), text != "" && len(text) <= 253
}

// A RouteRequest is what decides.
type RouteRequest struct {
	ClientID   string // of the application; "" asks for no enabled_clients
	Connection string // by name: the connection parameter
	// Organization has the names of the connections that the organization which
	// the request names has enabled; nil if it names none.
	Organization []string
	LoginHint    string // an address with one @; all else says nothing of a domain
	DomainHint   string // a domain
}

// A Route is where to go: to one connection, or to a page with a list.
type Route struct {
	Connection string
	Choices    []string // names, in the order of NewRouting, where Connection is ""
}

// Route decides: the connection that the request names, else the one that the
// organization has, else the one whose domain the hint has, else a list.
//
// The answer depends on the connections and on the domain alone, never on who is
// in front of the @: nobody learns from it whether a user exists. A domain that is
// not known, one whose connection is not enabled, and no hint at all give the same
// list. A connection that is not enabled and one that does not exist give the
// same error, an [*Error] of StepBegin; so does an empty list.
func (r *Routing) Route(q RouteRequest) (Route, error) {
	refused := &Error{Step: StepBegin, Code: "invalid_request", Reason: "no connection is enabled for this request", ClientID: q.ClientID}
	if r == nil {
		return Route{}, refused
	}
	open := func(c route) bool {
		return (c.enabled == nil || q.ClientID == "" || slices.Contains(c.enabled, q.ClientID)) &&
			(q.Organization == nil || slices.Contains(q.Organization, c.name))
	}
	var choices []string
	for _, c := range r.routes {
		if open(c) {
			choices = append(choices, c.name)
		}
	}
	switch {
	case q.Connection != "" && slices.Contains(choices, q.Connection):
		return Route{Connection: q.Connection}, nil
	case q.Connection != "" || len(choices) == 0:
		return Route{}, refused
	case q.Organization != nil && len(choices) == 1:
		return Route{Connection: choices[0]}, nil
	}
	hints := []string{q.DomainHint}
	if _, domain, found := strings.Cut(q.LoginHint, "@"); found {
		hints = []string{domain, q.DomainHint} // a second @ is in no domain
	}
	for _, hint := range hints {
		if domain, ok := userDomain(hint); ok {
			if i, known := r.domains[domain]; known && open(r.routes[i]) {
				return Route{Connection: r.routes[i].name}, nil
			}
		}
	}
	return Route{Choices: choices}, nil
}
