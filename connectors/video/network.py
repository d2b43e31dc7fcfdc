"""Cameras on the network. Each is read by a thread of its own, which waits for no other camera.

A network camera never ends by itself: what PyAV shows as the end of its iterator is a lost
connection.
"""

import asyncio
import errno
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import av.error

from connectors.video.decoder import Decoder
from connectors.video.pictures import NAMES, UNKNOWN, pixels
from stream.config import with_credentials
from stream.errors import CameraError, ConfigError, CredentialsRefusedError
from stream.ports import Clock, Shot
from stream.sampling import Sampler
from stream.specs import CameraSpec
from stream.types import Size

OPEN_S, READ_S = 5.0, 8.0
"""How long a camera may take to answer, and to send its next picture."""
OPTIONS = {
    "timeout": str(round(READ_S * 1e6)),  # of the socket; the only one that RTSP obeys
    "allowed_media_types": "video",  # sound is never read
    "analyzeduration": "0",  # opens in 0.2 s instead of 2.3 s
    "probesize": "32768",
}
AHEAD = 8
"""Pictures that wait for the event loop; then their camera's thread waits as well."""
_SILENT = f"it sent nothing for {READ_S:g} s"


@asynccontextmanager
async def open_network(
    camera: CameraSpec, credentials: Path | None, clock: Clock
) -> AsyncIterator["NetworkFeed"]:
    """Connect to a camera; open once its first picture came.

    Raises `CameraError` where it does not answer, `CredentialsRefusedError` where it refuses ours,
    or they may not go there.
    Leaving does not wait for the camera: its thread ends within `READ_S`. Python does not end
    before: FFmpeg asks it whether to wait on, which kills a process where Python is gone.
    """
    try:
        url = with_credentials(camera, credentials)
    except ConfigError as error:
        reason = "; ".join(str(error).splitlines())
        raise CredentialsRefusedError(f"camera {camera.id}: {reason}") from error
    reader = _Reader(camera, url, clock)
    threading.Thread(target=reader.run, name=f"camera {camera.id}").start()
    try:
        size, fps = await reader.opened
        yield NetworkFeed(reader, size, fps)
    finally:
        reader.stop()


class NetworkFeed:
    """The shots of one connection; see `stream.ports.Feed`."""

    started_us: int | None = None
    frames: int | None = None

    def __init__(self, reader: "_Reader", size: Size, fps: float | None) -> None:
        self._reader = reader
        self.size = size
        self.fps = fps

    async def shots(self, sampler: Sampler) -> AsyncIterator[Shot]:
        """As `stream.ports.Feed.shots`; ends with a `CameraError` alone."""
        self._reader.begin(sampler)
        while True:
            yield await self._reader.next()


class _Reader:
    """A camera's thread is in `run`; all else is called by the event loop."""

    def __init__(self, camera: CameraSpec, url: str, clock: Clock) -> None:
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[tuple[Size, float | None]] = self._loop.create_future()
        self._camera = camera
        self._url = url
        self._clock = clock
        self._came: asyncio.Queue[Shot | Exception] = asyncio.Queue()
        self._room = threading.Semaphore(AHEAD)
        self._sampler: Sampler | None = None
        self._begun = threading.Event()
        self._stopped = False

    def begin(self, sampler: Sampler) -> None:
        """Read on, for what ``sampler`` keeps."""
        self._sampler = sampler
        self._begun.set()

    async def next(self) -> Shot:
        """The next shot. Raises what ended the connection."""
        came = await self._came.get()
        if isinstance(came, Exception):
            raise came
        self._room.release()
        return came

    def stop(self) -> None:
        """Let the thread end; nobody waits for it."""
        self._stopped = True
        self._begun.set()
        self._room.release()

    def run(self) -> None:
        """Read until the connection ends, or until nobody wants it any more."""
        try:
            with _connected(self._camera, self._url) as container:
                self._read(container)
            error: Exception = CameraError("the connection was lost")
        except Exception as found:
            error = found
        self._tell(self._end, _named(self._camera, error))

    def _read(self, container: Any) -> None:
        video = container.streams.video[0]
        decoder = Decoder(video, READ_S)
        for packet in _in_time(container.demux(video)):
            arrived_us = self._clock.now_us()
            if self._stopped:
                return
            for picture in decoder.pictures(packet):
                if decoder.sampler is None:
                    decoder.sampler = self._wait(decoder)
                if decoder.sampler.keeps(decoder.time_s(picture)):
                    self._give(decoder, picture, arrived_us)

    def _wait(self, decoder: Decoder) -> Sampler:
        """Say that it is open, and wait for whoever begins."""
        self._tell(self._open, (decoder.size, decoder.fps))
        self._begun.wait()
        return self._sampler or Sampler(None)

    def _give(self, decoder: Decoder, picture: Any, arrived_us: int) -> None:
        if self._stopped:  # it makes room for one alone, and a packet may give more
            return
        shot = Shot(
            decoder.time_s(picture),
            arrived_us,
            (picture.height, picture.width),
            partial(pixels, picture),
            decoder.camera_us(picture),
            decoder.worked_us(),
            self._clock.now_us(),
        )
        self._room.acquire()
        self._tell(self._came.put_nowait, shot)

    def _tell(self, what: Any, *words: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens
            self._loop.call_soon_threadsafe(what, *words)

    def _open(self, found: tuple[Size, float | None]) -> None:
        if not self.opened.done():
            self.opened.set_result(found)

    def _end(self, error: Exception) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)
        self._came.put_nowait(error)


def _in_time(packets: Iterator[Any]) -> Iterator[Any]:
    """What comes. Raises `CameraError` when nothing does: FFmpeg then first gives what it held back
    of the last picture, and waits as long again before it says so.
    """
    while True:
        asked_s = time.monotonic()
        packet = next(packets, None)
        if packet is None:
            return
        if time.monotonic() - asked_s > READ_S:
            raise CameraError(_SILENT)
        if packet.size:  # at its end the iterator gives an empty one
            yield packet


@contextmanager
def _connected(camera: CameraSpec, url: str) -> Iterator[Any]:
    container = av.open(
        url,
        options={**OPTIONS, "rtsp_transport": camera.rtsp},
        metadata_errors=NAMES,
        timeout=(OPEN_S, READ_S),
    )
    try:
        if not container.streams.video:
            raise CameraError("it sends no picture")
        if container.streams.video[0].codec_context is None:
            raise CameraError(UNKNOWN)
        yield container
    finally:
        container.close()


def _named(camera: CameraSpec, error: Exception) -> Exception:
    """The error in our words. Never those of FFmpeg's that may hold the URL."""
    match error:
        case CameraError():
            return type(error)(f"camera {camera.id}: {error}")
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return CredentialsRefusedError(f"camera {camera.id}: {_refused(camera)}")
        case av.error.ExitError() | av.error.TimeoutError():
            reason = _SILENT
        case av.error.InvalidDataError():
            reason = "it does not answer as a camera does"
        case av.error.FFmpegError() | OSError():
            unknown = _unknown_host(camera.url) if error.errno == errno.EIO else None
            reason = unknown or error.strerror or type(error).__name__
        case _:
            return error
    return CameraError(f"camera {camera.id}: {reason}")


def _refused(camera: CameraSpec) -> str:
    if camera.credentials is None:
        return "it wants a password; name one with credentials: NAME"
    return f"it refuses our credentials {camera.credentials}"


def _unknown_host(url: str) -> str | None:
    """What FFmpeg calls an error of input or output, where it is that a name leads nowhere."""
    host = urlsplit(url).hostname
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return f"the name {host} leads to no address"
    return None
