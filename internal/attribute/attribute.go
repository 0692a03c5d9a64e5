// Package attribute owns the JSON of a profile: one flat object, of which some
// members have a field in Go and a type, and all others pass as they are. (rules
// U3, U5, U6, U7)
//
// It must not know where a document comes from, nor where in it a member stands,
// nor which of the fields a profile has: that is the caller's list.
//
// Reading is lenient where providers differ and nobody is harmed (a number or false for
// a text), and strict where a guess would make two users one, or one user two: the user
// id, and whether an address is verified. What is read and written again reads the
// same, so that a host may keep a profile as JSON.
package attribute

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/strictjson"
)

// UserID is the attribute that says who the user is, and held to more than others.
const UserID = "user_id"

// A Field is a member that Go has a field for.
type Field struct {
	Name string
	To   any // *string, **bool or *json.RawMessage; the last for an object
}

// An Object is a profile, by its fields and all other members.
type Object struct {
	Fields []Field
	Extra  *map[string]json.RawMessage
}

// Has reports whether a member of that name has a field.
func (o *Object) Has(name string) bool { return o.field(name) != nil }

func (o *Object) field(name string) *Field {
	for i := range o.Fields {
		if o.Fields[i].Name == name {
			return &o.Fields[i]
		}
	}
	return nil
}

// Set takes over one member, and says what is wrong with its value, "" if nothing
// is. The text is copied: it may be part of a larger one. null is as if absent.
func (o *Object) Set(name string, value []byte) (problem string) {
	f := o.field(name)
	if f == nil {
		if *o.Extra == nil {
			*o.Extra = map[string]json.RawMessage{}
		}
		(*o.Extra)[name] = bytes.Clone(value)
		return ""
	}
	switch to := f.To.(type) {
	case *string:
		if name == UserID {
			problem = readID(to, value)
		} else {
			problem = readText(to, value)
		}
	case **bool:
		// Anything but true is false, which only costs the user a confirmation: true for
		// "yes" or 1 could give one user's account to whoever typed in the address.
		if !strictjson.IsNull(value) {
			is := string(value) == "true" || strictjson.Text(value) == "true"
			*to = &is
		}
	case *json.RawMessage:
		if _, object := strictjson.Members(value); object {
			*to = bytes.Clone(value)
		} else if !strictjson.IsNull(value) {
			problem = "is not a JSON object"
		}
	}
	if problem != "" {
		return name + " " + problem
	}
	return ""
}

// readID takes no value that could stand for two users: float64 would make
// 9007199254740993 its neighbour, and a lone surrogate decodes to U+FFFD. A number keeps
// its digits, and 1e3 or 1.0 is refused rather than written out: the next version of the
// provider's program might write it out otherwise.
func readID(id *string, value []byte) (problem string) {
	switch {
	case isInteger(value) && check.UserID(string(value)):
		*id = string(value)
	case check.UserID(strictjson.Text(value)):
		*id = strictjson.Text(value)
	case isInteger(value) || strings.TrimSpace(strictjson.Text(value)) != "":
		return check.BadUserID
	default:
		return "must be a string that is not blank, or an integer without fraction and exponent"
	}
	return ""
}

// readText is for the optional texts. Providers written in PHP answer false for
// what they do not know.
func readText(text *string, value []byte) (problem string) {
	switch {
	case strictjson.IsText(value):
		*text = strictjson.Text(value)
	case isInteger(value):
		*text = string(value)
	case !strictjson.IsNull(value) && string(value) != "false":
		return "must be a string"
	}
	return ""
}

// isInteger goes by the text of a value, which is not empty.
func isInteger(value []byte) bool {
	return (value[0] == '-' || '0' <= value[0] && value[0] <= '9') && !bytes.ContainsAny(value, ".eE")
}

// Marshal writes the fields that are set, in their order, then objects and all
// other members in the order of names. The error is about a text that the program
// has put there and that is not JSON. What comes from a document was checked, but a
// host may write to Extra, and one wrong text would make the whole unreadable.
func (o *Object) Marshal() ([]byte, error) {
	out := []byte{'{'}
	put := func(name string, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, strictjson.Marshal(name)...), ':'), value...)
	}
	raw := maps.Clone(*o.Extra)
	if raw == nil {
		raw = map[string]json.RawMessage{}
	}
	for _, f := range o.Fields {
		delete(raw, f.Name) // of unset ones, too: Extra must not speak for a field
		switch from := f.To.(type) {
		case *string:
			if *from != "" {
				put(f.Name, strictjson.Marshal(*from))
			}
		case **bool:
			if *from != nil {
				put(f.Name, strictjson.Marshal(**from))
			}
		case *json.RawMessage:
			if *from != nil {
				raw[f.Name] = *from
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if err := strictjson.Check(raw[name]); err != nil {
			return nil, fmt.Errorf("the member %q holds no JSON value: %v", name, err)
		}
		put(name, raw[name])
	}
	return append(out, '}'), nil
}
