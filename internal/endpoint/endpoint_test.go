package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream/internal/endpoint"
)

func TestH7TimeoutWithoutAHostClient(t *testing.T) {
	var none *http.Client
	for _, c := range []struct {
		name  string
		value any
		want  time.Duration
	}{
		{"no client", nil, 30 * time.Second},
		{"nil client", none, 30 * time.Second},
		{"another thing", "client", 30 * time.Second},
		{"a client without a timeout", &http.Client{}, 0},
		{"the default client, given", http.DefaultClient, 0},
		{"a client with a timeout", &http.Client{Timeout: time.Hour}, time.Hour},
	} {
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, c.value)
		assert.Equal(t, c.want, endpoint.Timeout(endpoint.HostClient(ctx)), c.name)
	}
	// A program may have set one for all that it does.
	http.DefaultClient.Timeout = time.Minute
	defer func() { http.DefaultClient.Timeout = 0 }()
	assert.Equal(t, time.Minute, endpoint.Timeout(endpoint.HostClient(t.Context())))
}

func TestH8ReasonQuotesNothing(t *testing.T) {
	secret := errors.New("SECRET")
	for want, err := range map[string]error{
		"the host name could not be resolved":                 &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "SECRET"}},
		"the request timed out":                               &net.DNSError{Err: "SECRET", IsTimeout: true},
		"the request failed; the wrapped error has the cause": fmt.Errorf("SECRET: %w", secret),
		"the answer is larger than 1 MiB":                     fmt.Errorf("SECRET: %w", &endpoint.TooLargeError{Status: 200}),
		"the request was canceled":                            fmt.Errorf("SECRET: %w", context.Canceled),
		"there is no key":                                     fmt.Errorf("SECRET: %w", &endpoint.StatedError{Text: "there is no key", Err: context.Canceled}),
	} {
		assert.Equal(t, want, endpoint.Reason(err))
	}
	assert.Equal(t, secret, endpoint.Cause(secret))
	_, _, err := endpoint.Get(t.Context(), "http://[::1?SECRET", "Bearer A1", nil)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "SECRET")
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A host's transport need not look at Request.Cancel, by which net/http tells
// transports that it does not know of the client's timeout.
func TestH7TimeoutReachesAnyTransport(t *testing.T) {
	host := &http.Client{Timeout: 50 * time.Millisecond, Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, host)
	_, _, err := endpoint.Get(context.WithoutCancel(ctx), "https://idp.example.com/me", "Bearer A1", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	req, err := http.NewRequest(http.MethodPost, "https://idp.example.com/device", http.NoBody) // as oauth2 makes it
	require.NoError(t, err)
	_, err = endpoint.Client(ctx).Do(req)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A host that gives a client without a timeout has chosen so.
func TestH7NoTimeoutIsNoDeadline(t *testing.T) {
	for _, timeout := range []time.Duration{0, -1, time.Hour} {
		host := &http.Client{Timeout: timeout, Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			_, bounded := r.Context().Deadline()
			assert.Equal(t, timeout > 0, bounded)
			return &http.Response{StatusCode: 204, Header: http.Header{}, Body: http.NoBody}, nil
		})}
		_, _, err := endpoint.Get(context.WithValue(t.Context(), oauth2.HTTPClient, host), "https://idp.example.com/me", "Bearer A1", nil)
		assert.NoError(t, err)
	}
}

// Whatever Location holds, the redirect itself is the answer.
func TestH4AnyLocation(t *testing.T) {
	for location, kept := range map[string]string{"": "", "/elsewhere": "/elsewhere", "https://evil.test": "https://evil.test", "http://[::1": "", "%zz": ""} {
		asked := 0
		host := &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
			asked++
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {location}}, Body: http.NoBody}, nil
		})}
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, host)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://idp.example.com/", http.NoBody)
		require.NoError(t, err)
		resp, err := endpoint.Client(ctx).Do(req)
		require.NoError(t, err, location)
		assert.Equal(t, 302, resp.StatusCode)
		assert.Equal(t, kept, resp.Header.Get("Location"))
		assert.Equal(t, 1, asked)
		assert.NoError(t, resp.Body.Close())
	}
}

func TestO4WhatIsAttachedSitsAroundTheHostsTransport(t *testing.T) {
	var none endpoint.Wrap
	assert.Equal(t, http.DefaultTransport, none.Around(t.Context(), http.DefaultTransport))
	nothing := endpoint.Wrap(func(context.Context, http.RoundTripper) http.RoundTripper { return nil })
	assert.Equal(t, http.DefaultTransport, nothing.Around(t.Context(), http.DefaultTransport))
	host := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(r.Header.Get("Authorization")))}, nil
	})}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, host)
	status, body, err := endpoint.Get(ctx, "https://idp.example.com/me", "Bearer A1", func(got context.Context, base http.RoundTripper) http.RoundTripper {
		assert.Equal(t, ctx, got)
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "DPoP A1")
			return base.RoundTrip(r)
		})
	})
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.Equal(t, "DPoP A1", string(body))
}
