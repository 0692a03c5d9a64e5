//go:build unix

package fetchscript

import (
	"time"

	"golang.org/x/sys/unix"
)

// confine gives up what a child does not need. It cannot be undone.
func confine(memory int) error {
	room, err := addressSpace()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		value    uint64
	}{
		{unix.RLIMIT_CORE, 0},   // a dump would hold tokens
		{unix.RLIMIT_NOFILE, 0}, // no file, no socket; the pipes are open
		{unix.RLIMIT_CPU, uint64(childCPUHard / time.Second)},
		{unix.RLIMIT_AS, room + 4*uint64(memory) + 256*mebibyte}, // the engine, and Go's own
	} {
		if l.resource == unix.RLIMIT_AS && room == 0 {
			continue
		}
		limit := newRlimit(l.value)
		if err := unix.Setrlimit(l.resource, &limit); err != nil {
			return err
		}
	}
	return filterSystemCalls()
}

// usedCPU gives the processor time that this process has used.
func usedCPU() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
