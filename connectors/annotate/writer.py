"""Pictures to an H.264 file, each at its own time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from stream.errors import ConfigError
from stream.types import Pixels, Size

TICKS_PER_S = 90_000
"""MPEG's own clock: every common frame rate is whole in it."""
ASSUMED_STEP = TICKS_PER_S // 25
"""Ticks between two pictures where time does not say it: it stood still, went back, or is the
first."""


class VideoWriter:
    """An mp4 (H.264, yuv420p) that plays in every browser; use as ``async with``.

    A picture is shown from its ``time_us`` on, counted from the first; where time goes back (a
    file that begins again) it goes on after the last picture. The first picture sets the size,
    made even at its right and bottom edge; others are fitted into it. Encoding runs in a thread of
    its own: libav is not safe to call from two at a time, not even to close what still encodes.
    """

    def __init__(self, path: Path, *, quality: int = 21, faststart: bool = False) -> None:
        """``quality`` is x264's constant rate factor: 0 keeps all, 51 the least. ``faststart``: it
        plays while it is still being fetched, for which the file is written twice.
        """
        self._path = path
        self._options = {"movflags": "faststart"} if faststart else {}
        self._quality = quality
        self._thread = ThreadPoolExecutor(1, "annotated-video")
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._failed = False
        self._size: Size = (0, 0)
        self._timeline = _Timeline()

    async def __aenter__(self) -> Self:
        """Open the file. Raises `ConfigError` where it cannot be written."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(self._path), "w", format="mp4", options=self._options)
        except OSError as error:
            raise self._refused(error) from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file; one that got no picture is removed."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._close)
        finally:
            self._thread.shutdown(wait=False)

    async def write(self, pixels: Pixels, time_us: int) -> None:
        """Add a picture (BGR). Raises ValueError outside ``async with``.

        Raises `ConfigError` where the file cannot be written, and takes no more then.
        """
        if self._container is None:
            raise ValueError(f"video {self._path} is not open")
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._encode, self._container, pixels, time_us)

    def _encode(self, container: OutputContainer, pixels: Pixels, time_us: int) -> None:
        if self._stream is None:
            self._stream = self._begin(container, pixels)
        frame = av.VideoFrame.from_ndarray(_fitted(pixels, self._size), format="bgr24")
        frame.time_base = Fraction(1, TICKS_PER_S)
        frame.pts = self._timeline.ticks(time_us)
        self._mux(container, self._stream.encode(frame))

    def _mux(self, container: OutputContainer, packets: "list[Packet[VideoStream]]") -> None:
        try:
            container.mux(packets)
        except OSError as error:
            self._failed = True
            raise self._refused(error) from error

    def _begin(self, container: OutputContainer, pixels: Pixels) -> VideoStream:
        height, width = pixels.shape[:2]
        self._size = (height + height % 2, width + width % 2)
        options = {"crf": str(self._quality), "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.height, stream.width = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        return stream

    def _close(self) -> None:
        container, self._container = self._container, None
        if container is None:
            return
        try:
            if self._stream is not None and not self._failed:  # libav crashes at a second try
                self._mux(container, self._stream.encode(None))
        finally:
            container.close()
        if self._stream is None:
            self._path.unlink(missing_ok=True)

    def _refused(self, error: OSError) -> ConfigError:
        return ConfigError(f"video {self._path}: {error.strerror}")


class _Timeline:
    """Event time to ticks that only rise."""

    def __init__(self) -> None:
        self._shift_us: int | None = None
        self._last = -ASSUMED_STEP
        self._step = ASSUMED_STEP

    def ticks(self, time_us: int) -> int:
        if self._shift_us is None:
            self._shift_us = -time_us
        ticks = _ticks(time_us + self._shift_us)
        if ticks <= self._last:
            ticks = self._last + self._step
            self._shift_us = ticks * 1_000_000 // TICKS_PER_S - time_us
        self._step, self._last = min(ticks - self._last, TICKS_PER_S), ticks
        return ticks


def _ticks(time_us: int) -> int:
    return round(time_us * TICKS_PER_S / 1_000_000)


def _fitted(pixels: Pixels, size: Size) -> Pixels:
    """``pixels`` in a picture of ``size``: scaled down to fit, if need be, and padded."""
    (height, width), (to_height, to_width) = pixels.shape[:2], size
    if height > to_height or width > to_width:
        scale = min(to_height / height, to_width / width)
        height, width = max(1, int(height * scale)), max(1, int(width * scale))
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    below, right = to_height - height, to_width - width
    evened = below <= 1 and right <= 1
    how = cv2.BORDER_REPLICATE if evened else cv2.BORDER_CONSTANT
    return np.ascontiguousarray(cv2.copyMakeBorder(pixels, 0, below, 0, right, how))
