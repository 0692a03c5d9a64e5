//go:build unix && !386 && !arm && !mips && !mipsle

package engine

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CanKill says whether Kill works here.
const CanKill = true

// newPages reserves memory that costs nothing until it is written to.
func newPages(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

// cleanPages gives what lies behind the first keep bytes, whole pages, back to
// the system; used says how far they were written to. They read as zero then.
func cleanPages(pages []byte, keep, used int) {
	// Only Linux promises that at once; elsewhere it is cleared by hand.
	if runtime.GOOS == "linux" && unix.Madvise(pages[keep:], unix.MADV_DONTNEED) == nil {
		return
	}
	clear(pages[keep:used])
	_ = unix.Madvise(pages[keep:], unix.MADV_FREE) // only memory is lost where it fails
}

// lockPages makes every access to the pages fault.
func lockPages(pages []byte) { _ = unix.Mprotect(pages, unix.PROT_NONE) }

func freePages(pages []byte) { _ = unix.Munmap(pages) }

func addressOf(pages []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(pages))) }
