#!/usr/bin/env bash
# Runs every fuzz target of every module for a given time, 10s by default:
#
#	internal/fuzz.sh 10m
#
# and then prints how often each ran. What each target holds to be true:
#
#	FuzzConnection        no panic; what parses marshals to the same bytes; one change changes only that; errors are well-formed
#	FuzzRequest           no panic; agrees with net/url; no control characters, no invalid UTF-8; the ways in agree
#	FuzzAuthorizationURL  the URL parses; destination and protocol parameters are the configured ones, once; every pair is explained; inputs stay
#	FuzzParseProfile      no panic; a profile has its user_id to the digit, and survives marshalling
#	FuzzWholeMatch        a pattern matches whole values, and those alone
#	FuzzQuery             encodes and decodes as net/url does, or has a reason to refuse
#	FuzzCheck             what is accepted encoding/json reads alike
#	FuzzS4Domain          a configured domain is a host and nothing else
#
# The nested modules list theirs in their own documentation.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
while read -r module; do
	while IFS=: read -r file target; do
		printf '\n== %s in %s\n' "$target" "${file#"$PWD"/}"
		# Minimizing may take a minute for each input that is merely interesting.
		go -C "$module" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$(dirname "$file")" | tee "$log.one"
		printf '%-24s %s\n' "$target" "$(grep -oE 'execs: [0-9]+' "$log.one" | tail -1)" >> "$log"
	done < <(go -C "$module" list -f '{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}' ./... |
		xargs -r grep -oHE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //' | sort)
done < <(find . -name go.mod -not -path '*/node_modules/*' -exec dirname {} \; | sort)
rm -f "$log.one"
printf '\n'
cat "$log"
