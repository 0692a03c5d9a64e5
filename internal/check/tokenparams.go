package check

// This file holds the tests of static parameters of the token request.

import (
	"fmt"
	"slices"
)

const (
	maxTokenParams = 30
	maxTokenParam  = 1024 // characters
)

// tokenNames are what the grants send besides the names that the protocol has in
// an authorization request.
var tokenNames = []string{"refresh_token", "username", "password", "device_code", "assertion", "access_token"}

// TokenParams gives everything that is wrong with static parameters, in the order
// of keys: names that an authorization request may not have are not theirs either.
// (rule B5)
//
// A static code, verifier or refresh token would take the place of the login's own,
// and one user that of another: so no grant's parameter may be configured, in any
// spelling that a server may read as it. One thing is told of each parameter.
func TokenParams(keys []string, params map[string]string) (problems []Problem) {
	folded := map[string]string{}
	for _, name := range keys {
		fold, message := FoldParameter(name), ""
		twin, doubled := folded[fold]
		folded[fold] = name
		switch value := params[name]; {
		case ParameterName(name) != "":
			message = ParameterName(name)
		case Reserved(name) || slices.Contains(tokenNames, fold) || slices.Contains(tokenNames, foldUnclosed(name)):
			message = "is the protocol's own, and cannot be configured"
		case doubled:
			message = fmt.Sprintf("is the same name as %.256q to servers that look at no case, or read . as _ and name[] as name; keep one of them", twin)
		case value == "":
			message = "has an empty value; give it one or remove it"
		default:
			message = Length(value, maxTokenParam)
		}
		if message != "" {
			problems = append(problems, Problem{true, name, message})
		}
	}
	if len(params) > maxTokenParams {
		problems = append(problems, Problem{Message: fmt.Sprintf("has more than %d members", maxTokenParams)})
	}
	return problems
}
