#!/bin/sh
# Installs Debian's kcat and jq for tests/e2e/test_consuming.py, where they are absent and we may.
set -u

command -v kcat >/dev/null && command -v jq >/dev/null && exit 0
exec "$(dirname "$0")/install.sh" kcat "the examples of docs/consuming.md" kcat jq
