"""Pictures from video files. One given as a live camera plays at its own pace."""

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

from connectors.video.pictures import NAMES, UNKNOWN, credible, pixels
from stream.config import redact
from stream.errors import CameraError, CameraRefusedError
from stream.ports import Clock, Shot
from stream.sampling import Sampler
from stream.specs import CameraSpec
from stream.types import Size

READ_AHEAD = 4
"""Pictures that are decoded in one go: each trip to the thread costs 0.1 ms."""


@asynccontextmanager
async def open_file(camera: CameraSpec, path: Path, clock: Clock) -> AsyncIterator["FileFeed"]:
    """Open a file; all reading happens in a thread of its own.

    Raises `CameraRefusedError` where it is not there or is no video.
    """
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, f"video-{camera.id}")
    try:
        container = await loop.run_in_executor(thread, partial(_open, camera))
        try:
            yield FileFeed(camera, path, container, thread, clock)
        finally:
            await loop.run_in_executor(thread, container.close)
    finally:
        thread.shutdown(wait=False)


class FileFeed:
    """The shots of one open file; see `stream.ports.Feed`."""

    def __init__(
        self,
        camera: CameraSpec,
        path: Path,
        container: Any,
        thread: ThreadPoolExecutor,
        clock: Clock,
    ) -> None:
        self._camera = camera
        self._clock = clock
        self._thread = thread
        self._stream = container.streams.video[0]
        self._stream.codec_context.thread_count = 1  # cameras are many: one thread each is fair
        self._pictures = container.decode(self._stream)
        self._broken: CameraError | None = None
        self.size: Size = (self._stream.height, self._stream.width)
        self.fps: float | None = credible(self._stream.average_rate)
        self.frames: int | None = self._stream.frames or None
        self.started_us: int | None = _started_us(path, container)

    async def shots(self, sampler: Sampler) -> AsyncIterator[Shot]:
        """As `stream.ports.Feed.shots`, paced when the camera is live."""
        loop = asyncio.get_running_loop()
        is_live = self._camera.mode == "live"
        began_s: float | None = None
        index = 0
        while pictures := await loop.run_in_executor(
            self._thread, self._read, 1 if is_live else READ_AHEAD
        ):
            for picture, decoding_us in pictures:
                time_s = self._time_s(picture, index)
                index += 1
                if is_live:
                    began_s = time.monotonic() - time_s if began_s is None else began_s
                    await asyncio.sleep(began_s + time_s - time.monotonic())
                if sampler.keeps(time_s):
                    size = picture.height, picture.width
                    arrived_us, convert = self._clock.now_us(), partial(pixels, picture)
                    yield Shot(time_s, arrived_us, size, convert, decoding_us=decoding_us)
        if self._broken is not None:
            raise self._broken
        if index == 0:
            raise CameraRefusedError(f"camera {self._camera.id}: not one picture can be decoded")

    def _read(self, count: int) -> list[tuple[Any, int]]:
        """Up to ``count`` pictures, each with the microseconds that it took; none at the end, and
        after an error, which is kept.
        """
        pictures: list[tuple[Any, int]] = []
        try:
            while self._broken is None and len(pictures) < count:
                began_s = time.monotonic()
                picture = next(self._pictures)
                pictures.append((picture, round((time.monotonic() - began_s) * 1e6)))
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
    try:
        container = av.open(camera.url, metadata_errors=NAMES)
    except (av.error.FFmpegError, OSError) as error:
        raise CameraRefusedError(
            f"camera {camera.id}: {error.strerror}: {redact(camera.url)}"
        ) from None
    video = container.streams.video
    if video and video[0].codec_context is not None:
        return container
    container.close()
    reason = UNKNOWN if video else "no picture in it"
    raise CameraRefusedError(f"camera {camera.id}: {reason}: {redact(camera.url)}")


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
