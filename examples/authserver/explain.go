package main

// This file owns the operator's pages: the list of connections, and the page
// that explains what would become of a request. It must not know how a login
// goes on, and it changes nothing.

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/upstream"
	"example.com/upstream/login/sqlstore"
)

const maxPaste = 40 << 10 // bytes of a form; a query may have 32 KiB

// exampleTransaction stands in for what a login makes anew each time.
func exampleTransaction(redirectURI string) upstream.Transaction {
	return upstream.Transaction{
		RedirectURI:  redirectURI,
		State:        upstream.NewSecret("new-for-each-login"),
		Nonce:        upstream.NewSecret("also-new-for-each-login"),
		CodeVerifier: upstream.NewSecret("a-code-verifier-is-also-new-for-each-login-"),
	}
}

// Operator serves the operator's pages on an address of their own. They show
// how connections are configured and have no login: put them where only
// operators come. host is the address's host and port; a page of another site
// that has its own name point here is refused (DNS rebinding).
func (s *Server) Operator(host string) http.Handler {
	mux := http.NewServeMux()
	assets(mux)
	mux.Handle("GET /{$}", http.RedirectHandler("/connections", http.StatusFound))
	mux.HandleFunc("GET /connections", s.listConnections)
	mux.HandleFunc("GET /connections/{connection}/explain", s.explain)
	mux.HandleFunc("POST /connections/{connection}/explain", s.explain)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.operatorRefuses(w, http.StatusNotFound, "There is no such page.")
	})
	own := http.NewCrossOriginProtection().Handler(mux)
	return secured(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != host {
			http.Error(w, "these pages are not served under this name", http.StatusMisdirectedRequest)
			return
		}
		own.ServeHTTP(w, r)
	}))
}

func (s *Server) operatorRefuses(w http.ResponseWriter, status int, message string) {
	s.show(w, page{status: status, template: "refused.html", data: map[string]any{"Message": message, "Operator": true}})
}

func (s *Server) listConnections(w http.ResponseWriter, _ *http.Request) {
	type row struct {
		Name, DisplayName, Strategy, Clients string
		Serves                               bool
		Problems, Warnings                   []upstream.Problem
	}
	var rows []row
	for _, e := range s.Connections.current().all() {
		r := row{Name: e.name, Serves: e.good != nil}
		if e.good != nil {
			r.DisplayName, r.Strategy, r.Warnings = e.good.config.DisplayName, e.good.config.Strategy, e.good.warnings
			r.Clients = strings.Join(e.good.config.EnabledClients, ", ")
		}
		if e.fault != nil {
			r.Problems = problems(e.fault)
		}
		rows = append(rows, r)
	}
	s.show(w, page{status: http.StatusOK, template: "connections.html", data: rows})
}

// An explained request is what the page says about it.
type explained struct {
	Pasted      string
	Name        string
	DisplayName string
	Strategy    string
	Clients     []string
	Callback    string
	Loaded      string             // when the version that serves was read; "" if none serves
	Problems    []upstream.Problem // of the connection as it is now
	Warnings    []upstream.Problem // of the version that serves
	History     []sqlstore.Connection

	Refused  string   // why the pasted request, or its login, is refused
	Sentence string   // about the connection and the request, if there is something to say
	Target   []string // the upstream URL, in pieces between which a line may end
	Rows     []upstream.Decision
	Unmapped []string
}

// explain takes the request by POST: its values are users' data, and an address
// with them would stay in histories and access logs.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("connection")
	e := s.Connections.current().entries[name]
	if e == nil {
		s.operatorRefuses(w, http.StatusNotFound, "There is no connection of this name.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxPaste)
	if err := r.ParseForm(); err != nil {
		s.operatorRefuses(w, http.StatusBadRequest, "What was sent is malformed or too long.")
		return
	}
	data := explained{Name: name, Pasted: strings.TrimSpace(r.PostForm.Get("request")), Callback: s.Issuer + callbackPath(name)}
	if e.fault != nil {
		data.Problems = problems(e.fault)
	}
	if c := e.good; c != nil {
		data.DisplayName, data.Strategy, data.Clients, data.Warnings = c.config.DisplayName, c.config.Strategy, c.config.EnabledClients, c.warnings
		data.Loaded = c.loaded.Format(time.DateTime)
		if data.Pasted != "" {
			data.explain(s.upstreamContext(r.Context()), c)
		}
	}
	var err error
	if data.History, err = s.Source.history(r.Context(), name); err != nil {
		s.Log.Error("history", "connection", name, "error", err)
	}
	s.show(w, page{status: http.StatusOK, template: "explain.html", data: data, forms: true})
}

// explain fills the answer in.
func (e *explained) explain(ctx context.Context, c *connection) {
	query := pastedQuery(e.Pasted)
	req, err := upstream.ParseAuthorizeQuery(query)
	form, _ := url.ParseQuery(query)
	if bad := malformed(form, req, err); bad != nil {
		e.Refused = bad.Code + ": " + bad.Description
		return
	}
	switch {
	case req.ClientID == "":
		e.Sentence = "The request names no client_id; /authorize would refuse it."
	case !c.enabledFor(req.ClientID):
		e.Sentence = "The connection is not enabled for the client of this request; /authorize would refuse it."
	case req.Connection != "" && req.Connection != e.Name:
		e.Sentence = "The request asks for another connection than this one."
	}
	tx := exampleTransaction(e.Callback)
	explanation, err := c.explain(ctx, req, tx)
	if err != nil {
		e.Refused = err.Error()
		return
	}
	target, err := c.provider.Load().AuthorizationURL(req, tx)
	if err != nil {
		e.Refused = err.Error()
		return
	}
	e.Rows, e.Unmapped = explanation.Parameters, explanation.Unmapped
	e.Target = strings.SplitAfter(redact(target, e.Rows), "&")
}

// pastedQuery takes the query out of an address, or the text for a query.
func pastedQuery(pasted string) string {
	if _, query, found := strings.Cut(pasted, "?"); found {
		pasted = query
	}
	query, _, _ := strings.Cut(pasted, "#")
	return query
}

// redact takes from the URL what the explanation does not show: a token.
func redact(target string, rows []upstream.Decision) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	query := u.Query()
	for _, row := range rows {
		if row.Sent && row.Value == "[redacted]" {
			query.Set(row.Name, row.Value)
			u.RawQuery = query.Encode()
		}
	}
	return u.String()
}
