package login

// This file owns what a login asks of the IdP beyond "log the user in", and
// whether it got that. It must not know where claims come from. (rule L4)

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/upstream"
	"example.com/upstream/internal/strictjson"
)

// A Verdict says how an answer compares with what was asked.
type Verdict string

// The verdicts.
const (
	Met     Verdict = "met"
	NotMet  Verdict = "not met"
	Unknown Verdict = "unknown" // the IdP's answer says nothing of it
)

// A Check says of one thing that a login asked the IdP for what was got. Asking
// is what was sent, whoever wished for it: the application, through the
// connection, or the connection by itself.
type Check struct {
	Name     string  `json:"name"`            // acr_values, max_age, prompt, hd, claims; of the last, one for each claim: claims.NAME
	Asked    string  `json:"asked,omitempty"` // as it was sent
	Got      string  `json:"got,omitempty"`   // the claim that answers it, as text; "" if there is none
	Verdict  Verdict `json:"verdict"`
	Enforced bool    `json:"enforced"` // the login would have ended with another verdict than met
}

// checked are the parameters whose answer can be seen in the claims.
var checked = []string{"acr_values", "claims", "hd", "max_age", "prompt"}

// An ask is one of them as it was sent, until the answer comes.
type ask struct {
	Name      string      `json:"n"`
	Value     string      `json:"v"`
	Items     [][2]string `json:"i,omitempty"` // of acr_values: what came in, and what was sent for it
	Essential bool        `json:"e,omitempty"`
}

// asked reads out of the explanation, which is made from the same plan as the
// URL, what will have to be compared with the answer.
func asked(e upstream.Explanation) (asks []ask, err error) {
	for _, d := range e.Parameters {
		if !d.Sent || !slices.Contains(checked, d.Name) {
			continue
		}
		a := ask{Name: d.Name, Value: d.Value, Essential: d.Essential}
		switch d.Name {
		case "max_age":
			// What cannot be compared must not be asked for: it would look as if it held.
			if _, err := strconv.ParseUint(d.Value, 10, 31); err != nil {
				return nil, errors.New("max_age is not a number of seconds")
			}
		case "acr_values":
			for _, item := range d.Items {
				a.Items = append(a.Items, [2]string{item.Came, item.Sent})
			}
		}
		asks = append(asks, a)
	}
	return asks, nil
}

// An answered login is what the checks look at.
type answered struct {
	claims   []strictjson.Member // of the ID token; nil without one
	userinfo []strictjson.Member
	domains  []string // of a Workspace connection
	authTime int64    // Unix seconds, 0 for none
	begun    int64
	skew     int64
}

// newAnswered gives one for a login that began then.
func newAnswered(p *pending, t *idToken, skew time.Duration, domains []string) *answered {
	a := &answered{domains: domains, begun: p.Begun, skew: int64(skew / time.Second)}
	if t != nil {
		a.claims, a.authTime = t.members, t.authTime
	}
	return a
}

// checks compares everything that was asked for.
func (a *answered) checks(asks []ask) (out []Check) {
	for _, ask := range asks {
		c := Check{Name: ask.Name, Asked: ask.Value}
		switch ask.Name {
		case "acr_values":
			acr := strictjson.Find(a.claims, "acr") // of the ID token alone, and a string
			if present(acr) {
				c.Got = plain(acr)
			}
			c.Enforced = ask.Essential
			c.Verdict = verdict(c.Got != "", strictjson.IsText(acr) && slices.Contains(strings.Fields(ask.Value), c.Got))
		case "max_age":
			// Always enforced: OpenID Connect Core section 3.1.2.1 makes auth_time
			// required of an IdP that was asked.
			c.Enforced = true
			most, _ := strconv.ParseInt(ask.Value, 10, 64)
			c.Got, c.Verdict = a.loggedInSince(most)
		case "prompt":
			switch {
			case slices.Contains(strings.Fields(ask.Value), "login"):
				c.Got, c.Verdict = a.loggedInSince(0)
			default: // what a user was shown cannot be seen in an answer
				c.Verdict = Unknown
			}
		case "hd":
			// Where the connection is for domains, the root refuses all others (rule O5).
			c.Got, c.Enforced = a.text("hd"), len(a.domains) > 0
			is := func(domain string) bool { return strings.EqualFold(c.Got, domain) }
			c.Verdict = verdict(c.Got != "", ask.Value == "*" || is(ask.Value) || slices.ContainsFunc(a.domains, is))
		case "claims":
			out = append(out, a.claimsParameter(ask)...)
			continue
		}
		out = append(out, c)
	}
	return out
}

// loggedInSince holds auth_time against the moment at which the IdP was asked:
// what the user did from then on, reading or consenting, takes its time, and is
// bounded by Options.Lifetime.
func (a *answered) loggedInSince(most int64) (got string, v Verdict) {
	if a.authTime == 0 {
		return "", Unknown
	}
	return strconv.FormatInt(a.authTime, 10), verdict(true, a.authTime >= a.begun-most-a.skew)
}

func verdict(known, met bool) Verdict {
	switch {
	case !known:
		return Unknown
	case met:
		return Met
	}
	return NotMet
}

// text gives a claim of the ID token, or of the profile.
func (a *answered) text(name string) string {
	for _, claims := range [][]strictjson.Member{a.claims, a.userinfo} {
		if value := strictjson.Find(claims, name); present(value) {
			return plain(value)
		}
	}
	return ""
}

// profileClaims are the claims that a Profile has under names of its own.
var profileClaims = map[string]string{"user_id": "sub", "username": "preferred_username", "phone_verified": "phone_number_verified"}

// add takes the profile's members as the claims of userinfo.
func (a *answered) add(profile *upstream.Profile) {
	text, err := profile.MarshalJSON()
	if err != nil {
		return // what a program put together; there is nothing to compare then
	}
	members, _ := strictjson.Members(text)
	for i, m := range members {
		if claim := profileClaims[m.Name]; claim != "" && strictjson.Find(members, claim) == nil {
			members[i].Name = claim
		}
	}
	a.userinfo = members
}

// plain gives a claim's value for a Check: a string without its quotes.
func plain(value []byte) string {
	if strictjson.IsText(value) {
		return strictjson.Text(value)
	}
	return string(value)
}

// claimsParameter compares a request for individual claims (OpenID Connect Core
// section 5.5). There, essential alone makes no claim compulsory, but acr with
// values, if it is essential, and sub with a value are (section 5.5.1): those are
// enforced.
func (a *answered) claimsParameter(ask ask) (out []Check) {
	if strictjson.Check([]byte(ask.Value)) != nil {
		return []Check{{Name: ask.Name, Asked: ask.Value, Verdict: NotMet}}
	}
	places, _ := strictjson.Members([]byte(ask.Value))
	for _, place := range []string{"id_token", "userinfo"} {
		got := a.claims
		if place == "userinfo" {
			got = a.userinfo
		}
		claims, _ := strictjson.Members(strictjson.Find(places, place))
		for _, claim := range claims {
			c := Check{Name: ask.Name + "." + claim.Name, Asked: string(claim.Value)}
			value := strictjson.Find(got, claim.Name)
			request, _ := strictjson.Members(claim.Value)
			wanted, limited := wantedValues(request)
			essential := string(strictjson.Find(request, "essential")) == "true"
			c.Enforced = limited && (claim.Name == "sub" || claim.Name == "acr" && essential)
			if present(value) {
				c.Got = plain(value)
			}
			c.Verdict = verdict(present(value), !limited || slices.ContainsFunc(wanted, func(w []byte) bool { return sameValue(w, value) }))
			out = append(out, c)
		}
	}
	return out
}

// wantedValues gives what a claim's request limits it to.
func wantedValues(request []strictjson.Member) (wanted [][]byte, limited bool) {
	if value := strictjson.Find(request, "value"); value != nil {
		wanted, limited = append(wanted, value), true
	}
	if values := strictjson.Find(request, "values"); values != nil {
		elements, _ := strictjson.Elements(values)
		wanted, limited = append(wanted, elements...), true
	}
	return wanted, limited
}

// sameValue compares two values: strings decoded, all else by its text.
func sameValue(a, b []byte) bool {
	if strictjson.IsText(a) && strictjson.IsText(b) {
		return strictjson.Text(a) == strictjson.Text(b)
	}
	return bytes.Equal(a, b)
}

// unmet gives the first check that ends the login, nil if all is well. Before the
// profile is there, what it may still answer is left open.
func unmet(checks []Check, withProfile bool) *Check {
	for i, c := range checks {
		open := c.Verdict == Unknown && !withProfile && (c.Name == "hd" || strings.HasPrefix(c.Name, "claims"))
		if c.Enforced && c.Verdict != Met && !open {
			return &checks[i]
		}
	}
	return nil
}

// applicationACR gives the IdP's acr in the application's terms: what it had
// asked for, where the connection translates what is asked for. An IdP's value
// that the connection has no word for is "" then: "2" of the IdP's own need not
// mean what the application means by it.
func applicationACR(asks []ask, translate map[string]string, acr string) string {
	for _, a := range asks {
		if a.Name != "acr_values" {
			continue
		}
		for _, item := range a.Items {
			if item[1] == acr {
				return item[0]
			}
		}
	}
	if len(translate) == 0 {
		return acr
	}
	word, found := "", 0
	for came, sent := range translate {
		if sent == acr {
			word, found = came, found+1
		}
	}
	if found == 1 { // else nobody knows which of them is meant
		return word
	}
	return ""
}
