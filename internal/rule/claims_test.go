package rule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestM7Claims(t *testing.T) {
	for text, ok := range map[string]bool{
		`{}`: true, `{"userinfo": null, "id_token": {"a": null, "b": {"essential": true}}, "other": 1}`: true,
		``: false, `[]`: false, `{`: false, `{"userinfo": []}`: false, `{"id_token": {"a": 1}}`: false, `{"id_token": {"a": "x"}}`: false, `{"userinfo": {"a": {}}, "id_token": 1}`: false,
	} {
		assert.Equal(t, ok, ClaimsProblem(text) == "", text)
		assert.True(t, ok || (&Rule{Claims: true}).Apply(text) == "", text)
	}
	r := &Rule{Claims: true, Restricted: true, Allow: []string{"acr", "email"}}
	for text, want := range map[string]string{
		`{"id_token": {"acr": {"value": "2"}, "x": null, "email": null}}`:                               `{"id_token":{"acr":{"value": "2"},"email":null}}`,
		`{"id_token": {"acr": null}, "userinfo": {"email": {"essential": true}}, "z": {"email": null}}`: `{"userinfo":{"email":{"essential": true}},"id_token":{"acr":null}}`,
		`{"userinfo": {"x": null}, "id_token": {"acr": null}}`:                                          `{"id_token":{"acr":null}}`,
		`{"userinfo": {"acr": null}, "id_token": {"x": null}}`:                                          `{"userinfo":{"acr":null}}`,
		`{"userinfo": {"x": null}}`:                                                                     "", `{}`: "",
	} {
		assert.Equal(t, want, r.Apply(text), text)
	}
	// A pattern is held against all names together (rule P1).
	named := pattern(t, "[a-z]+")
	named.Claims = true
	text := func(n int) string {
		return `{"userinfo":{"` + strings.Repeat("a", 500) + `":null},"id_token":{"` + strings.Repeat("b", n) + `":null}}`
	}
	assert.Equal(t, text(524), named.Apply(text(524)))
	assert.Empty(t, named.Apply(text(525)))
}

func TestP1CostOfAPattern(t *testing.T) {
	for pattern, want := range map[string]int{"": 0, "a": 0, `\pL\PN`: 40} {
		assert.Equal(t, want, Cost(pattern), pattern)
	}
	_, cost, _ := WholeMatch("abc")
	assert.Less(t, cost, 12)
	_, long, problem := WholeMatch(strings.Repeat("a", maxPattern+1))
	assert.Contains(t, problem, "longer than 2048")
	assert.Zero(t, long)
	_, cost, problem = WholeMatch(strings.Repeat(`a{0,999}`, 3))
	assert.Contains(t, problem, "too much work")
	assert.GreaterOrEqual(t, cost, maxInstructions, "a refused pattern uses up what all may cost")
	_, cost, _ = WholeMatch(`(ab*){1000}`)
	assert.Equal(t, maxInstructions, cost, "also one whose size alone has refused it")
	_, cost, _ = WholeMatch(`(?:aaaa){1000}`)
	assert.Greater(t, cost, maxInstructions, "one of that size is compiled, and counts as its program")
	_, cost, _ = WholeMatch(strings.Repeat(`\pL`, maxInstructions/classCost))
	assert.Greater(t, cost, maxInstructions, "and so is one with as many classes")
}
