package upstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

var sampleFields = map[string]string{"user_id": "account.uuid", "email": "account.email"}

var noContext context.Context // E3: nil is no reason to panic

// fetchDocument asks a userinfo endpoint that answers with the document.
func fetchDocument(t *testing.T, document string, fields map[string]string) (*upstream.Profile, error) {
	t.Helper()
	return fetch(t.Context(), newSite(t, answer(200, "application/json", document)), fields)
}

func TestU1U4Sample(t *testing.T) {
	p, err := fetchDocument(t, `{"account": {"uuid": "4f1c", "email": "ann@example.com", "plan": 9007199254740993}, "locale": "en"}`, sampleFields)
	require.NoError(t, err)
	assert.Equal(t, "4f1c", p.UserID)
	assert.Equal(t, "ann@example.com", p.Email)
	assert.Nil(t, p.EmailVerified)
	assert.Equal(t, `"en"`, string(p.Extra["locale"]))
	text, err := json.Marshal(p)
	require.NoError(t, err)
	assert.JSONEq(t, `{"user_id":"4f1c","email":"ann@example.com","locale":"en",
		"account":{"uuid":"4f1c","email":"ann@example.com","plan":9007199254740993}}`, string(text))
	assert.Contains(t, string(text), "9007199254740993")
}

func TestU2Request(t *testing.T) {
	idp := newSite(t, answer(200, "application/json", `{"sub":"1"}`))
	transport := &roundTripper{}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: transport})
	for _, tokenType := range []string{"", "bearer", "BEARER", "BearerToken", "user"} {
		idp.forget()
		_, err := upstream.Userinfo{URL: idp.URL + "/me?fields=all"}.Fetch(ctx, &oauth2.Token{AccessToken: "A1", TokenType: tokenType}, nil)
		require.NoError(t, err)
		require.Len(t, idp.all(), 1)
		sent := idp.all()[0]
		assert.Equal(t, http.MethodGet, sent.Method)
		assert.Equal(t, []string{"Bearer A1"}, sent.Header["Authorization"])
		assert.Equal(t, "application/json", sent.Header.Get("Accept"))
		assert.True(t, strings.HasPrefix(sent.Text, "/me?fields=all\n"))
		assert.Equal(t, 1, strings.Count(sent.Text, "A1"), "the token stands in the header alone")
	}
	assert.EqualValues(t, 5, transport.n.Load(), "the context's client serves")

	for _, fault := range []struct {
		url   string
		token *oauth2.Token
		want  string
	}{
		{idp.URL, &oauth2.Token{AccessToken: "A1", TokenType: "dpop"}, "is not a bearer token"},
		{idp.URL, &oauth2.Token{AccessToken: "A1", TokenType: "MAC"}, "is not a bearer token"},
		{idp.URL, &oauth2.Token{}, "there is no access token"},
		{idp.URL, nil, "there is no access token"},
		{"", &oauth2.Token{AccessToken: "A1"}, "the userinfo URL"},
		{"/me", &oauth2.Token{AccessToken: "A1"}, "the userinfo URL"},
		{"http://[::1", &oauth2.Token{AccessToken: "A1"}, "the userinfo URL"},
		{"ftp://idp.example.com/me", &oauth2.Token{AccessToken: "A1"}, "the userinfo URL"},
	} {
		idp.forget()
		_, err := upstream.Userinfo{URL: fault.url}.Fetch(noContext, fault.token, nil)
		require.ErrorContains(t, err, "upstream: profile: ")
		require.ErrorContains(t, err, fault.want)
		assert.Empty(t, idp.all())
	}
}

func TestU2RedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{"same", "other", "bad", "none"} {
			t.Run(fmt.Sprint(status, target), func(t *testing.T) {
				other := newIdP(t)
				idp := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
					location := map[string]string{"same": "/stolen", "other": other.URL + "/stolen", "bad": "http://[::1/%zz"}
					if l := location[target]; l != "" {
						w.Header().Set("Location", l)
					}
					answer(status, "application/json", `{"sub":"1"}`)(w, nil)
				})
				_, err := fetch(t.Context(), idp, nil)
				var failure *upstream.ProfileError
				require.ErrorAs(t, err, &failure)
				assert.Equal(t, status, failure.StatusCode)
				assert.Contains(t, err.Error(), "correct the URL")
				assert.Empty(t, other.all())
				assert.Len(t, idp.all(), 1)
			})
		}
	}
}

func TestU3U5UserID(t *testing.T) {
	const refused = "user_id must be "
	for document, want := range map[string]string{ // a user_id, or "!" and a part of the error
		`{"sub":"248289761001"}`:            "248289761001",
		`{"sub":12345678}`:                  "12345678",
		`{"sub":9007199254740993}`:          "9007199254740993",
		`{"sub":12345678901234567890}`:      "12345678901234567890",
		`{"sub":-1}`:                        "-1",
		`{"sub":0}`:                         "0",
		`{"sub":"a | b"}`:                   "a | b",
		`{"sub":"\u0061\ud83d\ude00"}`:      "a😀",
		`{"sub":"undefined","SUB":"b"}`:     "undefined",
		`{"sub":1.0}`:                       "!" + refused,
		`{"sub":1e3}`:                       "!" + refused,
		`{"sub":1E3}`:                       "!" + refused,
		`{"sub":""}`:                        "!" + refused,
		`{"sub":" "}`:                       "!" + refused,
		`{"sub":"\t\u00a0\u200b"}`:          "!" + refused,
		`{"sub":"\ud800"}`:                  "!" + refused, // would decode to what \ud801 decodes to
		`{"sub":null}`:                      "!" + refused,
		`{"sub":true}`:                      "!" + refused,
		`{"sub":[]}`:                        "!" + refused,
		`{"sub":["a"]}`:                     "!" + refused,
		`{"sub":{}}`:                        "!" + refused,
		`{}`:                                "!user_id is missing",
		`{"SUB":"a"}`:                       "!user_id is missing",
		`{"\u017fub":"a"}`:                  "!user_id is missing",
		`{"user_id":"a"}`:                   "!user_id is missing",
		`{"sub":"victim","ſub":"attacker"}`: "victim",
		`{"sub":"victim","SUB":"attacker","Sub":"a"}`:     "victim",
		`{"ſub":"attacker","sub":"victim"}`:               "victim",
		`{"\u0073ub":"victim"}`:                           "victim",
		`{"sub":"victim","sub":"attacker"}`:               "!stands twice",
		`{"sub":"victim","\u0073ub":"victim"}`:            "!stands twice",
		`{"sub":"a","address":{"x":1,"x":2}}`:             "!stands twice",
		`{"sub":"a"} {}`:                                  "!text after the end",
		`{"sub":"a` + "\xff" + `"}`:                       "!invalid UTF-8",
		"\ufeff" + `{"sub":"a"}`:                          "!cannot be read as JSON",
		strings.Repeat("[", 65) + strings.Repeat("]", 65): "!deeper than 64",
	} {
		p, err := fetchDocument(t, document, nil)
		if part, fails := strings.CutPrefix(want, "!"); fails {
			var failure *upstream.ProfileError
			if assert.ErrorAs(t, err, &failure, document) {
				assert.Contains(t, err.Error(), part, document)
				assert.Equal(t, document, failure.Body.Reveal())
				assert.NotContains(t, err.Error(), "attacker")
			}
			continue
		}
		if assert.NoError(t, err, document) {
			assert.Equal(t, want, p.UserID, document)
		}
	}
}

func TestU4Paths(t *testing.T) {
	for _, c := range []struct{ document, path, want string }{
		{`{"a":{"b":{"c":"x"}}}`, "a.b.c", "x"},
		{`{"a.b":"exact","a":{"b":"nested"}}`, "a.b", "exact"},
		{`{"a":{"b":"nested"},"a.b":"exact"}`, "a.b", "exact"},
		{`{"a":{"b.c":"exact","b":{"c":"nested"}}}`, "a.b.c", "exact"},
		{`{"https://example.com/claims":{"id":"x"}}`, "https://example.com/claims.id", "x"},
		{`{"a.b":"text","a":{"b":{"c":"x"}}}`, "a.b.c", "x"},
		{`{"a":{"":"x"}}`, "a.", "x"},
		{`{"a":"x"}`, "a.b", ""},
		{`{"a":[{"b":"x"}]}`, "a.b", ""},
		{`{"A":{"b":"x"}}`, "a.b", ""},
		{`{}`, strings.Repeat("a.", 200) + "a", ""},
	} {
		p, err := fetchDocument(t, c.document, map[string]string{"user_id": c.path})
		if c.want == "" {
			assert.ErrorContains(t, err, "the document has nothing at", c.document)
		} else if assert.NoError(t, err, c.document) {
			assert.Equal(t, c.want, p.UserID, c.document)
		}
	}
	_, err := fetchDocument(t, `{"a.b":null,"a":{"b":"nested"}}`, map[string]string{"user_id": "a.b"})
	require.ErrorContains(t, err, `(it is read from "a.b")`, "the exact name wins even so")
	for _, fields := range []map[string]string{{}, {"email": "email"}, {"user_id": ""}} {
		_, err = fetchDocument(t, `{"":"x"}`, fields)
		require.ErrorContains(t, err, `set Fields["user_id"]`)
	}
}

func TestU6EmailVerified(t *testing.T) {
	for value, want := range map[string]any{
		`true`: true, `"true"`: true, `false`: false, `"false"`: false, `null`: nil, ``: nil,
		`"True"`: false, `"TRUE"`: false, `" true"`: false, `1`: false, `"1"`: false, `"yes"`: false, `""`: false, `[true]`: false, `{}`: false,
	} {
		document := `{"sub":"1"}`
		if value != "" {
			document = `{"sub":"1","email_verified":` + value + `,"phone_number_verified":` + value + `}`
		}
		p, err := fetchDocument(t, document, nil)
		require.NoError(t, err, value)
		for _, got := range []*bool{p.EmailVerified, p.PhoneVerified} {
			if want == nil {
				assert.Nil(t, got, value)
			} else if assert.NotNil(t, got, value) {
				assert.Equal(t, want, *got, value)
			}
		}
		assert.Empty(t, p.Email)
	}
}

func TestU7ParseProfile(t *testing.T) {
	const full = `{"user_id":"1","name":"Ann Lee","nickname":"ann","given_name":"Ann","family_name":"Lee","picture":"https://p.example/a?b=1&c=<2>",
		"username":"annlee","email":"ann@example.com","email_verified":true,"phone_number":"+491","phone_verified":false,
		"user_metadata":{"n":1.0},"app_metadata":{},"id":12345678901234567890,"Email":"other","nested":{"a":[1e3,null]}}`
	p, err := upstream.ParseProfile([]byte(full))
	require.NoError(t, err)
	yes, no := true, false
	assert.Equal(t, &upstream.Profile{
		UserID: "1", Name: "Ann Lee", Nickname: "ann", GivenName: "Ann", FamilyName: "Lee",
		Picture: "https://p.example/a?b=1&c=<2>", Username: "annlee", Email: "ann@example.com", EmailVerified: &yes,
		PhoneNumber: "+491", PhoneVerified: &no, UserMetadata: json.RawMessage(`{"n":1.0}`), AppMetadata: json.RawMessage(`{}`),
		Extra: map[string]json.RawMessage{
			"id": json.RawMessage("12345678901234567890"), "Email": json.RawMessage(`"other"`),
			"nested": json.RawMessage(`{"a":[1e3,null]}`),
		},
	}, p)
	text, err := json.Marshal(p)
	require.NoError(t, err)
	assert.JSONEq(t, full, string(text))
	var again upstream.Profile
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Contains(t, string(again.Extra["id"]), "12345678901234567890")

	p, err = upstream.ParseProfile([]byte(` {"user_id" : 7, "name": null, "nickname": false, "username": 42, "user_metadata": null, "x": null} `))
	require.NoError(t, err)
	assert.Equal(t, &upstream.Profile{UserID: "7", Username: "42", Extra: map[string]json.RawMessage{"x": json.RawMessage("null")}}, p)

	data := []byte(`{"user_id":"1","x":"abc","app_metadata":{"y":1}}`)
	p, err = upstream.ParseProfile(data)
	require.NoError(t, err)
	clear(data) // the caller's, to use again
	assert.Equal(t, `"abc"`, string(p.Extra["x"]))
	assert.Equal(t, `{"y":1}`, string(p.AppMetadata))

	for document, want := range map[string]string{
		``: "cannot be read as JSON", `[]`: "not a JSON object", `"x"`: "not a JSON object", `{}`: "user_id is missing",
		`{"user_id":"1","email":true}`: "email must be a string", `{"user_id":"1","name":{}}`: "name must be a string",
		`{"user_id":"1","picture":1.5}`: "picture must be a string", `{"user_id":"1","app_metadata":[]}`: "app_metadata is not a JSON object",
		`{"user_id":"1","user_metadata":"x"}`: "user_metadata is not", `{"user_id":null}`: "user_id must be",
	} {
		_, err := upstream.ParseProfile([]byte(document))
		require.ErrorContains(t, err, "upstream: profile: ", document)
		require.ErrorContains(t, err, want, document)
		require.Error(t, again.UnmarshalJSON([]byte(document)))
	}
	assert.NoError(t, (*upstream.Profile)(nil).UnmarshalJSON([]byte(`{"user_id":"1"}`)))
}

func TestU7RootAttributesWin(t *testing.T) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	text, err := json.Marshal(upstream.Profile{UserID: "1", Extra: map[string]json.RawMessage{
		"user_id": raw(`"2"`), "email": raw(`"x"`), "email_verified": raw("true"), "b": nil, "a": raw("1"),
	}})
	require.ErrorContains(t, err, `the member "b" holds no JSON value`, "%s", text)
	text, err = json.Marshal(upstream.Profile{UserID: "1", Extra: map[string]json.RawMessage{
		"user_id": raw(`"2"`), "email": raw(`"x"`), "email_verified": raw("true"), "b": raw(" [ ] "), "a": raw("1"),
	}})
	require.NoError(t, err)
	assert.Equal(t, `{"user_id":"1","a":1,"b":[]}`, string(text))
	for _, p := range []upstream.Profile{{AppMetadata: raw(`{},"user_id":"2"`)}, {Extra: map[string]json.RawMessage{"a": raw(`1,"user_id":"2"`)}}} {
		_, err = json.Marshal(p)
		assert.ErrorContains(t, err, "holds no JSON value")
	}
	text, err = json.Marshal(upstream.Profile{})
	require.NoError(t, err)
	assert.Equal(t, "{}", string(text))

	// What the endpoint calls like an attribute is one only through the mapping.
	p, err := fetchDocument(t, `{"id":"1","name":"Ann","app_metadata":{"admin":true},"org":{"name":"Acme"},"sub":"9"}`,
		map[string]string{"user_id": "id", "company": "org.name", "org": "org.name"})
	require.NoError(t, err)
	assert.Equal(t, &upstream.Profile{UserID: "1", Extra: map[string]json.RawMessage{
		"id": raw(`"1"`), "company": raw(`"Acme"`), "org": raw(`"Acme"`), "sub": raw(`"9"`),
	}}, p)
}

func TestU1ReadyMappings(t *testing.T) {
	for strategy, c := range map[string]struct {
		document string
		want     upstream.Profile
	}{
		"github": {
			`{"login":"ann","id":583231,"avatar_url":"https://a.example/1","name":"Ann","email":null}`,
			upstream.Profile{UserID: "583231", Name: "Ann", Nickname: "ann", Picture: "https://a.example/1"},
		},
		"wordpress": {
			`{"ID":78972699,"display_name":"Ann","username":"ann1","email":"ann@example.com","email_verified":true,"avatar_URL":"https://a.example/1","primary_blog":1}`,
			upstream.Profile{UserID: "78972699", Name: "Ann", Username: "ann1", Email: "ann@example.com", EmailVerified: new(bool), Picture: "https://a.example/1"},
		},
		"google-oauth2": {
			`{"sub":"110169484474386276334","name":"Ann Lee","given_name":"Ann","family_name":"Lee","picture":"https://a.example/1","email":"ann@example.com","email_verified":true,"hd":"example.com"}`,
			upstream.Profile{UserID: "110169484474386276334", Name: "Ann Lee", GivenName: "Ann", FamilyName: "Lee", Picture: "https://a.example/1", Email: "ann@example.com", EmailVerified: new(bool)},
		},
		"oidc": {
			`{"sub":"248289761001","name":"Jane","nickname":"jj","preferred_username":"j.doe","phone_number":"+1 (425) 555-1212","phone_number_verified":true,"id":"7","ID":"8"}`,
			upstream.Profile{UserID: "248289761001", Name: "Jane", Nickname: "jj", Username: "j.doe", PhoneNumber: "+1 (425) 555-1212", PhoneVerified: new(bool)},
		},
	} {
		t.Run(strategy, func(t *testing.T) {
			idp := newSite(t, answer(200, "application/json", c.document))
			p := provider(t, `{"name":"acme","strategy":"`+strategy+`","options":{"client_id":"client","client_secret":"s","authorizationURL":"`+
				idp.URL+`/authorize","tokenURL":"`+idp.URL+`/token","userinfo_endpoint":"`+idp.URL+`/userinfo"}}`)
			got, err := p.FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
			require.NoError(t, err)
			for _, verified := range []*bool{c.want.EmailVerified, c.want.PhoneVerified} {
				if verified != nil {
					*verified = true
				}
			}
			assert.NotEmpty(t, got.Extra)
			c.want.Extra = got.Extra
			assert.Equal(t, c.want, *got)
		})
	}
}

const customConnection = `{"name":"acme","strategy":"oauth2","options":{"client_id":"client","client_secret":"s",
	"authorizationURL":"https://idp.example.com/authorize","tokenURL":"https://idp.example.com/token"}}`

// The strategy's own userinfo endpoint is for tokens of its own token endpoint.
func TestS4NoTokenOfAnotherIssuer(t *testing.T) {
	var asked []string
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.Host)
		return nil, errors.New("unreachable")
	})})
	github := func(options string) *upstream.Provider {
		return provider(t, `{"strategy":"github","options":{"client_id":"c","authorizationURL":"https://ghe.example.com/a"`+options+`}}`)
	}
	_, err := github(`,"tokenURL":"https://ghe.example.com/t"`).FetchProfile(ctx, &oauth2.Token{AccessToken: "A1"})
	require.ErrorContains(t, err, "set options.userinfo_endpoint")
	assert.Empty(t, asked)
	for _, options := range []string{``, `,"tokenURL":"https://github.com/login/oauth/access_token"`,
		`,"tokenURL":"https://ghe.example.com/t","userinfo_endpoint":"https://api.github.com/user"`} {
		_, err = github(options).FetchProfile(ctx, &oauth2.Token{AccessToken: "A1"})
		require.Error(t, err)
	}
	assert.Equal(t, slices.Repeat([]string{"api.github.com"}, 3), asked)
}

// The fetcher's connection is the Provider's, whatever its size.
func TestU1OwnFetchersConnection(t *testing.T) {
	conn := parse(t, `{"name":"acme","strategy":"oauth2","pad":"`+strings.Repeat("x", 1<<20-300)+`","options":{"client_id":"c",
		"authorizationURL":"http://idp.example.com/a","tokenURL":"http://idp.example.com/t"}}`)
	conn.InsecureAllowHTTP = true
	for i := range 30 {
		conn.Options.UpstreamParams["parameter_"+strconv.Itoa(i)] = upstream.Static("value")
	}
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	p = p.WithProfileFetcher(conn, func(_ context.Context, _ *oauth2.Token, c *upstream.Connection) (*upstream.Profile, error) {
		assert.Equal(t, conn.Options, c.Options)
		assert.NoError(t, c.Validate())
		return &upstream.Profile{UserID: "1"}, nil
	})
	_, err = p.FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
	require.NoError(t, err)
}

func TestU1OwnFetcher(t *testing.T) {
	token := &oauth2.Token{AccessToken: "A1"}
	p := provider(t, customConnection)
	_, err := p.FetchProfile(t.Context(), token)
	require.ErrorContains(t, err, `upstream: profile: no userinfo endpoint is known for strategy "oauth2"`)
	require.ErrorContains(t, err, "WithProfileFetcher")

	var name string
	q := p.WithProfileFetcher(nil, func(ctx context.Context, got *oauth2.Token, conn *upstream.Connection) (*upstream.Profile, error) {
		name = conn.Name
		return &upstream.Profile{UserID: got.AccessToken}, ctx.Err()
	})
	got, err := q.FetchProfile(noContext, token)
	require.NoError(t, err)
	assert.Equal(t, "A1", got.UserID)
	assert.Equal(t, "acme", name)
	_, err = p.FetchProfile(t.Context(), token)
	require.Error(t, err, "the receiver stays as it is")
	_, err = q.WithProfileFetcher(nil, nil).FetchProfile(t.Context(), token)
	require.ErrorContains(t, err, "no userinfo endpoint is known")

	idp := newSite(t, answer(200, "application/json", `{"account":{"uuid":"4f1c"}}`))
	got, err = p.WithProfileFetcher(nil, upstream.Userinfo{URL: idp.URL, Fields: sampleFields}.Fetch).FetchProfile(t.Context(), token)
	require.NoError(t, err)
	assert.Equal(t, "acme", strings.Split(p.Subject(got.UserID), "|")[1])
}

func TestE1OwnFetcherFails(t *testing.T) {
	cause := errors.New("SECRET")
	for _, c := range []struct {
		profile *upstream.Profile
		err     error
		want    string
	}{
		{nil, nil, "the profile fetcher gave no UserID"},
		{&upstream.Profile{UserID: " "}, nil, "the profile fetcher gave no UserID"},
		{&upstream.Profile{UserID: "1"}, cause, "the profile fetcher failed; the wrapped error has the cause"},
		{nil, &upstream.ProfileError{StatusCode: 418, Message: "no tea", Err: cause}, "no tea"},
		{nil, fmt.Errorf("upstream: SECRET: %w", &upstream.ProfileError{StatusCode: 418, Message: "no tea", Err: cause}), "no tea"},
		{nil, (*upstream.ProfileError)(nil), "the profile fetcher failed; the wrapped error has the cause"},
	} {
		p := provider(t, customConnection).WithProfileFetcher(nil,
			func(context.Context, *oauth2.Token, *upstream.Connection) (*upstream.Profile, error) {
				return c.profile, c.err
			})
		got, err := p.FetchProfile(t.Context(), &oauth2.Token{})
		assert.Nil(t, got)
		require.EqualError(t, err, "upstream: profile: "+c.want)
		var failure *upstream.ProfileError
		require.ErrorAs(t, err, &failure)
		if c.want == "no tea" {
			assert.Equal(t, 418, failure.StatusCode)
			assert.ErrorIs(t, err, cause)
		}
	}
}

func TestE3ProfileOfNothing(t *testing.T) {
	for _, p := range []*upstream.Provider{nil, {}} {
		for _, token := range []*oauth2.Token{nil, {}, {AccessToken: "A1"}} {
			_, err := p.FetchProfile(t.Context(), token)
			require.ErrorContains(t, err, "upstream: profile: ")
			_, err = p.WithProfileFetcher(nil, nil).FetchProfile(t.Context(), token)
			require.ErrorContains(t, err, "upstream: profile: ")
		}
		_, err := p.WithProfileFetcher(nil, func(_ context.Context, _ *oauth2.Token, conn *upstream.Connection) (*upstream.Profile, error) {
			return &upstream.Profile{UserID: "u" + conn.Name}, nil
		}).FetchProfile(t.Context(), &oauth2.Token{})
		require.NoError(t, err)
		assert.Empty(t, p.Subject("1"))
	}
}

func TestU8CheckSubject(t *testing.T) {
	for _, c := range []struct {
		profile *upstream.Profile
		sub     string
		ok      bool
	}{
		{&upstream.Profile{UserID: "a", Extra: map[string]json.RawMessage{"sub": json.RawMessage(`"a"`)}}, "a", true},
		{&upstream.Profile{UserID: "mapped", Extra: map[string]json.RawMessage{"sub": json.RawMessage(` "\u0061"`)}}, "a", true},
		{&upstream.Profile{UserID: "a"}, "a", true},
		{&upstream.Profile{UserID: "a"}, "A", false},
		{&upstream.Profile{UserID: "a"}, "", false},
		{&upstream.Profile{UserID: "a", Extra: map[string]json.RawMessage{"sub": json.RawMessage(`"b"`)}}, "a", false},
		{&upstream.Profile{UserID: "1", Extra: map[string]json.RawMessage{"sub": json.RawMessage(`1`)}}, "1", false},
		{&upstream.Profile{UserID: "a", Extra: map[string]json.RawMessage{"sub": json.RawMessage(`"a`)}}, "a", false},
		{&upstream.Profile{UserID: "a", Extra: map[string]json.RawMessage{"sub": nil}}, "a", false},
		{&upstream.Profile{}, "", false},
		{nil, "a", false},
	} {
		err := c.profile.CheckSubject(c.sub)
		assert.Equal(t, c.ok, err == nil, "%+v, %q", c.profile, c.sub)
		if !c.ok {
			assert.ErrorContains(t, err, "upstream: profile: ")
		}
	}
	p, err := fetchDocument(t, `{"sub":"attacker"}`, nil)
	require.NoError(t, err)
	require.ErrorContains(t, p.CheckSubject("victim"), "must not be used")
	assert.NotContains(t, p.CheckSubject("victim").Error(), "attacker")
}

func TestU9Subject(t *testing.T) {
	social := provider(t, `{"strategy":"github","options":{"client_id":"client","client_secret":"s","authorizationURL":"https://idp.example.com/authorize"}}`)
	custom := provider(t, customConnection)
	for _, c := range []struct {
		p        *upstream.Provider
		id, want string
	}{
		{social, "1234", "github|1234"},
		{social, "a|b", "github|a|b"},
		{custom, "1234", "oauth2|acme|1234"},
		{custom, "a|b", "oauth2|acme|a|b"},
		{custom, "", ""},
		{social, " ", ""},
	} {
		assert.Equal(t, c.want, c.p.Subject(c.id))
	}
}

// FuzzParseProfile: whatever is accepted has a user, and reads back the same.
func FuzzParseProfile(f *testing.F) {
	for _, seed := range []string{`{"user_id":"1"}`, `{"user_id":9007199254740993,"x":1.0,"email_verified":"true"}`, `{"user_id":"a","a":{"b":[]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := upstream.ParseProfile(data)
		if err != nil {
			if p != nil || strings.Count(err.Error(), "upstream: ") != 1 {
				t.Errorf("ParseProfile(%q) = %v, %v", data, p, err)
			}
			return
		}
		text, err := p.MarshalJSON()
		if err != nil || strings.TrimSpace(p.UserID) == "" {
			t.Fatalf("ParseProfile(%q) = %+v, %v", data, p, err)
		}
		again, err := upstream.ParseProfile(text)
		if err != nil || !assert.ObjectsAreEqual(p, again) {
			t.Errorf("ParseProfile(%q) = %+v, and again %+v, %v", data, p, again, err)
		}
	})
}
