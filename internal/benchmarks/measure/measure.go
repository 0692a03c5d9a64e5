// Package measure compares implementations of the same work on a machine that
// does other things as well: each gets many short turns, in an order that
// changes from round to round, and the median of its turns counts. A burst of
// foreign load then hits all of them, and the median drops it.
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
	NS     float64 `json:"ns"`     // median
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
	for i, impl := range row.Impls {
		n, err := e.calibrate(impl)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", row.Name, impl.Name, err)
		}
		turns[i] = n
	}
	samples := make([][]sample, len(row.Impls))
	for round := range e.Rounds {
		for k := range row.Impls {
			i := (round + k) % len(row.Impls)
			s, err := turn(row.Impls[i], turns[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", row.Name, row.Impls[i].Name, err)
			}
			samples[i] = append(samples[i], s)
		}
	}
	figures := make([]Figure, len(row.Impls))
	for i, impl := range row.Impls {
		ns := median(samples[i], func(s sample) float64 { return s.ns })
		figures[i] = Figure{
			Row: row.Name, Impl: impl.Name, NS: math.Round(10*ns) / 10,
			// Cut, not rounded, as package testing does it: the runtime's own
			// allocations, a few in many thousand turns, are nobody's.
			Bytes:  uint64(median(samples[i], func(s sample) float64 { return s.bytes })),
			Allocs: uint64(median(samples[i], func(s sample) float64 { return s.allocs })),
		}
		figures[i].Ratio = math.Round(1000*figures[i].NS/figures[0].NS) / 1000
	}
	return figures, nil
}

// calibrate finds how often the work fits into a turn.
func (e Effort) calibrate(impl Impl) (int, error) {
	for n := 1; ; {
		s, err := turn(impl, n)
		if err != nil {
			return 0, err
		}
		took := time.Duration(s.ns * float64(n))
		if took >= e.Turn/2 || n >= 1<<30 {
			return max(1, int(float64(e.Turn)/s.ns)), nil
		}
		n *= 2
	}
}

type sample struct{ ns, bytes, allocs float64 }

// ballast is never read. It keeps the heap of a measuring program as large as
// that of a server under load: with a small one the runtime gives the pages of
// each turn back and has the next turn fault them in again, which costs more
// than what is measured.
var ballast []byte

// turn lets one Impl work n times. It begins without garbage, so that no Impl
// pays for another's.
func turn(impl Impl, n int) (sample, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err := impl.Run(n)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	count := float64(n)
	return sample{
		ns:     float64(took.Nanoseconds()) / count,
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / count,
		allocs: float64(after.Mallocs-before.Mallocs) / count,
	}, err
}

func median(samples []sample, of func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
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
