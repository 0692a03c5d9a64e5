package check

// This file holds the tests of custom headers: their names and values, and
// whether one is the client's authentication.

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxHeaders     = 30
	maxHeaderValue = 1024 // characters
)

// A Header is one name and value, as they are sent.
type Header struct{ Name, Value string }

// A Problem is what is wrong with an object of the configuration whose members
// have free names.
type Problem struct {
	OfOne   bool   // it is about the member of this name, else about all
	Name    string // may be empty
	Message string // repeats no value
}

// RefusedHeaders are those that net/http, the form body or a proxy decide on
// (lower case). A RoundTripper that sets Host or Content-Length is ignored
// silently, and another Content-Type makes the form unreadable. Those of one hop (RFC
// 9110 section 7.6.1) would not reach the token endpoint, or would end a request
// within the connection where another begins. (rule H2)
var RefusedHeaders = []string{
	"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection",
	"keep-alive", "upgrade", "te", "trailer", "expect", "cookie", "cookie2",
	// These change what an answer looks like: compressed, or a part of it.
	"accept-encoding", "range",
}

// Headers gives everything that is wrong with headers, in their order. Of a name one
// thing is told, the gravest first; its value is looked at all the same, so that an
// administrator mends both at once.
func Headers(headers []Header) []Problem {
	var problems []Problem
	if len(headers) > maxHeaders {
		problems = append(problems, Problem{Message: fmt.Sprintf("has %d headers; at most %d may be set", len(headers), maxHeaders)})
	}
	seen := make(map[string]string, len(headers))
	for _, h := range headers {
		report := func(format string, args ...any) {
			problems = append(problems, Problem{true, h.Name, fmt.Sprintf(format, args...)})
		}
		// Gateways that turn names into variables (CGI, WSGI) read "_" as
		// "-", so X_User would stand in for X-User (CVE-2025-64484).
		folded := strings.ReplaceAll(strings.ToLower(h.Name), "_", "-")
		switch other, twin := seen[folded]; {
		case !isToken(h.Name):
			report("is not a header name; use letters, digits and !#$%%&'*+-.^_`|~ (RFC 9110 section 5.6.2)")
		case slices.Contains(RefusedHeaders, folded) || strings.HasPrefix(folded, "proxy-"):
			report("cannot be set here: the HTTP client decides on it; remove it")
		case twin:
			report("is the same header as %.256q but for case, - and _; keep one of them", other)
		}
		if _, twin := seen[folded]; !twin { // the first keeps the name: all others are told of it
			seen[folded] = h.Name
		}
		if message := headerValueProblem(h.Value); message != "" {
			report("%s", message)
		}
	}
	return problems
}

// headerValueProblem takes what RFC 9110 section 5.5 has, without obs-text: beyond ASCII
// a value means what its reader thinks it does. A line break would begin another
// header. Blanks at the ends are dropped on the way, so that two ends would not agree.
func headerValueProblem(value string) string {
	switch n := utf8.RuneCountInString(value); {
	case n == 0:
		return "has an empty value; give it one or remove the header"
	case n > maxHeaderValue:
		return fmt.Sprintf("has a value of %d characters; at most %d may be sent", n, maxHeaderValue)
	}
	if strings.Trim(value, " \t") != value {
		return "has a value that begins or ends with a blank; remove it"
	}
	for i := range len(value) {
		if b := value[i]; (b < ' ' || b > '~') && b != '\t' {
			return "has a value with a character that is not visible ASCII, space or tab; encode it"
		}
	}
	return ""
}

// isToken is RFC 9110 section 5.6.2.
func isToken(name string) bool {
	for i := range len(name) {
		b := name[i]
		if ('0' > b || b > '9') && ('a' > b|0x20 || b|0x20 > 'z') && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0 {
			return false
		}
	}
	return name != ""
}

// Authenticates reports whether an Authorization value is Basic with the
// client id as its user, plain or form-encoded (RFC 6749 section 2.3.1). It is asked
// because a client must not authenticate in two ways at once (section 2.3), so that
// the secret stays out of the body then. Any doubt is a no: then the secret is sent
// as it would be without the header, and the server says if that is wrong.
func Authenticates(authorization, clientID string) bool {
	scheme, credentials := authorization, ""
	if i := strings.IndexAny(authorization, " \t"); i >= 0 { // RFC 9110 has one space there; servers read a tab likewise
		scheme, credentials = authorization[:i], authorization[i+1:]
	}
	if !strings.EqualFold(scheme, "Basic") || clientID == "" {
		return false
	}
	// Padding is left out by some; a server that reads on takes it so, too.
	text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Trim(credentials, " \t"), "="))
	user, _, found := strings.Cut(string(text), ":")
	if err != nil || !found {
		return false
	}
	decoded, err := url.QueryUnescape(user)
	return user == clientID || err == nil && decoded == clientID
}
