package upstream_test

// This file holds the root's files to what their opening lines promise: the way
// through them goes down, and no file refers to one above it.

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// layers are the root's files, the uppermost first. A file may refer to those
// below it alone.
var layers = []string{"upstream.go", "profile.go", "headers.go", "connection.go", "params.go", "alias.go"}

func TestTheWayThroughTheRootGoesDown(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		assert.Contains(t, layers, name, "a file of the root without a layer")
		file, err := parser.ParseFile(set, name, nil, 0)
		require.NoError(t, err)
		parsed = append(parsed, file)
	}
	require.Len(t, parsed, len(layers))
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(set, "source", nil)}
	pkg, err := config.Check("example.com/upstream", set, parsed, &info)
	require.NoError(t, err)

	layer := func(pos token.Pos) int { return slices.Index(layers, set.Position(pos).Filename) }
	down, up := 0, map[string]bool{}
	for ident, object := range info.Uses {
		if object.Pkg() != pkg || layer(object.Pos()) < 0 {
			continue
		}
		switch from, to := layer(ident.Pos()), layer(object.Pos()); {
		case from > to:
			up[layers[from]+" refers to "+object.Name()+" of "+layers[to]] = true
		case from < to:
			down++
		}
	}
	assert.Empty(t, up)
	assert.Greater(t, down, 50) // else nothing was looked at
}
