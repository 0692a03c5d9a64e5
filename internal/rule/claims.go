package rule

// This file reads the claims parameter of OpenID Connect Core 5.5: which claims
// the application asks for in the userinfo answer and in the ID token.

import "example.com/upstream/internal/strictjson"

// claimPlaces are the members of a claims request that are understood; others
// "must be ignored", and are taken out.
var claimPlaces = [...]string{"userinfo", "id_token"}

// ClaimsProblem says what keeps a text from being a claims request, "" if nothing
// does. It repeats nothing of the text. A name that stands twice is a problem as well
// (strictjson.Check): the identity provider might read the one that was not checked.
func ClaimsProblem(text string) string {
	const problem = "is no claims request (OpenID Connect Core 5.5)"
	doc := []byte(text)
	if strictjson.Check(doc) != nil || !strictjson.IsObject(doc) {
		return problem
	}
	for _, place := range claimPlaces {
		value, ok := placed(doc, place)
		if !ok {
			return problem
		}
		claims, _ := strictjson.Members(value)
		for _, claim := range claims {
			if !strictjson.IsNull(claim.Value) && !strictjson.IsObject(claim.Value) {
				return problem
			}
		}
	}
	return ""
}

// placed gives the claims of one place, nil if it has none; not ok if that is no
// object.
func placed(doc []byte, place string) ([]byte, bool) {
	members, _ := strictjson.Members(doc)
	value := strictjson.Find(members, place)
	if value == nil || strictjson.IsNull(value) {
		return nil, true
	}
	return value, strictjson.IsObject(value)
}

// claims leaves those claims of a request whose names pass, "" if there is none.
// What is asked of them stays as it came: {"essential": true} and {"value": ...}
// are between the application and the identity provider (Core 5.5.1). It is put
// together anew from the two places rather than edited, so that nothing else the
// text holds gets through.
//
//	{"userinfo": {"email": null, "x": null}, "id_token": {"acr": {"essential": true}}, "y": 1}
//	with allow of acr and email:
//	{"userinfo":{"email":null},"id_token":{"acr":{"essential": true}}}
//
// A place of which no claim is left goes as well: an empty one would ask for nothing,
// in the application's name.
func (r *Rule) claims(text string) string {
	if ClaimsProblem(text) != "" {
		return ""
	}
	// A pattern is held against all names together, as against all items of a list: a
	// request of 32 KiB may have thousands.
	names := 0
	for _, place := range claimPlaces {
		value, _ := placed([]byte(text), place)
		members, _ := strictjson.Members(value)
		for _, claim := range members {
			names += len(claim.Name)
		}
	}
	out := []byte{'{'}
	for _, place := range claimPlaces {
		value, _ := placed([]byte(text), place)
		members, _ := strictjson.Members(value)
		before, kept := len(out), 0
		for _, claim := range members {
			if !r.passes(claim.Name, names) {
				continue
			}
			if kept++; kept > 1 {
				out = append(out, ',')
			} else {
				if before > 1 {
					out = append(out, ',')
				}
				out = append(append(out, strictjson.Marshal(place)...), ':', '{')
			}
			out = append(append(append(out, strictjson.Marshal(claim.Name)...), ':'), claim.Value...)
		}
		if kept > 0 {
			out = append(out, '}')
		}
	}
	if len(out) == 1 {
		return ""
	}
	return string(append(out, '}'))
}
