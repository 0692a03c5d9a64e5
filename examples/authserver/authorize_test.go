package main

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// What the strict parser refuses goes to the application, if there is one.
func TestAuthorize(t *testing.T) {
	s := newStack(t)
	good := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"a"},
	}.Encode()
	notS256 := s.app + "/callback?error=invalid_request&error_description=parameter+code_challenge_method+is+not+S256&"
	badMaxAge := s.app + "/callback?error=invalid_request&error_description=parameter+max_age+is+not+a+number+of+seconds&"
	for _, test := range []struct{ name, query, next, page string }{
		{"doubled parameter", good + "&login_hint=a&login_hint=b", s.app + "/callback?error=invalid_request&error_description=parameter+login_hint+is+given+more+than+once&", ""},
		{"raw semicolon", good + "&prompt=a;b", "", "malformed"}, // net/http refuses the whole query
		{"control character", good + "&prompt=%00", s.app + "/callback?error=invalid_request&error_description=parameter+prompt", ""},
		{"doubled state is not sent back", good + "&state=b", s.app + "/callback?error=invalid_request&error_description=parameter+state+is+given+more+than+once", ""},
		{"redirect URI of another", strings.Replace(good, "callback", "elsewhere", 1) + "&prompt=a&prompt=b", "", "not registered"},
		{"unknown client", strings.Replace(good, "sample-app", "planted", 1) + "&prompt=a&prompt=b", "", "not registered"},
		{"redirect URI of another, for op", strings.Replace(good, "callback", "elsewhere", 1), "", "not registered"},
		{"code challenge method plain", good + "&code_challenge=x&code_challenge_method=plain", notS256, ""},
		{"code challenge method of nobody's", good + "&code_challenge=x&code_challenge_method=planted", notS256, ""},
		{"code challenge method in another case", good + "&code_challenge=x&code_challenge_method=s256", notS256, ""},
		{"no code challenge method, which means plain", good + "&code_challenge=x", notS256, ""},
		{"code challenge method alone", good + "&code_challenge_method=plain", notS256, ""},
		{"response mode of nobody's", good + "&response_mode=planted", s.app + "/callback?error=invalid_request&error_description=parameter+response_mode+is+none+of+query+fragment+form_post&", ""},
		{"max_age is no number", good + "&max_age=planted", badMaxAge, ""},
		{"max_age below zero", good + "&max_age=-1", badMaxAge, ""},
		{"max_age beyond all numbers", good + "&max_age=99999999999999999999", badMaxAge, ""},
		{"max_age of nobody we know", strings.Replace(good, "sample-app", "planted", 1) + "&max_age=-1", "", "not registered"},
		{"in the fragment, if that is where answers go", good + "&response_mode=fragment&prompt=a&prompt=b", s.app + "/callback#error=invalid_request", ""},
		{"request object", good + "&request=e30.e30.", s.app + "/callback?error=", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := s.visitor().get(s.issuer + "/authorize?" + test.query)
			if test.next == "" {
				assert.Empty(t, r.next)
				assert.Equal(t, http.StatusBadRequest, r.status)
				assert.Contains(t, r.body, test.page)
			} else {
				assert.True(t, strings.HasPrefix(r.next, test.next), r.next)
				assert.Equal(t, !strings.Contains(test.query, "state=b"), strings.Contains(r.next, "state=a"), "only one state is sent back")
			}
		})
	}
	assert.NotContains(t, s.logs.String(), "planted")
}

// A parameter without a value is as if absent (RFC 6749 section 3.1), to op too.
func TestAuthorize_Empty(t *testing.T) {
	s := newStack(t)
	form := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid"}, "connection": {"corporate"},
	}
	for _, name := range []string{"max_age", "prompt", "acr_values", "id_token_hint", "request", "response_mode", "nonce"} {
		form.Set(name, "")
	}
	for method, r := range map[string]reply{
		"GET":  s.visitor().get(s.issuer + "/authorize?" + form.Encode()),
		"POST": s.visitor().post(s.issuer+"/authorize", form),
	} {
		assert.Contains(t, r.next, s.idp, method)
	}
	form.Set("scope", "")
	r := s.visitor().get(s.issuer + "/authorize?" + form.Encode())
	assert.Contains(t, r.next, s.app+"/callback?error=invalid_request", "a scope is required")
}

// A POST has its parameters in the body. What stands in its query too must not
// reach the provider past the strict parser.
func TestAuthorize_PostQuery(t *testing.T) {
	s := newStack(t)
	form := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid"}, "connection": {"corporate"},
	}
	v := s.visitor()
	r := v.post(s.issuer+"/authorize?nonce=from-the-query&state=from-the-query&login_hint=from-the-query", form)
	require.Contains(t, r.next, s.idp, r.body)
	assert.NotContains(t, r.next, "from-the-query")
	toApp, err := url.Parse(v.get(v.logIn(r.next)).next)
	require.NoError(t, err)
	assert.Equal(t, s.app+"/callback", toApp.Scheme+"://"+toApp.Host+toApp.Path)
	assert.False(t, toApp.Query().Has("state"))
	form.Set("state", strings.Repeat("x", maxForm))
	r = v.post(s.issuer+"/authorize", form)
	assert.Equal(t, http.StatusBadRequest, r.status)
	assert.Contains(t, r.body, "malformed")
	form.Set("state", strings.Repeat("x", 4000))
	r = s.visitor().post(s.issuer+"/authorize", form)
	assert.Contains(t, r.next, "error=invalid_request&error_description=the+request+is+too+long", "no cookie holds it")
}

// op matches names whatever their case, this library exactly: a request with
// both spellings, or the other one alone, must not be two requests.
func TestAuthorize_Lookalikes(t *testing.T) {
	s := newStack(t)
	good := url.Values{
		"client_id": {"sample-app"}, "redirect_uri": {s.app + "/callback"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"a"},
	}
	refused := func(parameter string) string {
		return s.app + "/callback?error=invalid_request&error_description=parameter+" + parameter + "+is+spelled+otherwise%2C+and+names+are+case-sensitive&"
	}
	for _, test := range []struct{ name, extra, next string }{
		{"instead of the name", "PROMPT=none", refused("prompt")},
		{"beside the name", "prompt=login&Prompt=none", refused("prompt")},
		{"the client", "CLIENT_ID=another", refused("client_id")},
		{"the redirect URI", "Redirect_Uri=https://attacker.example/", refused("redirect_uri")},
		{"the state", "STATE=another", refused("state")},
		{"beyond ASCII: a long s", "%C5%BFtate=another", refused("state")},
		{"beyond ASCII: the Kelvin sign", "id_to%E2%84%AAen_hint=x", refused("id_token_hint")},
		{"escaped", "%50rompt=none", refused("prompt")},
		{"what only op reads", "Request=e30.e30.", refused("request")},
		{"what only this library reads", "Connection=corporate", refused("connection")},
		{"without a value", "PROMPT=", refused("prompt")},
		{"nobody's parameter", "Tracking=1&prompts=2&Prompt.x=3", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			form, err := url.ParseQuery(good.Encode() + "&" + test.extra)
			require.NoError(t, err)
			for method, r := range map[string]reply{
				"GET":  s.visitor().get(s.issuer + "/authorize?" + good.Encode() + "&" + test.extra),
				"POST": s.visitor().post(s.issuer+"/authorize", form),
			} {
				assert.True(t, strings.HasPrefix(r.next, test.next), "%s: %d %s %s", method, r.status, r.next, r.body)
				assert.Equal(t, test.next == "", strings.Contains(r.body, "Continue with Example Corporation"), method)
			}
		})
	}
	assert.Contains(t, s.logs.String(), `outcome="malformed request" parameter=prompt`)
	assert.NotContains(t, s.logs.String(), "PROMPT")
	form := url.Values{"client_id": {"sample-app"}, "redirect_uri": {"https://attacker.example/"}, "REDIRECT_URI": {s.app + "/callback"}}
	r := s.visitor().get(s.issuer + "/authorize?" + form.Encode())
	assert.Empty(t, r.next, "a refusal goes to no other address than the exact names give")
	assert.Equal(t, http.StatusBadRequest, r.status)
}

// An answer goes where the application has asked for it.
func TestAuthorize_ResponseModes(t *testing.T) {
	s := newStack(t)
	for mode, want := range map[string]string{"": "?code=", "query": "?code=", "fragment": "#code=", "form_post": ""} {
		v := s.visitor()
		request := v.follow(s.app+"/login?connection=corporate", s.issuer+"/authorize").next
		r := v.get(v.logIn(v.follow(with(t, request, map[string]string{"response_mode": mode}), s.idp).next))
		if want == "" {
			assert.Contains(t, r.body, `action="`+s.app+`/callback"`)
			assert.Contains(t, r.body, `name="code"`)
		} else {
			assert.Contains(t, r.next, s.app+"/callback"+want, mode)
			assert.Contains(t, r.next, "iss="+url.QueryEscape(s.issuer), mode)
		}
	}
}

// The list of names has all that this library and op read: a form with them
// fills every field of both. A release that reads one more fails here.
func TestAuthorizeNames(t *testing.T) {
	form := url.Values{}
	for _, name := range authorizeNames {
		form.Set(name, "1")
	}
	form.Set("display", "page") // op keeps no other values
	form.Set("ui_locales", "en")
	own, err := upstream.ParseAuthorizeValues(form)
	require.NoError(t, err)
	var theirs oidc.AuthRequest
	require.NoError(t, newStack(t).replicas[0].provider.Decoder().Decode(&theirs, form))
	for _, request := range []any{*own, theirs} {
		v := reflect.ValueOf(request)
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			assert.False(t, v.Field(i).IsZero(), "%s.%s", v.Type(), v.Type().Field(i).Name)
		}
	}
}
