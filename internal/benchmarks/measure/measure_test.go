package measure_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/benchmarks/measure"
)

var sink []byte

func TestMeasure(t *testing.T) {
	sleep := func(d time.Duration) func() error {
		return func() error { time.Sleep(d); sink = make([]byte, 1000); return nil }
	}
	figures, err := measure.Effort{Rounds: 5, Turn: 10 * time.Millisecond}.Measure(measure.Row{Name: "sleep", Impls: []measure.Impl{
		measure.Repeat("short", sleep(time.Millisecond)), measure.Repeat("long", sleep(4*time.Millisecond)),
	}})
	require.NoError(t, err)
	require.Len(t, figures, 2)
	assert.Equal(t, "sleep", figures[1].Row)
	assert.Equal(t, "long", figures[1].Impl)
	assert.Positive(t, figures[1].Ratio)
	assert.GreaterOrEqual(t, figures[0].NS, 1e6)
	assert.GreaterOrEqual(t, figures[0].Bytes, uint64(1000))
	assert.GreaterOrEqual(t, figures[0].Allocs, uint64(1))
}

func TestFailure(t *testing.T) {
	broken := errors.New("broken")
	row := measure.Row{Name: "row", Impls: []measure.Impl{measure.Repeat("impl", func() error { return broken })}}
	_, err := measure.Effort{Rounds: 1, Turn: time.Millisecond}.Measure(row)
	require.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "row: impl")
}
