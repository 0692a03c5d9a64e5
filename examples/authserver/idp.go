package main

// This file owns the upstream identity provider: zitadel/oidc's example
// provider, with a user in it and three habits of real ones added. It stands
// for somebody else's server, so it must not know of anything in the other
// files but by address.

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	exampleclients "github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// An IdPClient is what somebody has registered at the IdP. The callbacks are
// those of the auth server, one for each connection.
type IdPClient struct {
	ID, Secret string
	Callbacks  []string
}

// partnerHeader is what the IdP's token endpoint demands beside the client's
// secret, as gateways in front of such servers do.
const partnerHeader = "X-Partner-Key"

// NewIdP makes the IdP. issuer must be http://localhost:PORT: the name of its
// user, test-user@localhost, is made of it.
func NewIdP(issuer, partnerKey string, clients []IdPClient) http.Handler {
	registry := map[string]*exampleclients.Client{} // not RegisterClients: that registry is the whole process's
	for _, c := range clients {
		registry[c.ID] = exampleclients.WebClient(c.ID, c.Secret, c.Callbacks...)
	}
	store := exampleclients.NewStorageWithClients(exampleclients.NewUserStore(issuer), registry)
	// nil for the logger, because SetupServer makes any other one slog's default.
	provider := exampleop.SetupServer(issuer, store, nil, false,
		// SetupServer moves this endpoint to /auth in op.DefaultEndpoints, which
		// all providers of the process share, the auth server's included.
		op.WithCustomAuthEndpoint(op.NewEndpoint("authorize")))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /icon.svg", icon)
	mux.Handle("/authorize/callback", withIssuer(issuer, provider))
	mux.Handle("/oauth/token", demandHeader(partnerKey, provider))
	mux.Handle("/", provider)
	return mux
}

// demandHeader refuses requests without the partner's key.
func demandHeader(key string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get(partnerHeader)), []byte(key)) != 1 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "access_denied"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withIssuer adds iss to the answer that goes back through the browser (RFC 9207).
func withIssuer(issuer string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&issuerWriter{w, issuer}, r)
	})
}

type issuerWriter struct {
	http.ResponseWriter
	issuer string
}

func (w *issuerWriter) WriteHeader(status int) {
	if to := w.Header().Get("Location"); to != "" {
		separator := "?"
		if strings.Contains(to, "?") {
			separator = "&"
		}
		w.Header().Set("Location", to+separator+url.Values{"iss": {w.issuer}}.Encode())
	}
	w.ResponseWriter.WriteHeader(status)
}

// icon is what the connections' icon_url points at.
func icon(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect width="24" height="24" rx="6" fill="#2f6f4f"/>` +
		`<circle cx="12" cy="9" r="4" fill="#fff"/><path d="M4.5 20a7.5 6.5 0 0 1 15 0z" fill="#fff"/></svg>`))
}
