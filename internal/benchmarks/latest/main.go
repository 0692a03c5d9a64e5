// Command latest measures the first row with the latest x/oauth2 in place of
// the root's version. A build has one version of a module; so this is built
// with the module file latest.mod:
//
//	go -C internal/benchmarks run -modfile=latest.mod ./latest
//
// The benchmarks do so themselves and take its figures into their table. It
// prints a JSON array like theirs.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"example.com/upstream/internal/benchmarks/measure"
	"example.com/upstream/internal/benchmarks/sample"
)

func main() {
	rounds := flag.Int("rounds", 600, "how many rounds to measure")
	turn := flag.Duration("turn", time.Millisecond, "how long an implementation works in a round")
	flag.Parse()
	figures, err := run(measure.Effort{Rounds: *rounds, Turn: *turn})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(figures)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "latest:", err)
		os.Exit(1)
	}
}

func run(effort measure.Effort) ([]measure.Figure, error) {
	c := sample.Sample()
	ours, err := c.Ours()
	if err != nil {
		return nil, err
	}
	work := func(name string, once func() (string, error)) measure.Impl {
		return measure.Repeat(name, func() (err error) {
			measure.Sink, err = once()
			return err
		})
	}
	return effort.Measure(measure.Row{Name: "raw-query-to-url-latest-x/oauth2", Impls: []measure.Impl{
		work("upstream", ours.FromQuery),
		work("x/oauth2", c.FromQuery(c.Obvious())),
	}})
}
