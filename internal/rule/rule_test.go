package rule

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func pattern(t *testing.T, p string) *Rule {
	t.Helper()
	re, _, problem := WholeMatch(p)
	require.Empty(t, problem)
	return &Rule{Restricted: true, Pattern: re}
}

func TestC6PatternMatchesTheWholeValue(t *testing.T) {
	for _, tc := range []struct{ pattern, passes, fails string }{
		{`[^@]+@example\.com`, "bob@example.com", "bob@example.com.evil.test"},
		{`[^@]+@example\.com`, "bob@example.com", "attacker@evil.test@example.com"},
		{`a|b`, "b", "ax"},
		{`a|b`, "a", "xb"},
		{`a|ab`, "ab", "abc"},
		{`(?m)^a$`, "a", "a\nb"},
		{`(?i)a`, "A", "B"},
		{`(?s).`, "\n", "ab"},
		{`a\z|b`, "b", "bc"},
		{`\Qa.b`, "a.b", "axb"}, // an open \Q must not swallow what is put behind it
		{`\Qa.b`, "a.b", `a.b)\z`},
	} {
		r := pattern(t, tc.pattern)
		assert.Equal(t, tc.passes, r.Apply(tc.passes), tc.pattern)
		assert.Empty(t, r.Apply(tc.fails), "%s %q", tc.pattern, tc.fails)
	}
	for _, bad := range []string{"(", "a)|(b", "[", "(?<", "a**"} {
		_, _, problem := WholeMatch(bad)
		assert.Contains(t, problem, "is not an RE2 pattern: ", bad)
	}
}

func TestC6Apply(t *testing.T) {
	var none *Rule
	assert.Equal(t, "a  b", none.Apply("a  b"))
	assert.Empty(t, (&Rule{Translate: map[string]string{"": "x"}}).Apply(""), "an empty value is none, and stays none")
	assert.Empty(t, (&Rule{Restricted: true}).Apply("a"), "an empty list lets nothing through")
	both := pattern(t, "[0-9]+")
	both.Allow = []string{"root"}
	both.Translate = map[string]string{"7": "seven", "root": "", "x": "7"}
	for value, want := range map[string]string{"7": "seven", "8": "8", "root": "", "x": "", "7 8": ""} {
		assert.Equal(t, want, both.Apply(value), value)
	}
	both.Items = true
	for value, want := range map[string]string{"7 8 x root 8": "seven 8 8", " 7 ": "seven", "x y": "", "  ": "", "7": "seven"} {
		assert.Equal(t, want, both.Apply(value), value)
	}
}

func TestM5M6Scopes(t *testing.T) {
	assert.Equal(t, []string{"a", "b", "c,d"}, Scopes([]string{" a\tb ", "a", "", "c,d"}))
	assert.Empty(t, Scopes(nil))
	own := []string{"x", "y"}
	assert.Equal(t, "y,a,x", MergeScopes("y, a", own, ","))
	assert.Equal(t, "a b x y", MergeScopes("a\u2003b", own, " "))
	assert.Empty(t, MergeScopes("", own, ","))
	assert.Empty(t, MergeScopes(" ,\t,", own, ","))
	assert.Equal(t, []string{"x", "y"}, own)
	long := make([]string, 20000)
	for i := range long {
		long[i] = fmt.Sprint(i % 10000)
	}
	assert.Len(t, strings.Split(MergeScopes(strings.Join(long, ","), nil, ","), ","), 10000)
}

func FuzzWholeMatch(f *testing.F) {
	for _, p := range []string{`a|b`, `(?m)^a$`, `\Qa`, `a\z|b`, `(?i:x)|`, `\`, `(?-s).*`, `[^@]+@example\.com`} {
		f.Add(p, "ab\nc")
	}
	f.Fuzz(func(t *testing.T, p, value string) {
		re, _, problem := WholeMatch(p)
		if problem != "" {
			return
		}
		longest := regexp.MustCompile(p)
		longest.Longest()
		loc := longest.FindStringIndex(value)
		if whole := loc != nil && loc[0] == 0 && loc[1] == len(value); whole != re.MatchString(value) {
			t.Errorf("WholeMatch(%q) on %q: %v, want %v", p, value, !whole, whole)
		}
	})
}

func TestP1PatternIsBounded(t *testing.T) {
	for p, ok := range map[string]bool{
		strings.Repeat("a", 2048):          true,
		strings.Repeat("a", 2049):          false,
		strings.Repeat("é", 2048):          true, // characters, not bytes
		strings.Repeat("é", 2049):          false,
		`(a{1,99}){10}`:                    true,
		`(?:aaaa){999}`:                    true,
		`(?:aaaab){999}`:                   false,
		`(a*){1000}`:                       false,
		`(?:a*){1000}`:                     true,
		strings.Repeat(`a{0,999}`, 2):      true,
		strings.Repeat(`a{0,999}`, 3):      false,
		strings.Repeat(`a{0,999}`, 200):    false,
		strings.Repeat(`(?:\b){999}`, 200): false,
		strings.Repeat(`(?:`+strings.Repeat(`(?:)`, 20)+`b){999}`, 20): false,
		`[\p{L}\p{N}._-]{1,64}@example\.com`:                           true,
		strings.Repeat(`\pL`, 100):                                     true,
		strings.Repeat(`[^\PN]`, 300):                                  false,
	} {
		re, cost, problem := WholeMatch(p)
		assert.Equal(t, ok, problem == "", "%.40s: %s", p, problem)
		assert.Equal(t, ok, re != nil, "%.40s", p)
		assert.LessOrEqual(t, cost, 2*maxInstructions, "%.40s", p)
	}
}

// The work that a refused pattern makes is bounded, too.
func TestP1RefusedPatternAllocatesLittle(t *testing.T) {
	for _, p := range []string{
		strings.Repeat(`a{0,999}`, 250), strings.Repeat(`(?:a{0,30}){0,33}`, 100), strings.Repeat(`[^\pL]`, 340), `(?i)` + strings.Repeat(`\pL`, 190) + "(",
		strings.Repeat("(", 990) + "a" + strings.Repeat("){0,999}", 1), `\pL{990}`, `(?i)\pL{0,900}`, strings.Repeat(`\pL\pN|`, 90),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		WholeMatch(p)
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(10<<20), "%.40s", p)
	}
}

// size is held against the programs that it stands for.
func TestP1SizeOfATree(t *testing.T) {
	for _, p := range []string{
		"a", "abc", "[a-c]x", "a*", "a+b?", "(a|b)(c|d|e)", "(a)(b)", "a{3}", "a{3,7}", "a{3,}", "a{0,}", "(?:ab){2,5}", "((a{5}){5}){5}", "(a*){20}", "(?:a|b|cd){9}",
		`\b\B^$`, "(?:a*)*", "(?s).*x", "(?i)abc", "()", "", "(?:){9}", "[^\\x00-\\x{10FFFF}]", strings.Repeat("a?", 50) + strings.Repeat("a", 50),
	} {
		tree, err := syntax.Parse(p, syntax.Perl)
		require.NoError(t, err, p)
		program, err := syntax.Compile(tree.Simplify())
		require.NoError(t, err, p)
		got, real := size(tree), len(program.Inst)
		assert.LessOrEqual(t, got, real+8, p)
		assert.LessOrEqual(t, real, 3*got+4, p)
	}
}

func TestP1LongValuePassesNoPattern(t *testing.T) {
	r := pattern(t, "a+| *")
	assert.NotEmpty(t, r.Apply(strings.Repeat("a", 1024)))
	assert.Empty(t, r.Apply(strings.Repeat("a", 1025)))
	r.Allow = []string{strings.Repeat("a", 1026), "b"} // sorted
	assert.NotEmpty(t, r.Apply(strings.Repeat("a", 1026)), "an exact value may be as long as it is written")
	r.Items = true
	assert.Equal(t, "aa b aa", r.Apply("aa b aa"))
	assert.Equal(t, "b", r.Apply("b"+strings.Repeat(" aa", 400)), "a list is as long as all its items")
	assert.Empty(t, r.Part("aa", 1025))
	assert.Equal(t, "aa", r.Part("aa", 1024))
}

// A nil Rule leaves every value as it is.
func TestC6NoRule(t *testing.T) {
	var none *Rule
	for _, value := range []string{"", "login", "login consent", " "} {
		assert.Equal(t, value, none.Apply(value))
		assert.Equal(t, value, none.Part(value, 1<<20))
	}
}
