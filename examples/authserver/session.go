package main

// This file owns the server's memory of who is logged in in a browser, and when
// that is enough for a request. It must not know how anybody logs in.

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"

	"example.com/upstream"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// remember makes a session for a user who has just logged in. Its name is new, so
// that none can be planted, and the one before it ends.
func (s *Server) remember(w http.ResponseWriter, r *http.Request, u user) {
	s.forget(w, r)
	id, _, err := s.storage.put(r.Context(), kindSession, grant{ID: rand.Text(), User: u}, sessionLifetime)
	if err != nil {
		s.Log.Error("session", "error", err) // the login is none the worse
		return
	}
	http.SetCookie(w, s.sessionCookie(id, int(sessionLifetime/time.Second)))
}

// forget ends the browser's session.
func (s *Server) forget(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(s.sessionCookie("", 0).Name)
	if err != nil {
		return
	}
	if err := s.Store.Delete(r.Context(), kindSession, cookie.Value); err != nil {
		s.Log.Error("session", "error", err)
	}
	http.SetCookie(w, s.sessionCookie("", -1))
}

// sessionCookie has a name that browsers take from https and this host alone,
// where the server has https.
func (s *Server) sessionCookie(id string, maxAge int) *http.Cookie {
	c := &http.Cookie{Name: "session", Value: id, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if s.secure {
		c.Name, c.Secure = "__Host-session", true
	}
	return c
}

// session gives who is logged in in a browser.
func (s *Server) session(r *http.Request) (user, bool) {
	cookie, err := r.Cookie(s.sessionCookie("", 0).Name)
	if err != nil {
		return user{}, false
	}
	g, err := s.storage.get(r.Context(), kindSession, cookie.Value)
	return g.User, err == nil
}

// remembered gives the session's user where the request can be answered with it:
// no prompt asks for more (OpenID Connect Core section 3.1.2.1), max_age,
// acr_values and id_token_hint are met, and the connection by which they logged in
// is one that the application may use, and has not asked for another one.
func (s *Server) remembered(r *http.Request, req request, parsed *upstream.AuthorizeRequest, asked *oidc.AuthRequest) (user, bool) {
	if len(asked.Prompt) > 0 && !slices.Contains(asked.Prompt, oidc.PromptNone) || asked.MaxAge != nil && *asked.MaxAge == 0 {
		return user{}, false // wants to see the user, whoever is remembered
	}
	u, known := s.session(r)
	switch {
	case !known, !s.Connections.current().get(u.Connection).enabledFor(req.ClientID),
		parsed.Connection != "" && parsed.Connection != u.Connection,
		len(asked.ACRValues) > 0 && !slices.Contains(asked.ACRValues, u.ACR),
		req.unmet(u, 0) != "":
		return user{}, false
	}
	return u, true
}

// start is for people who have come without an application.
func (s *Server) start(w http.ResponseWriter, r *http.Request) {
	u, _ := s.session(r)
	s.show(w, page{status: http.StatusOK, template: "start.html", data: map[string]any{"Clients": s.Clients, "User": u}, forms: true})
}

// logout ends the session here. Those at identity providers and applications go on.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	s.forget(w, r)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
