#!/bin/sh
# Installs Debian's libfaketime for tests/faults/test_clock.py, where it is absent and we may.
set -u

for library in /usr/lib/*/faketime/libfaketimeMT.so.1; do
    [ -e "$library" ] && exit 0
done
exec "$(dirname "$0")/install.sh" faketime "the tests of clocks that step" libfaketime
