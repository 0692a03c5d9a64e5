package main

// This file compares the figures with what the library promises of itself.

import (
	"fmt"

	"example.com/upstream/internal/benchmarks/measure"
)

// targets gives a line for each target, "met" or "missed" first.
func targets(figures []measure.Figure) []string {
	var out []string
	get := func(row, impl string) (f measure.Figure) {
		for _, f := range figures {
			if f.Row == row && f.Impl == impl {
				return f
			}
		}
		out = append(out, "missed  there is no figure for "+row+" "+impl)
		return f
	}
	target := func(met bool, format string, args ...any) {
		out = append(out, map[bool]string{true: "met     ", false: "missed  "}[met]+fmt.Sprintf(format, args...))
	}

	query, obvious := get("raw-query-to-url-varied", ours), get("raw-query-to-url-varied", "x/oauth2")
	target(obvious.Ratio >= 6 && query.Allocs <= 2,
		"raw query to URL, varied: %.1f times as fast as the obvious way (at least 6), %d allocations (at most 2)", obvious.Ratio, query.Allocs)
	parsed, floor := get("url-from-parsed-request", ours), get("url-from-parsed-request", "hand-written")
	target(parsed.NS <= 1.15*floor.NS && parsed.Allocs == 1,
		"URL from a parsed request: %.2f times what is written by hand (at most 1.15), %d allocation (1)", parsed.NS/floor.NS, parsed.Allocs)
	target(get("append", ours).Allocs == 0, "append: %d allocations (0)", get("append", ours).Allocs)
	from, aliases := get("raw-query-to-url-two-from", "from"), get("raw-query-to-url-two-from", "aliases")
	target(from.NS <= 1.15*aliases.NS, "two parameters by from: %.2f times two by alias (at most 1.15)", from.NS/aliases.NS)
	random := get("random-tenant", ours)
	target(random.NS <= 2000, "a random tenant among 100,000: %.0f ns (at most 2,000)", random.NS)

	slope := func(kind, impl string, from, to int) float64 { // ns for one more parameter
		row := func(n int) float64 { return get(fmt.Sprintf("url-%s-%d", kind, n), impl).NS }
		return (row(to) - row(from)) / float64(to-from)
	}
	early, late := slope("dynamic", ours, 1, 10), slope("dynamic", ours, 10, 30)
	target(late <= 1.25*early, "a dynamic parameter: %.1f ns each up to 10, %.1f ns up to 30 (linear: no more)", early, late)
	// The URL is written once and copied once into its string, so its bytes
	// cost two copies; the floor has one, and the allocation.
	static, bytes := slope("static", ours, 1, 30), slope("static", "copy", 1, 30)
	target(static <= 2*bytes, "a static parameter: %.1f ns, its bytes in the floor %.1f ns (at most two copies)", static, bytes)

	exchange := get("token-exchange", "x/oauth2")
	target(1/exchange.Ratio <= 1.03, "token exchange: %+.1f %% beside plain x/oauth2 (at most 3 %%)", 100/exchange.Ratio-100)
	return out
}
