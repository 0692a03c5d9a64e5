// Command scale loads the connections of many tenants from JSON lines, builds
// all their Providers and serves random tenants from all cores:
//
//	go -C internal/benchmarks run ./scale [-n 100000] [-file connections.jsonl]
//
// It prints what each step costs, beside json.Unmarshal of the same lines. How
// a server keeps a million tenants is the subject of package tenants.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"example.com/upstream"
	"example.com/upstream/internal/benchmarks/connections"
	"example.com/upstream/internal/benchmarks/sample"
)

func main() {
	n := flag.Int("n", 100_000, "how many connections to make")
	file := flag.String("file", "", "read connections from this file, one in a line, in place of made ones")
	serve := flag.Duration("serve", 3*time.Second, "how long to serve")
	flag.Parse()
	if err := run(os.Stdout, *n, *file, *serve); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, n int, file string, serve time.Duration) error {
	lines, err := load(n, file)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fmt.Errorf("there are no connections")
	}
	bytes := 0
	for _, line := range lines {
		bytes += len(line)
	}
	fmt.Fprintf(out, "%d connections, %d bytes of JSON each\n\n", len(lines), bytes/len(lines))

	times, err := measureTime(lines)
	if err != nil {
		return err
	}
	maps, err := resident(lines, func(line []byte) (any, error) { return unmarshal(line) })
	if err != nil {
		return err
	}
	parsed, err := resident(lines, func(line []byte) (any, error) { return upstream.ParseConnection(line) })
	if err != nil {
		return err
	}
	built, err := resident(lines, func(line []byte) (any, error) { return provider(line) })
	if err != nil {
		return err
	}
	ratio := func(took time.Duration) float64 { return float64(took) / float64(times.unmarshal) }
	each := func(took time.Duration) float64 { return float64(took.Nanoseconds()) / float64(len(lines)) / 1000 }
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "step\ttime\tµs each\tof Unmarshal\tresident bytes each\t")
	row := func(name string, took time.Duration, kept int) {
		fmt.Fprintf(w, "%s\t%v\t%.1f\t%.2f\t%d\t\n", name, took.Round(time.Millisecond), each(took), ratio(took), kept)
	}
	row("json.Unmarshal into map[string]any", times.unmarshal, maps)
	row("ParseConnection", times.parse, parsed)
	row("NewProvider", times.build, built)
	row("both", times.parse+times.build, built)
	if err := w.Flush(); err != nil {
		return err
	}
	both := ratio(times.parse + times.build)
	fmt.Fprintf(out, "\n%s  load and build: %.2f times json.Unmarshal (at most 3)\n", verdict(both <= 3), both)
	fmt.Fprintf(out, "%s  a Provider: %d bytes resident (at most 2048)\n", verdict(built <= 2048), built)
	return serveAll(out, lines, serve)
}

func verdict(met bool) string { return map[bool]string{true: "met   ", false: "missed"}[met] }

// load reads the lines, or makes them.
func load(n int, file string) ([][]byte, error) {
	var lines [][]byte
	if file == "" {
		for i := range n {
			text, err := connections.Line(i)
			if err != nil {
				return nil, err
			}
			lines = append(lines, text)
		}
		return lines, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // was only read
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 2<<20)
	for scanner.Scan() {
		if text := bytes.TrimSpace(scanner.Bytes()); len(text) > 0 {
			lines = append(lines, slices.Clone(text))
		}
	}
	return lines, scanner.Err()
}

func unmarshal(line []byte) (map[string]any, error) {
	var m map[string]any
	return m, json.Unmarshal(line, &m)
}

func provider(line []byte) (*upstream.Provider, error) {
	conn, err := upstream.ParseConnection(line)
	if err != nil {
		return nil, err
	}
	return upstream.NewProvider(conn)
}

type times struct{ unmarshal, parse, build time.Duration }

// measureTime does the steps in turns of 200 lines, so that what else the
// machine does hits all of them, each beginning with the other's garbage gone.
func measureTime(lines [][]byte) (sum times, err error) {
	const turn = 200
	maps := make([]map[string]any, turn)
	parsed := make([]*upstream.Connection, turn)
	providers := make([]*upstream.Provider, turn)
	for part := range slices.Chunk(lines, turn) {
		steps := []struct {
			total *time.Duration
			step  func(i int, line []byte) error
		}{
			{&sum.unmarshal, func(i int, line []byte) (err error) { maps[i], err = unmarshal(line); return err }},
			{&sum.parse, func(i int, line []byte) (err error) { parsed[i], err = upstream.ParseConnection(line); return err }},
			{&sum.build, func(i int, _ []byte) (err error) {
				providers[i], err = upstream.NewProvider(parsed[i])
				return err
			}},
		}
		for _, s := range steps {
			start := time.Now()
			for i, line := range part {
				if err := s.step(i, line); err != nil {
					return sum, err
				}
			}
			*s.total += time.Since(start)
		}
	}
	return sum, nil
}

// resident gives how much the heap grows by one result of step, the rest being
// garbage.
func resident(lines [][]byte, step func([]byte) (any, error)) (int, error) {
	kept := make([]any, len(lines))
	before := heap()
	for i, line := range lines {
		var err error
		if kept[i], err = step(line); err != nil {
			return 0, err
		}
	}
	after := heap()
	runtime.KeepAlive(kept)
	return int(after-before) / len(lines), nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// serveAll makes URLs for random tenants on all cores.
func serveAll(out io.Writer, lines [][]byte, serve time.Duration) error {
	providers := make([]*upstream.Provider, len(lines))
	for i, line := range lines {
		var err error
		if providers[i], err = provider(line); err != nil {
			return err
		}
	}
	runtime.GC()
	var served atomic.Int64
	var failed atomic.Pointer[error]
	var work sync.WaitGroup
	busy, gc := cpu()
	start := time.Now()
	for core := range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(core)))
			tx := sample.Transaction()
			tx.CodeVerifier = upstream.NewSecret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") // some connections require PKCE
			for time.Since(start) < serve {
				for range 100 {
					req, err := upstream.ParseAuthorizeQuery(sample.Query)
					if err == nil {
						_, err = providers[r.IntN(len(providers))].AuthorizationURL(req, tx)
					}
					if err != nil {
						failed.Store(&err)
						return
					}
				}
				served.Add(100)
			}
		})
	}
	work.Wait()
	took := time.Since(start)
	if err := failed.Load(); err != nil {
		return *err
	}
	busyAfter, gcAfter := cpu()
	fmt.Fprintf(out, "\n%.0f requests a second for random tenants on %d cores; the garbage collector took %.1f %% of the CPU time used\n",
		float64(served.Load())/took.Seconds(), runtime.GOMAXPROCS(0), 100*(gcAfter-gc)/(busyAfter-busy))
	return nil
}

// cpu gives the CPU seconds that the program has used, and the garbage
// collector's part of them.
func cpu() (busy, gc float64) {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
	}
	runtime.GC() // these are brought up to date at the end of a collection
	metrics.Read(samples)
	return samples[0].Value.Float64() - samples[1].Value.Float64(), samples[2].Value.Float64()
}
