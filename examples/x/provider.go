package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const clockSkew = 5 * time.Minute // between an oauth_timestamp and our clock

// A provider stands in for X: an OAuth 1.0a server with one client and one
// user. It refuses what RFC 5849 section 3.2 has a server refuse.
type provider struct {
	*httptest.Server
	consumerKey, consumerSecret, callback string

	mu     sync.Mutex
	grants map[string]*grant // by token
	nonces map[string]bool
}

// A grant is what a token stands for.
type grant struct {
	secret   string
	access   bool   // an access token, not a request token
	verifier string // of a request token, once its user has agreed
}

func newProvider(consumerKey, consumerSecret, callback string) *provider {
	p := &provider{
		consumerKey: consumerKey, consumerSecret: consumerSecret, callback: callback,
		grants: map[string]*grant{}, nonces: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/request_token", p.requestToken)
	mux.HandleFunc("GET /oauth/authorize", p.loginPage)
	mux.HandleFunc("POST /oauth/authorize", p.agree)
	mux.HandleFunc("POST /oauth/access_token", p.accessToken)
	mux.HandleFunc("GET /1.1/account/verify_credentials.json", p.profile)
	p.Server = httptest.NewTLSServer(mux)
	return p
}

// Client gives an HTTP client that takes the stand-in for every host, so that
// the program keeps X's real addresses. It follows no redirect.
func (p *provider) Client() *http.Client {
	transport := p.Server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.ServerName = "example.com" // as the test certificate has it
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, p.Listener.Addr().String())
	}
	return &http.Client{
		Timeout:       30 * time.Second,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// requestToken issues temporary credentials (RFC 5849 section 2.1).
func (p *provider) requestToken(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	oauth, err := p.check(r, nil)
	if err == nil && oauth["oauth_callback"] != p.callback {
		err = errors.New("oauth_callback is not registered")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, p.issue("request", &grant{}).Encode()+"&oauth_callback_confirmed=true")
}

// accessToken takes a request token and its verifier once (section 2.3).
func (p *provider) accessToken(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	oauth, err := p.check(r, func(g *grant) bool { return !g.access })
	if err == nil {
		if g := p.grants[oauth["oauth_token"]]; g.verifier == "" || g.verifier != oauth["oauth_verifier"] {
			err = errors.New("oauth_verifier is wrong")
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	delete(p.grants, oauth["oauth_token"])
	_, _ = io.WriteString(w, p.issue("access", &grant{access: true}).Encode())
}

// profile is a protected resource (section 3).
func (p *provider) profile(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.check(r, func(g *grant) bool { return g.access }); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, `{"id": 1234567890123456789, "id_str": "1234567890123456789", "name": "Ada Example",`+
		` "screen_name": "ada", "email": "user@domain.com", "verified": false}`)
}

var page = template.Must(template.New("login").Parse(`<form method="post" action="/oauth/authorize">
<input type="hidden" name="oauth_token" value="{{.Token}}">
<input name="username" value="{{.Username}}">
</form>
`))

// loginPage asks who the user is (section 2.2). A real one asks for more.
func (p *provider) loginPage(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	query := r.URL.Query()
	if g := p.grants[query.Get("oauth_token")]; g == nil || g.access {
		http.Error(w, "unknown oauth_token", http.StatusForbidden)
		return
	}
	_ = page.Execute(w, struct{ Token, Username string }{query.Get("oauth_token"), query.Get("screen_name")})
}

// agree sends the user back with a verifier.
func (p *provider) agree(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	token := r.PostFormValue("oauth_token")
	g := p.grants[token]
	if g == nil || g.access || r.PostFormValue("username") != "user@domain.com" {
		http.Error(w, "unknown oauth_token or user", http.StatusForbidden)
		return
	}
	g.verifier = "example-verifier"
	back := url.Values{"oauth_token": {token}, "oauth_verifier": {g.verifier}}
	http.Redirect(w, r, p.callback+"?"+back.Encode(), http.StatusFound)
}

var usernameBox = regexp.MustCompile(`name="username" value="(.*)"`)

// browse is the user, who agrees to what the login page shows. It gives the
// request that the browser then makes to the callback.
func browse(client *http.Client, target string) (username string, back *http.Request, err error) {
	resp, err := client.Get(target)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", nil, err
	}
	box := usernameBox.FindSubmatch(body)
	if box == nil {
		return "", nil, fmt.Errorf("there is no login page: %s", body)
	}
	username = string(box[1])
	form := url.Values{"oauth_token": {resp.Request.URL.Query().Get("oauth_token")}, "username": {username}}
	resp, err = client.PostForm("https://api.twitter.com/oauth/authorize", form)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	back, err = http.NewRequest(http.MethodGet, resp.Header.Get("Location"), nil)
	return username, back, err
}

func (p *provider) issue(kind string, g *grant) url.Values {
	token := "example-" + kind + "-token" // a real one is unguessable, and so is the secret
	g.secret = "example-" + kind + "-secret"
	p.grants[token] = g
	return url.Values{"oauth_token": {token}, "oauth_token_secret": {g.secret}}
}

// check authenticates a request (RFC 5849 section 3.2) and gives its oauth_
// parameters. right says whether a token is of the kind that is asked for; nil
// asks for none.
func (p *provider) check(r *http.Request, right func(*grant) bool) (map[string]string, error) {
	oauth, err := authorization(r)
	if err != nil {
		return nil, err
	}
	var secret string
	if right != nil {
		g := p.grants[oauth["oauth_token"]]
		if g == nil || !right(g) {
			return nil, errors.New("unknown oauth_token")
		}
		secret = g.secret
	}
	seconds, _ := strconv.ParseInt(oauth["oauth_timestamp"], 10, 64)
	nonce := oauth["oauth_timestamp"] + " " + oauth["oauth_token"] + " " + oauth["oauth_nonce"]
	signature := signature(r, oauth, p.consumerSecret, secret)
	switch {
	case oauth["oauth_consumer_key"] != p.consumerKey:
		return nil, errors.New("unknown oauth_consumer_key")
	case oauth["oauth_version"] != "1.0" || oauth["oauth_signature_method"] != "HMAC-SHA1":
		return nil, errors.New("unknown oauth_version or oauth_signature_method")
	case !hmac.Equal([]byte(signature), []byte(oauth["oauth_signature"])):
		return nil, errors.New("oauth_signature is wrong")
	case time.Since(time.Unix(seconds, 0)).Abs() > clockSkew:
		return nil, errors.New("oauth_timestamp is not now")
	case oauth["oauth_nonce"] == "" || p.nonces[nonce]:
		return nil, errors.New("oauth_nonce is used")
	}
	p.nonces[nonce] = true
	return oauth, nil
}

// authorization reads the Authorization header (RFC 5849 section 3.5.1).
func authorization(r *http.Request) (map[string]string, error) {
	scheme, list, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "OAuth") {
		return nil, errors.New("the request is not signed")
	}
	oauth := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value, err := url.PathUnescape(strings.Trim(value, `"`))
		if _, twice := oauth[name]; twice || err != nil {
			return nil, fmt.Errorf("the Authorization header is malformed at %q", name)
		}
		oauth[name] = value
	}
	return oauth, nil
}

// signature gives the HMAC-SHA1 signature that a request must have (RFC 5849
// section 3.4). It is written from the RFC, not with the client's library:
// two that share a mistake agree.
func signature(r *http.Request, oauth map[string]string, consumerSecret, tokenSecret string) string {
	var parameters [][]string
	for name, value := range oauth {
		if name != "oauth_signature" && name != "realm" {
			parameters = append(parameters, []string{escape(name), escape(value)})
		}
	}
	_ = r.ParseForm() // query and body
	for name, values := range r.Form {
		for _, value := range values {
			parameters = append(parameters, []string{escape(name), escape(value)})
		}
	}
	slices.SortFunc(parameters, slices.Compare)
	var pairs []string
	for _, p := range parameters {
		pairs = append(pairs, p[0]+"="+p[1])
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	address := scheme + "://" + strings.ToLower(r.Host) + r.URL.EscapedPath()
	mac := hmac.New(sha1.New, []byte(escape(consumerSecret)+"&"+escape(tokenSecret)))
	mac.Write([]byte(r.Method + "&" + escape(address) + "&" + escape(strings.Join(pairs, "&"))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// escape is the percent-encoding of RFC 5849 section 3.6.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
