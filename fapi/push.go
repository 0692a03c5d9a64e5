package fapi

// This file owns the authorization request once package upstream has made it:
// signed (RFC 9101), pushed (RFC 9126), and what is left for the browser.

import (
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/upstream"
	"example.com/upstream/internal/check"
	"example.com/upstream/internal/endpoint"
	"example.com/upstream/internal/strictjson"
)

const (
	maxRequestURI = 2048            // characters
	requestLife   = 5 * time.Minute // of a request object
)

// AuthorizationURL gives the URL to send the user to: what Provider().AuthorizationURL
// gives, pushed or signed as the connection asks. With DPoP the context is that of
// [Client.Start]. The error is one of that method's, or an [*Error].
func (c *Client) AuthorizationURL(ctx context.Context, req *upstream.AuthorizeRequest, tx upstream.Transaction) (string, error) {
	if c.get() == nil {
		return "", errNoClient()
	}
	plain, err := c.Provider().AuthorizationURL(req, tx)
	if err != nil {
		return "", err
	}
	return c.Authorize(ctx, plain)
}

// Authorize takes an authorization URL of this connection's Provider, and gives
// the one to send the user to. Where the request is pushed, that has client_id
// and request_uri alone; where the push fails, there is none. Where nothing is to
// be done it is authorizationURL as it is.
//
// The push has the bounds of a token request: no redirect is followed, 1 MiB of
// answer, and 30 seconds where the context brings no HTTP client. The error is
// an [*Error] of the stage "push", "request object", "assertion" or "proof".
func (c *Client) Authorize(ctx context.Context, authorizationURL string) (string, error) {
	if q := c.get(); q != nil {
		return q.authorize(ctx, authorizationURL)
	}
	return "", errNoClient()
}

func (c *client) authorize(ctx context.Context, authorizationURL string) (string, error) {
	base, form, _ := strings.Cut(authorizationURL, "?")
	id := "client_id=" + url.QueryEscape(c.clientID)
	if !strings.Contains("&"+form+"&", "&"+id+"&") {
		return "", &Error{Stage: "push", message: "this is no authorization URL of the connection; take that of Provider().AuthorizationURL"}
	}
	if c.dpop != "" {
		k := proofKeyOf(ctx)
		switch {
		case k == nil:
			return "", errNoProofKey
		case strings.Contains("&"+form, "&dpop_jkt="):
			return "", &Error{Stage: "push", message: "the connection sets dpop_jkt, which the key of each login gives; remove it"}
		}
		// Section 10: a code that somebody else gets hold of is of no use
		// without this key.
		form = joined(form, "dpop_jkt="+k.thumbprint)
	}
	if c.sign != nil {
		params, err := url.ParseQuery(form)
		if err != nil {
			return "", &Error{Stage: "request object", message: "this is no authorization URL of the connection; take that of Provider().AuthorizationURL"}
		}
		object, err := c.sign.object(params, c.now())
		if err != nil {
			return "", err
		}
		form = joined(id, "request="+object)
	}
	if c.push {
		uri, err := c.pushRequest(ctx, form)
		if err != nil {
			return "", err
		}
		form = joined(id, "request_uri="+url.QueryEscape(uri))
	}
	return base + "?" + form, nil
}

// joined puts encoded pairs of a form behind one another; either may be "".
func joined(form, pairs string) string {
	if form == "" || pairs == "" {
		return form + pairs
	}
	return form + "&" + pairs
}

// pushRequest makes a pushed authorization request and gives its request_uri.
// It is never sent twice: nothing says that the first was not taken.
func (c *client) pushRequest(ctx context.Context, form string) (string, error) {
	host, _ := endpoint.HostClient(ctx)
	if err := c.certificate(endpoint.Transport(host)); err != nil {
		return "", err
	}
	pairs, err := c.pushed.authenticate(c.now(), c.metadata.tokenEndpoint)
	if err != nil {
		return "", err
	}
	address := c.metadata.pushEndpoint
	if alias := c.metadata.aliases[address]; c.options.MutualTLS && alias != "" {
		address = alias
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(joined(form, pairs)))
	if err != nil {
		return "", requestFailed("push", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if c.basic != "" { // RFC 6749 section 2.3.1: both are form-encoded first
		req.SetBasicAuth(url.QueryEscape(c.clientID), url.QueryEscape(c.basic))
	}
	resp, err := endpoint.Client(ctx).Do(req)
	if err != nil {
		failed := requestFailed("push", err)
		if size := (*endpoint.TooLargeError)(nil); errors.As(err, &size) {
			failed.Status = size.Status
		}
		return "", failed
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body) // in memory, see endpoint.Client
	if err != nil {
		return "", requestFailed("push", err)
	}
	return pushAnswer(resp.StatusCode, resp.Header.Get("Content-Type"), body)
}

// pushAnswer reads the answer to a pushed request (RFC 9126 section 2.2).
func pushAnswer(status int, contentType string, body []byte) (string, error) {
	refuse := func(message string) (string, error) {
		return "", &Error{Stage: "push", Status: status, Code: errorCode(answerText(body, "error")), message: message}
	}
	switch {
	case 300 <= status && status <= 399:
		return refuse("it redirects, which is never followed; correct pushed_authorization_request_endpoint")
	case status >= 200 && status <= 299 && status != http.StatusCreated:
		return refuse("the answer is not that of a pushed request, which has the status 201")
	case status != http.StatusCreated:
		return refuse("the identity provider did not take the request")
	}
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		return refuse("the answer is not JSON")
	}
	if strictjson.Check(body) != nil || !strictjson.IsObject(body) {
		return refuse("the answer is not one JSON object with each member once")
	}
	members, _ := strictjson.Members(body)
	uri := strictjson.Text(strictjson.Find(members, "request_uri"))
	switch {
	case uri == "":
		return refuse("the answer holds no request_uri")
	case len(uri) > maxRequestURI || check.AbsoluteURI(uri) != "":
		return refuse("the answer's request_uri is no URI")
	}
	return uri, nil
}

// A requestSigner makes request objects (RFC 9101).
type requestSigner struct {
	keys               *KeySet
	alg                string
	clientID, audience string
}

// object signs the parameters of an authorization request.
func (s *requestSigner) object(params url.Values, now time.Time) (string, error) {
	k := s.keys.signing(s.alg)
	if k == nil {
		return "", &Error{Stage: "request object", message: "there is no key for " + s.alg}
	}
	claims := appendID([]byte(`{"jti":"`))
	claims = append(claims, `","iss":`...)
	claims = append(claims, strictjson.Marshal(s.clientID)...)
	claims = append(claims, `,"aud":`...)
	claims = append(claims, strictjson.Marshal(s.audience)...)
	claims = appendTimes(claims, now, requestLife)
	claims = strconv.AppendInt(append(claims, `,"nbf":`...), now.Unix(), 10) // FAPI 2.0 Message Signing section 5.3.1
	for _, name := range slices.Sorted(maps.Keys(params)) {
		claims = append(append(claims, ','), strictjson.Marshal(name)...)
		claims = append(append(claims, ':'), claimOf(name, params[name])...)
	}
	object, err := k.request.sign(append(claims, '}'))
	if err != nil {
		return "", signFailed("request object", err)
	}
	return object, nil
}

// claimOf gives a parameter as a claim: those that are JSON or a number by
// their own standard are so here (RFC 9101 section 4), all others are strings.
func claimOf(name string, values []string) []byte {
	switch value := values[0]; {
	case len(values) > 1: // resource (RFC 8707 section 2)
		return strictjson.Marshal(values)
	case name == "max_age" && isDigits(value):
		return []byte(value)
	case (name == "claims" || name == "authorization_details") && strictjson.Check([]byte(value)) == nil:
		return []byte(value)
	}
	return strictjson.Marshal(values[0])
}

// isDigits reports whether the text is a JSON number without sign, fraction and
// exponent.
func isDigits(text string) bool {
	return text != "" && len(text) <= 15 && strings.Trim(text, "0123456789") == "" && (text[0] != '0' || text == "0")
}
