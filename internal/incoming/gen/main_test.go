package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../../../"

// What is checked in is what the table says.
func TestFresh(t *testing.T) {
	text, err := os.ReadFile(root + source)
	require.NoError(t, err)
	names, accessor, err := generate(text)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(accessor), "run: go generate .")
	text, err = os.ReadFile(root + table)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(names), "run: go generate .")
}

// A name is one line.
func TestOneLine(t *testing.T) {
	text, err := os.ReadFile(root + source)
	require.NoError(t, err)
	more := strings.Replace(string(text), "type AuthorizeRequest struct {\n", "type AuthorizeRequest struct {\n\tNew string `in:\"new_name,map\"`\n", 1)
	names, accessor, err := generate([]byte(more))
	require.NoError(t, err)
	assert.Contains(t, string(names), "\t\"new_name\",\n")
	assert.Contains(t, string(names), "  New,\n")
	assert.Contains(t, string(accessor), "case incoming.New:\n\t\treturn &r.New\n")
	for _, bad := range []string{"`in:\",map\"`", "`in:\"x,other\"`", "`json:\"x\"`"} {
		_, _, err := generate([]byte(strings.Replace(more, "`in:\"new_name,map\"`", bad, 1)))
		assert.Error(t, err, bad)
	}
	for _, bad := range []string{"package x", "package", "package x\ntype AuthorizeRequest struct { A string `in:\"a\"` }"} {
		_, _, err := generate([]byte(bad))
		assert.Error(t, err, bad)
	}
}
