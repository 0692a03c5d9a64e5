//go:build !linux

package fetchscript

import "time"

// A stopwatch measures time by the clock: there is no way here to read the
// processor time of another thread.
type stopwatch struct{ begin time.Time }

func startWatch() stopwatch { return stopwatch{time.Now()} }

func (w stopwatch) spent() time.Duration { return time.Since(w.begin) }

func (w stopwatch) stop() time.Duration { return w.spent() }
