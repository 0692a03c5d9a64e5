// Package docblock holds the documentation of a directory to what the examples
// there run. It is for tests, knows the shape of Go code alone, and nothing of
// what the code is about.
package docblock

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Directory is the documentation and the examples of one package.
type Directory struct {
	Blocks   []string        // Go code of README.md and of the doc comments; of a program, the body of main
	Examples []string        // bodies of the example functions that have an output, which go test runs
	Called   map[string]bool // names of the functions and methods that examples call
}

// Read reads a directory.
func Read(dir string) (*Directory, error) {
	d := &Directory{Called: map[string]bool{}}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return nil, err
	}
	for _, part := range strings.Split("\n"+string(readme), "\n```go\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```\n")
		if d.Blocks = append(d.Blocks, block); strings.HasPrefix(block, "package main") {
			body, err := mainOf(block)
			if err != nil {
				return nil, fmt.Errorf("README.md: %w", err)
			}
			d.Blocks[len(d.Blocks)-1] = body
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := d.add(name); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func mainOf(program string) (string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "main.go", program, 0)
	if err != nil {
		return "", err
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Name.Name == "main" {
			return program[fset.Position(f.Body.Lbrace).Offset+1 : fset.Position(f.Body.Rbrace).Offset], nil
		}
	}
	return "", fmt.Errorf("a program without main")
}

func (d *Directory) add(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	if strings.HasSuffix(name, "_test.go") {
		for _, example := range doc.Examples(file) {
			if example.Output == "" {
				continue
			}
			node := example.Code
			d.Examples = append(d.Examples, string(text[fset.Position(node.Pos()).Offset:fset.Position(node.End()).Offset]))
			ast.Inspect(node, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if f, ok := call.Fun.(*ast.SelectorExpr); ok {
						d.Called[f.Sel.Name] = true
					}
				}
				return true
			})
		}
		return nil
	}
	for _, group := range file.Comments {
		for _, block := range new(comment.Parser).Parse(group.Text()).Content {
			if code, ok := block.(*comment.Code); ok && !strings.HasPrefix(code.Text, "go ") { // else a command
				d.Blocks = append(d.Blocks, code.Text)
			}
		}
	}
	return nil
}

// Unrun gives the blocks whose lines stand in no example together and in this
// order. Indentation and empty lines do not count.
func (d *Directory) Unrun() []string {
	return slices.DeleteFunc(slices.Clone(d.Blocks), func(block string) bool {
		return slices.ContainsFunc(d.Examples, func(example string) bool {
			return strings.Contains(lines(example), lines(block))
		})
	})
}

func lines(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out.WriteString("\n" + line)
		}
	}
	return out.String() + "\n"
}
