//go:build unix

package fetchscript

// Confine does to this process what is done to a child.
var Confine = confine
