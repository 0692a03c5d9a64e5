#!/bin/sh
# Installs what the tests of this module need besides Go: oidc-provider and
# openid-client, for node, in the versions of their package-lock.json. Without
# node there is nothing to install, and the tests that need it are skipped.
set -eu
cd "$(dirname "$0")/testdata"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "node or npm is not there: the tests with oidc-provider and openid-client will be skipped"
	exit 0
fi
for package in oidc-provider openid-client; do
	(cd "$package" && npm ci)
done
