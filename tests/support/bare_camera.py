"""A camera that speaks no more RTSP than it must, and describes itself as a test likes: GStreamer's
server describes itself well.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import av

from tests.support.films import Film, write_film

H264 = b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:video\r\n"
UNKNOWN = b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 X-OWN/90000\r\na=control:video\r\n"
SOUND = b"m=audio 0 RTP/AVP 0\r\na=control:sound\r\n"
_FPS, _TICKS = 25, 90_000
_FIRST = 1_000_000
"""RTP's time of the first picture: FFmpeg takes 0 for none."""
NTP_S = 2_208_988_800
"""From 1900, when NTP begins, to 1970."""
_INTERLEAVED = struct.Struct(">cBHBBHII")
_REPORT = struct.Struct(">cBHBBHIIIIII")
_ANSWERS = {
    b"OPTIONS": b"Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
    b"SETUP": b"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
    b"PLAY": b"Session: 1\r\n",
}

Pictures = Sequence[Sequence[bytes]]
"""The units of H.264 that each picture is made of."""


def pictures(folder: Path) -> Pictures:
    """Those of a film."""
    film = write_film(folder / "film.h264", Film(seconds=1))
    with av.open(str(film)) as container:
        packets = [bytes(packet) for packet in container.demux() if packet.size]
    return [[unit for unit in _units(packet) if unit] for packet in packets]


def _units(packet: bytes) -> list[bytes]:
    return packet.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")


@asynccontextmanager
async def bare_camera(
    shown: Pictures, media: bytes = H264, name: bytes = b"hall", ntp_s: int | None = None
) -> AsyncIterator[str]:
    """Show pictures again and again to whoever comes. ``media`` and ``name`` are what it says of
    itself (RFC 4566), ``ntp_s`` when it took the first, if it reports that. Gives its URL.
    """
    head = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=%b\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n" % name
    serving: list[asyncio.Task[None]] = []

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.create_task(_serve(shown, head + media, ntp_s, reader, writer)))

    async with await asyncio.start_server(welcome, "127.0.0.1", 0) as server:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/hall"
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


async def _serve(
    shown: Pictures,
    described: bytes,
    ntp_s: int | None,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    playing = None
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            verb = request.split()[0]
            number = next(line for line in request.split(b"\r\n") if line.startswith(b"CSeq"))
            writer.write(b"RTSP/1.0 200 OK\r\n%b\r\n%b" % (number, _ANSWERS.get(verb, b"")))
            if verb == b"DESCRIBE":
                length = b"Content-Length: %d\r\n\r\n" % len(described)
                writer.write(b"Content-Type: application/sdp\r\n" + length + described)
            else:
                writer.write(b"\r\n")
            if verb == b"PLAY" and ntp_s is not None:  # a sender's report (RFC 3550, 6.4.1)
                writer.write(_REPORT.pack(b"$", 1, 28, 0x80, 200, 6, 1, ntp_s, 0, _FIRST, 0, 0))
            if verb == b"PLAY":
                playing = asyncio.create_task(_play(shown, writer))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # it was left
    finally:
        if playing is not None:
            playing.cancel()
        writer.close()


async def _play(shown: Pictures, writer: asyncio.StreamWriter) -> None:
    sent = count()
    for number in count():
        units = shown[number % len(shown)]
        time = _FIRST + number * _TICKS // _FPS
        for unit in units:
            is_last = unit is units[-1]
            rtp = 0x80, is_last << 7 | 96, next(sent) & 0xFFFF, time, 1
            writer.write(_INTERLEAVED.pack(b"$", 0, 12 + len(unit), *rtp) + unit)
        await writer.drain()
        await asyncio.sleep(1 / _FPS)
