//go:build !race

package fetchscript_test

const underRace = false
