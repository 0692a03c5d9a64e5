package fetchscript

// This file owns the text of a script: which of the forms it has, how it is
// made a function, and where it is wrong.

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"example.com/upstream/fetchscript/internal/engine"
)

// maxSource bounds a script, in bytes. A connection's may have 51200 characters.
const maxSource = 256 << 10

//go:embed prelude/*.js
var preludeFiles embed.FS

// lodashText is the library as its authors publish it; lodash/LICENSE is its licence.
//
//go:embed lodash/lodash.min.js
var lodashText string

// prelude gives the text of the function that calls into a run go through.
func prelude() string {
	var b strings.Builder
	b.WriteString("(function () {'use strict';\n")
	files, _ := fs.Glob(preludeFiles, "prelude/*.js") // in the order of names
	for _, name := range files {
		text, _ := fs.ReadFile(preludeFiles, name) // embedded: it is there
		b.Write(text)
	}
	b.WriteString("})()")
	return b.String()
}

// The two are the same for every script: they are compiled once in a process.
var (
	preludeCode = sync.OnceValues(func() (engine.Code, error) { return compiled(prelude()) })
	lodashCode  = sync.OnceValues(func() (engine.Code, error) { return compiled(lodashText) })
)

func compiled(source string) (engine.Code, error) {
	e, err := engine.New(engine.Limits{Memory: 32 * mebibyte, Stack: maxStack}, func(string, []string) (string, bool, error) { return "", false, errEnded })
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.Compile(source)
}

var (
	leading     = regexp.MustCompile(`^(?:\s|\x{FEFF}|//[^\n]*(?:\n|$)|/\*(?s:.*?)\*/)*`)
	declaration = regexp.MustCompile(`^(?:async\s+)?function\s*\*?\s*[\p{L}_$]`)
	named       = regexp.MustCompile(`\bfunction\s*\*?\s*([A-Za-z_$][\w$]*)`)
	assigned    = regexp.MustCompile(`\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*=\s*(?:async\b|function\b|\()`)
	identifier  = regexp.MustCompile(`[A-Za-z_$][\w$]*`)
	lodashUse   = regexp.MustCompile(`(?:^|[^\w$])_(?:[^\w$]|$)|lodash|require\s*(?:\(\s*[^'"\s]|[^(\s])`)
)

// words gives the identifiers of a script, each once: the names of all members
// that it can read without computing a name.
func words(source string) []string {
	all := identifier.FindAllString(source, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

// A wrapping makes a script the body of a function (module, exports, require)
// that gives the script's function, or a list in which it is.
type wrapping struct{ before, after string }

func (w wrapping) around(source string) string {
	return "globalThis.fetchscript = function (module, exports, require) { " + w.before + source + "\n;" + w.after + "}"
}

// trap gives a text that cannot be compiled as long as source stays within its
// function: there, name is declared twice. A source that ends that function and
// begins another, so that code of its own runs when it is loaded, puts the two
// in different functions; it cannot know the name.
func (w wrapping) trap(source, name string) string {
	return "globalThis.fetchscript = function (module, exports, require, " + name + ") { " + w.before + source + "\n;let " + name + ";" + w.after + "}"
}

// wrappings are tried in turn. A script is an expression, such as function (...) {...}
// or module.exports = ..., or it is a program that declares a function.
func wrappings(source string) []wrapping {
	expression := wrapping{"var fetchUserProfile = ", "return fetchUserProfile"}
	names := []string{"fetchUserProfile"}
	for _, pattern := range []*regexp.Regexp{named, assigned} {
		for _, m := range pattern.FindAllStringSubmatch(source, -1) {
			names = append(names, m[1])
		}
	}
	seen := map[string]bool{} // a script may have thousands
	var list []string
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			list = append(list, "typeof "+name+" === 'function' && "+name)
		}
	}
	program := wrapping{"", "return [" + strings.Join(list, ", ") + "]"}
	if declaration.MatchString(source[len(leading.FindString(source)):]) {
		return []wrapping{program, expression}
	}
	return []wrapping{expression, program}
}

// checkText says what can be told of a script without an engine.
func checkText(source string) error {
	switch {
	case len(source) > maxSource:
		return messageError("the script is longer than %d bytes", maxSource)
	case !utf8.ValidString(source):
		return messageError("the script is not valid UTF-8")
	case len(leading.FindString(source)) == len(source):
		return messageError("the script is empty")
	}
	return nil
}

// fit says which wrapping fits, or where the text is wrong. The parser is slow
// on some texts, and no interrupt stops it: all that it does counts as the script's.
func fit(ctx context.Context, o *Options, source string) (string, error) {
	e, err := engine.New(engine.Limits{Memory: o.Memory, Stack: o.Stack}, func(string, []string) (string, bool, error) { return "", false, errEnded })
	if err != nil {
		return "", err
	}
	defer e.Close()
	var text string
	err = supervise(ctx, o, e, func() (err error) {
		text, err = checkSource(e, source)
		return err
	})
	return text, err
}

func checkSource(e *engine.Engine, source string) (string, error) {
	var worst *Error
	for _, w := range wrappings(source) {
		text := w.around(source)
		err := e.Check(text)
		var syntax *engine.SyntaxError
		switch {
		case err == nil:
			// Any other error than the one that is wanted is as good: the two
			// texts differ by nothing that a script can see.
			switch trapped := e.Check(w.trap(source, "r"+rand.Text())); {
			case errors.As(trapped, &syntax):
				return text, nil
			case trapped != nil:
				return "", trapped
			}
			return "", messageError("the script has a closing brace that it does not open")
		case !errors.As(err, &syntax):
			return "", err
		}
		fault := place(source, syntax, strings.Index(text, source))
		// The form that the text has is the one in which the fault comes last.
		if worst == nil || fault.Line > worst.Line || fault.Line == worst.Line && fault.Column > worst.Column {
			worst = fault
		}
	}
	return "", worst
}

// place takes the wrapping out of a position.
func place(source string, syntax *engine.SyntaxError, offset int) *Error {
	line, column := syntax.Line, syntax.Column
	if line <= 1 {
		line, column = 1, max(column-offset, 1)
	}
	if lines := strings.Split(source, "\n"); line > len(lines) {
		line, column = len(lines), utf8.RuneCountInString(lines[len(lines)-1])+1
	}
	return &Error{Line: line, Column: column, Message: syntax.Message}
}
