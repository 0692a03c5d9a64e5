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
	Rounds int
	Turn   time.Duration // of one Impl in one round
}

// Measure gives a figure for each Impl of the row, in their order.
func (e Effort) Measure(row Row) ([]Figure, error) {
	if ballast == nil {
		ballast = make([]byte, 64<<20)
	}
	turns := make([]int, len(row.Impls)) // how often the work is done in a turn
	figures := make([]Figure, len(row.Impls))
	for i, impl := range row.Impls {
		n, err := e.calibrate(impl)
		if err == nil {
			figures[i], err = allocated(impl, min(n, 1000))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", row.Name, impl.Name, err)
		}
		turns[i] = n
	}
	samples := make([][]float64, len(row.Impls)) // ns
	for round := range e.Rounds {
		for k := range row.Impls {
			i := (round + k) % len(row.Impls)
			took, err := turn(row.Impls[i], turns[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", row.Name, row.Impls[i].Name, err)
			}
			samples[i] = append(samples[i], took)
		}
	}
	for i, impl := range row.Impls {
		f := &figures[i]
		f.Row, f.Impl = row.Name, impl.Name
		f.NS = math.Round(10*percentile(samples[i])) / 10
		f.Ratio = math.Round(1000*f.NS/figures[0].NS) / 1000
	}
	return figures, nil
}

// calibrate finds how often the work fits into a turn.
func (e Effort) calibrate(impl Impl) (int, error) {
	for n := 1; ; {
		ns, err := turn(impl, n)
		if err != nil {
			return 0, err
		}
		if took := time.Duration(ns * float64(n)); took >= e.Turn/2 || n >= 1<<30 {
			return max(1, int(float64(e.Turn)/ns)), nil
		}
		n *= 2
	}
}

// ballast is never read. It keeps the heap of a measuring program as large as
// that of a server under load: with a small one the runtime gives the pages of
// each turn back and has the next turn fault them in again, which costs more
// than what is measured.
var ballast []byte

// turn lets one Impl work n times, and gives ns for one.
func turn(impl Impl, n int) (float64, error) {
	start := time.Now()
	err := impl.Run(n)
	return float64(time.Since(start).Nanoseconds()) / float64(n), err
}

// allocated counts, apart from the turns, what the work allocates: cut, not
// rounded, as package testing does it, because the runtime's own allocations, a
// few in many, are nobody's.
func allocated(impl Impl, n int) (Figure, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := impl.Run(n)
	runtime.ReadMemStats(&after)
	return Figure{Bytes: (after.TotalAlloc - before.TotalAlloc) / uint64(n), Allocs: (after.Mallocs - before.Mallocs) / uint64(n)}, err
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
