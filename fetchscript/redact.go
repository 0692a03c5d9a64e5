package fetchscript

// This file owns what must not be printed: the values that a message may not
// hold, and how they are taken out of it.

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"example.com/upstream/internal/strictjson"
)

const (
	minSecret  = 4               // characters; a shorter one would be found in any text
	bodyBlock  = 16              // bytes that a message and an answer must share to be a quotation
	maxMessage = 1 << 10         // bytes of an error's message and of a line on the console; the rest is left out
	enough     = 16 * maxMessage // bytes of a text that are searched for what must not be in it
	mark       = "[redacted]"
	bodyMark   = "[response body]"
)

// A redactor takes tokens, secrets and answers out of texts.
type redactor struct {
	secrets []string
	once    sync.Once
	forms   []string // of the secrets, the longest first; made when a message needs them

	mu     sync.Mutex
	bodies []quoted
}

// quoted is the body of an answer.
type quoted struct {
	text   string
	blocks map[string]int // where its blocks stand; made when a message needs it
}

func newRedactor(secrets []string) *redactor { return &redactor{secrets: secrets} }

func (r *redactor) makeForms() {
	seen := map[string]bool{}
	for _, s := range r.secrets {
		if len(s) < minSecret {
			continue
		}
		for _, form := range formsOf(s) {
			if len(form) >= minSecret && !seen[form] {
				seen[form] = true
				r.forms = append(r.forms, form)
			}
		}
	}
	slices.SortFunc(r.forms, func(a, b string) int { return len(b) - len(a) })
}

// formsOf gives the texts as which a script may have written a secret.
func formsOf(s string) []string {
	const word = "-_."
	forms := []string{
		s, url.QueryEscape(s), url.PathEscape(s), hex.EncodeToString([]byte(s)),
		percent(s, word+"!~*'()"),                            // encodeURIComponent
		percent(s, word+"!~*'();,/?:@&=+$#"),                 // encodeURI
		percent(s, word+"~"),                                 // querystring
		percent(s, "-_.@*/+"),                                // escape
		strings.ReplaceAll(percent(s, word+"* "), " ", "+"),  // URLSearchParams
		strings.Trim(string(strictjson.Marshal(s)), `"`),     // JSON, as this library writes it
		strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s), // JSON.stringify
		base64.StdEncoding.EncodeToString([]byte(s)),         // as a whole
		base64.RawURLEncoding.EncodeToString([]byte(s)),      // the same
	}
	// In the base64 of a longer text, such as "user:" + s, three bytes become
	// four characters from one of three places on.
	for skip := range 3 {
		if whole := (len(s) - skip) / 3 * 3; len(s) > skip && whole >= 2*3 {
			inside := []byte(s[skip : skip+whole])
			forms = append(forms, base64.StdEncoding.EncodeToString(inside), base64.RawURLEncoding.EncodeToString(inside))
		}
	}
	return forms
}

// percent encodes all but letters, digits and what is in keep.
func percent(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// answered notes what a server sent.
func (r *redactor) answered(body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if body != "" {
		r.bodies = append(r.bodies, quoted{text: body})
	}
}

// header notes what of an answer's headers may be a session, a code or a token.
func (r *redactor) header(h http.Header) {
	for name, values := range h {
		for _, value := range values {
			switch name = strings.ToLower(name); {
			case name == "set-cookie":
				r.answered(value)
				pair, _, _ := strings.Cut(value, ";")
				if _, value, _ = strings.Cut(pair, "="); len(value) >= 2*minSecret { // and not "true"
					r.answered(value)
				}
			case name == "location":
				r.answered(value)
				if u, err := url.Parse(value); err == nil {
					r.query(u.RawQuery)
					r.query(u.EscapedFragment())
				}
			case name == "www-authenticate" || secretName(name):
				r.answered(value)
			}
		}
	}
}

// query notes the values of a query or of a fragment that is written like one.
func (r *redactor) query(text string) {
	const most = 20 // parameters; each is a search through every message
	for i, pair := range strings.SplitN(text, "&", most+1) {
		if _, value, found := strings.Cut(pair, "="); found && i < most && len(value) >= 2*minSecret {
			r.answered(value)
		}
	}
}

// clean gives the text as it may be printed, at most maxMessage bytes of it.
func (r *redactor) clean(text string) string {
	r.once.Do(r.makeForms)
	long := len(text) > enough
	if long {
		text = text[:enough]
	}
	for _, s := range r.forms {
		text = strings.ReplaceAll(text, s, mark)
	}
	if long {
		text = r.withoutStart(text)
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

// withoutStart takes from the end of a text that was cut what may be the
// beginning of a secret.
func (r *redactor) withoutStart(text string) string {
	longest := 0
	for _, s := range r.forms {
		for n := min(len(s)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, s[:n]) {
				longest = n
			}
		}
	}
	return text[:len(text)-longest]
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
