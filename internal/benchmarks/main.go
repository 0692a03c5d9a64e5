// Command benchmarks compares this library with what people would use in its
// place, in one run and on the same parameters:
//
//	go -C internal/benchmarks run .
//
// prints one table; -json prints it as an array; -short takes some seconds.
// README.md says what the rows are.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"text/tabwriter"
	"time"

	"example.com/upstream/internal/benchmarks/measure"
)

// remark stands beside the table: without it the comparison would mislead.
const remark = `The peers check no allowlist and no reserved names: what x/oauth2, zitadel, goth and cap are given, they send.
x/oauth2 is the root's v0.36.0; "hand-written" is code for this one connection, without checks; "copy" copies the finished bytes.`

func main() {
	asJSON := flag.Bool("json", false, "print a JSON array")
	short := flag.Bool("short", false, "measure for some seconds only")
	flag.Parse()
	effort := measure.Effort{Rounds: 300, Turn: 1 * time.Millisecond}
	if *short {
		effort = measure.Effort{Rounds: 80, Turn: 1 * time.Millisecond}
	}
	figures, err := run(effort, 100_000, !*short)
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(figures)
	} else if err == nil {
		err = table(os.Stdout, figures)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

// run measures everything.
func run(effort measure.Effort, tenants int, withLatest bool) ([]measure.Figure, error) {
	others, end := peers()
	defer end()
	rows, err := localRows(others, tenants)
	if err != nil {
		return nil, err
	}
	network, endNetwork, err := networkRows()
	if err != nil {
		return nil, err
	}
	defer endNetwork()
	figures, err := effort.Measure(rows...)
	if err != nil {
		return nil, err
	}
	// A request takes as long as a thousand URLs, and the pools of net/http,
	// empty after a collection, have to fill first. Client and server share one
	// processor: with more, the figures tell on which the scheduler woke the server.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	requests, err := measure.Effort{Rounds: effort.Rounds, Turn: 10 * effort.Turn}.Measure(network...)
	if err != nil {
		return nil, err
	}
	figures = append(figures, requests...)
	if withLatest {
		some, err := latest(effort)
		if err != nil { // it may need a newer Go than there is
			fmt.Fprintln(os.Stderr, "benchmarks: the latest x/oauth2 was not measured:", err)
		}
		figures = append(figures, some...)
	}
	return figures, nil
}

// latest builds and runs package latest with the latest x/oauth2.
func latest(effort measure.Effort) ([]measure.Figure, error) {
	dir, err := os.MkdirTemp("", "benchmarks")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system cleans up what is left
	binary := filepath.Join(dir, "latest")
	build := exec.Command("go", "build", "-modfile=latest.mod", "-o", binary, "./latest")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	measured := exec.Command(binary, "-rounds", strconv.Itoa(effort.Rounds), "-turn", effort.Turn.String())
	measured.Stderr = os.Stderr
	out, err := measured.Output()
	if err != nil {
		return nil, err
	}
	var figures []measure.Figure
	return figures, json.Unmarshal(out, &figures)
}

func table(out io.Writer, figures []measure.Figure) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\n\nrow\timpl\tns\tbytes\tallocs\tratio\t\n", remark)
	last := ""
	for _, f := range figures {
		name := f.Row
		if name == last {
			name = ""
		}
		last = f.Row
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%d\t%d\t%.2f\t\n", name, f.Impl, f.NS, f.Bytes, f.Allocs, f.Ratio)
	}
	fmt.Fprintln(w)
	for _, t := range targets(figures) {
		fmt.Fprintln(w, t)
	}
	return w.Flush()
}
