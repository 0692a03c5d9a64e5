//go:build !unix

package fetchscript

import "time"

// confine has nothing to go by here.
func confine(int) error { return nil }

func usedCPU() time.Duration { return 0 }
