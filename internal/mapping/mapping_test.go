package mapping

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/strictjson"
)

func TestO10Read(t *testing.T) {
	for _, tc := range []struct {
		name, attributes, fields, userID string
		userinfo, claims                 Map
		only                             bool
		fault                            string // "" for none
	}{
		{"userid_attribute", "", "", "oid", Map{"user_id": {"oid"}}, Map{"user_id": {"oid"}}, false, ""},
		{"more than a path", "", "", "a b", Map{}, Map{}, false, "options.userid_attribute is more"},
		{"fieldsMap", "", `{"email": "mail", "name": ["cn", "dn"], "x": null, "y": []}`, "", Map{"email": {"mail"}, "name": {"cn", "dn"}}, Map{"email": {"mail"}, "name": {"cn", "dn"}}, false, ""},
		{"fieldsMap, no path", "", `{"email": 1, "name": "cn"}`, "", Map{"name": {"cn"}}, Map{"name": {"cn"}}, false, "options.fieldsMap is more"},
		{"fieldsMap, one of two", "", `{"email": ["a", "b|c"]}`, "", Map{}, Map{}, false, "options.fieldsMap is more"},
		{"fieldsMap, no object", "", `"x"`, "", Map{}, Map{}, false, "options.fieldsMap is more"},
		{"attribute_map", `{"mapping_mode": "use_map", "attributes": {"email": "${context.tokenset.mail}", "name": "${context.userinfo.a.b}", "z": null}}`, "", "",
			Map{"name": {"a.b"}}, Map{"email": {"mail"}}, true, ""},
		{"an expression", `{"mapping_mode": "use_map", "attributes": {"email": "${context.tokenset.a + b}"}}`, "", "", Map{}, Map{}, true, "options.attribute_map.attributes.email is more"},
		{"an expression of userinfo", `{"mapping_mode": "use_map", "attributes": {"email": "${context.userinfo.a[0]}"}}`, "", "", Map{}, Map{}, true, "options.attribute_map.attributes.email is more"},
		{"not closed", `{"mapping_mode": "use_map", "attributes": {"email": "${context.tokenset.a"}}`, "", "", Map{}, Map{}, true, "options.attribute_map.attributes.email is more"},
		{"not closed, of userinfo", `{"mapping_mode": "use_map", "attributes": {"email": "${context.userinfo.a"}}`, "", "", Map{}, Map{}, true, "options.attribute_map.attributes.email is more"},
		{"a constant", `{"mapping_mode": "use_map", "attributes": {"email": "x}"}}`, "", "", Map{}, Map{}, true, "options.attribute_map.attributes.email is more"},
		{"a map of nothing", `{"mapping_mode": "use_map"}`, "", "", Map{}, Map{}, true, ""},
		{"attribute_map, no object", `[]`, "", "", Map{}, Map{}, false, "options.attribute_map is more"},
		{"a long name", `{"mapping_mode": "use_map", "attributes": {"` + strings.Repeat("é", 80) + `": ""}}`, "", "", Map{}, Map{}, true,
			"options.attribute_map.attributes." + strings.Repeat("é", 44) + "" + " is more"},
		{"the first fault", `[]`, `[]`, "", Map{}, Map{}, false, "options.fieldsMap is more"},
	} {
		m := Read([]byte(tc.attributes), []byte(tc.fields), tc.userID)
		require.NotNil(t, m, tc.name)
		assert.Equal(t, tc.userinfo, m.Userinfo, tc.name)
		assert.Equal(t, tc.claims, m.Claims, tc.name)
		assert.Equal(t, tc.only, m.Only, tc.name)
		assert.True(t, tc.fault == "" && m.Fault == "" || tc.fault != "" && strings.HasPrefix(m.Fault, tc.fault), "%s: %s", tc.name, m.Fault)
	}
	for _, nothing := range []string{"", "null", "{}"} {
		assert.Nil(t, Read([]byte(nothing), []byte(nothing), ""), nothing)
	}
	assert.Nil(t, Read([]byte(`{"mapping_mode": "bind_all", "attributes": {"email": "x"}}`), nil, ""))
	for _, path := range []string{"", " ", "a\x7fb", "a\tb", "a;b", `a\b`} {
		assert.False(t, isPath(path), "%q", path)
	}
	assert.True(t, isPath("https://example.com/id!"))
}

func TestO10Values(t *testing.T) {
	doc, ok := strictjson.Members([]byte(`{"sub": "1", "name": "N", "email": "e", "email_verified": true, "phone_number": "5", "phone_number_verified": true,
		"mail": "m", "nothing": null, "example.com/id": "dots", "a": {"b.c": {"d": 7}, "e": {}}, "a.x": {}, "": {"z": 8}}`))
	require.True(t, ok)
	for _, tc := range []struct {
		name string
		r    Reading
		want string
	}{
		{"claims", Reading{}, `email=email:"e" email_verified=email_verified:true name=name:"N" phone_number=phone_number:"5" phone_verified=phone_number_verified:true user_id=sub:"1"`},
		{"fields", Reading{Fields: map[string]string{"user_id": "mail", "name": "none"}}, `user_id=mail:"m"`},
		{"above", Reading{Fields: map[string]string{"user_id": "sub"}, Over: Map{"user_id": {"mail"}, "x": {"a.b.c.d"}}}, `user_id=mail:"m" x=a.b.c.d:7`},
		{"the first that is there", Reading{Fields: map[string]string{"user_id": "sub"}, Over: Map{"x": {"no", "nothing", "mail", "sub"}}}, `user_id=sub:"1" x=mail:"m"`},
		{"null, where nothing else is", Reading{Fields: map[string]string{}, Over: Map{"x": {"no", "nothing", "neither"}}}, `x=nothing:null`},
		{"a name with a dot", Reading{Fields: map[string]string{}, Over: Map{"x": {"example.com/id"}, "y": {"a.e.f"}, "z": {"a.x.y"}}}, `x=example.com/id:"dots"`},
		{"a name that is empty", Reading{Fields: map[string]string{}, Over: Map{"x": {".z"}, "y": {".a"}}}, `x=.z:8`},
		{"only", Reading{Fields: map[string]string{"user_id": "sub", "name": "name"}, Only: true, Over: Map{"email": {"mail"}}}, `email=mail:"m" user_id=sub:"1"`},
		{"another address is not the verified one", Reading{Over: Map{"email": {"mail"}, "phone_number": {"mail"}}, Only: false},
			`email=mail:"m" name=name:"N" phone_number=mail:"m" user_id=sub:"1"`},
	} {
		var got []string
		for _, v := range tc.r.Values(doc) {
			got = append(got, v.Name+"="+v.Path+":"+string(v.Text))
		}
		assert.Equal(t, tc.want, strings.Join(got, " "), tc.name)
	}
	// A path is tried where something stands alone: each dot may be a border or not,
	// which would be a million million ways through nothing. (rule P1)
	assert.Nil(t, lookup(nil, strings.Repeat("a.", 40)+"a"))

	r := Reading{Over: Map{"x": {"a", "b"}}}
	assert.Equal(t, `a" or "b`, r.Path("x"))

	m := &Mapping{Userinfo: Map{"u": nil}, Claims: Map{"c": nil}, Only: true, Fault: "f"}
	fields := map[string]string{"user_id": "x"}
	assert.Equal(t, Reading{fields, m.Userinfo, true, "f"}, m.Reading(fields, false))
	assert.Equal(t, Reading{fields, m.Claims, true, "f"}, m.Reading(fields, true))
	assert.Equal(t, Reading{Fields: fields}, (*Mapping)(nil).Reading(fields, true))
	assert.Equal(t, "id", Own("github")["user_id"])
	assert.Equal(t, "ID", Own("wordpress")["user_id"])
	assert.Nil(t, Own("oidc"))
	assert.True(t, OfToken("nonce"))
	assert.False(t, OfToken("sub"), "that is the user")
}
