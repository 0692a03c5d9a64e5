package outgoing

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/incoming"
	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/rule"
)

// problems gives what Check reports of entries and a query, a line for each.
func problems(entries []Entry, query string) (out []string) {
	Check(entries, query, "/url", func(pointer, message string) { out = append(out, pointer+" "+message) })
	return out
}

// one is an entry of upstream_params named n.
func one(p Param) []Entry {
	return []Entry{{Layer: plan.UpstreamParams, Name: "n", Param: p, At: "/up"}}
}

func TestC6EntriesOfUpstreamParams(t *testing.T) {
	yes := []string{"a"}
	for _, tc := range []struct {
		rule  string
		param Param
		want  []string // what each problem begins with; nil for none
	}{
		{"C6 zero", Param{}, nil},
		{"A1", Param{Alias: "login_hint", Value: "x", Allow: yes, AllowPattern: "b", Translate: map[string]string{"a": "b"}}, nil},
		{"A1 no alias", Param{Alias: "access_type"}, []string{"/up/n/alias is not one of acr_values "}},
		{"B1", Param{From: "idphint", Allow: []string{}}, nil},
		{"B1 open", Param{From: "idphint"}, []string{"/up/n has a from without allow"}},
		{"B1 an alias", Param{From: "login_hint", Allow: yes}, []string{"/up/n/from names an alias"}},
		{"B1 both", Param{From: "x", Alias: "login_hint", Allow: yes}, []string{"/up/n/from stands beside alias"}},
		{"B1 a source", Param{From: "access_type", Allow: yes}, nil},
		{"B1 reserved", Param{From: "STATE", Allow: yes}, []string{`/up/n/from "STATE" is the protocol's`}},
		{"B1 the server's", Param{From: "connection_scope", Allow: yes}, []string{`/up/n/from "connection_scope" is the protocol's`}},
		{"B1 PKCE by its name", Param{From: "code_challenge", Allow: yes}, []string{`/up/n/from "code_challenge" is the protocol's`}},
		{"B1 PKCE", Param{From: "code_challenges", Allow: yes}, []string{`/up/n/from "code_challenges" is the protocol's`}},
		{"B1 a name", Param{From: "a b", Allow: yes}, []string{"/up/n/from holds a space"}},
		{"B2", Param{Value: "x", Unless: []string{"login_hint", "idphint"}}, nil},
		{"B2 reserved", Param{Value: "x", Unless: []string{"a", "state"}}, []string{`/up/n/unless/1 "state" is`}},
		{"B2 the server's", Param{Value: "x", Unless: []string{"code_challenge"}}, []string{`/up/n/unless/0 "code_challenge" is`}},
		{"B2 as many as may be", Param{Value: "x", Unless: slices.Repeat([]string{"a"}, 20)}, nil},
		{"B2 many", Param{Value: "x", Unless: make([]string, 21)}, []string{"/up/n/unless has more than 20 items"}},
		{"B3", Param{From: "claims", Allow: yes}, nil},
		{"B3 translated", Param{From: "claims", Allow: yes, Translate: map[string]string{"a": "b"}}, []string{"/up/n/translate is not for claims"}},
		{"C6 rules without a source", Param{Value: "x", Allow: []string{}, AllowPattern: "(", Translate: map[string]string{"a": "b"}},
			[]string{"/up/n/allow is only for", "/up/n/allow_pattern is only for", "/up/n/translate is only for"}},
		{"C6 pattern", Param{Alias: "login_hint", AllowPattern: "("}, []string{"/up/n/allow_pattern is not an RE2 pattern"}},
		{"L4", Param{Alias: "acr_values", Essential: true}, nil},
		{"L4 of another", Param{Alias: "prompt", Essential: true}, []string{"/up/n/essential is only for acr_values"}},
	} {
		got := problems(one(tc.param), "")
		if assert.Len(t, got, len(tc.want), "%s: %q", tc.rule, got) {
			for i, want := range tc.want {
				assert.True(t, strings.HasPrefix(got[i], want), "%s: %q, want %q", tc.rule, got[i], want)
			}
		}
	}
}

// An entry that reads the wrong way round, and what authParamsMap has and the
// aliases have not, are told with the remedy.
func TestA1A2Hints(t *testing.T) {
	for _, tc := range []struct {
		layer            plan.Layer
		name, alias, end string
	}{
		{plan.UpstreamParams, "n", "access_type", "; authParamsMap takes it"},
		{plan.UpstreamParams, "n", "logn_hint", "; did you mean login_hint?"},
		{plan.UpstreamParams, "login_hint", "user", "swap them"},
		{plan.UpstreamParams, "access_type", "user", "ui_locales"}, // the list, and nothing behind it
		{plan.UpstreamParams, "n", "code_challenge", "ui_locales"},
		{plan.AuthParamsMap, "n", "code_challenge", "whr"},
		{plan.AuthParamsMap, "access_type", "user", "swap them"},
		{plan.AuthParamsMap, "n", "user", "whr"},
	} {
		got := problems([]Entry{{Layer: tc.layer, Name: tc.name, Param: Param{Alias: tc.alias}, At: "/m"}}, "")
		if assert.Len(t, got, 1, tc.alias) {
			assert.True(t, strings.HasSuffix(got[0], tc.end), "%q, want %q", got[0], tc.end)
		}
	}
	assert.Empty(t, problems([]Entry{{Layer: plan.AuthParamsMap, Name: "n", Param: Param{Alias: "access_type"}}}, ""))
}

func TestM3C7Static(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"blog", "", ""},
		{"state", "x", `"state" is set by the protocol`},
		{"Client[id", "x", `"Client[id" is set by the protocol`},
		{"Scope", "x", "must be written scope"},
		{"scope", "x", ""},
		{"response_type", "token", "response_type must be code"},
		{"response_type", "code", ""},
		{"response_mode", "fragment", "response_mode must be"},
		{"response_mode", "form_post", ""},
		{"response_mode", "query", ""},
		{"response_mode", "", ""},
		{"", "x", "is a parameter without a name"},
		{"a b", "x", "holds a space"},
	} {
		got := wrongStatic(tc.name, tc.value)
		assert.True(t, tc.want == "" && got == "" || tc.want != "" && strings.HasPrefix(got, tc.want), "%q: %s", tc.name, got)
	}
	for _, name := range []string{"scope", "response_type", "response_mode"} {
		got := problems([]Entry{{Layer: plan.UpstreamParams, Name: name, Param: Param{Alias: "login_hint"}}}, "")
		require.NotEmpty(t, got, name)
		assert.Contains(t, got[0], name+" cannot come from the request")
	}
	long := Entry{Layer: plan.AuthParams, Name: "n", Param: Param{Value: strings.Repeat("x", 257)}, At: "/p"}
	assert.Equal(t, []string{"/p/n is longer than 256 characters"}, problems([]Entry{long}, ""))
	long.Value = ""
	assert.Equal(t, []string{"/p/n is empty; give it a value or remove it"}, problems([]Entry{long}, ""))
}

func TestM4Twins(t *testing.T) {
	up := func(name string) Entry {
		return Entry{Layer: plan.UpstreamParams, Name: name, Param: Param{Value: "x"}, At: "/up"}
	}
	assert.Empty(t, problems([]Entry{up("a"), up("b")}, "a=1&&c=%20+"), "one name in two layers is what layers are for")
	for _, tc := range []struct {
		entries []Entry
		query   string
		want    string
	}{
		{[]Entry{up("a_b"), up("A.b")}, "", `/up/A.b "A.b" and "a_b" are one name`},
		{[]Entry{up("a")}, "a%5B%5D=1", `/url "a[]" and "a" are one name`},
		{append([]Entry{up("HD")}, OfStrategy("google-apps", "d")...), "", `/up/HD "HD" and "hd" are one name`}, // what is configured
		{nil, "a=1&a=2", `/url has the parameter "a" twice`},
		{nil, "a=%zz", "/url has a query of which a parameter "},
		{nil, "%ff=1", "/url has a query of which a parameter "},
	} {
		got := problems(tc.entries, tc.query)
		if assert.Len(t, got, 1, "%q", got) {
			assert.True(t, strings.HasPrefix(got[0], tc.want), "%q, want %q", got[0], tc.want)
		}
	}
}

// The patterns of a connection are bounded together, and one that is over the bound
// is not compiled.
func TestP1Patterns(t *testing.T) {
	var entries []Entry
	for i := range 8 {
		entries = append(entries, Entry{Layer: plan.UpstreamParams, Name: fmt.Sprint(i), Param: Param{Alias: "login_hint", AllowPattern: "(?:aaaa){900}"}, At: "/up"})
	}
	got := problems(entries, "")
	assert.Len(t, got, 3)
	assert.Contains(t, got[0], "/up/5/allow_pattern takes too much work together")
	entries[7].AllowPattern = strings.Repeat(`\pL`, 100)
	assert.Len(t, problems(entries, ""), 3)

	most := "(?:aaaa){990}"
	_, cost, _ := rule.WholeMatch(most)
	most += strings.Repeat("a", rule.MaxCost/5-cost)
	_, cost, _ = rule.WholeMatch(most)
	require.Equal(t, rule.MaxCost/5, cost)
	for _, tc := range []struct{ sixth, want string }{
		{"", ""}, {"(", "/up/5/allow_pattern is not an RE2 pattern"}, {"a", "/up/5/allow_pattern takes too much work together"},
		{`\pL(`, "/up/5/allow_pattern takes too much work together"}, // known before it is compiled
	} {
		for i := range entries[:6] {
			entries[i].AllowPattern = most
		}
		entries[5].AllowPattern = tc.sixth
		got := problems(entries[:6], "")
		assert.True(t, tc.want == "" && len(got) == 0 || tc.want != "" && len(got) == 1 && strings.HasPrefix(got[0], tc.want), "%s: %q", tc.sixth, got)
	}
}

// What a rule looks at: nothing without one, else all values or those that may pass.
func TestC6M7CompiledRules(t *testing.T) {
	for _, tc := range []struct {
		param                   Param
		list, ruled, restricted bool
	}{
		{Param{Alias: "login_hint"}, false, false, false},
		{Param{Alias: "acr_values", Allow: []string{}}, true, true, true},
		{Param{Alias: "prompt", AllowPattern: "a"}, true, true, true},
		{Param{Alias: "ui_locales", Translate: map[string]string{"a": "b"}}, true, true, false},
		{Param{Alias: "display", Translate: map[string]string{}}, false, false, false},
	} {
		_, out := Compile(Check(one(tc.param), "", "", func(pointer, message string) { t.Error(pointer, message) }))
		assert.Equal(t, tc.list, out[0].List, tc.param.Alias)
		if assert.Equal(t, tc.ruled, out[0].Rule != nil, tc.param.Alias) && tc.ruled {
			assert.Equal(t, tc.restricted, out[0].Rule.Restricted, tc.param.Alias)
			assert.Equal(t, tc.list, out[0].Rule.Items, tc.param.Alias)
		}
	}
}

func TestB4Extra(t *testing.T) {
	p := plan.New("https://idp.test/", "c", plan.Scopes{}, []plan.Entry{{Layer: plan.UpstreamParams, Name: "blog", Source: plan.None, Value: "x"}})
	for _, tc := range []struct {
		name, value, want string
	}{
		{"blog", "y", ""}, {"other", "y", ""}, {"scope", "y", ""}, {"state", "", ""},
		{"state", "y", `has the parameter "state", which cannot be sent: "state" is set by the protocol`},
		{"BLOG", "y", `has the parameter "BLOG", which cannot be sent: "blog" is another spelling`},
		{"a\nb", "y", `has the parameter "a\nb", which cannot be sent: holds a space`},
	} {
		got := Extra(map[string]string{tc.name: tc.value}, &p)
		assert.True(t, tc.want == "" && got == "" || tc.want != "" && strings.HasPrefix(got, tc.want), "%q: %s", tc.name, got)
	}
	assert.Contains(t, Extra(map[string]string{"a.b": "1", "a_b": "1"}, &p), `"a.b" is another spelling`)
}

func TestO5O9OfStrategy(t *testing.T) {
	assert.Empty(t, OfStrategy("google-apps", ""))
	assert.Empty(t, OfStrategy("oauth2", "d"))
	hd := OfStrategy("google-apps", "d")
	require.Len(t, hd, 1)
	assert.Equal(t, Entry{Layer: plan.Strategy, Name: "hd", Param: Param{Value: "d"}}, hd[0])
	_, apple := Compile(OfStrategy("apple", ""))
	require.Len(t, apple, 1)
	assert.True(t, apple[0].FormPost)
}

func TestM2Compile(t *testing.T) {
	allow, translate := []string{"z", "a"}, map[string]string{"a": "b"}
	entries := Of(plan.UpstreamParams, "/up", []string{"a", "b", "acr_values", "d"}, map[string]Param{
		"a":          {Alias: "prompt", Value: "login", Allow: allow, Translate: translate, Unless: []string{"other", "prompt"}},
		"b":          {From: "claims", AllowPattern: "x+"},
		"acr_values": {Value: "x", Essential: true},
		"d":          {Alias: "resource"},
	}, func(p Param) Param { return p })
	entries = Check(entries, "u=1", "/url", func(pointer, message string) { t.Error(pointer, message) })
	sources, out := Compile(entries)
	require.Len(t, out, 5)
	assert.Equal(t, []incoming.Slot{incoming.ConnectionScope, incoming.Prompt, incoming.Resource}, sources.Slots())
	assert.Equal(t, []string{"other", "claims"}, sources.Others().List())
	assert.Equal(t, int(plan.First)+5, sources.Size())
	for i, name := range []string{"connection_scope", "prompt", "resource", "other", "claims"} {
		assert.Equal(t, plan.First+plan.Source(i), sources.Of(name), name)
		assert.Equal(t, name, sources.Name(plan.First+plan.Source(i)))
	}
	for _, nobody := range []string{"login_hint", "nobody"} {
		assert.Equal(t, plan.None, sources.Of(nobody), nobody)
	}
	assert.Empty(t, sources.Name(plan.None))

	assert.True(t, out[0].List)
	assert.Equal(t, plan.First+1, out[0].Source)
	assert.Equal(t, []plan.Source{plan.First + 3, plan.First + 1}, out[0].Unless)
	assert.Equal(t, "b", out[0].Rule.Apply("a"))
	assert.True(t, out[1].Rule.Claims)
	assert.True(t, out[1].Rule.Pattern.MatchString("xx"))
	assert.Equal(t, plan.None, out[2].Source)
	assert.Nil(t, out[2].Rule)
	assert.True(t, out[2].Essential)
	assert.True(t, out[3].Many)
	assert.Equal(t, plan.Entry{Layer: plan.URL, Name: "u", Source: plan.None, Value: "1"}, out[4])
	assert.Equal(t, "/url", entries[4].Pointer())
	assert.Equal(t, "/up/a", entries[0].Pointer())

	// Later changes of the caller's slice and map reach nothing.
	allow[0], allow[1], translate["a"] = "no", "no", "no"
	assert.Equal(t, "b", out[0].Rule.Apply("a"))
	assert.True(t, slices.IsSorted(out[0].Rule.Allow))
	assert.Equal(t, []string{"a"}, slices.Collect(maps.Keys(out[0].Rule.Translate)))
}
