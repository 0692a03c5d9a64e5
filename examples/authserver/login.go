package main

// This file owns the first leg of a login: the choice of the connection, and
// the redirect to its IdP. It must not know what comes back; see callback.go.

import (
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"example.com/upstream"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
)

// login goes on with an accepted request. The choice of the connection is the
// application's, by connection=NAME in its request, or else the user's.
func (s *Server) login(w http.ResponseWriter, r *http.Request, req request, parsed *upstream.AuthorizeRequest, asked *oidc.AuthRequest) {
	none := slices.Contains(asked.Prompt, oidc.PromptNone)
	switch {
	case parsed.Connection != "":
		s.begin(w, r, req, parsed, none)
	case none:
		// This server remembers nobody, so without an IdP there is nobody to ask.
		s.back(w, r, req, oidc.ErrLoginRequired())
	default:
		s.choose(w, req, r.Form)
	}
}

// choose shows a link for each connection that is enabled for the application:
// its own request again, with the user's choice. So nothing is remembered for
// people who go away, and the back button works.
func (s *Server) choose(w http.ResponseWriter, req request, form url.Values) {
	type button struct{ Name, Icon, Address string }
	data := struct {
		Application Client
		Buttons     []button
	}{Application: s.storage.clients[req.ClientID]}
	p := page{status: http.StatusOK, template: "login.html"}
	again := maps.Clone(form)
	for _, c := range s.Connections.EnabledFor(req.ClientID) {
		name := c.config.DisplayName
		if name == "" {
			name = c.config.Name
		}
		again.Set("connection", c.config.Name)
		data.Buttons = append(data.Buttons, button{name, c.config.Options.IconURL, "/authorize?" + again.Encode()})
		if c.config.Options.IconURL != "" {
			p.images = append(p.images, c.config.Options.IconURL)
		}
	}
	p.data = data
	s.show(w, p)
}

// begin sends the browser to the IdP.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, req request, parsed *upstream.AuthorizeRequest, none bool) {
	name := parsed.Connection
	c := s.Connections.Get(name)
	log := s.Log.With("leg", 1, "client", req.ClientID)
	outcome := "unknown connection"
	if c != nil { // else the name is anybody's text
		log, outcome = log.With("connection", name), "connection not enabled for the client"
	}
	if !c.enabledFor(req.ClientID) {
		log.Warn("login refused", "outcome", outcome)
		// One answer for both, so that nobody learns which connections exist.
		s.back(w, r, req, oidc.ErrInvalidRequest().WithDescription("the connection is not enabled for this application"))
		return
	}
	tx := upstream.Transaction{
		RedirectURI:  s.Issuer + callbackPath(name),
		State:        upstream.NewSecret(rand.Text()),
		CodeVerifier: upstream.NewSecret(oauth2.GenerateVerifier()), // sent unless the connection's pkce is "disabled"
	}
	if c.keys != nil {
		tx.Nonce = upstream.NewSecret(rand.Text())
	}
	explanation, err := c.provider.Explain(parsed, tx)
	if err != nil {
		log.Error("login cannot begin", "error", err)
		s.back(w, r, req, oidc.ErrServerError())
		return
	}
	if none && !asksNobody(explanation) {
		log.Info("login refused", "outcome", "prompt=none does not go upstream")
		s.back(w, r, req, oidc.ErrLoginRequired())
		return
	}
	target, err := c.provider.AuthorizationURL(parsed, tx)
	if err != nil {
		log.Error("login cannot begin", "error", err)
		s.back(w, r, req, oidc.ErrServerError())
		return
	}
	l := loginState{State: tx.State.Reveal(), Nonce: tx.Nonce.Reveal(), Connection: name, Request: req, Sent: sentNames(explanation)}
	if challenged(explanation) {
		l.Verifier = tx.CodeVerifier.Reveal()
	}
	if err := s.sealer.set(w, l, callbackPath(name)); err != nil {
		log.Warn("login refused", "outcome", err.Error())
		s.back(w, r, req, oidc.ErrInvalidRequest().WithDescription("the request is too long"))
		return
	}
	sent, dropped := parameterNames(explanation)
	log.Info("login begins", "sent", sent, "not_sent", dropped, "not_mapped", explanation.Unmapped)
	http.Redirect(w, r, target, http.StatusFound)
}

// sentNames tells the application what went upstream. The values are not for it.
func sentNames(e upstream.Explanation) (out []sentName) {
	for _, d := range e.Parameters {
		if d.Sent {
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

// asksNobody reports whether prompt=none reaches the IdP. Where it does not, the
// IdP would show a page that the application has ruled out.
func asksNobody(e upstream.Explanation) bool {
	return slices.ContainsFunc(e.Parameters, func(d upstream.Decision) bool { return d.Name == "prompt" && d.Value == "none" })
}

// challenged reports whether the IdP expects a code verifier.
func challenged(e upstream.Explanation) bool {
	return slices.ContainsFunc(e.Parameters, func(d upstream.Decision) bool { return d.Name == "code_challenge" && d.Sent })
}
