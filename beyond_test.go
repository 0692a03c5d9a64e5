package upstream_test

// Incoming parameters beyond the vendor's lists (rules B1 to B3).

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hinted = `"upstream_params": {"kc_idp_hint": {"from": "idphint", "allow": ["github", "corp saml"]}, "blog": {"value": "b", "unless": ["tenant"]}}`

// All ways of a request give the same value, and the same error.
func TestB1EveryWayIn(t *testing.T) {
	p := provider(t, custom(hinted))
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	ways := map[string]func(query string) (*upstream.AuthorizeRequest, error){
		"query": upstream.ParseAuthorizeQuery,
		"GET": func(query string) (*upstream.AuthorizeRequest, error) {
			return upstream.ParseAuthorizeRequest(httptest.NewRequest("GET", "/authorize?"+query, nil))
		},
		"POST": func(query string) (*upstream.AuthorizeRequest, error) {
			r := httptest.NewRequest("POST", "/authorize", strings.NewReader(query))
			r.Header = form.Clone()
			return upstream.ParseAuthorizeRequest(r)
		},
		"values": func(query string) (*upstream.AuthorizeRequest, error) {
			values, err := url.ParseQuery(query)
			require.NoError(t, err)
			return upstream.ParseAuthorizeValues(values)
		},
		"by hand": func(query string) (*upstream.AuthorizeRequest, error) {
			values, err := url.ParseQuery(query)
			require.NoError(t, err)
			req := new(upstream.AuthorizeRequest)
			for name, list := range values {
				for _, value := range list {
					req.SetOther(name, value)
				}
			}
			return req, nil
		},
	}
	for name, parse := range ways {
		for query, want := range map[string]string{
			"idphint=github":                        "blog=b&kc_idp_hint=github",
			"x=1&idphint=corp+saml&y=2&prompt=none": "blog=b&kc_idp_hint=corp+saml",
			"idphint=evil&tenant=t":                 "",
			"idphint=&tenant=":                      "blog=b",
			"":                                      "blog=b",
			"tenant=%C3%A9":                         "",
			"idphint=a%00":                          "idphint",
			"tenant=%FF":                            "tenant",
			"idphint=github&idphint=github":         "twice idphint",
		} {
			parameter, twice := strings.CutPrefix(want, "twice ")
			if name == "by hand" && twice {
				continue
			}
			req, err := parse(query)
			require.NoError(t, err, "%s %s", name, query)
			got, err := p.Params(req, upstream.Transaction{})
			if strings.Contains(want, "=") || want == "" {
				require.NoError(t, err, "%s %s", name, query)
				assert.Equal(t, want, got.Encode(), "%s %s", name, query)
				continue
			}
			var bad *upstream.RequestError
			require.ErrorAs(t, err, &bad, "%s %s", name, query)
			assert.Equal(t, parameter, bad.Parameter, "%s %s", name, query)
			_, err = p.AuthorizationURL(req, sampleTransaction)
			assert.Equal(t, bad, err, "%s %s", name, query)
			_, err = req.Other(parameter)
			assert.Equal(t, bad, err, "%s %s", name, query)
		}
	}
}

// The name of a parameter may be anybody's, and a description holds ASCII alone,
// without quotes and backslashes (RFC 6749 section 4.1.2.1).
func TestR7DescriptionOfAnyName(t *testing.T) {
	for name, want := range map[string]string{
		"a!~[]^`": "parameter a!~[]^` has a control character", "a b": "", "a\nb": "", "é": "", "\x7f": "", `a"b`: "", `a\b`: "",
	} {
		req := new(upstream.AuthorizeRequest)
		req.SetOther(name, "\n")
		_, err := req.Other(name)
		var bad *upstream.RequestError
		require.ErrorAs(t, err, &bad, name)
		assert.Equal(t, cmp.Or(want, "a parameter has a control character"), bad.Description)
		assert.Equal(t, name, bad.Parameter)
	}
}

func TestB1Other(t *testing.T) {
	req, err := upstream.ParseAuthorizeQuery("login_hint=l&id_token_hint=" + planted + "&a=1&resource=&resource=r&b=%zz&c=" + planted)
	require.NoError(t, err)
	for name, want := range map[string]string{"a": "1", "login_hint": "l", "resource": "r", "id_token_hint": planted, "prompt": "", "nothing": ""} {
		got, err := req.Other(name)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	other := *req // a copy keeps its own
	other.SetOther("a", "2")
	other.SetOther("prompt", "none")
	other.SetOther("n", "3")
	assert.Equal(t, "none", other.Prompt)
	for _, tc := range []struct {
		req        *upstream.AuthorizeRequest
		name, want string
	}{{req, "a", "1"}, {&other, "a", "2"}, {&other, "n", "3"}, {req, "n", ""}} {
		got, err := tc.req.Other(tc.name)
		require.NoError(t, err)
		assert.Equal(t, tc.want, got)
	}
	type holder struct{ req upstream.AuthorizeRequest }
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", *req, req, *req), fmt.Sprintf("%v %+v", holder{*req}, &holder{*req})} {
		assert.NotContains(t, text, planted, "H8: a parameter that nobody knows may be a secret")
	}
	other.SetOther("", "4")
	value, err := other.Other("")
	assert.NoError(t, err, "E3")
	assert.Empty(t, value)
	_, err = new(upstream.AuthorizeRequest).Other("a")
	require.NoError(t, err)
}

// Many names, more than fit where few are kept.
func TestB1ManyNames(t *testing.T) {
	params, query := map[string]upstream.Param{}, url.Values{}
	for i := range 200 {
		name := fmt.Sprintf("p%03d", i)
		params[name] = upstream.Param{From: "in_" + name, Allow: []string{name}}
		query.Set("in_"+name, name)
	}
	conn := parse(t, custom(""))
	conn.Options.UpstreamParams = params
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	req, err := upstream.ParseAuthorizeQuery(query.Encode())
	require.NoError(t, err)
	got, err := p.Params(req, upstream.Transaction{})
	require.NoError(t, err)
	require.Len(t, got, 200)
	for name := range params {
		assert.Equal(t, name, got.Get(name))
	}
	req, err = upstream.ParseAuthorizeQuery(query.Encode() + "&in_p150=x")
	require.NoError(t, err)
	_, err = p.Params(req, upstream.Transaction{})
	var bad *upstream.RequestError
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, "in_p150", bad.Parameter)
}

func TestB1Explain(t *testing.T) {
	p := provider(t, custom(hinted))
	req, err := upstream.ParseAuthorizeQuery("idphint=evil&tenant=t&other=x")
	require.NoError(t, err)
	got, err := p.Explain(req, sampleTransaction)
	require.NoError(t, err)
	byName := map[string]upstream.Decision{}
	for _, d := range got.Parameters {
		byName[d.Name] = d
	}
	assert.Equal(t, upstream.Decision{Name: "blog", Layer: "upstream_params", Reason: "upstream_params: the request has tenant, which unless names"}, byName["blog"])
	assert.Equal(t, upstream.Decision{
		Name: "kc_idp_hint", Layer: "upstream_params", Source: "idphint", Came: "evil", Items: []item{{Came: "evil"}},
		Reason: "upstream_params: idphint does not pass allow, allow_pattern or translate",
	}, byName["kc_idp_hint"])
	oidc := provider(t, `{"name": "n", "strategy": "oidc", "options": {"client_id": "c", "authorization_endpoint": "https://idp.example.com/a", "token_endpoint": "https://idp.example.com/t",
		"upstream_params": {"acr_values": {"value": "high", "essential": true}, "claims": {"from": "claims", "allow": ["email"]}}}}`)
	req, err = upstream.ParseAuthorizeQuery("claims=" + url.QueryEscape(`{"userinfo":{"email":null,"name":null}}`))
	require.NoError(t, err)
	tx := sampleTransaction
	tx.Nonce = upstream.NewSecret("n")
	got, err = oidc.Explain(req, tx)
	require.NoError(t, err)
	for _, d := range got.Parameters {
		byName[d.Name] = d
	}
	assert.True(t, byName["acr_values"].Essential)
	assert.Equal(t, `{"userinfo":{"email":null}}`, byName["claims"].Value)
	assert.Equal(t, "upstream_params: claims are reduced to those that allow and allow_pattern let pass", byName["claims"].Reason)
	assert.Equal(t, "openid profile email", byName["scope"].Value)
	assert.Contains(t, byName["scope"].Reason, "the default of OpenID Connect strategies")
	text, err := json.Marshal(byName["acr_values"])
	require.NoError(t, err)
	assert.Equal(t, `{"name":"acr_values","value":"high","layer":"upstream_params","source":"","essential":true,"sent":true,"reason":""}`, string(text))
}

// C3: the new members survive, and a literal writes them.
func TestB1Marshal(t *testing.T) {
	text := custom(`"upstream_params": {"a": {"from": "x", "allow": ["y"], "unless": [], "essential": false}, "b": {"value": "v", "unless": ["prompt"]}}`)
	conn := parse(t, text)
	out, err := conn.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, text, string(out))
	param := upstream.Param{From: "x", Allow: []string{"y"}, Unless: []string{"prompt"}, Essential: true}
	out, err = json.Marshal(param)
	require.NoError(t, err)
	assert.Equal(t, `{"from":"x","unless":["prompt"],"essential":true,"allow":["y"]}`, string(out))
	conn.Options.UpstreamParams["c"] = param
	out, err = conn.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, param, parse(t, string(out)).Options.UpstreamParams["c"])
	for _, bad := range []string{`"from": 1, "allow": []`, `"from": "", "allow": []`, `"from": "x", "allow": [], "unless": "prompt"`, `"from": "x", "allow": [], "unless": [1]`} {
		pointers, _ := problems(t, custom(`"upstream_params": {"a": {`+bad+`}}`))
		assert.NotEmpty(t, pointers, bad)
	}
	_, message := problems(t, custom(`"upstream_params": {"a": {"value": "x", "unless": [`+strings.Repeat(`"p",`, 20)+`"p"]}}`))
	assert.Contains(t, message, "more than 20")
}

// What oauth2-proxy documents of its loginURLParameters, case by case, in the form
// that it has here. Its patterns match any part of a value, those here the whole;
// it sends several values of one name, which no connection can here.
func TestB1AsLoginURLParameters(t *testing.T) {
	for _, tc := range []struct{ theirs, name, ours, request, want string }{
		{"default alone: fixed", "organization", `{"value": "myorg"}`, "", "myorg"},
		{"default alone: what is passed is ignored", "organization", `{"value": "myorg"}`, "organization=evil", "myorg"},
		{"allow alone: not passed, not sent", "prompt", `{"alias": "prompt", "allow": ["login", "consent", "select_account"]}`, "", ""},
		{"allow alone: one of the values", "prompt", `{"alias": "prompt", "allow": ["login", "consent", "select_account"]}`, "prompt=consent", "consent"},
		{"allow alone: another value", "prompt", `{"alias": "prompt", "allow": ["login", "consent", "select_account"]}`, "prompt=none", ""},
		{"default and allow: not passed", "prompt", `{"alias": "prompt", "value": "login", "allow": ["consent", "select_account"]}`, "", "login"},
		{"default and allow: overridden", "prompt", `{"alias": "prompt", "value": "login", "allow": ["consent", "select_account"]}`, "prompt=consent", "consent"},
		{"default and allow: not allowed", "prompt", `{"alias": "prompt", "value": "login", "allow": ["consent", "select_account"]}`, "prompt=none", "login"},
		{"the default itself need not be allowed", "prompt", `{"alias": "prompt", "value": "login", "allow": ["consent"]}`, "prompt=login", "login"},
		{"pattern: matches", "login_hint", `{"alias": "login_hint", "allow_pattern": "[^@]*@example\\.com"}`, "login_hint=ann@example.com", "ann@example.com"},
		{"pattern: two @ do not", "login_hint", `{"alias": "login_hint", "allow_pattern": "[^@]*@example\\.com"}`, "login_hint=evil@other@example.com", ""},
		{"pattern: another domain", "login_hint", `{"alias": "login_hint", "allow_pattern": "[^@]*@example\\.com"}`, "login_hint=ann@example.org", ""},
		{"pattern without anchors: theirs finds it anywhere", "login_hint", `{"alias": "login_hint", "allow_pattern": ".*@example\\.com.*"}`, "login_hint=x@example.com.evil", "x@example.com.evil"},
		{"value and pattern: either", "login_hint", `{"alias": "login_hint", "allow": ["root"], "allow_pattern": "[a-z]+@example\\.com"}`, "login_hint=root", "root"},
		{"a name outside the vendor's list", "kc_idp_hint", `{"from": "kc_idp_hint", "allow": ["github"]}`, "kc_idp_hint=github", "github"},
		{"a name outside the vendor's list, any value", "idp", `{"from": "idp", "allow_pattern": ".*"}`, "idp=anything+at+all", "anything at all"},
		{"allow without rules: nothing passes", "idp", `{"from": "idp", "allow": []}`, "idp=x", ""},
	} {
		got := query(t, `"upstream_params": {"`+tc.name+`": `+tc.ours+`}`, tc.request)
		want := ""
		if tc.want != "" {
			want = url.Values{tc.name: {tc.want}}.Encode()
		}
		assert.Equal(t, want, got, tc.theirs)
	}
}

// A prompt of none beside another value is refused for what is sent, which rules may have
// made of a value that is harmless itself. (rule M7; OpenID Connect Core 3.1.2.1)
func TestM7NoneBesideOthersAfterRules(t *testing.T) {
	for request, ok := range map[string]bool{
		"prompt=none": true, "prompt=consent": true, "prompt=login": false, "prompt=create": false, "prompt=consent+create": false, "prompt=none+consent": false,
		"prompt=consent+drop": true, "prompt=none+drop": true, "prompt=drop": true, "prompt=": true, "x=y": true,
	} {
		req, err := upstream.ParseAuthorizeQuery(request)
		require.NoError(t, err)
		p := provider(t, custom(`"upstream_params": {"p": {"alias": "prompt", "translate": {"login": "none consent", "create": "none login", "drop": ""}}}`))
		_, err = p.AuthorizationURL(req, upstream.Transaction{RedirectURI: "https://a.example/b", State: upstream.NewSecret("s")})
		if wrong := (*upstream.RequestError)(nil); ok {
			assert.NoError(t, err, request)
		} else if assert.ErrorAs(t, err, &wrong, request) {
			assert.Equal(t, "prompt", wrong.Parameter)
		}
	}
}

// neverFrom may not come from the request by from, however it is spelled.
var neverFrom = strings.Fields("client_id client_secret redirect_uri state nonce code code_verifier code_challenge code_challenge_method grant_type request request_uri " +
	"client_assertion client_assertion_type oauth_token scope connection_scope")

// FuzzFrom: of a connection that takes any name by from, and of any request, the
// parameter leaves only where its rule lets it; no name that is the protocol's or
// the auth server's own is taken; all else of the URL is as without the entry.
func FuzzFrom(f *testing.F) {
	f.Add("idphint", "github", "idphint=github&x=1")
	f.Add("organization", "org_[a-z]+", "organization=org_x&organization=")
	f.Add("claims", "email|name", "claims=%7B%22userinfo%22%3A%7B%22email%22%3Anull%2C%22acr%22%3A%7B%22x%22%3A1%7D%7D%7D")
	f.Add("request_uri", ".*", "request_uri=x&nonce=n")
	f.Add("Redirect.uri[", ".*", "Redirect.uri%5B=x")
	f.Fuzz(func(t *testing.T, name, pattern, query string) {
		conn := parse(t, custom(`"upstream_params": {"prompt": {"alias": "prompt"}, "hint": {"alias": "login_hint", "unless": ["acr_values"]}}`))
		req, err := upstream.ParseAuthorizeQuery(query)
		if err != nil {
			return
		}
		plain, err := upstream.NewProvider(conn)
		require.NoError(t, err)
		without, err := plain.AuthorizationURL(req, sampleTransaction)
		if err != nil {
			wellFormed(t, err)
			return
		}
		conn.Options.UpstreamParams["zz_out"] = upstream.Param{From: name, AllowPattern: pattern, Allow: []string{"a"}}
		p, err := upstream.NewProvider(conn)
		if err != nil {
			wellFormed(t, err)
			return
		}
		assert.NotContains(t, neverFrom, strings.ToLower(name))
		out, err := p.AuthorizationURL(req, sampleTransaction)
		if err != nil {
			wellFormed(t, err)
			return
		}
		explained(t, p, req, sampleTransaction, out)
		value, err := req.Other(name)
		require.NoError(t, err)
		pairs := strings.Split(out, "&")
		i := slices.IndexFunc(pairs, func(pair string) bool { return strings.HasPrefix(pair, "zz_out=") })
		if i < 0 {
			assert.Equal(t, without, out)
			return
		}
		sent, err := url.QueryUnescape(strings.TrimPrefix(pairs[i], "zz_out="))
		require.NoError(t, err)
		assert.Equal(t, without, strings.Join(slices.Delete(pairs, i, i+1), "&"))
		passes := func(s string) bool {
			whole, err := regexp.Compile(`\A(?:` + pattern + `\E)\z`)
			if err != nil {
				whole = regexp.MustCompile(`\A(?:` + pattern + `)\z`)
			}
			return s == "a" || whole.MatchString(s)
		}
		if name != "claims" {
			assert.Equal(t, value, sent, "as it came")
			assert.True(t, passes(sent), "%q by %q", sent, pattern)
			return
		}
		var asked, left map[string]map[string]json.RawMessage
		if json.Unmarshal([]byte(value), &asked) == nil {
			require.NoError(t, json.Unmarshal([]byte(sent), &left))
			for place, claims := range left {
				for claim, what := range claims {
					assert.True(t, passes(claim), "%q by %q", claim, pattern)
					assert.JSONEq(t, string(asked[place][claim]), string(what))
				}
			}
		}
	})
}
