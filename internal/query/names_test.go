package query

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// parts gives where the pairs of a query are.
func parts(raw string) (pairs []Pair) {
	m := Mark(nil, raw)
	for begin := uint(0); begin < uint(len(raw)); {
		p := m.Pair(raw, begin)
		pairs = append(pairs, p)
		begin = uint(p.End) + 1
	}
	return pairs
}

// Value is told where name and value stand for themselves, and the end of any pair.
func TestB1Pair(t *testing.T) {
	for raw, plain := range map[string]bool{
		"": false, "a": false, "a=": true, "a=b": true, "=b": true, "abcdefgh=ijklmnopqr": true, "a=b=c": false, "a%41=b": false, "a+b=c": false, "a=%41": false,
		"a=+": false, "a;b=c": false, "a#=c": false, "a=\x01": false, "a=é": false, "é=a": false, "a=" + strings.Repeat("b", 70) + "%": false,
	} {
		for _, before := range []string{"", "x&", "%zz=%zz&&"} {
			for _, after := range []string{"", "&", "&b=%41&"} {
				query := before + raw + after
				m := Mark(nil, query)
				want := Pair{Begin: uint32(len(before)), End: uint32(len(before) + len(raw))}
				if plain {
					want.Value = want.Begin + uint32(strings.IndexByte(raw, '=')) + 1
				}
				assert.Equal(t, want, m.Pair(query, uint(len(before))), "%q in %q", raw, query)
			}
		}
	}
}

func TestB1Names(t *testing.T) {
	var none *Names
	assert.Nil(t, NewNames(nil))
	assert.Nil(t, none.List())
	assert.Equal(t, -1, none.Index("a"))

	long := strings.Repeat("l", 63)
	var seventy []string
	for i := range 70 {
		seventy = append(seventy, fmt.Sprint("p", i))
	}
	for _, list := range [][]string{
		{"a"}, {"tenant", "x-hint", "a.b", "é"}, {"a", "bb", "ccc", "dddd", "eeeee"}, {long, long + "l", "m" + long[1:]}, {"same1", "same2"}, seventy,
	} {
		n := NewNames(list)
		// Where the caller knows the pairs, the answer is the same.
		look := func(raw string, values []string) (bad int, problem string) {
			again := slices.Clone(values)
			bad, problem = n.Values(raw, nil, values)
			badAgain, problemAgain := n.Values(raw, parts(raw), again)
			assert.Equal(t, bad, badAgain, "%q", raw)
			assert.Equal(t, problem, problemAgain, "%q", raw)
			assert.Equal(t, values, again, "%q", raw)
			return bad, problem
		}
		assert.Equal(t, list, n.List())
		for i, name := range list {
			assert.Equal(t, i, n.Index(name), name)
			for _, other := range []string{name + "x", name[1:], name[:len(name)-1] + "?", ""} {
				if !slices.Contains(list, other) {
					assert.Equal(t, -1, n.Index(other), "%q in %q", other, list)
				}
			}
			escaped := ""
			for _, b := range []byte(name) {
				escaped += fmt.Sprintf("%%%02X", b)
			}
			for _, raw := range []string{url.QueryEscape(name) + "=v+w", escaped + "=v%20w", "&x=1&&" + escaped + "=v+w&x=2"} {
				values := make([]string, len(list))
				bad, problem := look(raw, values)
				assert.Equal(t, -1, bad, raw)
				assert.Empty(t, problem, raw)
				assert.Equal(t, "v w", values[i], raw)
				values[i] = ""
				assert.Equal(t, make([]string, len(list)), values, "and nothing else, of %s", raw)
			}
			values := make([]string, len(list))
			bad, problem := look(escaped+"=1&"+escaped+"=2", values)
			assert.Equal(t, i, bad)
			assert.Equal(t, Doubled, problem)
			bad, problem = look(url.QueryEscape(name)+"=1&"+url.QueryEscape(name)+"=2", values)
			assert.Equal(t, i, bad)
			assert.Equal(t, Doubled, problem)
			for raw, want := range map[string]string{"=%zz": BadEscape, "=%ff": BadUTF8, "=%0a": BadControl, "=a;b": RawSemicolon, "=\x01": BadControl} {
				bad, problem = look("z=1&"+escaped+raw, values)
				assert.Equal(t, i, bad, raw)
				assert.Equal(t, want, problem, raw)
			}
			for raw, want := range map[string]string{"": "", "=": "", "=plain": "plain", "=a=b": "a=b"} {
				values := make([]string, len(list))
				bad, problem = look(escaped+raw, values)
				assert.Equal(t, -1, bad, raw)
				assert.Empty(t, problem)
				assert.Equal(t, want, values[i], raw)
			}
		}
		// Names of others, well formed or not, and some that are nearly ours.
		values := make([]string, len(list))
		for _, name := range list {
			bad, problem := look(name+"?=1&?"+name+"=1&"+name+"%3F=1&"+name+"?", values)
			assert.Equal(t, -1, bad)
			assert.Empty(t, problem)
		}
		bad, problem := look("zz=1&%zz=2&%=3&%4=&=&%FF=1&+=1;&zz=2&"+strings.Repeat("%61", 200)+"=1", values)
		assert.Equal(t, -1, bad)
		assert.Empty(t, problem)
		assert.Equal(t, make([]string, len(list)), values)
	}
}

func TestB1FormValues(t *testing.T) {
	n := NewNames([]string{"a", "b"})
	for _, tc := range []struct {
		form    url.Values
		bad     int
		problem string
		want    []string
	}{
		{url.Values{"a": {"1"}, "c": {"2", "3"}}, -1, "", []string{"1", ""}},
		{url.Values{"a": {}, "b": {"2"}}, -1, "", []string{"", "2"}},
		{url.Values{"b": {"2", "2"}}, 1, Doubled, []string{"", ""}},
		{url.Values{"a": {"1"}, "b": {"\n"}}, 1, BadControl, []string{"1", ""}},
		{url.Values{"a": {"\xff"}}, 0, BadUTF8, []string{"", ""}},
	} {
		values := make([]string, 2)
		bad, problem := n.FormValues(tc.form, values)
		assert.Equal(t, tc.bad, bad, "%v", tc.form)
		assert.Equal(t, tc.problem, problem, "%v", tc.form)
		assert.Equal(t, tc.want, values, "%v", tc.form)
	}
}

// Short pairs, long names, and the end of the query.
func TestB1ValuesAtTheEdges(t *testing.T) {
	long := strings.Repeat("k", 200)
	n := NewNames([]string{"kcip", long, "kcid"})
	for _, raw := range []string{"k", "kc", "kcx", "k&kc&", "kcip&", "a=1&kcid"} {
		values := make([]string, 3)
		bad, problem := n.Values(raw, nil, values)
		assert.Equal(t, -1, bad, "%q: %s", raw, problem)
		assert.Equal(t, make([]string, 3), values, "%q", raw)
	}
	values := make([]string, 3)
	bad, _ := n.Values("%6b"+long[1:]+"=v&kcip=w&", nil, values)
	assert.Equal(t, -1, bad)
	assert.Equal(t, []string{"w", "v", ""}, values)

	for _, name := range []string{"abc", "abcd"} {
		bad, problem := NewNames([]string{name}).Values(name+"&"+name, nil, values)
		assert.Equal(t, 0, bad)
		assert.Equal(t, Doubled, problem)
	}
}
