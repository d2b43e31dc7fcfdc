#!/bin/sh
# Installs Debian's Alertmanager for tests/e2e/test_alertmanager.py, where it is absent and we may.
set -u

command -v prometheus-alertmanager >/dev/null && exit 0

# The package is made for a service that listens everywhere. The tests start their own, on loopback:
# so the service is masked before it is there (systemctl unmask prometheus-alertmanager undoes it).
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && [ -d /etc/systemd/system ]; then
    $as_root ln -s /dev/null /etc/systemd/system/prometheus-alertmanager.service 2>/dev/null
fi
exec "$(dirname "$0")/install.sh" alertmanager "the tests of alerts to Alertmanager" \
    prometheus-alertmanager
