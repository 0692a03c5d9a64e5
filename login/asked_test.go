package login_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream"
	"example.com/upstream/login"
)

func TestL4ACR(t *testing.T) {
	p := newIDP(t)
	acr := func(more claims) claims {
		entry := claims{"alias": "acr_values", "allow": []string{"2", "4", "5", "7", "urn:x"}, "translate": claims{"4": "urn:idp:high", "2": "urn:idp:low", "5": "urn:idp:low"}}
		for name, value := range more {
			entry[name] = value
		}
		return claims{"upstream_params": claims{"acr_values": entry}}
	}
	essential := newLogin(t, p.connection(t, acr(claims{"essential": true})))
	wish := newLogin(t, p.connection(t, acr(nil)))
	for _, c := range []struct {
		name    string
		login   *login.Login
		asked   string
		acr     any
		refused bool
		verdict login.Verdict
		acrOut  string
	}{
		{"high", essential, "4", "urn:idp:high", false, login.Met, "4"},
		{"one of two", essential, "4 2", "urn:idp:low", false, login.Met, "2"},
		{"low", essential, "4", "urn:idp:low", true, login.NotMet, ""},
		{"absent", essential, "4", nil, true, login.Unknown, ""},
		{"the application's own word from the IdP", essential, "4", "4", true, login.NotMet, ""},
		{"a prefix", essential, "4", "urn:idp:hig", true, login.NotMet, ""},
		{"a number", essential, "7", 7, true, login.NotMet, ""},
		{"the same as text", essential, "7", "7", false, login.Met, "7"},
		{"a list", essential, "4", []string{"urn:idp:high"}, true, login.NotMet, ""},
		{"not asked for: no check, but a word", essential, "", "urn:idp:high", false, "", "4"},
		{"not asked for, and two words", essential, "", "urn:idp:low", false, "", ""},
		{"what does not pass is not asked for", essential, "9", "urn:idp:high", false, "", "4"},
		{"a wish that came true", wish, "4", "urn:idp:high", false, login.Met, "4"},
		{"a wish that did not", wish, "5", "urn:idp:high", false, login.NotMet, "4"},
		{"a wish without an answer", wish, "4", nil, false, login.Unknown, ""},
		{"a word of the IdP's that the connection does not know", wish, "4", "2", false, login.NotMet, ""},
		{"untranslated", wish, "urn:x", "urn:x", false, login.Met, "urn:x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.claims = claims{"acr": c.acr}
			req := &upstream.AuthorizeRequest{ACRValues: c.asked}
			var checks []login.Check
			if c.refused {
				e := refused(t, c.login, p, req, login.StepAsked)
				assert.Equal(t, "access_denied", e.Code)
				checks = e.Checks
			} else {
				r, err := run(t, c.login, p, req)
				require.NoError(t, err)
				assert.Equal(t, c.acrOut, r.ACR)
				checks = r.Checks
			}
			if c.verdict == "" {
				assert.Empty(t, checks)
				return
			}
			require.Len(t, checks, 1)
			assert.Equal(t, "acr_values", checks[0].Name)
			assert.Equal(t, c.verdict, checks[0].Verdict)
			assert.Equal(t, c.login == essential, checks[0].Enforced)
			assert.NotEmpty(t, checks[0].Asked)
		})
	}
}

func TestL4MaxAge(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t, claims{"upstream_params": claims{"max_age": claims{"alias": "max_age"}}}))
	now := time.Now().Unix()
	for _, c := range []struct {
		name, maxAge string
		authTime     any
		verdict      login.Verdict
	}{
		{"fresh", "600", now - 60, login.Met},
		{"just old enough, with the skew", "600", now - 650, login.Met},
		{"stale", "600", now - 700, login.NotMet},
		{"0, logged in now", "0", now, login.Met},
		{"0, an hour ago", "0", now - 3600, login.NotMet},
		{"missing", "600", nil, login.Unknown},
		{"null is missing", "600", claims(nil), login.Unknown},
		{"zero seconds since 1970", "600", 1, login.NotMet},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.claims = claims{"auth_time": c.authTime}
			req := &upstream.AuthorizeRequest{MaxAge: c.maxAge}
			if c.verdict != login.Met {
				e := refused(t, l, p, req, login.StepAsked)
				require.Len(t, e.Checks, 1)
				assert.Equal(t, c.verdict, e.Checks[0].Verdict)
				return
			}
			r, err := run(t, l, p, req)
			require.NoError(t, err)
			require.Len(t, r.Checks, 1)
			assert.Equal(t, login.Check{Name: "max_age", Asked: c.maxAge, Got: r.Checks[0].Got, Verdict: login.Met, Enforced: true}, r.Checks[0])
		})
	}
	for _, bad := range []string{"abc", "-1", "1.5", "99999999999999999999", "0x10"} {
		_, err := l.BeginLogin(t.Context(), &upstream.AuthorizeRequest{MaxAge: bad}, nil)
		e := (*login.Error)(nil)
		require.ErrorAs(t, err, &e)
		assert.Equal(t, "invalid_request", e.Code, bad)
		assert.NotContains(t, e.Error(), bad)
	}
}

func TestL4Prompt(t *testing.T) {
	p := newIDP(t)
	l := newLogin(t, p.connection(t, claims{"upstream_params": claims{"prompt": claims{"alias": "prompt", "allow": []string{"login", "none"}}}}))
	now := time.Now().Unix()
	for verdict, authTime := range map[login.Verdict]any{login.Met: now, login.NotMet: now - 3600, login.Unknown: nil} {
		p.claims = claims{"auth_time": authTime}
		r, err := run(t, l, p, &upstream.AuthorizeRequest{Prompt: "login"})
		require.NoError(t, err)
		require.Len(t, r.Checks, 1)
		assert.Equal(t, verdict, r.Checks[0].Verdict)
		assert.False(t, r.Checks[0].Enforced)
	}
	r, err := run(t, l, p, &upstream.AuthorizeRequest{Prompt: "none"})
	require.NoError(t, err)
	assert.Equal(t, []login.Check{{Name: "prompt", Asked: "none", Verdict: login.Unknown}}, r.Checks)

	plain := newLogin(t, p.connection(t))
	_, err = plain.BeginLogin(t.Context(), &upstream.AuthorizeRequest{Prompt: "none"}, nil)
	e := (*login.Error)(nil)
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "login_required", e.Code, "the IdP would show a page")
}

func TestL4HD(t *testing.T) {
	p := newIDP(t)
	for _, c := range []struct {
		asked   string
		got     any
		verdict login.Verdict
	}{
		{"example.com", "Example.COM", login.Met},
		{"example.com", "evil.example", login.NotMet},
		{"example.com", "example.com.evil.example", login.NotMet},
		{"example.com", nil, login.Unknown},
		{"*", "any.example", login.Met},
		{"*", nil, login.Unknown},
	} {
		l := newLogin(t, p.connection(t, claims{"upstream_params": claims{"hd": claims{"value": c.asked}}}))
		p.claims = claims{"hd": c.got}
		r, err := run(t, l, p, nil)
		require.NoError(t, err)
		require.Len(t, r.Checks, 1)
		assert.Equal(t, c.verdict, r.Checks[0].Verdict, "%v", c)
	}
}

func TestL4Claims(t *testing.T) {
	p := newIDP(t)
	p.metadata["userinfo_endpoint"] = p.URL + "/userinfo"
	p.userinfo = claims{"sub": "user-1", "preferred_username": "ann"}
	static := func(text string) *login.Login {
		return newLogin(t, p.connection(t, claims{"upstream_params": claims{"claims": claims{"value": text}}}))
	}
	p.claims = claims{"acr": "high", "department": "x", "level": 3}
	l := static(`{"id_token": {"acr": {"essential": true, "values": ["high", "higher"]}, "department": null, "missing": {"essential": true}, "level": {"value": 4}},
		"userinfo": {"preferred_username": {"essential": true}}}`)
	r, err := run(t, l, p, nil)
	require.NoError(t, err)
	verdicts := map[string]login.Verdict{}
	for _, c := range r.Checks {
		verdicts[c.Name] = c.Verdict
	}
	assert.Equal(t, map[string]login.Verdict{
		"claims.acr": login.Met, "claims.department": login.Met, "claims.missing": login.Unknown,
		"claims.level": login.NotMet, "claims.preferred_username": login.Met,
	}, verdicts)
	p.claims = claims{"acr": "low"}
	refused(t, l, p, nil, login.StepAsked)
	p.claims = nil
	refused(t, l, p, nil, login.StepAsked)
	refused(t, static(`{"id_token": {"sub": {"value": "somebody-else"}}}`), p, nil, login.StepAsked)
	refused(t, static(`{"userinfo": {"sub": {"value": "somebody-else"}}}`), p, nil, login.StepAsked)
}
