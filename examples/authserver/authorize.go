package main

// This file owns the front of /authorize: the request is read once more, and
// more strictly, before the OpenID provider sees it. It must not know of
// connections, or of what becomes of the request.

import (
	"context"
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

// authorize parses with this library, then hands over to op, which checks the
// application and its redirect URI, stores the request with what was parsed
// here (storage.CreateAuthRequest), and sends the browser to the login page.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.plain(w, s.Log, "malformed request", "The request is malformed.")
		return
	}
	if r.Method == http.MethodPost {
		// op would read query and body as one. Two parsers that see two requests
		// are how a checked value is not the one that is used.
		r.Form = r.PostForm
	}
	parsed, err := upstream.ParseAuthorizeRequest(r)
	if bad := malformed(r.Form, parsed, err); bad != nil {
		s.Log.Warn("login refused", "client", s.knownClient(r.Form.Get("client_id")), "outcome", "malformed request", "parameter", bad.Parameter)
		s.refuse(w, r, oidc.ErrInvalidRequest().WithDescription("%s", bad.Description))
		return
	}
	// A parameter without a value is as if absent (RFC 6749 section 3.1). To op
	// max_age= is 0, and prompt= a prompt without a name.
	maps.DeleteFunc(r.Form, func(_ string, values []string) bool { return len(values) == 1 && values[0] == "" })
	s.provider.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), upstreamKey{}, parsed)))
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
		if _, err := strconv.ParseUint(r.MaxAge, 10, 0); err != nil { // 0: op has a uint for it
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
	"nonce", "organization", "prompt", "redirect_uri", "request", "resource", "response_mode", "response_type", "scope", "screen_hint",
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

// refuse answers a request that was not parsed. Nothing goes to an address that
// the application has not registered (RFC 6749 section 4.1.2.1).
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, refusal *oidc.Error) {
	answer := &oidc.AuthRequest{
		RedirectURI: r.Form.Get("redirect_uri"), ResponseType: oidc.ResponseTypeCode, ResponseMode: oidc.ResponseMode(r.Form.Get("response_mode")),
	}
	if states := r.Form["state"]; len(states) == 1 {
		answer.State = states[0]
	}
	client, err := s.storage.GetClientByClientID(r.Context(), r.Form.Get("client_id"))
	if err == nil {
		err = op.ValidateAuthReqRedirectURI(client, answer.RedirectURI, answer.ResponseType)
	}
	if err != nil {
		s.plain(w, s.Log, "unknown client or redirect URI", "The application that sent you here is not registered, or not with this address.")
		return
	}
	op.AuthRequestError(w, r, answer, refusal, s.provider)
}

// knownClient gives a client id for the log, but never what somebody made up.
func (s *Server) knownClient(id string) string {
	if _, ok := s.storage.clients[id]; ok {
		return id
	}
	return ""
}

// plain shows a page where there is nobody to send the user back to. outcome is
// for the log, message for the user; neither holds anything of the request.
func (s *Server) plain(w http.ResponseWriter, log *slog.Logger, outcome, message string) {
	log.Warn("login refused", "outcome", outcome)
	_ = render(w, page{status: http.StatusBadRequest, template: "refused.html", data: message})
}
