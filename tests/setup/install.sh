#!/bin/sh
# Installs packages of the distribution where we may: install.sh WHAT WHO PACKAGE...
# Without them WHO skips, so nothing here fails: one line says what happened.
set -u

what=$1 who=$2
shift 2
if ! command -v apt-get >/dev/null; then
    echo "$what: absent, and there is no apt-get; $who will skip"
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "$what: absent, and root is needed to install it; $who will skip"
        exit 0
    fi
    as_root="sudo -n"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install \
        -y -qq --no-install-recommends "$@" >"$log" 2>&1
}

echo "$what: installing $* from the distribution; $who need it"
if ! install "$@"; then
    $as_root apt-get update -qq >"$log" 2>&1
    if ! install "$@"; then
        tail -n 3 "$log"
        echo "$what: could not be installed; $who will skip"
    fi
fi
exit 0
