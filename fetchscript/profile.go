package fetchscript

// This file owns the way from what a script gave to a profile.

import (
	"bytes"
	"errors"
	"strconv"

	"example.com/upstream"
	"example.com/upstream/internal/strictjson"
)

// idMembers are where a script puts the user's id. The documents want user_id;
// a quarter of the scripts in use have another.
var idMembers = [...]string{"user_id", "id", "uid", "sub"}

// maxInteger is the last integer of JavaScript's numbers that has no neighbour
// of the same digits.
const maxInteger = 1<<53 - 1

// newProfile reads the JSON that a script gave.
func newProfile(text string, limit int) (*upstream.Profile, *Error) {
	if len(text) > limit {
		return nil, limitError(LimitResult, "the profile is longer than %d bytes", limit)
	}
	data := []byte(text)
	if err := strictjson.Check(data); err != nil {
		return nil, messageError("the profile cannot be read as JSON: %v", err)
	}
	if strictjson.IsText(data) { // the body of an answer that was not parsed
		data = []byte(strictjson.Text(data))
		if err := strictjson.Check(data); err != nil {
			return nil, messageError("the script gave a text for a profile, and it is not JSON")
		}
	}
	members, object := strictjson.Members(data)
	if !object {
		return nil, messageError("the script gave no object for a profile")
	}
	id, found := userID(members)
	if !found {
		return nil, messageError("the profile has no user_id, nor an id, uid or sub in its place")
	}
	if n, err := strconv.ParseInt(string(id), 10, 64); !strictjson.IsText(id) && (err != nil || n > maxInteger || n < -maxInteger) {
		// JavaScript may have rounded it to another user's.
		return nil, messageError("user_id must be a string, or an integer of at most 2^53: a larger one is not exact in JavaScript")
	}
	kept := make([]strictjson.Member, 0, len(members)+1)
	kept = append(kept, strictjson.Member{Name: "user_id", Value: id})
	for _, m := range members {
		if m.Name != "user_id" && !unfit(m) {
			kept = append(kept, m)
		}
	}
	profile, err := upstream.ParseProfile(writeObject(kept))
	var fault *upstream.ProfileError
	if errors.As(err, &fault) {
		return nil, messageError("%s", fault.Message)
	}
	return profile, nil
}

// userID gives the first member that may hold the id and is not null.
func userID(members []strictjson.Member) ([]byte, bool) {
	for _, name := range idMembers {
		if value := strictjson.Find(members, name); value != nil && !strictjson.IsNull(value) {
			return value, true
		}
	}
	return nil, false
}

// unfit says whether a member has the name of an attribute and is nothing that
// could be one, as the picture or name of an answer that the script handed on
// as it was: {"picture": {"data": {"url": ...}}}. It is left out, and the user
// logs in.
func unfit(m strictjson.Member) bool {
	switch m.Name {
	case "name", "nickname", "given_name", "family_name", "picture", "username", "email", "phone_number":
		first := m.Value[0]
		return first == '{' || first == '[' || first == 't' || bytes.ContainsAny(m.Value, ".eE") && first != '"' && first != 'f' && first != 'n'
	case "user_metadata", "app_metadata":
		return string(m.Value) == "false" || string(m.Value) == `""`
	}
	return false
}

// writeObject writes members as one object.
func writeObject(members []strictjson.Member) []byte {
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, strictjson.Marshal(m.Name)...), ':'), m.Value...)
	}
	return append(out, '}')
}
