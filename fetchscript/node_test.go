package fetchscript_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/fetchscript"
)

// A nodeOutcome is what testdata/node.js says of a script.
type nodeOutcome struct {
	Profile json.RawMessage `json:"profile"`
	Error   string          `json:"error"`
}

// inNode runs scripts in Node.js itself.
func inNode(t *testing.T, sources []string) []nodeOutcome {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node here to compare with")
	}
	list := []map[string]any{}
	for _, source := range sources {
		list = append(list, map[string]any{"source": source, "token": accessToken, "context": map[string]any{"client_id": "client-1", "client_secret": clientSecret}})
	}
	in, err := json.Marshal(list)
	require.NoError(t, err)
	modules, err := filepath.Abs("library/node_modules")
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), node, "--no-deprecation", "testdata/node.js")
	command.Env = []string{"NODE_PATH=" + modules, "PATH=" + os.Getenv("PATH"), "TZ=UTC"}
	command.Stdin = bytes.NewReader(in)
	var faults bytes.Buffer
	command.Stderr = &faults
	out, err := command.Output()
	require.NoError(t, err, "%s", faults.String())
	var outcomes []nodeOutcome
	require.NoError(t, json.Unmarshal(out, &outcomes))
	require.Len(t, outcomes, len(sources))
	return outcomes
}

// TestNodeProbes: each line of testdata/probes.js is an expression that means the
// same here and in Node.js, errors included.
func TestNodeProbes(t *testing.T) {
	text, err := os.ReadFile("testdata/probes.js")
	require.NoError(t, err)
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	keys := strings.NewReplacer("KEY, PUBLIC)", fmt.Sprintf("%q, %q)", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(pair)}),
		pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&pair.PublicKey)})))
	var probes, sources []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			probes = append(probes, line)
			sources = append(sources, `async function (token, ctx) {
				let out;
				try { out = await (`+keys.Replace(line)+`); } catch (e) { out = ['throws', e.name]; }
				return { user_id: 'u1', out: out === undefined ? 'undefined' : out };
			}`)
		}
	}
	for i, want := range inNode(t, sources) {
		profile, err := fetch(t, t.Context(), fetchscript.Options{}, sources[i], token(nil))
		if !assert.NoError(t, err, probes[i]) || !assert.Empty(t, want.Error, probes[i]) {
			continue
		}
		var node struct{ Out json.RawMessage }
		require.NoError(t, json.Unmarshal(want.Profile, &node))
		assert.JSONEq(t, string(node.Out), string(profile.Extra["out"]), probes[i])
	}
}

// TestNodeScripts has Node.js with the libraries from npm run the scripts of
// TestU1CallShapes and those of testdata/scripts.js, against the same server.
func TestNodeScripts(t *testing.T) {
	if _, err := os.Stat("library/node_modules/request"); err != nil {
		t.Skip("the libraries are not here to compare with: npm ci --ignore-scripts in library/")
	}
	p := newIDP(t, shapes)
	address, err := url.Parse(p.server.URL)
	require.NoError(t, err)
	here := strings.NewReplacer("https://idp.example.com", p.server.URL, "u:p@idp.example.com", "u:p@"+address.Host, "https://", "http://", "require('https')", "require('http')",
		"hostname: 'idp.example.com'", "hostname: '127.0.0.1', port: "+address.Port(), "host: 'idp.example.com', port: 443", "host: '127.0.0.1', port: "+address.Port())
	var names, sources []string
	for _, c := range callShapes {
		names, sources = append(names, c.name), append(sources, here.Replace(shapeSource(c.statement)))
	}
	text, err := os.ReadFile("testdata/scripts.js")
	require.NoError(t, err)
	for _, source := range strings.Split(string(text), "\n// ")[1:] {
		name, source, _ := strings.Cut(source, "\n")
		names, sources = append(names, name), append(sources, here.Replace(source))
	}
	for i, want := range inNode(t, sources) {
		profile, err := fetch(t, t.Context(), fetchscript.Options{}, sources[i], token(nil))
		if want.Error != "" {
			if assert.Error(t, err, "%s: node says %s", names[i], want.Error) {
				assert.Contains(t, err.Error(), want.Error, names[i])
			}
			continue
		}
		if !assert.NoError(t, err, names[i]) {
			continue
		}
		var node struct{ Out json.RawMessage }
		require.NoError(t, json.Unmarshal(want.Profile, &node))
		assert.JSONEq(t, string(node.Out), string(profile.Extra["out"]), names[i])
	}
}

// shapes answers the scripts.
func shapes(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/missing":
		http.Error(w, `{"error":"gone"}`, http.StatusNotFound)
	case "/text":
		_, _ = w.Write([]byte("plain"))
	case "/bytes":
		_, _ = w.Write([]byte("a\xff\xe2\x82b\xf0\x9f\x98\x80"))
	case "/xml":
		_, _ = w.Write([]byte(`<?xml version="1.0"?><u:user xmlns:u="x" id="7"><name>Ann &amp; Bob</name><tag>a</tag><tag>b</tag><empty/></u:user>`))
	case "/form":
		_, _ = w.Write([]byte("a=1&b=x%20y&b=z"))
	case "/gzip":
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(gzipped)
	case "/moved":
		http.Redirect(w, r, "/me?moved=1", http.StatusFound)
	case "/twice":
		w.Header()["X-Twice"] = []string{"a", "b"}
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
		echo(w, r)
	default:
		echo(w, r)
	}
}

// gzipped is {"id":"u1"}, compressed.
var gzipped = []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xaaV\xcaLQ\xb2R*5T\xaa\x05\x04\x00\x00\xff\xff\xba\xca\xc1\xef\x0b\x00\x00\x00")

func shapeSource(statement string) string {
	return fmt.Sprintf("function (token, ctx, cb) { const base = 'https://idp.example.com'; const url = base + '/me'; const out = (o) => cb(null, { user_id: 'u1', out: o }); %s }", statement)
}
