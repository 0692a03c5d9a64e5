package fetchscript

// This file owns the engines of a script in this process.

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"example.com/upstream/fetchscript/internal/engine"
)

// A pool keeps engines in which the prelude and the script are loaded and
// nothing has run. An engine comes back as it went: engine.Reset puts its
// memory back to the byte.
type pool struct {
	options *Options
	source  string // wrapped
	lodash  bool
	slots   chan struct{} // one for each run under way

	mu     sync.Mutex
	idle   []*warm
	closed bool
}

// warm is an engine that is ready to run.
type warm struct {
	engine *engine.Engine
	run    *run // whose host it calls, nil between runs
}

func (w *warm) host(name string, args []string) (string, bool, error) {
	if w.run == nil {
		return "", false, nil // while an engine is made ready there is nobody to ask
	}
	return w.run.host(name, args)
}

// newPool checks the script and makes the first engine.
func newPool(source string, o Options) (*pool, error) {
	ctx := context.Background() // no login waits: the limits of Options hold
	p := &pool{options: &o, lodash: lodashUse.MatchString(source), slots: make(chan struct{}, o.Concurrency)}
	var err error
	if p.source, err = fit(ctx, p.options, source); err != nil {
		return nil, err
	}
	w, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	p.idle = append(p.idle, w)
	return p, nil
}

// start makes an engine ready. What of that the script has a part in counts as
// computed by it.
func (p *pool) start(ctx context.Context) (*warm, error) {
	w := &warm{}
	e, err := engine.New(engine.Limits{Memory: p.options.Memory, Stack: p.options.Stack}, w.host)
	if err != nil {
		return nil, err
	}
	w.engine = e
	prelude, err := preludeCode()
	if err == nil {
		err = e.LoadCode(prelude, true)
	}
	if err == nil && p.lodash {
		var lodash engine.Code
		if lodash, err = lodashCode(); err == nil {
			err = e.LoadCode(lodash, false)
		}
	}
	const answer = `{"statusCode": 200, "statusMessage": "OK", "headers": {"content-type": "application/json"}, "url": "https://idp.invalid/"}`
	for _, call := range [][]string{{"warm"}, {"answer", "1", answer, `{"id": "0"}`}} {
		if err == nil {
			_, err = e.Call(call...)
		}
	}
	if err == nil {
		err = supervise(ctx, p.options, e, func() error { return load(e, p.source) })
	}
	if err != nil {
		e.Close()
		return nil, asError(err, "a JavaScript engine could not be made ready")
	}
	return w, nil
}

// load makes the script the one that the engine runs, and notes the state from
// which every run begins.
func load(e *engine.Engine, source string) error {
	err := e.Load(source)
	if err == nil {
		_, err = e.Call("adopt")
	}
	if err == nil {
		err = e.Freeze()
	}
	return err
}

// take gives an engine, made new if none is idle.
func (p *pool) take(ctx context.Context) (*warm, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, &Error{Limit: LimitTime, Message: "all engines of the script were in use", Err: ctx.Err()}
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1] // the last used: its memory is the warmest
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return w, nil
	}
	p.mu.Unlock()
	w, err := p.start(ctx)
	if err != nil {
		<-p.slots
	}
	return w, err
}

// put takes an engine back.
func (p *pool) put(w *warm) {
	w.run = nil
	if w.engine.Reset() {
		p.mu.Lock()
		if !p.closed && len(p.idle) < p.options.Idle {
			p.idle = append(p.idle, w)
			w = nil
		}
		p.mu.Unlock()
	}
	if w != nil {
		w.engine.Close()
	}
	<-p.slots
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.idle {
		w.engine.Close()
	}
	p.idle = nil
}

// run implements machine.
func (p *pool) run(ctx context.Context, in *input, out *outside) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the requests that nobody waits for
	l := &direct{ctx: ctx, out: out, events: make(chan event, p.options.MaxRequests+1)}
	return p.execute(ctx, in, l, l.events)
}

func (p *pool) execute(ctx context.Context, in *input, l link, events chan event) (string, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return "", &Error{Message: "the token response cannot be written as JSON", Err: err}
	}
	w, err := p.take(ctx)
	if err != nil {
		return "", err
	}
	defer p.put(w)
	w.run = &run{options: p.options, engine: w.engine, link: l, events: events}
	return w.run.execute(ctx, string(text))
}

// direct is the link of a run in this process.
type direct struct {
	ctx    context.Context
	out    *outside
	events chan event // with room for every request that is allowed
}

func (d *direct) request(id, description, body string) *Error {
	if fatal := d.out.count(); fatal != nil {
		return fatal
	}
	go func() { d.events <- d.do(id, description, body) }()
	return nil
}

func (d *direct) do(id, description, body string) (e event) {
	defer func() {
		// The host's client runs here in a goroutine of ours, where nobody else
		// could recover: a fault in it fails the login, as in an HTTP handler.
		if p := recover(); p != nil {
			e = event{id: id, fatal: &Error{Message: "the HTTP client of the program panicked", Err: fmt.Errorf("panic: %v", p)}}
		}
	}()
	meta, text, fatal := d.out.do(d.ctx, description, body)
	return event{id, meta, text, fatal}
}

func (d *direct) log(method, line string) *Error { return d.out.log(d.ctx, method, line) }
