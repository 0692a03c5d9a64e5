//go:build !386 && !arm && !mips && !mipsle

package engine

// This file owns the memory of an engine: one range of addresses from which
// the JavaScript engine allocates everything, so that its whole state can be
// copied, put back, and taken away.

import (
	"math/bits"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

const (
	blockHeader = 16 // bytes before each block; keeps blocks aligned to 16
	smallStep   = 16 // classes of small blocks differ by this
	smallMax    = 1024
	smallCount  = smallMax / smallStep
	classCount  = smallCount + 4*40 // four classes for each doubling above smallMax
)

// A ledger stands at the start of an engine's memory and says what of it is in
// use. It lies inside so that a copy of the memory is a copy of it too.
type ledger struct {
	functions lib.TJSMallocFunctions
	size      uintptr // bytes in all
	next      uintptr // offset of what was never handed out
	highest   uintptr // the highest next since the memory was last cleaned
	refused   uint32  // not 0 once an allocation did not fit
	stop      uint32  // not 0 once the script must stop; written by other goroutines
	free      [classCount]uintptr
}

// A block stands before each piece of memory that is in use.
type block struct {
	class uintptr
	size  uintptr // usable bytes
}

// at turns an address of the engine's memory into a pointer. It is no memory of
// Go's, so neither vet's nor the collector's rules for uintptr matter.
func at[T any](address uintptr) *T { return (*T)(unsafe.Add(unsafe.Pointer(nil), address)) }

// classOf gives the class of the smallest blocks that hold n bytes, and their size.
func classOf(n uintptr) (class, size uintptr) {
	if n <= smallMax {
		class = (max(n, 1) - 1) / smallStep
		return class, (class + 1) * smallStep
	}
	top := uintptr(bits.Len64(uint64(n-1)) - 1) // 2^top < n <= 2^(top+1)
	quarter := uintptr(1) << (top - 2)
	steps := (n - 1<<top + quarter - 1) / quarter // 1..4
	return smallCount + (top-10)*4 + steps - 1, 1<<top + steps*quarter
}

// maxBlock keeps classOf's arithmetic in range, whatever size a script asks for.
const maxBlock = 1 << 40

func (l *ledger) alloc(base, n uintptr) uintptr {
	if n > maxBlock {
		l.refused = 1
		return 0
	}
	if !CanKill && atomic.LoadUint32(&l.stop) != 0 {
		return 0 // the one way there to end a built-in function that takes ever more
	}
	class, size := classOf(n)
	if address := l.free[class]; address != 0 {
		l.free[class] = *at[uintptr](address)
		return address
	}
	if l.size-l.next < blockHeader+size {
		l.refused = 1
		return 0
	}
	address := base + l.next + blockHeader
	l.next += blockHeader + size
	l.highest = max(l.highest, l.next)
	*at[block](address - blockHeader) = block{class, size}
	return address
}

func (l *ledger) release(base, address uintptr) {
	b := at[block](address - blockHeader)
	if address+b.size == base+l.next {
		l.next = address - blockHeader - base // the last one: a growing string moves on and on
		return
	}
	*at[uintptr](address) = l.free[b.class]
	l.free[b.class] = address
}

// grow gives the last block more room where it stands.
func (l *ledger) grow(base, address, n uintptr) bool {
	b := at[block](address - blockHeader)
	if address+b.size != base+l.next || n > maxBlock || !CanKill && atomic.LoadUint32(&l.stop) != 0 {
		return false
	}
	class, size := classOf(n)
	if end := address - base + size; end <= l.size {
		*b = block{class, size}
		l.next = end
		l.highest = max(l.highest, end)
		return true
	}
	return false
}

// The engine calls the four functions below. state is its JSMallocState, whose
// opaque member is the address of the ledger.

func jsMalloc(_ *libc.TLS, state uintptr, n lib.Size_t) uintptr {
	s := at[lib.TJSMallocState](state)
	address := at[ledger](s.Fopaque).alloc(s.Fopaque, uintptr(n))
	if address != 0 {
		s.Fmalloc_count++
		s.Fmalloc_size += lib.Size_t(at[block](address-blockHeader).size + blockHeader)
	}
	return address
}

func jsFree(_ *libc.TLS, state, address uintptr) {
	if address == 0 {
		return
	}
	s := at[lib.TJSMallocState](state)
	s.Fmalloc_count--
	s.Fmalloc_size -= lib.Size_t(at[block](address-blockHeader).size + blockHeader)
	at[ledger](s.Fopaque).release(s.Fopaque, address)
}

func jsRealloc(tls *libc.TLS, state, address uintptr, n lib.Size_t) uintptr {
	switch {
	case address == 0 && n == 0:
		return 0
	case address == 0:
		return jsMalloc(tls, state, n)
	case n == 0:
		jsFree(tls, state, address)
		return 0
	}
	s := at[lib.TJSMallocState](state)
	size := at[block](address - blockHeader).size
	if _, need := classOf(min(uintptr(n), maxBlock)); need <= size && need*2 >= size {
		return address
	}
	if at[ledger](s.Fopaque).grow(s.Fopaque, address, uintptr(n)) {
		s.Fmalloc_size += lib.Size_t(at[block](address-blockHeader).size - size)
		return address
	}
	moved := jsMalloc(tls, state, n)
	if moved == 0 {
		return 0
	}
	keep := min(size, uintptr(n))
	copy(unsafe.Slice(at[byte](moved), keep), unsafe.Slice(at[byte](address), keep))
	jsFree(tls, state, address)
	return moved
}

func jsUsableSize(_ *libc.TLS, address uintptr) lib.Size_t {
	if address == 0 {
		return 0
	}
	return lib.Size_t(at[block](address - blockHeader).size)
}
