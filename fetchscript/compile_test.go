package fetchscript_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/fetchscript"
)

// escapes end the function into which a script is put, run code while the script
// is compiled, and begin a function anew for what follows them. %s is that code.
var escapes = map[string]string{
	"Statement":   "0 }; %s; globalThis.fetchscript = function () { var fetchUserProfile = 1",
	"ComputedKey": "0 }[(() => { %s })()] = function () { var fetchUserProfile = 1",
	"Declaration": "function f(a, b, cb) { cb(null, { user_id: 'u1' }) } }; %s; globalThis.fetchscript = function () { function f() {}",
	"Strict":      "'use strict'; } %s; globalThis.fetchscript = function () { 'use strict'; function f() {}",
	"Arrow":       "0 }; %s; globalThis.fetchscript = () => { var fetchUserProfile = 1",
	"LastLine":    "0\n;return fetchUserProfile}; %s; (function () { var fetchUserProfile = 1",
}

// TestEscapesAreRefused: what is compiled is one function, of which nothing runs
// before a login does.
func TestEscapesAreRefused(t *testing.T) {
	for name, form := range escapes {
		for _, code := range []string{"globalThis.leak = 7", "for (;;);", "throw new Error('ran')", "Array(2 ** 32 - 1).join()"} {
			t.Run(name, func(t *testing.T) {
				_, err := fetchscript.Options{CPU: 20 * time.Second, Timeout: time.Minute}.Compile(strings.Replace(form, "%s", code, 1))
				var failure *fetchscript.Error
				require.ErrorAs(t, err, &failure)
				assert.NotContains(t, err.Error(), "ran")
				assert.Empty(t, failure.Limit, "it did not run into a limit, since it did not run")
			})
		}
	}
}

// parseBomb has the parser read what is inside once for each parenthesis, to
// see whether an arrow function begins there.
var parseBomb = strings.Repeat("(", 300) + "0" + strings.Repeat("+1", 120000) + strings.Repeat(")", 300)

// manyNames declares more functions than anything quadratic can bear.
func manyNames() string {
	var b strings.Builder
	for i := range 11000 {
		fmt.Fprintf(&b, "function a%d(){}", i)
	}
	return b.String()
}

// TestCompileHasTheLimits: the parser itself is slow on some texts, and looks for
// no interrupt.
func TestCompileHasTheLimits(t *testing.T) {
	for name, source := range map[string]string{"Bomb": parseBomb, "Parentheses": strings.Repeat("(", 120<<10), "Brackets": strings.Repeat("[", 120<<10), "Names": manyNames()} {
		t.Run(name, func(t *testing.T) {
			o := tight
			o.CPU, o.Timeout = 100*time.Millisecond, 200*time.Millisecond
			_, err := o.Compile(source)
			var failure *fetchscript.Error
			if err != nil || name == "Bomb" {
				require.ErrorAs(t, err, &failure)
			}
			if name == "Bomb" {
				assert.Contains(t, []fetchscript.Limit{fetchscript.LimitCPU, fetchscript.LimitTime}, failure.Limit, "%v", err)
			}
		})
	}
}

// TestIsolatedCompileLeavesTheTextToAChild: the program has no engine in which
// the text of a script is so much as parsed.
func TestIsolatedCompileLeavesTheTextToAChild(t *testing.T) {
	for name, form := range escapes {
		t.Run(name, func(t *testing.T) {
			o := tight
			o.Isolation = isolation
			_, err := o.Compile(strings.Replace(form, "%s", "for (;;);", 1))
			var failure *fetchscript.Error
			require.ErrorAs(t, err, &failure)
		})
	}
	o := fetchscript.Options{Isolation: isolation, CPU: 100 * time.Millisecond}
	begin := resident(t)
	_, err := o.Compile(parseBomb)
	var failure *fetchscript.Error
	require.ErrorAs(t, err, &failure)
	assert.Contains(t, []fetchscript.Limit{fetchscript.LimitCPU, fetchscript.LimitTime}, failure.Limit, "%v", err)
	assert.Less(t, resident(t), begin+8<<20)

	_, err = o.Compile("function (t, c, cb) {\n  cb(null, {;\n}")
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, 2, failure.Line)
	assert.Positive(t, failure.Column)
	assert.Contains(t, err.Error(), "line 2, column")

	// A child that cannot even start says nothing of the script: Compile does.
	_, err = fetchscript.Options{Isolation: fetchscript.IsolationOf(os.DevNull)}.Compile("(t, c, cb) => cb()")
	require.ErrorAs(t, err, &failure)
	assert.Contains(t, err.Error(), "process could not be started")
}
