package fetchscript

// This file owns the text of a script: which of the forms it has, how it is
// made a function, and where it is wrong.

import (
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
	var list []string
	for _, name := range names {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for i, name := range list {
		list[i] = "typeof " + name + " === 'function' && " + name
	}
	program := wrapping{"", "return [" + strings.Join(list, ", ") + "]"}
	if declaration.MatchString(source[len(leading.FindString(source)):]) {
		return []wrapping{program, expression}
	}
	return []wrapping{expression, program}
}

// checkSource says which wrapping fits, or where the text is wrong.
func checkSource(e *engine.Engine, source string) (string, error) {
	switch {
	case len(source) > maxSource:
		return "", messageError("the script is longer than %d bytes", maxSource)
	case !utf8.ValidString(source):
		return "", messageError("the script is not valid UTF-8")
	case len(leading.FindString(source)) == len(source):
		return "", messageError("the script is empty")
	}
	var worst *Error
	for _, w := range wrappings(source) {
		text := w.around(source)
		err := e.Check(text)
		if err == nil {
			return text, nil
		}
		var syntax *engine.SyntaxError
		if !errors.As(err, &syntax) {
			return "", &Error{Message: "the script cannot be compiled: " + err.Error(), Err: err}
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
