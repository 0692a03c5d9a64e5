package fetchscript

// This file owns what must not be printed: the values that a message may not
// hold, and how they are taken out of it.

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"sync"
)

const (
	minSecret  = 4  // characters; a shorter one would be found in any text
	bodyBlock  = 16 // bytes that a message and an answer must share to be a quotation
	maxMessage = 1 << 10
	mark       = "[redacted]"
	bodyMark   = "[response body]"
)

// A redactor takes tokens, secrets and answers out of texts.
type redactor struct {
	secrets []string // the longest first

	mu     sync.Mutex
	bodies []quoted
}

// quoted is the body of an answer.
type quoted struct {
	text   string
	blocks map[string]int // where its blocks stand; made when a message needs it
}

func newRedactor(secrets []string) *redactor {
	r := &redactor{}
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		// The forms in which a script may have sent it.
		r.secrets = append(r.secrets, s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	slices.SortFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
	r.secrets = slices.Compact(r.secrets)
	return r
}

// answered notes what a server sent.
func (r *redactor) answered(body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if body != "" {
		r.bodies = append(r.bodies, quoted{text: body})
	}
}

// clean gives the text as it may be printed, at most maxMessage bytes of it.
func (r *redactor) clean(text string) string {
	const enough = 16 * maxMessage // a longer text is not worth the search
	if len(text) > enough {
		text = text[:enough]
	}
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s, mark)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.bodies {
		text = r.withoutBody(i, text)
	}
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "..."
	}
	return text
}

// essence is a text without what writing it down again may change: white space
// and JSON's escapes. places says where each of its bytes stands in the text.
func essence(text string) (bytes string, places []int) {
	out := make([]byte, 0, len(text))
	places = make([]int, 0, len(text))
	for i := range len(text) {
		if c := text[i]; c > ' ' && c != '\\' {
			out, places = append(out, c), append(places, i)
		}
	}
	return string(out), places
}

// withoutBody replaces every part of text that quotes the body: the whole, or
// from two blocks on any piece of it. Shorter words, such as an error code, stay.
func (r *redactor) withoutBody(i int, text string) string {
	body := &r.bodies[i]
	if body.blocks == nil {
		body.text, _ = essence(body.text)
		body.blocks = map[string]int{}
		for at := 0; at+bodyBlock <= len(body.text); at += bodyBlock {
			body.blocks[body.text[at:at+bodyBlock]] = at
		}
	}
	words, places := essence(text)
	var out strings.Builder
	copied, seen := 0, 0 // bytes of text and of words
	replace := func(start, end int) {
		out.WriteString(text[copied:places[start]])
		out.WriteString(bodyMark)
		copied, seen = places[end-1]+1, end
	}
	if short := len(body.text); short < 2*bodyBlock {
		for at := strings.Index(words, body.text); short >= minSecret && at >= 0; {
			replace(at, at+short)
			next := strings.Index(words[seen:], body.text)
			if at = next + seen; next < 0 {
				break
			}
		}
		return out.String() + text[copied:]
	}
	for at := 0; at+bodyBlock <= len(words); at++ {
		where, found := body.blocks[words[at:at+bodyBlock]]
		if !found {
			continue
		}
		start, end := at, at+bodyBlock
		for b := where; start > seen && b > 0 && words[start-1] == body.text[b-1]; b-- {
			start--
		}
		for b := where + bodyBlock; end < len(words) && b < len(body.text) && words[end] == body.text[b]; b++ {
			end++
		}
		replace(start, end)
		at = end - 1
	}
	return out.String() + text[copied:]
}
