#!/bin/sh
# Installs GStreamer's RTSP server for the tests of cameras on the network, where it is absent and we may.
set -u

/usr/bin/python3 -c "import gi; gi.require_version('GstRtspServer', '1.0')" 2>/dev/null && exit 0
exec "$(dirname "$0")/install.sh" rtsp "the tests of cameras on the network" \
    gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
    gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
