package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/benchmarks/connections"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out, 500, "", 20*time.Millisecond))
	for _, want := range []string{"500 connections", "json.Unmarshal", "ParseConnection", "NewProvider", "resident", "requests a second", "garbage collector"} {
		assert.Contains(t, out.String(), want)
	}
}

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "connections.jsonl")
	one, err := connections.Line(1)
	require.NoError(t, err)
	two, err := connections.Line(2)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, bytes.Join([][]byte{one, two, nil}, []byte("\n\n")), 0o600))
	lines, err := load(0, name)
	require.NoError(t, err)
	assert.Equal(t, [][]byte{one, two}, lines)
	assert.Error(t, run(io.Discard, 1, name+".absent", 0))
	require.NoError(t, os.WriteFile(name, []byte("{\n"), 0o600))
	assert.Error(t, run(io.Discard, 1, name, 0))
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	assert.Error(t, run(io.Discard, 1, name, 0))
}

// The same in every run, and no two alike.
func TestLines(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		a, err := connections.Line(i)
		require.NoError(t, err)
		b, err := connections.Line(i)
		require.NoError(t, err)
		assert.Equal(t, a, b)
		assert.False(t, seen[string(a)])
		seen[string(a)] = true
		_, err = provider(a)
		assert.NoError(t, err, "%s", a)
	}
}
