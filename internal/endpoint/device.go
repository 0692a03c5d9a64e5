package endpoint

// This file owns what is particular to the device authorization endpoint (RFC 8628
// section 3.1), which oauth2 asks in its own way. It knows nothing of what is sent
// and of how a token is polled for.

import (
	"bytes"
	"cmp"
	"context"
	"net/http"

	"golang.org/x/oauth2"
)

// deviceContext gives the context for a device authorization request. oauth2 finds
// the client in it, and sends the request without it.
func deviceContext(ctx context.Context) context.Context {
	if ctx == nil {
		ctx = context.Background()
	}
	client := Client(ctx)
	client.Transport = &carrier{ctx, client.Transport}
	return context.WithValue(ctx, oauth2.HTTPClient, client)
}

// A carrier lets requests end with the context as well, whose values they then have:
// oauth2's own request has none.
type carrier struct {
	ctx  context.Context
	base http.RoundTripper // a *transport: has read the answer when it returns
}

func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	defer context.AfterFunc(req.Context(), cancel)()
	resp, err := c.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		// Of a merged context the transport knows only that it has ended.
		return nil, cmp.Or(c.ctx.Err(), req.Context().Err(), err)
	}
	if resp == nil {
		return nil, nil
	}
	if read := resp.Body.(*answer); bytes.Equal(bytes.TrimSpace(read.rest), []byte("null")) {
		read.rest = []byte("{}") // null sets a pointer to nil, which oauth2 then follows
	}
	return resp, nil
}
