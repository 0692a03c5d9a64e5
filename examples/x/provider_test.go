package main

// The login proves something only if the provider refuses what X would.

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The example of RFC 5849 section 1.2, whose client the provider has nothing to
// do with.
func TestSignatureOfTheRFC(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://photos.example.net/photos?file=vacation.jpg&size=original", nil)
	got := signature(r, map[string]string{
		"realm": "Photos", "oauth_consumer_key": "dpf43f3p2l4k3l03", "oauth_token": "nnch734d00sl2jdk",
		"oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "137131202", "oauth_nonce": "chapoH",
	}, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00")
	assert.Equal(t, "MdpQcU8iPSUjWoN/UDMsK2sui9I=", got)
}

// A signed request as a test may change it.
type signed struct {
	method, path string
	oauth        map[string]string
	secret       string            // of the consumer
	tokenSecret  string            // of the token
	after        map[string]string // what is changed once it is signed
}

func (s signed) send(t *testing.T, p *provider) (status int, body string) {
	t.Helper()
	r := httptest.NewRequest(s.method, "https://api.twitter.com"+s.path, nil)
	s.oauth["oauth_signature"] = signature(r, s.oauth, s.secret, s.tokenSecret)
	maps.Copy(s.oauth, s.after)
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(s.oauth)) {
		pairs = append(pairs, name+`="`+escape(s.oauth[name])+`"`)
	}
	req, err := http.NewRequest(s.method, r.URL.String(), nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "OAuth "+strings.Join(pairs, ", "))
	resp, err := p.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, strings.TrimSpace(string(text))
}

const verifyPath = "/1.1/account/verify_credentials.json?include_email=true"

func start(t *testing.T) *provider {
	t.Helper()
	p := newProvider("key", "secret&+ä", "https://auth.example.com/callback")
	t.Cleanup(p.Close)
	return p
}

// request gives a request that is right but for its token.
func request(method, path string) signed {
	return signed{method: method, path: path, secret: "secret&+ä", oauth: map[string]string{
		"oauth_consumer_key": "key", "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0",
		"oauth_timestamp": strconv.FormatInt(time.Now().Unix(), 10), "oauth_nonce": "n" + path,
	}}
}

func tokenRequest() signed {
	s := request(http.MethodPost, "/oauth/request_token")
	s.oauth["oauth_callback"] = "https://auth.example.com/callback"
	return s
}

// agreed gives the request that spends a request token whose user has agreed.
func agreed(t *testing.T, p *provider) signed {
	t.Helper()
	status, body := tokenRequest().send(t, p)
	require.Equal(t, http.StatusOK, status, body)
	resp, err := p.Client().PostForm("https://api.twitter.com/oauth/authorize",
		url.Values{"oauth_token": {"example-request-token"}, "username": {"user@domain.com"}})
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "https://auth.example.com/callback?oauth_token=example-request-token&oauth_verifier=example-verifier",
		resp.Header.Get("Location"))
	s := request(http.MethodPost, "/oauth/access_token")
	s.oauth["oauth_token"], s.oauth["oauth_verifier"] = "example-request-token", "example-verifier"
	s.tokenSecret = "example-request-secret"
	return s
}

// profileRequest gives the request for the profile, after a whole login.
func profileRequest(t *testing.T, p *provider) signed {
	t.Helper()
	status, body := agreed(t, p).send(t, p)
	require.Equal(t, http.StatusOK, status, body)
	s := request(http.MethodGet, verifyPath)
	s.oauth["oauth_token"], s.tokenSecret = "example-access-token", "example-access-secret"
	return s
}

func TestProviderChecksEveryRequest(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*signed)
		want   string // "" for an answer of 200
	}{
		{"nothing wrong", func(*signed) {}, ""},
		{"other realm", func(s *signed) { s.oauth["realm"] = "Photos" }, ""}, // it is not signed
		{"wrong signature", func(s *signed) { s.after = map[string]string{"oauth_signature": "AAAA"} }, "oauth_signature is wrong"},
		{"no signature", func(s *signed) { s.after = map[string]string{"oauth_signature": ""} }, "oauth_signature is wrong"},
		{"wrong consumer secret", func(s *signed) { s.secret = "other" }, "oauth_signature is wrong"},
		{"wrong token secret", func(s *signed) { s.tokenSecret = "other" }, "oauth_signature is wrong"},
		{"nonce not signed", func(s *signed) { s.after = map[string]string{"oauth_nonce": "other"} }, "oauth_signature is wrong"},
		{"unknown client", func(s *signed) { s.oauth["oauth_consumer_key"] = "other" }, "unknown oauth_consumer_key"},
		{"other method", func(s *signed) { s.oauth["oauth_signature_method"] = "PLAINTEXT" }, "unknown oauth_version or oauth_signature_method"},
		{"other version", func(s *signed) { s.oauth["oauth_version"] = "2.0" }, "unknown oauth_version or oauth_signature_method"},
		{"no nonce", func(s *signed) { delete(s.oauth, "oauth_nonce") }, "oauth_nonce is used"},
		{"no timestamp", func(s *signed) { delete(s.oauth, "oauth_timestamp") }, "oauth_timestamp is not now"},
		{"old timestamp", func(s *signed) { s.oauth["oauth_timestamp"] = "137131202" }, "oauth_timestamp is not now"},
	} {
		for kind, right := range map[string]func(*testing.T, *provider) signed{
			"request token": func(*testing.T, *provider) signed { return tokenRequest() },
			"access token":  agreed, "profile": profileRequest,
		} {
			t.Run(kind+"/"+test.name, func(t *testing.T) {
				p := start(t)
				s := right(t, p)
				test.change(&s)
				status, body := s.send(t, p)
				if test.want == "" {
					assert.Equal(t, http.StatusOK, status, body)
					return
				}
				assert.Equal(t, http.StatusUnauthorized, status)
				assert.Equal(t, test.want, body)
			})
		}
	}
}

func TestProviderRefusesReplay(t *testing.T) {
	p := start(t)
	s := profileRequest(t, p)
	status, body := s.send(t, p)
	require.Equal(t, http.StatusOK, status, body)
	status, body = s.send(t, p)
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.Equal(t, "oauth_nonce is used", body)
}

func TestProviderRefusesTokens(t *testing.T) {
	for _, test := range []struct {
		name string
		send func(*testing.T, *provider) signed
		want string
	}{
		{"wrong verifier", func(t *testing.T, p *provider) signed {
			s := agreed(t, p)
			s.oauth["oauth_verifier"] = "other"
			return s
		}, "oauth_verifier is wrong"},
		{"no verifier", func(t *testing.T, p *provider) signed {
			s := agreed(t, p)
			delete(s.oauth, "oauth_verifier")
			return s
		}, "oauth_verifier is wrong"},
		{"user has not agreed", func(t *testing.T, p *provider) signed {
			s := agreed(t, p)
			p.grants["example-request-token"].verifier = ""
			s.oauth["oauth_verifier"] = ""
			return s
		}, "oauth_verifier is wrong"},
		{"request token spent", func(t *testing.T, p *provider) signed {
			s := agreed(t, p)
			status, body := s.send(t, p)
			require.Equal(t, http.StatusOK, status, body)
			s.oauth["oauth_nonce"] = "second"
			return s
		}, "unknown oauth_token"},
		{"request token as access token", func(t *testing.T, p *provider) signed {
			s := agreed(t, p)
			s.method, s.path = http.MethodGet, verifyPath
			return s
		}, "unknown oauth_token"},
		{"access token as request token", func(t *testing.T, p *provider) signed {
			s := profileRequest(t, p)
			s.method, s.path = http.MethodPost, "/oauth/access_token"
			return s
		}, "unknown oauth_token"},
		{"foreign callback", func(*testing.T, *provider) signed {
			s := tokenRequest()
			s.oauth["oauth_callback"] = "https://elsewhere.example/"
			return s
		}, "oauth_callback is not registered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := start(t)
			status, body := test.send(t, p).send(t, p)
			assert.Equal(t, http.StatusUnauthorized, status)
			assert.Equal(t, test.want, body)
		})
	}
}

func TestProviderRefusesHeaders(t *testing.T) {
	p := start(t)
	for header, want := range map[string]string{
		"":                                  "the request is not signed",
		"Bearer example-access-token":       "the request is not signed",
		`OAuth oauth_nonce="a%zz"`:          `the Authorization header is malformed at "oauth_nonce"`,
		`OAuth realm="a", realm="b"`:        `the Authorization header is malformed at "realm"`,
		`OAuth oauth_token="no-such-token"`: "unknown oauth_token",
	} {
		req, err := http.NewRequest(http.MethodGet, "https://api.twitter.com"+verifyPath, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", header)
		resp, err := p.Client().Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, header)
		assert.Equal(t, want+"\n", string(body), header)
	}
}
