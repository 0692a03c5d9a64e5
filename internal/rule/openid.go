package rule

// This file has what OpenID Connect Core 3.1.2.1 asks of values that no connection has
// rules for. A request is refused for one only where it is sent on: what an application
// says to the auth server alone is for that to judge.

import "strings"

// Seconds reports whether a max_age is a number of seconds.
func Seconds(maxAge string) bool {
	for i := range len(maxAge) {
		if maxAge[i] < '0' || maxAge[i] > '9' {
			return false
		}
	}
	return true
}

// NoneAmongOthers reports whether a prompt asks for no page and for some page. Values
// that nobody has heard of are the identity provider's.
func NoneAmongOthers(prompt string) bool {
	items, none := 0, false
	for item := range strings.FieldsSeq(prompt) { // allocates nothing
		items++
		none = none || item == "none"
	}
	return none && items > 1
}
