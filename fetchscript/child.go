package fetchscript

// This file owns the child's side of scripts that run in processes of their own.

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// child serves the program until it closes the pipe.
func child(in io.Reader, out io.Writer) {
	time.Local = time.UTC                // its zone's file could not be read later, or only by chance
	time.AfterFunc(time.Hour, func() {}) // starts what Go opens files for, while it can
	runtime.GOMAXPROCS(2)                // one to compute, one to watch
	r := bufio.NewReader(in)
	start, err := readFrame(r, maxFromProgram)
	if err != nil || start.Limits == nil {
		return
	}
	l := start.Limits
	receive(start.Code)
	debug.SetMemoryLimit(int64(l.Memory))
	if err := confine(l.Memory); err != nil {
		_ = writeFrame(out, &frame{Kind: "ready", Failed: true, Message: "the limits of the script's process could not be set: " + err.Error()})
		return
	}
	o := Options{CPU: l.CPU, Timeout: l.Timeout, Memory: l.Memory, Stack: l.Stack, MaxResult: l.MaxResult, MaxRequests: l.MaxRequests, MaxResponse: l.MaxResponse, Idle: 1, Concurrency: 1, Pool: NewPool(1, time.Hour)}
	o = o.withDefaults() // for what a child has no use for
	p, err := newEngines(start.Source, o)
	if err != nil {
		f := asError(err, "no JavaScript engine could be started")
		_ = writeFrame(out, &frame{Kind: "ready", Failed: true, Limit: f.Limit, Line: f.Line, Column: f.Column, Message: sendable(f.Message)})
		return
	}
	s := &served{out: out, engines: p}
	s.send(&frame{Kind: "ready"})
	for {
		f, err := readFrame(r, maxFromProgram)
		if err != nil {
			os.Exit(0) // also while a script runs: nobody waits for it any more
		}
		switch f.Kind {
		case "run":
			go s.run(f)
		case "answer":
			s.answered(f)
		}
	}
}

// served is what the child knows of the run that it serves.
type served struct {
	engines *engines

	writing sync.Mutex
	out     io.Writer

	mu      sync.Mutex
	current int
	events  chan event
}

func (s *served) send(f *frame) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if writeFrame(s.out, f) != nil {
		os.Exit(0)
	}
}

func (s *served) run(f *frame) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(f.Left))
	defer cancel()
	events := make(chan event, s.engines.options.MaxRequests+1)
	s.mu.Lock()
	s.current, s.events = f.Run, events
	s.mu.Unlock()
	profile, err := s.engines.execute(ctx, f.Input, s, events)
	done := &frame{Kind: "done", Profile: profile, CPU: int64(usedCPU())}
	if err != nil {
		failure := asError(err, "the run failed")
		if errors.Is(err, context.DeadlineExceeded) {
			failure.Limit = LimitTime
		}
		done.Failed, done.Limit, done.Message = true, failure.Limit, sendable(failure.Message)
	}
	s.send(done)
}

// answered passes an answer on to the run that it is for.
func (s *served) answered(f *frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Run == s.current && len(s.events) < cap(s.events) {
		s.events <- event{id: f.ID, meta: f.Meta, body: f.Body}
	}
}

// sendable is what the program needs of a text in order to clean it: it sees
// that the text was cut, and where, while the child knows no secrets.
func sendable(text string) string { return text[:min(len(text), enough+1)] }

// request implements link.
func (s *served) request(id, description, body string) *Error {
	s.send(&frame{Kind: "request", ID: id, Meta: description, Body: body})
	return nil
}

// log implements link.
func (s *served) log(method, line string) *Error {
	s.send(&frame{Kind: "log", ID: method, Body: sendable(line)})
	return nil
}
