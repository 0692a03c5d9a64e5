// Package rule decides what is left of an incoming value: the compiled form of
// allow, allow_pattern and translate, and the merging of scopes. It knows
// nothing of where a value comes from or goes to. What it returns is as safe
// to send as what it was given: callers encode it.
package rule

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// A Rule is immutable and safe for concurrent use. A nil Rule leaves every
// value as it is.
type Rule struct {
	Items      bool              // the value is a list separated by spaces; the rest is for each item
	Restricted bool              // only what Allow or Pattern lets may pass
	Allow      []string          // exact values
	Pattern    *regexp.Regexp    // from WholeMatch; may be nil
	Translate  map[string]string // applied to what has passed
}

// WholeMatch compiles an RE2 pattern so that it matches whole values only.
func WholeMatch(pattern string) (*regexp.Regexp, error) {
	// First on its own, so that "a)|(b" does not get away with the parentheses.
	// (Printing the parsed pattern between them would do, but takes a millisecond
	// for a class such as [^@].)
	if _, err := syntax.Parse(pattern, syntax.Perl); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil { // an open \Q has swallowed the end
		return regexp.Compile(`\A(?:` + pattern + `\E)\z`)
	}
	return re, nil
}

// Apply gives what is left of a value, "" if nothing.
func (r *Rule) Apply(value string) string {
	if r == nil || value == "" {
		return value
	}
	if !r.Items || strings.IndexByte(value, ' ') < 0 {
		return r.one(value)
	}
	var out []byte
	for item := range strings.SplitSeq(value, " ") {
		if item == "" {
			continue
		}
		if item = r.one(item); item != "" {
			if len(out) > 0 {
				out = append(out, ' ')
			}
			out = append(out, item...)
		}
	}
	return string(out)
}

func (r *Rule) one(value string) string {
	if r.Restricted && !slices.Contains(r.Allow, value) && (r.Pattern == nil || !r.Pattern.MatchString(value)) {
		return ""
	}
	if to, ok := r.Translate[value]; ok {
		return to
	}
	return value
}

// Scopes splits scopes at white space and drops repeated ones.
func Scopes(scopes []string) []string {
	var out []string
	for _, s := range scopes {
		out = append(out, strings.Fields(s)...)
	}
	return unique(out)
}

// MergeScopes puts the scopes of asked, split at commas and white space,
// before own, each once, with sep between them. It gives "" if none is asked.
func MergeScopes(asked string, own []string, sep string) string {
	if asked == "" {
		return ""
	}
	items := strings.FieldsFunc(asked, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if len(items) == 0 {
		return ""
	}
	return strings.Join(unique(append(items, own...)), sep)
}

// unique keeps the first of equal items. A map, so that a long list, which a
// request may bring, stays linear.
func unique(items []string) []string {
	seen := make(map[string]struct{}, len(items))
	return slices.DeleteFunc(items, func(item string) bool {
		_, again := seen[item]
		seen[item] = struct{}{}
		return again
	})
}
