package fetchscript

// This file owns how many engines and processes a program has: it bounds them
// over all scripts, and ends those that nobody uses. It does not know what they are.

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	poolTotal = 100
	poolIdle  = time.Minute
)

// A Pool bounds the engines and processes of all scripts that share it. What a
// run is done with stays ready for the next of its script, until it was not used
// for a time, or another script needs its place: the least recently used goes
// first. Where every place is at work a run waits, until its Timeout. A Pool is
// safe for concurrent use.
type Pool struct {
	total int
	idle  time.Duration

	mu      sync.Mutex
	held    int       // at work, ready, or being started or ended
	ready   []resting // the least recently used first
	waiting []chan struct{}
	expiry  *time.Timer // for the first of ready; nil where there is none
	figures PoolFigures
}

// PoolFigures are what [Pool.Figures] gives.
type PoolFigures struct {
	Total   int    // the bound of the sum of the next two
	Busy    int    // at work, being started or ended
	Idle    int    // ready for a run of their script
	Waiting int    // runs that wait for a place
	Started uint64 // since the program began
	Reused  uint64 // runs that found one ready
	Evicted uint64 // ended for the sake of another script
	Expired uint64 // ended since nobody used them
}

// A unit is an engine or a process.
type unit interface {
	usable() bool // whether it can be used, now that it was idle
	end()         // frees it, and returns once it is gone
}

// resting is a unit that is ready for a run.
type resting struct {
	unit  unit
	owner *places
	until time.Time
}

// NewPool gives a Pool of at most so many engines and processes, each of which
// ends when it was idle for so long. A value that is not positive stands for the
// default: 100, a minute.
func NewPool(total int, idle time.Duration) *Pool {
	if total <= 0 {
		total = poolTotal
	}
	if idle <= 0 {
		idle = poolIdle
	}
	return &Pool{total: total, idle: idle}
}

// defaultPool is what makes it one bound for the whole program.
var defaultPool = NewPool(0, 0)

// DefaultPool gives the Pool of all scripts whose Options name none.
func DefaultPool() *Pool { return defaultPool }

// Figures says how the Pool is used.
func (p *Pool) Figures() PoolFigures {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.figures
	f.Total, f.Idle, f.Busy, f.Waiting = p.total, len(p.ready), p.held-len(p.ready), len(p.waiting)
	return f
}

// places are those of one script in a Pool.
type places struct {
	pool   *Pool
	slots  chan struct{} // one for each run under way
	idle   int           // how many may be ready
	closed bool          // guarded by the pool's mutex
}

func newPlaces(o *Options) *places {
	return &places{pool: o.Pool, slots: make(chan struct{}, o.Concurrency), idle: o.Idle}
}

// take gives a unit of the script that is ready, else one that start makes.
func (s *places) take(ctx context.Context, start func(context.Context) (unit, error)) (unit, error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, &Error{Limit: LimitTime, Message: "all runs that the script may have at once were under way", Err: ctx.Err()}
	}
	for {
		found, place, wait := s.pool.place(s)
		switch {
		case found != nil && found.usable():
			return found, nil
		case found != nil:
			found.end()
			s.pool.free()
		case place:
			u, err := start(ctx)
			if err != nil {
				s.pool.free()
				<-s.slots
			}
			return u, err
		default:
			select {
			case <-wait:
			case <-ctx.Done():
				s.pool.leave(wait)
				<-s.slots
				return nil, &Error{Limit: LimitTime, Message: "all engines of the program were in use", Err: ctx.Err()}
			}
		}
	}
}

// place finds a unit of the script, or a place for a new one, or else what tells
// when to look again.
func (p *Pool) place(s *places) (found unit, place bool, wait chan struct{}) {
	p.mu.Lock()
	for i := len(p.ready) - 1; i >= 0; i-- { // the last used: its memory is the warmest
		if p.ready[i].owner == s {
			defer p.mu.Unlock()
			found = p.ready[i].unit
			p.ready = slices.Delete(p.ready, i, i+1)
			p.figures.Reused++
			return found, false, nil
		}
	}
	switch {
	case p.held < p.total:
		p.held++
		p.figures.Started++
	case len(p.ready) > 0:
		victim := p.ready[0].unit
		p.ready = slices.Delete(p.ready, 0, 1)
		p.figures.Evicted++
		p.figures.Started++
		p.mu.Unlock()
		victim.end() // its place is ours
		return nil, true, nil
	default:
		wait = make(chan struct{})
		p.waiting = append(p.waiting, wait)
	}
	p.mu.Unlock()
	return nil, wait == nil, wait
}

// put takes a unit back, to be kept if it may serve on.
func (s *places) put(u unit, healthy bool) {
	p := s.pool
	p.mu.Lock()
	own := 0
	for _, r := range p.ready {
		if r.owner == s {
			own++
		}
	}
	if healthy = healthy && !s.closed && own < s.idle; healthy {
		p.ready = append(p.ready, resting{u, s, time.Now().Add(p.idle)})
		if p.expiry == nil {
			p.expiry = time.AfterFunc(p.idle, p.expire)
		}
		p.wake()
	}
	p.mu.Unlock()
	if !healthy {
		u.end()
		p.free()
	}
	<-s.slots
}

// free gives a place back that is held by nothing any more.
func (p *Pool) free() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held--
	p.wake()
}

// wake has the run that waits longest look again.
func (p *Pool) wake() {
	if len(p.waiting) > 0 {
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// leave is for a run that waits no longer; where it was woken just then, the next is.
func (p *Pool) leave(wait chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, wait); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
		return
	}
	p.wake()
}

// expire ends what was idle for long.
func (p *Pool) expire() {
	now := time.Now()
	n := p.remove(func(r resting) bool { return !r.until.After(now) })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.figures.Expired += uint64(n)
	p.expiry = nil
	if len(p.ready) > 0 {
		p.expiry = time.AfterFunc(time.Until(p.ready[0].until), p.expire)
	}
}

// remove ends what is ready and of that kind, and says how many that were.
func (p *Pool) remove(which func(resting) bool) int {
	p.mu.Lock()
	var gone []resting
	p.ready = slices.DeleteFunc(p.ready, func(r resting) bool {
		if which(r) {
			gone = append(gone, r)
			return true
		}
		return false
	})
	p.mu.Unlock()
	for _, r := range gone {
		r.unit.end()
		p.free()
	}
	return len(gone)
}

// close ends what of the script is ready, and keeps nothing more. Runs under way
// come to their end.
func (s *places) close() {
	s.pool.mu.Lock()
	s.closed = true
	s.pool.mu.Unlock()
	s.pool.remove(func(r resting) bool { return r.owner == s })
}
