package upstream_test

// Tests of defences that the other tests would not miss: each was seen to fail
// without the line that it is for.

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

// TestE4TokenConfigsShareNothing makes two for one Provider: one must not write
// its redirect URL into the other, or into the Provider.
func TestE4TokenConfigsShareNothing(t *testing.T) {
	idp := newSite(t, answer(200, "application/json", `{"access_token":"A1","token_type":"Bearer"}`))
	p := provider(t, `{"name": "my-idp", "strategy": "oauth2", "options": {"client_id": "c",
		"authorizationURL": "https://idp.example.com/a", "tokenURL": "`+idp.URL+`/token"}}`)
	first := p.TokenConfig("https://auth.example.com/first")
	second := p.TokenConfig("https://auth.example.com/second")
	for _, c := range []*upstream.TokenConfig{first, second, first, p.TokenConfig("")} {
		_, err := c.Exchange(t.Context(), "code")
		require.NoError(t, err)
	}
	var sent []string
	for _, r := range idp.all() {
		sent = append(sent, r.Form.Get("redirect_uri"))
	}
	assert.Equal(t, []string{"https://auth.example.com/first", "https://auth.example.com/second", "https://auth.example.com/first", ""}, sent)
}

// TestE4HostTransportMayWriteToHeaders has a transport that scribbles, as some
// that sign or trace do.
func TestE4HostTransportMayWriteToHeaders(t *testing.T) {
	var seen []string
	scribbling := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r.Header.Get("X-Key"))
		r.Header["X-Key"][0] = "scribbled"
		r.Header["X-Key"] = append(r.Header["X-Key"], "more")
		r.Header.Set("X-Other", "scribbled")
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"access_token":"A1","token_type":"Bearer"}`)), Request: r}, nil
	})
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: scribbling})
	config, err := upstream.NewTokenConfig(oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: "https://idp.example.com/token"}},
		upstream.Headers{"X-Key": upstream.NewSecret("kept")})
	require.NoError(t, err)
	for range 3 {
		_, err := config.Exchange(ctx, "code")
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"kept", "kept", "kept"}, seen)
}

// TestThreat13RequestIsReadNowhereElse looks at what the sources read of an
// incoming request: a header that nobody thought of cannot be tried.
func TestThreat13RequestIsReadNowhereElse(t *testing.T) {
	allowed := map[string]bool{"Method": true, "URL": true, "Body": true, "PostForm": true}
	read := 0
	var files []string
	for _, pattern := range []string{"*.go", "internal/form/*.go", "internal/callback/*.go", "internal/incoming/*.go"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, d := range tree.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name == "RoundTrip" || f.Name.Name == "leftOrigin" { // of requests that go out
				continue
			}
			for _, name := range incoming(f.Type) {
				ast.Inspect(f.Body, func(n ast.Node) bool {
					if call, ok := n.(*ast.CallExpr); ok && isContentType(call, name) {
						read++
						return false
					}
					if s, ok := n.(*ast.SelectorExpr); ok && isName(s.X, name) {
						read++
						assert.True(t, allowed[s.Sel.Name], "%s, %s reads %s.%s", file, f.Name.Name, name, s.Sel.Name)
					}
					return true
				})
			}
		}
	}
	assert.Greater(t, read, 5, "the test finds what is read")
}

// incoming names the parameters that are an *http.Request.
func incoming(f *ast.FuncType) (names []string) {
	for _, p := range f.Params.List {
		if star, ok := p.Type.(*ast.StarExpr); ok {
			if s, ok := star.X.(*ast.SelectorExpr); ok && isName(s.X, "http") && s.Sel.Name == "Request" {
				for _, name := range p.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// isContentType reports whether a call is name.Header.Get("Content-Type").
func isContentType(call *ast.CallExpr, name string) bool {
	get, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || get.Sel.Name != "Get" || len(call.Args) != 1 {
		return false
	}
	header, ok := get.X.(*ast.SelectorExpr)
	arg, isLiteral := call.Args[0].(*ast.BasicLit)
	return ok && isLiteral && header.Sel.Name == "Header" && isName(header.X, name) && arg.Value == `"Content-Type"`
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// TestR1FormToTheByte has a form as long as may be, a byte more, and one that
// never ends.
func TestR1FormToTheByte(t *testing.T) {
	const prefix = "login_hint=bob&x="
	for size, ok := range map[int]bool{64<<10 - 1: true, 64 << 10: true, 64<<10 + 1: false, 1 << 20: false} {
		body := &counted{limit: size, prefix: prefix}
		r := httptest.NewRequest(http.MethodPost, "/authorize", body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req, err := upstream.ParseAuthorizeRequest(r)
		if assert.Equal(t, ok, err == nil, "%d: %v", size, err) && ok {
			assert.Equal(t, "bob", req.LoginHint)
		}
		assert.LessOrEqual(t, body.read, 64<<10+1, "no more is read than tells that it is too long")
	}
	for size, ok := range map[int]bool{32 << 10: true, 32<<10 + 1: false} {
		_, err := upstream.ParseAuthorizeQuery(prefix + strings.Repeat("y", size-len(prefix)))
		assert.Equal(t, ok, err == nil, "%d: %v", size, err)
		_, err = upstream.ParseAuthorizeValues(map[string][]string{"login_hint": {strings.Repeat("y", 2*size)}})
		assert.Equal(t, ok, err == nil, "%d: %v", size, err)
	}
}

// counted is a body of so many bytes that knows how many were read.
type counted struct {
	prefix      string
	limit, read int
}

func (c *counted) Read(p []byte) (n int, err error) {
	for n < len(p) && c.read < c.limit {
		p[n] = 'y'
		if c.read < len(c.prefix) {
			p[n] = c.prefix[c.read]
		}
		n++
		c.read++
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestR4EmptyBlanksNothing sends every parameter with an empty value, through
// each way that a value may go.
func TestR4EmptyBlanksNothing(t *testing.T) {
	p := provider(t, custom(`"scope": "openid", "authorizationURL": "https://idp.example.com/authorize?url=kept", "upstream_params": {
		"forwarded": {"alias": "login_hint"}, "default": {"alias": "prompt", "value": "kept"}, "ruled": {"alias": "display", "allow": ["", "page"]},
		"lower": {"alias": "ui_locales"}, "many": {"alias": "resource"}, "translated": {"alias": "max_age", "translate": {"": "never", "0": ""}}, "url": {"alias": "audience"}},
		"authParamsMap": {"mapped": "hd", "lower": "access_type"}, "authParams": {"lower": "kept", "mapped": "kept"}`))
	want, err := p.AuthorizationURL(nil, sampleTransaction)
	require.NoError(t, err)
	for _, name := range []string{"default", "lower", "mapped", "url"} {
		assert.Contains(t, want, name+"=kept")
	}
	assert.Equal(t, 4, strings.Count(want, "=kept"))
	assert.NotContains(t, want+"&", "=&", "nothing is sent with an empty value")
	for _, query := range []string{
		"login_hint=&prompt=&display=&ui_locales=&resource=&resource=&max_age=&audience=&hd=&access_type=&connection_scope=",
		"login_hint&prompt&display&ui_locales&resource&max_age&audience&hd&access_type&connection_scope",
		"max_age=0&display=other&prompt=++&connection_scope=+,",
	} {
		req, err := upstream.ParseAuthorizeQuery(query)
		require.NoError(t, err)
		got, err := p.AuthorizationURL(req, sampleTransaction)
		require.NoError(t, err)
		if strings.Contains(query, "prompt=++") { // two spaces are a value where no rule takes it apart
			got = strings.Replace(got, "default=++", "default=kept", 1)
		}
		assert.Equal(t, want, got, query)
	}
}

// TestU5MissingUserID has no id on each way to a profile: never a "<nil>", a
// "null" or an empty one.
func TestU5MissingUserID(t *testing.T) {
	for _, document := range []string{`{}`, `{"user_id":null}`, `{"user_id":""}`, `{"user_id":" "}`, `{"user_id":{}}`, `{"user_id":[]}`, `{"user_id":false}`, `{"user_id":true}`, `{"name":"x","sub":null}`} {
		profile, err := upstream.ParseProfile([]byte(document))
		var failure *upstream.ProfileError
		assert.ErrorAs(t, err, &failure, document)
		assert.Nil(t, profile, document)
		assert.Error(t, new(upstream.Profile).UnmarshalJSON([]byte(document)), document)
		idp := newSite(t, answer(200, "application/json", strings.Replace(document, "user_id", "sub", 1)))
		profile, err = fetch(t.Context(), idp, nil)
		assert.ErrorAs(t, err, &failure, document)
		assert.Nil(t, profile, document)
		profile, err = fetch(t.Context(), newSite(t, answer(200, "application/json", document)), map[string]string{"user_id": "user_id.id"})
		assert.ErrorAs(t, err, &failure, document)
		assert.Nil(t, profile, document)
	}
	p := provider(t, custom(""))
	for _, id := range []string{"", " ", "\t"} {
		assert.Empty(t, p.Subject(id))
		own := p.WithProfileFetcher(nil, func(context.Context, *oauth2.Token, *upstream.Connection) (*upstream.Profile, error) {
			return &upstream.Profile{UserID: id}, nil
		})
		_, err := own.FetchProfile(t.Context(), &oauth2.Token{AccessToken: "A1"})
		assert.Error(t, err)
	}
}
