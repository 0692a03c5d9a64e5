//go:build race

package fetchscript_test

// The race detector makes the engine several times slower.
const raceFactor = 2
