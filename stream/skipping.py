"""Whether frames of a camera are skipped in earnest, how many and why: pure.

The log of ``segment`` says so when it begins and when it is over, the page and the API while it
lasts.
"""

from collections import Counter, deque
from typing import NamedTuple

from msgspec import Struct

from stream.types import GapReason

MOST_PART = 0.01
"""Of the frames of the last seconds: what the alarm MaskstreamFramesSkipped compares with."""
WINDOW_S = 10
LEAST_S = 3
"""Seconds of the window in which some were skipped: fewer are a hiccup, as a first batch is."""

WHAT_TO_DO: dict[GapReason, str] = {
    "stale": "they come faster than they are segmented: lower the fps of cameras, use a smaller "
    "model, or add segmenters",
    "overflow": "the transport has no room for them: lower the fps of cameras, or see to the "
    "brokers",
    "expired": "they were deleted unread: segment was away or behind for longer than frames are "
    "kept",
}
"""The reasons why a frame is skipped. What cannot be handled is another matter."""


class Skipped(Struct, frozen=True):
    """Of the frames of the last ten seconds the ``ratio`` that was skipped, most for ``reason``."""

    ratio: float
    reason: GapReason


class _Second(NamedTuple):
    second: int
    ended: Counter[GapReason | None]
    """Frames, by the reason why they have no result; None: they have one."""


class Skipping:
    """Watches one camera. Time is an argument, in microseconds."""

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque()
        self._heard_from_s = 0
        self._is_on = False

    def ended(self, now_us: int, frames: int, reason: GapReason | None) -> bool:
        """So many frames got a result, or a gap for a ``reason``; whether a second begins so."""
        second = now_us // 1_000_000
        if not self._seconds:
            self._heard_from_s = second
        begins = not self._seconds or self._seconds[-1].second != second
        if begins:
            self._seconds.append(_Second(second, Counter()))
        self._seconds[-1].ended[reason if reason in WHAT_TO_DO else None] += frames
        return begins

    def found(self, now_us: int) -> Skipped | None:
        """What is skipped; None while it is not in earnest.

        It begins with more than `MOST_PART` of ten seconds, and is over after ten without any.
        """
        second = now_us // 1_000_000
        while self._seconds and self._seconds[0].second <= second - WINDOW_S:
            self._seconds.popleft()
        ended = sum((each.ended for each in self._seconds), Counter[GapReason | None]())
        count = ended.total()
        skipped = Counter({why: each for why, each in ended.items() if why is not None})
        if not skipped:
            self._is_on = False
            return None
        if second - self._heard_from_s >= WINDOW_S and skipped.total() > MOST_PART * count:
            self._is_on |= sum(_has_skips(each) for each in self._seconds) >= LEAST_S
        ((reason, _),) = skipped.most_common(1)
        return Skipped(skipped.total() / count, reason) if self._is_on else None


def _has_skips(second: _Second) -> bool:
    return second.ended.keys() != {None}


class News(NamedTuple):
    """A sentence for the log, when skipping begins and when it is over."""

    is_over: bool
    words: str


class Skips:
    """Watches all cameras; it looks once a second."""

    def __init__(self) -> None:
        self._cameras: dict[str, Skipping] = {}
        self._told: set[str] = set()

    def ended(
        self, camera: str, now_us: int, frames: int, reason: GapReason | None = None
    ) -> News | None:
        """As `Skipping.ended`; a sentence when that changes anything."""
        watched = self._cameras.setdefault(camera, Skipping())
        if not watched.ended(now_us, frames, reason):
            return None  # to look at each frame would take longer than to count it
        found = watched.found(now_us)
        if (found is not None) == (camera in self._told):
            return None
        if found is None:
            self._told.discard(camera)
            return News(True, f"camera {camera}: no frame was skipped for {WINDOW_S} s")
        self._told.add(camera)
        return News(
            False,
            f"camera {camera}: {found.ratio:.0%} of its frames are skipped, most as "
            f"{found.reason}: {WHAT_TO_DO[found.reason]}",
        )
