#!/bin/sh
# Installs Debian's chromium for tests/e2e/test_page.py, where it is absent and we may.
set -u

command -v chromium >/dev/null && exit 0
exec "$(dirname "$0")/install.sh" chromium "the page's tests" chromium fonts-dejavu-core
