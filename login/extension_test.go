package login_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/login"
)

// An extension that notes what it is asked.
type extension struct {
	provider *upstream.Provider
	log      []string
	fail     string
	key      []byte
}

type carriedKey struct{}

func (x *extension) note(step string) error {
	x.log = append(x.log, step)
	if step == x.fail {
		return errors.New("the extension's " + step + " failed")
	}
	return nil
}

func (x *extension) Provider() *upstream.Provider { return x.provider }

func (x *extension) Start(ctx context.Context) (context.Context, []byte, error) {
	return context.WithValue(ctx, carriedKey{}, "start"), x.key, x.note("start")
}

func (x *extension) Authorize(ctx context.Context, u string) (string, error) {
	if ctx.Value(carriedKey{}) != "start" {
		return "", errors.New("not Start's context")
	}
	return u + "&pushed=1", x.note("authorize")
}

func (x *extension) Resume(ctx context.Context, carried []byte) (context.Context, error) {
	return context.WithValue(ctx, carriedKey{}, string(carried)), x.note("resume")
}

func (x *extension) DecryptIDToken(ctx context.Context, token string) (string, error) {
	if ctx.Value(carriedKey{}) != "DPOP-KEY" {
		return "", errors.New("not Resume's context")
	}
	return strings.TrimPrefix(token, "encrypted:"), x.note("decrypt")
}

func TestExtension(t *testing.T) {
	p := newIDP(t)
	p.metadata["require_pushed_authorization_requests"] = true
	p.sign = func(c claims) string { return "encrypted:" + signed(p.key, "current", c) }
	x := &extension{key: []byte("DPOP-KEY")}
	l := newLogin(t, p.connection(t, claims{"token_endpoint_auth_method": "private_key_jwt"}), func(o *login.Options) {
		o.Extend = func(conn *upstream.Connection, q *upstream.Provider) (login.Extension, error) {
			assert.Contains(t, string(conn.Options.OIDCMetadata), p.URL+"/token")
			x.provider = q.WithProtection(nil, "private_key_jwt", "require_pushed_authorization_requests")
			return x, x.note("extend")
		}
	})
	assert.Empty(t, x.log)
	b := &browser{}
	sent := b.begin(t, l, p, nil)
	assert.Equal(t, "1", sent.Get("pushed"))
	assert.NotContains(t, b.cookies[0].Value, "DPOP-KEY")
	r, err := b.finish(l, map[string][]string{"code": {"c"}, "state": {sent.Get("state")}})
	require.NoError(t, err)
	assert.Equal(t, "DPOP-KEY", string(r.Carried()))
	assert.Equal(t, []string{"extend", "start", "authorize", "resume", "decrypt"}, x.log)

	for fail, step := range map[string]login.Step{"resume": login.StepToken, "decrypt": login.StepIDToken} {
		x.fail = fail
		e := refused(t, l, p, nil, step)
		assert.Equal(t, "the extension's "+fail+" failed", e.Reason)
	}
	x.key = make([]byte, 513)
	_, err = begins(l)
	assert.ErrorContains(t, err, "more than 512 bytes")
	for _, fail := range []string{"start", "authorize"} {
		x.fail = fail
		_, err := begins(l)
		assert.Equal(t, login.StepBegin, stepOf(t, err))
	}
}
