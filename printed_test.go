package upstream_test

// H8, by measurement: what fmt and slog print of the package's types in every
// shape that a host may hold them in, with every verb.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/internal/option"
)

const hidden = "S3cr3t-T0k3n~Xy"

var verbs = strings.Fields("%v %+v %#v %s %+s %#s %q %#q %+q %x %X %#x %d %+d %t %p %T %w %o %b %c %e %f %g %U %#U %y")

// forms are all ways that fmt has to write a text or its bytes.
func forms() (out []string) {
	for _, verb := range append(verbs, "% x", "%# x", "% X") {
		for _, v := range []any{hidden, []byte(hidden), []rune(hidden), []any{[]byte(hidden)}} {
			text := strings.Trim(fmt.Sprintf(verb, v), `[]"'`)
			if _, listed, isList := strings.Cut(text, "{"); isList {
				text = strings.TrimSuffix(listed, "}")
			}
			if len(text) >= len(hidden) && !strings.Contains(text, "(") {
				out = append(out, text)
			}
		}
	}
	return out
}

var hiddenForms = forms()

func leaks(text string) bool {
	for _, form := range hiddenForms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

type (
	in[T any]  struct{ v T }
	out[T any] struct{ V T }
)

// shapes holds v in all ways that matter to fmt: what is exported and what is
// not, by value, behind pointers, in interfaces and containers.
func shapes[T any](v T) map[string]any {
	p := &v
	var held atomic.Value
	held.Store(v)
	var pointer atomic.Pointer[T]
	pointer.Store(p)
	var m sync.Map
	m.Store("k", v)
	return map[string]any{
		"v": v, "*": p, "**": &p, "[]": []T{v}, "[]*": []*T{p}, "[1]": [1]T{v}, "*[1]": &[1]T{v}, "*[]": &[]T{v}, "[][]": [][]T{{v}},
		"map": map[string]T{"k": v}, "map*": map[string]*T{"k": p}, "*map": &map[string]T{"k": v}, "[]any": []any{v}, "[]any*": []any{p},
		"map any": map[string]any{"k": v}, "map any*": map[any]any{1: p}, "reflect": reflect.ValueOf(v), "reflect*": reflect.ValueOf(p),
		"in": in[T]{v}, "*in": &in[T]{v}, "in*": in[*T]{p}, "*in*": &in[*T]{p}, "in**": in[**T]{&p}, "*in**": &in[**T]{&p},
		"in any": in[any]{v}, "in any*": in[any]{p}, "*in any": &in[any]{v}, "*in any*": &in[any]{p},
		"in[]": in[[]T]{[]T{v}}, "in[]*": in[[]*T]{[]*T{p}}, "in*[]": in[*[]T]{&[]T{v}}, "in[1]": in[[1]T]{[1]T{v}}, "in*[1]": in[*[1]T]{&[1]T{v}},
		"in map": in[map[string]T]{map[string]T{"k": v}}, "in map*": in[map[string]*T]{map[string]*T{"k": p}}, "in*map": in[*map[string]T]{&map[string]T{"k": v}},
		"in[]any": in[[]any]{[]any{v, p}}, "in map any": in[map[string]any]{map[string]any{"k": v}},
		"in in": in[in[T]]{in[T]{v}}, "in*in": in[*in[T]]{&in[T]{v}}, "*in*in": &in[*in[T]]{&in[T]{v}}, "in any in": in[any]{in[T]{v}}, "in any*in": in[any]{&in[T]{v}},
		"in[]in": in[[]in[T]]{[]in[T]{{v}}}, "[]in": []in[T]{{v}}, "map in": map[string]in[T]{"k": {v}}, "[]any in": []any{in[T]{v}, &in[T]{v}}, "[]*in": []*in[T]{{v}},
		"out": out[T]{v}, "*out": &out[T]{v}, "out*": out[*T]{p}, "out any": out[any]{v}, "out any*": out[any]{p}, "out[]": out[[]T]{[]T{v}}, "out map": out[map[string]T]{map[string]T{"k": v}},
		"out in": out[in[T]]{in[T]{v}}, "out*in": out[*in[T]]{&in[T]{v}}, "in out": in[out[T]]{out[T]{v}}, "in*out": in[*out[T]]{&out[T]{v}},
		"func": func() T { return v }, "in func": in[func() T]{func() T { return v }}, "in atomic": &in[*atomic.Value]{&held}, "atomic": &held, "atomic pointer": &pointer,
		"sync.Map": &m, "in sync.Map": in[*sync.Map]{&m}, "context": context.WithValue(context.Background(), new(int), v), "chan": make(chan T),
		"in error": in[error]{fmt.Errorf("%w", errors.Join(errors.New("x")))},
	}
}

// samples are values of the package's types, with the secret in each place that
// may hold one.
func samples(t *testing.T) map[string]map[string]any {
	secret := upstream.NewSecret(hidden)
	options := `"client_secret": "` + hidden + `", "customHeaders": {"X-Key": "` + hidden + `"}, "scripts": {"fetchUserProfile": "` + hidden + `"}, "unknown": "` + hidden + `"`
	conn := parse(t, custom(options))
	faulty := parse(t, custom(options+`, "upstream_params": {"p": "`+hidden+`"}, "authParams": {"a": ["`+hidden+`"]}, "pkce_enabled": "`+hidden+`", "app_secret": {"x": "`+hidden+`"}`))
	literal := upstream.Connection{Name: "my-idp", Strategy: "oauth2", Options: upstream.Options{
		ClientID: "c", ClientSecret: secret, CustomHeaders: upstream.Headers{"X-Key": secret}, FetchUserProfile: secret, AppSecret: secret,
		AuthorizationURL: "https://idp.example.com/a", TokenURL: "https://idp.example.com/t"}}
	p, err := upstream.NewProvider(conn)
	require.NoError(t, err)
	ofLiteral, err := upstream.NewProvider(&literal)
	require.NoError(t, err)
	withFetcher := p.WithProfileFetcher(nil, func(context.Context, *oauth2.Token, *upstream.Connection) (*upstream.Profile, error) {
		return nil, errors.New(hidden)
	})
	config := p.TokenConfig("https://auth.example.com/cb")
	token := &oauth2.Token{AccessToken: hidden, RefreshToken: hidden}
	_, profileError := withFetcher.FetchProfile(t.Context(), token)
	require.Error(t, profileError)
	var ofFetcher, ofUserinfo *upstream.ProfileError
	require.ErrorAs(t, profileError, &ofFetcher)
	tx := upstream.Transaction{RedirectURI: "https://auth.example.com/cb", State: secret, Nonce: secret, CodeVerifier: secret, RequestToken: secret}
	req, err := upstream.ParseAuthorizeQuery("login_hint=x&id_token_hint=" + hidden)
	require.NoError(t, err)
	callback := upstream.Callback{Code: secret, State: secret, Issuer: "https://idp.example.com", Description: secret, User: secret}
	refusing := newSite(t, answer(400, "application/json", `{"error":"invalid_grant","error_description":"`+hidden+`"}`))
	_, refused := newConfig(t, refusing, nil, nil).Exchange(t.Context(), hidden)
	require.Error(t, refused)
	_, asked := upstream.Userinfo{URL: refusing.URL + "/?" + hidden}.Fetch(t.Context(), token, nil)
	require.Error(t, asked)
	require.ErrorAs(t, asked, &ofUserinfo)
	require.Contains(t, ofUserinfo.Body.Reveal(), hidden)
	var configError *upstream.ConfigError
	require.ErrorAs(t, faulty.Validate(), &configError)
	_, unread := upstream.ParseAuthorizeQuery("login_hint=" + hidden + "%00")
	require.Error(t, unread)
	return map[string]map[string]any{
		"Connection": shapes(*conn), "faulty Connection": shapes(*faulty), "literal Connection": shapes(literal), "Options": shapes(conn.Options), "literal Options": shapes(literal.Options),
		"Secret": shapes(secret), "Headers": shapes(conn.Options.CustomHeaders), "Provider": shapes(*p), "Provider of a literal": shapes(*ofLiteral), "Provider with fetcher": shapes(*withFetcher),
		"TokenConfig": shapes(*config), "Client": shapes(config.Client(t.Context(), token)), "Client's Transport": shapes(config.Client(t.Context(), token).Transport),
		"Transaction": shapes(tx), "AuthorizeRequest": shapes(*req), "Callback": shapes(callback),
		"ProfileError": shapes(*ofFetcher), "ProfileError with a body": shapes(*ofUserinfo), "error of a fetcher": shapes(profileError), "error of userinfo": shapes(asked), "error of the token endpoint": shapes(refused),
		"ConfigError": shapes(*configError), "RequestError": shapes(unread),
		"embedding": shapes(struct {
			*upstream.Connection
			upstream.Options
			upstream.Transaction
		}{conn, literal.Options, tx}),
		"embedding one":  shapes(struct{ upstream.Options }{literal.Options}),
		"embedding, too": shapes(struct{ alias }{literal}),
	}
}

type alias = upstream.Connection

func TestH8Shapes(t *testing.T) {
	for name, shapes := range samples(t) {
		require.GreaterOrEqual(t, len(shapes), 37)
		for shape, v := range shapes {
			for _, verb := range verbs {
				if text := fmt.Sprintf(verb, v); leaks(text) {
					t.Errorf("%s, %s, %s: %.300s", name, shape, verb, text)
				}
			}
			var logged bytes.Buffer
			fmt.Fprintln(&logged, v, []any{v})
			slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "v", v, slog.Group("g", "v", v))
			if leaks(logged.String()) {
				t.Errorf("%s, %s, in a log: %.300s", name, shape, logged.String())
			}
			logged.Reset()
			slog.New(slog.NewJSONHandler(&logged, nil)).Info("json", "v", v)
			// JSON is for storage: what encoding/json finds inside another value is
			// written in full. Secrets on their own are not.
			stored, _ := json.Marshal(v)
			own := (shape == "v" || shape == "*") && !strings.HasPrefix(name, "embedding")
			if leaks(logged.String()) && (own || !leaks(string(stored))) {
				t.Errorf("%s, %s, in a JSON log: %.300s", name, shape, logged.String())
			}
		}
	}
}

// TestH8ShapesFindWhatIsPrinted holds the test itself against types that hide
// nothing.
func TestH8ShapesFindWhatIsPrinted(t *testing.T) {
	for name, shapes := range map[string]map[string]any{
		"text": shapes(struct{ text string }{hidden}), "bytes": shapes(struct{ bytes []byte }{[]byte(hidden)}), "a pointer to it": shapes(&struct{ text string }{hidden}),
	} {
		found := 0
		for _, shape := range []string{"v", "[]", "map", "in", "*in", "in[]", "in map", "in in", "in any", "out", "out in"} {
			for _, verb := range verbs {
				if leaks(fmt.Sprintf(verb, shapes[shape])) {
					found++
				}
			}
		}
		assert.Greater(t, found, 50, name)
	}
	misfit := verbs[slices.Index(verbs, "%s")]
	assert.True(t, leaks(fmt.Sprintf(misfit, in[*in[string]]{&in[string]{hidden}})), "one pointer is followed where the verb does not fit")
}

// TestH8ProblemsQuoteNoValue puts a text into each member that the library knows,
// in every shape, and looks for it in what is said of the connection.
func TestH8ProblemsQuoteNoValue(t *testing.T) {
	for _, strategy := range []string{"oauth2", "oidc", "oauth1", "waad", "twitter", "okta", "google-apps", "apple"} {
		for _, m := range option.All() {
			for _, path := range m.Paths() {
				if path == "name" || path == "strategy" { // which name the connection
					continue
				}
				for _, value := range []string{`"%s"`, `["%s"]`, `{"x": "%s"}`, `{"x": {"value": "%s", "alias": "%s", "y": "%s"}}`, `{"x": "%s\u0000", "Host": "%s"}`, `"{\"x\": %s}"`, `"https://%s/%%zz"`, `"(%s"`, `{"x": {"alias": "prompt", "allow_pattern": "(%s"}}`} {
					text := strings.NewReplacer("%s", hidden, "%%", "%").Replace(value)
					names := strings.Split(path, "/")
					for i := len(names) - 1; i >= 0; i-- {
						text = `{"` + names[i] + `": ` + text + `}`
					}
					conn, err := upstream.ParseConnection([]byte(text))
					if err != nil {
						assert.False(t, leaks(err.Error()), "%s: %v", path, err)
						continue
					}
					conn.Name, conn.Strategy = "my-idp", strategy
					said := fmt.Sprint(conn.Validate(), conn.Warnings())
					assert.False(t, leaks(said), "%s of %s, %s: %s", path, strategy, value, said)
				}
			}
		}
	}
}

func TestC5WAADProtocol(t *testing.T) {
	for protocol, ok := range map[string]bool{"": true, "openid-connect": true, "OpenID-Connect": false, "oauth2": false, "saml": false} {
		err := parse(t, `{"name": "a", "strategy": "waad", "options": {"client_id": "c", "tenant_domain": "contoso.example", "waad_protocol": "`+protocol+`"}}`).Validate()
		assert.Equal(t, ok, err == nil, "%s: %v", protocol, err)
		if !ok {
			var config *upstream.ConfigError
			require.ErrorAs(t, err, &config)
			assert.Equal(t, "/options/waad_protocol", config.Problems[0].Pointer)
		}
	}
}
