package login

// This file owns the ID token: what must be true of one before anything in it is
// believed (OpenID Connect Core section 3.1.3.7). Signatures and keys are
// go-oidc's. It must not know what the login had asked for: see asked.go.

import (
	"bytes"
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"example.com/upstream/internal/endpoint"
	"example.com/upstream/internal/strictjson"
)

const (
	maxIDToken = 256 << 10        // bytes
	maxTime    = float64(1 << 35) // seconds since 1970, in the year 3058: more are milliseconds, or nonsense
	maxKeySet  = 100              // keys
	google     = "https://accounts.google.com"
)

// defaultAlgs are the signatures that are taken unless the connection says
// otherwise: what FAPI 2.0 allows, and RS256, which OpenID Connect Core requires.
var defaultAlgs = []string{oidc.RS256, oidc.ES256, oidc.PS256}

// knownAlgs are those that a connection may ask for. none and HS*, whose key is
// the client's secret or nothing, are not among them, whatever anybody says.
var knownAlgs = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// A verifier holds ID tokens of one IdP for one client against the rules. It is
// safe for concurrent use.
type verifier struct {
	clientID  string
	audiences []string // beside the client that may stand in aud
	issuer    string
	tenants   []string // whose ids may fill the issuer's {tenantid}
	signature *oidc.IDTokenVerifier
	skew      time.Duration
	now       func() time.Time
}

// newSignature gives what checks signatures alone; all else is checked here.
func newSignature(keys oidc.KeySet, algs []string, now func() time.Time) *oidc.IDTokenVerifier {
	return oidc.NewVerifier("", keys, &oidc.Config{
		SupportedSigningAlgs: algs, Now: now,
		SkipClientIDCheck: true, SkipExpiryCheck: true, SkipIssuerCheck: true,
	})
}

// lazyKeys are the keys at jwks_uri. They are fetched when a token names one that
// is not known, by the host's client, without a redirect, and bounded. Of the
// first context only the client is kept: go-oidc keeps it for as long as the
// keys, and a request's own values must not live on.
type lazyKeys struct {
	uri    string
	once   sync.Once
	remote *oidc.RemoteKeySet
}

// keyFault is where, in the context, verify looks for the key set's own error.
type keyFault struct{}

func (k *lazyKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	k.once.Do(func() {
		host, given := endpoint.HostClient(ctx)
		kept := context.Background()
		if given {
			kept = context.WithValue(kept, oauth2.HTTPClient, host)
		}
		client := endpoint.Client(kept)
		client.Transport = strictTransport{client.Transport}
		k.remote = oidc.NewRemoteKeySet(context.WithValue(kept, oauth2.HTTPClient, client), k.uri)
	})
	payload, err := k.remote.VerifySignature(ctx, jwt)
	if fault, ok := ctx.Value(keyFault{}).(*error); ok {
		*fault = err
	}
	return payload, err
}

// An idToken is one that has been verified.
type idToken struct {
	raw      []byte // the claims
	members  []strictjson.Member
	subject  string
	authTime int64 // Unix seconds; 0 where there is none
}

// claim gives the JSON of a claim, nil where there is none.
func (t *idToken) claim(name string) []byte { return strictjson.Find(t.members, name) }

// text gives a claim that is a string.
func (t *idToken) text(name string) string { return strictjson.Text(t.claim(name)) }

// verify checks an ID token of the token endpoint. The error's text is fit for a
// log; what go-oidc says of a token quotes it, and is only wrapped.
func (v *verifier) verify(ctx context.Context, raw, accessToken, nonce string) (*idToken, error) {
	switch {
	case raw == "":
		return nil, errors.New("the token endpoint gave none")
	case len(raw) > maxIDToken:
		return nil, errors.New("it is longer than 256 KiB")
	case strings.Count(raw, ".") == 4:
		return nil, errors.New("it is encrypted; attach an extension that has the key, such as module fapi's")
	}
	var fault error
	signed, err := v.signature.Verify(context.WithValue(ctx, keyFault{}, &fault), raw)
	if err != nil {
		return nil, &hidden{signatureReason(err, fault), cmp.Or(fault, err)}
	}
	var payload rawClaims
	if err := signed.Claims(&payload); err != nil {
		return nil, &hidden{"its claims cannot be read", err}
	}
	t, err := v.claims(payload, nonce)
	if err != nil {
		return nil, err
	}
	if hash := t.claim("at_hash"); present(hash) {
		// go-oidc matches names without case; both have to see the same.
		if signed.AccessTokenHash == "" || strictjson.Text(hash) != signed.AccessTokenHash || signed.VerifyAccessToken(accessToken) != nil {
			return nil, errors.New("at_hash is another access token's")
		}
	}
	return t, nil
}

// rawClaims takes the claims as they are.
type rawClaims []byte

func (r *rawClaims) UnmarshalJSON(data []byte) error {
	*r = slices.Clone(data)
	return nil
}

// claims checks what an ID token says, whose signature has been verified.
func (v *verifier) claims(payload []byte, nonce string) (*idToken, error) {
	if strictjson.Check(payload) != nil {
		return nil, errors.New("its claims are not strict JSON: a name twice, or not UTF-8")
	}
	members, object := strictjson.Members(payload)
	if !object {
		return nil, errors.New("its claims are not a JSON object")
	}
	t := &idToken{raw: payload, members: members}
	if t.subject = t.text("sub"); t.subject == "" {
		return nil, errors.New("sub is missing")
	}
	if err := v.party(t); err != nil {
		return nil, err
	}
	if err := v.times(t); err != nil {
		return nil, err
	}
	// The nonce ties the token to this login, so that one that was stolen
	// elsewhere is of no use here.
	if got := t.text("nonce"); nonce != "" && subtle.ConstantTimeCompare([]byte(got), []byte(nonce)) != 1 {
		return nil, errors.New("nonce is missing, or another login's")
	}
	return t, nil
}

// party checks who issued the token, and for whom.
func (v *verifier) party(t *idToken) error {
	if err := v.issued(t.text("iss"), t.text("tid")); err != nil {
		return err
	}
	audience, ok := texts(t.claim("aud"))
	if !ok || !slices.Contains(audience, v.clientID) {
		return errors.New("aud is not this client")
	}
	for _, other := range audience {
		if other != v.clientID && !slices.Contains(v.audiences, other) {
			return errors.New("aud has a client that is not trusted; see Options.TrustedAudiences")
		}
	}
	switch azp := t.claim("azp"); {
	case present(azp) && strictjson.Text(azp) != v.clientID:
		return errors.New("azp is another client")
	case !present(azp) && len(audience) > 1:
		return errors.New("azp is missing beside several audiences")
	}
	return nil
}

// issued checks iss.
func (v *verifier) issued(iss, tenant string) error {
	switch {
	case strings.Contains(v.issuer, tenantid):
		// Entra's keys sign for all tenants: who may come in is this list alone.
		if !slices.Contains(v.tenants, tenant) || iss != strings.Replace(v.issuer, tenantid, tenant, 1) {
			return errors.New("it is of a tenant that Options.Tenants does not have, or tid is not that of iss")
		}
	case iss == "" || iss != v.issuer && (v.issuer != google || "https://"+iss != google): // Google documents both spellings
		return errors.New("iss is another issuer's")
	}
	return nil
}

// times checks exp, iat, nbf and the form of auth_time.
func (v *verifier) times(t *idToken) error {
	now := v.now().Unix()
	skew := int64(v.skew / time.Second)
	exp, ok := t.time("exp")
	if !ok || now >= exp+skew {
		return errors.New("exp is missing, not a time, or past")
	}
	// Where the IdP's clock is ahead of ours by more than the skew, whose sense of
	// a login's age is right cannot be known.
	iat, ok := t.time("iat")
	if !ok || iat > now+skew {
		return errors.New("iat is missing, not a time in seconds, or in the future")
	}
	if present(t.claim("nbf")) {
		if nbf, ok := t.time("nbf"); !ok || nbf > now+skew {
			return errors.New("nbf is not a time in seconds, or in the future")
		}
	}
	if present(t.claim("auth_time")) {
		if t.authTime, ok = t.time("auth_time"); !ok || t.authTime > now+skew {
			return errors.New("auth_time is not a time in seconds, or in the future")
		}
	}
	return nil
}

// time reads a NumericDate (RFC 7519 section 2), down to the second. false
// stands for a missing one, another type, and what is no time in this or the
// next thousand years: milliseconds are not.
func (t *idToken) time(name string) (int64, bool) {
	value := t.claim(name)
	if len(value) == 0 || value[0] == '"' {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(string(value), 64) // exact up to 2^53
	if err != nil || !(0 < seconds && seconds < maxTime) {
		return 0, false
	}
	return int64(math.Floor(seconds)), true
}

// texts reads a string, or an array of strings.
func texts(value []byte) ([]string, bool) {
	if strictjson.IsText(value) {
		return []string{strictjson.Text(value)}, true
	}
	elements, array := strictjson.Elements(value)
	out := make([]string, 0, len(elements))
	for _, e := range elements {
		if !strictjson.IsText(e) {
			return nil, false
		}
		out = append(out, strictjson.Text(e))
	}
	return out, array
}

// signatureReason puts go-oidc's error into words of our own. fault is the key
// set's, whose chain go-oidc does not keep.
func signatureReason(err, fault error) string {
	layer := (*url.Error)(nil)
	switch text := err.Error(); {
	case errors.As(fault, &layer) || errors.Is(fault, context.Canceled) || errors.Is(fault, context.DeadlineExceeded):
		return "the keys at jwks_uri cannot be had: " + endpoint.Reason(endpoint.Cause(fault))
	case fault != nil && strings.HasPrefix(fault.Error(), "fetching keys"):
		return "the keys at jwks_uri cannot be had: the answer is not a key set"
	case fault != nil:
		return "no key at jwks_uri verifies its signature"
	case strings.Contains(text, "unexpected signature algorithm"):
		return "its alg is not one of options.id_token_signed_response_algs (RS256, ES256 and PS256 where that is empty)"
	}
	return "it is not a signed JWT with one signature"
}

// A hidden error has a text of our own before a cause that may quote too much.
type hidden struct {
	text string
	err  error
}

func (h *hidden) Error() string { return h.text }
func (h *hidden) Unwrap() error { return h.err }

// strictTransport refuses a key set in which a name stands twice, or that is
// there to keep us busy. What lies under it has read the answer already.
type strictTransport struct{ base http.RoundTripper }

func (t strictTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if err := strictjson.Check(body); err != nil {
		return nil, err
	}
	members, _ := strictjson.Members(body)
	if keys, array := strictjson.Elements(strictjson.Find(members, "keys")); !array || len(keys) > maxKeySet {
		return nil, errors.New("keys is not an array of at most 100 keys")
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
