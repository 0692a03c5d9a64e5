package fetchscript

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A stopwatch measures the processor time of the goroutine that started it, which
// keeps its thread until it stops. Any goroutine may read it meanwhile.
type stopwatch struct {
	clock int32
	begin time.Duration
}

// startWatch starts a stopwatch.
func startWatch() stopwatch {
	runtime.LockOSThread()
	// The clock of one thread, by its number: see clock_getcpuclockid(3).
	const perThread, scheduled = 4, 2
	w := stopwatch{clock: int32(^unix.Gettid()<<3 | perThread | scheduled)}
	w.begin = w.read()
	return w
}

func (w stopwatch) read() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(w.clock, &t) != nil {
		return 0 // never seen; the run's Timeout holds all the same
	}
	return time.Duration(t.Nano())
}

func (w stopwatch) spent() time.Duration { return w.read() - w.begin }

func (w stopwatch) stop() time.Duration {
	defer runtime.UnlockOSThread()
	return w.spent()
}
