package plan

// Each case holds the two ways through a plan together: Append and the rows of
// Explain have to give the same URL.

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/rule"
)

// The incoming parameters of the tests.
const (
	hint = First + iota
	locales
	asked // connection_scope
	resource
	hinted // id_token_hint
	sources
)

const base = "https://idp.example.com/authorize"

var teller = Teller{
	Name:    func(s Source) string { return []string{"hint", "locales", "asked", "resource", "hinted"}[s-First] },
	Missing: func(parameter string) string { return "no " + parameter },
}

// in makes an Input of incoming values, separated by |: resource has several.
func in(values map[Source]string) Input {
	in := Input{Values: make([]string, sources)}
	for s, value := range values {
		if in.Values[s] = value; s == resource {
			in.Resources = strings.Split(value, "|")
			in.Values[s] = in.Resources[0]
		}
	}
	return in
}

// both gives the query, made in both ways, and the rows.
func both(t *testing.T, p *Plan, in Input) (string, []Row) {
	t.Helper()
	one, two := in, in
	made, ok := p.Append([]byte("before "), &one)
	require.True(t, ok)
	rows, ok := p.Explain(&two, nil, teller)
	require.True(t, ok)
	again, ok := p.AppendRows([]byte("before "), rows)
	require.True(t, ok)
	assert.Equal(t, string(made), string(again), "Append and Explain differ")
	query, ok := strings.CutPrefix(string(made), "before "+base+"?")
	require.True(t, ok, string(made))
	assert.True(t, slices.IsSortedFunc(rows, func(a, b Row) int { return strings.Compare(a.Name, b.Name) }))
	for _, row := range rows {
		assert.Equal(t, row.Sent, row.Value != "", row.Name)
		assert.True(t, row.Sent || row.Reason != "", "%s is not sent, and nothing says why", row.Name)
	}
	return query, rows
}

func only(values ...string) *rule.Rule {
	slices.Sort(values)
	return &rule.Rule{Restricted: true, Allow: values}
}

func TestM1Plan(t *testing.T) {
	items := only("de", "fr")
	items.Items, items.Translate = true, map[string]string{"fr": "french"}
	closed, open := only("https://a", "https://b"), (*rule.Rule)(nil)
	static := func(layer Layer, name, value string) Entry {
		return Entry{Layer: layer, Name: name, Source: None, Value: value}
	}
	alias := func(source Source, more Entry) Entry {
		more.Layer, more.Source = max(more.Layer, UpstreamParams), source
		return more
	}
	for _, tc := range []struct {
		name    string
		entries []Entry
		in      map[Source]string
		want    string // but for client_id and response_type
		reason  string // of the row of x
	}{
		{"nothing", nil, nil, "", ""},
		{"the higher layer wins", []Entry{static(UpstreamParams, "x", "1"), static(AuthParams, "x", "2"), static(URL, "x", "3")}, nil, "x=1", ""},
		{"names are in order", []Entry{static(UpstreamParams, "z", "1"), static(URL, "a", "2")}, nil, "a=2&z=1", ""},
		{"empty suppresses the layers below", []Entry{static(UpstreamParams, "x", ""), static(URL, "x", "3")}, nil, "",
			"upstream_params: the configured value is empty, so it is never sent"},
		{"a value that is absent falls to the layer below", []Entry{alias(hint, Entry{Name: "x"}), static(URL, "x", "3")}, nil, "x=3",
			"upstream_params: the request has no hint"},
		{"a value that is there does not", []Entry{alias(hint, Entry{Name: "x"}), static(URL, "x", "3")}, map[Source]string{hint: "me & you"}, "x=me+%26+you", ""},
		{"and then to nothing, where that is empty", []Entry{alias(hint, Entry{Name: "x"}), static(AuthParams, "x", ""), static(URL, "x", "3")}, nil, "",
			"upstream_params: the request has no hint; authParams: the configured value is empty, so it is never sent"},
		{"the default", []Entry{alias(hint, Entry{Name: "x", Value: "d+"}), static(URL, "x", "3")}, nil, "x=d%2B", "upstream_params: the request has no hint"},
		{"a rule takes the value, and the default stands", []Entry{alias(hint, Entry{Name: "x", Value: "d", Rule: only("a")})}, map[Source]string{hint: "b"}, "x=d",
			"upstream_params: hint does not pass allow, allow_pattern or translate"},
		{"two aliases of one name", []Entry{alias(hint, Entry{Name: "x"}), alias(locales, Entry{Layer: AuthParamsMap, Name: "x"})}, map[Source]string{locales: "fr"}, "x=fr",
			"upstream_params: the request has no hint"},
		{"forwarded, and absent", []Entry{alias(hint, Entry{Name: "x"})}, nil, "", "upstream_params: the request has no hint"},
		{"list items, one by one", []Entry{alias(locales, Entry{Name: "x", List: true, Rule: items})}, map[Source]string{locales: "fr en de"}, "x=french+de",
			"upstream_params: 1 of 3 items of locales do not pass allow, allow_pattern or translate; upstream_params: locales is translated"},
		{"no item passes", []Entry{alias(locales, Entry{Name: "x", List: true, Rule: items, Value: "de"})}, map[Source]string{locales: "en it"}, "x=de",
			"upstream_params: locales does not pass allow, allow_pattern or translate"},
		{"unless, with nothing in the way", []Entry{alias(hint, Entry{Name: "x", Unless: []Source{hinted}})}, map[Source]string{hint: "a"}, "x=a", ""},
		{"unless, a static value", []Entry{{Layer: UpstreamParams, Name: "x", Source: None, Value: "1", Unless: []Source{hint, hinted}}, static(URL, "x", "3")},
			map[Source]string{hinted: "token"}, "x=3", "upstream_params: the request has hinted, which unless names"},
		{"unless, value and default", []Entry{alias(hint, Entry{Name: "x", Value: "d", Unless: []Source{hinted}})}, map[Source]string{hint: "a", hinted: "t"}, "",
			"upstream_params: the request has hinted, which unless names; upstream_params: the request has hinted, which unless names"},
		{"unless, an empty value suppresses only beside what it names", []Entry{{Layer: UpstreamParams, Name: "x", Source: None, Unless: []Source{hinted}}, static(URL, "x", "3")},
			nil, "", "upstream_params: the configured value is empty, so it is never sent"},
		{"and else lets the layer below", []Entry{{Layer: UpstreamParams, Name: "x", Source: None, Unless: []Source{hinted}}, static(URL, "x", "3")},
			map[Source]string{hinted: "t"}, "x=3", "upstream_params: the request has hinted, which unless names"},
		{"resources, one refused", []Entry{alias(resource, Entry{Name: "x", Many: true, Rule: closed})}, map[Source]string{resource: "https://a|https://evil|https://b"}, "x=https%3A%2F%2Fa&x=https%3A%2F%2Fb", ""},
		{"resources, all refused", []Entry{alias(resource, Entry{Name: "x", Many: true, Rule: closed, Value: "https://b"})}, map[Source]string{resource: "https://c|https://d"}, "x=https%3A%2F%2Fb",
			"upstream_params: resource does not pass allow, allow_pattern or translate"},
		{"resources, none", []Entry{alias(resource, Entry{Name: "x", Many: true, Rule: closed})}, nil, "", "upstream_params: the request has no resource"},
		{"resources, no rule", []Entry{alias(resource, Entry{Name: "x", Many: true, Rule: open})}, map[Source]string{resource: "p|q"}, "x=p&x=q", ""},
		{"scope of the request", nil, map[Source]string{asked: "mail,photos"}, "scope=mail+photos", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := New(base, "c d", Scopes{Sep: ' ', Asked: asked}, tc.entries)
			query, rows := both(t, &p, in(tc.in))
			var rest []string
			for pair := range strings.SplitSeq(query, "&") {
				if pair != "client_id=c+d" && pair != "response_type=code" {
					rest = append(rest, pair)
				}
			}
			assert.Len(t, strings.Split(query, "&"), len(rest)+2)
			assert.Equal(t, tc.want, strings.Join(rest, "&"))
			for _, row := range rows {
				if row.Name == "x" {
					assert.Equal(t, tc.reason, row.Reason)
					break
				}
			}
		})
	}
}

func TestM5M6Scope(t *testing.T) {
	static := Entry{Layer: UpstreamParams, Name: "scope", Source: None, Value: "own only"}
	below := Entry{Layer: URL, Name: "scope", Source: None, Value: "url"}
	empty := Entry{Layer: UpstreamParams, Name: "scope", Source: None}
	hintless := Entry{Layer: UpstreamParams, Name: "scope", Source: None, Value: "first", Unless: []Source{hinted}}
	for _, tc := range []struct {
		name    string
		own     []string
		sep     byte
		entries []Entry
		in      map[Source]string
		want    string
	}{
		{"the connection's", []string{"a", "b"}, ' ', nil, nil, "a b"},
		{"asked first, each once", []string{"a", "b"}, ' ', nil, map[Source]string{asked: "c a"}, "c a b"},
		{"with commas", []string{"a", "b"}, ',', nil, map[Source]string{asked: "c"}, "c,a,b"},
		{"but the connection's alone with spaces", []string{"a", "b"}, ',', nil, nil, "a b"},
		{"asked, but no scope in it", []string{"a"}, ' ', nil, map[Source]string{asked: " ,"}, "a"},
		{"static replaces both", []string{"a"}, ' ', []Entry{static}, map[Source]string{asked: "c"}, "own only"},
		{"and may be empty", []string{"a"}, ' ', []Entry{empty, below}, map[Source]string{asked: "c"}, ""},
		{"but not with unless", []string{"a"}, ' ', []Entry{hintless}, map[Source]string{asked: "c", hinted: "t"}, "c a"},
		{"unless, nothing in the way", []string{"a"}, ' ', []Entry{hintless}, map[Source]string{asked: "c"}, "first"},
		{"the URL's is the last", []string{"a"}, ' ', []Entry{below}, nil, "a"},
		{"the URL's where there is no other", nil, ' ', []Entry{below}, nil, "url"},
		{"none", nil, ' ', nil, nil, ""},
	} {
		p := New(base, "c", Scopes{Own: tc.own, Sep: tc.sep, Asked: asked, Note: "noted"}, tc.entries)
		query, rows := both(t, &p, in(tc.in))
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		assert.Equal(t, tc.want, values.Get("scope"), tc.name)
		for _, row := range rows {
			if row.Name == "scope" && tc.name == "the connection's" {
				assert.Equal(t, "protocol: noted", row.Reason, "nobody misses connection_scope")
			}
			if row.Name == "scope" && tc.name == "asked, but no scope in it" {
				assert.Equal(t, "protocol: asked names no scope; protocol: noted", row.Reason)
			}
			if row.Name == "scope" && tc.name == "none" {
				assert.Equal(t, "protocol: neither the connection nor the request has a scope", row.Reason)
			}
		}
	}
}

// The sketch in the package documentation.
func TestSketch(t *testing.T) {
	p := New(base, "idp-client", Scopes{Own: []string{"openid"}, Sep: ' ', Asked: asked}, []Entry{
		{Layer: UpstreamParams, Name: "blog", Source: None, Value: "myblog.wordpress.com"},
		{Layer: UpstreamParams, Name: "prompt", Source: locales, Unless: []Source{hinted}},
		{Layer: UpstreamParams, Name: "screen_name", Source: hint, Value: "nobody"},
		{Layer: UpstreamParams, Name: "ui_locales", Source: locales},
	})
	var got []string
	for i, s := range p.steps {
		got = append(got, p.name(i)+" "+kinds[s.kind])
		for _, c := range p.of(i) {
			got[i] += " " + strings.TrimPrefix(string(p.textOf(c.text)), string(p.textOf(s.text)))
		}
	}
	assert.Equal(t, []string{
		"blog constant myblog.wordpress.com", "client_id constant idp-client", "code_challenge challenge", "code_challenge_method forwarded",
		"nonce forwarded", "prompt mapped ", "redirect_uri forwarded", "response_type constant code", "scope preset  openid",
		"screen_name preset  nobody", "state forwarded", "ui_locales forwarded ",
	}, got)
	assert.Equal(t, []string{
		"constant 2 " + base + "&blog=myblog.wordpress.com&client_id=idp-client", "challenge 0 &code_challenge=",
		fmt.Sprintf("forwarded %d &code_challenge_method=", ChallengeMethod), fmt.Sprintf("forwarded %d &nonce=", Nonce), "mapped 0 ",
		fmt.Sprintf("forwarded %d &redirect_uri=", RedirectURI), "constant 1 &response_type=code", fmt.Sprintf("preset %d &scope=openid", asked),
		fmt.Sprintf("preset %d &screen_name=nobody", hint), fmt.Sprintf("forwarded %d &state=", State), fmt.Sprintf("forwarded %d &ui_locales=", locales),
		"end 0 ",
	}, listing(p.code()))
	assert.Equal(t, slices.Collect(p.Names), strings.Fields(
		"blog client_id code_challenge code_challenge_method nonce prompt redirect_uri response_type scope screen_name state ui_locales"))
	assert.True(t, p.Made())
	assert.False(t, (&Plan{}).Made())

	login := in(map[Source]string{hint: "user@domain.com", RedirectURI: "https://a/cb", State: "s", Nonce: "n", ChallengeMethod: "S256"})
	login.Challenge = []byte("c_h")
	query, _ := both(t, &p, login)
	assert.Equal(t, "blog=myblog.wordpress.com&client_id=idp-client&code_challenge=c_h&code_challenge_method=S256&nonce=n"+
		"&redirect_uri=https%3A%2F%2Fa%2Fcb&response_type=code&scope=openid&screen_name=user%40domain.com&state=s", query)
	assert.InDelta(t, len(base)+len(query), p.Size(), 400)
}

var kinds = []string{end: "end", constant: "constant", forwarded: "forwarded", challenge: "challenge", preset: "preset", mapped: "mapped"}

// listing gives each step of a code: its kind, its number, its text.
func listing(code []byte) (out []string) {
	for more := true; more; {
		head := binary.LittleEndian.Uint64(code)
		text := code[headSize:][:head>>32]
		out = append(out, fmt.Sprintf("%s %d %s", kinds[kind(head)], head>>8&(1<<24-1), text))
		code, more = code[headSize+len(text):], kind(head) != end
	}
	return out
}

// Runs of constants, with suppressed ones at each place of them.
func TestConstantsJoined(t *testing.T) {
	for mask := range 1 << 5 {
		var entries []Entry
		want := []string{"client_id=c"}
		for i, name := range []string{"a", "b", "m", "y", "z"} { // before client_id, in the middle, at the end
			value := ""
			if mask&(1<<i) != 0 {
				value = "v " + name
				want = append(want, name+"=v+"+name)
			}
			entries = append(entries, Entry{Layer: AuthParams, Name: name, Source: None, Value: value})
		}
		want = append(want, "response_type=code")
		slices.Sort(want)
		p := New(base, "c", Scopes{Asked: asked}, entries)
		query, _ := both(t, &p, in(nil))
		assert.Equal(t, strings.Join(want, "&"), query)
	}
	// More than 16 bits can count.
	entries := make([]Entry, 1<<16+10)
	for i := range entries {
		entries[i] = Entry{Layer: AuthParams, Name: fmt.Sprintf("x%05d", i), Source: None}
	}
	entries[1<<16].Value = "last"
	p := New(base, "c", Scopes{Asked: asked}, entries)
	made, ok := p.Append(nil, &Input{Values: make([]string, sources)})
	assert.True(t, ok)
	assert.Equal(t, base+"?client_id=c&response_type=code&x65536=last", string(made))
}

// Codes that have just room in the plan, and those that have not.
func TestCodeOfEachLength(t *testing.T) {
	rooms := map[bool]int{}
	for n := range 400 {
		value := strings.Repeat("v", n+1)
		p := New(base, "c", Scopes{Asked: asked}, []Entry{
			{Layer: UpstreamParams, Name: "x", Source: None, Value: value},
			{Layer: UpstreamParams, Name: "z", Source: hint, Unless: []Source{locales}},
		})
		rooms[p.long == nil]++
		query, rows := both(t, &p, in(map[Source]string{hint: "h"}))
		assert.Equal(t, "client_id=c&response_type=code&x="+value+"&z=h", query)
		assert.Equal(t, "z", rows[len(rows)-1].Name)
		var fetched Input
		p.Fetch(&fetched)
	}
	assert.Greater(t, rooms[true], 100)
	assert.Greater(t, rooms[false], 100)
}

func TestX1OAuth1(t *testing.T) {
	p := NewOAuth1(base, []Entry{{Layer: UpstreamParams, Name: "a", Source: None, Value: "1"}})
	query, _ := both(t, &p, in(map[Source]string{RequestToken: "t/"}))
	assert.Equal(t, "a=1&oauth_token=t%2F", query)
}

func TestO9FormPost(t *testing.T) {
	entries := []Entry{{Layer: Strategy, Name: "response_mode", Source: None, Value: "form_post", FormPost: true, Essential: true}}
	for scope, want := range map[string]bool{
		"name": true, "openid,email": true, "openid,,name": true, " name": true, "email openid": true, "openid name": true,
		"": false, "openid": false, "names": false, "e-mail": false, "xname": false, "openid,": false,
	} {
		p := New(base, "c", Scopes{Sep: ' ', Asked: asked}, append(slices.Clone(entries), Entry{Layer: URL, Name: "scope", Source: None, Value: scope}))
		query, rows := both(t, &p, in(nil))
		assert.Equal(t, want, strings.Contains(query, "response_mode=form_post"), scope)
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == "response_mode" })
		assert.True(t, rows[i].Essential)
		if !want {
			assert.Equal(t, "strategy: the scope has neither name nor email", rows[i].Reason)
		}
		// The host's own scope counts instead.
		host := in(nil)
		host.Scope = "name"
		made, _ := p.Append(nil, &host)
		assert.Contains(t, string(made), "response_mode=form_post")
	}
}

func TestM10Items(t *testing.T) {
	items := only("de", "fr")
	items.Items, items.Translate = true, map[string]string{"fr": "french"}
	p := New(base, "c", Scopes{Asked: asked}, []Entry{
		{Layer: UpstreamParams, Name: "x", Source: locales, List: true, Rule: items, Essential: true},
		{Layer: UpstreamParams, Name: "y", Source: hint, Rule: only("h")},
		{Layer: UpstreamParams, Name: "z", Source: resource, Many: true, Rule: only("p")},
	})
	_, rows := both(t, &p, in(map[Source]string{locales: "fr en", hint: "no", resource: "q|p"}))
	got := map[string][]Row{}
	for _, row := range rows {
		got[row.Name] = append(got[row.Name], row)
	}
	assert.Equal(t, []Item{{"fr", "french"}, {"en", ""}}, got["x"][0].Items)
	assert.True(t, got["x"][0].Essential)
	assert.Equal(t, "fr en", got["x"][0].Came)
	assert.Equal(t, locales, got["x"][0].Source)
	assert.Equal(t, UpstreamParams, got["x"][0].Layer)
	assert.Equal(t, []Item{{"no", ""}}, got["y"][0].Items)
	assert.False(t, got["y"][0].Essential)
	require.Len(t, got["z"], 2, "a row for each resource")
	assert.Equal(t, "upstream_params: this resource does not pass allow, allow_pattern or translate", got["z"][0].Reason)
	assert.False(t, got["z"][0].Sent)
	assert.Equal(t, "p", got["z"][1].Value)
	assert.Empty(t, got["z"][1].Reason)
	assert.Equal(t, "no redirect_uri", got["redirect_uri"][0].Reason)
}

// The host's own parameters stand in the place of all others, and between them.
func TestB4Extra(t *testing.T) {
	p := New(base, "c", Scopes{Own: []string{"a"}, Asked: asked}, []Entry{{Layer: UpstreamParams, Name: "x", Source: hint}})
	login := in(map[Source]string{hint: "h"})
	rows, ok := p.Explain(&login, map[string]string{"a": "1", "x": "mine", "z": "9", "scope": "", "m": ""}, teller)
	require.True(t, ok)
	out, ok := p.AppendRows(nil, rows)
	require.True(t, ok)
	assert.Equal(t, base+"?a=1&client_id=c&response_type=code&scope=a&x=mine&z=9", string(out))
	assert.Equal(t, Transaction, rows[0].Layer)
}

func TestP1LengthOfAURL(t *testing.T) {
	fits := MaxURL - len(base+"?client_id=c&response_type=code&x=")
	p := New(base, "c", Scopes{Asked: asked}, []Entry{{Layer: UpstreamParams, Name: "x", Source: hint}})
	for n, want := range map[int]bool{fits: true, fits + 1: false} {
		one, two := in(map[Source]string{hint: strings.Repeat("v", n)}), in(map[Source]string{hint: strings.Repeat("v", n)})
		_, ok := p.Append([]byte("before"), &one)
		assert.Equal(t, want, ok, "Append, %d", n)
		rows, ok := p.Explain(&two, nil, teller)
		require.True(t, ok)
		_, ok = p.AppendRows([]byte("before"), rows)
		assert.Equal(t, want, ok, "AppendRows, %d", n)
	}
	// One parameter under many names, and what comes in and leaves nothing.
	var many []Entry
	for i := range 300 {
		many = append(many, Entry{Layer: UpstreamParams, Name: fmt.Sprint("x", i), Source: hint, Rule: only("a")})
	}
	p = New(base, "c", Scopes{Asked: asked}, many)
	long := in(map[Source]string{hint: strings.Repeat("v", 1000)})
	_, ok := p.Append(nil, &long)
	assert.True(t, ok)
	_, ok = p.Explain(&long, nil, teller)
	assert.False(t, ok, "300 kB of rows")
}

func TestSends(t *testing.T) {
	p := New(base, "c", Scopes{Asked: asked}, []Entry{
		{Layer: UpstreamParams, Name: "x", Source: hint, Rule: only("a")},
		{Layer: AuthParamsMap, Name: "x", Source: locales},
	})
	yes := func(string) bool { return true }
	for _, tc := range []struct {
		source Source
		in     map[Source]string
		f      func(string) bool
		want   bool
	}{
		{hint, map[Source]string{hint: "a"}, yes, true},
		{hint, map[Source]string{hint: "a"}, func(v string) bool { return v != "a" }, false},
		{hint, map[Source]string{hint: "b", locales: "l"}, yes, false},
		{locales, map[Source]string{hint: "b", locales: "l"}, yes, true},
		{locales, map[Source]string{hint: "a", locales: "l"}, yes, false}, // the higher layer wins
		{resource, map[Source]string{resource: "a"}, yes, false},
		{hint, nil, yes, false},
	} {
		login := in(tc.in)
		assert.Equal(t, tc.want, p.Sends(tc.source, &login, tc.f), "%d of %v", tc.source, tc.in)
	}
}

// An empty value that stands keeps the layers below out of Sends as well.
func TestSendsNothingBelowAnEmptyValue(t *testing.T) {
	p := New(base, "c", Scopes{Asked: asked}, []Entry{
		{Layer: UpstreamParams, Name: "x", Source: None, Unless: []Source{hinted}},
		{Layer: AuthParamsMap, Name: "x", Source: hint},
		{Layer: AuthParamsMap, Name: "y", Source: locales},
	})
	yes := func(string) bool { return true }
	login, beside := in(map[Source]string{hint: "a", locales: "fr"}), in(map[Source]string{hint: "a", hinted: "t"})
	assert.False(t, p.Sends(hint, &login, yes))
	assert.True(t, p.Sends(hint, &beside, yes))
	assert.True(t, p.Sends(locales, &login, yes))
	assert.False(t, p.Sends(locales, &beside, yes))
}

// Several values share the bound on what a pattern is held against (rule P1).
func TestP1SeveralValuesTogether(t *testing.T) {
	re, _, problem := rule.WholeMatch("a+|b+")
	require.Empty(t, problem)
	p := New(base, "c", Scopes{Asked: asked}, []Entry{{Layer: UpstreamParams, Name: "x", Source: resource, Many: true, Rule: &rule.Rule{Restricted: true, Pattern: re}}})
	for n, want := range map[int]int{512: 2, 513: 0} {
		query, _ := both(t, &p, in(map[Source]string{resource: strings.Repeat("a", 512) + "|" + strings.Repeat("b", n)}))
		assert.Equal(t, want, strings.Count(query, "x="), "%d", n)
	}
}

// A URL of a plan costs no memory where there is room and no rule makes a value.
func TestAppendAllocatesNothing(t *testing.T) {
	p := New(base, "c", Scopes{Own: []string{"openid"}, Sep: ' ', Asked: asked}, []Entry{
		{Layer: UpstreamParams, Name: "x", Source: hint, Value: "d"},
		{Layer: UpstreamParams, Name: "y", Source: locales},
	})
	login := in(map[Source]string{locales: "fr en"})
	buf := make([]byte, 0, 2048)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = p.Append(buf, &login) }))
}

// Of claims, the reason tells that some were left out, and nothing where none was.
func TestB1ClaimsAreReduced(t *testing.T) {
	p := New(base, "c", Scopes{Own: []string{"openid"}, Sep: ' ', Asked: asked}, []Entry{
		{Layer: UpstreamParams, Name: "claims", Source: hint, Rule: &rule.Rule{Claims: true, Restricted: true, Allow: []string{"email"}}},
	})
	for came, reason := range map[string]string{
		`{"userinfo":{"email":null}}`:            "",
		`{"userinfo":{"email":null,"acr":null}}`: "upstream_params: claims are reduced to those that allow and allow_pattern let pass",
	} {
		_, rows := both(t, &p, in(map[Source]string{hint: came}))
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == "claims" })
		assert.Equal(t, `{"userinfo":{"email":null}}`, rows[i].Value)
		assert.Equal(t, reason, rows[i].Reason)
	}
}
