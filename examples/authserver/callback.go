package main

// This file owns the second leg of a login: the IdP's answer, from the checks
// that come before anything is believed to the code for the application. It
// must not know how a connection is chosen; see login.go.

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
)

// An answer is what an IdP's redirect brings (RFC 6749 section 4.1.2, RFC 9207).
type answer struct{ state, code, iss, errorCode string }

func readAnswer(rawQuery string) (answer, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return answer{}, errors.New("malformed answer")
	}
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(query[name]) > 1 {
			return answer{}, errors.New("doubled parameter in the answer")
		}
	}
	a := answer{query.Get("state"), query.Get("code"), query.Get("iss"), query.Get("error")}
	switch {
	case a.state == "":
		return answer{}, errors.New("no state in the answer")
	case (a.code == "") == (a.errorCode == ""):
		return answer{}, errors.New("neither code nor error in the answer, or both")
	}
	return a, nil
}

// callback takes the IdP's answer. Until the cookie has shown that this browser
// began the login, there is nobody to send it back to, and it sees a page.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("connection")
	log := s.Log.With("leg", 2)
	if s.Connections.Get(name) != nil { // else it is anybody's text
		log = log.With("connection", name)
	}
	a, err := readAnswer(r.URL.RawQuery)
	if err != nil {
		s.plain(w, log, "", err.Error(), "The identity provider's answer is malformed.")
		return
	}
	l, err := s.sealer.take(w, r, a.state, callbackPath(name))
	switch {
	case err != nil:
		s.plain(w, log, "", err.Error(), "This login was not begun in this browser, or too long ago. Begin again at the application.")
		return
	case l.Connection != name:
		s.plain(w, log, l.Request.ClientID, "the answer came to another connection's callback", "This answer belongs to another login.")
		return
	}
	first, err := s.Store.Spend(r.Context(), "login "+l.State, l.Expires)
	switch {
	case err != nil: // nobody may go on where nobody can say who was first
		log.Error("store", "error", err)
		s.refuse(w, http.StatusServiceUnavailable, l.Request.ClientID, "The server cannot remember logins just now. Begin again at the application.")
		return
	case !first:
		s.plain(w, log, l.Request.ClientID, "replayed answer", "This login has been finished already. Begin again at the application.")
		return
	}
	log = log.With("client", l.Request.ClientID)
	u, refusal := s.finish(r.Context(), log, l, a)
	if refusal != nil {
		s.back(w, r, l.Request, refusal)
		return
	}
	code, _, err := s.storage.put(r.Context(), kindCode, grant{ID: rand.Text(), request: l.Request, User: u}, codeLifetime)
	if err != nil {
		log.Error("store", "error", err)
		s.back(w, r, l.Request, oidc.ErrServerError())
		return
	}
	log.Info("login ends", "outcome", "logged in")
	s.answer(w, r, l.Request, url.Values{"code": {code}})
}

// finish makes a user of an answer that belongs to this browser's login. What
// it logs says why a login failed; the application only hears that it did.
func (s *Server) finish(ctx context.Context, log *slog.Logger, l loginState, a answer) (user, *oidc.Error) {
	refuse := func(answer *oidc.Error, outcome string, attrs ...any) (user, *oidc.Error) {
		log.Warn("login ends", append([]any{"outcome", outcome}, attrs...)...)
		return user{}, answer
	}
	failed := oidc.ErrServerError().WithDescription("the login at the identity provider failed")

	// The connection may have been taken from the application since the first leg.
	c := s.Connections.Get(l.Connection)
	if !c.enabledFor(l.Request.ClientID) {
		return refuse(oidc.ErrInvalidRequest().WithDescription("the connection is not enabled for this application"),
			"connection not enabled for the client")
	}
	// Errors are answers, too: iss comes first (RFC 9207 section 2.4). An IdP
	// whose issuer the connection does not know has its own callback for defence.
	if issuer := c.config.Options.Issuer; a.iss != "" && issuer != "" && a.iss != issuer {
		return refuse(failed, "iss is another issuer's")
	}
	if a.errorCode != "" {
		return refuse(passOn(a.errorCode), "the identity provider refused", "error", knownError(a.errorCode))
	}

	ctx = s.upstreamContext(ctx)
	var options []oauth2.AuthCodeOption
	if l.Verifier != "" {
		options = append(options, oauth2.VerifierOption(l.Verifier))
	}
	// The connection's customHeaders go with this request, and no other.
	token, err := c.provider.TokenConfig(s.Issuer+callbackPath(l.Connection)).Exchange(ctx, a.code, options...)
	if err != nil {
		return refuse(failed, "no token", "error", err) // upstream's errors hold no secrets
	}
	var idToken *oidc.IDTokenClaims
	if c.keys != nil {
		if idToken, err = checkIDToken(ctx, c, token, l.Nonce); err != nil {
			return refuse(failed, "ID token refused", "error", harmless(err))
		}
	}
	profile, err := c.provider.FetchProfile(ctx, token)
	if err != nil {
		return refuse(failed, "no profile", "error", err)
	}
	u := user{
		Subject: c.provider.Subject(profile.UserID),
		Email:   profile.Email, EmailVerified: profile.EmailVerified, Name: profile.Name,
		Sent: l.Sent,
	}
	if idToken != nil {
		// A userinfo answer about somebody else must not be believed (OpenID
		// Connect Core section 5.3.2).
		if err := profile.CheckSubject(idToken.Subject); err != nil {
			return refuse(failed, "profile refused", "error", err)
		}
		u.AuthTime = idToken.GetAuthTime()
	}
	return u, nil
}

// checkIDToken verifies signature, issuer, audience, times and nonce.
func checkIDToken(ctx context.Context, c *connection, t *oauth2.Token, nonce string) (*oidc.IDTokenClaims, error) {
	raw, _ := t.Extra("id_token").(string)
	if raw == "" {
		return nil, errNoIDToken
	}
	o := &c.config.Options
	verifier := rp.NewIDTokenVerifier(o.Issuer, o.ClientID, c.keys,
		rp.WithIssuedAtOffset(10*time.Second),                        // clocks differ
		rp.WithSupportedSigningAlgorithms("RS256", "PS256", "ES256"), // never one whose key is the client's secret, or none
		rp.WithNonce(func(context.Context) string { return nonce }))
	return rp.VerifyTokens[*oidc.IDTokenClaims](ctx, t.AccessToken, raw, verifier)
}

var errNoIDToken = errors.New("there is none")

// harmless gives an error of checkIDToken without its details, which quote what
// is in the token.
func harmless(err error) string {
	for _, known := range []error{
		errNoIDToken, oidc.ErrNonceInvalid, oidc.ErrIssuerInvalid, oidc.ErrAudience, oidc.ErrAzpMissing, oidc.ErrAzpInvalid,
		oidc.ErrExpired, oidc.ErrIatInFuture, oidc.ErrSubjectMissing, oidc.ErrSignatureMissing, oidc.ErrSignatureMultiple,
		oidc.ErrSignatureUnsupportedAlg, oidc.ErrSignatureInvalidPayload, oidc.ErrSignatureInvalid, oidc.ErrAtHash,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "it cannot be read, or its keys cannot be had"
}

// passedOn are the IdP's errors that say something to an application: the user
// said no, or prompt=none could not be done (OpenID Connect Core section 3.1.2.6).
var passedOn = []string{"access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required", "temporarily_unavailable"}

// passOn makes the application's error of the IdP's. Its description is not
// repeated: it is a stranger's text.
func passOn(code string) *oidc.Error {
	e := oidc.ErrServerError().WithDescription("the identity provider did not log the user in")
	switch {
	case code == "access_denied":
		e = oidc.ErrAccessDenied()
	case code == "login_required":
		e = oidc.ErrLoginRequired()
	case slices.Contains(passedOn, code):
		e = oidc.ErrInteractionRequired()
	}
	return e
}

// knownError gives an error code for the log if it is one of the protocol's.
func knownError(code string) string {
	if slices.Contains(passedOn, code) || slices.Contains([]string{
		"invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error"}, code) {
		return code
	}
	return "another"
}
