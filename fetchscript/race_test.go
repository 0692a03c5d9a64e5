//go:build race

package fetchscript_test

// underRace says that the race detector takes memory and time.
const underRace = true
