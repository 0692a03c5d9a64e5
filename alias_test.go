package upstream_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// aliases are what an entry of upstream_params may take by alias.
var aliases = []string{
	"acr_values", "audience", "client_id", "display", "id_token_hint", "login_hint", "max_age", "prompt", "resource",
	"response_mode", "response_type", "ui_locales",
}

// recognised are all parameters, each with the field that it goes to.
var recognised = map[string]string{
	"acr_values": "ACRValues", "audience": "Audience", "client_id": "ClientID", "display": "Display", "id_token_hint": "IDTokenHint",
	"login_hint": "LoginHint", "max_age": "MaxAge", "prompt": "Prompt", "resource": "Resource", "response_mode": "ResponseMode",
	"response_type": "ResponseType", "ui_locales": "UILocales",
	"access_type": "AccessType", "approval_prompt": "ApprovalPrompt", "force_login": "ForceLogin", "hd": "HD",
	"include_granted_scopes": "IncludeGrantedScopes", "wauth": "WAuth", "whr": "WHR",
	"connection_scope": "ConnectionScope", "code_challenge": "CodeChallenge", "code_challenge_method": "CodeChallengeMethod",
	"connection": "Connection", "invitation": "Invitation", "nonce": "Nonce", "organization": "Organization",
	"redirect_uri": "RedirectURI", "request": "Request", "request_uri": "RequestURI", "scope": "Scope", "screen_hint": "ScreenHint", "state": "State",
}

// fields gives the non-empty fields of a request by name.
func fields(req *upstream.AuthorizeRequest) map[string]any {
	out := map[string]any{}
	v := reflect.ValueOf(*req)
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() && !v.Field(i).IsZero() {
			out[v.Type().Field(i).Name] = v.Field(i).Interface()
			if secret, ok := v.Field(i).Interface().(upstream.Secret); ok {
				out[v.Type().Field(i).Name] = secret.Reveal()
			}
		}
	}
	return out
}

func TestR1EveryParameterHasItsField(t *testing.T) {
	exported := 0
	for _, field := range reflect.VisibleFields(reflect.TypeFor[upstream.AuthorizeRequest]()) {
		if field.IsExported() {
			exported++
		}
	}
	assert.Len(t, recognised, exported)
	for name, field := range recognised {
		var want any = "v/ 1"
		if name == "resource" {
			want = []string{"v/ 1"}
		}
		escaped := ""
		for _, b := range []byte(name) {
			escaped += fmt.Sprintf("%%%02x", b)
		}
		for _, query := range []string{name + "=v%2F+1", name + "=v/%201", escaped + "=v/+1", "x=1&&" + name + "=v/+1&y"} {
			req, err := upstream.ParseAuthorizeQuery(query)
			require.NoError(t, err, query)
			assert.Equal(t, map[string]any{field: want}, fields(req), query)
		}
		req, err := upstream.ParseAuthorizeValues(url.Values{name: {"v/ 1"}, "x": {"\x00", "2"}})
		require.NoError(t, err)
		assert.Equal(t, map[string]any{field: want}, fields(req), name)
	}
}

func TestR1FromHTTPRequest(t *testing.T) {
	get := httptest.NewRequest("GET", "/authorize?login_hint=a%40b.c&prompt=login", nil)
	head := httptest.NewRequest("HEAD", "/authorize?login_hint=a%40b.c&prompt=login", nil)
	post := httptest.NewRequest("POST", "/authorize?display=ignored", strings.NewReader("login_hint=a%40b.c&prompt=login"))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	parsed := httptest.NewRequest("POST", "/authorize?display=ignored", strings.NewReader("login_hint=a%40b.c&prompt=login"))
	parsed.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.NoError(t, parsed.ParseForm())
	for name, r := range map[string]*http.Request{"GET": get, "HEAD": head, "POST": post, "POST, form parsed": parsed} {
		req, err := upstream.ParseAuthorizeRequest(r)
		require.NoError(t, err, name)
		assert.Equal(t, map[string]any{"LoginHint": "a@b.c", "Prompt": "login"}, fields(req), name)
	}
	for name, r := range map[string]*http.Request{"client request": {}, "no body": {Method: "POST", Header: post.Header}, "no query": httptest.NewRequest("GET", "/authorize", nil)} {
		req, err := upstream.ParseAuthorizeRequest(r)
		require.NoError(t, err, name)
		assert.Empty(t, fields(req), name)
	}
}

func TestR1RefusedHTTPRequest(t *testing.T) {
	post := func(kind, body string) *http.Request {
		r := httptest.NewRequest("POST", "/authorize", strings.NewReader(body))
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		return r
	}
	const form = "application/x-www-form-urlencoded"
	broken := httptest.NewRequest("POST", "/authorize", iotest.ErrReader(errors.New("reset")))
	broken.Header.Set("Content-Type", form)
	parsed := func(r *http.Request) *http.Request {
		require.NoError(t, r.ParseForm())
		return r
	}
	for name, tc := range map[string]struct {
		request            *http.Request
		parameter, message string
	}{
		"nil":                {nil, "", "no request"},
		"PUT":                {httptest.NewRequest("PUT", "/authorize", nil), "", "neither GET nor POST"},
		"JSON":               {post("application/json", "{}"), "", "x-www-form-urlencoded"},
		"no type":            {post("", "a=b"), "", "x-www-form-urlencoded"},
		"long body":          {post(form, strings.Repeat("a", 64<<10+1)), "", "64 KiB"},
		"broken body":        {broken, "", "cannot be read"},
		"bad body":           {post(form, "login_hint=%"), "login_hint", "percent-encoding"},
		"parsed form, twice": {parsed(post(form, "prompt=a&prompt=b")), "prompt", "more than once"},
		"parsed form, long":  {parsed(post(form, "prompt=a&login_hint="+strings.Repeat("a", 64<<10))), "", "64 KiB"},
		"parsed, but JSON":   {parsed(post("application/json", `{"login_hint": "a"}`)), "", "x-www-form-urlencoded"},
		"bad query":          {httptest.NewRequest("GET", "/authorize?login_hint=%00", nil), "login_hint", "control"},
	} {
		req, err := upstream.ParseAuthorizeRequest(tc.request)
		assert.Nil(t, req, name)
		var bad *upstream.RequestError
		require.ErrorAs(t, err, &bad, name)
		assert.Equal(t, tc.parameter, bad.Parameter, name)
		assert.Contains(t, err.Error(), tc.message, name)
	}
	_, err := upstream.ParseAuthorizeRequest(post(form, "x="+strings.Repeat("a", 64<<10-2)))
	assert.NoError(t, err, "64 KiB is fine")
	_, err = upstream.ParseAuthorizeValues(url.Values{"prompt": {strings.Repeat("a", 60<<10)}, "login_hint": {strings.Repeat("a", 4<<10)}})
	assert.NoError(t, err, "64 KiB is fine")
	_, err = upstream.ParseAuthorizeQuery("x=" + strings.Repeat("a", 32<<10-2))
	assert.NoError(t, err, "32 KiB is fine")
}

func TestR2R3Malformed(t *testing.T) {
	for _, tc := range []struct{ query, parameter, message string }{
		{"login_hint=%zz", "login_hint", "bad percent-encoding"},
		{"login_hint=%4", "login_hint", "bad percent-encoding"},
		{"login_hint=a;b", "login_hint", "semicolon"},
		{"login_hint=a;prompt=b", "login_hint", "semicolon"},
		{"login_hint=%FF", "login_hint", "UTF-8"},
		{"login_hint=%C3", "login_hint", "UTF-8"},
		{"login_hint=\xff", "login_hint", "UTF-8"},
		{"login_hint=%ED%A0%80", "login_hint", "UTF-8"},
		{"login_hint=%0A", "login_hint", "control"},
		{"login_hint=\n", "login_hint", "control"},
		{"login_hint=%7f", "login_hint", "control"},
		{"%6cogin_hint=%00", "login_hint", "control"},
		{"resource=a&resource=%00", "resource", "control"},
		{"prompt=a&prompt=a", "prompt", "more than once"},
		{"prompt=&prompt=a", "prompt", "more than once"},
		{"prompt&prompt", "prompt", "more than once"},
		{"prompt=a&%70rompt=b", "prompt", "more than once"},
		{"state=a&state=b", "state", "more than once"},
		{"x=%zz&max_age=1;&prompt=%zz", "max_age", "semicolon"},
		{"prompt=a&prompt=%zz&login_hint=%zz", "prompt", "more than once"},
		{"login_hint=" + strings.Repeat("a", 32<<10), "", "32 KiB"},
	} {
		req, err := upstream.ParseAuthorizeQuery(tc.query)
		assert.Nil(t, req)
		var bad *upstream.RequestError
		require.ErrorAs(t, err, &bad, tc.query)
		assert.Equal(t, "invalid_request", bad.Code)
		assert.Equal(t, tc.parameter, bad.Parameter, tc.query)
		assert.Contains(t, bad.Description, tc.message, tc.query)
		assert.Equal(t, "upstream: invalid_request: "+bad.Description, err.Error())
		assert.NotContains(t, bad.Description, `"`)
		assert.NotContains(t, bad.Description, `\`)
	}
	for form, parameter := range map[*url.Values]string{
		{"prompt": {"a", "a"}, "state": {"\x00"}}:    "prompt",
		{"prompt": {"a\x7f"}}:                        "prompt",
		{"state": {"\xff"}, "max_age": {"1", ""}}:    "max_age",
		{"resource": {"a", "\n"}, "x": {"\xff"}}:     "resource",
		{"redirect_uri": {"https://a", "https://b"}}: "redirect_uri",
	} {
		_, err := upstream.ParseAuthorizeValues(*form)
		var bad *upstream.RequestError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, parameter, bad.Parameter)
	}
}

func TestR2Ignored(t *testing.T) {
	for _, query := range []string{
		"", "&", "&&=&=x", "%zz=1", "%6=1", "foo=%zz&foo=%00;", "login_hint;x=1", "LOGIN_HINT=a", "login_hint%00=a", "login+hint=a",
		"x%5Flogin_hint=a", strings.Repeat("%61", 23) + "=a", strings.Repeat("a", 5000) + "=a", "prompt=", "prompt", "resource=&resource=",
	} {
		req, err := upstream.ParseAuthorizeQuery(query)
		require.NoError(t, err, query)
		assert.Empty(t, fields(req), query)
	}
}

func TestR3ResourceKeepsItsOrder(t *testing.T) {
	want := []string{"https://b/", "https://a/", "https://b/"}
	req, err := upstream.ParseAuthorizeQuery("resource=https%3A%2F%2Fb%2F&resource=https://a/&resource=&resource=https://b/")
	require.NoError(t, err)
	assert.Equal(t, want, req.Resource)
	req, err = upstream.ParseAuthorizeValues(url.Values{"resource": {"https://b/", "https://a/", "", "https://b/"}})
	require.NoError(t, err)
	assert.Equal(t, want, req.Resource)
}

func TestR6RedirectURILosesItsFragment(t *testing.T) {
	for _, query := range []string{"redirect_uri=https://app/cb%23frag", "redirect_uri=https%3A%2F%2Fapp%2Fcb%23", "redirect_uri=https://app/cb#frag#x"} {
		req, err := upstream.ParseAuthorizeQuery(query)
		require.NoError(t, err)
		assert.Equal(t, "https://app/cb", req.RedirectURI, query)
	}
}

// Requests as real clients send them; all but two are fine.
func TestRCapturedRequests(t *testing.T) {
	data, err := os.ReadFile("testdata/authorize-requests.tsv")
	require.NoError(t, err)
	refused := map[string]string{
		"27": "login_hint", // the browser encoded a Latin-1 page
		"29": "state",      // semicolons typed into the address bar
	}
	seen := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.GreaterOrEqual(t, len(cols), 5, line)
		seen++
		t.Run(cols[0]+" "+cols[1], func(t *testing.T) {
			u, err := url.ParseRequestURI(cols[4])
			require.NoError(t, err)
			r := &http.Request{Method: cols[3], URL: u}
			req, err := upstream.ParseAuthorizeRequest(r)
			if refused[cols[0]] != "" {
				var bad *upstream.RequestError
				require.ErrorAs(t, err, &bad)
				assert.Equal(t, refused[cols[0]], bad.Parameter)
				return
			}
			require.NoError(t, err)
			agreesWithNetURL(t, u.RawQuery, req)
		})
	}
	assert.Equal(t, 20, seen)
}

// agreesWithNetURL holds a parsed request against url.ParseQuery's reading.
func agreesWithNetURL(t testing.TB, query string, req *upstream.AuthorizeRequest) {
	t.Helper()
	values, _ := url.ParseQuery(query) // it drops what it cannot read, and no recognised parameter is that
	got := fields(req)
	for name, field := range recognised {
		var want any
		switch v := values[name]; {
		case name == "resource":
			var nonEmpty []string
			for _, s := range v {
				if s != "" {
					nonEmpty = append(nonEmpty, s)
				}
			}
			if nonEmpty != nil {
				want = nonEmpty
			}
		case name == "redirect_uri":
			if s, _, _ := strings.Cut(values.Get(name), "#"); s != "" {
				want = s
			}
		case values.Get(name) != "":
			want = values.Get(name)
		}
		assert.Equal(t, want, got[field], name)
	}
}
