package fetchscript_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/docblock"
)

// The code of the README and of the documentation stands in the examples, to
// the line.
func TestDocumentationRuns(t *testing.T) {
	d, err := docblock.Read(".")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(d.Blocks), 6)
	assert.Empty(t, d.Unrun(), "code that no example runs")
}
