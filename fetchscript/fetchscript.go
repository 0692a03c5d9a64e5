package fetchscript

// This file owns what a program sees: the settings, a compiled script, and how
// a Provider comes to run it.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"time"

	"golang.org/x/oauth2"

	"example.com/upstream"
)

// Options are the limits and surroundings of scripts. The zero value has the
// defaults that the fields name; a field that is not positive has its default.
type Options struct {
	Timeout     time.Duration // of a run in all, waiting for HTTP included; 10 s
	CPU         time.Duration // of a run, for what the script itself computes; 1 s
	Memory      int           // bytes that the engine of a run may use; 64 MiB, at least 4 MiB
	Stack       int           // calls inside one another; 1000, at most 5000
	MaxResult   int           // bytes of the profile's JSON; 256 KiB
	MaxRequests int           // HTTP requests of a run, redirects included; 20
	MaxResponse int           // bytes of an answer's body, after decompression; 1 MiB

	// Concurrency is how many runs of one script there may be at once; 25, a
	// quarter of what the pool has. Others wait, each until its Timeout.
	Concurrency int
	// Idle is how many engines or processes of one script stay ready between
	// runs; GOMAXPROCS, but at least 4.
	Idle int
	// Pool is what bounds the engines and processes of all scripts; nil for
	// that of the program, see [DefaultPool].
	Pool *Pool

	// Configuration is what scripts find in the global configuration. Its
	// values count as secrets.
	Configuration map[string]string
	// Logger gets the console's lines at debug level, without tokens, secrets
	// and answers; nil for slog.Default().
	Logger *slog.Logger
	// Isolation runs the script in a process of its own; see [Isolated]. nil
	// for the process of the program.
	Isolation *Isolation
}

const (
	mebibyte  = 1 << 20
	maxMemory = 1 << 30
	maxStack  = 5000 // the goroutine that runs the engine has room for these
)

// withDefaults gives the options with every field set.
func (o Options) withDefaults() Options {
	set := func(field *int, value int) {
		if *field <= 0 {
			*field = value
		}
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.CPU <= 0 {
		o.CPU = time.Second
	}
	set(&o.Memory, 64*mebibyte)
	o.Memory = min(o.Memory, maxMemory)
	set(&o.Stack, 1000)
	o.Stack = min(o.Stack, maxStack)
	set(&o.MaxResult, mebibyte/4)
	set(&o.MaxRequests, 20)
	set(&o.MaxResponse, mebibyte)
	set(&o.Concurrency, poolTotal/4)
	set(&o.Idle, max(runtime.GOMAXPROCS(0), 4))
	if o.Pool == nil {
		o.Pool = defaultPool
	}
	o.Configuration = maps.Clone(o.Configuration) // the program may go on changing its own
	return o
}

// A Script is a compiled fetchUserProfile script. It is safe for concurrent
// use; no run sees anything of another.
type Script struct {
	options Options
	words   []string // the identifiers in its text
	machine machine
}

// A machine runs a script, in this process or another.
type machine interface {
	// run gives the profile's JSON, or an *Error that is not yet cleaned.
	run(ctx context.Context, in *input, out *outside) (profile string, err error)
	// close ends what is idle. Runs under way come to their end.
	close()
}

// Compile makes a script ready to run under the default limits. The error is
// an [*Error], with line and column where the text is not JavaScript.
//
// What the engine does with the text has the limits of a run: there are texts
// that take the parser very long. With Options.Isolation a child does it, and
// the text is not parsed in the process of the program.
func Compile(src string) (*Script, error) { return Options{}.Compile(src) }

// Compile is like the function [Compile], under these limits.
func (o Options) Compile(src string) (*Script, error) {
	o = o.withDefaults()
	machine, err := newMachine(src, o)
	if err != nil {
		failure := *asError(err, "no JavaScript engine could be started")
		failure.Message = newRedactor(nil).clean(failure.Message) // a child may say anything
		return nil, &failure
	}
	s := &Script{options: o, words: words(src), machine: machine}
	runtime.AddCleanup(s, closeMachine, machine)
	return s, nil
}

func newMachine(src string, o Options) (machine, error) {
	if err := checkText(src); err != nil {
		return nil, err
	}
	if o.Isolation != nil {
		return newChildren(src, o)
	}
	return newEngines(src, o)
}

func closeMachine(m machine) { m.close() }

// Fetch runs the script for the user whom the token stands for. It is an
// [upstream.ProfileFetcher]: HTTP goes through the client in the context, and
// the error is an [*upstream.ProfileError] with an [*Error] in it.
//
// The script gets the access token, and a context with the members of the
// token response that its text names, and with the connection's client_id,
// client_secret and endpoints.
func (s *Script) Fetch(ctx context.Context, token *oauth2.Token, conn *upstream.Connection) (*upstream.Profile, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	profile, err := s.fetch(ctx, token, conn)
	if err != nil {
		if conn != nil {
			err.Connection = conn.Name
		}
		return nil, err.profileError()
	}
	return profile, nil
}

func (s *Script) fetch(ctx context.Context, token *oauth2.Token, conn *upstream.Connection) (*upstream.Profile, *Error) {
	switch {
	case s == nil || s.machine == nil:
		return nil, messageError("there is no script; make one with Compile")
	case token == nil || token.AccessToken == "":
		return nil, messageError("there is no access token; exchange the code first")
	}
	if conn == nil {
		conn = &upstream.Connection{}
	}
	in, secrets := newInput(&s.options, s.words, token, conn)
	if ctx.Err() != nil {
		return nil, &Error{Message: givenUp, Err: ctx.Err()}
	}
	limited, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	out := &outside{options: &s.options, redactor: newRedactor(secrets), connection: conn.Name}
	text, err := s.machine.run(limited, in, out)
	runtime.KeepAlive(s) // its engines live as long as it does
	if err == nil && limited.Err() != nil {
		// The end of the time ended a request, and the script made a profile of that.
		err = &Error{Limit: LimitTime, Message: fmt.Sprintf("the script was not done after %v", s.options.Timeout), Err: limited.Err()}
	}
	if err != nil {
		failure := *asError(err, "the run failed")
		failure.Message = out.redactor.clean(failure.Message)
		// The login's own deadline, where it is the earlier one, ends the run as
		// well: a child may notice it before our clock does.
		login, hasDeadline := ctx.Deadline()
		if end, _ := limited.Deadline(); failure.Limit == LimitTime && (ctx.Err() != nil || hasDeadline && login.Equal(end)) {
			failure.Limit, failure.Message, failure.Err = "", givenUp, cmp.Or(ctx.Err(), context.DeadlineExceeded)
		}
		return nil, &failure
	}
	return newProfile(text, s.options.MaxResult)
}

// Attach gives a Provider that is like p but for how it gets a profile: by own,
// a function of the program's, where that is not nil; else by the connection's
// fetchUserProfile script, where there is one; else as p does.
//
//	provider, err = fetchscript.Attach(provider, conn, nil)
//
// conn is the connection that p was made from. The error is that of [Compile].
func Attach(p *upstream.Provider, conn *upstream.Connection, own upstream.ProfileFetcher) (*upstream.Provider, error) {
	return Options{}.Attach(p, conn, own)
}

// Attach is like the function [Attach], under these limits.
func (o Options) Attach(p *upstream.Provider, conn *upstream.Connection, own upstream.ProfileFetcher) (*upstream.Provider, error) {
	switch {
	case p == nil || conn == nil:
		return nil, messageError("Attach needs a provider and its connection")
	case own != nil:
		return p.WithProfileFetcher(conn, own), nil
	case conn.Options.FetchUserProfile.IsZero():
		return p, nil
	}
	s, err := o.Compile(conn.Options.FetchUserProfile.Reveal())
	if err != nil {
		failure := &Error{}
		if errors.As(err, &failure) {
			failure.Connection = conn.Name
		}
		return nil, err
	}
	return p.WithProfileFetcher(conn, s.Fetch), nil
}

const givenUp = "the login was given up"
