#!/bin/sh
# Installs Debian's chromium for tests/e2e/test_page.py, where it is absent and we may.
# Without it those tests skip, so nothing here fails: one line says what happened.
set -u

command -v chromium >/dev/null && exit 0
if ! command -v apt-get >/dev/null; then
    echo "chromium: absent, and there is no apt-get; the page's tests will skip"
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "chromium: absent, and root is needed to install it; the page's tests will skip"
        exit 0
    fi
    as_root="sudo -n"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install \
        -y -qq --no-install-recommends chromium fonts-dejavu-core >"$log" 2>&1
}

echo "chromium: installing it from the distribution, for the page's tests"
if ! install; then
    $as_root apt-get update -qq >"$log" 2>&1
    if ! install; then
        tail -n 3 "$log"
        echo "chromium: could not be installed; the page's tests will skip"
    fi
fi
exit 0
