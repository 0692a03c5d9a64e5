package upstream_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/upstream"
	"example.com/upstream/internal/docblock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

// reference is the package's documentation as go doc has it.
func reference(t *testing.T) *doc.Package {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, f)
	}
	require.Len(t, files, 6)
	p, err := doc.NewFromFiles(fset, files, "example.com/upstream")
	require.NoError(t, err)
	return p
}

// functions gives all exported functions and methods by their name in go doc.
func functions(p *doc.Package) map[string]*doc.Func {
	out := map[string]*doc.Func{}
	for _, f := range p.Funcs {
		out[f.Name] = f
	}
	for _, typ := range p.Types {
		for _, f := range typ.Funcs {
			out[f.Name] = f
		}
		for _, m := range typ.Methods {
			out[typ.Name+"."+m.Name] = m
		}
	}
	return out
}

func TestDocumentationOfEveryExportedName(t *testing.T) {
	p := reference(t)
	for name, f := range functions(p) {
		assert.NotEmpty(t, f.Doc, name)
	}
	for _, typ := range p.Types {
		assert.NotEmpty(t, typ.Doc, typ.Name)
	}
	for _, v := range append(p.Vars, p.Consts...) {
		assert.NotEmpty(t, v.Doc, v.Names)
	}
}

// What go doc and the README show runs: their code stands in the examples, to
// the line. And a newcomer finds an example of every function but for those
// that are called by fmt, log/slog, errors and encoding/json, and the grants
// that no browser login uses.
func TestDocumentationRuns(t *testing.T) {
	d, err := docblock.Read(".")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(d.Blocks), 3)
	assert.Empty(t, d.Unrun(), "code that no example runs")
	others := []string{
		"Format", "LogValue", "Error", "Is", "Unwrap", "UnmarshalJSON", "MarshalJSON", "UnmarshalText", "MarshalText", "IsZero",
		"PasswordCredentialsToken", "DeviceAuth", "DeviceAccessToken",
	}
	for name, f := range functions(reference(t)) {
		assert.True(t, d.Called[f.Name] || slices.Contains(others, f.Name), "%s has no example", name)
	}
}

// The tables of the README: what stands in their first column is configuration
// that the library takes.
func TestReadmeTables(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `(\"[^`]+)` \\|").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(rows), 10)
	for _, row := range rows {
		name, options := row[1], row[1]
		if key, _, _ := strings.Cut(name, ":"); slices.Contains([]string{`"value"`, `"allow"`, `"allow_pattern"`, `"translate"`, `"essential"`}, key) {
			options = `"upstream_params": {"acr_values": {"alias": "acr_values", ` + name + `}}`
		}
		if !strings.Contains(options, "authorizationURL") {
			options += `, "authorizationURL": "https://idp.example.com/authorize"`
		}
		conn, err := upstream.ParseConnection([]byte(`{"name": "c", "strategy": "oauth2", "options": {
			"client_id": "c", "tokenURL": "https://idp.example.com/token", ` + options + `}}`))
		require.NoError(t, err, name)
		assert.NoError(t, conn.Validate(), name)
	}
}

// otherError is that of a parameter which comes twice.
func otherError() error {
	req, err := upstream.ParseAuthorizeQuery("idphint=a&idphint=b")
	if err == nil {
		_, err = req.Other("idphint")
	}
	return err
}

// E1 holds for every function that returns an error: each has a call here that
// fails, and a new function without one fails this test.
func TestE1PrefixOfEveryError(t *testing.T) {
	ctx := context.Background()
	var provider *upstream.Provider
	var config *upstream.TokenConfig
	var profile *upstream.Profile
	first := func(_ any, err error) error { return err }
	failures := map[string]error{
		"AuthorizationURL":                     first(upstream.AuthorizationURL(nil, nil, upstream.Transaction{})),
		"NewTokenConfig":                       first(upstream.NewTokenConfig(oauth2.Config{}, upstream.Headers{"Host": upstream.NewSecret("x")})),
		"NewProvider":                          first(upstream.NewProvider(nil)),
		"ParseAuthorizeQuery":                  first(upstream.ParseAuthorizeQuery("prompt=%")),
		"ParseAuthorizeRequest":                first(upstream.ParseAuthorizeRequest(nil)),
		"ParseAuthorizeValues":                 first(upstream.ParseAuthorizeValues(url.Values{"prompt": {"\x00"}})),
		"ParseConnection":                      first(upstream.ParseConnection(nil)),
		"ParseProfile":                         first(upstream.ParseProfile(nil)),
		"TokenConfig.DeviceAccessToken":        first(config.DeviceAccessToken(ctx, nil)),
		"TokenConfig.DeviceAuth":               first(config.DeviceAuth(ctx)),
		"TokenConfig.Exchange":                 first(config.Exchange(ctx, "code")),
		"TokenConfig.PasswordCredentialsToken": first(config.PasswordCredentialsToken(ctx, "u", "p")),
		"AuthorizeRequest.Other":               otherError(),
		"Connection.UnmarshalJSON":             new(upstream.Connection).UnmarshalJSON([]byte("{")),
		"Connection.UpdateBody":                first((*upstream.Connection)(nil).UpdateBody()),
		"Connection.Validate":                  new(upstream.Connection).Validate(),
		"Profile.CheckSubject":                 profile.CheckSubject("x"),
		"Profile.UnmarshalJSON":                new(upstream.Profile).UnmarshalJSON([]byte("{}")),
		"Profile.MarshalJSON":                  first(upstream.Profile{Extra: map[string]json.RawMessage{"x": []byte("{")}}.MarshalJSON()),
		"Provider.AppendAuthorizationURL":      first(provider.AppendAuthorizationURL(nil, nil, upstream.Transaction{})),
		"Provider.AuthorizationURL":            first(provider.AuthorizationURL(nil, upstream.Transaction{})),
		"Provider.Explain":                     first(provider.Explain(nil, upstream.Transaction{})),
		"Provider.FetchProfile":                first(provider.FetchProfile(ctx, nil)),
		"Provider.Params":                      first(provider.Params(nil, upstream.Transaction{})),
		"ParseCallback":                        first(upstream.ParseCallback(nil)),
		"Provider.ParseCallback":               first(provider.ParseCallback(nil, upstream.Transaction{})),
		"Provider.CheckCallback":               provider.CheckCallback(nil, upstream.Transaction{}),
		"Provider.ParseClaims":                 first(provider.ParseClaims(nil)),
		"Userinfo.Fetch":                       first(upstream.Userinfo{}.Fetch(ctx, nil, nil)),
		// What these make comes out of http.Client and oauth2.TokenSource.
		"TokenConfig.Client": func() error {
			_, err := config.TokenSource(ctx, nil).Token()
			return err
		}(),
		"ErrSAML": upstream.ErrSAML,
	}
	never := map[string]bool{"Connection.MarshalJSON": true, "Param.MarshalJSON": true, "ProfileError.Unwrap": true, "Secret.MarshalText": true, "Secret.UnmarshalText": true}
	for name, f := range functions(reference(t)) {
		results := f.Decl.Type.Results
		if results == nil || never[name] {
			continue
		}
		if last, ok := results.List[len(results.List)-1].Type.(*ast.Ident); ok && last.Name == "error" {
			assert.Contains(t, failures, name)
		}
	}
	for name, err := range failures {
		if assert.Error(t, err, name) {
			text, ok := strings.CutPrefix(err.Error(), "upstream: ")
			assert.True(t, ok && !strings.HasPrefix(text, "upstream: "), "%s: %v", name, err)
		}
	}
	_, err := config.Client(ctx, nil).Get("http://127.0.0.1:1/")
	var layer *url.Error
	require.ErrorAs(t, err, &layer) // net/http's own
	assert.True(t, strings.HasPrefix(layer.Err.Error(), "upstream: "), err)
}
