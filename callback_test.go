package upstream_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
)

func answered(query string) *http.Request { return httptest.NewRequest("GET", "/callback?"+query, nil) }

func posted(form string) *http.Request {
	r := httptest.NewRequest("POST", "/callback?state=other", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func parsed(form string) *http.Request {
	r := posted(form)
	_ = r.ParseForm()
	return r
}

func TestR2R3Callback(t *testing.T) {
	for name, request := range map[string]func(string) *http.Request{"query": answered, "form": posted, "parsed form": parsed} {
		t.Run(name, func(t *testing.T) {
			cb, err := upstream.ParseCallback(request("code=a%2Bb+c&state=s%3D1&iss=https%3A%2F%2Fidp.example.com&session_state=x&session_state=y&Code=Z&%zz=1"))
			if name == "parsed form" { // net/url gives up the whole of it at %zz
				cb, err = upstream.ParseCallback(request("code=a%2Bb+c&state=s%3D1&iss=https%3A%2F%2Fidp.example.com&session_state=x&session_state=y&Code=Z"))
			}
			require.NoError(t, err)
			assert.Equal(t, "a+b c", cb.Code.Reveal())
			assert.Equal(t, "s=1", cb.State.Reveal())
			assert.Equal(t, "https://idp.example.com", cb.Issuer)
			assert.Empty(t, cb.Error)

			cb, err = upstream.ParseCallback(request("error=login_required&error_description=AADSTS1%0D%0ATrace&state=s&user=%7B%22name%22%3A%0A%7B%7D%7D"))
			require.NoError(t, err)
			assert.Equal(t, "login_required", cb.Error)
			assert.Equal(t, "AADSTS1\r\nTrace", cb.Description.Reveal())
			assert.Equal(t, "{\"name\":\n{}}", cb.User.Reveal())
			cb, err = upstream.ParseCallback(request("error=SECRET&error_description=told&state=s"))
			require.NoError(t, err)
			assert.Equal(t, "server_error", cb.Error)
			assert.Equal(t, "SECRET told", cb.Description.Reveal())
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", cb, *cb, cb), "SECRET")

			for query, parameter := range map[string]string{
				"code=a&code=b&state=s": "code", "code=a&state=s&state=s": "state", "code=a&%63ode=a&state=s": "code",
				"iss=a&iss=a": "iss", "error=a&error=": "error", "user=a&user=b": "user", "error_description=&error_description=": "error_description",
				"code=%00": "code", "state=a%0Ab": "state", "code=a&error=b": "error", "iss=%ff": "iss",
			} {
				_, err := upstream.ParseCallback(request(query))
				var failure *upstream.CallbackError
				require.ErrorAs(t, err, &failure, query)
				assert.Equal(t, parameter, failure.Parameter, query)
				assert.Empty(t, failure.Code)
			}
			for _, query := range []string{"code=%zz", "code=a;state=s"} {
				if name != "parsed form" {
					_, err := upstream.ParseCallback(request(query))
					require.ErrorContains(t, err, "upstream: callback: code has a ")
				}
			}
		})
	}
	// A form's query is not looked at.
	cb, err := upstream.ParseCallback(posted("code=a"))
	require.NoError(t, err)
	assert.True(t, cb.State.IsZero())
}

func TestR1CallbackBounds(t *testing.T) {
	text := posted("code=a")
	text.Header.Set("Content-Type", "text/plain")
	for want, r := range map[string]*http.Request{
		"there is no request":                  nil,
		"the method is neither GET nor POST":   httptest.NewRequest("HEAD", "/callback?code=a&state=s", nil),
		"the query is longer than 32 KiB":      answered("x=" + strings.Repeat("a", 32<<10-1)),
		"the body is longer than 64 KiB":       posted("x=" + strings.Repeat("a", 64<<10-1)),
		"code is longer than 64 KiB":           {Method: "POST", Header: posted("").Header, PostForm: url.Values{"code": {strings.Repeat("a", 64<<10+1)}}},
		"must be application/x-www-form-urlen": text,
	} {
		_, err := upstream.ParseCallback(r)
		require.ErrorContains(t, err, "upstream: callback: ")
		require.ErrorContains(t, err, want)
	}
	for _, r := range []*http.Request{answered("x=" + strings.Repeat("a", 32<<10-2)), posted("x=" + strings.Repeat("a", 64<<10-2)), {}, {Method: "POST", Header: posted("").Header}} {
		_, err := upstream.ParseCallback(r)
		require.NoError(t, err)
	}
}

// The order of rule L1: state, issuer, error, code.
func TestL1CheckCallback(t *testing.T) {
	known := provider(t, `{"name":"acme","strategy":"oidc","options":{"client_id":"c","oidc_metadata":{"issuer":"https://idp.example.com",
		"authorization_endpoint":"https://idp.example.com/a","token_endpoint":"https://idp.example.com/t"}}}`)
	promised := provider(t, `{"name":"acme","strategy":"oidc","options":{"client_id":"c","issuer":"https://idp.example.com","oidc_metadata":{
		"authorization_response_iss_parameter_supported":true,"issuer":"https://other.example.com",
		"authorization_endpoint":"https://idp.example.com/a","token_endpoint":"https://idp.example.com/t"}}}`)
	unknown := provider(t, customConnection)
	const right, wrong = "&iss=https%3A%2F%2Fidp.example.com", "&iss=https%3A%2F%2Fevil.test"
	for _, c := range []struct {
		p           *upstream.Provider
		query       string
		at, code    string
		description string
	}{
		{known, "code=a&state=S", "", "", ""},
		{known, "code=a&state=S" + right, "", "", ""},
		{unknown, "code=a&state=S" + wrong, "", "", ""}, // nothing to hold it against
		{promised, "code=a&state=S" + right, "", "", ""},
		{known, "code=a", "state", "", ""},
		{known, "code=a&state=", "state", "", ""},
		{known, "error=access_denied&state=s" + wrong, "state", "", ""},
		{known, "code=a&state=S" + wrong, "iss", "", ""},
		{known, "code=a&state=S" + right + "%2F", "iss", "", ""},
		{promised, "code=a&state=S", "iss", "", ""},
		{promised, "error=access_denied&state=S", "iss", "", ""},
		{known, "error=access_denied&state=S&error_description=D" + wrong, "iss", "", ""},
		{known, "error=access_denied&state=S&error_description=D", "error", "access_denied", "D"},
		{known, "error=user_is_SECRET&state=S", "error", "server_error", "user_is_SECRET"},
		{known, "state=S", "code", "", ""},
	} {
		cb, err := c.p.ParseCallback(answered(c.query), upstream.Transaction{State: upstream.NewSecret("S")})
		if c.at == "" {
			require.NoError(t, err, c.query)
			assert.Equal(t, "a", cb.Code.Reveal())
			continue
		}
		assert.Nil(t, cb)
		var failure *upstream.CallbackError
		require.ErrorAs(t, err, &failure, c.query)
		assert.Equal(t, []string{c.at, c.code, c.description}, []string{failure.Parameter, failure.Code, failure.Description.Reveal()}, c.query)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, *failure, failure), "SECRET")
	}
	// A login without a state matches nothing, and neither does a Callback made by hand.
	_, err := known.ParseCallback(answered("code=a&state="), upstream.Transaction{})
	require.ErrorContains(t, err, "state is missing")
	err = known.CheckCallback(&upstream.Callback{State: upstream.NewSecret("S"), Error: "SECRET"}, upstream.Transaction{State: upstream.NewSecret("S")})
	require.EqualError(t, err, "upstream: callback: the identity provider answers with the error server_error")
	oauth1 := provider(t, `{"strategy":"twitter","options":{"client_id":"c","client_secret":"s"}}`)
	for _, p := range []*upstream.Provider{nil, {}, oauth1} {
		require.ErrorContains(t, p.CheckCallback(&upstream.Callback{}, upstream.Transaction{}), "there is no connection")
	}
}

func TestAccessors(t *testing.T) {
	p := provider(t, `{"name":"acme","strategy":"oidc","options":{"client_id":"c","issuer":"https://idp.example.com","pkce_enabled":true,
		"authorization_endpoint":"https://idp.example.com/a","token_endpoint":"https://idp.example.com/t","userinfo_endpoint":"https://idp.example.com/u"}}`)
	assert.Equal(t, []any{"acme", "oidc", "c", "https://idp.example.com", true, true, true},
		[]any{p.Name(), p.Strategy(), p.ClientID(), p.Issuer(), p.OpenIDConnect(), p.RequiresPKCE(), p.HasProfile()})
	for _, p := range []*upstream.Provider{nil, {}} {
		assert.Equal(t, []any{"", "", "", "", false, false, false},
			[]any{p.Name(), p.Strategy(), p.ClientID(), p.Issuer(), p.OpenIDConnect(), p.RequiresPKCE(), p.HasProfile()})
	}
	custom := provider(t, customConnection)
	assert.False(t, custom.HasProfile())
	assert.False(t, custom.OpenIDConnect())
	assert.True(t, custom.WithProfileFetcher(nil, upstream.Userinfo{}.Fetch).HasProfile())
}

func TestU1ParseClaims(t *testing.T) {
	p := provider(t, customConnection)
	got, err := p.ParseClaims([]byte(`{"iss":"https://idp.example.com","aud":"c","exp":1,"iat":1,"nonce":"n","azp":"c","at_hash":"h","jti":"j",
		"sub":"248289761001","name":"Jane","email":"j@example.com","email_verified":true,"groups":["a"],"user_id":"x","app_metadata":{"a":1}}`))
	require.NoError(t, err)
	assert.Equal(t, "248289761001", got.UserID)
	assert.True(t, *got.EmailVerified)
	assert.Nil(t, got.AppMetadata)
	var names []string
	for name := range got.Extra {
		names = append(names, name)
	}
	assert.ElementsMatch(t, []string{"sub", "groups"}, names)
	require.NoError(t, got.CheckSubject("248289761001"))
	for _, claims := range []string{``, `[]`, `{}`, `{"sub":"a","sub":"b"}`, `{"\u017fub":"a"}`, `{"sub":1.5}`} {
		_, err := p.ParseClaims([]byte(claims))
		var failure *upstream.ProfileError
		require.ErrorAs(t, err, &failure, claims)
	}
}

// FuzzCallback: what is taken net/url reads alike, by query and by form.
func FuzzCallback(f *testing.F) {
	for _, seed := range []string{"code=a&state=S", "code=a&code=b&state=S", "error=login_required&state=S&error_description=%0D", "%63ode=a;&state=S", "code=%ff&state=S&iss=x"} {
		f.Add(seed)
	}
	p, err := upstream.NewProvider(&upstream.Connection{Name: "c", Strategy: "oauth2", Options: upstream.Options{
		ClientID: "c", AuthorizationURL: "https://idp.example.com/a", TokenURL: "https://idp.example.com/t", Issuer: "https://idp.example.com",
	}})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, query string) {
		tx := upstream.Transaction{State: upstream.NewSecret("S")}
		byQuery, err := p.ParseCallback(&http.Request{URL: &url.URL{RawQuery: query}}, tx)
		byForm, other := p.ParseCallback(posted(query), tx)
		if len(query) <= 32<<10 {
			assert.Equal(t, byQuery, byForm)
			assert.Equal(t, err, other)
		}
		if err != nil {
			var failure *upstream.CallbackError
			require.ErrorAs(t, err, &failure)
			return
		}
		values, _ := url.ParseQuery(query) // leaves out what it cannot read
		for name, value := range map[string]string{"code": byQuery.Code.Reveal(), "state": "S", "iss": byQuery.Issuer} {
			if value != "" {
				assert.Equal(t, []string{value}, values[name], query)
			}
		}
		assert.NotEmpty(t, byQuery.Code.Reveal())
		assert.Empty(t, values.Get("error"))
	})
}
