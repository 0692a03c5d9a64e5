package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
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
		assert.Equal(t, c.want, endpoint.Timeout(ctx), c.name)
	}
	// A program may have set one for all that it does.
	http.DefaultClient.Timeout = time.Minute
	defer func() { http.DefaultClient.Timeout = 0 }()
	assert.Equal(t, time.Minute, endpoint.Timeout(t.Context()))
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
