package upstream_test

// Where a profile comes from, how it is read, and what it must say: rules U9, P3,
// O5, O10.

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

// A tenant's own server must not speak for GitHub's users.
func TestU9ReplacedEndpoints(t *testing.T) {
	for _, c := range []struct{ strategy, options, want string }{
		{"github", ``, "github|1"},
		{"github", `,"authorizationURL":"https://ghe.example.com/a"`, "github|1"}, // the code is still GitHub's
		{"github", `,"tokenURL":"https://github.com/login/oauth/access_token"`, "github|1"},
		{"github", `,"userinfo_endpoint":"https://api.github.com/user"`, "github|1"},
		{"github", `,"tokenURL":"https://evil.test/t"`, "github|acme|1"},
		{"github", `,"token_endpoint":"https://evil.test/t"`, "github|acme|1"},
		{"github", `,"userinfo_endpoint":"https://evil.test/u"`, "github|acme|1"},
		{"github", `,"tokenURL":"https://evil.test/t","userinfo_endpoint":"https://api.github.com/user"`, "github|acme|1"},
		{"github", `,"scripts":{"fetchUserProfile":"function f(a,c,cb){cb(null,{user_id:1})}"}`, "github|acme|1"},
		{"google-oauth2", `,"oidc_metadata":{"token_endpoint":"https://evil.test/t"}`, "google-oauth2|acme|1"},
		{"google-oauth2", `,"oidc_metadata":{"userinfo_endpoint":"https://evil.test/u"}`, "google-oauth2|acme|1"},
		{"facebook", ``, "facebook|1"},
		{"facebook", `,"userinfo_endpoint":"https://evil.test/u"`, "facebook|acme|1"},
		{"shopify", `,"authorizationURL":"https://evil.test/a","tokenURL":"https://evil.test/t"`, "shopify|acme|1"},
		{"salesforce-community", `,"community_base_url":"https://evil.test"`, "salesforce-community|acme|1"},
		{"windowslive", `,"strategy_version":2`, "windowslive|1"},
		{"twitter", `,"protocol":"oauth2"`, "twitter|1"},
		{"twitter", ``, "twitter|1"},
		{"twitter", `,"accessTokenURL":"https://evil.test/t"`, "twitter|acme|1"},
		{"oauth2", `,"authorizationURL":"https://idp.example.com/a","tokenURL":"https://idp.example.com/t"`, "oauth2|acme|1"},
	} {
		p := provider(t, `{"name":"acme","strategy":"`+c.strategy+`","options":{"client_id":"c","client_secret":"s"`+c.options+`}}`)
		assert.Equal(t, c.want, p.Subject("1"), "%s %s", c.strategy, c.options)
	}
	for name, warned := range map[string]bool{"": true, "my_idp": true, "acme": false} {
		conn := parse(t, `{"strategy":"github","options":{"client_id":"c","tokenURL":"https://evil.test/t"}}`)
		conn.Name = name
		p, err := upstream.NewProvider(conn)
		require.NoError(t, err)
		assert.Equal(t, warned, p.Subject("1") == "", "without a name there is no subject")
		assert.Equal(t, warned, len(conn.Warnings()) == 1, "%q: %v", name, conn.Warnings())
	}
}

func TestP3UserID(t *testing.T) {
	p := provider(t, customConnection)
	for id, ok := range map[string]bool{
		"1": true, "a b": true, "é😀": true, strings.Repeat("é", 255): true, "cn=a,dc=b|c": true, "undefined": true,
		"": false, " ": false, strings.Repeat("a", 256): false, strings.Repeat("é", 256): false, " a": false, "a ": false, "a\n": false, "\u00a0a": false,
		"a\x00b": false, "a\x7fb": false, "a\u0085b": false, "a\tb": false, // controls (O11)
		"a\u202eb": false, "a\u2066b": false, "a\u200db": false, "\ufeffa": false, "a\u00adb": false, "a\u2028b": false, "\U000e0041a": false, // bidi and other invisible ones
		"\u0301": true, "\u3000": false, "a\xff": false, "a\ufffd": false,
	} {
		assert.Equal(t, ok, p.Subject(id) != "", "Subject(%q)", id)
		text, err := json.Marshal(map[string]string{"user_id": id})
		require.NoError(t, err)
		_, err = upstream.ParseProfile(text)
		assert.Equal(t, ok, err == nil, "ParseProfile(%s): %v", text, err)
		q := p.WithProfileFetcher(nil, func(context.Context, *oauth2.Token, *upstream.Connection) (*upstream.Profile, error) {
			return &upstream.Profile{UserID: id}, nil
		})
		_, err = q.FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
		assert.Equal(t, ok, err == nil, "FetchProfile of %q: %v", id, err)
	}
	_, err := upstream.ParseProfile([]byte(`{"user_id":` + strings.Repeat("1", 256) + `}`))
	require.ErrorContains(t, err, "at most 255 characters")
}

// sourced is a provider of this strategy and these options whose userinfo is document.
func sourced(t *testing.T, strategy, options, document string) *upstream.Provider {
	t.Helper()
	idp := newSite(t, answer(200, "application/json", document))
	return provider(t, `{"name":"acme","strategy":"`+strategy+`","options":{"client_id":"c","client_secret":"s","authorizationURL":"`+idp.URL+`/a","tokenURL":"`+idp.URL+
		`/t","userinfo_endpoint":"`+idp.URL+`/u"`+options+`}}`)
}

// both gives what the document says as userinfo, as claims, and from a fetcher.
func both(t *testing.T, strategy, options, document string) map[string]func() (*upstream.Profile, error) {
	t.Helper()
	p := sourced(t, strategy, options, document)
	return map[string]func() (*upstream.Profile, error){
		"userinfo": func() (*upstream.Profile, error) {
			return p.FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
		},
		"claims": func() (*upstream.Profile, error) { return p.ParseClaims([]byte(document)) },
	}
}

func TestO5HostedDomain(t *testing.T) {
	for _, c := range []struct{ strategy, options, document, want string }{
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","hd":"example.com"}`, ""},
		{"google-apps", `,"domain":"Example.com"`, `{"sub":"1","hd":"eXample.COM"}`, ""},
		{"google-apps", `,"tenant_domain":"example.com"`, `{"sub":"1","hd":"example.com"}`, ""},
		{"google-apps", `,"domain":"example.com","domain_aliases":["example.org","example.net"]`, `{"sub":"1","hd":"example.net"}`, ""},
		{"google-apps", ``, `{"sub":"1"}`, ""}, // for all of Google
		{"google-oauth2", `,"domain":"example.com"`, `{"sub":"1"}`, ""},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1"}`, "it has no hd"},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","hd":""}`, "it has no hd"},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","hd":null}`, "it has no hd"},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","hd":["example.com"]}`, "it has no hd"},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","email":"a@example.com","email_verified":true}`, "it has no hd"},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","HD":"example.com"}`, "it has no hd"},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","hd":"evil.test"}`, "its hd is none of"},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","hd":"example.com.evil.test"}`, "its hd is none of"},
		{"google-apps", `,"domain":"example.com"`, `{"sub":"1","hd":"xample.com"}`, "its hd is none of"},
		{"google-apps", `,"domain":"k.example.com"`, `{"sub":"1","hd":"\u212a.example.com"}`, "its hd is none of"}, // the Kelvin sign folds to k
		{"google-apps", `,"domain":"example.com","attribute_map":{"mapping_mode":"use_map","attributes":{"user_id":"${context.userinfo.sub}"}}`, `{"sub":"1","hd":"example.com"}`, ""},
	} {
		for source, get := range both(t, c.strategy, c.options, c.document) {
			p, err := get()
			if c.want == "" {
				require.NoError(t, err, "%s %s %s", source, c.options, c.document)
				continue
			}
			assert.Nil(t, p)
			var failure *upstream.ProfileError
			require.ErrorAs(t, err, &failure, "%s %s %s", source, c.options, c.document)
			assert.Contains(t, failure.Message, c.want)
			assert.NotContains(t, err.Error(), "evil")
		}
	}
	// Of whatever source.
	own := sourced(t, "google-apps", `,"domain":"example.com"`, `{}`)
	for hd, ok := range map[string]bool{``: false, `"example.com"`: true, ` "example.com" `: true, `"evil.test"`: false, `"example.com`: false, `1`: false} {
		_, err := own.WithProfileFetcher(nil, func(context.Context, *oauth2.Token, *upstream.Connection) (*upstream.Profile, error) {
			return &upstream.Profile{UserID: "1", Extra: map[string]json.RawMessage{"hd": json.RawMessage(hd)}}, nil
		}).FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
		assert.Equal(t, ok, err == nil, hd)
	}
}

func TestO10ScriptWithoutFetcher(t *testing.T) {
	p := sourced(t, "oauth2", `,"scripts":{"fetchUserProfile":"function f(a,c,cb){cb(null,{user_id:1})}"}`, `{"sub":"another"}`)
	_, err := p.FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
	var failure *upstream.ProfileError
	require.ErrorAs(t, err, &failure)
	assert.Contains(t, failure.Message, "fetchscript")
	assert.True(t, p.HasProfile(), "it has a source, which nobody runs yet")
	_, err = p.WithProfileFetcher(nil, func(context.Context, *oauth2.Token, *upstream.Connection) (*upstream.Profile, error) {
		return &upstream.Profile{UserID: "1"}, nil
	}).FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
	require.NoError(t, err)
}

func TestO10Mapping(t *testing.T) {
	const document = `{"sub":"1","oid":"o-1","email":"a@example.com","email_verified":true,"mail":"b@example.com","upn":null,"name":"N","groups":["g"],
		"address":{"locality":"L"},"https://example.com/id":"i","phone_number":"5","phone_number_verified":true}`
	no := false
	yes := true
	for _, c := range []struct {
		options string
		source  string // "" for both
		want    upstream.Profile
		extra   []string
	}{
		{`,"userid_attribute":"oid"`, "", upstream.Profile{UserID: "o-1", Email: "a@example.com", EmailVerified: &yes, Name: "N", PhoneNumber: "5", PhoneVerified: &yes}, nil},
		// What is said of one address holds for no other.
		{`,"fieldsMap":{"email":["upn","mail"],"nickname":"address.locality","phone_number":"sub"}`, "", upstream.Profile{UserID: "1", Email: "b@example.com", Name: "N", Nickname: "L", PhoneNumber: "1"}, nil},
		{`,"fieldsMap":{"user_id":"https://example.com/id","city":"address.locality"}`, "", upstream.Profile{UserID: "i", Email: "a@example.com", EmailVerified: &yes, Name: "N", PhoneNumber: "5", PhoneVerified: &yes}, []string{"city"}},
		{
			`,"attribute_map":{"mapping_mode":"use_map","attributes":{"user_id":"${context.userinfo.oid}","email":"${context.userinfo.mail}","city":"${context.userinfo.address.locality}","name":"${context.tokenset.name}"}}`,
			"userinfo", upstream.Profile{UserID: "o-1", Email: "b@example.com"}, []string{"city", "sub"},
		},
		{
			`,"attribute_map":{"mapping_mode":"use_map","attributes":{"user_id":"${context.userinfo.oid}","name":"${context.tokenset.name}"}}`,
			"claims", upstream.Profile{UserID: "1", Name: "N"}, []string{"sub"},
		},
		{`,"attribute_map":{"mapping_mode":"bind_all","attributes":{"name":"a || b"}}`, "", upstream.Profile{UserID: "1", Email: "a@example.com", EmailVerified: &yes, Name: "N", PhoneNumber: "5", PhoneVerified: &yes}, nil},
		{`,"should_trust_email_verified_connection":"never_set_emails_as_verified"`, "", upstream.Profile{UserID: "1", Email: "a@example.com", EmailVerified: &no, Name: "N", PhoneNumber: "5", PhoneVerified: &yes}, nil},
		{`,"should_trust_email_verified_connection":"always_set_emails_as_verified","fieldsMap":{"email":"mail"}`, "", upstream.Profile{UserID: "1", Email: "b@example.com", EmailVerified: &yes, Name: "N", PhoneNumber: "5", PhoneVerified: &yes}, nil},
	} {
		for source, get := range both(t, "oidc", c.options, document) {
			if c.source != "" && c.source != source {
				continue
			}
			got, err := get()
			require.NoError(t, err, "%s %s", source, c.options)
			if c.extra != nil {
				for _, name := range c.extra {
					assert.Contains(t, got.Extra, name, "%s %s", source, c.options)
				}
			}
			if strings.Contains(c.options, "use_map") {
				assert.Len(t, got.Extra, len(c.extra))
			}
			got.Extra = nil
			assert.Equal(t, c.want, *got, "%s %s", source, c.options)
		}
	}
	// Nothing is verified that is not there.
	p := sourced(t, "oidc", `,"should_trust_email_verified_connection":"always_set_emails_as_verified"`, `{"sub":"1"}`)
	got, err := p.FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
	require.NoError(t, err)
	assert.Nil(t, got.EmailVerified)
}

func TestO10Expressions(t *testing.T) {
	attribute := func(expression string) string {
		return `,"attribute_map":{"mapping_mode":"use_map","attributes":{"name":` + expression + `}}`
	}
	for _, options := range []string{
		attribute(`"${context.tokenset.given_name} ${context.tokenset.family_name}"`), attribute(`"${upper(context.userinfo.name)}"`),
		attribute(`"name"`), attribute(`"SECRET"`), attribute(`true`), attribute(`"${context.userinfo.}"`), attribute(`"${context.userinfo}"`),
		attribute(`"${context.tokenset.a || context.tokenset.b}"`), attribute(`"${context.tokenset.groups[0]}"`), attribute(`"${context.tokenset.a}}"`),
		`,"fieldsMap":{"name":"{{first}} {{last}}"}`, `,"fieldsMap":{"name":1}`, `,"fieldsMap":{"name":["a",{}]}`, `,"fieldsMap":{"name":""}`, `,"userid_attribute":"a b"`,
	} {
		for source, get := range both(t, "oidc", options, `{"sub":"1","name":"N"}`) {
			_, err := get()
			var failure *upstream.ProfileError
			require.ErrorAs(t, err, &failure, "%s %s", source, options)
			assert.Contains(t, failure.Message, "is more than a path")
			assert.NotContains(t, err.Error(), "SECRET")
		}
	}
}
