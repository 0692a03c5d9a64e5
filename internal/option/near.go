package option

// This file tells what a name may have been meant to be. It knows names alone,
// and nothing of values.
//
// Nothing here reads a member under a wrong name; the question is whether it is an
// error or a warning. The vendor ignores what it does not know, so that a
// connection with an unknown member works there, and has to work here. But a
// setting that is ignored must not weaken a login in silence. Hence three circles
// around each name of the table, the surest first:
//
//	the right name at the wrong place       error: options.strategy
//	another spelling of a canonical form    error: clientID, token-url, scopes
//	one edit from a Secure name             error: isuer, token_ulr
//	any other near miss                     warning, with the nearest name
//
// The canonical form is exact, and found in a map; only the few Secure names are
// compared letter by letter. An error needs to be sure of itself; a wrong guess
// would refuse a connection that works.

import (
	"strings"

	"example.com/upstream/internal/check"
)

// Mistaken says what is wrong with a member of an object whose name the table
// does not have there, "" if nothing is sure. place reports whether the name is
// right but for its case or its place.
//
// The same level goes before another one: in options, clientIDs is client_id there, and
// not the name of some member elsewhere. Secure names come last, since one edit away
// is a guess, and the other two are not.
func Mistaken(object, name string) (message string, place bool) {
	o := known.objects[object]
	switch at := known.levels[name]; {
	case o == nil:
		return "", false
	case at == "options": // inside itself
		return "is not read here; options stands at the root, once", true
	case at != "": // rule P5
		return "is not read here; " + write(object, at), true
	case returned[name]:
		return "", false
	}
	form := canonical(name)
	right := o.folded[form]
	// A Switch (the vendor's tick boxes, one for each scope) is many names that are
	// near to one another by nature, and does nothing here: never an error.
	if right != "" && !(o.names[right].Switch) {
		return "is not read here; " + write(object, join(object, right)), check.Fold(name) == check.Fold(right)
	}
	if at := elsewhere(form); at != "" {
		return "is not read here; " + write(object, at), check.Fold(name) == check.Fold(base(at))
	}
	for i, right := range o.secure {
		if oneEdit(form, o.secureForm[i]) {
			return "is not known; did you mean " + right + "?", false
		}
	}
	return "", false
}

// Unknown is the warning about such a member. Here a guess costs nothing, so that the
// nearest name of all is given, also that of a tick box.
func Unknown(object, name string) string {
	o := known.objects[object]
	if o == nil {
		return ""
	}
	near := o.folded[canonical(name)]
	if near == "" && len(name) <= maxName {
		near = check.Nearest(name, o.list)
	}
	if near == "" {
		return "is not known here and has no effect"
	}
	return "is not known here and has no effect; did you mean " + near + "?"
}

// maxName bounds the names that are compared letter by letter, in bytes. A longer one
// is near to none of the table, whose longest has 38; the bound saves the time to see it.
const maxName = 64

// returned are names that the vendor's API gives back though its schema has
// others, so that an error would refuse what was got from there. (rule O2)
var returned = map[string]bool{"custom_headers": true}

// Objects gives the paths of the objects whose members are told apart.
func Objects() []string { return levels[:] }

// elsewhere gives the path of the honoured member at another level that a
// canonical form stands for. A name without effect loses nothing in the wrong
// place, so that those are passed over.
func elsewhere(form string) string {
	for _, object := range Objects() {
		if at := known.levels[known.objects[object].folded[form]]; at != "" && parent(at) == object {
			return at
		}
	}
	return ""
}

// levels are the objects of the table whose members stand at one place each.
var levels = [...]string{"", "options", "options/connection_settings", "options/scripts"}

func join(object, name string) string {
	if object == "" {
		return name
	}
	return object + "/" + name
}

// write says how to write a path, seen from an object.
func write(object, path string) string {
	dotted := strings.ReplaceAll(path, "/", ".")
	switch {
	case parent(path) == object:
		return "write " + base(path)
	case object == "" || parent(path) != "":
		return "write " + dotted
	}
	return "write " + dotted + " at the root, beside options"
}

// Form is what names that are taken for one another have in common.
func Form(name string) string { return canonical(name) }

// canonical is what is left of a name without case, separators and a plural s:
// the vendor's own members are spelled in three ways (tokenURL, token_endpoint,
// enabledClients), so that people mix them up. Two letters keep their s: "us" is no
// plural.
func canonical(name string) string {
	name = separators.Replace(check.Fold(name))
	if len(name) > 2 {
		name = strings.TrimSuffix(name, "s")
	}
	return name
}

var separators = strings.NewReplacer("_", "", "-", "")

// oneEdit reports whether one letter put in, taken out or changed, or two
// neighbours swapped, make one of two names the other. It finds the first letter
// that differs; what is behind it has to be equal but for the one edit. Two letters
// are one edit from too many names.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || len(a) < 3 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) || a[i+1:] == b[i+1:] {
		return true
	}
	return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
