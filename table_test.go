package upstream_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"example.com/upstream"
	"example.com/upstream/internal/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write OPTIONS.md anew")

// OPTIONS.md is the table of options for people, made of the table itself:
//
//	go test -run TestO1Documentation . -update
func TestO1Documentation(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Options

Every member of a connection that the library knows, made from the table that validation uses (internal/option; to write
this file anew: ` + "`go test -run TestO1Documentation . -update`" + `). A member that is not here has no effect: ` + "`Connection.Warnings`" + ` names
it, and where it is nearly one of these, or stands at the wrong place, validation refuses it. (ours) marks what the
vendor's API does not have. schema.json says the same as a JSON Schema (2020-12): put
` + "`\"$schema\": \"https://example.com/upstream/schema/v1/connection.json\"`" + ` into a file, or tell your editor where it is.
`)
	for _, class := range []option.Class{option.Honoured, option.Refused, option.Host, option.NoEffect} {
		b.WriteString(map[option.Class]string{
			option.Honoured: "\n## Honoured\n\nThey change the authorization request, the token request or the profile.\n",
			option.Refused:  "\n## Refused, by value\n\nSome values ask for what is not done here, and are an error.\n",
			option.Host:     "\n## The host's\n\nReadable from Go; what they mean is for the program, or for module login or fapi.\n",
			option.NoEffect: "\n## Without effect\n\nKept to the byte. They are about users, sessions or the dashboard of the vendor's own server.\n",
		}[class])
		b.WriteString("\n| member | what it does | read for |\n|---|---|---|\n")
		rows := map[string][]string{}
		var order []string
		for _, m := range option.All() {
			if m.Class != class {
				continue
			}
			rest := m.Doc + " | " + cmpOr(strings.Join(m.Of, " "), "all")
			if rows[rest] == nil {
				order = append(order, rest)
			}
			for _, path := range m.Paths() {
				rows[rest] = append(rows[rest], "`"+strings.ReplaceAll(path, "/", ".")+"`")
			}
		}
		for _, rest := range order {
			fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(rows[rest], " "), rest)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile("OPTIONS.md", []byte(b.String()), 0o644))
	}
	text, err := os.ReadFile("OPTIONS.md")
	require.NoError(t, err)
	assert.True(t, b.String() == string(text), "OPTIONS.md is not what the table gives: run this test with -update")
}

func cmpOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// What an entry of upstream_params is written with is in the table, so that the
// schema and the hints have it. A new key needs its entry in internal/option.
func TestO1KeysOfAnEntry(t *testing.T) {
	names := option.Names("options/upstream_params/*")
	assert.Len(t, names, reflect.TypeFor[upstream.Param]().NumField(), "each field of Param has its key in the table")
	for _, name := range names {
		_, message := problems(t, custom(`"upstream_params": {"x": {"`+name+`": 7}}`))
		assert.NotContains(t, message, "not known", name)
	}
}

// Every option of README.md, misspelled in the ways that people do, is told.
func TestO2EveryOptionOfTheReadmeMisspelled(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	told := 0
	for _, m := range option.All() {
		name := m.Name()
		if m.Class == option.NoEffect || strings.Contains(m.Path, "*") || !strings.Contains(string(readme), "`"+name+"`") && !strings.Contains(string(readme), `"`+name+`"`) {
			continue
		}
		told++
		for _, wrong := range []string{strings.ToUpper(name), strings.ReplaceAll(name, "_", ""), name + "x", name[:len(name)-1], "x" + name} {
			object := m.Path[:max(0, len(m.Path)-len(name)-1)]
			if option.In(object, wrong) != nil || wrong == name {
				continue
			}
			conn := holding(t, strings.TrimPrefix(object+"/"+wrong, "/"), `null`)
			said := fmt.Sprint(conn.Validate(), conn.Warnings())
			assert.Contains(t, said, wrong, "%s for %s", wrong, m.Path)
		}
	}
	assert.Greater(t, told, 10)
}
