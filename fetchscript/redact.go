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
	bodies []string
	blocks []map[string]int // of each body: where its blocks stand; made when needed
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
		r.bodies = append(r.bodies, body)
		r.blocks = append(r.blocks, nil)
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
	for i, body := range r.bodies {
		text = r.withoutBody(i, body, text)
	}
	if len(text) > maxMessage {
		text = text[:maxMessage] + "..."
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// withoutBody replaces every part of text that quotes the body: the whole, or
// from two blocks on any piece of it. Shorter words, such as an error code, stay.
func (r *redactor) withoutBody(i int, body, text string) string {
	if trimmed := strings.TrimSpace(body); len(trimmed) >= minSecret && len(trimmed) < 2*bodyBlock {
		return strings.ReplaceAll(text, trimmed, bodyMark)
	}
	// A script that parsed the body and wrote it down again has other spaces.
	text = r.quotations(&r.blocks[i], body, text)
	return text
}

func (r *redactor) quotations(blocks *map[string]int, body, text string) string {
	if *blocks == nil {
		*blocks = map[string]int{}
		for at := 0; at+bodyBlock <= len(body); at += bodyBlock {
			(*blocks)[body[at:at+bodyBlock]] = at
		}
	}
	var out strings.Builder
	copied := 0
	for at := 0; at+bodyBlock <= len(text); at++ {
		where, found := (*blocks)[text[at:at+bodyBlock]]
		if !found {
			continue
		}
		start, end := at, at+bodyBlock
		for b := where; start > copied && b > 0 && text[start-1] == body[b-1]; b-- {
			start--
		}
		for b := where + bodyBlock; end < len(text) && b < len(body) && text[end] == body[b]; b++ {
			end++
		}
		out.WriteString(text[copied:start])
		out.WriteString(bodyMark)
		copied, at = end, end-1
	}
	out.WriteString(text[copied:])
	return out.String()
}
