"""Real cameras on a real RTSP server, GStreamer's, that misbehave when told to.

``python -m tests.support.rtsp [PORT]`` plays the clips beside the project for a developer.
"""

import json
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
from av.bitstream import BitStreamFilterContext

from tests.support.required import require

PYTHON = "/usr/bin/python3"
PROGRAM = Path(__file__).with_name("rtsp_server.py")
MATERIAL = Path(__file__).parents[3] / "shared" / "video"
CLIPS = {
    "/people": "one-by-one-person-detection.mp4",
    "/bottles": "bottle-detection.mp4",
}
STAMP = (640, 360, 25)
DEFAULT_PORT = 8554
PACKET = struct.Struct("<qqI")

_CAPS = {
    "h264": "video/x-h264,stream-format=byte-stream,alignment=au",
    "hevc": "video/x-h265,stream-format=byte-stream,alignment=au",
    "mjpeg": "image/jpeg",
}
_TO_RTP = {
    "h264": "h264parse ! rtph264pay pt=96",
    "hevc": "h265parse ! rtph265pay pt=96",
    "mjpeg": "jpegparse ! rtpjpegpay pt=26",
}
_TO_STREAM = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}


def require_rtsp() -> None:
    """Go on where GStreamer's RTSP server is installed; else skip, or fail where it is demanded."""
    asks = "import gi; gi.require_version('GstRtspServer', '1.0')"
    present = shutil.which(PYTHON) is not None and not subprocess.call(
        [PYTHON, "-c", asks], stderr=subprocess.DEVNULL
    )
    require("rtsp", present, "no RTSP server: tests/setup/rtsp.sh installs GStreamer's")


def pack(clip: Path, packets: Path) -> Path:
    """Write the packets of ``clip`` as the server plays them, as they are."""
    with av.open(str(clip)) as source, packets.open("wb") as target:
        video = source.streams.video[0]
        codec = video.codec_context.name
        rate = video.average_rate
        caps = f"{_CAPS[codec]},framerate={rate.numerator}/{rate.denominator}"
        source_of = f'appsrc name=source is-live=true format=time caps="{caps}"'
        launch = f"{source_of} ! {_TO_RTP[codec]} name=pay0"
        head = {"launch": launch, "length_us": round(video.frames / rate * 1_000_000)}
        target.write(json.dumps(head).encode() + b"\n")
        for packet in _as_streamed(source, codec):
            times_us = (
                round((at - (video.start_time or 0)) * video.time_base * 1_000_000)
                for at in (packet.pts, packet.dts)
            )
            target.write(PACKET.pack(*times_us, packet.size) + bytes(packet))
    return packets


def _as_streamed(source: Any, codec: str) -> Iterator[Any]:
    """The packets of a file in the form in which they travel: with start codes."""
    video = source.streams.video[0]
    packets = (packet for packet in source.demux(video) if packet.dts is not None)
    if codec not in _TO_STREAM:
        yield from packets
        return
    streamed = BitStreamFilterContext(_TO_STREAM[codec], video)
    for packet in packets:
        yield from streamed.filter(packet)


class RtspServer:
    """Cameras by path. It keeps its port and its cameras when it is started again.

    ``within`` are words before its command, so that it runs in another network, at ``host``.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", within: Sequence[str] = ()) -> None:
        self._command = [*within, PYTHON, str(PROGRAM), host]
        self._ports = {"port": port, "guarded_port": 0}
        self._added: dict[str, dict[str, Any]] = {}
        self._start()

    def _start(self) -> None:
        self._popen = subprocess.Popen(
            [*self._command, *map(str, self._ports.values())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._ports = self._answer()
        for path, camera in self._added.items():
            self._order("add", path=path, **camera)

    def url(self, path: str) -> str:
        """Where a camera is, without its password."""
        is_guarded = "user" in self._added.get(path, {})
        return f"rtsp://127.0.0.1:{self._ports['guarded_port' if is_guarded else 'port']}{path}"

    def add(self, path: str, **camera: Any) -> str:
        """A camera that plays ``file`` (see `pack`) or ``stamp`` (width, height, fps), for ``user``
        with ``password`` alone where these are given. Returns its URL.
        """
        self._added[path] = {key: _plain(value) for key, value in camera.items()}
        self._order("add", path=path, **self._added[path])
        return self.url(path)

    def remove(self, path: str) -> None:
        """The camera is gone for whoever comes; who is connected goes on."""
        del self._added[path]
        self._order("remove", path=path)

    def switch(self, path: str, **film: Any) -> None:
        """Go on with another film of the same codec, within the connections."""
        self._order("switch", path=path, **{key: _plain(value) for key, value in film.items()})

    def stall(self, path: str, stalled: bool = True) -> None:
        """Send no picture, or go on, while connections stay open."""
        self._order("stall", path=path, stalled=stalled)

    def jump(self, path: str, seconds: float) -> None:
        """Let the times of pictures step."""
        self._order("jump", path=path, seconds=seconds)

    def kick(self) -> None:
        """Close all connections."""
        self._order("kick")

    def freeze(self, frozen: bool = True) -> None:
        """Let the whole server hang, or go on."""
        self._popen.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL."""
        self._popen.kill()
        self._popen.communicate()

    def restart(self) -> None:
        """Start again after `kill`."""
        self._start()

    def _order(self, do: str, **words: Any) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps({"do": do, **words}) + "\n")
        self._popen.stdin.flush()
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        assert line, f"the RTSP server ended with {self._popen.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


@contextmanager
def rtsp_server(port: int = 0) -> Iterator[RtspServer]:
    """A server without cameras, killed at the end. ``port`` 0 is any that is free."""
    require_rtsp()
    server = RtspServer(port)
    try:
        yield server
    finally:
        server.kill()


def main() -> None:
    """Play the real clips and a stamped picture until Ctrl-C, or SIGTERM, and say where."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    port = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PORT
    with rtsp_server(port) as server, TemporaryDirectory(prefix="maskstream-cameras-") as folder:
        for path, clip in CLIPS.items():
            if (MATERIAL / clip).exists():
                packets = pack(MATERIAL / clip, Path(folder) / f"{path[1:]}.packets")
                print(server.add(path, file=packets), flush=True)
        print(server.add("/stamp", stamp=STAMP), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping")


if __name__ == "__main__":
    main()
