package check

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxUserID is in characters: what a column of a database usually holds.
const maxUserID = 255

// UserID reports whether an id can stand for one user wherever it is stored and
// shown: 1 to 255 characters of valid UTF-8, one of them visible, no white space
// at its ends, and no control, format or line separator character, which
// databases cut at and which make two ids look alike. U+FFFD is what a decoder
// makes of a text that it cannot decode, so two ids may have become one.
func UserID(id string) bool {
	if !utf8.ValidString(id) || utf8.RuneCountInString(id) > maxUserID || strings.TrimSpace(id) != id {
		return false
	}
	visible := false
	for _, r := range id {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError {
			return false
		}
		visible = visible || unicode.IsGraphic(r) && !unicode.IsSpace(r)
	}
	return visible
}

// BadUserID says what is wrong with an id that is none.
const BadUserID = "must be of at most 255 characters, without blanks at its ends and without control and format characters"

// EqualFoldASCII reports whether two texts are equal but for the case of ASCII
// letters, as host names are: Unicode's folding would make one of two names.
// The Kelvin sign in a domain is not k, whatever it looks like.
func EqualFoldASCII(a, b string) bool {
	lower := func(c byte) byte {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
