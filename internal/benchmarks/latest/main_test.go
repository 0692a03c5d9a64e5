package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/benchmarks/measure"
)

func TestRun(t *testing.T) {
	figures, err := run(measure.Effort{Rounds: 2, Turn: 20 * time.Microsecond})
	require.NoError(t, err)
	require.Len(t, figures, 2)
	assert.Equal(t, "upstream", figures[0].Impl)
	assert.Equal(t, "x/oauth2", figures[1].Impl)
}
