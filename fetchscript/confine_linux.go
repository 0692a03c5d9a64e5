package fetchscript

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func newRlimit(n uint64) unix.Rlimit { return unix.Rlimit{Cur: n, Max: n} }

// addressSpace gives the bytes of address space that Go has reserved already.
func addressSpace() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, nil // no /proc: the limit is left out
	}
	var pages uint64
	if _, err := fmt.Sscan(string(text), &pages); err != nil {
		return 0, err
	}
	return pages * uint64(os.Getpagesize()), nil
}
