package option

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/strictjson"
)

// members gives those of a document as the schema splits it.
func members(text string) Members {
	return func(object string) []strictjson.Member {
		value := []byte(text)
		for name := range strings.SplitSeq(object, "/") {
			if name != "" {
				found, _ := strictjson.Members(value)
				value = strictjson.Find(found, name)
			}
		}
		found, _ := strictjson.Members(value)
		return found
	}
}

type told []string

func (t *told) add(pointer, message string) {
	if message != "" {
		*t = append(*t, pointer+" "+message)
	}
}

func TestO2MistakesOfADocument(t *testing.T) {
	const text = `{"Name": "n", "client_id": "c", "colour": 1, "options": {"isuer": "i", "tokenurl": "t", "tokn": 1, "scopes": [], "a/b": 1,
		"connection_settings": {"Pkce": "S256"}, "scripts": {"fetchuserprofile": ""}}}`
	var all, strange told
	Mistakes(members(text), false, all.add)
	assert.Equal(t, told{
		"/Name is not read here; write name", "/client_id is not read here; write options.client_id",
		"/options/isuer is not known; did you mean issuer?", "/options/tokenurl is not read here; write tokenURL", "/options/scopes is not read here; write scope",
		"/options/connection_settings/Pkce is not read here; write pkce", "/options/scripts/fetchuserprofile is not read here; write fetchUserProfile",
	}, all)
	// Of SAML and the like the table knows little: case and place alone are told.
	Mistakes(members(text), true, strange.add)
	assert.Equal(t, told{
		"/Name is not read here; write name", "/client_id is not read here; write options.client_id", "/options/tokenurl is not read here; write tokenURL",
		"/options/connection_settings/Pkce is not read here; write pkce", "/options/scripts/fetchuserprofile is not read here; write fetchUserProfile",
	}, strange)
}

func TestO2WarningsOfADocument(t *testing.T) {
	const text = `{"colour": 1, "Name": "n", "options": {"a/b": 1, "upstream_parm": {}, "kid": "k", "team_id": "", "email": true, "profile": "true", "scope": null,
		"app_secret": null, "useCommonEndpoint": false, "community_base_url": [], "baseUrl": {}}}`
	const none, tick = " is not known here and has no effect", "/options/email has no effect; write what it stands for into scope"
	unknown := told{"/colour" + none, "/options/a~1b" + none}
	for _, tc := range []struct {
		strategy string
		scoped   bool
		want     told
	}{
		{"oidc", true, append(unknown[:2:2], "/options/kid has no effect here; it is read for apple alone")},
		{"apple", true, unknown},
		{"apple", false, append(unknown[:2:2], tick)},
	} {
		var got told
		Warn(members(text), tc.strategy, tc.scoped, got.add)
		assert.Equal(t, tc.want, got, "%s %v", tc.strategy, tc.scoped)
	}
}

// Names that nobody knows are compared with the whole table, so that there is an
// end to it; names that are known come after them all the same.
func TestP1WarningsAreBounded(t *testing.T) {
	for _, n := range []int{99, 100, 101, 500} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, `"%d": 1, `, i)
		}
		var got told
		Warn(members(`{`+text.String()+`"options": {"kid": "k"}}`), "oidc", true, got.add)
		assert.Len(t, got, min(n, maxUnknown)+1)
		assert.Contains(t, got[len(got)-1], "/options/kid has no effect here")
	}
}

func TestO1WrongValue(t *testing.T) {
	m := Member{Enum: []string{"a", "b", "c"}, Refuses: map[string]string{"x": "must not be x"}}
	for value, want := range map[string]string{"a": "", "c": "", "x": "must not be x", "d": "must be a, b or c", "": "must be a, b or c"} {
		assert.Equal(t, want, m.WrongValue(value), value)
	}
	assert.Equal(t, "must be a", (&Member{Enum: []string{"a"}}).WrongValue("b"))
	assert.Empty(t, (&Member{}).WrongValue("b"))
}

// Of two names that look alike the one that does something is meant.
func TestO2TheIndexOfATable(t *testing.T) {
	does, idle := Member{Path: "options/a_b"}, Member{Path: "options/ab", Class: NoEffect}
	for _, table := range [][]Member{{does, idle}, {idle, does}} {
		x := newIndex(table)
		assert.Equal(t, "a_b", x.objects["options"].folded["ab"])
		assert.Equal(t, map[string]string{"a_b": "options/a_b"}, x.levels)
	}
	assert.Equal(t, "ab", newIndex([]Member{idle}).objects["options"].folded["ab"])
	twoLevels := newIndex([]Member{{Path: "a"}, {Path: "options/a"}, {Path: "options/*/b"}})
	assert.Equal(t, map[string]string{"a": ""}, twoLevels.levels, "nobody can say where it belongs")
	assert.PanicsWithValue(t, "option: options/a_b stands in the table twice", func() { newIndex([]Member{does, does}) })
}
