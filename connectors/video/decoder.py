"""From packets of one network stream to pictures, while the stream stays what it was."""

import os
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import av.error

from connectors.video.pace import Pace
from connectors.video.pictures import credible
from stream.errors import CameraChangedError, CameraError
from stream.sampling import Sampler
from stream.types import Size

BACK_S = 0.001
"""Times are rounded to the container's; what goes back further has stepped."""
_PRODUCED = struct.Struct("<q")

_cores = threading.BoundedSemaphore(os.cpu_count() or 1)
"""Threads are as many as cameras; those that decode at a time are no more than cores."""


class Decoder:
    """Decodes what is needed: a picture that ``sampler`` will not keep, and that no other is made
    of, is passed over.

    ``size`` is known after the first picture; ``fps`` is the rate that the stream claims. Where the
    decoder notices that a picture is broken, none is given on up to the next that stands alone:
    those between are made of it.
    """

    def __init__(self, stream: Any, patience_s: float) -> None:
        self._stream = stream
        self._context = stream.codec_context
        self._context.thread_count = 1  # cameras are many: one thread each is fair
        self._is_intra = bool(self._context.codec.intra_only)
        self._patience_s = patience_s
        self._seen_s = time.monotonic()
        self._first_s: float | None = None
        self._last_s = 0.0
        self._broken_s: float | None = None
        self._camera_ahead_us: int | None = None
        self._pace = Pace()
        self._worked_s = 0.0
        self.sampler: Sampler | None = None
        self.size: Size | None = None
        self.fps = credible(stream.average_rate)

    def pictures(self, packet: Any) -> Iterator[Any]:
        """The whole pictures that come out when ``packet`` goes in.

        Raises `CameraChangedError` at a picture of another size, at another rate, and at one from
        before the last, and `CameraError` when there was no picture for too long although packets
        come.
        """
        self._note_times(packet)
        for picture in self._decoded(packet):
            if not self._is_whole(picture):
                continue
            self._judge(picture)
            yield picture
            self._seen_s = time.monotonic()  # what its reader took is not the camera's
        if time.monotonic() - self._seen_s > self._patience_s:
            raise CameraError(f"it sent no whole picture for {self._patience_s:g} s")

    def time_s(self, timed: Any) -> float:
        """The presentation time of a packet or picture since the first picture."""
        at_s = _shown_s(timed)
        return at_s - (at_s if self._first_s is None else self._first_s)

    def camera_us(self, picture: Any) -> int | None:
        """When the camera says that it took the picture; None before its first word on time."""
        if self._camera_ahead_us is None:
            return None
        return round(_shown_s(picture) * 1e6) + self._camera_ahead_us

    def worked_us(self) -> int:
        """How long it has decoded since this was asked last."""
        worked_s, self._worked_s = self._worked_s, 0.0
        return round(worked_s * 1e6)

    def _decoded(self, packet: Any) -> list[Any]:
        is_needless = (
            self.sampler is not None
            and packet.pts is not None
            and self.sampler.is_done(self.time_s(packet))
        )
        if is_needless and self._is_intra:
            self._seen_s = time.monotonic()
            return []
        self._context.skip_frame = "NONREF" if is_needless else "DEFAULT"
        try:
            with _cores:
                began_s = time.monotonic()
                found: list[Any] = packet.decode()
                self._worked_s += time.monotonic() - began_s
        except av.error.InvalidDataError:
            self._broken_s = _shown_s(packet) if packet.pts is not None else self._broken_s
            return []
        return [picture for picture in found if picture.pts is not None]

    def _is_whole(self, picture: Any) -> bool:
        at_s = _shown_s(picture)
        if picture.is_corrupt:
            self._broken_s = at_s
        elif self._broken_s is not None and picture.key_frame and at_s > self._broken_s:
            self._broken_s = None
        return self._broken_s is None

    def _judge(self, picture: Any) -> None:
        size = picture.height, picture.width
        if self.size is None:
            self.size = size
            self._first_s = _shown_s(picture)
        if size != self.size:
            raise CameraChangedError(
                f"its picture changed from {_words(self.size)} to {_words(size)}"
            )
        time_s = self.time_s(picture)
        if time_s < self._last_s - BACK_S:
            raise CameraChangedError(f"its clock went back by {self._last_s - time_s:.3f} s")
        self._last_s = time_s

    def _note_times(self, packet: Any) -> None:
        """Take the camera's word on when a packet was taken: FFmpeg gives it as soon as the camera
        has sent its first RTCP sender report.
        """
        if packet.pts is None:
            return
        at_s = _shown_s(packet)
        if (rates := self._pace.change(at_s)) is not None:
            before, after = rates
            raise CameraChangedError(f"its rate changed from {before:.1f}/s to {after:.1f}/s")
        if packet.has_sidedata("prft"):
            (produced_us,) = _PRODUCED.unpack_from(bytes(packet.get_sidedata("prft")))
            if produced_us >= 0:  # without a clock it counts as if from 1900 (RFC 3550, 6.4.1)
                self._camera_ahead_us = produced_us - round(at_s * 1e6)


def _shown_s(timed: Any) -> float:
    """The presentation time of a packet or picture, in the stream's own count."""
    return float(timed.pts * timed.time_base)


def _words(size: Size) -> str:
    return f"{size[1]}×{size[0]}"
