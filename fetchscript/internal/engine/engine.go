//go:build !386 && !arm && !mips && !mipsle

// Package engine runs JavaScript in memory of its own, which can be copied
// when a program is loaded, put back after each run, and locked to stop
// whatever runs in it. It knows nothing of profiles, of HTTP, or of time.
//
// The engine is QuickJS in Go (modernc.org/libquickjs). It is used without the
// wrapper modernc.org/quickjs because that gives no say in where memory comes
// from.
package engine

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

var (
	// ErrStopped is what a call gives that Interrupt or Kill ended.
	ErrStopped = errors.New("stopped")
	// ErrMemory is what a call gives that ended because no memory was left.
	ErrMemory = errors.New("out of memory")
	// ErrClosed is what every call gives after Close or Kill.
	ErrClosed = errors.New("the engine is closed")
)

// A SyntaxError says where a text is not JavaScript.
type SyntaxError struct {
	Line, Column int // from 1
	Message      string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// A Host answers when JavaScript calls host(name, ...). Arguments are texts or
// the bytes of an ArrayBuffer; the answer is a string, []byte for an
// ArrayBuffer, or Code for what that gives. An error is thrown with its text. It
// is called by the goroutine that called the engine.
type Host func(name string, args []string) (answer any, err error)

// Limits of an engine.
type Limits struct {
	Memory int // bytes in all, the engine's own included
	Stack  int // calls inside one another
}

// MinMemory is the least that an engine starts with.
const MinMemory = 4 << 20

// An Engine is a JavaScript engine. Only Interrupt and Kill may be called by
// another goroutine.
type Engine struct {
	pages   []byte
	base    uintptr
	tls     *libc.TLS
	runtime uintptr
	context uintptr
	host    Host
	entry   lib.TJSValue // the function that Call calls
	image   []byte       // of the memory, as Freeze found it

	rejected map[uintptr]string // promises that nobody handles, with the reason
	broken   bool               // a panic went through it

	mu     sync.Mutex // for what other goroutines do
	closed bool
	locked atomic.Bool // by Kill
}

// engines finds an Engine by the address of its memory: a C function has no
// other way back to Go.
var engines sync.Map

var handlers = struct {
	functions lib.TJSMallocFunctions
	interrupt uintptr
	host      uintptr
	rejection uintptr
}{
	lib.TJSMallocFunctions{
		Fjs_malloc:             function(jsMalloc),
		Fjs_free:               function(jsFree),
		Fjs_realloc:            function(jsRealloc),
		Fjs_malloc_usable_size: function(jsUsableSize),
	},
	function(jsInterrupt),
	function(jsHost),
	function(jsRejection),
}

// function gives a Go function the form in which the engine calls it, that of
// a pointer to its funcval.
func function(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

// Names that the engine reads as C strings.
var (
	nameHost     = cstring("host")
	nameMessage  = cstring("message")
	nameName     = cstring("name")
	nameLine     = cstring("lineNumber")
	nameColumn   = cstring("columnNumber")
	namePrelude  = cstring("prelude")
	nameScript   = cstring("fetchUserProfile")
	undefined    = lib.TJSValue{Ftag: lib.EJS_TAG_UNDEFINED}
	nameOfSource = map[bool]uintptr{false: namePrelude, true: nameScript}
)

// cstring makes a C string that lives as long as the program.
func cstring(s string) uintptr {
	p, err := libc.CString(s)
	if err != nil {
		panic(err) // no memory for a dozen bytes at the start of the program
	}
	return p
}

// New starts an engine.
func New(limits Limits, host Host) (*Engine, error) {
	pages, err := newPages(max(limits.Memory, MinMemory))
	if err != nil {
		return nil, fmt.Errorf("no memory for a JavaScript engine: %w", err)
	}
	e := &Engine{pages: pages, base: addressOf(pages), tls: libc.NewTLS(), host: host}
	l := e.ledger()
	*l = ledger{functions: handlers.functions, size: uintptr(len(pages)), next: (unsafe.Sizeof(ledger{}) + 15) &^ 15}
	engines.Store(e.base, e)
	err = e.guard(func() error {
		if e.runtime = lib.XJS_NewRuntime2(e.tls, e.base, e.base); e.runtime == 0 {
			return ErrMemory
		}
		lib.XJS_SetMaxStackSize(e.tls, e.runtime, lib.Size_t(limits.Stack))
		lib.XJS_SetInterruptHandler(e.tls, e.runtime, handlers.interrupt, e.base)
		lib.XJS_SetHostPromiseRejectionTracker(e.tls, e.runtime, handlers.rejection, e.base)
		lib.XJS_SetRuntimeOpaque(e.tls, e.runtime, e.base)
		if e.context = lib.XJS_NewContext(e.tls, e.runtime); e.context == 0 {
			return ErrMemory
		}
		global := lib.XJS_GetGlobalObject(e.tls, e.context)
		defer e.drop(global)
		f := lib.XJS_NewCFunction2(e.tls, e.context, handlers.host, nameHost, 1, lib.EJS_CFUNC_generic, 0)
		lib.XJS_SetPropertyStr(e.tls, e.context, global, nameHost, f)
		return nil
	})
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Engine) ledger() *ledger { return at[ledger](e.base) }

// guard runs what may fault, since Kill takes the memory away, and tells how it ended.
func (e *Engine) guard(f func() error) (err error) {
	if e.closed || e.broken || e.locked.Load() {
		return ErrClosed
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		switch {
		case e.locked.Load():
			err = ErrStopped
		case p != nil:
			// The engine does not check each allocation. Its state is beyond
			// repair; what ends the run is what went before.
			refused, stopped := e.ledger().refused != 0, atomic.LoadUint32(&e.ledger().stop) != 0
			e.broken = true
			switch {
			case stopped:
				err = ErrStopped
			case refused:
				err = ErrMemory
			default:
				err = fmt.Errorf("the JavaScript engine failed: %v", p)
			}
		case err != nil && atomic.LoadUint32(&e.ledger().stop) != 0:
			err = ErrStopped
		}
	}()
	return f()
}

func (e *Engine) drop(v lib.TJSValue) { lib.XFreeValue(e.tls, e.context, v) }

func isException(v lib.TJSValue) bool { return v.Ftag == lib.EJS_TAG_EXCEPTION }

// Load evaluates the connection's script.
func (e *Engine) Load(source string) error {
	return e.guard(func() error {
		v := e.eval(source, true, lib.MJS_EVAL_TYPE_GLOBAL)
		if isException(v) {
			return e.failure()
		}
		e.drop(v)
		return nil
	})
}

// Check says whether a text can be evaluated, without doing so. The error may be a [*SyntaxError].
func (e *Engine) Check(source string) error {
	return e.guard(func() error {
		v := e.eval(source, true, lib.MJS_EVAL_TYPE_GLOBAL|lib.MJS_EVAL_FLAG_COMPILE_ONLY)
		if isException(v) {
			return e.failure()
		}
		e.drop(v)
		return nil
	})
}

func (e *Engine) eval(source string, script bool, flags int32) (v lib.TJSValue) {
	e.lend(source, func(p uintptr) {
		v = lib.XJS_Eval(e.tls, e.context, p, lib.Size_t(len(source)), nameOfSource[script], flags)
	})
	return v
}

// Code is a compiled part of the prelude. It is read without any check, so it
// must come from Compile in the same process.
type Code []byte

// Compile compiles a part of the prelude. Loading Code takes a fraction of the
// time that loading a text does.
func (e *Engine) Compile(source string) (code Code, err error) {
	err = e.guard(func() error {
		lib.XJS_SetStripInfo(e.tls, e.runtime, lib.MJS_STRIP_DEBUG)
		defer lib.XJS_SetStripInfo(e.tls, e.runtime, 0)
		v := e.eval(source, false, lib.MJS_EVAL_TYPE_GLOBAL|lib.MJS_EVAL_FLAG_COMPILE_ONLY)
		if isException(v) {
			return e.failure()
		}
		defer e.drop(v)
		length := e.tls.Alloc(8)
		defer e.tls.Free(8)
		p := lib.XJS_WriteObject(e.tls, e.context, length, v, lib.MJS_WRITE_OBJ_BYTECODE)
		if p == 0 {
			return e.failure()
		}
		code = append(code, unsafe.Slice(at[byte](p), *at[lib.Size_t](length))...)
		lib.Xjs_free(e.tls, e.context, p)
		return nil
	})
	return code, err
}

// LoadCode evaluates compiled code. With entry, what it gives is the function
// that Call calls.
func (e *Engine) LoadCode(code Code, entry bool) error {
	return e.guard(func() error {
		v := e.evalCode(code)
		if isException(v) {
			return e.failure()
		}
		if entry {
			e.entry = v
		} else {
			e.drop(v)
		}
		return nil
	})
}

func (e *Engine) evalCode(code Code) (v lib.TJSValue) {
	e.lend(string(code), func(p uintptr) {
		v = lib.XJS_ReadObject(e.tls, e.context, p, lib.Size_t(len(code)), lib.MJS_READ_OBJ_BYTECODE)
	})
	if isException(v) {
		return v
	}
	return lib.XJS_EvalFunction(e.tls, e.context, v)
}

// Call calls the entry function and then runs all jobs that wait, those of
// promises. It gives back what the function returned.
func (e *Engine) Call(args ...string) (answer string, err error) {
	err = e.guard(func() error {
		const size = unsafe.Sizeof(lib.TJSValue{})
		argv := e.tls.Alloc(int(size) * max(len(args), 1))
		defer e.tls.Free(int(size) * max(len(args), 1))
		for i, arg := range args {
			*at[lib.TJSValue](argv + uintptr(i)*size) = e.text(arg)
		}
		v := lib.XJS_Call(e.tls, e.context, e.entry, undefined, int32(len(args)), argv)
		for i := range args {
			e.drop(*at[lib.TJSValue](argv + uintptr(i)*size))
		}
		if isException(v) {
			return e.failure()
		}
		text, ok := e.read(v)
		e.drop(v)
		if !ok {
			return e.failure()
		}
		answer = text
		return e.jobs()
	})
	return answer, err
}

func (e *Engine) jobs() error {
	context := e.tls.Alloc(8)
	defer e.tls.Free(8)
	for {
		switch more := lib.XJS_ExecutePendingJob(e.tls, e.runtime, context); {
		case atomic.LoadUint32(&e.ledger().stop) != 0:
			return ErrStopped
		case more < 0:
			return e.failure()
		case more == 0:
			return nil
		}
	}
}

// OutOfMemory says whether an allocation was refused since the last Reset. The
// script may have caught the exception.
func (e *Engine) OutOfMemory() bool {
	return !e.closed && !e.locked.Load() && e.ledger().refused != 0
}

// Stopped says whether Interrupt was called since the last Reset.
func (e *Engine) Stopped() bool {
	return e.closed || e.locked.Load() || atomic.LoadUint32(&e.ledger().stop) != 0
}

// Freeze notes the state of the engine, to which Reset goes back.
func (e *Engine) Freeze() error {
	return e.guard(func() error {
		lib.XJS_RunGC(e.tls, e.runtime)
		e.rejected = nil
		e.image = append([]byte(nil), e.pages[:e.ledger().next]...)
		return nil
	})
}

// Reset puts the whole memory back as Freeze found it, to the byte, so that
// nothing is left of what happened since. It reports whether the engine can be
// used on.
func (e *Engine) Reset() bool {
	const (
		chunk       = 1 << 10   // bytes
		cheap       = 256 << 10 // bytes that are cleared faster than given back
		largestPage = 64 << 10  // of any system
	)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.broken || e.locked.Load() || e.image == nil {
		return false
	}
	e.rejected = nil
	highest := int(e.ledger().highest)
	for at := 0; at < len(e.image); at += chunk {
		// Most chunks are as they were, and comparing is faster than writing.
		end := min(at+chunk, len(e.image))
		if now, then := e.pages[at:end], e.image[at:end]; !bytes.Equal(now, then) {
			copy(now, then)
		}
	}
	// What is behind was handed out by the run. It is cleared too, so that no
	// fault of the engine can show it to another.
	end := min((len(e.image)+cheap+largestPage-1)/largestPage*largestPage, len(e.pages))
	clear(e.pages[len(e.image):min(max(highest, len(e.image)), end)])
	if highest > end {
		cleanPages(e.pages, end, highest)
	}
	return true
}

// Size gives the bytes that Freeze noted.
func (e *Engine) Size() int { return len(e.image) }

// Interrupt asks the script to stop: at its next call or turn of a loop, step
// of a regular expression, or allocation. It cannot catch that.
func (e *Engine) Interrupt() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed && !e.locked.Load() {
		atomic.StoreUint32(&e.ledger().stop, 1)
	}
}

// Kill stops whatever runs by taking its memory away: built-in functions look
// for no interrupt. The engine can only be closed then. It does nothing where
// [CanKill] is false.
func (e *Engine) Kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if CanKill && !e.closed && !e.locked.Swap(true) {
		lockPages(e.pages)
	}
}

// Close frees the memory, all at once. No call may be under way.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.closed = true
	engines.Delete(e.base)
	e.tls.Close() // frees the C functions' stack, also where a fault left it in disorder
	freePages(e.pages)
	e.pages, e.image = nil, nil
}
