package rule

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func pattern(t *testing.T, p string) *Rule {
	t.Helper()
	re, err := WholeMatch(p)
	require.NoError(t, err)
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
		_, err := WholeMatch(bad)
		assert.Error(t, err, bad)
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
		re, err := WholeMatch(p)
		if err != nil {
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
