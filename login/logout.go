package login

// This file owns the way out: where to send a user whose session here has ended,
// so that the one at the IdP ends as well. It must not know of logins.

import (
	"context"
	"errors"
	"net/url"

	"example.com/upstream"
	"example.com/upstream/internal/check"
)

// LogoutURL gives where to send the browser so that the user is logged out at the
// IdP, too (OpenID Connect RP-Initiated Logout 1.0): options.logoutUrl as it
// stands, else end_session_endpoint, of the options or the metadata, with the client's id,
// idTokenHint (Result.IDToken, may be zero), the operator's
// Options.PostLogoutRedirectURI, and with that one state, if there is one. Nothing
// of a request belongs in here but a state that the host made.
//
// "" says that the IdP has no such address: the host then ends its own session
// alone. The error is an [*Error].
func (l *Login) LogoutURL(ctx context.Context, idTokenHint upstream.Secret, state string) (string, error) {
	s, err := l.ready(ctx)
	if err != nil {
		return "", err
	}
	o := &l.in.conn.Options
	if o.LogoutURL != "" {
		if message := check.WebURL(o.LogoutURL, maxMetadataURL); message != "" {
			return "", l.in.fault(StepConfig, errors.New("options.logoutUrl "+message))
		}
		return o.LogoutURL, nil
	}
	address := o.EndSessionEndpoint
	if address == "" && s.doc != nil {
		address = s.doc.endpoints["end_session_endpoint"] // checked when it was read
	} else if message := check.Endpoint(address, maxMetadataURL, l.in.conn.InsecureAllowHTTP); address != "" && message != "" {
		return "", l.in.fault(StepConfig, errors.New("options.end_session_endpoint "+message))
	}
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return "", nil
	}
	query := u.Query()
	query.Set("client_id", o.ClientID)
	if hint := idTokenHint.Reveal(); hint != "" {
		query.Set("id_token_hint", hint)
	}
	if back := l.in.o.PostLogoutRedirectURI; back != "" {
		query.Set("post_logout_redirect_uri", back)
		if state != "" {
			query.Set("state", state)
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}
