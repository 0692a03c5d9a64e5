package fetchscript

// This file owns one run of a script: its event loop and its limits. It does
// not know whether it runs in the program's process or in a child.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/upstream/fetchscript/internal/engine"
)

const (
	// grace is how long an interrupted script has to stop by itself before
	// its memory is taken away.
	grace = 50 * time.Millisecond
	// timers that may wait at once, and that may be started in a run
	maxTimers    = 1000
	maxAllTimers = 10000
)

// A link is how a run reaches what is outside the sandbox.
type link interface {
	// request starts a request and returns at once. The answer is put into
	// the run's events.
	request(id, description, body string) *Error
	// log takes a line of the console.
	log(method, line string) *Error
}

// An event is the answer to a request.
type event struct {
	id, meta, body string
	fatal          *Error
}

type timer struct {
	id  string
	due time.Time
}

// A run is one use of an engine.
type run struct {
	options *Options
	engine  *engine.Engine
	link    link
	events  chan event
	waiting int // requests under way
	timers  []timer
	started int // timers in all
	spent   time.Duration

	done    bool // the outcome is known
	profile string
	failure *Error
}

// execute runs the script from beginning to end.
func (r *run) execute(ctx context.Context, in string) (string, error) {
	w := &watch{engine: r.engine}
	defer w.end()
	defer context.AfterFunc(ctx, w.stop)()
	r.call(w, "run", in)
	for !r.done {
		if ctx.Err() != nil {
			return "", r.options.outOfTime(ctx)
		}
		if r.waiting == 0 && len(r.timers) == 0 {
			return "", r.neverCalled()
		}
		r.wait(ctx, w)
	}
	if r.failure != nil {
		return "", r.failure
	}
	return r.profile, nil
}

// wait lets the next event reach the script.
func (r *run) wait(ctx context.Context, w *watch) {
	var due <-chan time.Time
	first := -1
	for i := range r.timers {
		if first < 0 || r.timers[i].due.Before(r.timers[first].due) {
			first = i
		}
	}
	if first >= 0 {
		t := time.NewTimer(time.Until(r.timers[first].due))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
	case e := <-r.events:
		r.waiting--
		if e.fatal != nil {
			r.finish("", e.fatal)
			return
		}
		r.call(w, "answer", e.id, e.meta, e.body)
	case <-due:
		id := r.timers[first].id
		r.timers = slices.Delete(r.timers, first, first+1)
		r.call(w, "timer", id)
	}
}

// call enters the engine, under what is left of the limits.
func (r *run) call(w *watch, args ...string) {
	left := r.options.CPU - r.spent
	clock := startWatch()
	done := w.limit(clock, left)
	_, err := r.engine.Call(args...)
	exceeded := done()
	r.spent += clock.stop()
	if r.done {
		return // what came after the first call of the callback does not count
	}
	switch {
	case exceeded && errors.Is(err, engine.ErrStopped):
		r.finish("", r.options.outOfCPU())
	case errors.Is(err, engine.ErrStopped):
		// The time is up; execute says so.
	case errors.Is(err, engine.ErrMemory):
		r.finish("", r.options.outOfMemory())
	case err != nil:
		r.finish("", &Error{Message: err.Error(), Err: err})
	}
}

// finish notes the outcome, the first alone, and ends the script.
func (r *run) finish(profile string, failure *Error) {
	if !r.done {
		r.done, r.profile, r.failure = true, profile, failure
		r.engine.Interrupt()
	}
}

func (o *Options) outOfTime(ctx context.Context) *Error {
	return &Error{Limit: LimitTime, Message: fmt.Sprintf("the script was not done after %v", o.Timeout), Err: ctx.Err()}
}

func (o *Options) outOfCPU() *Error {
	return limitError(LimitCPU, "the script computed for %v without an end", o.CPU)
}

func (o *Options) outOfMemory() *Error {
	return limitError(LimitMemory, "the script needs more than %d MiB", o.Memory>>20)
}

func (o *Options) outOfStack() *Error {
	return limitError(LimitStack, "more than %d calls inside one another", o.Stack)
}

func (r *run) neverCalled() *Error {
	if reason := r.engine.Rejected(); reason != "" || r.engine.OutOfMemory() {
		return r.scriptFailure(reason)
	}
	return limitError(LimitCallback, "the script ended without calling its callback, and its promise did not settle")
}

// scriptFailure finds the limit behind an error that the script caught, or that the
// engine threw in its name.
func (r *run) scriptFailure(message string) *Error {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(s string) bool { return strings.Contains(message, s) })
	}
	switch {
	case has("InternalError: stack overflow"):
		return r.options.outOfStack()
	case r.engine.OutOfMemory() || has("RangeError: invalid string length", "InternalError: string too long", "RangeError: invalid array length",
		"RangeError: invalid array buffer length", "InternalError: out of memory"):
		return r.options.outOfMemory()
	}
	return messageError("%s", message)
}

var errEnded = errors.New("the run has ended")

// host is what the prelude reaches by host(name, ...).
func (r *run) host(name string, args []string) (any, error) {
	if r.done || r.engine.Stopped() {
		return nil, errEnded // what the script makes of being stopped does not count
	}
	if f, found := functions[name]; found {
		return f.answer(name, args, max(maxArguments, 2*r.options.MaxResponse))
	}
	for len(args) < 3 {
		args = append(args, "")
	}
	var fatal *Error
	switch name {
	case "http":
		r.waiting++
		fatal = r.link.request(args[0], args[1], args[2])
	case "log":
		fatal = r.link.log(args[0], args[1])
	case "timer":
		fatal = r.startTimer(args[0], args[1])
	case "untimer":
		r.timers = slices.DeleteFunc(r.timers, func(t timer) bool { return t.id == args[0] })
	case "profile":
		r.finish(args[0], nil)
	case "fail":
		fatal = r.scriptFailure(args[0])
	}
	if fatal != nil {
		r.finish("", fatal)
		return nil, errEnded
	}
	return nil, nil
}

// answer calls the function with arguments of at most so many bytes.
func (f function) answer(name string, args []string, most int) (any, error) {
	size := 0
	for _, arg := range args {
		size += len(arg)
	}
	switch {
	case len(args) < f.arity:
		return nil, errors.New(name + ": an argument is missing")
	case size > most:
		return nil, fmt.Errorf("%s: more than %d MiB", name, most>>20)
	}
	return f.call(args)
}

func (r *run) startTimer(id, delay string) *Error {
	ms, _ := strconv.ParseFloat(delay, 64)
	r.started++
	if len(r.timers) >= maxTimers || r.started > maxAllTimers {
		return limitError(LimitTimers, "more than %d timers at once, or %d in all", maxTimers, maxAllTimers)
	}
	r.timers = append(r.timers, timer{id, time.Now().Add(time.Duration(ms * float64(time.Millisecond)))})
	return nil
}

// supervise keeps what parses or loads a script under the limits of a run. What
// it gives is of the documented type.
func supervise(ctx context.Context, o *Options, e *engine.Engine, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	w := &watch{engine: e}
	defer context.AfterFunc(ctx, w.stop)()
	clock := startWatch()
	done := w.limit(clock, o.CPU)
	err := f()
	exceeded := done()
	clock.stop()
	w.end()
	// Also where f gave no error: the flags lie in the engine's memory, and would
	// be in every run that begins with a copy of it.
	var own *Error
	switch {
	case exceeded:
		return o.outOfCPU()
	case e.Stopped():
		return o.outOfTime(ctx)
	case errors.Is(err, engine.ErrMemory) || e.OutOfMemory():
		return o.outOfMemory()
	case err == nil || errors.As(err, &own):
		return err
	case strings.Contains(err.Error(), "stack overflow"):
		return o.outOfStack()
	}
	return &Error{Message: "the script cannot be compiled: " + err.Error(), Err: err}
}

// A watch ends a script from outside, as long as the run lasts: after that the
// engine may be another run's.
type watch struct {
	mu     sync.Mutex
	engine *engine.Engine // nil once the run is over
	kill   *time.Timer
}

// limit stops the script once it has computed for as long as is left. The timer
// goes by the wall, so it looks again where the processor was busy elsewhere.
// done ends that, and says whether the script was stopped.
func (w *watch) limit(clock stopwatch, left time.Duration) (done func() bool) {
	var mu sync.Mutex
	var ended, exceeded bool
	var t *time.Timer
	mu.Lock()
	defer mu.Unlock()
	t = time.AfterFunc(left, func() {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		if rest := left - clock.spent(); rest > 0 {
			t.Reset(max(rest, time.Millisecond))
			return
		}
		exceeded = true
		w.stop()
	})
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		t.Stop()
		return exceeded
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.engine == nil {
		return
	}
	w.engine.Interrupt()
	if w.kill == nil {
		w.kill = time.AfterFunc(grace, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.engine != nil {
				w.engine.Kill()
			}
		})
	}
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.engine = nil
	if w.kill != nil {
		w.kill.Stop()
	}
}
