package main

import (
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/benchmarks/measure"
	"example.com/upstream/internal/benchmarks/sample"
)

// All implementations of a row have to say the same, or comparing them means
// nothing.
func TestTheSameURL(t *testing.T) {
	others, end := peers()
	defer end()
	require.Len(t, others, 4)
	for name, c := range map[string]sample.Case{
		"sample": sample.Sample(), "hint": hinted(), "static": configured(30, false), "dynamic": configured(30, true),
	} {
		ours, err := c.Ours()
		require.NoError(t, err, name)
		want, err := ours.FromQuery()
		require.NoError(t, err, name)
		in, err := url.ParseQuery(c.RawQuery)
		require.NoError(t, err, name)
		for _, p := range append(c.Static, c.Dynamic...) {
			assert.Regexp(t, "[?&]"+p.Name+"=", want, name)
		}
		for _, other := range others {
			maker, err := other.maker(c)
			require.NoError(t, err, "%s, %s", name, other.name)
			got, err := maker(in)
			require.NoError(t, err, "%s, %s", name, other.name)
			assert.NoError(t, sample.Same(got, want), "%s, %s", name, other.name)
		}
	}
	// The comparison itself.
	require.NoError(t, sample.Same("https://a.example/x?a=1&b=2", "https://a.example/x?b=2&a=1"))
	for _, other := range []string{"https://a.example/x?a=1&b=3", "https://a.example/x?a=1&b=2&b=2", "https://a.example/y?a=1&b=2", "%zz"} {
		assert.Error(t, sample.Same(other, "https://a.example/x?b=2&a=1"), other)
	}
}

// Every row, as short as can be.
func TestRows(t *testing.T) {
	figures, err := run(measure.Effort{Rounds: 4, Turn: 20 * time.Microsecond}, 1000, false)
	require.NoError(t, err)
	var rows []string
	first := map[string]bool{}
	for _, f := range figures {
		assert.Contains(t, []string{"upstream", "x/oauth2", "zitadel", "goth", "cap", "copy", "hand-written", "from", "aliases"}, f.Impl)
		assert.Positive(t, f.NS, "%s, %s", f.Row, f.Impl)
		assert.Positive(t, f.Ratio, "%s, %s", f.Row, f.Impl)
		if !first[f.Row] {
			first[f.Row] = true
			rows = append(rows, f.Row)
			if f.Row != "raw-query-to-url-two-from" {
				assert.Equal(t, ours, f.Impl, f.Row)
			}
			assert.InDelta(t, 1, f.Ratio, 0, f.Row)
		}
	}
	require.GreaterOrEqual(t, len(rows), 13)
	assert.Equal(t, []string{"raw-query-to-url-varied", "raw-query-to-url", "url-from-parsed-request", "append"}, rows[:4])
	for _, impl := range []string{"x/oauth2", "zitadel", "goth", "cap"} {
		for _, row := range rows[1:4] {
			assert.True(t, slices.ContainsFunc(figures, func(f measure.Figure) bool { return f.Row == row && f.Impl == impl }), "%s, %s", row, impl)
		}
	}

	var out strings.Builder
	require.NoError(t, table(&out, figures))
	for _, want := range append(rows, remark, "ns", "bytes", "allocs", "ratio", "met") {
		assert.Contains(t, out.String(), want)
	}
	assert.Len(t, targets(figures), 8)
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal([]measure.Figure{{Row: "append", Impl: "copy", NS: 1.5, Bytes: 2, Allocs: 3, Ratio: 0.25}})
	require.NoError(t, err)
	assert.Equal(t, `[{"row":"append","impl":"copy","ns":1.5,"bytes":2,"allocs":3,"ratio":0.25}]`, string(text))
}

func TestTargets(t *testing.T) {
	figure := func(row, impl string, ns, ratio float64, allocs uint64) measure.Figure {
		return measure.Figure{Row: row, Impl: impl, NS: ns, Ratio: ratio, Allocs: allocs}
	}
	good := []measure.Figure{
		figure("raw-query-to-url-varied", ours, 500, 1, 2), figure("raw-query-to-url-varied", "x/oauth2", 3500, 7, 50),
		figure("url-from-parsed-request", ours, 140, 1, 1), figure("url-from-parsed-request", "hand-written", 130, 0.9, 1),
		figure("raw-query-to-url-two-from", "from", 550, 1, 3), figure("raw-query-to-url-two-from", "aliases", 500, 0.9, 2),
		figure("append", ours, 50, 1, 0), figure("random-tenant", ours, 1500, 1, 2),
		figure("url-dynamic-1", ours, 200, 1, 1), figure("url-dynamic-10", ours, 400, 1, 1), figure("url-dynamic-30", ours, 800, 1, 1),
		figure("url-static-1", ours, 200, 1, 1), figure("url-static-1", "copy", 100, 0.5, 1),
		figure("url-static-30", ours, 400, 1, 1), figure("url-static-30", "copy", 200, 0.5, 1),
		figure("token-exchange", ours, 1000, 1, 1), figure("token-exchange", "x/oauth2", 990, 0.99, 1),
	}
	for _, line := range targets(good) {
		assert.True(t, strings.HasPrefix(line, "met"), line)
	}
	assert.Contains(t, targets(good[1:])[0], "there is no figure")
	for i, worse := range []measure.Figure{
		figure("raw-query-to-url-varied", "x/oauth2", 2500, 5, 50), figure("url-from-parsed-request", ours, 160, 1, 1),
		figure("append", ours, 50, 1, 1), figure("raw-query-to-url-two-from", "from", 600, 1, 3), figure("random-tenant", ours, 2100, 1, 2),
		figure("url-dynamic-30", ours, 1000, 1, 1), figure("url-static-30", ours, 1000, 1, 1), figure("token-exchange", "x/oauth2", 900, 0.9, 1),
	} {
		assert.True(t, strings.HasPrefix(targets(append([]measure.Figure{worse}, good...))[i], "missed"), worse.Row)
	}
}

// latest.mod differs from go.mod in nothing that this module chooses but the
// version of x/oauth2 and what that asks for.
func TestLatestModuleFile(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		return string(text)
	}
	here, latest := read("go.mod"), read("latest.mod")
	assert.Contains(t, here, "golang.org/x/oauth2 v0.36.0\n")
	direct := regexp.MustCompile(`(?m)^\t(\S+ \S+)$`) // without "// indirect"
	for _, m := range direct.FindAllStringSubmatch(strings.ReplaceAll(here, "oauth2 v0.36.0", "oauth2 v0.37.0"), -1) {
		assert.Contains(t, latest, "\t"+m[1]+"\n", "run: go get -modfile=latest.mod")
	}
}
