#!/bin/sh
# Installs Debian's kcat and jq for tests/e2e/test_consuming.py, where they are absent and we may.
# Without them those tests skip, so nothing here fails: one line says what happened.
set -u

command -v kcat >/dev/null && command -v jq >/dev/null && exit 0
if ! command -v apt-get >/dev/null; then
    echo "kcat: absent, and there is no apt-get; the examples that use it will skip"
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "kcat: absent, and root is needed to install it; the examples that use it will skip"
        exit 0
    fi
    as_root="sudo -n"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install \
        -y -qq --no-install-recommends kcat jq >"$log" 2>&1
}

echo "kcat: installing it and jq from the distribution, for the examples of docs/consuming.md"
if ! install; then
    $as_root apt-get update -qq >"$log" 2>&1
    if ! install; then
        tail -n 3 "$log"
        echo "kcat: could not be installed; the examples that use it will skip"
    fi
fi
exit 0
