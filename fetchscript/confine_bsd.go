//go:build unix && !linux

package fetchscript

// addressSpace is not known here; the limit is left out.
func addressSpace() (uint64, error) { return 0, nil }

func noPrivileges() error { return nil }
