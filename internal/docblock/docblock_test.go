package docblock_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/docblock"
)

func TestDocumentationThatNoExampleRuns(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"README.md": "# p\n\n```go\npackage main\n\nfunc main() {\n\tfmt.Println(p.F(1))\n}\n```\n\n```sh\ngo run .\n```\n\n```go\np.F(2)\n```\n\n```go\np.F(1\n```\n",
		"p.go": "// Package p is small.\n//\n//\tp.F(3)\n//\n// Run\n//\n//\tgo run .\n//\n// or\n//\n//\tx := p.F(4)\n//\n//\tfmt.Println(x)\npackage p\n\n" +
			"// F is the identity.\n//\n//\tp.F(6)\nfunc F(i int) int { return i }\n",
		"p_test.go": "package p_test\n\nfunc Example() {\n\tfmt.Println(p.F(1))\n\tx := p.F(4)\n\tfmt.Println(x)\n\t// Output:\n\t// 1\n\t// 4\n}\n\n" +
			"func Example_unrun() {\n\tp.F(2)\n}\n\nfunc Test() {\n\tp.F(3)\n}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	d, err := docblock.Read(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"p.F(2)", "p.F(1", "p.F(3)\n", "p.F(6)\n"}, d.Unrun())
	assert.Equal(t, map[string]bool{"Println": true, "F": true}, d.Called)

	for _, program := range []string{"package main\n", "package main {\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("```go\n"+program+"```\n"), 0o600))
		_, err = docblock.Read(dir)
		require.ErrorContains(t, err, "README.md")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "q.go"), []byte("package"), 0o600))
	_, err = docblock.Read(dir)
	require.Error(t, err)
	_, err = docblock.Read(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}
