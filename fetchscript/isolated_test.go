//go:build unix

package fetchscript_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/upstream/fetchscript"
)

// TestHostileIsolated runs every hostile script in a process of its own.
func TestHostileIsolated(t *testing.T) {
	p, o := hostileIDP(t), tight
	o.Isolation = isolation
	for i, h := range hostile {
		if underRace && i%4 != 0 {
			continue // a child under the race detector is slow to start
		}
		t.Run(h.name, func(t *testing.T) { ends(t, o, p.context(t.Context()), h.body, h.limits) })
	}
}

func TestIsolatedSample(t *testing.T) {
	p := newIDP(t, echo)
	s, err := fetchscript.Options{Isolation: isolation}.Compile(`async function (token, ctx, cb) {
		console.log('token is', token);
		const { data } = await require('axios').post('https://idp.example.com/me', { a: _.range(3) }, { headers: { Authorization: 'Bearer ' + token } });
		await new Promise((ok) => setTimeout(ok, 5));
		return { user_id: data.id, out: [data.body, data.authorization, ctx.client_id] };
	}`)
	require.NoError(t, err)
	for range 3 {
		profile, err := s.Fetch(p.context(t.Context()), token(nil), connection())
		require.NoError(t, err)
		assert.Equal(t, "u1", profile.UserID)
		assert.JSONEq(t, `["{\"a\":[0,1,2]}","Bearer `+accessToken+`","client-1"]`, string(profile.Extra["out"]))
	}
	_, err = fetchscript.Options{Isolation: isolation}.Compile("function (")
	require.Error(t, err)
	_, err = fetch(t, p.context(t.Context()), fetchscript.Options{Isolation: isolation}, "(t, c, cb) => cb(new Error('no ' + t))", token(nil))
	require.ErrorContains(t, err, "script: no [redacted]")
}

func TestIsolatedRunsShareNothing(t *testing.T) {
	s, err := fetchscript.Options{Isolation: isolation}.Compile(sharing)
	require.NoError(t, err)
	sharesNothing(t, s)
}

// TestIsolatedProcessIsConfined looks at what the system says of a child.
func TestIsolatedProcessIsConfined(t *testing.T) {
	if _, err := os.Stat("/proc/self/limits"); err != nil {
		t.Skip("there is no /proc to look at")
	}
	t.Setenv("DATABASE_PASSWORD", "secret")
	before := children(t)
	s, err := fetchscript.Options{Isolation: isolation}.Compile("(t, c, cb) => cb(null, { user_id: 'u1' })")
	require.NoError(t, err)
	_, err = s.Fetch(t.Context(), token(nil), connection())
	require.NoError(t, err)
	var own []string
	for _, dir := range children(t) {
		if !slices.Contains(before, dir) {
			own = append(own, dir)
		}
	}
	require.Len(t, own, 1)
	text, err := os.ReadFile(own[0] + "/limits")
	require.NoError(t, err)
	limits := strings.Join(strings.Fields(string(text)), " ")
	assert.Contains(t, limits, "Max open files 0 0")
	assert.Contains(t, limits, "Max core file size 0 0")
	assert.Contains(t, limits, "Max cpu time 60 60")
	assert.NotContains(t, limits, "Max address space unlimited")
	environment, err := os.ReadFile(own[0] + "/environ")
	require.NoError(t, err)
	assert.NotContains(t, string(environment), "DATABASE")
	assert.Equal(t, 1, strings.Count(string(environment), "="))

	// A child that does not keep to its limits is killed by the program.
	held, err := strconv.Atoi(filepath.Base(own[0]))
	require.NoError(t, err)
	require.NoError(t, unix.Kill(held, unix.SIGSTOP))
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = s.Fetch(short, token(nil), connection())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.NotContains(t, children(t), own[0])
	_, err = s.Fetch(t.Context(), token(nil), connection())
	require.NoError(t, err)
	for _, dir := range children(t) {
		if !slices.Contains(before, dir) {
			own[0] = dir
		}
	}

	// A child that is killed from outside while it is idle costs no login.
	pid, err := strconv.Atoi(filepath.Base(own[0]))
	require.NoError(t, err)
	process, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, process.Kill())
	require.Eventually(t, func() bool { return fetchscript.Idle(s) == 0 }, time.Minute, time.Millisecond)
	_, err = s.Fetch(t.Context(), token(nil), connection())
	require.NoError(t, err)
}

func TestIsolatedConcurrent(t *testing.T) {
	s, err := fetchscript.Options{Isolation: isolation, Concurrency: 4, Idle: 4, Timeout: 5 * time.Minute}.Compile(sample)
	require.NoError(t, err)
	ctx := answering(t.Context(), account)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			profile, err := s.Fetch(ctx, token(nil), connection())
			if assert.NoError(t, err) {
				assert.Equal(t, "4f1c", profile.UserID)
			}
		})
	}
	all.Wait()
}

func TestIsolatedGivesUpWithTheLogin(t *testing.T) {
	s, err := fetchscript.Options{Isolation: isolation}.Compile("(t, c, cb) => setTimeout(cb, 1e8)")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = s.Fetch(ctx, token(nil), connection())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestIsolatedChildEndsWithTheProgram: the pipe is all that keeps a child.
func TestIsolatedChildEndsWithTheProgram(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(executable)
	command.Env = []string{"UPSTREAM_FETCHSCRIPT_CHILD=1"}
	in, err := command.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	require.NoError(t, in.Close())
	done := make(chan error, 1)
	go func() { done <- command.Wait() }()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		_ = command.Process.Kill()
		t.Fatal("the child lives on")
	}
}

// talkative is a child that goes on after it has said that it failed.
func talkative(t *testing.T) *fetchscript.Isolation {
	said := `{"kind":"ready","failed":true,"message":"no"}`
	path := filepath.Join(t.TempDir(), "child")
	text := fmt.Sprintf("#!/bin/sh\nfor i in 1 2 3; do printf '\\000\\000\\000\\%03o%%s' '%s'; done\nexec sleep 60\n", len(said), said)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	return fetchscript.IsolationOf(path)
}

// TestIsolatedLeavesNothing: a child that is given up while it starts is waited
// for, and nobody waits for what it says.
func TestIsolatedLeavesNothing(t *testing.T) {
	o := fetchscript.Options{Isolation: talkative(t)}
	before := runtime.NumGoroutine()
	for range 10 {
		_, err := o.Compile("(t, c, cb) => cb()")
		require.ErrorContains(t, err, "script: no")
	}
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, time.Minute, 10*time.Millisecond)

	o.Isolation = isolation
	s, err := o.Compile("(t, c, cb) => cb(null, { user_id: 'u1' })")
	require.NoError(t, err)
	for i := range 40 { // some of them end just when the child is ready
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
		_, _ = s.Fetch(ctx, token(nil), connection())
		cancel()
		fetchscript.DropIdle(s)
	}
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, time.Minute, 10*time.Millisecond)
}

// TestIsolatedTakesWhatCompiles: what is long once it is quoted is not too long.
func TestIsolatedTakesWhatCompiles(t *testing.T) {
	for _, fill := range []string{"<", "\u2028", "\x01", "é"} {
		source := "(t, c, cb) => cb(null, { user_id: 'u1' }) /*" + strings.Repeat(fill, 200000/len(fill)) + "*/"
		p, err := fetch(t, t.Context(), fetchscript.Options{Isolation: isolation}, source, token(nil))
		require.NoError(t, err, "%q", fill)
		assert.Equal(t, "u1", p.UserID)
		p, err = fetch(t, answering(t.Context(), strings.Repeat(fill, 900000/len(fill))), fetchscript.Options{Isolation: isolation, Memory: 16 << 20},
			"(t, c, cb) => request.get('https://idp.example.com/me', (e, r, b) => cb(e, { user_id: 'u1', out: b.length }))", token(nil))
		require.NoError(t, err, "%q", fill)
		assert.NotEqual(t, "0", string(p.Extra["out"]))
	}
}

// TestIsolatedTimeIsUTC, whatever the program's zone is.
func TestIsolatedTimeIsUTC(t *testing.T) {
	t.Setenv("TZ", "America/New_York")
	p, err := fetch(t, t.Context(), fetchscript.Options{Isolation: isolation}, "(t, c, cb) => cb(null, { user_id: 'u1', out: new Date(17e11).getTimezoneOffset() })", token(nil))
	require.NoError(t, err)
	assert.Equal(t, "0", string(p.Extra["out"]))
}
