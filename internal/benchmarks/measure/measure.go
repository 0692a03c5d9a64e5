// Package measure compares implementations of the same work on a machine that
// does other things as well: each gets many short turns, in an order that
// changes from round to round, and the 20th percentile of its turns counts. Foreign
// load, and a collection that hits somebody's turn, only ever makes a turn longer:
// so the quick turns of a busy machine are those of a quiet one.
package measure

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// Sink takes results, to keep the compiler from dropping what is measured.
var Sink string

// An Impl is one way to do the work of a row.
type Impl struct {
	Name string
	Run  func(n int) error // does the work n times
}

// A Row is the work and all ways to do it, ours first.
type Row struct {
	Name  string
	Impls []Impl
}

// A Figure is the cost of doing the work once. Field order and tags are those
// of the JSON output.
type Figure struct {
	Row    string  `json:"row"`
	Impl   string  `json:"impl"`
	NS     float64 `json:"ns"`     // 20th percentile of the turns
	Bytes  uint64  `json:"bytes"`  // allocated
	Allocs uint64  `json:"allocs"` // number of allocations
	Ratio  float64 `json:"ratio"`  // NS over that of the row's first Impl
}

// Effort says how long to measure.
type Effort struct {
	Rounds int           // at least one in each pass
	Turn   time.Duration // of one Impl in one round
}

// passes is how often Measure comes to each row.
const passes = 6

// Measure gives a figure for each Impl of the rows, in their order. It comes to each row
// several times, so that what disturbs it for a while disturbs a part of its turns.
func (e Effort) Measure(rows ...Row) ([]Figure, error) {
	if ballast == nil {
		ballast = make([]byte, 64<<20)
	}
	runtime.GC() // or the first to allocate sweeps up after whoever built the rows
	all := make([][]work, len(rows))
	for range passes {
		for i, row := range rows {
			if all[i] == nil {
				all[i] = make([]work, len(row.Impls))
			}
			if err := e.pass(row, all[i]); err != nil {
				return nil, err
			}
		}
	}
	var figures []Figure
	for i, row := range rows {
		for k, w := range all[i] {
			f := Figure{Row: row.Name, Impl: row.Impls[k].Name, Bytes: w.bytes, Allocs: w.allocs}
			f.NS = math.Round(10*percentile(w.samples)) / 10
			f.Ratio = math.Round(1000*f.NS/percentile(all[i][0].samples)) / 1000
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// work is what is known of an Impl.
type work struct {
	turn          int       // how often the work is done in a turn
	samples       []float64 // ns
	bytes, allocs uint64    // of one
}

// pass gives each Impl of a row its part of the turns. How often the work is done in a turn
// is found anew: a turn that is too short costs more, since nothing is warm yet.
func (e Effort) pass(row Row, all []work) error {
	failed := func(i int, err error) error { return fmt.Errorf("%s: %s: %w", row.Name, row.Impls[i].Name, err) }
	for i, impl := range row.Impls {
		w, err := &all[i], error(nil)
		if w.turn, err = e.calibrate(impl); err == nil {
			w.bytes, w.allocs, err = allocated(impl, min(w.turn, 1000))
		}
		if err != nil {
			return failed(i, err)
		}
	}
	for round := range max(1, e.Rounds/passes) {
		for k := range row.Impls {
			i := (round + k) % len(all)
			ns, err := timed(row.Impls[i], all[i].turn)
			if err != nil {
				return failed(i, err)
			}
			all[i].samples = append(all[i].samples, ns)
		}
	}
	return nil
}

// calibrate finds how often the work fits into a turn.
func (e Effort) calibrate(impl Impl) (int, error) {
	least := math.Inf(1)
	for n, enough := 1, 0; enough < 5; { // one may be disturbed
		ns, err := timed(impl, n)
		if err != nil {
			return 0, err
		}
		least = min(least, ns)
		if took := time.Duration(least * float64(n)); took >= e.Turn/2 || n >= 1<<30 {
			enough++
		} else {
			n *= 2
		}
	}
	return max(1, int(float64(e.Turn)/least)), nil
}

// ballast is never read. It keeps the heap of a measuring program as large as
// that of a server under load: with a small one the runtime gives the pages of
// each turn back and has the next turn fault them in again, which costs more
// than what is measured.
var ballast []byte

// timed lets one Impl work n times, and gives ns for one.
func timed(impl Impl, n int) (float64, error) {
	start := time.Now()
	err := impl.Run(n)
	return float64(time.Since(start).Nanoseconds()) / float64(n), err
}

// allocated counts, apart from the turns, what the work allocates: cut, not
// rounded, as package testing does it, because the runtime's own allocations, a
// few in many, are nobody's.
func allocated(impl Impl, n int) (bytes, allocs uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = impl.Run(n)
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / uint64(n), (after.Mallocs - before.Mallocs) / uint64(n), err
}

func percentile(samples []float64) float64 {
	slices.Sort(samples)
	return samples[(len(samples)-1)/5]
}

// Repeat makes an Impl of a function that does the work once.
func Repeat(name string, once func() error) Impl {
	return Impl{name, func(n int) error {
		for range n {
			if err := once(); err != nil {
				return err
			}
		}
		return nil
	}}
}
