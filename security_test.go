package upstream_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The table of SECURITY.md has its rows in their order, each with at least one
// test, and every test that it names is there, in some module of the repository.
func TestSecurityTable(t *testing.T) {
	defined := testsOfTheTree(t)
	data, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	rows, last := 0, 0
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, ""), "|")
		if len(cells) != 6 {
			continue
		}
		row, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue
		}
		rows++
		assert.Greater(t, row, last, "rows stand in their order")
		last = row
		tests := named.FindAllStringSubmatch(cells[4], -1)
		assert.NotEmpty(t, tests, "row %d names no test", row)
		for _, m := range tests {
			assert.True(t, defined[m[1]], "row %d names %s, which is nowhere", row, m[1])
		}
	}
	assert.GreaterOrEqual(t, rows, 42)
}

// testsOfTheTree gives the names of all tests and fuzz targets, of every module.
func testsOfTheTree(t *testing.T) map[string]bool {
	t.Helper()
	defined := map[string]bool{}
	define := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	require.NoError(t, filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, m := range define.FindAllStringSubmatch(string(data), -1) {
			defined[m[1]] = true
		}
		return err
	}))
	return defined
}

// What CONTRIBUTING.md names is there: files, folders and tests; and no folder
// is without its line.
func TestContributingNamesWhatIsThere(t *testing.T) {
	data, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	text, defined := string(data), testsOfTheTree(t)
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		switch name := strings.TrimSuffix(m[1], "/"); {
		case regexp.MustCompile(`^Test\w+$`).MatchString(name):
			assert.True(t, defined[name], "the test %s is nowhere", name)
		case regexp.MustCompile(`^[a-z][\w./-]*(/[\w.-]+|\.go)$`).MatchString(name):
			_, err := os.Stat(name)
			assert.NoError(t, err)
		}
	}
	folders, err := filepath.Glob("internal/*")
	require.NoError(t, err)
	for _, folder := range folders {
		if isDir(folder) {
			assert.Contains(t, text, "`"+folder+"`")
		}
	}
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func TestThreat13ForwardedHeadersAreNotRead(t *testing.T) {
	p := sampleProvider(t)
	plain := httptest.NewRequest("GET", "/authorize?"+sampleQuery, nil)
	forged := httptest.NewRequest("GET", "/authorize?"+sampleQuery, nil)
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri", "X-Original-Url", "X-Rewrite-Url", "Forwarded", "Host", "Referer", "Cookie", "Authorization"} {
		forged.Header.Set(name, "https://evil.test/authorize?login_hint=evil")
	}
	forged.Host = "evil.test"
	var urls []string
	for _, r := range []*upstream.AuthorizeRequest{read(t, upstream.ParseAuthorizeRequest, plain), read(t, upstream.ParseAuthorizeRequest, forged)} {
		url, err := p.AuthorizationURL(r, sampleTransaction)
		require.NoError(t, err)
		urls = append(urls, url)
	}
	assert.Equal(t, urls[0], urls[1])
}

func read[T any](t *testing.T, parse func(T) (*upstream.AuthorizeRequest, error), from T) *upstream.AuthorizeRequest {
	t.Helper()
	req, err := parse(from)
	require.NoError(t, err)
	return req
}
