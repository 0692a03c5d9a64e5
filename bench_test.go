package upstream_test

import (
	"net/url"
	"testing"

	"example.com/upstream"
	"golang.org/x/oauth2"
)

// The four-parameter sample: one static parameter, three dynamic ones, nine
// incoming parameters and the auth server's state.
const (
	sampleConnection = `{"name": "my-idp", "strategy": "oauth2", "options": {
		"client_id": "idp-client", "scope": "openid profile email",
		"authorizationURL": "https://idp.example.com/oauth2/authorize", "tokenURL": "https://idp.example.com/oauth2/token",
		"upstream_params": {
			"blog": {"value": "myblog.wordpress.com"},
			"screen_name": {"alias": "login_hint"},
			"prompt": {"alias": "prompt"},
			"ui_locales": {"alias": "ui_locales"}}}}`
	sampleQuery = "response_type=code&client_id=app-1&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback" +
		"&scope=openid+profile&state=app-state&login_hint=user%40domain.com&prompt=select_account" +
		"&ui_locales=fr-CA+fr+en&connection=my-idp"
)

var sampleTransaction = upstream.Transaction{RedirectURI: "https://auth.example.com/login/callback", State: upstream.NewSecret("3Qz0pHkEw7Xb1v5tFZyQyA")}

var sampleConfig = oauth2.Config{
	ClientID:    "idp-client",
	RedirectURL: sampleTransaction.RedirectURI,
	Scopes:      []string{"openid", "profile", "email"},
	Endpoint:    oauth2.Endpoint{AuthURL: "https://idp.example.com/oauth2/authorize"},
}

// obvious is what people write without this library. It checks nothing.
func obvious(rawQuery string) (string, error) {
	in, err := url.ParseQuery(rawQuery)
	if err != nil {
		return "", err
	}
	return fromValues(in), nil
}

func fromValues(in url.Values) string {
	return sampleConfig.AuthCodeURL(sampleTransaction.State.Reveal(),
		oauth2.SetAuthURLParam("blog", "myblog.wordpress.com"),
		oauth2.SetAuthURLParam("screen_name", in.Get("login_hint")),
		oauth2.SetAuthURLParam("prompt", in.Get("prompt")),
		oauth2.SetAuthURLParam("ui_locales", in.Get("ui_locales")))
}

func sampleProvider(t testing.TB) *upstream.Provider {
	t.Helper()
	conn, err := upstream.ParseConnection([]byte(sampleConnection))
	if err != nil {
		t.Fatal(err)
	}
	p, err := upstream.NewProvider(conn)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sink keeps the compiler from dropping what is measured.
var sink string

func BenchmarkQueryToURL(b *testing.B) {
	b.Run("impl=upstream", func(b *testing.B) {
		p := sampleProvider(b)
		b.ReportAllocs()
		for b.Loop() {
			req, err := upstream.ParseAuthorizeQuery(sampleQuery)
			if err != nil {
				b.Fatal(err)
			}
			if sink, err = p.AuthorizationURL(req, sampleTransaction); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("impl=x-oauth2", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if sink, err = obvious(sampleQuery); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRequestToURL(b *testing.B) {
	b.Run("impl=upstream", func(b *testing.B) {
		p := sampleProvider(b)
		req, err := upstream.ParseAuthorizeQuery(sampleQuery)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if sink, err = p.AuthorizationURL(req, sampleTransaction); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("impl=x-oauth2", func(b *testing.B) {
		in, err := url.ParseQuery(sampleQuery)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			sink = fromValues(in)
		}
	})
	b.Run("impl=copy", func(b *testing.B) { // the floor: the finished bytes into a new string
		finished, err := obvious(sampleQuery)
		if err != nil {
			b.Fatal(err)
		}
		bytes := []byte(finished)
		b.ReportAllocs()
		for b.Loop() {
			sink = string(bytes)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	p := sampleProvider(b)
	req, err := upstream.ParseAuthorizeQuery(sampleQuery)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = p.AppendAuthorizationURL(buf[:0], req, sampleTransaction); err != nil {
			b.Fatal(err)
		}
	}
}
