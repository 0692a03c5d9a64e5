package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestP1Shapes(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out, 1))
	assert.Contains(t, out.String(), `"%68x&"`)
	assert.Contains(t, out.String(), "gives up")
	assert.GreaterOrEqual(t, strings.Count(out.String(), "\n"), 80)
}
