package main

// This file owns the first leg of a login: whether one is needed at all, the
// choice of the connection, and the way to its IdP. It must not know what comes
// back; see callback.go.

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/upstream"
	"example.com/upstream/login"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// maxPending is how many bytes module login seals into a cookie of the host's own.
const maxPending = 2048

// A pending login is what this server has to know of its first leg on the second.
// Module login seals it into a cookie with what it has to know itself.
type pending struct {
	Request request    `json:"r"`
	Sent    []sentName `json:"s,omitempty"`
}

// login goes on with an accepted request.
func (s *Server) login(w http.ResponseWriter, r *http.Request, req request, parsed *upstream.AuthorizeRequest, asked *oidc.AuthRequest) {
	if u, known := s.remembered(r, req, parsed, asked); known {
		s.Log.Info("login not needed", "client", req.ClientID, "connection", u.Connection)
		s.issue(w, r, req, u)
		return
	}
	set := s.Connections.current()
	route, err := set.routing.Route(login.RouteRequest{ClientID: req.ClientID, Connection: parsed.Connection, LoginHint: parsed.LoginHint, DomainHint: parsed.HD})
	switch {
	case err != nil:
		log := s.Log.With("leg", 1, "client", req.ClientID)
		outcome := "unknown connection"
		if set.get(parsed.Connection) != nil { // else the name is anybody's text
			log, outcome = log.With("connection", parsed.Connection), "connection not enabled for the client"
		}
		log.Warn("login refused", "outcome", outcome)
		// One answer for both, so that nobody learns which connections exist.
		s.back(w, r, req, "invalid_request", "the connection is not enabled for this application")
	case route.Connection != "":
		s.begin(w, r, req, parsed, set.get(route.Connection))
	case slices.Contains(asked.Prompt, oidc.PromptNone):
		s.back(w, r, req, "login_required", "nobody is logged in here")
	default:
		s.choose(w, r.Form, req, set, route.Choices)
	}
}

// choose shows a link for each connection that is enabled for the application:
// its own request again, with the user's choice. So nothing is remembered for
// people who go away, and the back button works.
func (s *Server) choose(w http.ResponseWriter, form url.Values, req request, set *connections, names []string) {
	type button struct{ Name, Icon, Address string }
	data := struct {
		Application Client
		Buttons     []button
	}{Application: s.storage.clients[req.ClientID]}
	p := page{status: http.StatusOK, template: "login.html"}
	again := maps.Clone(form)
	for _, name := range names {
		c := set.get(name).config
		if c.DisplayName != "" {
			name = c.DisplayName
		}
		again.Set("connection", c.Name)
		data.Buttons = append(data.Buttons, button{name, c.Options.IconURL, "/authorize?" + again.Encode()})
		if c.Options.IconURL != "" {
			p.images = append(p.images, c.Options.IconURL)
		}
	}
	p.data = data
	s.show(w, p)
}

// begin sends the browser to the IdP.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, req request, parsed *upstream.AuthorizeRequest, c *connection) {
	log := s.Log.With("leg", 1, "client", req.ClientID, "connection", c.config.Name)
	ctx := s.upstreamContext(r.Context())
	explanation, err := c.explain(ctx, parsed, exampleTransaction(s.Issuer+callbackPath(c.config.Name)))
	if err == nil {
		data, _ := json.Marshal(pending{req, sentNames(explanation)}) // texts; it cannot fail
		if len(data) > maxPending {
			log.Warn("login refused", "outcome", "request too long")
			s.back(w, r, req, "invalid_request", "the request is too long")
			return
		}
		err = c.login.Begin(w, r.WithContext(ctx), parsed, data)
	}
	if err != nil {
		log.Warn("login cannot begin", "error", err)
		s.back(w, r, req, applicationCode(err), "the login cannot begin")
		return
	}
	sent, dropped := parameterNames(explanation)
	log.Info("login begins", "sent", sent, "not_sent", dropped, "not_mapped", explanation.Unmapped)
}

// applicationCode gives what an application hears of an error of module login.
func applicationCode(err error) string {
	if e := (*login.Error)(nil); errors.As(err, &e) && e.Code != "" {
		return e.Code
	}
	return "server_error"
}

// sentNames tells the application what went upstream. The values are not for it,
// and neither is what belongs to this server's own login.
func sentNames(e upstream.Explanation) (out []sentName) {
	for _, d := range e.Parameters {
		if d.Sent && d.Name != "state" && d.Name != "nonce" {
			out = append(out, sentName{d.Name, d.Layer, d.Source})
		}
	}
	return out
}

// parameterNames gives the names of what an explanation says was sent, and of
// what could have been. They are the operator's words, not the user's.
func parameterNames(e upstream.Explanation) (sent, dropped []string) {
	for _, d := range e.Parameters {
		names := &dropped
		if d.Sent {
			names = &sent
		}
		if !slices.Contains(*names, d.Name) { // resource may have several rows
			*names = append(*names, d.Name)
		}
	}
	return sent, dropped
}

// demand notes in the request what max_age, prompt and id_token_hint ask of the
// user who comes back.
func (r *request) demand(asked *oidc.AuthRequest, hinted string, now time.Time) {
	r.Subject = hinted
	if asked.MaxAge != nil { // op has 0 here for prompt=login
		r.Fresh = now.Unix() - int64(*asked.MaxAge)
		r.MaxAge = !slices.Contains(asked.Prompt, oidc.PromptLogin)
	}
}

// unmet says why a user is not whom the request asks for, "" if they are. skew is
// for clocks that are not this server's.
func (r *request) unmet(u user, skew time.Duration) string {
	switch {
	case r.Subject != "" && r.Subject != u.Subject:
		return "the user is another one than id_token_hint's"
	case r.MaxAge && u.AuthTime.IsZero():
		return "max_age was asked for, and the identity provider does not say when the user logged in"
	case r.Fresh != 0 && !u.AuthTime.IsZero() && u.AuthTime.Add(skew).Unix() < r.Fresh:
		return "the user logged in too long ago"
	}
	return ""
}
