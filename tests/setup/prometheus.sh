#!/bin/sh
# Installs Debian's Prometheus, with its promtool, for the tests of dashboards/, where it is absent and we may.
set -u

command -v prometheus >/dev/null && command -v promtool >/dev/null && exit 0

# The package is made for a service that listens everywhere. The tests start their own, on loopback:
# so the service is masked before it is there (systemctl unmask prometheus undoes it).
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && [ -d /etc/systemd/system ]; then
    $as_root ln -s /dev/null /etc/systemd/system/prometheus.service 2>/dev/null
fi
exec "$(dirname "$0")/install.sh" prometheus "the tests of dashboards and alarms" prometheus
