package endpoint

// This file owns what is particular to the token endpoint: parameters that go
// with each request, and answers that are read strictly before oauth2 sees them.
//
// Why before: oauth2 reads the answer with encoding/json, which takes the last of
// two members and matches names by case folding, so that access_token and
// Access_Token are one to it and two to whoever logged or checked the answer; and
// it gives the host nothing but what it read. A transport is the one place where
// the text can be seen without doing oauth2's work again. The order, from the
// inside:
//
//	host's transport <- Wrap (assertion, DPoP) <- bounds, body in memory <- tokenTransport <- oauth2
//
// Answers that are no success go by unread: oauth2 makes a RetrieveError of them,
// of which only the registered code is ever repeated (failure.go). (rule P4)

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/upstream/internal/query"
	"example.com/upstream/internal/strictjson"
)

// A TokenForm is what is added to a token request, but for names that it has.
type TokenForm struct {
	Static url.Values // of every request
	Repeat url.Values // of this refresh; wins over Static
}

// TokenClient is a Client for token requests, which go through wrap.
func TokenClient(ctx context.Context, address string, headers http.Header, wrap Wrap, form TokenForm) *http.Client {
	client := Client(ctx, address, headers)
	Wrapped(client, wrap)
	client.Transport = &tokenTransport{client.Transport, form}
	return client
}

type tokenTransport struct {
	base http.RoundTripper // a *transport: the answer is in memory when it returns
	form TokenForm
}

// repeated are the parameters that a refresh repeats from the request that the
// grant was got with (RFC 8707 section 2.2). A token has them as extras, under
// these names.
var repeated = map[string]string{"resource": "upstream_resource", "audience": "upstream_audience"}

// Repeat gives the parameters that a refresh repeats, nil for none.
func Repeat(extra func(string) any) url.Values {
	var out url.Values
	for name, at := range repeated {
		if value, _ := extra(at).(string); value != "" {
			if out == nil {
				out = url.Values{}
			}
			out.Set(name, value)
		}
	}
	return out
}

func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	sent, form, err := t.request(req)
	if err != nil {
		return nil, err
	}
	resp, err := t.base.RoundTrip(sent)
	if err != nil || resp == nil || resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp, err
	}
	read, _ := resp.Body.(*answer)
	if read == nil {
		return resp, nil
	}
	if err := read.check(resp.Header.Get("Content-Type"), form); err != nil {
		return nil, err
	}
	return resp, nil
}

// request gives the request with the form's own parameters, and those of its
// parameters that a refresh repeats. What the request has already stays: code,
// grant_type and client authentication are oauth2's. A RoundTripper may not change
// the request that it was given, hence the copy.
func (t *tokenTransport) request(req *http.Request) (sent *http.Request, repeat url.Values, err error) {
	if req.GetBody == nil { // not of oauth2's making
		return req, nil, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, nil, err
	}
	text := make([]byte, max(req.ContentLength, 0)) // as it is known of a text in memory
	_, err = io.ReadFull(body, text)
	_ = body.Close() // in memory
	if err != nil {
		return nil, nil, err
	}
	adds := len(t.form.Static) > 0 || len(t.form.Repeat) > 0
	if !adds && !bytes.Contains(text, []byte("resource=")) && !bytes.Contains(text, []byte("audience=")) {
		return req, nil, nil
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, nil, err
	}
	add := func(more url.Values) {
		for name, values := range more {
			if !form.Has(name) {
				form[name] = values
			}
		}
	}
	add(t.form.Repeat)
	for name := range repeated {
		if value := form.Get(name); value != "" {
			if repeat == nil {
				repeat = url.Values{}
			}
			repeat.Set(name, value)
		}
	}
	add(t.form.Static)
	if !adds {
		return req, repeat, nil
	}
	// GetBody as well as Body: whoever sends twice (a nonce challenge, RFC 9449
	// section 8) takes it from there.
	encoded := form.Encode()
	if req.Body != nil {
		_ = req.Body.Close() // its copy has been read
	}
	sent = req.WithContext(req.Context())
	sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(encoded)), nil }
	sent.Body, _ = sent.GetBody()
	sent.ContentLength = int64(len(encoded))
	return sent, repeat, nil
}

// answer is a body that has been read.
type answer struct {
	bytes.Reader
	body []byte
}

func newAnswer(body []byte) *answer {
	a := &answer{body: body}
	a.Reset(body)
	return a
}

func (*answer) Close() error { return nil }

// An AnswerError says why a token endpoint's answer is not taken.
type AnswerError struct{ message string }

func (e *AnswerError) Error() string { return e.message }

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
	content, _, _ := mime.ParseMediaType(contentType)
	if content == "application/x-www-form-urlencoded" || content == "text/plain" {
		return a.checkForm(repeat)
	}
	if err := (*strictjson.Error)(nil); errors.As(strictjson.Check(a.body), &err) {
		if err.Doubled {
			return &AnswerError{"the answer holds a member twice"}
		}
		return &AnswerError{unreadable}
	}
	if !strictjson.IsObject(bytes.TrimSpace(a.body)) {
		return &AnswerError{unreadable}
	}
	var wrong error
	strictjson.Each(a.body, func(text, _ []byte) {
		name := text[1 : len(text)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(strictjson.Text(text))
		}
		if err := checkName(name); err != nil {
			wrong = err
		}
	})
	if wrong != nil {
		return wrong
	}
	if repeat != nil {
		var edits []strictjson.Edit
		for name, values := range repeat {
			edits = append(edits, strictjson.Edit{Path: []string{repeated[name]}, Value: strictjson.Marshal(values[0])})
		}
		a.body = strictjson.Apply(a.body, edits)
		a.Reset(a.body)
	}
	return nil
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
// that doubles are all there is to refuse.
func (a *answer) checkForm(repeat url.Values) error {
	var names []string
	for rest := string(a.body); rest != ""; {
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
	if repeat != nil {
		for name, values := range repeat {
			a.body = append(a.body, "&"+repeated[name]+"="+url.QueryEscape(values[0])...)
		}
		a.Reset(a.body)
	}
	return nil
}

const maxNames = 100 // of a form; keeps the search for doubles short

func isOurs(name string) bool {
	for _, own := range repeated {
		if name == own {
			return true
		}
	}
	return false
}

var errOurs = &AnswerError{"the answer holds a member that this package adds itself"}
