package login_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login"
)

// What a host's struct holds by value, in a field that fmt may not ask.
type host struct {
	l login.Login
	o login.Options
	r login.Result
	e login.Error
}

func TestH8LoginPrintsNoSecret(t *testing.T) {
	p := newIDP(t)
	o := options()
	l, err := login.New(p.connection(t), o)
	require.NoError(t, err)
	b := &browser{}
	sent := b.begin(t, l, p, nil)
	r, err := b.finish(l, map[string][]string{"code": {"CODE-SECRET"}, "state": {sent.Get("state")}})
	require.NoError(t, err)
	redirect, err := l.BeginLogin(t.Context(), nil, nil)
	require.NoError(t, err)
	failed := refused(t, l, p, nil, login.StepRefused, "code", "", "error", "access_denied")

	secrets := []string{"kkkkkkkk", "107 107 107", "6b6b6b", clientSecret, "ACCESS-SECRET", "CODE-SECRET", r.IDToken().Reveal(), sent.Get("state")}
	held := host{*l, o, *r, *failed}
	for _, v := range []any{l, *l, o, &o, r, *r, redirect, *redirect, failed, *failed, held, &held, []any{held}, p.connection(t)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
			text := fmt.Sprintf(verb, v)
			for _, secret := range secrets {
				assert.NotContains(t, text, secret, "%s of %T", verb, v)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		for _, secret := range secrets {
			assert.NotContains(t, log.String(), secret, "slog of %T", v)
		}
	}
	assert.Equal(t, `login.Result{Connection:"corp" ClientID:"" Subject:"oidc|corp|user-1"}`, fmt.Sprint(r))
	assert.Nil(t, (&login.Result{}).Token())
}
