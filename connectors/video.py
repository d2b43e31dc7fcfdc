"""Pictures from video files and RTSP cameras, through PyAV.

A file given as a live camera plays at its own pace. A network camera never ends by itself: what
PyAV shows as the end of its iterator is a lost connection.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from stream.config import redact
from stream.errors import CameraError, CameraRefusedError
from stream.ports import Shot
from stream.specs import CameraSpec, file_path
from stream.types import Pixels, Size

NETWORK_OPTIONS = {
    "rtsp_transport": "tcp",
    "timeout": "5000000",  # µs without data; the only one of FFmpeg's time-outs that RTSP obeys
    "analyzeduration": "0",  # opens in 0.2 s instead of 2.3 s
    "probesize": "32768",
}
READ_AHEAD = 4
"""Pictures of a file that are decoded in one go: each trip to the thread costs 0.1 ms."""
MOST_FPS = 1000
"""A stream that claims a higher rate does not know its own (MJPEG files say 90000)."""


@asynccontextmanager
async def open_feed(camera: CameraSpec) -> AsyncIterator["VideoFeed"]:
    """Open a camera's picture source; all reading happens in a thread of its own.

    Raises `CameraRefusedError` for a file that is not there or is no video, `CameraError` for a
    camera that does not answer.
    """
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, f"video-{camera.id}")
    try:
        container = await loop.run_in_executor(thread, partial(_open, camera))
        try:
            yield VideoFeed(camera, container, thread)
        finally:
            await loop.run_in_executor(thread, container.close)
    finally:
        thread.shutdown(wait=False)  # one that hangs in opening must not hold the event loop


class VideoFeed:
    """The shots of one open container; see `stream.ports.Feed`."""

    def __init__(self, camera: CameraSpec, container: Any, thread: ThreadPoolExecutor) -> None:
        self._camera = camera
        self._thread = thread
        self._stream = container.streams.video[0]
        self._stream.codec_context.thread_count = 1  # cameras are many: one thread each is fair
        self._pictures = container.decode(self._stream)
        self._broken: CameraError | None = None
        path = file_path(camera.url)
        self._is_network = path is None
        rate = self._stream.average_rate
        self.size: Size = (self._stream.height, self._stream.width)
        self.fps = float(rate) if rate and rate < MOST_FPS else None
        self.frames = self._stream.frames or None
        self.started_us = None if path is None else _started_us(path, container)

    async def __aiter__(self) -> AsyncIterator[Shot]:
        """The shots in order, paced when the camera is live."""
        loop = asyncio.get_running_loop()
        paced = self._camera.mode == "live" and not self._is_network
        began_s: float | None = None
        index = 0
        at_once = READ_AHEAD if self._camera.mode == "archive" else 1
        while pictures := await loop.run_in_executor(self._thread, self._read, at_once):
            for picture in pictures:
                time_s = self._time_s(picture, index)
                index += 1
                if paced:
                    began_s = time.monotonic() - time_s if began_s is None else began_s
                    await asyncio.sleep(began_s + time_s - time.monotonic())
                yield Shot(time_s, (picture.height, picture.width), partial(_pixels, picture))
        if self._broken is not None:
            raise self._broken
        if self._is_network:
            raise CameraError(f"camera {self._camera.id}: the connection was lost")
        if index == 0:
            raise CameraRefusedError(f"camera {self._camera.id}: not one picture can be decoded")

    def _read(self, count: int) -> list[Any]:
        """Up to ``count`` pictures; none at the end, and after an error, which is kept."""
        pictures: list[Any] = []
        try:
            while self._broken is None and len(pictures) < count:
                pictures.append(next(self._pictures))
        except StopIteration:
            pass
        except av.error.FFmpegError as error:
            self._broken = CameraError(f"camera {self._camera.id}: {error.strerror or error}")
        return pictures

    def _time_s(self, picture: Any, index: int) -> float:
        if picture.time is not None:
            return float(picture.time) - float((self._stream.start_time or 0) * picture.time_base)
        return index / (self.fps or 25.0)


def _open(camera: CameraSpec) -> Any:
    is_network = file_path(camera.url) is None
    options = NETWORK_OPTIONS if is_network else {}
    try:
        container = av.open(camera.url, options=options)
    except (av.error.FFmpegError, OSError) as error:
        refused = CameraError if is_network else CameraRefusedError
        raise refused(f"camera {camera.id}: {error.strerror}: {redact(camera.url)}") from None
    if not container.streams.video:
        container.close()
        raise CameraRefusedError(f"camera {camera.id}: no picture in {redact(camera.url)}")
    return container


def _started_us(path: Path, container: Any) -> int:
    """When a file's time 0 was: its creation tag, else its last change."""
    tag = container.metadata.get("creation_time")
    try:
        moment = datetime.fromisoformat(tag) if tag else None
    except ValueError:
        moment = None
    if moment is None:
        return path.stat().st_mtime_ns // 1000
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1_000_000)


def _pixels(picture: Any) -> Pixels:
    return np.ascontiguousarray(picture.to_ndarray(format="bgr24"))
