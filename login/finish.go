package login

// This file owns the second leg: from the IdP's answer to a verified user, in the
// order of rule L1. It must not know how a connection is chosen, nor what the
// host does with the user.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"example.com/upstream"
)

// A Result is a login that was verified. It prints its subject; what is secret in
// it stands behind a pointer.
type Result struct {
	Connection string
	ClientID   string            // the application that asked, "" if none did
	Data       []byte            // the host's, from BeginLogin
	Subject    string            // for the host's own tokens: upstream.Provider.Subject
	Profile    *upstream.Profile // of the ID token, the userinfo endpoint or a fetcher; compared with the ID token's sub

	// What the ID token says; zero without one.
	Issuer   string          // of a tenant its own
	Claims   json.RawMessage // all of them
	AuthTime time.Time       // when the user logged in there, where the IdP says so
	ACR      string          // in the application's terms: as the connection translates, reversed
	AMR      []string

	// Checks has what was asked of the IdP beside the login itself, what was got,
	// and how the two compare.
	Checks []Check

	// Provider made the login's requests; its TokenConfig refreshes Token.
	Provider *upstream.Provider `json:"-"`
	secrets  *secrets
}

// Format prints connection, application and subject: a profile is personal data.
func (r Result) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "login.Result{Connection:%q ClientID:%q Subject:%q}", r.Connection, r.ClientID, r.Subject)
}

// secrets are behind a pointer, so that nothing prints them; for verbs that do not
// fit, fmt follows one.
type secrets struct {
	token   *oauth2.Token
	idToken upstream.Secret
	carried upstream.Secret
}

// Token gives the IdP's tokens.
func (r *Result) Token() *oauth2.Token { return r.kept().token }

// IDToken gives the ID token as it came, for the id_token_hint of
// [Login.LogoutURL]; the zero Secret if there was none.
func (r *Result) IDToken() upstream.Secret { return r.kept().idToken }

// Carried gives what the extension's Start gave, such as a DPoP key: keep it with
// the token, as a secret, where the token is to be used later.
func (r *Result) Carried() []byte { return []byte(r.kept().carried.Reveal()) }

// kept gives the secrets; of a Result that no login made, none.
func (r *Result) kept() *secrets {
	if r == nil || r.secrets == nil {
		return &secrets{}
	}
	return r.secrets
}

// Finish takes the IdP's answer, and has the browser forget the login:
// [Login.FinishLogin] on net/http. It writes headers only; the host writes the
// answer. The error is an [*Error].
func (l *Login) Finish(w http.ResponseWriter, r *http.Request) (*Result, error) {
	if l == nil || l.in == nil {
		_, err := l.ready(r.Context())
		return nil, err
	}
	noStore(w)
	cb, err := upstream.ParseCallback(r)
	if err != nil {
		e := l.in.fault(StepAnswer, err)
		e.Code = ""
		return nil, e
	}
	cookie, err := r.Cookie(l.CookieName(cb.State.Reveal()))
	if err != nil {
		cookie = &http.Cookie{}
	}
	result, err := l.FinishLogin(r.Context(), cb, cookie.Value)
	if e := (*Error)(nil); !errors.As(err, &e) || e.Step != StepState {
		gone := l.in.bare(cookie.Name, r.Method == http.MethodPost)
		gone.MaxAge = -1
		http.SetCookie(w, gone)
	}
	return result, err
}

// FinishLogin verifies an answer. cookie is the value of the cookie that
// [Login.CookieName] names for the answer's state, "" if the browser has none. The
// browser is to forget it, unless this ends at StepState: another login's answer
// must not end this one. The error is an [*Error].
func (l *Login) FinishLogin(ctx context.Context, cb *upstream.Callback, cookie string) (*Result, error) {
	if l == nil || l.in == nil {
		_, err := l.ready(ctx)
		return nil, err
	}
	in := l.in
	p, err := in.take(ctx, cb, cookie)
	if p == nil {
		return nil, err
	}
	// From here on the login is known, and somebody waits for an answer.
	refuse := func(e *Error) (*Result, error) {
		e.ClientID, e.Data = p.ClientID, p.Data
		return nil, e
	}
	if err != nil {
		return refuse(err)
	}
	if !in.enabledFor(p.ClientID) { // it may have been taken from the application since
		e := in.fault(StepRefused, errors.New(notEnabled))
		e.Code = "invalid_request"
		return refuse(e)
	}
	s, failed := l.ready(ctx)
	if failed != nil {
		return refuse(failed.(*Error))
	}
	result, err := in.verified(ctx, s, p, cb)
	if err != nil {
		return refuse(err)
	}
	return result, nil
}

// take opens the login that the answer belongs to, and makes sure that it is
// used for the first time. The pending login is nil until it is known that this
// browser began it.
func (l *login) take(ctx context.Context, cb *upstream.Callback, cookie string) (*pending, *Error) {
	silent := func(step Step, err error) *Error {
		e := l.fault(step, err)
		e.Code = ""
		return e
	}
	state := ""
	if cb != nil {
		state = cb.State.Reveal()
	}
	switch {
	case state == "":
		return nil, silent(StepAnswer, errors.New("there is no state in the answer"))
	case cookie == "":
		return nil, silent(StepState, errors.New("this browser has not begun this login, or too long ago, or has ended it"))
	}
	p, err := l.seal.open(state, cookie, l.now())
	if err != nil {
		return nil, silent(StepState, err)
	}
	first, err := l.o.Store.Spend(ctx, spentID(state), time.Unix(p.Expires, 0))
	switch {
	case err != nil:
		e := l.fault(StepSpent, &hidden{"the store of used logins gives an error; the wrapped error has the cause", err})
		return p, e
	case !first:
		return p, silent(StepSpent, errors.New("the answer was used before"))
	}
	return p, nil
}

// verified makes a user of an answer that belongs to this browser's login.
func (l *login) verified(ctx context.Context, s *snapshot, p *pending, cb *upstream.Callback) (*Result, *Error) {
	if e := l.refusal(s, p, cb); e != nil {
		return nil, e
	}
	ctx, err := s.ext.Resume(ctx, slices.Clone(p.Carried))
	if err != nil {
		return nil, l.fault(StepToken, err)
	}
	var options []oauth2.AuthCodeOption
	if p.Verifier != "" {
		options = append(options, oauth2.VerifierOption(p.Verifier))
	}
	token, err := s.provider.TokenConfig(l.o.RedirectURI).Exchange(ctx, cb.Code.Reveal(), options...)
	if err != nil {
		return nil, l.fault(StepToken, err)
	}
	r := &Result{
		Connection: l.conn.Name, ClientID: p.ClientID, Data: p.Data, Provider: s.provider,
		secrets: &secrets{token: token, carried: upstream.NewSecret(string(p.Carried))},
	}
	var verified *idToken
	if p.Nonce != "" { // else no ID token was asked for
		if verified, err = l.idToken(ctx, s, p, r); err != nil {
			return nil, l.fault(StepIDToken, err)
		}
	}
	return l.identified(ctx, s, p, verified, cb, r)
}

// refusal looks at what the answer itself says: who gives it, then an error.
func (l *login) refusal(s *snapshot, p *pending, cb *upstream.Callback) *Error {
	answer := *cb
	if s.verify != nil && strings.Contains(s.verify.issuer, tenantid) && slices.ContainsFunc(s.verify.tenants, func(tenant string) bool {
		return cb.Issuer == strings.Replace(s.verify.issuer, tenantid, tenant, 1)
	}) {
		answer.Issuer = s.verify.issuer // the root knows the template
	}
	tx := upstream.Transaction{RedirectURI: l.o.RedirectURI, State: cb.State} // which the seal has proved
	err := s.provider.CheckCallback(&answer, tx)
	if err == nil {
		return nil
	}
	bad := (*upstream.CallbackError)(nil)
	switch errors.As(err, &bad); {
	case bad != nil && bad.Parameter == "iss":
		return l.fault(StepIssuer, err)
	case bad != nil && bad.Parameter == "error":
		e := l.fault(StepRefused, err)
		e.Code = ApplicationCode(bad.Code)
		return e
	}
	return l.fault(StepAnswer, err)
}

// idToken verifies the ID token and notes in the result what it says.
func (l *login) idToken(ctx context.Context, s *snapshot, p *pending, r *Result) (*idToken, error) {
	if s.verify == nil { // the connection is another one since the login began
		return nil, errors.New("the connection cannot verify ID tokens")
	}
	raw, _ := r.secrets.token.Extra("id_token").(string)
	if raw != "" && len(raw) <= maxIDToken {
		var err error
		if raw, err = s.ext.DecryptIDToken(ctx, raw); err != nil {
			return nil, err
		}
	}
	t, err := s.verify.verify(ctx, raw, r.secrets.token.AccessToken, p.Nonce)
	if err != nil {
		return nil, err
	}
	r.secrets.idToken, r.Claims, r.Issuer = upstream.NewSecret(raw), t.raw, t.text("iss")
	if t.authTime != 0 {
		r.AuthTime = time.Unix(t.authTime, 0)
	}
	if amr, ok := texts(t.claim("amr")); ok && len(amr) > 0 {
		r.AMR = amr
	}
	r.ACR = applicationACR(p.Asked, l.conn.Options.UpstreamParams["acr_values"].Translate, t.text("acr"))
	return t, nil
}

// identified checks what was asked for, and gets the profile.
func (l *login) identified(ctx context.Context, s *snapshot, p *pending, t *idToken, cb *upstream.Callback, r *Result) (*Result, *Error) {
	got := newAnswered(p, t, l.o.Skew, workspaceDomains(l.conn))
	compare := func(withProfile bool) *Error {
		r.Checks = got.checks(p.Asked)
		c := unmet(r.Checks, withProfile)
		if c == nil {
			return nil
		}
		reason := c.Name + " was asked for, and the answer does not meet it"
		if c.Verdict == Unknown {
			reason = c.Name + " was asked for, and the answer says nothing of it"
		}
		e := l.fault(StepAsked, errors.New(reason))
		e.Code, e.Checks = "access_denied", r.Checks
		return e
	}
	if e := compare(false); e != nil {
		return nil, e
	}
	profile, err := l.profile(ctx, s, t, r)
	if err != nil {
		return nil, l.fault(StepProfile, err)
	}
	if l.conn.Strategy == "apple" {
		nameFromApple(profile, cb.User)
	}
	r.Profile, r.Subject = profile, s.provider.Subject(profile.UserID)
	if r.Subject == "" {
		return nil, l.fault(StepProfile, errors.New("the profile has no user id that a subject could be made of"))
	}
	got.add(profile)
	if e := compare(true); e != nil {
		return nil, e
	}
	return r, nil
}

// profile gets the user's profile: from the userinfo endpoint or a fetcher where
// there is one, else from the ID token. With an ID token it is of its user. Entra's
// userinfo endpoint knows less than the ID token, not even its own ids for the user
// (userid_attribute), so there the token is read.
func (l *login) profile(ctx context.Context, s *snapshot, t *idToken, r *Result) (*upstream.Profile, error) {
	if t != nil && (l.conn.Strategy == "waad" || !s.provider.HasProfile()) {
		return s.provider.ParseClaims(t.raw)
	}
	profile, err := s.provider.FetchProfile(ctx, r.secrets.token)
	if err == nil && t != nil {
		err = profile.CheckSubject(t.subject)
	}
	return profile, err
}
