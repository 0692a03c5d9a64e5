//go:build race

package upstream_test

// raceEnabled says that the race detector is on: it keeps functions from being
// inlined, and then a request moves to the heap.
const raceEnabled = true
