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

// TokenParams reports what is wrong with single parameters, in the order of keys,
// and gives what is wrong with all of them. reserved tells the names that the
// authorization request may not have either. (rule B5)
func TokenParams(keys []string, params map[string]string, reserved func(string) bool, report func(name, message string)) string {
	folded := map[string]string{}
	for _, name := range keys {
		fold := FoldParameter(name)
		twin, doubled := folded[fold]
		folded[fold] = name
		switch value := params[name]; {
		case ParameterName(name) != "":
			report(name, ParameterName(name))
		case reserved(name) || slices.Contains(tokenNames, fold) || slices.Contains(tokenNames, FoldUnclosed(name)):
			report(name, "is the protocol's own, and cannot be configured")
		case doubled:
			report(name, fmt.Sprintf("is the same name as %.256q to servers that look at no case, or read . as _ and name[] as name; keep one of them", twin))
		case value == "":
			report(name, "has an empty value; give it one or remove it")
		default:
			if message := Length(value, maxTokenParam); message != "" {
				report(name, message)
			}
		}
	}
	if len(params) > maxTokenParams {
		return fmt.Sprintf("has more than %d members", maxTokenParams)
	}
	return ""
}
