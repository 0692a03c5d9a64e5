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
	})
}

// Behind the result the caller's buffer may have something else, and room for the
// result is room enough.
func TestM9EscapeWritesNothingBehindItsResult(t *testing.T) {
	for _, s := range []string{"", "a", "abcd", "abcde", "a/b/c", "////", "/////", "/////////", "abc/defg/", "é✓ é✓ é", "///ab", "///abc", strings.Repeat("ab/", 20),
		"/bcdefgh", "/bcdefghi", "/bcdefghij", "/bcdefghijk", "/bcdefghijkl", "abcdefg/i/k"} {
		want := url.QueryEscape(s)
		for most := range len(want) { // and where there is too little room, there is more
			begun := strings.Repeat("#", 99)
			got := AppendEscape(append(make([]byte, 0, 99+most), begun...), s)
			assert.Equal(t, begun+want, string(got))
		}
		for room := range 3*len(s) + 9 {
			buf := []byte(strings.Repeat("#", len(want)+room))
			got := AppendEscape(buf[:0:min(len(want)+room, len(buf))], s)
			assert.Equal(t, want, string(got))
			if len(want) > 0 {
				assert.Same(t, &buf[0], &got[0], "%q has room", s)
			}
			assert.Equal(t, strings.Repeat("#", room), string(buf[len(want):]), "%q with room for %d more", s, room)
		}
	}
}

// A text of each length stands before the value as it is, and nothing else changes.
func TestM9Pair(t *testing.T) {
	const letters = "&abcdefghijklmnopqrstuvwxyz0123456789="
	for n := range len(letters) + 1 {
		for _, value := range []string{"", "a", "a b", "12345678", "user@example.com"} {
			text := letters[:n]
			want := "##" + text + url.QueryEscape(value)
			assert.Equal(t, want, string(AppendPair([]byte("##"), []byte(text), value)))
			buf := []byte(strings.Repeat("#", 99))
			assert.Equal(t, want, string(AppendPair(buf[:2], []byte(text), value)))
			assert.Equal(t, strings.Repeat("#", 99-len(want)), string(buf[len(want):]))
		}
	}
}

func TestT3Unreserved(t *testing.T) {
	for b := range 256 {
		for n := range 9 { // at every place in a run of four
			s := strings.Repeat("a", n) + string([]byte{byte(b)}) + "~"
			assert.Equal(t, url.QueryEscape(s) == s, Unreserved(s), "%q", s)
		}
	}
	assert.True(t, Unreserved(""))
}

// Next finds each byte that is special, wherever one begins to look, and the end.
func TestR2Marks(t *testing.T) {
	for b := range 256 {
		for _, n := range []int{0, 1, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 200} {
			s := strings.Repeat("a", n) + string([]byte{byte(b)}) + strings.Repeat("~", n%11)
			special := b < ' ' || b == 0x7f || strings.IndexByte("%&+;=#", byte(b)) >= 0
			for _, buf := range [][]byte{nil, make([]byte, 64)} {
				m := Mark(buf, s)
				assert.Equal(t, b > 0x7f, m.High(), "%q", s)
				for i := range len(s) + 1 {
					want := len(s)
					if special && i <= n {
						want = n
					}
					if got := m.Next(uint(i)); int(got) != want {
						t.Fatalf("Next(%d) of %q is %d, want %d", i, s, got, want)
					}
				}
			}
		}
	}
}

// A value within a query is decoded as one that stands alone, and its end is found.
func TestR2ValueInAQuery(t *testing.T) {
	values := []string{"", "a", "+", "%41", "a%4", "%", "%zz", "a;", "\x01", "é", "\xff", "%C3%A9", "%C3", "12345678", "1234567%41", "12345678%41%42%43%44%45", "!", "a!b", "(a)*%2C", "? x<$>,'%20!!",
		strings.Repeat("%2F", 30), strings.Repeat("a", 40) + "+é"}
	for _, value := range values {
		want, problem := AppendUnescape([]byte("x"), value)
		for _, before := range []string{"", "n=", "a=%zz&longer_name="} {
			for _, after := range []string{"", "&", "&a=%zz", "&" + strings.Repeat("é", 9)} {
				raw := before + value + after
				var few [64]byte
				m := Mark(few[:], raw)
				got, end, has, found := m.AppendValue([]byte("x"), raw, uint(len(before)))
				if found == "" {
					found = has.Problem(got)
				}
				assert.Equal(t, problem, found, "%q", raw)
				if problem == "" {
					assert.Equal(t, string(want), string(got), "%q", raw)
					assert.Equal(t, len(before)+len(value), int(end), "%q", raw)
				}
			}
		}
	}
}

func TestR2Name(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", "a": "a", "ab=c": "ab", "ab&c=d": "ab", "%61%62=c": "ab", "a+b=": "a b", "%C3%A9=": "é", "=a": "", "abcd": "abcd",
	} {
		var buf [4]byte
		n, end := Name(buf[:], "x&"+raw, 2)
		assert.Equal(t, want, string(buf[:max(n, 0)]), "%q", raw)
		assert.Equal(t, 2+strings.IndexAny(raw+"&", "=&"), end, "%q", raw)
	}
	for _, raw := range []string{"abcde=", "a;=", "%", "%6", "%zz=", "a%6=", "ab%6"} {
		var buf [4]byte
		n, end := Name(buf[:], raw, 0)
		assert.Equal(t, -1, n, "%q", raw)
		assert.LessOrEqual(t, end, strings.IndexAny(raw+"&", "=&"), "%q", raw)
	}
}
