package main

// This file owns the front of /authorize: the request is read strictly, checked
// against the application that sends it, and answered. It must not know of
// connections; see login.go.

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/upstream"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const maxForm = 64 << 10 // bytes of a POST body

// authorize takes an application's request, and goes on to the login.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.plain(w, s.Log, "", "malformed request", "The request is malformed.")
		return
	}
	if r.Method == http.MethodPost {
		// op would read query and body as one. Two parsers that see two requests
		// are how a checked value is not the one that is used.
		r.Form = r.PostForm
	}
	parsed, err := upstream.ParseAuthorizeRequest(r)
	bad := malformed(r.Form, parsed, err)
	clientID := r.Form.Get("client_id")
	client, known := s.storage.clients[clientID]
	req := request{
		ClientID: clientID, RedirectURI: r.Form.Get("redirect_uri"), ResponseMode: oidc.ResponseMode(r.Form.Get("response_mode")),
	}
	if states := r.Form["state"]; len(states) == 1 {
		req.State = states[0]
	}
	// Nothing goes to an address that the application has not registered (RFC
	// 6749 section 4.1.2.1).
	if !known || op.ValidateAuthReqRedirectURI(opClient{client}, req.RedirectURI, oidc.ResponseTypeCode) != nil {
		s.plain(w, s.Log, "", "unknown client or redirect URI", "The application that sent you here is not registered, or not with this address.")
		return
	}
	if bad != nil {
		s.Log.Warn("login refused", "client", client.ID, "outcome", "malformed request", "parameter", bad.Parameter)
		s.back(w, r, req, bad.Code, bad.Description)
		return
	}
	// A parameter without a value is as if absent (RFC 6749 section 3.1). To op
	// max_age= is 0, and prompt= a prompt without a name.
	maps.DeleteFunc(r.Form, func(_ string, values []string) bool { return len(values) == 1 && values[0] == "" })
	asked, hinted, err := s.accept(r, client)
	if err != nil {
		s.Log.Warn("login refused", "client", client.ID, "outcome", "request not accepted")
		refusal := oidc.DefaultToServerError(err, "the request cannot be read")
		s.back(w, r, req, string(refusal.ErrorType), refusal.Description)
		return
	}
	req.Nonce, req.Challenge, req.Scopes = asked.Nonce, asked.CodeChallenge, asked.Scopes
	req.demand(asked, hinted, s.Now())
	s.login(w, r, req, parsed, asked)
}

// accept has op check what it would check at an authorization endpoint of its
// own, and gives the subject of id_token_hint.
func (s *Server) accept(r *http.Request, client Client) (asked *oidc.AuthRequest, hinted string, err error) {
	if asked, err = op.ParseAuthorizeRequest(r, s.provider.Decoder()); err != nil {
		return nil, "", err
	}
	if asked.RequestParam != "" {
		return nil, "", oidc.ErrRequestNotSupported()
	}
	ctx := op.ContextWithIssuer(r.Context(), s.Issuer)
	hinted, err = op.ValidateAuthRequestClient(ctx, asked, opClient{client}, s.provider.IDTokenHintVerifier(ctx))
	return asked, hinted, err
}

// malformed says what is wrong with a request: what this library's parser has
// found, or what op would read as another request. form is the request as op
// gets it; parsed and err are what the parser gave.
func malformed(form url.Values, parsed *upstream.AuthorizeRequest, err error) *upstream.RequestError {
	if err != nil {
		var bad *upstream.RequestError
		errors.As(err, &bad) // it is one, as long as the parser reads no body
		return bad
	}
	if name := lookalike(form); name != "" {
		return badParameter(name, "is spelled otherwise, and names are case-sensitive")
	}
	return unsupported(parsed)
}

// unsupported finds a value that op would take for another one, or refuse with
// a page of its own words.
func unsupported(r *upstream.AuthorizeRequest) *upstream.RequestError {
	switch {
	case r.CodeChallenge+r.CodeChallengeMethod != "" && r.CodeChallengeMethod != string(oidc.CodeChallengeMethodS256):
		// To op all other methods, and none, are plain, which keeps nothing from
		// whoever has seen the request (RFC 7636 sections 4.4.1 and 7.2).
		return badParameter("code_challenge_method", "is not S256")
	case r.ResponseMode != "" && !slices.Contains(responseModes, r.ResponseMode):
		return badParameter("response_mode", "is none of "+strings.Join(responseModes, " "))
	case r.MaxAge != "":
		if _, err := strconv.ParseUint(r.MaxAge, 10, 31); err != nil { // 31: seconds that fit a time.Duration
			return badParameter("max_age", "is not a number of seconds")
		}
	}
	return nil
}

var responseModes = []string{string(oidc.ResponseModeQuery), string(oidc.ResponseModeFragment), string(oidc.ResponseModeFormPost)}

func badParameter(name, problem string) *upstream.RequestError {
	return &upstream.RequestError{Code: "invalid_request", Parameter: name, Description: "parameter " + name + " " + problem}
}

// authorizeNames are the parameters that this library or op recognises.
var authorizeNames = []string{
	"access_type", "acr_values", "approval_prompt", "audience", "client_id", "code_challenge", "code_challenge_method", "connection",
	"connection_scope", "display", "force_login", "hd", "id_token_hint", "include_granted_scopes", "invitation", "login_hint", "max_age",
	"nonce", "organization", "prompt", "redirect_uri", "request", "request_uri", "resource", "response_mode", "response_type", "scope", "screen_hint",
	"state", "ui_locales", "wauth", "whr",
}

// lookalike gives the recognised parameter that a form has under another
// spelling, "" if there is none. Names are case-sensitive (RFC 6749 section 1.9),
// but op's decoder takes PROMPT for prompt, and of two spellings whichever it
// meets last. An unknown name is no fault (section 3.1).
func lookalike(form url.Values) string {
	for _, known := range authorizeNames {
		for name := range form {
			if name != known && strings.EqualFold(name, known) {
				return known
			}
		}
	}
	return ""
}

// back answers the application with an error.
func (s *Server) back(w http.ResponseWriter, r *http.Request, req request, code, description string) {
	s.answer(w, r, req, url.Values{"error": {code}, "error_description": {description}})
}

// answer sends the browser back to the application, in the way that it asked for
// (OAuth 2.0 Multiple Response Types section 2.1, Form Post Response Mode), and
// with the issuer (RFC 9207), so that it takes this answer for nobody else's.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, req request, values url.Values) {
	values.Set("iss", s.Issuer)
	if req.State != "" {
		values.Set("state", req.State)
	}
	w.Header().Set("Cache-Control", "no-store")
	target, err := url.Parse(req.RedirectURI)
	switch {
	case err != nil: // it was registered by a human
		s.plain(w, s.Log, req.ClientID, "redirect URI cannot be read", "The application that sent you here is registered with an address that cannot be read.")
		return
	case req.ResponseMode == oidc.ResponseModeFormPost:
		s.show(w, page{status: http.StatusOK, template: "form_post.html", data: map[string]any{"Action": req.RedirectURI, "Values": values}, script: true, crossForms: true})
		return
	case req.ResponseMode == oidc.ResponseModeFragment:
		http.Redirect(w, r, req.RedirectURI+"#"+values.Encode(), http.StatusFound)
		return
	}
	query := target.Query()
	maps.Copy(query, values)
	target.RawQuery = query.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}

// plain shows a page where there is nobody to send the user back to but by a
// link. outcome is for the log, message for the user; neither holds anything of
// the request.
func (s *Server) plain(w http.ResponseWriter, log *slog.Logger, clientID, outcome, message string) {
	log.Warn("login refused", "outcome", outcome)
	s.refuse(w, http.StatusBadRequest, clientID, message)
}

// refuse shows a page with a way back: to the application if it is known, else to
// the start page, which names them all.
func (s *Server) refuse(w http.ResponseWriter, status int, clientID, message string) {
	s.show(w, page{status: status, template: "refused.html", data: map[string]any{"Message": message, "Application": s.storage.clients[clientID]}})
}

// show writes a page, and says what keeps it from being written.
func (s *Server) show(w http.ResponseWriter, p page) {
	if err := render(w, p); err != nil {
		s.Log.Error("page", "template", p.template, "error", err)
	}
}
