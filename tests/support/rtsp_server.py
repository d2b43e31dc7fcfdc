"""An RTSP server that plays prepared packets or a stamped picture, and misbehaves when told to.

A program of its own, for the Python of the distribution, as that alone has GStreamer. It reads one
JSON object a line from its standard input and answers each with a line; `tests.support.rtsp` drives
it.
"""

import json
import struct
import sys
import time
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PACKET = struct.Struct("<qqI")
"""Before each packet of a file: when it is shown and when it is decoded, in µs, and its bytes."""
BITS, CELL_PX = 64, 8
"""A stamp: the µs since 1970 as 64 cells in one row, white for a one, most significant first."""


class Packets:
    """A film as packets, over and over: what a camera's encoder gives."""

    def __init__(self, file: str) -> None:
        head, _, data = Path(file).read_bytes().partition(b"\n")
        said = json.loads(head)
        self.launch = said["launch"]
        self._length_us = said["length_us"]
        self._packets: list[tuple[int, int, bytes]] = []
        at = 0
        while at < len(data):
            shown_us, decoded_us, size = PACKET.unpack_from(data, at)
            at += PACKET.size
            self._packets.append((shown_us, decoded_us, data[at : at + size]))
            at += size

    def times_us(self, number: int) -> tuple[int, int]:
        """When packet ``number`` of the endless film is shown, and when it is decoded."""
        turn, index = divmod(number, len(self._packets))
        shown_us, decoded_us, _ = self._packets[index]
        return shown_us + turn * self._length_us, decoded_us + turn * self._length_us

    def data(self, number: int) -> bytes:
        """Its bytes."""
        return self._packets[number % len(self._packets)][2]


class Stamp:
    """A grey picture that says when it was made."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        self.launch = (
            f"appsrc name=source is-live=true format=time caps=video/x-raw,format=I420,"
            f"width={width},height={height},framerate={fps}/1 ! x264enc tune=zerolatency "
            f"speed-preset=ultrafast bitrate=2000 key-int-max={fps} ! rtph264pay name=pay0 pt=96"
        )
        self._width, self._fps = width, fps
        self._rest = bytes([96]) * (width * (height - CELL_PX)) + bytes([128]) * (
            width * height // 2
        )

    def times_us(self, number: int) -> tuple[int, int]:
        """As of `Packets`."""
        at_us = number * 1_000_000 // self._fps
        return at_us, at_us

    def data(self, _number: int) -> bytes:
        """A picture that says when it was asked for."""
        now_us = time.time_ns() // 1000
        cells = (bytes([235 if now_us >> bit & 1 else 16]) * CELL_PX for bit in range(BITS)[::-1])
        row = b"".join(cells).ljust(self._width, b"\x60")
        return row * CELL_PX + self._rest


Film = Packets | Stamp


class Mount:
    """A path of the server, and what its camera does."""

    def __init__(self, film: Film) -> None:
        self.film = film
        self.is_stalled = False
        self.jumped_us = 0

    def play(self, _factory: Any, media: Any) -> None:
        """Somebody watches."""
        Playing(self, media)


class Playing:
    """Pushes the pictures of a mount at their time until nobody watches any more."""

    def __init__(self, mount: Mount, media: Any) -> None:
        self._mount, self._film = mount, mount.film
        self._pipeline = media.get_element()
        self._source = self._pipeline.get_by_name("source")
        self._number, self._begun_us, self._ended = 0, 0, False
        media.connect("unprepared", self._end)
        GLib.timeout_add(5, self._begin)

    def _end(self, _media: Any) -> None:
        self._ended = True

    def _now_us(self) -> int | None:
        """Since the pipeline began; None before."""
        clock, began = self._pipeline.get_clock(), int(self._pipeline.get_base_time())
        return (int(clock.get_time()) - began) // 1000 if clock and began else None

    def _begin(self) -> bool:
        if (now_us := self._now_us()) is None:
            return not self._ended
        self._begun_us = now_us
        self._push()
        return False

    def _push(self) -> bool:
        """Push what is due, and come back when the next is."""
        now_us = self._now_us()
        if self._ended or now_us is None:
            return False
        if self._film is not self._mount.film:
            self._begun_us += self._film.times_us(self._number)[1]
            self._film, self._number = self._mount.film, 0
        shown_us, decoded_us = (each + self._begun_us for each in self._film.times_us(self._number))
        wait_us = decoded_us - now_us
        if wait_us <= 0:
            if not self._mount.is_stalled:
                self._give(self._film.data(self._number), shown_us, decoded_us)
            self._number += 1
        GLib.timeout_add(max(0, wait_us // 1000), self._push)
        return False

    def _give(self, data: bytes, shown_us: int, decoded_us: int) -> None:
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts = max(0, shown_us + self._mount.jumped_us) * 1000
        buffer.dts = max(0, decoded_us + self._mount.jumped_us) * 1000
        self._source.emit("push-buffer", buffer)


class Server:
    """Does what the lines on standard input say. Cameras with a password have a port of their own,
    as GStreamer asks all who come to a port for one, or none.
    """

    def __init__(self, host: str, port: int, guarded_port: int) -> None:
        self._open = _listening(host, port)
        self._guarded = _listening(host, guarded_port)
        self._auth = GstRtspServer.RTSPAuth()
        self._auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)  # as most cameras do
        self._guarded.set_auth(self._auth)
        self._mounts: dict[str, Mount] = {}

    def start(self) -> dict[str, int]:
        """Where it listens."""
        for each in (self._open, self._guarded):
            each.attach(None)
        return {
            "port": self._open.get_bound_port(),
            "guarded_port": self._guarded.get_bound_port(),
        }

    def add(
        self, path: str, user: str | None = None, password: str | None = None, **film: Any
    ) -> None:
        """A camera at ``path``, for ``user`` alone where one is named."""
        mount = Mount(_film(**film))
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {mount.film.launch} )")
        factory.set_shared(True)
        factory.set_latency(0)
        factory.connect("media-configure", mount.play)
        if user is not None:
            self._guard(factory, user, password)
        server = self._open if user is None else self._guarded
        server.get_mount_points().add_factory(path, factory)
        self._mounts[path] = mount

    def _guard(self, factory: Any, user: str, password: str | None) -> None:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role(user)
        for what in ("access", "construct"):
            permissions.add_permission_for_role(user, f"media.factory.{what}", True)
        factory.set_permissions(permissions)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", user)
        self._auth.add_digest(user, password, token)

    def remove(self, path: str) -> None:
        """No camera there any more; who watches goes on."""
        for server in (self._open, self._guarded):
            server.get_mount_points().remove_factory(path)
        del self._mounts[path]

    def switch(self, path: str, **film: Any) -> None:
        """Go on with another film of the same codec, in the same connections."""
        self._mounts[path].film = _film(**film)

    def stall(self, path: str, *, stalled: bool) -> None:
        """Send nothing while every connection stays open."""
        self._mounts[path].is_stalled = stalled

    def jump(self, path: str, seconds: float) -> None:
        """Let the camera's clock step."""
        self._mounts[path].jumped_us += round(seconds * 1e6)

    def kick(self) -> None:
        """Close all connections."""
        for server in (self._open, self._guarded):
            server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)


def _listening(host: str, port: int) -> Any:
    server = GstRtspServer.RTSPServer()
    server.set_address(host)
    server.set_service(str(port))
    return server


def _film(file: str | None = None, stamp: tuple[int, int, int] | None = None) -> Film:
    if file is not None:
        return Packets(file)
    assert stamp is not None
    return Stamp(*stamp)


def main() -> None:
    """Serve until standard input ends."""
    Gst.init(None)
    loop = GLib.MainLoop()
    server = Server(sys.argv[1], *map(int, sys.argv[2:]))
    print(json.dumps(server.start()), flush=True)

    def told(channel: Any, _condition: Any) -> bool:
        line = channel.readline()
        if not line:
            loop.quit()
            return False
        order = json.loads(line)
        getattr(server, order.pop("do"))(**order)
        print("{}", flush=True)
        return True

    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, told)
    loop.run()


main()
