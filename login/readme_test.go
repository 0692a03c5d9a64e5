package login_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const startTime = 30 * time.Second // for a program to come up on a busy machine

var firstProgram = regexp.MustCompile("(?s)```go\n(.*?)\n```")

// The program of README.md, in a module of its own, set up by the README's lines:
// it logs a user in, and stays within 40 lines.
func TestREADMEProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a program")
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	program := firstProgram.FindStringSubmatch(string(readme))[1]
	assert.LessOrEqual(t, strings.Count(program, "\n")+1, 40)

	p := newIDP(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := strings.Replace(listener.Addr().String(), "127.0.0.1", "localhost", 1)
	defer func() { _ = listener.Close() }() // kept until the program is there: nobody else gets the port

	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("main.go", strings.ReplaceAll(program, "localhost:8080", address))
	write("connection.json", asJSON(claims{"name": "corp", "strategy": "oidc", "options": claims{
		"issuer": p.URL, "client_id": clientID, "client_secret": clientSecret, "scope": "openid email",
	}}))
	run := func(name string, args ...string) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	run("go", "mod", "init", "example.com/host")
	for line := range strings.Lines(string(readme)) {
		if strings.HasPrefix(line, "go mod") {
			run("go", strings.Fields(strings.ReplaceAll(line, "../upstream", root))[1:]...)
		}
	}
	run("go", "build", "-o", "host", ".")

	require.NoError(t, listener.Close())
	ctx, stop := context.WithCancel(t.Context())
	server := exec.CommandContext(ctx, filepath.Join(dir, "host"))
	server.Dir = dir
	stderr, err := server.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	said := make(chan struct{})
	t.Cleanup(func() { stop(); <-said; _ = server.Wait() }) // nothing is logged once the test is over
	go func() {
		defer close(said)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			t.Log(lines.Text())
		}
	}()

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	user := &http.Client{Jar: jar}
	var resp *http.Response
	require.Eventually(t, func() bool { // the server comes up
		resp, err = user.Get("http://" + address + "/login")
		return err == nil
	}, startTime, startTime/600)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Equal(t, "Hello oidc|corp|user-1\n", string(body))
	again, err := user.Get(resp.Request.URL.String()) // the back button
	require.NoError(t, err)
	_ = again.Body.Close()
	assert.Equal(t, http.StatusForbidden, again.StatusCode)
}
