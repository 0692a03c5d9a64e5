//go:build unix

package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// CanKill says whether Kill works here.
const CanKill = true

// newPages reserves memory that costs nothing until it is written to.
func newPages(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

// cleanPages gives what lies behind the first keep bytes back to the system.
func cleanPages(pages []byte, keep int) {
	page := unix.Getpagesize()
	if keep = (keep + page - 1) / page * page; keep < len(pages) {
		_ = unix.Madvise(pages[keep:], unix.MADV_DONTNEED) // only memory is lost where it fails
	}
}

// lockPages makes every access to the pages fault.
func lockPages(pages []byte) { _ = unix.Mprotect(pages, unix.PROT_NONE) }

func freePages(pages []byte) { _ = unix.Munmap(pages) }

func addressOf(pages []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(pages))) }
