package login

// The tests of the seal look inside: what a cookie must not be opened as cannot
// be made from outside.

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
)

func key(b byte) upstream.Secret { return upstream.NewSecret(strings.Repeat(string(rune(b)), 32)) }

func TestL1Seal(t *testing.T) {
	const state = "0123456789abcdef0123456789abcdef"
	now := time.Unix(1_800_000_000, 0)
	first, err := newSealer([]upstream.Secret{key(1)}, "corp", "client", "https://auth.example.com/callback")
	require.NoError(t, err)
	p := &pending{
		Expires: now.Unix() + 600, Nonce: "n", Verifier: "v", ClientID: "app", Data: []byte("request 7"), Carried: []byte{0, 255, '}'},
		Asked: []ask{{Name: "max_age", Value: "60", Essential: true}},
	}
	value, err := first.seal(state, p)
	require.NoError(t, err)
	again, err := first.seal(state, p)
	require.NoError(t, err)
	assert.NotEqual(t, value, again)
	opened, err := first.open(state, value, now)
	require.NoError(t, err)
	assert.Equal(t, p, opened)

	for name, c := range map[string]struct {
		keys  []upstream.Secret
		bound []string
		state string
		opens bool
	}{
		"the current key became the previous one":   {keys: []upstream.Secret{key(2), key(1)}, opens: true},
		"the key is gone":                           {keys: []upstream.Secret{key(2)}},
		"another connection":                        {bound: []string{"other", "client", "https://auth.example.com/callback"}},
		"another client":                            {bound: []string{"corp", "other", "https://auth.example.com/callback"}},
		"another callback":                          {bound: []string{"corp", "client", "https://auth.example.com/other"}},
		"the same texts, cut otherwise":             {bound: []string{"corpc", "lient", "https://auth.example.com/callback"}},
		"another state: the cookie of another tab":  {state: "1123456789abcdef0123456789abcdef"},
		"the same state with a NUL behind it":       {state: state + "\x00"},
		"an empty state":                            {state: " "},
		"a key that begins alike (HKDF has no pad)": {keys: []upstream.Secret{upstream.NewSecret(key(1).Reveal() + "\x00")}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.keys == nil {
				c.keys = []upstream.Secret{key(1)}
			}
			if c.bound == nil {
				c.bound = []string{"corp", "client", "https://auth.example.com/callback"}
			}
			if c.state == "" {
				c.state = state
			}
			s, err := newSealer(c.keys, c.bound...)
			require.NoError(t, err)
			opened, err := s.open(c.state, value, now)
			if c.opens {
				require.NoError(t, err)
				assert.Equal(t, p, opened)
				return
			}
			assert.ErrorIs(t, err, errSeal)
		})
	}

	_, err = first.open(state, value, now.Add(10*time.Minute))
	assert.ErrorIs(t, err, errExpired)
	raw, err := base64.RawURLEncoding.DecodeString(value)
	require.NoError(t, err)
	for i := range raw { // every bit counts
		raw[i] ^= 1
		_, err := first.open(state, base64.RawURLEncoding.EncodeToString(raw), now)
		require.ErrorIs(t, err, errSeal)
		raw[i] ^= 1
	}
	for _, bad := range []string{"", "?", "AAAA", strings.Repeat("A", 5000)} {
		_, err := first.open(state, bad, now)
		require.ErrorIs(t, err, errSeal)
	}

	_, err = first.seal(state, &pending{Data: make([]byte, 4000)})
	assert.ErrorIs(t, err, errTooLong)
}

func TestL1SealKeys(t *testing.T) {
	for name, keys := range map[string][]upstream.Secret{"none": nil, "short": {upstream.NewSecret(strings.Repeat("k", 31))}, "many": make([]upstream.Secret, 9)} {
		_, err := newSealer(keys)
		assert.Error(t, err, name)
	}
}

func TestL1NamesTellNothingOfTheState(t *testing.T) {
	const state = "0123456789abcdef0123456789abcdef"
	assert.Len(t, spentID(state), 43)
	assert.NotContains(t, spentID(state), "0123")
	assert.Regexp(t, `^__Host-login-[0-9a-f]{16}$`, cookieName("__Host-login-", state))
	assert.NotEqual(t, cookieName("", state), cookieName("", state+"0"))
}
