package main

// This file owns the first leg of a login: the choice of the connection, and
// the redirect to its IdP. It must not know what comes back; see callback.go.

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"

	"example.com/upstream"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/oauth2"
)

// login is where op sends the browser with an accepted request. The choice is
// the application's, by connection=NAME in its request, or else the user's.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	req, err := s.Store.pending(query.Get("id"))
	if err != nil {
		s.plain(w, s.Log.With("leg", 1), err.Error(), "This login is finished or too old. Begin again at the application.")
		return
	}
	switch {
	case req.Upstream.Connection != "":
		s.begin(w, r, req, req.Upstream.Connection)
	case query.Has("connection"):
		s.begin(w, r, req, query.Get("connection"))
	case slices.Contains(req.OIDC.Prompt, oidc.PromptNone):
		// This server remembers nobody, so without an IdP there is nobody to ask.
		s.back(w, r, req, oidc.ErrLoginRequired())
	default:
		s.choose(w, req)
	}
}

// choose shows a button for each connection that is enabled for the application.
func (s *Server) choose(w http.ResponseWriter, req request) {
	type button struct{ Name, Icon, Address string }
	data := struct {
		Application string
		Buttons     []button
	}{Application: s.storage.clients[req.OIDC.ClientID].Name}
	p := page{status: http.StatusOK, template: "login.html"}
	for _, c := range s.Connections.EnabledFor(req.OIDC.ClientID) {
		name := c.config.DisplayName
		if name == "" {
			name = c.config.Name
		}
		address := url.Values{"id": {req.ID}, "connection": {c.config.Name}}
		data.Buttons = append(data.Buttons, button{name, c.config.Options.IconURL, "/login?" + address.Encode()})
		if c.config.Options.IconURL != "" {
			p.images = append(p.images, c.config.Options.IconURL)
		}
	}
	p.data = data
	if err := render(w, p); err != nil {
		s.Log.Error("login page", "error", err)
	}
}

// begin sends the browser to the IdP.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, req request, name string) {
	c := s.Connections.Get(name)
	log := s.Log.With("leg", 1, "client", req.OIDC.ClientID)
	outcome := "unknown connection"
	if c != nil { // else the name is anybody's text
		log, outcome = log.With("connection", name), "connection not enabled for the client"
	}
	if !c.enabledFor(req.OIDC.ClientID) {
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
	explanation, err := c.provider.Explain(req.Upstream, tx)
	if err != nil {
		log.Error("login cannot begin", "error", err)
		s.back(w, r, req, oidc.ErrServerError())
		return
	}
	if slices.Contains(req.OIDC.Prompt, oidc.PromptNone) && !asksNobody(explanation) {
		log.Info("login refused", "outcome", "prompt=none does not go upstream")
		s.back(w, r, req, oidc.ErrLoginRequired())
		return
	}
	target, err := c.provider.AuthorizationURL(req.Upstream, tx)
	if err != nil {
		log.Error("login cannot begin", "error", err)
		s.back(w, r, req, oidc.ErrServerError())
		return
	}
	l := loginState{State: tx.State.Reveal(), Nonce: tx.Nonce.Reveal(), Connection: name, RequestID: req.ID}
	if challenged(explanation) {
		l.Verifier = tx.CodeVerifier.Reveal()
	}
	if err := s.sealer.set(w, l, callbackPath(name)); err != nil {
		log.Error("login cannot begin", "error", err)
		s.back(w, r, req, oidc.ErrServerError())
		return
	}
	sent, dropped := parameterNames(explanation)
	log.Info("login begins", "sent", sent, "not_sent", dropped, "not_mapped", explanation.Unmapped)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target, http.StatusFound)
}

// back ends a login with an error for the application, whose redirect URI op
// checked when the request came.
func (s *Server) back(w http.ResponseWriter, r *http.Request, req request, refusal *oidc.Error) {
	if !s.Store.dropPending(req.ID) { // another tab was faster, so the application has its answer
		s.plain(w, s.Log, errUnknownRequest.Error(), "This login is finished or too old. Begin again at the application.")
		return
	}
	op.AuthRequestError(w, r, authRequest{req}, refusal, s.provider)
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
