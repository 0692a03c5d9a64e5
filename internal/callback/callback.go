// Package callback reads what an identity provider sends the browser back with:
// the query of a GET (RFC 6749 section 4.1.2) or the form of a POST (OAuth 2.0
// Form Post Response Mode). It is strict where two readers could take it for two
// different answers, and it knows which error codes are registered. It
// knows nothing of connections, and of a login no more than an Expectation has.
//
// Whatever arrives here was written by whoever has the browser: the user, a page that
// the user has open, or another identity provider (a mix-up, RFC 9700 section 4.4).
// [Read] therefore decides nothing but what stands there, and [Expectation.Check]
// decides in the order in which one part may be believed because of another:
//
//	state   is it the answer to a login of this browser?   RFC 6749 section 10.12
//	iss     is it from the IdP that the login went to?     RFC 9207 section 2.4
//	error   did that IdP say no?                           RFC 6749 section 4.1.2.1
//	code    else it has to have said yes                   RFC 6749 section 4.1.2
//
// An error that came first would let any page end a login with words of its own, and
// a code that is sent on before iss was looked at is in the wrong hands already.
package callback

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"example.com/upstream/internal/endpoint"
	"example.com/upstream/internal/form"
	"example.com/upstream/internal/query"
)

// An Answer holds the parameters that are read, decoded; "" stands for absent.
type Answer struct {
	Code, State, Issuer string
	Error, Description  string
	User                string // Apple's JSON about the user
}

// A Fault says why the answer cannot be read.
type Fault struct {
	Parameter string // "" if it is about the answer as a whole
	Message   string // repeats no value
}

// field gives where a parameter that is read goes, nil for any other. What people
// write, and nothing is decided by, is read as it comes: Entra's descriptions hold
// line ends. What decides is held to printable text, so that no two readers of a code
// or a state see two values.
func (a *Answer) field(name string) (to *string, lenient bool) {
	switch name {
	case "code":
		return &a.Code, false
	case "state":
		return &a.State, false
	case "iss":
		return &a.Issuer, false
	case "error":
		return &a.Error, false
	case "error_description":
		return &a.Description, true
	case "user":
		return &a.User, true
	}
	return nil, false
}

// Read reads an answer. The type of a body is insisted on (Form Post Response Mode
// section 2); see [form.Read].
func Read(r *http.Request) (*Answer, *Fault) {
	raw, parsed, problem := form.Read(r, false)
	switch {
	case problem != "":
		return nil, &Fault{Message: problem}
	case parsed != nil:
		return fromValues(parsed)
	}
	return parse(raw)
}

// parse takes the pairs one by one, and not by url.ParseQuery: that drops a pair that
// it cannot decode, and of a name that comes twice its Get gives the first. Here both
// are faults, but only of a name that is read. Names are compared as decoded, so that
// "cod%65" is code, and beside code the second.
func parse(raw string) (*Answer, *Fault) {
	a, seen := &Answer{}, map[string]bool{}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, value, _ := strings.Cut(pair, "=")
		decoded, problem := query.AppendUnescape(nil, name)
		if problem != "" {
			continue // no name that is read
		}
		name = string(decoded)
		to, lenient := a.field(name)
		if to == nil {
			continue // RFC 6749 section 4.1.2: unrecognised parameters are ignored
		}
		if seen[name] {
			return nil, &Fault{name, "is given more than once"}
		}
		seen[name] = true
		if lenient {
			if text, err := url.QueryUnescape(value); err == nil && utf8.ValidString(text) {
				*to = text
			}
			continue
		}
		if decoded, problem = query.AppendUnescape(nil, value); problem != "" {
			return nil, &Fault{name, problem}
		}
		*to = string(decoded)
	}
	return a, nil
}

// fromValues reads what the host's ParseForm has made of the form. Escapes are
// decoded, and a pair that could not be is gone. The names are in an order of their
// own, so that of two faults the same is told each time; a map has none.
func fromValues(parsed url.Values) (*Answer, *Fault) {
	a := &Answer{}
	for _, name := range []string{"code", "error", "error_description", "iss", "state", "user"} {
		values := parsed[name]
		if len(values) == 0 {
			continue
		}
		to, lenient := a.field(name)
		problem := ""
		switch {
		case len(values) > 1:
			problem = "is given more than once"
		case len(values[0]) > form.MaxBody:
			problem = "is longer than 64 KiB"
		case !lenient:
			problem = query.Problem(values[0])
		}
		if problem != "" {
			return nil, &Fault{name, problem}
		}
		*to = values[0]
	}
	return a, nil
}

// An Expectation is what an answer is held against.
type Expectation struct {
	State     string
	Issuer    string // "" if unknown
	HasIssuer bool   // RFC 9207 section 2.4: every answer has one
}

// Check gives the first that is wrong: with the state, the issuer, an error, the
// code; nil if nothing is. Of an error the parameter is "error".
//
// An answer without state is refused first, so that a login whose own is empty takes
// none. States are compared in a time that tells nothing of where they differ: a
// page can try as many as it likes. An iss that nobody expects is let pass where the
// issuer is unknown, but never where it is known and differs, promised or not (RFC
// 9207 section 2.4). Issuers are compared byte for byte (RFC 3986 section 6.2.1).
func (e Expectation) Check(a *Answer) *Fault {
	switch {
	case a.State == "":
		return &Fault{"state", "state is missing"}
	case subtle.ConstantTimeCompare([]byte(a.State), []byte(e.State)) != 1:
		return &Fault{"state", "state is not that of this login"}
	case a.Issuer == "" && e.HasIssuer:
		return &Fault{"iss", "iss is missing, which the identity provider promises with every answer (RFC 9207)"}
	case a.Issuer != "" && e.Issuer != "" && a.Issuer != e.Issuer:
		return &Fault{"iss", "iss is not the issuer of this connection: it is another identity provider's answer (RFC 9207)"}
	case a.Error != "":
		return &Fault{"error", "the identity provider answers with the error " + Code(a.Error)}
	case a.Code == "":
		return &Fault{"code", "it holds neither a code nor an error"}
	}
	return nil
}

// Code gives an error code if it is a registered one, else server_error: what
// stands there is the server's own text, or that of whoever made the answer up, and
// ends up in logs and in what an application shows.
func Code(code string) string {
	if code != "" && !endpoint.Registered(code) {
		return "server_error"
	}
	return code
}
