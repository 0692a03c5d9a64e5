package check

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestC5Endpoint(t *testing.T) {
	for s, want := range map[string]string{
		"https://idp.example.com/authorize":                  "",
		"HTTPS://idp.example.com":                            "",
		"https://idp.example.com:8443/a?b=c%20d":             "",
		"http://localhost:8080/a":                            "",
		"http://LOCALHOST/a":                                 "",
		"http://127.0.0.1/a":                                 "",
		"http://127.255.0.3/a":                               "",
		"http://[::1]:1/a":                                   "",
		"http://idp.example.com/a":                           "https://",
		"http://localhost.evil.test/a":                       "https://",
		"http://127.0.0.1.evil.test/a":                       "https://",
		"http://128.0.0.1/a":                                 "https://",
		"javascript:alert(1)":                                "host",
		"ftp://idp.example.com/":                             "https://",
		"/authorize":                                         "absolute",
		"idp.example.com/authorize":                          "absolute",
		"":                                                   "absolute",
		"https://":                                           "host",
		"https:///a":                                         "host",
		"https://:443/a":                                     "host",
		"https:idp.example.com":                              "host",
		"https://idp.example.com/a#f":                        "fragment",
		"https://idp.example.com/a#":                         "fragment",
		"https://user:pw@idp.example.com/":                   "user name",
		"https://@idp.example.com/":                          "user name",
		"https://idp.example.com/a b":                        "percent-encode",
		"https://idp.example.com/é":                          "percent-encode",
		"https://idp.example.com/\n":                         "percent-encode",
		"https://idp.example.com/%zz":                        "not a URL",
		`https://idp.example.com\@evil.test/`:                "percent-encode",
		"https://idp.example.com/" + strings.Repeat("a", 80): "longer than 100",
	} {
		got := Endpoint(s, 100, false)
		if want == "" {
			assert.Empty(t, got, s)
		} else {
			assert.Contains(t, got, want, s)
		}
	}
	assert.Empty(t, Endpoint("http://idp.example.com/a", 100, true))
	assert.NotEmpty(t, Endpoint("ftp://idp.example.com/a", 100, true))
}

func TestC5WebURL(t *testing.T) {
	assert.Empty(t, WebURL("http://cdn.example.com/i.png", 255))
	assert.Empty(t, WebURL("https://cdn.example.com/i.png", 255))
	assert.Contains(t, WebURL("ftp://cdn.example.com/i.png", 255), "https://")
	assert.Contains(t, WebURL("i.png", 255), "absolute")
}

func TestC5ConnectionName(t *testing.T) {
	for _, s := range []string{"a", "z", "A", "Z", "0", "9", "A1", "my-idp", "a-b-c", strings.Repeat("x", 128)} {
		assert.Empty(t, ConnectionName(s), s)
	}
	for _, s := range []string{"", "-", "-a", "a-", "a--b", "a_b", "a b", "é", "a|b", "a\n", strings.Repeat("x", 129)} {
		assert.NotEmpty(t, ConnectionName(s), s)
	}
}

func TestC7ParameterName(t *testing.T) {
	for _, s := range []string{"blog", "é&=", "screen_name", strings.Repeat("é", 128)} {
		assert.Empty(t, ParameterName(s), s)
	}
	for _, s := range []string{"", "a b", "a\u00a0b", "a\nb", "a\x7f", "a\u0085", strings.Repeat("x", 129)} {
		assert.NotEmpty(t, ParameterName(s), s)
	}
}

func TestT1AbsoluteURI(t *testing.T) {
	for _, s := range []string{"https://a.example/cb", "HTTPS://a", "https://a:1/x?y=z", "com.example.app:/cb", "com.example.app://cb", "urn:ietf:wg:oauth:2.0:oob"} {
		assert.Empty(t, AbsoluteURI(s), s)
	}
	for _, s := range []string{"", "/cb", "cb", ":", "x:", ":x", "//a.example/cb", "1x:/cb", "a_b:/cb", "a/b:c", "https:", "https:/cb", "https://", "https:///cb", "http://?x", "https://:1",
		"https://a/cb#", "https://a/cb#x", "#"} {
		assert.NotEmpty(t, AbsoluteURI(s), s)
	}
	assert.Zero(t, testing.AllocsPerRun(10, func() { AbsoluteURI("https://auth.example.com/login/callback") }))
}

func TestT4CodeVerifier(t *testing.T) {
	for s, want := range map[string]bool{
		strings.Repeat("a", 42): false, strings.Repeat("a", 43): true, strings.Repeat("Z", 128): true, strings.Repeat("0", 129): false,
		strings.Repeat("-._~", 11): true, strings.Repeat("a", 43) + "/": false, strings.Repeat("a", 43) + "=": false,
		strings.Repeat("@", 43): false, strings.Repeat("[", 43): false, strings.Repeat("`", 43): false, strings.Repeat("{", 43): false, strings.Repeat("é", 43): false,
	} {
		assert.Equal(t, want, CodeVerifier(s), s)
	}
}

func TestM3FoldIsUnicodeSimpleFolding(t *testing.T) {
	for _, s := range []string{"state", "STATE", "ſtate", "StAtE"} {
		assert.Equal(t, "state", Fold(s), s)
	}
	assert.Equal(t, Fold("\u212a"), Fold("k")) // the Kelvin sign
	assert.Equal(t, Fold("É"), Fold("é"))
	assert.NotEqual(t, Fold("a"), Fold("b"))
	for _, a := range []string{"ſ", "s", "S", "K", "k", "Σ", "σ", "ς", "é", "1", "_"} {
		for _, b := range []string{"ſ", "s", "S", "K", "k", "Σ", "σ", "ς", "É", "1", "_"} {
			assert.Equal(t, strings.EqualFold(a, b), Fold(a) == Fold(b), "%q %q", a, b)
		}
	}
}

func TestC6Nearest(t *testing.T) {
	names := []string{"login_hint", "max_age", "prompt"}
	for mistaken, want := range map[string]string{
		"login_hnt": "login_hint", "loginHint": "login_hint", "Login_Hint": "login_hint", "maxage": "max_age",
		"promt": "prompt", "scope": "", "": "", "x": "",
	} {
		assert.Equal(t, want, Nearest(mistaken, names), mistaken)
	}
}

// Every byte at every place of texts of several lengths, against the plain rule.
func TestT1EveryByteOfAURI(t *testing.T) {
	for _, n := range []int{1, 7, 8, 9, 16, 39} {
		for at := range n {
			for b := range 256 {
				text := []byte(strings.Repeat("a", n))
				text[at] = byte(b)
				s := string(text)
				ok := b > ' ' && b < 0x7f && b != '#'
				if got := plainURI(s); got && !ok || n >= 8 && ok && !got {
					t.Fatalf("plainURI(%q) = %t", s, got)
				}
			}
		}
	}
}
