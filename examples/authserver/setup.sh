#!/bin/sh
# Installs what the browser tests need besides Chromium: axe-core, which looks for
# what keeps people from using a page. Without npm there is nothing to install, and
# those tests are skipped.
set -eu
cd "$(dirname "$0")/testdata/axe"
if ! command -v npm >/dev/null; then
	echo "npm is not there: the tests with axe-core will be skipped"
	exit 0
fi
npm ci
