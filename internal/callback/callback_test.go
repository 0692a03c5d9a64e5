package callback

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/form"
)

const kind = "application/x-www-form-urlencoded"

func TestReadsAnAnswer(t *testing.T) {
	all := Answer{"c d", "s", "https://i", "access_denied", "no\nway", `{"a":1}`}
	const text = "code=c+d&state=s&iss=https%3A%2F%2Fi&error=access_denied&error_description=no%0Away&user=%7B%22a%22%3A1%7D&other=1&oth%zz=1&cod%65x=1&&other=2"
	for _, tc := range []struct {
		name, method, query, kind, body string
		want                            *Answer
		parameter, message              string
	}{
		{"GET", "GET", text, "", "", &all, "", ""},
		{"no method is GET", "", text, "", "", &all, "", ""},
		{"POST", "POST", "code=not+read", kind + "; charset=utf-8", text, &all, "", ""},
		{"nothing", "GET", "", "", "", &Answer{}, "", ""},
		{"another method", "PUT", text, kind, text, nil, "", "the method is neither GET nor POST"},
		{"another kind", "POST", "", "application/json", "{}", nil, "", "the body of a POST must be application/x-www-form-urlencoded"},
		{"twice", "GET", "code=1&cod%65=2", "", "", nil, "code", "is given more than once"},
		{"a description twice", "GET", "error_description=1&error_description=2", "", "", nil, "error_description", "is given more than once"},
		{"bad UTF-8", "GET", "state=%ff", "", "", nil, "state", "is not valid UTF-8"},
		{"a control character", "GET", "code=%0a", "", "", nil, "code", "has a control character"},
		{"which the server's own words may have", "GET", "error_description=%0a&user=%0d", "", "", &Answer{Description: "\n", User: "\r"}, "", ""},
		{"but no bad text", "GET", "error_description=%ff&user=%zz", "", "", &Answer{}, "", ""},
	} {
		for _, parsed := range []bool{false, true} {
			r := httptest.NewRequest("POST", "/cb?"+tc.query, strings.NewReader(tc.body))
			if r.Method = tc.method; tc.kind != "" {
				r.Header.Set("Content-Type", tc.kind)
			}
			if parsed {
				if tc.method != "POST" || tc.want == nil || strings.Contains(tc.body, "oth%zz") {
					continue
				}
				assert.NoError(t, r.ParseForm(), tc.name)
			}
			got, fault := Read(r)
			assert.Equal(t, tc.want, got, tc.name)
			if tc.want == nil {
				assert.Equal(t, &Fault{tc.parameter, tc.message}, fault, tc.name)
			} else {
				assert.Nil(t, fault, tc.name)
			}
		}
	}
	_, fault := Read(nil)
	assert.NotNil(t, fault)
	got, fault := Read(&http.Request{})
	assert.Equal(t, &Answer{}, got)
	assert.Nil(t, fault)
	got, fault = Read(&http.Request{Method: "POST", Header: http.Header{"Content-Type": {kind}}})
	assert.Equal(t, &Answer{}, got, "without a body")
	assert.Nil(t, fault)
	r := httptest.NewRequest("POST", "/cb", strings.NewReader("code=12345"))
	r.Header.Set("Content-Type", kind)
	r.Body = http.MaxBytesReader(nil, r.Body, 3)
	_, fault = Read(r)
	assert.Equal(t, &Fault{Message: "the body cannot be read"}, fault)
}

// What the host's ParseForm has read is held to the same.
func TestReadsAParsedForm(t *testing.T) {
	read := func(form map[string][]string) (*Answer, *Fault) {
		return Read(&http.Request{Method: "POST", PostForm: form, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
	}
	got, fault := read(map[string][]string{"code": {"c"}, "iss": {"i"}, "state": {"s"}, "error": {}, "error_description": {"\n"}, "user": {"u"}, "other": {"1", "2"}})
	assert.Nil(t, fault)
	assert.Equal(t, &Answer{Code: "c", Issuer: "i", State: "s", Description: "\n", User: "u"}, got)
	for name, values := range map[string][]string{"is given more than once": {"1", "2"}, "has a control character": {"\n"}, "is longer than 64 KiB": {strings.Repeat("x", form.MaxBody+1)}} {
		_, fault = read(map[string][]string{"code": values})
		assert.Equal(t, &Fault{"code", name}, fault)
	}
	_, fault = read(map[string][]string{"code": {strings.Repeat("x", form.MaxBody)}})
	assert.Nil(t, fault)
}

func TestChecksInOrder(t *testing.T) {
	good := Answer{Code: "c", State: "s", Issuer: "i"}
	with := func(change func(*Answer)) *Answer { a := good; change(&a); return &a }
	want := Expectation{State: "s", Issuer: "i", HasIssuer: true}
	for _, tc := range []struct {
		name      string
		a         *Answer
		e         Expectation
		parameter string
	}{
		{"good", &good, want, ""},
		{"no state", with(func(a *Answer) { a.State = "" }), Expectation{Issuer: "i"}, "state"},
		{"another state", with(func(a *Answer) { a.State = "S" }), want, "state"},
		{"no issuer", with(func(a *Answer) { a.Issuer = "" }), want, "iss"},
		{"none promised", with(func(a *Answer) { a.Issuer = "" }), Expectation{State: "s", Issuer: "i"}, ""},
		{"another issuer", with(func(a *Answer) { a.Issuer = "I"; a.Error = "access_denied" }), want, "iss"},
		{"none known", &good, Expectation{State: "s", HasIssuer: true}, ""},
		{"an error", with(func(a *Answer) { a.Error = "access_denied" }), want, "error"},
		{"no code", with(func(a *Answer) { a.Code = "" }), want, "code"},
	} {
		fault := tc.e.Check(tc.a)
		if tc.parameter == "" {
			assert.Nil(t, fault, tc.name)
		} else if assert.NotNil(t, fault, tc.name) {
			assert.Equal(t, tc.parameter, fault.Parameter, tc.name)
		}
	}
	assert.Equal(t, "the identity provider answers with the error server_error", want.Check(with(func(a *Answer) { a.Error = "SECRET" })).Message)
	assert.Equal(t, "access_denied", Code("access_denied"))
	assert.Empty(t, Code(""))
}
