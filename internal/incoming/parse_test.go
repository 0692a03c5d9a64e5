package incoming

import (
	"bytes"
	"fmt"
	"net/url"
	"runtime"
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
	var texts [End + 1]string
	var fields [End + 1]*string
	for s := range fields {
		fields[s] = &texts[s]
	}
	var resources []string
	bad, problem = rest.Parse(raw, &fields, &resources)
	values = map[string]string{}
	for s, text := range texts[:End] {
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
		"s%zzx=12345&s%74x=12345&state=a":     {"state": "a"},
		"include_granted_scopes=true&ab=%zz;": {"include_granted_scopes": "true"},
		"redirect_uri=a%20b%23c#&state=d#e":   {"redirect_uri": "a b", "state": "d#e"},
		"redirect_uri=a#b%20&state=%23d":      {"redirect_uri": "a", "state": "#d"},
		"redirect_uri=#b&state=a#=":           {"state": "a#="},
	} {
		values, rest, bad, problem := parse(raw)
		assert.Equal(t, None, bad, "%q", raw)
		assert.Equal(t, !strings.ContainsAny(raw, "xS") && !strings.Contains(raw, "ab="), rest.Empty(), "%q", raw)
		assert.Empty(t, problem, "%q", raw)
		assert.Equal(t, want, values, "%q", raw)
	}
	for raw, want := range map[string]string{
		"state=a&st%61te=b": query.Doubled,
		"hd=a&hd":           query.Doubled,
		"hd=a&hd=":          query.Doubled,
		"state&state":       query.Doubled,
		"state=%":           query.BadEscape,
		"state=a;b":         query.RawSemicolon,
		"state=%00":         query.BadControl,
		"state=%FF":         query.BadUTF8,
	} {
		_, _, bad, problem := parse("x=%zz&" + raw)
		assert.Equal(t, Of(raw[:strings.IndexAny(raw, "=&")]), bad, "%q", raw)
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

// What the host has parsed is held to the same rules, and what was set by hand stands
// above what came, in this Rest and in no copy of it.
func TestR1Take(t *testing.T) {
	kib := strings.Repeat("a", 1<<10)
	for _, tc := range []struct {
		name    string
		parsed  url.Values
		want    []string // what was put, in its order
		bad     Slot
		problem string
	}{
		{"nothing", nil, nil, None, ""},
		{"by name", url.Values{"state": {"s"}, "hd": {""}, "x": {"\x00", "2"}}, []string{"hd=", "state=s"}, None, ""},
		{"R3 resource", url.Values{"resource": {"a", "b"}}, []string{"resource=a", "resource=b"}, None, ""},
		{"R3 twice", url.Values{"state": {"s", "s"}, "hd": {"h"}}, []string{"hd=h"}, State, query.Doubled},
		{"R2", url.Values{"state": {"\xff"}}, nil, State, query.BadUTF8},
		{"64 KiB", url.Values{"resource": slices.Repeat([]string{kib}, 64)}, slices.Repeat([]string{"resource=" + kib}, 64), None, ""},
		{"and a byte", url.Values{"resource": slices.Repeat([]string{kib}, 64), "state": {"s"}}, slices.Repeat([]string{"resource=" + kib}, 64), None, "the parameters are longer than 64 KiB"},
	} {
		var rest Rest
		var got []string
		bad, problem := rest.Take(tc.parsed, func(s Slot, value string) { got = append(got, Names[s]+"="+value) })
		assert.Equal(t, tc.want, got, tc.name)
		assert.Equal(t, tc.bad, bad, tc.name)
		assert.Equal(t, tc.problem, problem, tc.name)
		assert.Equal(t, tc.parsed["x"] == nil, rest.Empty(), tc.name)
	}
}

func TestB1RestByHand(t *testing.T) {
	names := query.NewNames([]string{"a", "b"})
	read := func(rest Rest) (values []string, bad int, problem string) {
		values = make([]string, 2)
		bad, problem = rest.Values(names, values)
		return values, bad, problem
	}
	var taken Rest
	taken.Take(url.Values{"a": {"1"}, "b": {"2"}, "c": {"3", "4"}}, nil)
	_, parsed, _, _ := parse("a=1&b=2&c=3&c=4")
	for _, rest := range []Rest{taken, parsed} {
		other := rest
		other.Set("a", "5")
		other.Set("c", "6")
		values, bad, _ := read(other)
		assert.Equal(t, -1, bad)
		assert.Equal(t, []string{"5", "2"}, values)
		values, bad, _ = read(rest)
		assert.Equal(t, -1, bad)
		assert.Equal(t, []string{"1", "2"}, values)

		other.Set("b", "\n")
		_, bad, problem := read(other)
		assert.Equal(t, 1, bad)
		assert.Equal(t, query.BadControl, problem)
		other.Set("b", strings.Repeat("a", 64<<10))
		_, bad, _ = read(other)
		assert.Equal(t, -1, bad)
		other.Set("b", strings.Repeat("a", 64<<10+1))
		_, bad, problem = read(other)
		assert.Equal(t, 1, bad)
		assert.Equal(t, "is longer than 64 KiB", problem)
	}
	var rest Rest
	rest.Set("b", "")
	assert.False(t, rest.Empty())
	values, bad, _ := read(rest)
	assert.Equal(t, -1, bad)
	assert.Equal(t, []string{"", ""}, values)
	taken.Take(url.Values{"a": {"1", "2"}}, nil)
	_, bad, problem := read(taken)
	assert.Equal(t, 0, bad)
	assert.Equal(t, query.Doubled, problem)
}

// reference is Parse as it would be written without any care for time.
func reference(raw string) (values map[string]string, rest bool, bad Slot, problem string) {
	values = map[string]string{}
	seen, resources := map[Slot]bool{}, []string(nil)
	for pair := range strings.SplitSeq(raw, "&") {
		encoded, text, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(encoded)
		s := Slot(slices.Index(Names[:], name))
		if err != nil || strings.Contains(encoded, ";") || int(s) >= len(Names) {
			rest = rest || pair != ""
			continue
		}
		if seen[s] && s != Resource {
			return values, rest, s, query.Doubled
		}
		seen[s] = true
		value, problem := query.AppendUnescape(nil, text)
		if s == RedirectURI {
			value, _, _ = bytes.Cut(value, []byte("#"))
		}
		switch {
		case problem != "":
			return values, rest, s, problem
		case s == Resource && text != "":
			resources = append(resources, string(value))
			values["resource"] = strings.Join(resources, " ")
		case len(value) > 0:
			values[name] = string(value)
		}
	}
	return values, rest, None, ""
}

func same(t *testing.T, raw string) {
	t.Helper()
	values, rest, bad, problem := parse(raw)
	wantValues, wantRest, wantBad, wantProblem := reference(raw)
	assert.Equal(t, wantBad, bad, "%q", raw)
	assert.Equal(t, wantProblem, problem, "%q", raw)
	if problem == "" {
		assert.Equal(t, wantValues, values, "%q", raw)
		assert.Equal(t, wantRest, !rest.Empty(), "%q", raw)
	}
	if t.Failed() { // the others would say the same
		t.FailNow()
	}
}

// Each name, whole and cut, plain and encoded, with and without a value, and at each
// distance from the end of the query: what is read at once is more than a short pair has.
func TestR1NameAtEachPlace(t *testing.T) {
	for _, name := range append(Names[:], "idp_hint", "s", "\x00", "a%", "a%6", "%zz", "a;b", "s&", strings.Repeat("n", 24), strings.Repeat("n", 40)) {
		last := len(name) - 1
		near := []string{name, name + "\x00", name + "\x00\x00", name[:last], name + "x", name + "%", name + "%00", strings.ToUpper(name),
			name[:last] + fmt.Sprintf("%%%02x", name[last])}
		for i := range name {
			near = append(near, name[:i]+string(name[i]^1)+name[i+1:])
		}
		for _, name := range near {
			for _, value := range []string{"", "=", "=1", "=a%20b", "==", "=a+b"} {
				for n := range 30 {
					other := "scope=" + strings.Repeat("x", n)
					if strings.Contains(name, "scope") {
						other = "state=" + strings.Repeat("x", n)
					}
					same(t, name+value+"&"+other)
					same(t, other+"&"+name+value)
				}
			}
		}
	}
}

func TestR2ValueOfEachLength(t *testing.T) {
	for _, part := range []string{"a", "+", "%20", "%C3%A9", "é", "a%2F", "\x7f", ";", "%", "\xff", "%0a"} {
		for n := range 300 {
			value := "state=" + strings.Repeat("a", n%9) + strings.Repeat(part, n%40)
			same(t, value)
			same(t, value[:len(value)-min(n%3, 2)])
			same(t, "state="+strings.Repeat("a", n%9)+strings.Repeat(part, n)+"&hd=b%20c&scope="+part)
		}
	}
}

// However many values are decoded, memory is asked for as often as there are results.
func TestP1DecodedResources(t *testing.T) {
	raw := strings.Repeat("resource="+strings.Repeat("a", 300)+"%20&", 200)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, bad, problem := parse(raw)
	runtime.ReadMemStats(&after)
	assert.Equal(t, None, bad, problem)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8*len(raw)))
}

func FuzzR1Parse(f *testing.F) {
	for _, raw := range []string{"", "&", "state=a&hd=%20&&x=%zz", "redirect_uri=a%23b&state=#", "%73tate=a&state=b", "resource=a&resource=%62", "hd&r+r&s\x00=1&scope=" + strings.Repeat("%2F", 99)} {
		f.Add(raw)
	}
	f.Fuzz(same)
}

// However many pairs have no slot, and wherever those that have one stand, each is found.
func TestB1AnyNumberOfOthers(t *testing.T) {
	slots := []string{"", "&state=a", "&state=%41&hd=x&&", "&acr_values=a&display=b&prompt=c&scope=d&hd=e&state=f&nonce=g"}
	for n := range 12 {
		for _, before := range slots {
			for _, after := range slots {
				for _, value := range []string{"v", "v%20w", "é", ""} {
					raw, list := before, []string{"nobody"}
					for i := range n {
						name := fmt.Sprint("name", i)
						raw += "&" + name + "=" + value
						list = append(list, name)
					}
					raw += after
					values, rest, _, problem := parse(raw)
					if before != "" && after != "" { // state comes twice
						assert.Equal(t, query.Doubled, problem, "%q", raw)
						continue
					}
					assert.Empty(t, problem, "%q", raw)
					assert.Equal(t, before+after != "", values["state"] != "", "%q", raw)
					assert.Equal(t, n == 0, rest.Empty(), "%q", raw)
					got := make([]string, len(list))
					bad, problem := rest.Values(query.NewNames(list), got)
					assert.Equal(t, -1, bad, "%q: %s", raw, problem)
					want := append([]string{""}, slices.Repeat([]string{strings.ReplaceAll(value, "%20", " ")}, n)...)
					assert.Equal(t, want, got, "%q", raw)
				}
			}
		}
	}
}

// What nobody knows may hold anything, and nothing in it is a parameter.
func TestR2NothingIsReadInsideAnotherPair(t *testing.T) {
	for _, name := range []string{"", "x", "xy", "%78", "x%79", "x+y", "state_", "a_name_that_is_longer_than_any_of_ours", "x;", "x#"} {
		for _, value := range []string{"+state=no", "%41state=no", "%zzstate=no", "=state=no", ";state=no", "#state=no", "\xffstate=no", "\x01state=no", "\xff", "é+state=no"} {
			for _, long := range []string{"", strings.Repeat("l", 80)} {
				raw := name + "=" + long + value + long
				values, rest, _, problem := parse(raw + "&hd=x")
				assert.Empty(t, problem, "%q", raw)
				assert.Equal(t, map[string]string{"hd": "x"}, values, "%q", raw)
				assert.False(t, rest.Empty(), "%q", raw)
				values, _, _, problem = parse("hd=x&" + raw)
				assert.Empty(t, problem, "%q", raw)
				assert.Equal(t, map[string]string{"hd": "x"}, values, "%q", raw)
			}
		}
	}
}
