package query

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

// Every pair of bytes, so that no byte's treatment depends on its neighbour.
func TestM9EscapeIsQueryEscape(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			s := string([]byte{byte(a), byte(b)})
			if got, want := string(AppendEscape([]byte("x"), s)), "x"+url.QueryEscape(s); got != want {
				t.Fatalf("AppendEscape(%q) = %q, want %q", s, got, want)
			}
		}
	}
}

// agrees checks that AppendUnescape decodes as url.QueryUnescape does, or has
// a reason of its own to refuse.
func agrees(t *testing.T, s string) {
	t.Helper()
	want, err := url.QueryUnescape(s)
	problem := ""
	switch {
	case strings.Contains(s, ";") && (err == nil || strings.Index(s, ";") < badEscape(s)):
		problem = RawSemicolon
	case err != nil:
		problem = BadEscape
	case strings.ContainsFunc(want, func(r rune) bool { return r < ' ' || r == 0x7f }):
		problem = BadControl
	case !utf8.ValidString(want):
		problem = BadUTF8
	}
	got, found := AppendUnescape([]byte("x"), s)
	if found != problem || problem == "" && string(got) != "x"+want {
		t.Fatalf("AppendUnescape(%q) = %q, %q, want %q, %q", s, got, found, want, problem)
	}
	if err == nil && !strings.Contains(s, ";") && Problem(want) != problem {
		t.Fatalf("Problem(%q) = %q, want %q", want, Problem(want), problem)
	}
}

// badEscape gives the place of the first bad escape of s.
func badEscape(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			if _, err := url.QueryUnescape(s[i:min(i+3, len(s))]); err != nil {
				return i
			}
			i += 2
		}
	}
	return len(s)
}

func TestR2UnescapeIsQueryUnescape(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			agrees(t, string([]byte{'%', byte(a), byte(b)}))
			agrees(t, string([]byte{byte(a), byte(b)}))
		}
	}
	for _, s := range []string{"", "%", "%4", "a%", "a%4", "%41%", "+", "%2B", "%zz;", ";%zz", "j%C3%B6", "%C3", "%ED%A0%80"} {
		agrees(t, s)
	}
}

func TestR2Plain(t *testing.T) {
	for b := range 256 {
		plain := b >= ' ' && b < 0x7f && b != '%' && b != '+' && b != ';' && b != '&'
		for n := range 9 { // at every place in a run of four
			s := strings.Repeat("a", n) + string([]byte{byte(b)}) + "a"
			want := n
			if plain {
				want = len(s)
			}
			assert.Equal(t, want, Plain(s, 0), "%q", s)
		}
	}
	assert.Zero(t, Plain("", 0))
}

func TestNothingIsAllocated(t *testing.T) {
	buf := make([]byte, 0, 256)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		buf = AppendEscape(buf[:0], "a b&c=d/é")
		buf, _ = AppendUnescape(buf[:0], "a+b%26c%3Dd%2F%C3%A9")
	}))
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "a b", "%zz", "j%F6rg", "a+b%20c%2Bd", "é✓", "\x00\x7f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped := string(AppendEscape(nil, s))
		if want := url.QueryEscape(s); escaped != want {
			t.Errorf("AppendEscape(%q) = %q, want %q", s, escaped, want)
		}
		agrees(t, s)
		agrees(t, escaped)
		if want, err := url.QueryUnescape(s[:Plain(s, 0)]); err != nil || want != s[:Plain(s, 0)] {
			t.Errorf("Plain(%q) = %d, but they decode to %q", s, Plain(s, 0), want)
		}
	})
}
