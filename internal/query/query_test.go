package query

import (
	"net/url"
	"testing"

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

func TestR2UnescapeIsQueryUnescape(t *testing.T) {
	check := func(s string) {
		want, err := url.QueryUnescape(s)
		got, ok := AppendUnescape([]byte("x"), s)
		if ok != (err == nil) || ok && string(got) != "x"+want {
			t.Fatalf("AppendUnescape(%q) = %q, %v, want %q, %v", s, got, ok, want, err)
		}
	}
	for a := range 256 {
		for b := range 256 {
			check(string([]byte{'%', byte(a), byte(b)}))
			check(string([]byte{byte(a), byte(b)}))
		}
	}
	for _, s := range []string{"", "%", "%4", "a%", "a%4", "%41%", "+", "%2B"} {
		check(s)
	}
}

func TestR2Plain(t *testing.T) {
	for b := range 256 {
		want := b >= ' ' && b < 0x7f && b != '%' && b != '+' && b != ';' && b != '&'
		assert.Equal(t, want, Plain(string([]byte{'a', byte(b)})), "byte %#x", b)
	}
	assert.True(t, Plain(""))
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
		if back, ok := AppendUnescape(nil, escaped); !ok || string(back) != s {
			t.Errorf("AppendUnescape(%q) = %q, %v, want %q", escaped, back, ok, s)
		}
		want, err := url.QueryUnescape(s)
		if got, ok := AppendUnescape(nil, s); ok != (err == nil) || ok && string(got) != want {
			t.Errorf("AppendUnescape(%q) = %q, %v, want %q, %v", s, got, ok, want, err)
		}
		if Plain(s) && err == nil && want != s {
			t.Errorf("Plain(%q), but it decodes to %q", s, want)
		}
	})
}
