//go:build !race

package fetchscript_test

const raceFactor = 1
