package login

// This file owns the first leg: from the application's request to the IdP. It
// must not know what an answer looks like: see finish.go.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/upstream"
)

// maxLogins is how many logins one browser may have under way. Their cookies go
// with every request to the host, and servers refuse too many bytes of them.
const maxLogins = 8

// A Redirect is what sends the user to the IdP.
type Redirect struct {
	URL    string       // for a redirect with 302 or 303
	Cookie *http.Cookie // for the same answer

	// Explanation says of each parameter of URL why it is there. It holds values
	// of the request: keep it out of logs.
	Explanation upstream.Explanation
}

// Format prints where to, without the parameters: state and nonce are among them.
func (r Redirect) Format(f fmt.State, _ rune) {
	address, _, _ := strings.Cut(r.URL, "?")
	fmt.Fprintf(f, "login.Redirect{%q}", address)
}

// BeginLogin makes the redirect to the IdP. It is for hosts whose framework is
// not net/http; others call [Login.Begin].
//
// req is the application's request, nil for a login that none asked for. Whether
// the application and its redirect_uri are registered is the host's to check
// before; whether the connection is enabled for it is checked here, on both legs,
// where the connection has enabled_clients. data is the host's own, at most 2 KiB
// with what it needs to go on afterwards: it comes back in the Result, and in the
// Error, and neither the browser nor the IdP can read or change it.
//
// The error is an [*Error].
func (l *Login) BeginLogin(ctx context.Context, req *upstream.AuthorizeRequest, data []byte) (*Redirect, error) {
	s, err := l.ready(ctx)
	if err != nil {
		return nil, err
	}
	in := l.in
	refuse := func(code, reason string, err error) (*Redirect, error) {
		e := in.fault(StepBegin, &hidden{reason, err})
		e.Code = code
		return nil, e
	}
	p := &pending{Begun: in.now().Unix(), Data: data}
	p.Expires = p.Begun + int64(in.o.Lifetime/time.Second)
	if req != nil {
		p.ClientID = req.ClientID
	}
	switch {
	case !in.enabledFor(p.ClientID):
		return refuse("invalid_request", notEnabled, nil)
	case len(data) > maxData:
		return refuse(serverError, "data is longer than 2 KiB; keep it on the server, and pass what finds it", nil)
	}
	ctx, p.Carried, err = s.ext.Start(ctx)
	if err != nil {
		return refuse(serverError, err.Error(), err)
	}
	if len(p.Carried) > maxCarried {
		return refuse(serverError, "the extension carries more than 512 bytes", nil)
	}
	tx := upstream.NewTransaction(in.o.RedirectURI)
	explanation, err := s.provider.Explain(req, tx)
	if err != nil {
		return refuse(requestCode(err), plainText(err), err)
	}
	sent := sentValues(explanation)
	if s.verify == nil || !s.provider.OpenIDConnect() && in.conn.Strategy != "apple" && !slices.Contains(strings.Fields(sent["scope"]), "openid") {
		tx.Nonce = upstream.Secret{} // there will be no ID token that could be verified
	}
	if promptless(req) && sent["prompt"] != "none" {
		return refuse("login_required", "prompt=none does not go upstream", nil)
	}
	if p.Asked, err = asked(explanation); err != nil {
		return refuse("invalid_request", err.Error(), nil)
	}
	target, err := s.provider.AuthorizationURL(req, tx)
	if err == nil {
		target, err = s.ext.Authorize(ctx, target)
	}
	if err != nil {
		return refuse(requestCode(err), plainText(err), err)
	}
	p.Nonce = tx.Nonce.Reveal()
	if sent["code_challenge"] != "" {
		p.Verifier = tx.CodeVerifier.Reveal()
	}
	cookie, err := in.sealed(tx.State.Reveal(), p, sent["response_mode"] == "form_post")
	if err != nil {
		return refuse("invalid_request", err.Error(), err)
	}
	return &Redirect{URL: target, Cookie: cookie, Explanation: explanation}, nil
}

// promptless reports whether the application has ruled out what an IdP that is not
// told so would show: a page.
func promptless(req *upstream.AuthorizeRequest) bool {
	return req != nil && slices.Contains(strings.Fields(req.Prompt), "none")
}

const notEnabled = "the connection is not enabled for the application: see enabled_clients"

// enabledFor reports whether an application may use the connection. One without
// enabled_clients leaves that to the host, and so does a login that no
// application asked for.
func (l *login) enabledFor(clientID string) bool {
	enabled := l.conn.EnabledClients
	return enabled == nil || clientID == "" || slices.Contains(enabled, clientID)
}

// sentValues gives the parameters of the URL by name; of several values the last.
func sentValues(e upstream.Explanation) map[string]string {
	sent := make(map[string]string, len(e.Parameters))
	for _, d := range e.Parameters {
		if d.Sent {
			sent[d.Name] = d.Value
		}
	}
	return sent
}

// requestCode tells an application's mistake from ours.
func requestCode(err error) string {
	if bad := (*upstream.RequestError)(nil); errors.As(err, &bad) {
		return bad.Code
	}
	return serverError
}

// plainText gives the text of the root's errors without its prefix.
func plainText(err error) string { return strings.TrimPrefix(err.Error(), "upstream: ") }

// sealed gives the cookie of a login.
func (l *login) sealed(state string, p *pending, formPost bool) (*http.Cookie, error) {
	value, err := l.seal.seal(state, p)
	if err != nil {
		return nil, err
	}
	c := l.bare(cookieName(l.cookie, state), formPost)
	c.Value, c.MaxAge = value, int(l.o.Lifetime/time.Second)
	return c, nil
}

// bare gives a cookie without a value. The IdP's answer comes from another site:
// as a top-level GET, with which Lax cookies go, or as a POST, with which only
// those of SameSite=None do, and these have to be Secure. What keeps another
// site from ending a login with such a cookie is the state, which it cannot know.
func (l *login) bare(name string, formPost bool) *http.Cookie {
	c := &http.Cookie{Name: name, Path: "/", HttpOnly: true, Secure: l.secure, SameSite: http.SameSiteLaxMode}
	if formPost {
		c.Secure, c.SameSite = true, http.SameSiteNoneMode
	}
	return c
}

// Begin sends the browser to the IdP: [Login.BeginLogin] on net/http. After an
// error nothing is written, and the host answers.
//
// A browser has at most eight logins under way; what is above that, abandoned
// tabs most likely, is forgotten.
func (l *Login) Begin(w http.ResponseWriter, r *http.Request, req *upstream.AuthorizeRequest, data []byte) error {
	redirect, err := l.BeginLogin(r.Context(), req, data)
	if err != nil {
		return err
	}
	for _, name := range l.in.abandoned(r, redirect.Cookie.Name) {
		c := l.in.bare(name, redirect.Cookie.SameSite == http.SameSiteNoneMode)
		c.MaxAge = -1
		http.SetCookie(w, c)
	}
	http.SetCookie(w, redirect.Cookie)
	noStore(w)
	http.Redirect(w, r, redirect.URL, http.StatusFound)
	return nil
}

// noStore keeps caches and the next site from what belongs to one login alone.
func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
}

// abandoned names the cookies of logins that make too many. Browsers send the
// oldest first of those with one path (RFC 6265 section 5.4).
func (l *login) abandoned(r *http.Request, own string) (names []string) {
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, l.cookie) && len(c.Name) == len(own) && c.Name != own && !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names[:max(0, len(names)-maxLogins+1)]
}

// CookieName names the cookie that belongs to an answer with that state. It is
// for hosts whose framework is not net/http.
func (l *Login) CookieName(state string) string {
	if l == nil || l.in == nil {
		return ""
	}
	return cookieName(l.in.cookie, cmp.Or(state, "none"))
}
