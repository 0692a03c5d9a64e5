// Package rule decides what is left of an incoming value: the compiled form of
// allow, allow_pattern and translate, and the merging of scopes. It knows
// nothing of where a value comes from or goes to. What it returns is as safe
// to send as what it was given: callers encode it.
//
// A value goes through in one order, item by item where it is a list (rule M7):
//
//	prompt = "login x consent"       allow: login, consent; translate: consent -> force
//	  login     allowed                          login
//	  x         neither in allow nor a match     left out
//	  consent   allowed, then translated         force
//	  "login force"
//
// The check comes before the translation, since allow is about what applications may
// ask for, in their own words. A translation to "" drops the value. Nothing left is
// "", and then a lower layer decides (rule M2): an application that asks for what it
// must not gets what it would get without asking.
package rule

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Rule is immutable and safe for concurrent use. A nil Rule leaves every
// value as it is.
type Rule struct {
	Items      bool              // the value is a list separated by spaces; the rest is for each item
	Claims     bool              // the value is a claims request, see claims.go; the rest is for each claim's name
	Restricted bool              // only what Allow or Pattern lets may pass
	Allow      []string          // exact values, sorted
	Pattern    *regexp.Regexp    // from WholeMatch; may be nil
	Translate  map[string]string // applied to what has passed
}

// Bounds of a pattern (rule P1). RE2 never backtracks, so that matching takes at
// most about as many steps as the program has instructions, times the bytes of the
// value: some four million at worst. The first factor is bounded when a connection
// is read, the second at each request. All patterns of a connection are bounded
// together, since one request may be held against each.
const (
	maxPattern      = 2048 // characters
	maxInstructions = 4000 // of one program
	maxValue        = 1024 // bytes that a pattern is held against
	classCost       = 20   // instructions that a Unicode class such as \pL counts for, which has hundreds of ranges

	MaxCost = 20_000 // of all patterns of a connection
)

// Cost is the least that a pattern counts for, known before it is looked at. A
// Unicode class is two letters in the pattern, one instruction in the program, and
// hundreds of ranges in memory and in each step: neither other count sees it.
func Cost(pattern string) int {
	return classCost * (strings.Count(pattern, `\p`) + strings.Count(pattern, `\P`))
}

// WholeMatch compiles an RE2 pattern so that it matches whole values only. cost
// is the number of its instructions and its Cost. problem says what is wrong,
// and does not quote the pattern. A pattern that is refused has a cost as well: what
// many of them take to refuse is bounded by the same sum.
//
// Anchors are what is usually forgotten: example\.com would let evil-example.com.test
// through. So they are always there, and to match a part takes .* on purpose.
func WholeMatch(pattern string) (re *regexp.Regexp, cost int, problem string) {
	const tooMuch = "takes too much work; make it shorter, above all what is repeated"
	// From the cheapest look to the dearest, so that a hostile pattern costs little
	// to refuse. The tree is bounded by the length, the program is not: (a{99}){10}.
	cost = Cost(pattern)
	switch {
	case len(pattern) > maxPattern && utf8.RuneCountInString(pattern) > maxPattern:
		return nil, cost, fmt.Sprintf("is longer than %d characters", maxPattern)
	case cost > maxInstructions:
		return nil, cost, tooMuch
	}
	// First on its own, so that "a)|(b" does not get away with the parentheses.
	// (Printing the parsed pattern between them would do, but takes a millisecond
	// for a class such as [^@].)
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, cost, notRE2(err)
	}
	if size(tree) > maxInstructions {
		return nil, cost + maxInstructions, tooMuch
	}
	// Such a class would be copied by net/regexp for each time that it is repeated
	// if the program began with \A.
	begin := `\A(?:`
	if cost > 0 {
		begin = `(?:)` + begin
	}
	whole := begin + pattern + `)\z`
	// An open \Q has swallowed the end: quoted text runs to \E or to the end of the
	// pattern, and is valid without \E.
	if tree, err = syntax.Parse(whole, syntax.Perl); err != nil {
		whole = begin + pattern + `\E)\z`
		if tree, err = syntax.Parse(whole, syntax.Perl); err != nil {
			return nil, cost, notRE2(err)
		}
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, cost, notRE2(err)
	}
	if cost += len(program.Inst); cost > maxInstructions {
		return nil, cost, tooMuch
	}
	if re, err = regexp.Compile(whole); err != nil {
		return nil, cost, notRE2(err)
	}
	return re, cost, ""
}

func notRE2(err error) string {
	problem := "is not an RE2 pattern"
	if bad := (*syntax.Error)(nil); errors.As(err, &bad) {
		problem += ": " + bad.Code.String()
	}
	return problem
}

// size is about how many instructions a tree becomes, known before what it
// repeats is written out: x{5} is five times x in the program, and so on inside of x.
// The parser bounds depth and one repetition (1,000), and by itself the product of
// nested ones, but not how many stand in a row. It need not be exact, since the
// program is counted when it is there; it has to keep a huge one from being made.
func size(tree *syntax.Regexp) int {
	below := 0
	for _, sub := range tree.Sub {
		below += size(sub)
	}
	switch tree.Op {
	case syntax.OpLiteral:
		return len(tree.Rune)
	case syntax.OpConcat:
		return below
	case syntax.OpAlternate:
		return below + len(tree.Sub) - 1
	case syntax.OpCapture:
		return below + 2
	case syntax.OpRepeat:
		return below * max(tree.Min, tree.Max, 1)
	}
	return below + 1
}

// Apply gives what is left of a value, "" if nothing.
func (r *Rule) Apply(value string) string {
	if r == nil || value == "" {
		return value
	}
	if r.Claims {
		return r.claims(value)
	}
	if !r.Items || strings.IndexByte(value, ' ') < 0 {
		return r.Part(value, len(value))
	}
	var out []byte
	for item := range strings.SplitSeq(value, " ") {
		if item == "" {
			continue
		}
		if item = r.Part(item, len(value)); item != "" {
			if len(out) > 0 {
				out = append(out, ' ')
			}
			out = append(out, item...)
		}
	}
	return string(out)
}

// Part gives what is left of a part of what came in: an item of a list, or one
// of several values, which are size bytes together. No pattern passes a part of
// more than 1,024: of all parts together, since a list of a thousand items is a
// thousand matches. What is translated has passed; its translation, which is the
// administrator's, is not held against allow.
func (r *Rule) Part(value string, size int) string {
	if r == nil || value == "" {
		return value
	}
	if !r.passes(value, size) {
		return ""
	}
	if to, ok := r.Translate[value]; ok {
		return to
	}
	return value
}

// passes asks the list before the pattern, which costs more. Without a restriction
// everything passes: translate may stand alone.
func (r *Rule) passes(value string, size int) bool {
	if !r.Restricted {
		return true
	}
	_, ok := slices.BinarySearch(r.Allow, value)
	return ok || r.Pattern != nil && size <= maxValue && r.Pattern.MatchString(value)
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
// before own, each once, with sep between them. It gives "" if none is asked. Both
// separators are taken, because an application writes connection_scope for some IdP
// that it knows, and IdPs differ. A scope itself has neither (RFC 6749 section 3.3
// has no blank in it, and those with a comma cannot be asked for in this way).
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
