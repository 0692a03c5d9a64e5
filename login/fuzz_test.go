package login_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/login"
)

// Whatever an IdP answers: the login ends with a user, who is then the ID
// token's, or with an Error that holds no secret.
func FuzzFinish(f *testing.F) {
	p := newIDP(f)
	now := time.Now().Unix()
	usual := fmt.Sprintf(`{"iss":"https://idp.example.com","sub":"user-1","aud":%q,"exp":%d,"iat":%d,"nonce":"NONCE","acr":"h","auth_time":%d}`, clientID, now+900, now, now)
	f.Add("code=c&state=STATE", `{"access_token":"ACCESS-SECRET","token_type":"Bearer","id_token":"IDTOKEN"}`, usual, `{"sub":"user-1"}`, false)
	f.Add("code=c&state=STATE&iss=https://idp.example.com", `{"access_token":"a","id_token":"a.b.c"}`, `{}`, `[]`, true)
	f.Add("error=access_denied&state=STATE", `access_token=a&id_token=IDTOKEN`, usual, ``, false)
	f.Add("state=STATE&state=STATE;code=%", `null`, `{"aud":["a",1],"exp":1e999}`, `{"sub":1}`, true)
	f.Add("code=c&state=STATE", `{"access_token":"a","id_token":"IDTOKEN"}`, strings.Replace(usual, `"h"`, `["h"]`, 1), `{"sub":"user-2"}`, false)
	f.Add("code=c&state=STATE", `{"access_token":"a","id_token":"IDTOKEN"}`, strings.Replace(usual, `"exp"`, `"sub":"other","exp"`, 1), `{}`, false)

	var tokenAnswer, userinfo, idToken string
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		body := ""
		switch r.URL.Path {
		case "/token":
			body = strings.ReplaceAll(tokenAnswer, "IDTOKEN", idToken)
		case "/userinfo":
			body = userinfo
		case "/jwks":
			body = asJSON(claims{"keys": []claims{jwk(p.key, "current")}})
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}
	ctx := context.WithValue(f.Context(), oauth2.HTTPClient, client)
	const at = "https://idp.example.com"
	conn := p.connection(f, claims{
		"issuer": at, "authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token", "jwks_uri": at + "/jwks",
		"userinfo_endpoint": at + "/userinfo", "upstream_params": claims{
			"max_age": claims{"value": "900"}, "acr_values": claims{"value": "h i"}, "hd": claims{"value": "*"},
			"claims": claims{"value": `{"id_token":{"acr":{"values":["h"]}},"userinfo":{"sub":null}}`},
		},
	})
	l := newLogin(f, conn)

	f.Fuzz(func(t *testing.T, query, answer, payload, profile string, post bool) {
		redirect, err := l.BeginLogin(ctx, nil, []byte("DATA-SECRET"))
		if err != nil {
			t.Fatal(err)
		}
		sent, err := url.Parse(redirect.URL)
		if err != nil {
			t.Fatal(err)
		}
		state, nonce := sent.Query().Get("state"), sent.Query().Get("nonce")
		query, payload = strings.ReplaceAll(query, "STATE", state), strings.ReplaceAll(payload, "NONCE", nonce)
		tokenAnswer, userinfo = answer, profile
		idToken = oidctest.SignIDToken(p.key, "current", "ES256", payload)
		r := httptest.NewRequest("GET", callback, nil)
		r.URL.RawQuery = query
		if post {
			r = httptest.NewRequest("POST", callback, strings.NewReader(query))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.AddCookie(&http.Cookie{Name: redirect.Cookie.Name, Value: redirect.Cookie.Value})
		result, err := l.Finish(httptest.NewRecorder(), r.WithContext(ctx))
		if (result == nil) == (err == nil) {
			t.Fatal("neither or both", result, err)
		}
		if err != nil {
			text := fmt.Sprintf("%v %+v %#v", err, err, err)
			if !strings.HasPrefix(text, `login: "corp": `) || strings.Contains(text, "SECRET") || strings.Count(text, "\n") > 0 {
				t.Fatalf("%q", text)
			}
			return
		}
		if !strings.Contains(payload, nonce) || result.Subject == "" || string(result.Data) != "DATA-SECRET" || result.Issuer != at {
			t.Fatalf("%q makes %+v", payload, result)
		}
		for _, c := range result.Checks {
			if c.Enforced && c.Verdict != login.Met {
				t.Fatalf("%+v", c)
			}
		}
	})
}

// A Connection's metadata, whatever it holds, gives a Login or an Error.
func FuzzMetadata(f *testing.F) {
	p := newIDP(f)
	f.Add(asJSON(p.metadata))
	f.Add(`{"issuer": "https://idp.example.com/{tenantid}/v2.0", "mtls_endpoint_aliases": {"token_endpoint": 1}}`)
	f.Add(`{"issuer": null, "code_challenge_methods_supported": [null]}`)
	f.Fuzz(func(t *testing.T, document string) {
		conn := &upstream.Connection{Name: "corp", Strategy: "oidc", Options: upstream.Options{ClientID: clientID, OIDCMetadata: []byte(document)}}
		l, err := login.New(conn, login.Options{RedirectURI: callback, Tenants: []string{"t"}})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "login: ") {
				t.Fatal(err)
			}
			return
		}
		redirect, err := l.BeginLogin(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(redirect.URL)
		if err != nil || u.Scheme != "https" && u.Hostname() != "localhost" && !strings.HasPrefix(u.Hostname(), "127.") && u.Hostname() != "::1" {
			t.Fatalf("%q leads to %q", document, redirect.URL)
		}
		if _, err := l.LogoutURL(t.Context(), upstream.Secret{}, ""); err != nil {
			t.Fatal(err)
		}
	})
}
