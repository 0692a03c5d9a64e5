package main

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ask sends an operator's form.
func (v *visitor) ask(connection, pasted string) reply {
	return v.post(v.operator+"/connections/"+connection+"/explain", url.Values{"request": {pasted}})
}

// section gives the text of the element with an id, "" if there is none.
func section(body, id string) string {
	_, rest, found := strings.Cut(body, `id="`+id+`"`)
	if !found {
		return ""
	}
	rest, _, _ = strings.Cut(rest[strings.Index(rest, ">")+1:], "\n</")
	tags := regexp.MustCompile(`<[^>]*>`)
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(rest, " "))), " ")
}

// shownURL gives the upstream URL as somebody would copy it.
func shownURL(body string) string {
	_, rest, _ := strings.Cut(body, `id="target">`)
	rest, _, _ = strings.Cut(rest, "</p>")
	return html.UnescapeString(strings.ReplaceAll(rest, "<wbr>", ""))
}

func TestExplain(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	const request = "https://auth.example.com/authorize?client_id=sample-app&connection=corporate&login_hint=ann%40example.com&prompt=none+select_account&max_age=5&state=x#f"
	page := v.ask("corporate", "  "+request+"\n")
	require.Equal(t, http.StatusOK, page.status)
	u, err := url.Parse(shownURL(page.body))
	require.NoError(t, err)
	assert.Equal(t, s.idp, u.Scheme+"://"+u.Host)
	assert.Equal(t, "ann@example.com", u.Query().Get("login_hint"))
	assert.Equal(t, "none", u.Query().Get("prompt"))
	assert.Equal(t, s.issuer+"/login/callback/corporate", u.Query().Get("redirect_uri"))
	assert.Equal(t, "S256", u.Query().Get("code_challenge_method"))
	table := section(page.body, "explanation")
	assert.Contains(t, table, "Parameter Value Sent Layer From Reason")
	assert.Contains(t, table, "acr_values no upstream_params acr_values upstream_params: the request has no acr_values")
	assert.Contains(t, table, "login_hint ann@example.com yes upstream_params login_hint")
	assert.Contains(t, page.body, "not mapped by this connection: <code>max_age</code>")
	assert.Empty(t, section(page.body, "problems"))
	assert.Empty(t, section(page.body, "sentence"))
	assert.Contains(t, html.UnescapeString(page.body), ">"+request+"<", "the form keeps what was pasted")

	policy := page.header.Get("Content-Security-Policy")
	assert.Equal(t, "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", policy)
	assert.Equal(t, "no-store", page.header.Get("Cache-Control"))
	assert.Equal(t, "text/css; charset=utf-8", v.get(s.operator+"/style.css").header.Get("Content-Type"))
}

func TestExplain_Refused(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	for _, test := range []struct{ name, connection, pasted, id, text string }{
		{"doubled", "corporate", "?client_id=sample-app&prompt=a&prompt=b", "refused", "parameter prompt is given more than once"},
		{"query alone", "corporate", "client_id=sample-app&prompt=%zz", "refused", "parameter prompt"},
		{"another spelling", "corporate", "client_id=sample-app&PROMPT=none", "refused", "parameter prompt is spelled otherwise"},
		{"no number", "corporate", "client_id=sample-app&max_age=abc", "refused", "parameter max_age"},
		{"other client", "corporate", "client_id=another", "sentence", "not enabled for the client"},
		{"no client", "corporate", "prompt=login", "sentence", "names no client_id"},
		{"other connection", "corporate", "client_id=sample-app&connection=partner", "sentence", "asks for another connection"},
	} {
		page := v.ask(test.connection, test.pasted)
		assert.Contains(t, section(page.body, test.id), test.text, test.name)
	}
	assert.Equal(t, http.StatusNotFound, v.ask("nowhere", "a=b").status)
	assert.Equal(t, http.StatusBadRequest, v.ask("corporate", strings.Repeat("a", maxPaste)).status)
}

func TestExplain_Problems(t *testing.T) {
	s := newStack(t)
	s.edit("corporate.json", `"prompt": {"alias": "prompt", "allow": ["login", "consent", "none"]},`, `"prompt": "login", "a/b": {"alias": "loginhint"},`)
	v := s.visitor()
	page := v.ask("corporate", "client_id=sample-app&prompt=login")
	problems := section(page.body, "problems")
	assert.Contains(t, problems, `/options/upstream_params/prompt must be an object; write {"value": "..."}`)
	assert.Contains(t, problems, "/options/upstream_params/a~1b/alias is not one of")
	assert.Contains(t, problems, "goes on serving, and is what this page explains")
	assert.Contains(t, section(page.body, "explanation"), "prompt login yes")

	s.write("fresh.json", `{"name": "fresh", "strategy": "oauth2", "options": {}}`)
	s.reload()
	problems = section(v.get(s.operator+"/connections/fresh/explain").body, "problems")
	assert.Contains(t, problems, "/options/client_id is missing")
	assert.Contains(t, problems, "/options/tokenURL is missing")
	assert.Contains(t, problems, "nobody can log in with it")

	list := v.follow(s.operator + "/").body
	assert.Contains(t, list, `<span class="no">broken</span>, last good version serves`)
	assert.Contains(t, list, `<span class="no">broken</span>, does not serve`)
	assert.Contains(t, list, `<span class="yes">serves</span>`)
}

// What is pasted comes back as text, and a token in it not at all but in the form.
func TestExplain_Values(t *testing.T) {
	s := newStack(t)
	s.edit("corporate.json", `"display": {"value": "page"}`, `"display": {"value": "page"}, "id_token_hint": {"alias": "id_token_hint"}`)
	v := s.visitor()
	page := v.ask("corporate", "client_id=sample-app&login_hint=<script>alert(1)</script>&id_token_hint=planted-token")
	assert.NotContains(t, page.body, "<script>")
	assert.NotContains(t, shownURL(page.body)+section(page.body, "explanation"), "planted-token")
	assert.Contains(t, shownURL(page.body), "id_token_hint=%5Bredacted%5D")
	// Nothing of it is taken from an address, where logs and histories have it.
	page = v.get(s.operator + "/connections/corporate/explain?request=client_id%3Dplanted")
	assert.NotContains(t, page.body, "planted")
}

// The operator's pages are not the users', and answer to one name only.
func TestOperator(t *testing.T) {
	s := newStack(t)
	v := s.visitor()
	assert.Equal(t, http.StatusNotFound, v.get(s.issuer+"/connections/corporate/explain").status)
	rebound := strings.Replace(s.operator, "127.0.0.1", "localhost", 1)
	assert.Equal(t, http.StatusMisdirectedRequest, v.get(rebound+"/connections").status)

	r, err := http.NewRequest(http.MethodPost, s.operator+"/connections/corporate/explain", strings.NewReader("request=a"))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://elsewhere.example")
	assert.Equal(t, http.StatusForbidden, v.do(r).status)
}
