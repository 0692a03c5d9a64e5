//go:build !unix && !386 && !arm

package engine

import "unsafe"

// CanKill says whether Kill works here.
const CanKill = false

func newPages(size int) ([]byte, error) { return make([]byte, size), nil }

func cleanPages(pages []byte, keep, used int) { clear(pages[keep:used]) }

func lockPages([]byte) {}

func freePages([]byte) {}

func addressOf(pages []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(pages))) }
