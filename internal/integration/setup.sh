#!/bin/sh
# Installs what the tests of this module need besides Go: oidc-provider, for
# node, in the versions of its package-lock.json. Without node there is nothing
# to install, and the tests that need it are skipped.
set -eu
cd "$(dirname "$0")/testdata/oidc-provider"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "node or npm is not there: the tests with oidc-provider will be skipped"
	exit 0
fi
npm ci
