package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestO1SchemaFile(t *testing.T) {
	want, err := generate()
	require.NoError(t, err)
	got, err := os.ReadFile("../../schema.json")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "schema.json is not what the table gives: go -C internal/schema run . > schema.json")
}
