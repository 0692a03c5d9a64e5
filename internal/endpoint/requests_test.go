package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream/internal/check"
)

// recorder answers every request alike, and keeps what came.
type recorder struct {
	forms   []url.Values
	headers []http.Header
	answer  string
}

func (rec *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	rec.forms, rec.headers = append(rec.forms, form), append(rec.headers, r.Header)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(rec.answer))}, err
}

func (rec *recorder) context(t *testing.T) context.Context {
	return context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: rec})
}

const aToken = `{"access_token":"a","token_type":"Bearer"}`

func TestH5H6TheClientAuthenticatesInOneWay(t *testing.T) {
	const own, other = "Basic Y2xpZW50OnM=", "Bearer x" // client:s
	for _, tc := range []struct {
		name, secret      string
		style             oauth2.AuthStyle
		authorization     string // a custom header
		want              string // the Authorization that is sent
		inBody, hasSecret bool
	}{
		{"a guess is none", "s", oauth2.AuthStyleAutoDetect, "", "", true, true},
		{"in the body", "s", oauth2.AuthStyleInParams, "", "", true, true},
		{"by Basic", "s", oauth2.AuthStyleInHeader, "", own, false, false},
		{"no secret", "", oauth2.AuthStyleInParams, "", "", true, false},
		{"no secret for Basic", "", oauth2.AuthStyleInHeader, "", "", true, false},
		{"its own Basic", "s", oauth2.AuthStyleInParams, own, own, true, false},
		{"its own Basic beside Basic", "s", oauth2.AuthStyleInHeader, own, own, true, false},
		{"another one", "s", oauth2.AuthStyleInHeader, other, other, true, true},
	} {
		var headers []check.Header
		if tc.authorization != "" {
			headers = []check.Header{{Name: "authorization", Value: tc.authorization}}
		}
		rec := &recorder{answer: aToken}
		tokens := NewTokens(oauth2.Config{ClientID: "client", ClientSecret: tc.secret, Endpoint: oauth2.Endpoint{TokenURL: tokenURL, AuthStyle: tc.style}}, headers, nil)
		_, err := tokens.Exchange(rec.context(t), nil, "code", nil)
		require.NoError(t, err, tc.name)
		require.Len(t, rec.forms, 1, tc.name)
		assert.Equal(t, tc.want, rec.headers[0].Get("Authorization"), tc.name)
		assert.Equal(t, tc.inBody, rec.forms[0].Has("client_id"), tc.name)
		assert.Equal(t, tc.hasSecret, rec.forms[0].Has("client_secret"), tc.name)
	}
}

func TestH3TheTokenURLIsAsItStandsInARequest(t *testing.T) {
	for given, want := range map[string]string{
		"": "", "%zz": "", tokenURL: tokenURL, "https://idp.example.com:/token": "https://idp.example.com/token", "HTTPS://idp.example.com/é": "https://idp.example.com/%C3%A9",
	} {
		rec := &recorder{answer: aToken}
		tokens := NewTokens(oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: given}}, []check.Header{{Name: "X-Key", Value: "v"}}, nil)
		assert.Equal(t, want, tokens.OAuth.Endpoint.TokenURL, given)
		if want != "" {
			_, err := tokens.Password(rec.context(t), nil, "u", "p")
			require.NoError(t, err, given)
			assert.Equal(t, "v", rec.headers[0].Get("X-Key"), given)
			assert.Equal(t, "p", rec.forms[0].Get("password"))
		}
	}
	plain := NewTokens(oauth2.Config{}, nil, nil)
	assert.Nil(t, plain.headers, "a server has many")
	assert.Nil(t, plain.static)
}

func TestE3OptionsThatAreNone(t *testing.T) {
	rec := &recorder{answer: aToken}
	tokens := NewTokens(oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: tokenURL}}, nil, nil)
	opts := []oauth2.AuthCodeOption{nil, oauth2.VerifierOption("v"), nil}
	_, err := tokens.Exchange(rec.context(t), nil, "code", opts)
	require.NoError(t, err)
	assert.Equal(t, "v", rec.forms[0].Get("code_verifier"))
	assert.Equal(t, []oauth2.AuthCodeOption{nil, oauth2.VerifierOption("v"), nil}, opts, "the caller's")
	var none context.Context // a program may pass it
	_, err = tokens.Exchange(none, nil, "code", nil)
	assert.Error(t, err)
}

// The token of an exchange carries what its refreshes repeat; no other request
// looks for it in the form.
func TestB5RefreshRepeats(t *testing.T) {
	rec := &recorder{answer: `{"access_token":"a","token_type":"Bearer","refresh_token":"r1"}`}
	tokens := NewTokens(oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: tokenURL}}, nil, nil)
	token, err := tokens.Exchange(rec.context(t), nil, "code", []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("resource", "https://r")})
	require.NoError(t, err)
	assert.Equal(t, "https://r", token.Extra("upstream_resource"))
	source := tokens.Source(rec.context(t), nil, (&oauth2.Token{RefreshToken: "r0"}).WithExtra(map[string]any{"upstream_resource": "https://r"}))
	for i, sent := range []string{"r0", "r1"} {
		rec.answer = `{"access_token":"a","token_type":"Bearer","refresh_token":"r1","expires_in":1}`
		token, err := source.Token()
		require.NoError(t, err)
		assert.Equal(t, "https://r", token.Extra("upstream_resource"))
		assert.Equal(t, sent, rec.forms[1+i].Get("refresh_token"))
		assert.Equal(t, []string{"https://r"}, rec.forms[1+i]["resource"])
	}
}

func TestE3ASourceWithNothingToRefresh(t *testing.T) {
	broken := errors.New("broken")
	for _, token := range []*oauth2.Token{nil, {}, {AccessToken: "a", ExpiresIn: 1}} {
		if token != nil {
			token.Expiry = token.Expiry.Add(1) // long ago
		}
		_, err := Unusable(token, broken).Token()
		assert.EqualError(t, err, "upstream: the token has expired and there is no refresh token; the user has to log in again")
	}
	_, err := Unusable(&oauth2.Token{RefreshToken: "r"}, broken).Token()
	assert.Equal(t, broken, err)
	token, err := Unusable(&oauth2.Token{AccessToken: "a"}, broken).Token()
	require.NoError(t, err)
	assert.Equal(t, "a", token.AccessToken)
}

func TestE3PollIntervalOfAServer(t *testing.T) {
	rec := &recorder{answer: aToken}
	tokens := NewTokens(oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: tokenURL}}, nil, nil)
	for _, interval := range []int64{math.MinInt64, -1, 0, 86400, math.MaxInt64} {
		ctx, cancel := context.WithCancel(rec.context(t))
		cancel() // the first poll is after the interval
		da := &oauth2.DeviceAuthResponse{DeviceCode: "d", Interval: interval}
		_, err := tokens.Poll(ctx, nil, da, nil)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, interval, da.Interval, "the caller's")
	}
	assert.Equal(t, 24*3600, maxPollInterval)
	assert.Empty(t, rec.forms)
}

// Each poll has the host's timeout, and all of them together have none.
func TestH7TimeoutIsOfEachPoll(t *testing.T) {
	deadlines := 0
	host := &http.Client{Timeout: 1 << 40, Transport: serve(func(r *http.Request) (*http.Response, error) {
		if _, bounded := r.Context().Deadline(); bounded {
			deadlines++
		}
		return (&recorder{answer: aToken}).RoundTrip(r)
	})}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, host)
	tokens := NewTokens(oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: tokenURL}}, nil, nil)
	for _, polls := range []bool{false, true} {
		_, err := tokens.request(ctx, asked{polls: polls}, func(ctx context.Context, _ ...oauth2.AuthCodeOption) (*oauth2.Token, error) {
			_, bounded := ctx.Deadline()
			assert.Equal(t, !polls, bounded)
			client, _ := HostClient(ctx)
			assert.Zero(t, client.Timeout)
			resp, err := client.Do(post(t, ctx, tokenURL, "a=b"))
			if err == nil {
				err = resp.Body.Close()
			}
			return nil, err
		})
		require.NoError(t, err)
	}
	assert.Equal(t, 2, deadlines)
}

func TestH8ErrorsPrintTheirTextAlone(t *testing.T) {
	cause := errors.New("SECRET")
	err := &Error{"text", cause}
	assert.ErrorIs(t, err, cause)
	for verb, want := range map[string]string{"%v": "upstream: text", "%+v": "upstream: text", "%#v": "upstream: text", "%s": "upstream: text", "%d": "upstream: text", "%q": `"upstream: text"`} {
		assert.Equal(t, want, fmt.Sprintf(verb, err))
	}
}

// The token goes to the origin of the first request, and where a redirect has left
// it to nobody, also when a later one leads back.
func TestH3TheTokenStaysWithItsOrigin(t *testing.T) {
	var seen []string
	next := map[string]string{"https://a.test/1": "/2", "https://a.test/2": "https://b.test/3", "https://b.test/3": "https://a.test/4"}
	host := &http.Client{Transport: serve(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r.URL.String()+" "+r.Header.Get("Authorization"))
		resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}
		if to := next[r.URL.String()]; to != "" {
			resp.StatusCode, resp.Header = 307, http.Header{"Location": {to}}
		}
		return resp, nil
	})}
	client := ResourceClient(context.WithValue(t.Context(), oauth2.HTTPClient, host), nil, func() (string, error) { return "Bearer A1", nil })
	resp, err := client.Get("https://a.test/1")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, []string{"https://a.test/1 Bearer A1", "https://a.test/2 Bearer A1", "https://b.test/3 ", "https://a.test/4 "}, seen)
	assert.Empty(t, resp.Request.Header.Get("Authorization"))
	// An answer without its request, as a test's may be, is from nobody knows where.
	assert.True(t, leftOrigin(&http.Request{Response: &http.Response{}}))
	assert.Equal(t, `"upstream.Transport"`, fmt.Sprintf("%q", client.Transport))
}

func TestH7ResourceClientWithoutAToken(t *testing.T) {
	broken := errors.New("broken")
	host := &http.Client{Transport: serve(func(*http.Request) (*http.Response, error) { return nil, broken })}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, host)
	none := ResourceClient(ctx, nil, func() (string, error) { return "", io.ErrNoProgress })
	body := &closed{Reader: strings.NewReader("x")}
	for _, req := range []*http.Request{{Body: body}, {}} {
		req.Method, req.URL, req.Header = http.MethodPost, &url.URL{Scheme: "https", Host: "a.test"}, http.Header{}
		_, err := none.Transport.RoundTrip(req)
		assert.ErrorIs(t, err, io.ErrNoProgress)
		assert.Equal(t, req.Body != nil, body.is)
		body.is = false
	}
	_, err := ResourceClient(ctx, nil, func() (string, error) { return "Bearer A1", nil }).Get("https://a.test")
	assert.ErrorIs(t, err, broken)
}
