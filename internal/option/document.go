package option

// This file holds the members of a document against the table. It knows how the
// objects of the table nest, and of values no more than whether they say
// anything.

import "example.com/upstream/internal/strictjson"

// Members gives the members of an object of the table, in the order of a
// document.
type Members func(object string) []strictjson.Member

// Mistakes reports names that are nearly, or elsewhere, those of the table. Of a
// protocol without OAuth the table knows little: with strange, only case and
// place are told. (rules C2, O2, P5)
func Mistakes(of Members, strange bool, report func(pointer, message string)) {
	unknown(of, func(object, name string) bool {
		if message, sure := Mistaken(object, name); message != "" && (sure || !strange) {
			report(pointer(object, name), message)
		}
		return true
	})
}

// maxUnknown bounds how many unknown names are compared with the table.
const maxUnknown = 100

// Warn tells what nothing will come of in a connection of the strategy: unknown
// names that are no mistakes, and known ones that do nothing here. scoped is that
// the connection has a scope. (rule O2)
func Warn(of Members, strategy string, scoped bool, warn func(pointer, message string)) {
	told := 0
	unknown(of, func(object, name string) bool {
		if message, _ := Mistaken(object, name); message == "" {
			warn(pointer(object, name), Unknown(object, name))
			told++
		}
		return told < maxUnknown
	})
	for _, object := range Objects() {
		for _, m := range of(object) {
			if known := In(object, m.Name); known != nil && !empty(m.Value) {
				warn(pointer(object, m.Name), known.Idle(strategy, string(m.Value) == "true" && !scoped))
			}
		}
	}
}

// unknown calls f with each member that the table does not have, until it
// returns false.
func unknown(of Members, f func(object, name string) bool) {
	for _, object := range Objects() {
		for _, m := range of(object) {
			if In(object, m.Name) == nil && !f(object, m.Name) {
				return
			}
		}
	}
}

func pointer(object, name string) string {
	if object != "" {
		object = "/" + object
	}
	return object + strictjson.Pointer(name)
}

// empty reports whether a value says no more than its absence: forms and dashboards
// write them for every setting that is left alone.
func empty(value []byte) bool {
	switch string(value) {
	case "null", `""`, "false", "[]", "{}":
		return true
	}
	return false
}
