package fetchscript

// This file owns the engines of a script in this process.

import (
	"context"
	"encoding/json"
	"fmt"

	"example.com/upstream/fetchscript/internal/engine"
	"example.com/upstream/internal/strictjson"
)

// engines are those of a script in this process. In each the prelude and the
// script are loaded and nothing has run. An engine comes back as it went:
// engine.Reset puts its memory back to the byte.
type engines struct {
	*places
	options *Options
	source  string // wrapped
	names   string // of the libraries that it speaks of, as a JSON list
}

// warm is an engine that is ready to run.
type warm struct {
	engine *engine.Engine
	run    *run // whose host it calls, nil between runs
}

func (w *warm) host(name string, args []string) (any, error) {
	if w.run != nil {
		return w.run.host(name, args)
	}
	if f, found := functions[name]; found {
		return f.answer(name, args, maxArguments)
	}
	return nil, nil // while an engine is made ready there is nobody to ask
}

// usable implements unit.
func (w *warm) usable() bool { return true }

// end implements unit.
func (w *warm) end() { w.engine.Close() }

// newEngines checks the script and makes the first engine.
func newEngines(source string, o Options) (*engines, error) {
	ctx := context.Background() // no login waits: the limits of Options hold
	p := &engines{places: newPlaces(&o), options: &o, names: string(strictjson.Marshal(mentioned(source)))}
	var err error
	if p.source, err = fit(ctx, p.options, source); err != nil {
		return nil, err
	}
	u, err := p.take(ctx, p.start)
	if err != nil {
		return nil, err
	}
	p.put(u, true)
	return p, nil
}

// start makes an engine ready. What of that the script has a part in counts as
// computed by it.
func (p *engines) start(ctx context.Context) (unit, error) {
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
	const answer = `{"statusCode": 200, "statusMessage": "OK", "headers": {"content-type": "application/json"}, "url": "https://idp.invalid/"}`
	for _, call := range [][]string{{"warm", p.names}, {"answer", "1", answer, `{"id": "0"}`}} {
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

// run implements machine.
func (p *engines) run(ctx context.Context, in *input, out *outside) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the requests that nobody waits for
	l := &direct{ctx: ctx, out: out, events: make(chan event, p.options.MaxRequests+1)}
	return p.execute(ctx, in, l, l.events)
}

func (p *engines) execute(ctx context.Context, in *input, l link, events chan event) (string, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return "", &Error{Message: "the token response cannot be written as JSON", Err: err}
	}
	u, err := p.take(ctx, p.start)
	if err != nil {
		return "", err
	}
	w := u.(*warm)
	defer func() {
		w.run = nil
		p.put(w, w.engine.Reset())
	}()
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
