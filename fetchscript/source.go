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

// libraryFiles are the libraries as their authors publish them: library/build.mjs
// makes them from npm, and library/LICENSES.txt has their licences.
//
//go:embed library/bundle/*.js
var libraryFiles embed.FS

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

// The prelude and the libraries are the same for every script: each is compiled
// once in a process.
var (
	preludeCode = sync.OnceValues(func() (engine.Code, error) { return compiled(prelude()) })
	libraries   sync.Map // of names to func() (engine.Code, error)
)

// libraryCode gives the function that has a library's text for its body.
func libraryCode(name string) (engine.Code, error) {
	text, err := libraryFiles.ReadFile("library/bundle/" + name + ".js")
	if err != nil {
		return nil, errors.New("there is no such library")
	}
	compile, _ := libraries.LoadOrStore(name, sync.OnceValues(func() (engine.Code, error) {
		return compiled("(function (module, exports, require, process, global, domainToASCII) {" + string(text) + "\n})")
	}))
	return compile.(func() (engine.Code, error))()
}

func compiled(source string) (engine.Code, error) {
	e, err := engine.New(engine.Limits{Memory: 32 * mebibyte, Stack: maxStack}, func(string, []string) (any, error) { return nil, errEnded })
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
	required    = regexp.MustCompile(`require\("([a-z_]+)/?"\)`)
	moduleName  = regexp.MustCompile("['\"`]((?:node:)?[a-z0-9_-]+(?:@[\\w.^~-]*)?)['\"`]")
)

// mentioned gives what of a script may be the name of a library, or of a global
// that one makes.
func mentioned(source string) []string {
	names := []string{}
	for _, m := range moduleName.FindAllStringSubmatch(source, -1) {
		names = append(names, m[1])
	}
	for _, word := range words(source) {
		if _, found := behind[word]; found {
			names = append(names, word)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// behind are the libraries behind names that are not theirs.
var behind = map[string]string{
	"_": "lodash", "jwt": "jsonwebtoken", "Buffer": "buffer", "URL": "whatwg-url", "URLSearchParams": "whatwg-url", "AbortController": "abort", "AbortSignal": "abort",
	"qs": "qs", "form": "qs", "http": "stream", "https": "stream", "crypto": "buffer",
}

// shipped gives, compiled, the prelude and the libraries that a script mentions
// and these ask for: it takes a child as long again to compile them.
func shipped(source string) map[string][]byte {
	code := map[string][]byte{}
	if prelude, err := preludeCode(); err == nil {
		code[""] = prelude
	}
	names := append(mentioned(source), "events")
	for len(names) > 0 {
		name, version, _ := strings.Cut(strings.TrimPrefix(names[0], "node:"), "@")
		names = names[1:]
		if other, found := behind[name]; found {
			name = other
		} else if name == "axios" && strings.HasPrefix(strings.TrimLeft(version, "^~"), "0") {
			name = "axios0"
		}
		if _, done := code[name]; done {
			continue
		}
		compiled, err := libraryCode(name)
		if err != nil {
			continue // there is none of that name
		}
		code[name] = compiled
		text, _ := libraryFiles.ReadFile("library/bundle/" + name + ".js")
		for _, m := range required.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
		if name == "url" {
			names = append(names, "URL")
		}
	}
	return code
}

// receive has what shipped gave in the place of what would be compiled here.
func receive(code map[string][]byte) {
	for name, c := range code {
		ready := func() (engine.Code, error) { return c, nil }
		if name == "" {
			preludeCode = ready
		} else {
			libraries.Store(name, ready)
		}
	}
}

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
	e, err := engine.New(engine.Limits{Memory: o.Memory, Stack: o.Stack}, func(string, []string) (any, error) { return nil, errEnded })
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
