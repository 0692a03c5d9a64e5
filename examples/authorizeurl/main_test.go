package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const wordpress = "../wordpress/connection.json"

// authorizeurl runs the program in this process.
func authorizeurl(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// file writes a connection for one test.
func file(t *testing.T, connection string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "connection.json")
	require.NoError(t, os.WriteFile(path, []byte(connection), 0o600))
	return path
}

func TestURL(t *testing.T) {
	const query = "response_type=code&client_id=app&redirect_uri=https://app.example.com/callback&connection=github&login_hint=a%20b"
	const want = "https://github.com/login/oauth/authorize?allow_signup=false&client_id=Iv1.0000000000000001&login=a+b" +
		"&redirect_uri=https%3A%2F%2Fauth.example.com%2Fcb&response_type=code&scope=read%3Auser+user%3Aemail&state=st\n"
	for _, target := range []string{
		"https://auth.example.com/authorize?" + query,
		"http://localhost:8080/authorize?" + query + "#fragment",
		"/authorize?" + query,
		"?" + query,
		query,
	} {
		code, out, errs := authorizeurl("", "-state", "st", "-redirect-uri", "https://auth.example.com/cb", "../github/connection.json", target)
		assert.Equal(t, 0, code, target)
		assert.Equal(t, want, out, target)
		assert.Empty(t, errs, target)
	}
}

// Every connection of the examples gives its URL.
func TestConnectionFiles(t *testing.T) {
	files, err := filepath.Glob("../*/connection.json")
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, name := range files {
		code, out, errs := authorizeurl("", name, "/authorize?login_hint=x")
		assert.Equal(t, 0, code, "%s: %s", name, errs)
		assert.Regexp(t, `^https://\S+\n$`, out, name)
	}
}

func TestFlags_T4(t *testing.T) {
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	code, out, errs := authorizeurl("", "-state", "st", "-nonce", "n", "-code-verifier", verifier,
		"-redirect-uri", "https://auth.example.com/cb", wordpress, "/authorize")
	assert.Equal(t, 0, code)
	assert.Equal(t, "https://public-api.wordpress.com/oauth2/authorize?blog=myblog.wordpress.com&client_id=12345"+
		"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&nonce=n"+
		"&redirect_uri=https%3A%2F%2Fauth.example.com%2Fcb&response_type=code&scope=profile&state=st\n", out)
	assert.Empty(t, errs)
}

func TestDefaults_T(t *testing.T) {
	pkce := file(t, `{"name":"a","strategy":"oauth2","options":{"client_id":"c","pkce_enabled":true,
		"authorizationURL":"https://idp.example.com/a","tokenURL":"https://idp.example.com/t"}}`)
	for _, test := range []struct{ name, file, url, said string }{
		{
			"OAuth 2.0", wordpress,
			`^https://public-api\.wordpress\.com/oauth2/authorize\?blog=myblog\.wordpress\.com&client_id=12345&redirect_uri=https%3A%2F%2Fauth\.example\.com%2Flogin%2Fcallback&response_type=code&scope=profile&state=[A-Z2-7]{26}\n$`,
			`^authorizeurl: no -redirect-uri given, using https://auth\.example\.com/login/callback\nauthorizeurl: no -state given, using [A-Z2-7]{26}\n$`,
		},
		{
			"PKCE required", pkce, `&code_challenge=[\w-]{43}&code_challenge_method=S256&`,
			`^.*-redirect-uri.*\n.*-state.*\nauthorizeurl: no -code-verifier given, using [A-Z2-7]{52}\n$`,
		},
		{
			"OAuth 1.0a", "../x/connection.json", `^https://api\.twitter\.com/oauth/authorize\?oauth_token=example-request-token\n$`,
			`^authorizeurl: no -request-token given, using example-request-token\n$`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs := authorizeurl("", test.file, "/authorize")
			assert.Equal(t, 0, code)
			assert.Regexp(t, test.url, out)
			assert.Regexp(t, test.said, errs)
			_, again, _ := authorizeurl("", test.file, "/authorize")
			assert.Equal(t, test.name == "OAuth 1.0a", out == again, "random values are new each time")
		})
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name       string
		connection string
		args       []string
		want       string
	}{
		{"bad JSON", `{"name": `, []string{"?a=b"}, "cannot be read"},
		{"several problems", "{\"name\":\"a b\",\"strategy\":\"oauth2\",\"options\":{\"upstream_params\":{\"a\\u001b\\n\":true}}}", []string{"?a=b"}, "/options/tokenURL is missing"},
		{"SAML", `{"name":"a","strategy":"samlp"}`, []string{"?a=b"}, "SAML"},
		{"configuration before URL", `{"strategy":"github"}`, []string{"no url"}, "/options/client_id is missing"},
		{"not a URL", "", []string{"no url"}, "bad URL"},
		{"empty", "", []string{""}, "bad URL"},
		{"no scheme", "", []string{"auth.example.com/authorize?a=b"}, "bad URL"},
		{"other scheme", "", []string{"ftp://auth.example.com/authorize?a=b"}, "bad URL"},
		{"no host", "", []string{"https:///authorize?a=b"}, "bad URL"},
		{"space in host", "", []string{"https://a b/authorize"}, "bad URL"},
		{"control character", "", []string{"/authorize?a=\x1b"}, "bad URL"},
		{"bad request", "", []string{"prompt=a&prompt=b"}, "parameter prompt is given more than once"},
		{"bad transaction", "", []string{"-state", "s", "-nonce", "s", "/authorize"}, "nonce is equal to state"},
		{"bad verifier", "", []string{"-code-verifier", "short", "/authorize"}, "code_verifier must be 43 to 128"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := wordpress
			if test.connection != "" {
				path = file(t, test.connection)
			}
			last := len(test.args) - 1
			args := append(append([]string{}, test.args[:last]...), path, test.args[last])
			code, out, errs := authorizeurl("", args...)
			assert.Equal(t, 1, code)
			assert.Empty(t, out)
			lines := strings.Split(strings.TrimSuffix(errs, "\n"), "\n")
			for _, said := range lines[:len(lines)-1] {
				assert.Regexp(t, "^authorizeurl: (no -[a-z-]+ given, using |connection |/)", said)
			}
			assert.True(t, strings.HasPrefix(lines[len(lines)-1], "authorizeurl: "), errs)
			assert.Contains(t, errs, test.want)
			assert.NotContains(t, errs, "\x1b")
		})
	}

	code, out, errs := authorizeurl("", "no-such\x1b\nfile.json", "/authorize")
	assert.Equal(t, 1, code)
	assert.Empty(t, out)
	assert.Equal(t, `authorizeurl: open no-such\x1b\nfile.json: no such file or directory`+"\n", errs)
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{},
		{wordpress},
		{wordpress, "/authorize", "-explain"}, // flags come first
		{"-no-such-flag", wordpress, "/authorize"},
		{"-vectors", wordpress, "/authorize"},
		{"-vectors", "-explain"},
	} {
		code, out, errs := authorizeurl("", args...)
		assert.Equal(t, 2, code, args)
		assert.Empty(t, out, args)
		assert.Contains(t, errs, usage, args)
	}
	code, _, errs := authorizeurl("", "-help")
	assert.Equal(t, 0, code)
	assert.Contains(t, errs, usage)
}

// A writer that fails, such as a closed pipe.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestBrokenOutput(t *testing.T) {
	for _, args := range [][]string{
		{wordpress, "/authorize"},
		{"-explain", wordpress, "/authorize"},
		{"-json", wordpress, "/authorize"},
		{"-vectors"},
	} {
		assert.Equal(t, 1, run(args, strings.NewReader("{}"), broken{}, io.Discard), args)
	}
}

func TestExplain_M10(t *testing.T) {
	path := file(t, `{"name":"a","strategy":"oauth2","options":{"client_id":"c",
		"authorizationURL":"https://idp.example.com/authorize?p=1","tokenURL":"https://idp.example.com/t",
		"upstream_params":{
			"evil":{"value":"\u001b[31m\u202e\n"}, "hint":{"alias":"id_token_hint"},
			"login":{"alias":"login_hint"}, "prompt":{"alias":"prompt","allow":["login"]}},
		"authParams":{"login":"nobody","long":"`+strings.Repeat("é", 100)+`"}}}`)
	code, out, errs := authorizeurl("", "-explain", "-state", "st", "-redirect-uri", "https://auth.example.com/cb", path,
		"id_token_hint=a.secret.token&prompt=none&max_age=1&hd=x")
	assert.Equal(t, 0, code)
	assert.Empty(t, errs)
	url, table, _ := strings.Cut(out, "\n")
	assert.Equal(t, "https://idp.example.com/authorize?client_id=c&evil=%1B%5B31m%E2%80%AE%0A&hint=a.secret.token&login=nobody&long="+
		strings.Repeat("%C3%A9", 100)+"&p=1&redirect_uri=https%3A%2F%2Fauth.example.com%2Fcb&response_type=code&state=st", url)
	assert.Equal(t, `
PARAMETER              VALUE                     SENT  LAYER             FROM              REASON
client_id              c                         yes   protocol
code_challenge                                   no    protocol                            the transaction has no
                                                                                           code verifier
code_challenge_method                            no    protocol                            the transaction has no
                                                                                           code verifier
evil                   \x1b[31m\u202e\n          yes   upstream_params
hint                   [redacted]                yes   upstream_params   id_token_hint
login                  nobody                    yes   authParams                          upstream_params: the
                                                                                           request has no
                                                                                           login_hint
long                   ééééééééééééééééééééééé…  yes   authParams
nonce                                            no    protocol                            the transaction has no
                                                                                           nonce
p                      1                         yes   authorizationURL
prompt                                           no    upstream_params   prompt            upstream_params: prompt
                                                                                           does not pass allow,
                                                                                           allow_pattern or
                                                                                           translate
redirect_uri           https://auth.example.co…  yes   protocol
response_type          code                      yes   protocol
scope                                            no    protocol          connection_scope  protocol: neither the
                                                                                           connection nor the
                                                                                           request has a scope
state                  st                        yes   protocol

Incoming but not mapped: hd, max_age
`, table)
	for line := range strings.Lines(table) {
		assert.LessOrEqual(t, len([]rune(line)), 120)
		assert.Equal(t, strings.TrimRight(line, " \n")+"\n", line)
	}

	code, out, _ = authorizeurl("", "-explain", wordpress, "/authorize")
	assert.Equal(t, 0, code)
	assert.True(t, strings.HasSuffix(out, "\nIncoming but not mapped: none\n"))
}

func TestJSON_M10(t *testing.T) {
	args := []string{"-json", "-request-token", "t&1", "../x/connection.json", "?login_hint=<a>&prompt=login"}
	code, out, errs := authorizeurl("", args...)
	assert.Equal(t, 0, code)
	assert.Empty(t, errs)
	assert.Equal(t, `{"url":"https://api.twitter.com/oauth/authorize?oauth_token=t%261&screen_name=%3Ca%3E"}`+"\n", out)

	_, out, _ = authorizeurl("", append([]string{"-explain"}, args...)...)
	assert.Equal(t, `{"url":"https://api.twitter.com/oauth/authorize?oauth_token=t%261&screen_name=%3Ca%3E","parameters":[`+
		`{"name":"oauth_token","value":"t&1","layer":"protocol","source":"","sent":true,"reason":""},`+
		`{"name":"screen_name","value":"<a>","layer":"upstream_params","source":"login_hint","came":"<a>","sent":true,"reason":""}],`+
		`"unmapped":["prompt"]}`+"\n", out)

	_, out, _ = authorizeurl("", "-json", "-explain", wordpress, "/authorize")
	assert.True(t, strings.HasSuffix(out, `],"unmapped":[]}`+"\n"), out)
}

// The program as it is built: the README's command, then a usage error.
func TestBinary(t *testing.T) {
	program := filepath.Join(t.TempDir(), "authorizeurl.exe")
	output, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(output))

	cmd := exec.Command(program, "-state", "st", "examples/wordpress/connection.json",
		"https://auth.example.com/authorize?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback&connection=wordpress")
	cmd.Dir = "../.."
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run())
	assert.Equal(t, "https://public-api.wordpress.com/oauth2/authorize?blog=myblog.wordpress.com&client_id=12345"+
		"&redirect_uri=https%3A%2F%2Fauth.example.com%2Flogin%2Fcallback&response_type=code&scope=profile&state=st\n", out.String())
	assert.Equal(t, "authorizeurl: no -redirect-uri given, using https://auth.example.com/login/callback\n", errs.String())

	cmd = exec.Command(program, "-vectors")
	cmd.Stdin = strings.NewReader(`{"name":"a","connection":{"strategy":"samlp"}}`)
	stdout, err := cmd.Output()
	require.NoError(t, err)
	var r result
	require.NoError(t, json.Unmarshal(stdout, &r))
	assert.Equal(t, "saml", r.Error.Kind)

	var exit *exec.ExitError
	require.ErrorAs(t, exec.Command(program).Run(), &exit)
	assert.Equal(t, 2, exit.ExitCode())
}

// Several problems have a line each, and as JSON an object each.
func TestErrorsOneALine_E2(t *testing.T) {
	path := file(t, `{"name": "a b", "strategy": "oauth2", "options": {"client_id": "c", "scopes": "x"}}`)
	code, out, errs := authorizeurl("", path, "/authorize")
	assert.Equal(t, 1, code)
	assert.Empty(t, out)
	lines := strings.Split(strings.TrimSpace(errs), "\n")
	require.Len(t, lines, 5, errs)
	assert.Equal(t, `authorizeurl: connection "a b": 4 problems`, lines[0])
	assert.Equal(t, "authorizeurl: /options/scopes is not read here; write scope", lines[1])

	code, out, errs = authorizeurl("", "-json", path, "/authorize")
	assert.Equal(t, 1, code)
	assert.Empty(t, errs)
	var got struct {
		Error struct {
			Kind, Message string
			Problems      []struct{ Pointer, Message string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Equal(t, "config", got.Error.Kind)
	assert.Len(t, got.Error.Problems, 4)
	assert.Equal(t, "/options/scopes", got.Error.Problems[0].Pointer)

	_, out, _ = authorizeurl("", "-json", "no-such-file.json", "/authorize")
	assert.JSONEq(t, `{"error": {"message": "open no-such-file.json: no such file or directory"}}`, out)
	_, out, _ = authorizeurl("", "-json", wordpress, "prompt=a&prompt=b")
	assert.Contains(t, out, `"kind":"request","param":"prompt"`)
}

// The bodies of the vendor's documents, as they stand.
func TestStrategyOfABody_O1(t *testing.T) {
	const body = `{"options": {"client_id": "", "profile": true, "scope": ["profile"], "upstream_params": {"blog": {"value": "myblog.wordpress.com"}}}}`
	code, out, errs := authorizeurl(body, "-strategy", "wordpress", "-state", "st", "-redirect-uri", "https://auth.example.com/cb", "-", "/authorize")
	assert.Equal(t, 0, code, errs)
	assert.Equal(t, "https://public-api.wordpress.com/oauth2/authorize?blog=myblog.wordpress.com&client_id=example-client"+
		"&redirect_uri=https%3A%2F%2Fauth.example.com%2Fcb&response_type=code&scope=profile&state=st\n", out)
	assert.Contains(t, errs, "no client_id in the connection, using example-client")
	code, _, errs = authorizeurl(body, "-", "/authorize")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "/strategy is missing")
	code, _, errs = authorizeurl("", "-strategy", "github", wordpress, "/authorize")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "not that of -strategy")
}

func TestWarnings_O2(t *testing.T) {
	path := file(t, `{"name": "a", "strategy": "github", "options": {"client_id": "c", "custom_headers": {}, "colo\u001br": 1}}`)
	code, out, errs := authorizeurl("", "-state", "s", "-redirect-uri", "https://auth.example.com/cb", path, "/authorize")
	assert.Equal(t, 0, code)
	assert.NotEmpty(t, out)
	assert.Equal(t, "authorizeurl: warning: /options/custom_headers is not known here and has no effect; did you mean customHeaders?\n"+
		`authorizeurl: warning: /options/colo\x1br is not known here and has no effect`+"\n", errs)
}
