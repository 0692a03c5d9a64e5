package main

// This file owns the second leg of a login: from what module login makes of the
// IdP's answer to the code for the application. It must not know how a connection
// is chosen; see login.go.

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"example.com/upstream/login"
)

// skew is how far the clock of an IdP may be from ours.
const skew = time.Minute

// callback takes the IdP's answer. Until module login has found that this browser
// began the login, there is nobody to send it back to, and it sees a page.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	c := s.Connections.current().get(r.PathValue("connection"))
	log := s.Log.With("leg", 2)
	if c == nil {
		s.plain(w, log, "", "unknown connection", "This way to log in is not there any more. Begin again at the application.")
		return
	}
	log = log.With("connection", c.config.Name)
	result, err := c.login.Finish(w, r.WithContext(s.upstreamContext(r.Context())))
	if err != nil {
		s.failed(w, r, log, err)
		return
	}
	var p pending
	if err := json.Unmarshal(result.Data, &p); err != nil { // this server wrote and sealed it
		s.plain(w, log, result.ClientID, "a login of another version of this server", "Begin again at the application.")
		return
	}
	u := user{
		Subject: result.Subject, Connection: result.Connection, AuthTime: result.AuthTime, ACR: result.ACR,
		Email: result.Profile.Email, EmailVerified: result.Profile.EmailVerified, Name: result.Profile.Name,
		Sent: p.Sent,
	}
	log = log.With("client", p.Request.ClientID)
	if outcome := p.Request.unmet(u, skew); outcome != "" {
		log.Warn("login ends", "outcome", outcome)
		s.back(w, r, p.Request, "login_required", outcome)
		return
	}
	s.remember(w, r, u)
	log.Info("login ends", "outcome", "logged in")
	s.issue(w, r, p.Request, u)
}

// failed answers where there is no login: the application, if this browser began
// one for it, else the user.
func (s *Server) failed(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	var e *login.Error
	var p pending
	if !errors.As(err, &e) || e.Code == "" || json.Unmarshal(e.Data, &p) != nil {
		client, message := "", "This login was not begun in this browser, or too long ago, or it has ended already. Begin again at the application."
		if e != nil && e.Step == login.StepAnswer {
			message = "The identity provider's answer is malformed."
		}
		if e != nil {
			client = e.ClientID
		}
		log.Warn("login ends", "error", err)
		s.refuse(w, http.StatusBadRequest, client, message)
		return
	}
	// The text of login's errors is fit for a log, and the application hears only
	// the code.
	log.Warn("login ends", "client", p.Request.ClientID, "error", err)
	s.back(w, r, p.Request, applicationCode(err), "the login at the identity provider failed")
}

// issue gives the application a code for a user who is logged in.
func (s *Server) issue(w http.ResponseWriter, r *http.Request, req request, u user) {
	code, _, err := s.storage.put(r.Context(), kindCode, grant{ID: rand.Text(), request: req, User: u}, codeLifetime)
	if err != nil {
		s.Log.Error("store", "error", err)
		s.back(w, r, req, "server_error", "the server cannot remember the login")
		return
	}
	s.answer(w, r, req, url.Values{"code": {code}})
}
