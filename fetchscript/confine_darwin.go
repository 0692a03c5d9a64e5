package fetchscript

import "golang.org/x/sys/unix"

func newRlimit(n uint64) unix.Rlimit { return unix.Rlimit{Cur: n, Max: n} }
