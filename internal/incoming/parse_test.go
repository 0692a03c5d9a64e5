package incoming

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/query"
)

func TestA1OneLookFindsEachName(t *testing.T) {
	for s, name := range Names {
		assert.Equal(t, Slot(s), Of(name))
		for i := range len(name) { // and no other
			for _, near := range []string{name[:i], name[:i] + string(name[i]^1) + name[i+1:]} {
				if !slices.Contains(Names[:], near) {
					assert.Equal(t, None, Of(near), "%q", near)
				}
			}
		}
		assert.Equal(t, None, Of(name+"x"))
		assert.Equal(t, None, Of(strings.ToUpper(name)))
	}
	assert.Equal(t, None, Of(""))
}

// parse gives what Parse puts where.
func parse(raw string) (values map[string]string, rest Rest, bad Slot, problem string) {
	var texts [End]string
	var fields [End]*string
	for s := range fields {
		fields[s] = &texts[s]
	}
	var resources []string
	bad, problem = rest.Parse(raw, &fields, &resources)
	values = map[string]string{}
	for s, text := range texts {
		if text != "" {
			values[Names[s]] = text
		}
	}
	if resources != nil {
		values["resource"] = strings.Join(resources, " ")
	}
	return values, rest, bad, problem
}

func TestR1Parse(t *testing.T) {
	long := strings.Repeat("/a", 300)
	for raw, want := range map[string]map[string]string{
		"":                                    {},
		"&&":                                  {},
		"state":                               {},
		"state=":                              {},
		"state=a":                             {"state": "a"},
		"%73tate=a&x":                         {"state": "a"},
		"x=1&hd=b&&state=a+b&":                {"state": "a b", "hd": "b"},
		"prompt=a%20b&scope=c&state=%C3%A9":   {"prompt": "a b", "scope": "c", "state": "é"},
		"resource=a&resource=%62&resource=":   {"resource": "a b"},
		"state=" + url.QueryEscape(long):      {"state": long},
		"State=a&stat=b&states=c&st%61tex=d":  {},
		"%68%64=a":                            {"hd": "a"},
		"include_granted_scopes=true&ab=%zz;": {"include_granted_scopes": "true"},
	} {
		values, _, bad, problem := parse(raw)
		assert.Equal(t, None, bad, "%q", raw)
		assert.Empty(t, problem, "%q", raw)
		assert.Equal(t, want, values, "%q", raw)
	}
	for raw, want := range map[string]string{
		"state=a&st%61te=b": query.Doubled,
		"state&state":       query.Doubled,
		"state=%":           query.BadEscape,
		"state=a;b":         query.RawSemicolon,
		"state=%00":         query.BadControl,
		"state=%FF":         query.BadUTF8,
	} {
		_, _, bad, problem := parse("x=%zz&" + raw)
		assert.Equal(t, State, bad, "%q", raw)
		assert.Equal(t, want, problem, "%q", raw)
	}
}

// What is not recognised is found again, however much there is of it.
func TestB1Rest(t *testing.T) {
	names := query.NewNames([]string{"idphint", "kc_idp_hint"})
	for n := range 8 {
		raw := "state=a" + strings.Repeat("&hd_x=%zz", n) + "&idphint=a%20b&scope=b&kc_%69dp_hint=c&nonce=d"
		_, rest, _, problem := parse(raw)
		assert.Empty(t, problem)
		assert.False(t, rest.Empty())
		values := make([]string, 2)
		bad, problem := rest.Values(names, values)
		assert.Equal(t, -1, bad, problem)
		assert.Equal(t, []string{"a b", "c"}, values, "%q", raw)

		_, rest, _, _ = parse(raw + "&idphint=e")
		bad, problem = rest.Values(names, values)
		assert.Equal(t, 0, bad)
		assert.Equal(t, query.Doubled, problem)
	}
	_, rest, _, _ := parse("state=a&scope=idphint")
	assert.True(t, rest.Empty())
	bad, _ := rest.Values(names, make([]string, 2))
	assert.Equal(t, -1, bad)
}
