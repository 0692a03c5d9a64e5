package endpoint

// This file owns the answer of the token endpoint, which is read strictly before
// oauth2 sees it. It knows nothing of how it was asked for.
//
// Why before: oauth2 reads the answer with encoding/json, which takes the last of
// two members and matches names by case folding, so that access_token and
// Access_Token are one to it and two to whoever logged or checked the answer; and
// it gives the host nothing but what it read. A transport is the one place where
// the text can be seen without doing oauth2's work again.
//
// Answers that are no success go by unread: oauth2 makes a RetrieveError of them,
// of which only the registered code is ever repeated (failure.go). (rule P4)

import (
	"bytes"
	"cmp"
	"errors"
	"mime"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"example.com/upstream/internal/query"
	"example.com/upstream/internal/strictjson"
)

// repeated are the parameters that a refresh repeats from the request that the
// grant was got with (RFC 8707 section 2.2). A token has them as extras, whose
// names begin with extraPrefix.
var repeated = [...]string{"resource", "audience"}

const extraPrefix = "upstream_"

// repeats gives the parameters that a refresh repeats, nil for none.
func repeats(get func(name string) string) url.Values {
	var out url.Values
	for _, name := range repeated {
		if value := get(name); value != "" {
			if out == nil {
				out = url.Values{}
			}
			out.Set(name, value)
		}
	}
	return out
}

// extra gives what a refresh repeats as the token has it; "" for none, or for what
// a host put there that is no text.
func extra(token *oauth2.Token, name string) string {
	value, _ := token.Extra(extraPrefix + name).(string)
	return value
}

// An AnswerError says why a token endpoint's answer is not taken.
type AnswerError struct{ message string }

func (e *AnswerError) Error() string { return e.message }

// unreadable is for whatever oauth2 cannot read, too: no server's text is told apart.
const unreadable = "the answer is neither JSON nor a form with the members that it must have"

// members are those that oauth2 reads, and id_token. All others are the host's to
// read, by their exact names.
var members = []string{"access_token", "token_type", "refresh_token", "expires_in", "id_token", "error", "error_description", "error_uri"}

// check refuses what two readers may take for two answers, and notes in the
// answer what a refresh repeats. Form or JSON is decided as oauth2 does it: RFC
// 6749 section 5.1 has JSON alone, but some providers answer with a form. The notes
// go into the text, since oauth2 keeps what it does not know as extras of the
// token, where a refresh finds them.
func (a *answer) check(contentType string, repeat url.Values) error {
	if isForm(contentType) {
		return a.checkForm(repeat)
	}
	var wrong error
	err := strictjson.CheckNames(a.rest, func(name []byte) { wrong = cmp.Or(wrong, checkName(name)) })
	if err != nil {
		if fault := (*strictjson.Error)(nil); errors.As(err, &fault) && fault.Doubled {
			return &AnswerError{"the answer holds a member twice"}
		}
		return &AnswerError{unreadable}
	}
	if !strictjson.IsObject(a.rest) {
		return &AnswerError{unreadable}
	}
	if wrong != nil || repeat == nil {
		return wrong
	}
	var edits []strictjson.Edit
	for _, name := range repeated {
		if value := repeat.Get(name); value != "" {
			edits = append(edits, strictjson.Edit{Path: []string{extraPrefix + name}, Value: strictjson.Marshal(value)})
		}
	}
	a.rest = strictjson.Apply(a.rest, edits)
	return nil
}

// isForm decides as oauth2 does. Where the text begins as JSON's type does it can
// be no form's, whatever follows, and what net/http makes of the rest is not asked.
func isForm(contentType string) bool {
	if strings.HasPrefix(contentType, "application/json") {
		return false
	}
	content, _, _ := mime.ParseMediaType(contentType)
	return content == "application/x-www-form-urlencoded" || content == "text/plain"
}

// checkName refuses what oauth2 would take for one of its members, and what only
// this package writes: an answer must not choose what the next refresh asks for.
func checkName(name []byte) error {
	for _, own := range members {
		if string(name) == own {
			return nil
		}
	}
	for _, own := range members {
		if bytes.EqualFold(name, []byte(own)) {
			return &AnswerError{"the answer holds a member that is " + own + " but for case"}
		}
	}
	if isOurs(string(name)) {
		return errOurs
	}
	return nil
}

// checkForm is check for a form. Its names are matched to the byte by oauth2, so
// that doubles are all there is to refuse. They are compared decoded, as %61 is a;
// that a value can be decoded is for oauth2 to find. Pairs without a name, as "&&"
// has them, are nobody's.
func (a *answer) checkForm(repeat url.Values) error {
	var names []string
	for rest := string(a.rest); rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		name, _, _ := strings.Cut(pair, "=")
		decoded, problem := query.AppendUnescape(nil, name)
		switch name = string(decoded); {
		case problem != "":
			return &AnswerError{unreadable}
		case name != "" && slices.Contains(names, name):
			return &AnswerError{"the answer is a form that holds a name twice"}
		case len(names) == maxNames:
			return &AnswerError{"the answer is a form of too many names"}
		case isOurs(name):
			return errOurs
		}
		names = append(names, name)
	}
	for _, name := range repeated {
		if value := repeat.Get(name); value != "" {
			a.rest = append(a.rest, "&"+extraPrefix+name+"="+url.QueryEscape(value)...)
		}
	}
	return nil
}

// maxNames is of a form. The answer has five to ten; doubles are searched for one by
// one, which a megabyte of names must not make slow. (rule P1)
const maxNames = 100

func isOurs(name string) bool {
	rest, found := strings.CutPrefix(name, extraPrefix)
	return found && slices.Contains(repeated[:], rest)
}

var errOurs = &AnswerError{"the answer holds a member that this package adds itself"}
