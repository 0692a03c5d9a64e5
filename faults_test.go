package upstream_test

// What the token endpoint and the userinfo endpoint can do wrong, and what is
// printed of it: both take the same list.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
)

// padded is a JSON object of that many bytes.
func padded(size int) string {
	const object = `{"access_token":"A2","sub":"1","pad":""}`
	return object[:len(object)-2] + strings.Repeat("x", size-len(object)) + object[len(object)-2:]
}

const (
	timedOut = "the request timed out"
	tooLarge = "the answer is larger than 1 MiB"
	ended    = "the connection ended before the answer did"
	failed   = "the request failed; the wrapped error has the cause"
	noToken  = "the answer is neither JSON nor a form with the members that it must have"
	noJSON   = "the profile cannot be read as JSON: "
)

var faults = []struct {
	name    string
	answer  http.HandlerFunc
	token   string // the end of the token endpoint's error; "" is a token
	profile string // the beginning of the profile's, after the prefix; "" is a profile
	status  int    // of RetrieveError and ProfileError
	is      error
}{
	{"hanging", hang(""), timedOut, "userinfo endpoint: " + timedOut, 0, context.DeadlineExceeded},
	{"hanging in the body", hang(`{"access_token":`), timedOut, "userinfo endpoint: " + timedOut, 0, context.DeadlineExceeded},
	{"slow", drip, timedOut, "userinfo endpoint: " + timedOut, 0, context.DeadlineExceeded},
	{"truncated", raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"access_token\":\"SECRET\"", true), ended, "userinfo endpoint: " + ended, 0, io.ErrUnexpectedEOF},
	{"truncated failure", raw("HTTP/1.1 500 OK\r\nContent-Length: 1000\r\n\r\n{\"SECRET\"", true), ended, "userinfo endpoint: " + ended, 0, io.ErrUnexpectedEOF},
	{"reset", raw("", false), "the connection failed: read: connection reset by peer", "userinfo endpoint: the connection failed: read", 0, nil},
	{"closed", raw("", true), ended, "userinfo endpoint: " + ended, 0, io.EOF},
	{"not HTTP", raw("SECRET SECRET\r\n\r\n", true), failed, "userinfo endpoint: " + failed, 0, nil},
	{"1 MiB", answer(200, "application/json", padded(1<<20)), "", "", 0, nil},
	{"over 1 MiB", answer(200, "application/json", padded(1<<20+1)), tooLarge, "userinfo endpoint: " + tooLarge, 200, nil},
	{"endless", endless, tooLarge, "userinfo endpoint: " + tooLarge, 200, nil},
	{"decompression bomb", bomb, tooLarge, "userinfo endpoint: " + tooLarge, 200, nil},
	{"failure over 1 MiB", answer(500, "application/x-www-form-urlencoded", "error=a&pad="+padded(1<<20)), "status 500", "userinfo endpoint: status 500", 500, nil},
	{"text", answer(200, "text/plain", "SECRET"), noToken, noJSON, 200, nil},
	{"HTML", answer(200, "text/html", "<p>SECRET</p>"), noToken, noJSON, 200, nil},
	{"half JSON", answer(200, "application/json", `{"access_token":"SECRET"`), noToken, noJSON, 200, nil},
	{"JSON of another type", answer(200, "application/json", `{"access_token":20250,"user_id":"SECRET"}`), noToken, "user_id is missing", 200, nil},
	{"array", answer(200, "application/json", `["SECRET"]`), noToken, "the profile is not a JSON object", 200, nil},
	{"null", answer(200, "application/json", `null`), noToken, "the profile is not a JSON object", 200, nil},
	{"empty", answer(200, "application/json", ``), noToken, noJSON, 200, nil},
	{"no content", answer(204, "application/json", ``), noToken, "userinfo endpoint: status 204", 204, nil},
	{"object without members", answer(200, "application/json", `{}`), noToken, "user_id is missing", 200, nil},
	{"form", answer(200, "application/x-www-form-urlencoded", "access_token=A2&token_type=bearer"), "", noJSON, 200, nil},
	{"bad form", answer(200, "application/x-www-form-urlencoded", "access_token=%zz"), noToken, noJSON, 200, nil},
	{"error in a form", answer(400, "application/x-www-form-urlencoded", "error=invalid_grant&error_description=SECRET"), "status 400, error invalid_grant", "userinfo endpoint: status 400", 400, nil},
	{"error", answer(400, "application/json", `{"error":"invalid_grant","error_description":"SECRET"}`), "status 400, error invalid_grant", "userinfo endpoint: status 400", 400, nil},
	{"error with 200", answer(200, "application/json", `{"error":"bad_verification_code","error_uri":"SECRET"}`), "status 200, an error code that is not registered", "user_id is missing", 200, nil},
	{"error that is no code", answer(400, "application/json", `{"error":"SECRET"}`), "status 400, an error code that is not registered", "userinfo endpoint: status 400", 400, nil},
	{"the first status that redirects", answer(300, "text/html", "<p>SECRET"), "status 300: it redirects, which is never followed; correct the URL", "userinfo endpoint: status 300: it redirects, which is never followed; correct the URL", 300, nil},
	{"the last", answer(399, "text/html", "<p>SECRET"), "status 399: it redirects, which is never followed; correct the URL", "userinfo endpoint: status 399: it redirects, which is never followed; correct the URL", 399, nil},
	{"error in the letters of a code", answer(400, "application/json", `{"error":"secret_of_the_user"}`), "status 400, an error code that is not registered", "userinfo endpoint: status 400", 400, nil},
	{"unauthorized HTML", answer(401, "text/html", "<p>SECRET"), "status 401", "userinfo endpoint: status 401: it refuses the access token", 401, nil},
	{"forbidden", answer(403, "text/html", "<p>SECRET"), "status 403", "userinfo endpoint: status 403: it refuses the access token", 403, nil},
	{"5xx", answer(503, "text/html", "<p>SECRET"), "status 503", "userinfo endpoint: status 503", 503, nil},
}

func TestH4H8FaultsOfTheTokenEndpoint(t *testing.T) {
	for _, f := range faults {
		for _, by := range []string{"exchange", "refresh"} {
			t.Run(f.name+"/"+by, func(t *testing.T) {
				t.Parallel()
				idp := newSite(t, f.answer)
				config := newConfig(t, idp, nil, nil)
				ctx := withTimeout(t, f.is)
				request := config.TokenSource(ctx, expired("R1")).Token
				if by == "exchange" {
					request = func() (*oauth2.Token, error) { return config.Exchange(ctx, "code") }
				}
				token, err := request()
				assert.Len(t, idp.all(), 1)
				if f.token == "" {
					require.NoError(t, err)
					assert.Equal(t, "A2", token.AccessToken)
					return
				}
				require.EqualError(t, err, "upstream: token endpoint: "+f.token)
				assert.True(t, f.is == nil || errors.Is(err, f.is), "cause: %v", errors.Unwrap(err))
				refused, retrieved := asRefused(err)
				if assert.Equal(t, strings.HasPrefix(f.token, "status"), retrieved) && retrieved {
					assert.Equal(t, f.status, refused.Response.StatusCode)
				}
				assert.NotContains(t, printed(err), "SECRET")
				if f.token == noToken {
					assert.NoError(t, errors.Unwrap(err), "encoding/json quotes what it cannot use")
				}
			})
		}
	}
}

func TestU2FaultsOfTheUserinfoEndpoint(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			idp := newSite(t, f.answer)
			profile, err := fetch(withTimeout(t, f.is), idp, nil)
			assert.Len(t, idp.all(), 1)
			if f.profile == "" {
				require.NoError(t, err)
				assert.Equal(t, "1", profile.UserID)
				return
			}
			var failure *upstream.ProfileError
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, f.status, failure.StatusCode)
			assert.True(t, f.is == nil || errors.Is(err, f.is), "cause: %v", errors.Unwrap(err))
			assert.NotContains(t, printed(err)+printed(*failure), "SECRET")
			if got, want := err.Error(), "upstream: profile: "+f.profile; !strings.HasPrefix(got, want) {
				t.Errorf("error = %q, want %q...", got, want)
			}
			if f.status != 0 && !strings.Contains(f.profile+f.name, "1 MiB") && f.name != "empty" && f.name != "no content" {
				assert.False(t, failure.Body.IsZero())
			}
		})
	}
}

// withTimeout gives the faults that never end an end.
func withTimeout(t *testing.T, is error) context.Context {
	host := &http.Client{}
	if errors.Is(is, context.DeadlineExceeded) {
		host.Timeout = 100 * time.Millisecond
	}
	return context.WithValue(t.Context(), oauth2.HTTPClient, host)
}

func fetch(ctx context.Context, idp *site, fields map[string]string) (*upstream.Profile, error) {
	return upstream.Userinfo{URL: idp.URL + "/userinfo", Fields: fields}.Fetch(ctx, &oauth2.Token{AccessToken: "A1"}, nil)
}

func TestH7EndOfTheContextEndsTheRequest(t *testing.T) {
	for name, request := range map[string]func(context.Context, *upstream.TokenConfig, *site) error{
		"exchange": func(ctx context.Context, c *upstream.TokenConfig, _ *site) error {
			_, err := c.Exchange(ctx, "code")
			return err
		},
		"device": func(ctx context.Context, c *upstream.TokenConfig, _ *site) error {
			_, err := c.DeviceAuth(ctx)
			return err
		},
		"profile": func(ctx context.Context, _ *upstream.TokenConfig, s *site) error {
			_, err := fetch(ctx, s, nil)
			return err
		},
	} {
		for _, text := range []string{"", "{"} {
			t.Run(name, func(t *testing.T) {
				idp := newSite(t, hang(text))
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				err := request(ctx, newConfig(t, idp, nil, nil), idp)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Contains(t, err.Error(), timedOut)

				ctx, cancel = context.WithCancel(t.Context())
				time.AfterFunc(50*time.Millisecond, cancel)
				err = request(ctx, newConfig(t, idp, nil, nil), idp)
				require.ErrorIs(t, err, context.Canceled)
				assert.Contains(t, err.Error(), "the request was canceled")
			})
		}
	}
}

func TestE3DeviceAuthorizationWithoutCode(t *testing.T) {
	for _, body := range []string{"null", " null\n", "{}", "[]", `{"device_code":7}`} { // null makes oauth2 alone panic
		_, err := newConfig(t, newSite(t, answer(200, "application/json", body)), nil, nil).DeviceAuth(t.Context())
		require.ErrorContains(t, err, "upstream: device authorization endpoint: the answer", body)
	}
}

func TestCertificateIsNamed(t *testing.T) {
	idp := httptest.NewTLSServer(http.NotFoundHandler())
	defer idp.Close()
	idp.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	config, err := upstream.NewTokenConfig(oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: idp.URL}}, nil)
	require.NoError(t, err)
	_, err = config.Exchange(t.Context(), "code")
	require.EqualError(t, err, "upstream: token endpoint: the server's certificate could not be verified")
}

// printed is v as programs print and log it.
func printed(v any) string {
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&out, verb+"\n", v)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("text", "v", v)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "v", v)
	_ = json.NewEncoder(&out).Encode(v)
	return out.String()
}

// TestH8NothingPrintedHoldsASecret plants secrets in all that is sent and
// answered, and looks for them in all that can be printed.
func TestH8NothingPrintedHoldsASecret(t *testing.T) {
	const secret = "SECRET"
	body := `{"error":"invalid_grant","error_description":"` + secret + `","access_token":"` + secret + `"}`
	status := &atomic.Int32{}
	idp := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", secret)
		w.Header().Set("Location", "/?"+secret)
		answer(int(status.Load()), "application/json", body)(w, r)
	})
	oauth := oauth2.Config{ClientID: "client", ClientSecret: secret, RedirectURL: "https://auth.example.com/?" + secret}
	oauth.Endpoint = oauth2.Endpoint{TokenURL: idp.URL + "/token?key=" + secret, DeviceAuthURL: idp.URL + "/device?key=" + secret}
	config, err := upstream.NewTokenConfig(oauth, upstream.Headers{"Authorization": upstream.NewSecret(basic("client", secret)), "X-Key": upstream.NewSecret(secret)})
	require.NoError(t, err)
	token := &oauth2.Token{AccessToken: secret, RefreshToken: secret}
	things := []any{config, *config, config.Client(t.Context(), token), *config.Client(t.Context(), token), config.Client(t.Context(), token).Transport}

	broken := func(*http.Request) (*http.Response, error) { return nil, hostError{secret} }
	for _, code := range []int{200, 302, 400, 500, 0, -1} {
		ctx, cancel := context.WithCancel(t.Context())
		switch code {
		case 0:
			cancel()
		case -1:
			ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: roundTripFunc(broken)})
		}
		status.Store(int32(max(code, 100)))
		_, exchange := config.Exchange(ctx, secret)
		_, password := config.PasswordCredentialsToken(ctx, secret, secret)
		_, refresh := config.TokenSource(ctx, expired(secret)).Token()
		_, device := config.DeviceAuth(ctx)
		_, get := config.Client(ctx, expired(secret)).Get(idp.URL)
		_, profile := upstream.Userinfo{URL: idp.URL + "/?" + secret}.Fetch(ctx, token, nil)
		var layer *url.Error // the program's own request, and net/http's error for it
		require.ErrorAs(t, get, &layer)
		things = append(things, exchange, password, refresh, device, get, layer.Err, profile)
		for _, err := range []error{exchange, password, refresh, device, profile} {
			assert.False(t, errors.As(err, &layer), "the URL and its query stay inside: %v", err)
		}
		cancel()
	}
	_, injected := upstream.Userinfo{URL: idp.URL}.Fetch(t.Context(), &oauth2.Token{AccessToken: secret + "\r\nX: y"}, nil)
	p := provider(t, `{"name": "acme", "strategy": "oauth2", "options": {"client_id": "client", "client_secret": "`+secret+`",
		"authorizationURL": "https://idp.example.com/authorize", "tokenURL": "https://idp.example.com/token"}}`)
	_, own := p.WithProfileFetcher(nil, func(context.Context, *oauth2.Token, *upstream.Connection) (*upstream.Profile, error) {
		return nil, errors.New(secret)
	}).FetchProfile(t.Context(), token)
	things = append(things, injected, own, p.TokenConfig("x"))

	for i, thing := range things {
		require.NotNil(t, thing, "%d", i)
		text := printed(thing)
		for _, form := range []string{secret, strings.TrimPrefix(basic("client", secret), "Basic "), fmt.Sprintf("%x", secret), "[83 69 67 82"} {
			assert.NotContains(t, text, form, "%d: %T", i, thing)
		}
	}
	assert.Contains(t, printed(config), `upstream.TokenConfig(client "client")`)
	assert.Contains(t, printed(config.Client(t.Context(), token)), "upstream.Transport")
	// What errors.As finds is the program's to keep: but no request in it.
	status.Store(400)
	_, err = config.Exchange(t.Context(), secret)
	var refused *oauth2.RetrieveError
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, string(refused.Body), secret)
	assert.Empty(t, refused.Response.Request.Header)
	assert.Nil(t, refused.Response.Request.GetBody)
}

// hostError is a value, whose fields fmt prints wherever it stands.
type hostError struct{ text string }

func (e hostError) Error() string { return e.text }

func TestE3OddTransports(t *testing.T) {
	for name, f := range map[string]roundTripFunc{
		"nothing": func(*http.Request) (*http.Response, error) { return nil, nil },
		"bare":    func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 500}, nil },
	} {
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: f})
		config := newConfig(t, newIdP(t), nil, customHeaders)
		_, err := config.Exchange(ctx, "code")
		assert.Error(t, err, name)
		_, err = config.DeviceAuth(ctx)
		assert.Error(t, err, name)
		_, err = fetch(ctx, newIdP(t), nil)
		assert.Error(t, err, name)
	}
}

func asRefused(err error) (*oauth2.RetrieveError, bool) {
	var refused *oauth2.RetrieveError
	ok := errors.As(err, &refused)
	return refused, ok
}

func TestE4ConfigConcurrentUse(t *testing.T) {
	idp := newSite(t, answer(200, "application/json", `{"access_token":"A2","sub":"1","expires_in":1}`)) // expired at once
	config := newConfig(t, idp, nil, customHeaders)
	source, client := config.TokenSource(t.Context(), expired("R1")), config.Client(t.Context(), expired("R1"))
	errs := make(chan error, 5*8)
	for range 8 {
		go func() {
			_, err := config.Exchange(t.Context(), "code")
			errs <- err
			_, err = source.Token()
			errs <- err
			_, err = oauth2.ReuseTokenSourceWithExpiry(expired("R1"), source, time.Minute).Token()
			errs <- err
			_, err = fetch(t.Context(), idp, nil)
			errs <- err
			resp, err := client.Get(idp.URL + "/me")
			if err == nil {
				err = resp.Body.Close()
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
}
