//go:build !386 && !arm && !mips && !mipsle

package engine

// This file owns what goes into an engine and comes out of it: texts, bytes,
// exceptions, and the calls from JavaScript to Go.

import (
	"fmt"
	"sync/atomic"
	"unicode/utf8"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// text copies a string into the engine.
func (e *Engine) text(s string) lib.TJSValue {
	s = mend(s, false)
	var v lib.TJSValue
	e.lend(s, func(p uintptr) { v = lib.XJS_NewStringLen(e.tls, e.context, p, lib.Size_t(len(s))) })
	return v
}

// mend puts U+FFFD into the place of what is no UTF-8: one for each beginning of a
// character that does not go on, and for each other byte, as the WHATWG has it.
// Those of the engine's own texts are lone surrogates, of three bytes each.
func mend(s string, own bool) string {
	if utf8.ValidString(s) {
		return s
	}
	within := func(i int, low, high byte) bool { return i < len(s) && low <= s[i] && s[i] <= high }
	out := make([]rune, 0, len(s))
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		if n == 1 && c == utf8.RuneError {
			low, high := byte(0x80), byte(0xbf) // of the second byte: not too small, no surrogate, not too large
			switch s[i] {
			case 0xe0:
				low = 0xa0
			case 0xed:
				if high = 0x9f; own {
					n = 3
				}
			case 0xf0:
				low = 0x90
			case 0xf4:
				high = 0x8f
			}
			if n == 1 && 0xe0 <= s[i] && s[i] <= 0xf4 && within(i+1, low, high) {
				n++
				if 0xf0 <= s[i] && within(i+2, 0x80, 0xbf) {
					n++
				}
			}
		}
		out = append(out, c)
		i += n
	}
	return string(out)
}

// lend copies s, with a NUL behind it, to where the engine can read it while f
// runs. A pointer to Go's own memory would not do: stacks move.
func (e *Engine) lend(s string, f func(p uintptr)) {
	p := libc.Xmalloc(e.tls, lib.Size_t(len(s)+1))
	if p == 0 {
		panic(ErrMemory)
	}
	defer libc.Xfree(e.tls, p)
	copy(unsafe.Slice(at[byte](p), len(s)), s)
	*at[byte](p + uintptr(len(s))) = 0
	f(p)
}

// read copies a value out of the engine, as a text or the bytes of an ArrayBuffer.
func (e *Engine) read(v lib.TJSValue) (string, bool) {
	length := e.tls.Alloc(8)
	defer e.tls.Free(8)
	if v.Ftag == lib.EJS_TAG_OBJECT {
		p := lib.XJS_GetArrayBuffer(e.tls, e.context, length, v)
		if n := *at[lib.Size_t](length); p != 0 {
			return string(unsafe.Slice(at[byte](p), n)), true
		}
		if lib.XJS_HasException(e.tls, e.context) == 0 {
			return "", true // an empty one has no address
		}
		return "", false
	}
	p := lib.XJS_ToCStringLen2(e.tls, e.context, length, v, 0)
	if p == 0 {
		return "", false
	}
	s := string(unsafe.Slice(at[byte](p), *at[lib.Size_t](length)))
	lib.XJS_FreeCString(e.tls, e.context, p)
	return mend(s, true), true
}

// failure takes the pending exception out of the engine.
func (e *Engine) failure() error {
	if e.ledger().refused != 0 {
		e.drop(lib.XJS_GetException(e.tls, e.context))
		return ErrMemory
	}
	exception := lib.XJS_GetException(e.tls, e.context)
	defer e.drop(exception)
	name, message := e.property(exception, nameName), e.property(exception, nameMessage)
	if name == "SyntaxError" {
		s := &SyntaxError{Message: message}
		_, _ = fmt.Sscan(e.property(exception, nameLine), &s.Line)
		_, _ = fmt.Sscan(e.property(exception, nameColumn), &s.Column)
		return s
	}
	return fmt.Errorf("%s: %s", name, message)
}

func (e *Engine) property(object lib.TJSValue, name uintptr) string {
	if object.Ftag != lib.EJS_TAG_OBJECT {
		return ""
	}
	v := lib.XJS_GetPropertyStr(e.tls, e.context, object, name)
	s, ok := e.read(v)
	if !ok || isException(v) {
		e.drop(lib.XJS_GetException(e.tls, e.context))
	}
	e.drop(v)
	return s
}

// Rejected gives the reason of a promise that was rejected with nobody to
// handle it, "" if there is none.
func (e *Engine) Rejected() string {
	for _, reason := range e.rejected {
		return reason
	}
	return ""
}

func jsRejection(_ *libc.TLS, _ uintptr, promise, reason lib.TJSValue, handled int32, base uintptr) {
	const most = 64 // of many, any tells what went wrong
	found, _ := engines.Load(base)
	e := found.(*Engine)
	id := *(*uintptr)(unsafe.Pointer(&promise))
	switch {
	case handled != 0:
		delete(e.rejected, id)
	case len(e.rejected) < most:
		text := e.property(reason, nameMessage)
		if name := e.property(reason, nameName); name != "" && name != "Error" {
			text = name + ": " + text
		}
		if reason.Ftag != lib.EJS_TAG_OBJECT {
			text, _ = e.read(reason)
		}
		if e.rejected == nil {
			e.rejected = map[uintptr]string{}
		}
		e.rejected[id] = text
	}
}

func jsInterrupt(_ *libc.TLS, _, base uintptr) int32 {
	return int32(atomic.LoadUint32(&at[ledger](base).stop))
}

// jsHost is the JavaScript function host.
func jsHost(tls *libc.TLS, context uintptr, _ lib.TJSValue, argc int32, argv uintptr) lib.TJSValue {
	base := lib.XJS_GetRuntimeOpaque(tls, lib.XJS_GetRuntime(tls, context))
	found, _ := engines.Load(base)
	e := found.(*Engine)
	texts := make([]string, argc)
	for i := range texts {
		var ok bool
		if texts[i], ok = e.read(*at[lib.TJSValue](argv + uintptr(i)*unsafe.Sizeof(lib.TJSValue{}))); !ok {
			return lib.TJSValue{Ftag: lib.EJS_TAG_EXCEPTION}
		}
	}
	if argc == 0 {
		texts = []string{""}
	}
	answer, err := e.host(texts[0], texts[1:])
	if err != nil {
		object := lib.XJS_NewError(tls, context)
		lib.XJS_SetPropertyStr(tls, context, object, nameMessage, e.text(err.Error()))
		return lib.XJS_Throw(tls, context, object)
	}
	switch answer := answer.(type) {
	case string:
		return e.text(answer)
	case []byte:
		var v lib.TJSValue
		e.lend(string(answer), func(p uintptr) { v = lib.XJS_NewArrayBufferCopy(tls, context, p, lib.Size_t(len(answer))) })
		return v
	case Code:
		return e.evalCode(answer)
	}
	return undefined
}

// A block is kept of each size that the engine's C stack is made of: where the
// last of a size is given back, its page goes back to the system, to be asked for
// again at the next call.
var _ = func() (blocks []uintptr) {
	tls := libc.NewTLS()
	defer tls.Close()
	for size := lib.Size_t(16); size <= 16<<10; size *= 2 {
		blocks = append(blocks, libc.Xmalloc(tls, size-1))
	}
	return blocks
}()
