//go:build !386 && !arm && !mips && !mipsle

package engine

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// started gives an engine whose Call evaluates its argument.
func started(t *testing.T, host Host) *Engine {
	e, err := New(Limits{Memory: 16 << 20, Stack: 1000}, host)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	code, err := e.Compile("(function (source) { return String((0, eval)(source)); })")
	require.NoError(t, err)
	require.NoError(t, e.LoadCode(code, true))
	require.NoError(t, e.Freeze())
	return e
}

func TestCallAndHost(t *testing.T) {
	e := started(t, func(name string, args []string) (any, error) {
		switch name {
		case "fail":
			return nil, errors.New("no " + args[0])
		case "bytes":
			return []byte(args[0] + "\x00\xff"), nil
		}
		return fmt.Sprintf("%s%q", name, args), nil
	})
	for source, want := range map[string]string{
		"1 + 1": "2",
		"'h\u00e9' + String.fromCharCode(0) + 'x'":        "h\u00e9\x00x",
		"host('a', 'b', new Uint8Array([0, 200]).buffer)": `a["b" "\x00\xc8"]`,
		"host()": `[]`,
		"try { host('fail', 'x') } catch (e) { e.message }":                  "no x",
		"Array.from(new Uint8Array(host('bytes', new ArrayBuffer(0)))) + ''": "0,255",
		"host('c', '\\ud800') ": `c["�"]`,
	} {
		got, err := e.Call(source)
		require.NoError(t, err, source)
		if source == "host()" {
			continue // no name, no arguments: it must not fail
		}
		assert.Equal(t, want, got, source)
	}
	_, err := e.Call("throw new TypeError('x')")
	require.EqualError(t, err, "TypeError: x")
	_, err = e.Call("throw null")
	require.Error(t, err)
	_, err = e.Call("throw { get message() { throw 1 } }")
	require.Error(t, err)
}

// TestResetRestoresEveryByte is what "runs share nothing" rests on.
func TestResetRestoresEveryByte(t *testing.T) {
	e := started(t, nil)
	for _, source := range []string{
		"globalThis.x = 'left'; Object.prototype.y = 1; Array.prototype.push = null",
		"var a = []; for (let i = 0; i < 1e5; i++) a.push({ i }); Promise.reject(a)",
		"new Uint8Array(2 << 20).fill(7).length",
		"throw new Error('x')",
	} {
		_, _ = e.Call(source)
		highest := int(e.ledger().highest)
		require.False(t, bytes.Equal(e.image, e.pages[:len(e.image)]), "the run changed nothing, the test tests nothing")
		require.True(t, e.Reset())
		assert.True(t, bytes.Equal(e.image, e.pages[:len(e.image)]), source)
		assert.Zero(t, bytes.Count(e.pages[len(e.image):highest], []byte("left")))
		if highest > len(e.image) {
			assert.Equal(t, highest-len(e.image), bytes.Count(e.pages[len(e.image):highest], []byte{0}), source)
		}
		assert.Empty(t, e.Rejected())
		got, err := e.Call("typeof x + typeof ({}).y + typeof [].push + typeof a")
		require.NoError(t, err)
		assert.Equal(t, "undefinedundefinedfunctionundefined", got)
		require.True(t, e.Reset())
	}
}

func TestKillEndsWhatDoesNotListen(t *testing.T) {
	if !CanKill {
		t.Skip("not here")
	}
	var e *Engine
	e = started(t, func(string, []string) (any, error) {
		time.AfterFunc(20*time.Millisecond, e.Kill) // now that the call is under way
		return nil, nil
	})
	_, err := e.Call("host(''); Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)")
	require.ErrorIs(t, err, ErrStopped)
	_, err = e.Call("1")
	require.ErrorIs(t, err, ErrClosed)
	assert.False(t, e.Reset())
	e.Close()
	e.Close()
	e.Kill()
	e.Interrupt()
}

func TestInterruptCannotBeCaught(t *testing.T) {
	e := started(t, nil)
	for range 3 {
		timer := time.AfterFunc(20*time.Millisecond, e.Interrupt)
		_, err := e.Call("for (;;) { try { for (;;) {} } catch (e) {} finally { for (;;) {} } }")
		timer.Stop()
		require.ErrorIs(t, err, ErrStopped)
		require.True(t, e.Stopped())
		require.True(t, e.Reset())
		require.False(t, e.Stopped())
	}
}

func TestMemoryAndStackAreBounded(t *testing.T) {
	e := started(t, nil)
	_, err := e.Call("const a = []; for (;;) a.push([])")
	require.ErrorIs(t, err, ErrMemory)
	assert.True(t, e.OutOfMemory())
	if !e.Reset() { // the engine may not have coped
		e = started(t, nil)
	}
	_, err = e.Call("(function f() { f() })()")
	require.ErrorContains(t, err, "stack overflow")
}

// TestClasses: each size has a class of blocks that hold it and waste little.
func TestClasses(t *testing.T) {
	last, lastSize := uintptr(0), uintptr(0)
	for n := uintptr(1); n < 1<<30; n += 1 + n/97 {
		class, size := classOf(n)
		require.GreaterOrEqual(t, size, n)
		require.LessOrEqual(t, size, max(n+n/3, n+smallStep), "%d", n)
		require.Less(t, class, uintptr(classCount))
		require.True(t, class == last && size == lastSize || class > last && size > lastSize || last == 0, "%d: class %d of %d", n, class, size)
		last, lastSize = class, size
	}
	for _, n := range []uintptr{0, smallMax, smallMax + 1, 1 << 20, 1<<20 + 1, maxBlock} {
		class, size := classOf(n)
		require.GreaterOrEqual(t, size, n)
		require.Less(t, class, uintptr(classCount))
		if size > smallMax {
			same, again := classOf(size)
			require.Equal(t, class, same)
			require.Equal(t, size, again)
		}
	}
}

// FuzzAllocator mixes what the engine asks for, and sees that blocks do not overlap.
func FuzzAllocator(f *testing.F) {
	f.Add([]byte("abcdefgh01234567"))
	f.Fuzz(func(t *testing.T, orders []byte) {
		e, err := New(Limits{Memory: MinMemory, Stack: 100}, nil)
		require.NoError(t, err)
		defer e.Close()
		type piece struct {
			at, size uintptr
			mark     byte
		}
		var held []piece
		l := e.ledger()
		for i, order := range orders {
			n := uintptr(order)*uintptr(order)*3 + 1
			if order%3 != 0 || len(held) == 0 {
				at := l.alloc(e.base, n)
				if at == 0 {
					continue
				}
				held = append(held, piece{at, n, byte(i)})
				copy(e.pages[at-e.base:], bytes.Repeat([]byte{byte(i)}, int(n)))
				continue
			}
			k := i % len(held)
			p := held[k]
			if string(e.pages[p.at-e.base:p.at-e.base+p.size]) != strings.Repeat(string([]byte{p.mark}), int(p.size)) {
				t.Fatalf("block %d of %d bytes was written to", k, p.size)
			}
			l.release(e.base, p.at)
			held = append(held[:k], held[k+1:]...)
		}
	})
}
