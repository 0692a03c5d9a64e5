#!/usr/bin/env bash
# Runs every fuzz target of every module for a given time, 10s by default:
#
#	internal/fuzz.sh 10m
#
# and then prints how often each ran. What each target holds to be true; a
# target that is not listed here fails the run:
#
#	FuzzWarnings          no panic; a connection of which there is nothing to say stays so through its JSON and back
#	FuzzConnection        no panic; what parses marshals to the same bytes; one change changes only that; errors are well-formed
#	FuzzRequest           no panic; agrees with net/url; no control characters, no invalid UTF-8; the ways in agree
#	FuzzAuthorizationURL  the URL parses; destination and protocol parameters are the configured ones, once; every pair is explained; inputs stay
#	FuzzFrom              by from, only what its rule lets leaves; no name of the protocol's is taken; all else of the URL stays
#	FuzzParseProfile      no panic; a profile has its user_id to the digit, and survives marshalling
#	FuzzTokenAnswer       a token that is taken is the one that a reader of exact names takes
#	FuzzCallback          no panic; an answer that is taken net/url reads alike, each name once; an error repeats nothing
#	FuzzWholeMatch        a pattern matches whole values, and those alone
#	FuzzR1Parse           reads a query as a plain reading of it does, name by name
#	FuzzQuery             encodes and decodes as net/url does, or has a reason to refuse
#	FuzzCheck             what is accepted encoding/json reads alike
#	FuzzS4Domain          a configured domain is a host and nothing else
#
# and of fetchscript:
#
#	FuzzScript            no panic; the limits hold; a profile or the documented error, without token and secret
#	FuzzBody              the same for any answer; an id keeps its digits; nothing reaches Object.prototype
#	FuzzRedact            no secret of four or more characters is left in a message
#	FuzzAllocator         the engine's blocks do not overlap
#
# and of login:
#
#	FuzzFinish            no panic; a user who is the ID token's, or an Error without a secret
#	FuzzMetadata          no panic; a document makes a Login that leads to https or loopback, or an Error
#
# and of fapi:
#
#	FuzzPushAnswer        what is taken is 201 with one absolute request_uri; errors quote nothing
#	FuzzTokenAnswer       a challenge, a bound token, a nonce and an error code are what they have to be
#	FuzzIDToken           no panic; what decrypts is what was encrypted; what is not encrypted stays as it is
#	FuzzProofKey          what is read is written the same
#	FuzzClientMetadata    no panic; a Client or an error
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
while read -r module; do
	while IFS=: read -r file target; do
		printf '\n== %s in %s\n' "$target" "${file#"$PWD"/}"
		grep -q "^#	$target  " internal/fuzz.sh || { echo "internal/fuzz.sh does not say what $target holds to be true" >&2; exit 1; }
		# Minimizing may take a minute for each input that is merely interesting.
		# Before Go 1.27 the end of the time may itself be reported (go.dev/issue/75804).
		go -C "$module" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$(dirname "$file")" | tee "$log/one" ||
			{ grep -qx '    context deadline exceeded' "$log/one" && ! grep -q 'Failing input' "$log/one"; }
		execs=$(grep -oE 'execs: [0-9]+' "$log/one" | tail -1) || execs='its corpus only' # reading it took all the time
		printf '%-24s %s\n' "$target" "$execs" >> "$log/all"
	done < <(go -C "$module" list -f '{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}' ./... |
		xargs -r grep -oHE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //' | sort)
done < <(find . -name go.mod -not -path '*/node_modules/*' -exec dirname {} \; | sort)
printf '\n'
cat "$log/all"
