// Package pgtest starts a PostgreSQL for a test: Debian's, on loopback, with a
// data directory of its own. It knows no driver and no schema.
package pgtest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Start gives the URL of an empty database, whose server ends with the test. The
// test is skipped, with a word, where there is no PostgreSQL to start.
func Start(t testing.TB) string {
	t.Helper()
	initdb, postgres := find("initdb"), find("postgres")
	if initdb == "" || postgres == "" {
		t.Skip("no PostgreSQL here (Debian: apt-get install postgresql): what needs one was not tested")
	}
	// Not t.TempDir: the unprivileged user must be able to walk to it.
	folder, err := os.MkdirTemp("", "pg")
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	asUser := unprivileged(t, folder)

	data := filepath.Join(folder, "data")
	out, err := asUser(initdb, "--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	server := asUser(postgres, "-D", data, "-p", fmt.Sprint(port), "-k", folder,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200", "-c", "logging_collector=off")
	log, err := server.StderrPipe()
	check(t, err)
	check(t, server.Start())
	ready, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		var text strings.Builder
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), "ready to accept connections") {
				close(ready)
				continue
			}
			if text.Len() < 10_000 {
				text.WriteString(lines.Text() + "\n")
			}
		}
		ended <- text.String()
	}()
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt) // ends it without waiting for its clients
		<-ended
		_ = server.Wait()
	})
	select {
	case <-ready:
	case text := <-ended:
		ended <- text
		t.Fatalf("PostgreSQL does not start:\n%s", text)
	case <-time.After(2 * time.Minute):
		t.Fatal("PostgreSQL does not start")
	}
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
}

// find gives the path of one of PostgreSQL's programs, "" if there is none.
// Debian keeps most of them out of the PATH.
func find(program string) string {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program); len(found) > 0 {
		return found[len(found)-1]
	}
	path, _ := exec.LookPath(program)
	return path
}

// unprivileged gives a way to start programs as a user who owns the folder and is
// not root, whom PostgreSQL refuses.
func unprivileged(t testing.TB, folder string) func(name string, args ...string) *exec.Cmd {
	prefix := []string{}
	if os.Getuid() == 0 {
		user := "postgres"
		if exec.Command("id", user).Run() != nil {
			user = "nobody"
		}
		if _, err := exec.LookPath("setpriv"); err != nil {
			t.Skip("no setpriv here, with which root would start PostgreSQL as another user: what needs it was not tested")
		}
		if out, err := exec.Command("chown", user, folder).CombinedOutput(); err != nil {
			t.Skipf("a folder cannot be given to %s (%s): what needs PostgreSQL was not tested", user, out)
		}
		prefix = []string{"setpriv", "--reuid=" + user, "--clear-groups"}
	}
	return func(name string, args ...string) *exec.Cmd {
		all := append(append(append([]string{}, prefix...), name), args...)
		cmd := exec.Command(all[0], all[1:]...)
		cmd.Dir = folder
		return cmd
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
