package engine

import (
	"testing"
	"time"
	"fmt"
)

func TestSmoke(t *testing.T) {
	e, err := New(Limits{Memory: 64 << 20, Stack: 1000}, func(name string, args []string) (string, bool, error) {
		return name + fmt.Sprint(args), false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SetEntry(`(function(a,b){ globalThis.n = (globalThis.n||0)+1; return eval(a) + ':' + n })`); err != nil {
		t.Fatal(err)
	}
	if err := e.Freeze(); err != nil {
		t.Fatal(err)
	}
	t.Log(e.Size())
	for range 3 {
		t.Log(e.Call("host('x','y')"))
		t.Log(e.Reset())
	}
	start := time.Now()
	for range 1000 {
		e.Call("1")
		e.Reset()
	}
	t.Log(time.Since(start) / 1000)
	start = time.Now()
	for range 1000 {
		e.Reset()
	}
	t.Log("reset", time.Since(start)/1000)
	start = time.Now()
	for range 100 {
		f, _ := New(Limits{Memory: 64 << 20, Stack: 1000}, nil)
		f.Close()
	}
	t.Log("new", time.Since(start)/100)
	for _, s := range []string{"for(;;){}", "(function f(){f()})()", "/(?=(a+)+$)b/.test('a'.repeat(50)); /(a+)+$/.test('a'.repeat(50)+'b')", "var a=[];for(;;)a.push({})", "var s='x';for(;;)s+=s",
		"'x'.repeat(2**30)", "Array(2**32-1).join('x')", "new Array(1e8).fill().sort()", "Array.prototype.indexOf.call({length:2**53-1},1)", "Array(2**32-1).join()", "new Array(5e5).fill().map((_, i) => 'k'+(i*7919%5e5)).sort()"} {
		e, _ := New(Limits{Memory: 64 << 20, Stack: 1000}, nil)
		e.SetEntry(`(function(a,b){ return eval(a) })`)
		e.Freeze()
		i := time.AfterFunc(300*time.Millisecond, e.Interrupt)
		k := time.AfterFunc(400*time.Millisecond, e.Kill)
		start := time.Now()
		_, err := e.Call(s)
		t.Log(s, err, time.Since(start), e.locked.Load())
		i.Stop()
		k.Stop()
		e.Close()
	}
}
