// Package mapping reads what a connection says of where the members of a profile
// stand: attribute_map, fieldsMap and userid_attribute. It owns the paths into a
// document, and what of the vendor's expressions is one. It knows nothing of
// profiles and of how a document is had.
//
// All three become one [Map] for userinfo and one for the ID token's claims, since only
// attribute_map says which of the two it means:
//
//	"userid_attribute": "oid"                        both    user_id -> oid
//	"fieldsMap": {"email": ["mail", "upn"]}          both    email -> mail, else upn
//	"attribute_map": {"mapping_mode": "use_map",
//	  "attributes": {
//	    "name":  "${context.userinfo.display.full}", userinfo  name -> display.full
//	    "email": "${context.tokenset.email}"}}       claims    email -> email
//
// They are read in that order, and a later one replaces what an earlier one says of the
// same attribute in the same document: attribute_map is the most exact.
//
// What is more than a path (a concatenation, a function) is not read in part. A profile
// by half of its mapping would have another user id or address than the vendor's, and
// be another user; so [Mapping].Fault keeps every profile from being made. (rule O10)
package mapping

import (
	"slices"
	"strings"

	"example.com/upstream/internal/strictjson"
)

// A Map says for a document where the members of the profile stand: several
// paths are tried in turn. Members without an entry stand where they always do.
type Map map[string][]string

// A Mapping is what a connection's options come to. The zero value changes nothing.
type Mapping struct {
	Userinfo, Claims Map
	Only             bool   // nothing but what is mapped is taken over
	Fault            string // why no profile can be read by it; repeats no value
}

// Read compiles the three options, which strictjson.Check has accepted where they
// are JSON; each may be empty. nil is the mapping that changes nothing. "use_map"
// without attributes is not that: it takes everything but the user id away.
func Read(attributeMap, fieldsMap []byte, userIDAttribute string) *Mapping {
	m := &Mapping{Userinfo: Map{}, Claims: Map{}}
	if userIDAttribute != "" {
		m.both("user_id", []string{userIDAttribute}, "userid_attribute")
	}
	m.readFields(fieldsMap)
	m.readAttributes(attributeMap)
	if m.Fault == "" && !m.Only && len(m.Userinfo) == 0 && len(m.Claims) == 0 {
		return nil
	}
	return m
}

// fail keeps the first fault: one is enough to refuse, and its name may be as long as
// the connection.
func (m *Mapping) fail(option, name string) {
	if m.Fault == "" {
		if len(name) > 100 {
			name = name[:100]
		}
		m.Fault = "options." + option + strings.ToValidUTF8(name, "") + " is more than a path to a member, which is all that can be read here; " +
			"use Provider.WithProfileFetcher for such a connection"
	}
}

// both maps an attribute in either document. If one of its paths is none, the others
// are not used alone: the attribute would be found elsewhere than its administrator
// thinks.
func (m *Mapping) both(name string, paths []string, option string) {
	if slices.ContainsFunc(paths, func(path string) bool { return !isPath(path) }) {
		m.fail(option, "")
		return
	}
	m.Userinfo[name], m.Claims[name] = paths, paths
}

// readFields reads fieldsMap: {"email": "mail"}, or several paths in an array.
func (m *Mapping) readFields(text []byte) {
	members, ok := strictjson.Members(text)
	if len(text) > 0 && !ok && !strictjson.IsNull(text) {
		m.fail("fieldsMap", "")
	}
	for _, member := range members {
		var paths []string
		elements, list := strictjson.Elements(member.Value)
		switch {
		case strictjson.IsNull(member.Value):
			continue
		case !list:
			elements = [][]byte{member.Value}
		}
		for _, e := range elements {
			paths = append(paths, strictjson.Text(e)) // "" of what is no string, which is no path
		}
		if len(paths) > 0 {
			m.both(member.Name, paths, "fieldsMap")
		}
	}
}

// readAttributes reads attribute_map, whose attributes count where mapping_mode
// is use_map: {"email": "${context.userinfo.mail}"}.
func (m *Mapping) readAttributes(text []byte) {
	members, ok := strictjson.Members(text)
	if len(text) > 0 && !ok && !strictjson.IsNull(text) {
		m.fail("attribute_map", "")
	}
	if strictjson.Text(strictjson.Find(members, "mapping_mode")) != "use_map" {
		return
	}
	m.Only = true
	attributes, _ := strictjson.Members(strictjson.Find(members, "attributes"))
	for _, a := range attributes {
		if strictjson.IsNull(a.Value) {
			continue
		}
		expression := strictjson.Text(a.Value)
		expression, closed := strings.CutSuffix(expression, "}")
		claim, claims := strings.CutPrefix(expression, "${context.tokenset.")
		member, userinfo := strings.CutPrefix(expression, "${context.userinfo.")
		switch {
		case closed && claims && isPath(claim):
			m.Claims[a.Name] = []string{claim}
		case closed && userinfo && isPath(member):
			m.Userinfo[a.Name] = []string{member}
		default:
			m.fail("attribute_map", ".attributes."+a.Name)
		}
	}
}

// isPath reports whether a text can only be the name of a member, or names with
// dots between them. Names of claims may be URLs (OpenID Connect Core section 5.1.2),
// so that what is refused is what an expression has and a name hardly ever: blanks,
// operators, brackets, quotes.
func isPath(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune("${}()[]<>|&+*'\"`,;\\", r)
	})
}

// lookup gives what stands at a dotted path, nil if nothing does. The longest
// name goes first, so that a claim named "example.com/id" can be reached. (rule U4)
//
// Each dot may be a border between names or part of one, and they are tried from the
// right, back to here when one leads nowhere:
//
//	{"a": {"b.c": {"d": 7}}}   a.b.c.d
//	 a.b.c.d  a.b.c|d  a.b|c.d  no such names
//	 a|b.c.d                    a is there; below it b.c.d is not a name,
//	   b.c|d                    b.c is there, and has d
//
// It goes down only into members that exist, so that the ways are no more than the
// document has members, however many dots there are.
func lookup(members []strictjson.Member, path string) []byte {
	if value := strictjson.Find(members, path); value != nil {
		return value
	}
	for end := len(path); ; {
		if end = strings.LastIndexByte(path[:end], '.'); end < 0 {
			return nil
		}
		if below, _ := strictjson.Members(strictjson.Find(members, path[:end])); len(below) > 0 {
			if value := lookup(below, path[end+1:]); value != nil {
				return value
			}
		}
	}
}
