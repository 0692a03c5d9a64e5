package fetchscript

// This file owns the program's side of scripts that run in processes of their
// own. The child's side is in child.go.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"
)

// childVariable tells a process that it is a child. It is all that stands in
// a child's environment.
const childVariable = "UPSTREAM_FETCHSCRIPT_CHILD"

const (
	childStart   = 10 * time.Second // for a child to come as far as the script
	childGrace   = 100 * time.Millisecond
	childRuns    = 1000             // runs after which a child is replaced
	childCPU     = 30 * time.Second // the same, of processor time
	childCPUHard = 60 * time.Second // the system's own limit
)

// An Isolation lets scripts run in processes of their own: see [Isolated].
type Isolation struct {
	executable string
	client     *http.Client // where the host gives none
}

// Isolated prepares for scripts that run in child processes of the same binary:
//
//	isolation := fetchscript.Isolated() // before anything else in main: a child comes by here too, and does not return
//
// and then
//
//	provider, err = fetchscript.Options{Isolation: isolation}.Attach(provider, conn, nil)
//
// A child has no environment, no file and no way to open one, limits
// of the system on memory and processor time, on Linux no system calls but those
// that stay within it, and serves one script, one run at a time. Its HTTP
// requests are sent by the program. Its local time is UTC. It is killed when a
// run comes to a limit, and with the program. Where the context of a login has no
// HTTP client, a client of [PublicOnly] serves.
//
// It panics if the binary cannot be found, which is so on no common system.
func Isolated() *Isolation {
	if os.Getenv(childVariable) != "" {
		child(os.Stdin, os.Stdout)
		os.Exit(0)
	}
	executable, err := os.Executable()
	if err != nil {
		panic("fetchscript: " + err.Error())
	}
	return &Isolation{executable, PublicOnly()}
}

// A frame is one message between the program and a child.
type frame struct {
	Kind string `json:"kind"`

	// start, to the child
	Limits *limits           `json:"limits,omitempty"`
	Source string            `json:"source,omitempty"`
	Code   map[string][]byte `json:"code,omitempty"`

	// run, to the child
	Run   int    `json:"run,omitempty"`
	Input *input `json:"input,omitempty"`
	Left  int64  `json:"left,omitempty"` // nanoseconds

	// request and log, to the program; answer, to the child
	ID   string `json:"id,omitempty"`
	Meta string `json:"meta,omitempty"`
	Body string `json:"body,omitempty"`

	// ready and done, to the program
	Profile string `json:"profile,omitempty"`
	Failed  bool   `json:"failed,omitempty"`
	Limit   Limit  `json:"limit,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message,omitempty"`
	CPU     int64  `json:"cpu,omitempty"` // nanoseconds that the child has used
}

// limits are the options that the child keeps to.
type limits struct {
	CPU, Timeout                                       time.Duration
	Memory, Stack, MaxResult, MaxRequests, MaxResponse int
}

// maxFrame bounds what a child sends: a body that fills the engine's memory, quoted.
func maxFrame(memory int) int { return 2*memory + mebibyte }

// maxFromProgram bounds what the program sends. It is not a defence, since the
// child believes the program: its memory is.
const maxFromProgram = 1 << 30

func writeFrame(w io.Writer, f *frame) error {
	var b bytes.Buffer
	b.Write(make([]byte, 4))
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // six bytes for one of them, in a text that may be full of them
	if err := encoder.Encode(f); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(b.Bytes(), uint32(b.Len()-4))
	_, err := w.Write(b.Bytes())
	return err
}

func readFrame(r io.Reader, most int) (*frame, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(head[:]))
	if n > most {
		return nil, errors.New("a message is too long")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	f := &frame{}
	return f, json.Unmarshal(text, f)
}

// children are the processes of one script.
type children struct {
	*places
	options *Options
	source  string
}

// A process is a child as the program sees it.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     io.ReadCloser
	frames  chan *frame // closed when the child has ended, and was waited for
	runs    int

	once   sync.Once
	killed chan struct{} // closed when nobody wants frames any more
}

// newChildren has a child see whether the script compiles. That child is ended
// again: a program may have thousands of connections by which nobody logs in.
func newChildren(source string, o Options) (*children, error) {
	c := &children{places: newPlaces(&o), options: &o, source: source}
	u, err := c.take(context.Background(), c.start)
	if err != nil {
		return nil, err
	}
	c.put(u, false)
	return c, nil
}

// start starts a child and waits until the script is ready in it.
func (c *children) start(ctx context.Context) (unit, error) {
	failed := func(err error) (unit, error) {
		if ctx.Err() != nil {
			return nil, &Error{Limit: LimitTime, Message: "the script's process did not start in time", Err: ctx.Err()}
		}
		return nil, &Error{Message: "the script's process could not be started", Err: err}
	}
	command := exec.Command(c.options.Isolation.executable)
	command.Env = []string{childVariable + "=1"}
	command.Dir = string(os.PathSeparator)
	in, err := command.StdinPipe()
	if err != nil {
		return failed(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return failed(err)
	}
	if err := command.Start(); err != nil {
		return failed(err)
	}
	p := &process{command: command, in: in, out: out, frames: make(chan *frame), killed: make(chan struct{})}
	go func() {
		p.read(maxFrame(c.options.Memory))
		c.pool.remove(func(r resting) bool { return r.unit == p }) // where it died idle
	}()
	o := c.options
	begin := &frame{Kind: "start", Source: c.source, Code: shipped(c.source), Limits: &limits{o.CPU, o.Timeout, o.Memory, o.Stack, o.MaxResult, o.MaxRequests, o.MaxResponse}}
	// The child keeps to the limits by itself; this is for one that cannot.
	late := time.AfterFunc(childStart+o.Timeout, p.kill)
	defer late.Stop()
	defer context.AfterFunc(ctx, p.kill)() // also while the frame is written
	if err := writeFrame(in, begin); err != nil {
		p.end()
		return failed(err)
	}
	select {
	case f := <-p.frames:
		if f != nil && f.Kind == "ready" && !f.Failed {
			return p, nil
		}
		p.end()
		if f != nil && f.Failed {
			return nil, &Error{Limit: f.Limit, Line: f.Line, Column: f.Column, Message: f.Message}
		}
		return failed(errors.New("it ended at once"))
	case <-ctx.Done():
		p.end()
		return failed(ctx.Err())
	}
}

// read passes on what the child says until it ends or is killed.
func (p *process) read(most int) {
	defer close(p.frames)
	r := bufio.NewReader(p.out)
	for f, err := readFrame(r, most); err == nil; f, err = readFrame(r, most) {
		select {
		case p.frames <- f:
			continue
		case <-p.killed:
		}
		break
	}
	p.kill()
	_ = p.command.Wait() // it was killed: how it ended says nothing more
}

// kill ends the child, and with it what reads from it.
func (p *process) kill() {
	p.once.Do(func() {
		close(p.killed)
		_ = p.command.Process.Kill() // it may have ended
		_ = p.in.Close()
		_ = p.out.Close() // a process that the child started may hold the other end
	})
}

// end implements unit.
func (p *process) end() {
	p.kill()
	for range p.frames { // until it has ended
	}
}

// usable implements unit: a child that ended, or speaks though it was not asked,
// is not.
func (p *process) usable() bool {
	select {
	case <-p.frames:
		return false
	default:
		return true
	}
}

// run implements machine.
func (c *children) run(ctx context.Context, in *input, out *outside) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the requests that nobody waits for
	u, err := c.take(ctx, c.start)
	if err != nil {
		return "", err
	}
	p := u.(*process)
	p.runs++
	l := &direct{ctx: ctx, out: out, events: make(chan event, c.options.MaxRequests+1)}
	done, err := c.converse(ctx, p, in, l)
	if err != nil {
		c.put(p, false)
		return "", err
	}
	c.put(p, done.Limit == "" && p.runs < childRuns && time.Duration(done.CPU) < childCPU)
	if done.Failed {
		return "", &Error{Limit: done.Limit, Message: done.Message}
	}
	return done.Profile, nil
}

// converse serves the child until the run is done.
func (c *children) converse(ctx context.Context, p *process, in *input, l *direct) (*frame, error) {
	deadline, _ := ctx.Deadline() // Fetch sets one
	left := time.Until(deadline)
	// The child keeps to its limits by itself; this is for one that cannot any more.
	late := time.AfterFunc(left+childGrace, p.kill)
	defer late.Stop()
	gone := func() (*frame, error) {
		if ctx.Err() != nil {
			return nil, limitError(LimitTime, "the script was not done after %v", c.options.Timeout)
		}
		return nil, messageError("the script's process ended before the script did; the system may have come to a limit of it")
	}
	if writeFrame(p.in, &frame{Kind: "run", Run: p.runs, Input: in, Left: int64(left)}) != nil {
		return gone()
	}
	over := ctx.Done()
	for {
		select {
		case <-over:
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return gone()
			}
			over = nil // the child is about to say so, or is killed
		case e := <-l.events:
			if e.fatal != nil {
				return nil, e.fatal
			}
			if writeFrame(p.in, &frame{Kind: "answer", Run: p.runs, ID: e.id, Meta: e.meta, Body: e.body}) != nil {
				return gone()
			}
		case f := <-p.frames:
			var fatal *Error
			switch {
			case f == nil:
				return gone()
			case f.Kind == "request":
				fatal = l.request(f.ID, f.Meta, f.Body)
			case f.Kind == "log":
				fatal = l.log(f.ID, f.Body)
			case f.Kind == "done":
				return f, nil
			default:
				fatal = messageError("the script's process sent %s", fmt.Sprintf("%.20q", f.Kind))
			}
			if fatal != nil {
				return nil, fatal
			}
		}
	}
}
