"""The pictures of the last minutes, as browsers get them, so that one can step back.

`connectors.ring.Ring` keeps every frame of two minutes for evidence, without identities. This one
goes further back with less: the older, the fewer.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

SPAN_US = 600_000_000
"""Nothing older is kept."""
MOST_BYTES = 256 * 1024 * 1024
"""Pictures and what was seen in them, of all cameras."""
SAME_SCENE = 30
"""Frames by which a picture may differ from one that it stands for."""
FINEST = 240
"""Two pictures lie a 240th of their age apart, at least: 5 a second stay whole for 48 s, and after
ten minutes one in 2.5 s is left. Where memory is short the camera that has most of it is thinned
further."""
THIN_EVERY = 64
"""Pictures of a camera that come until it is thinned again."""
ROOM = 0.75
"""What a thinning for memory leaves a camera of what it had, so that the next is a while away."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture that was shown: its ``number``, which rises along a camera, its frame, its time."""

    number: int
    epoch: int
    seq: int
    heard_us: int
    about: str
    jpeg: bytes

    @property
    def size_bytes(self) -> int:
        """What it takes, about."""
        return len(self.about) + len(self.jpeg)


class _Tape:
    """One camera's moments, oldest first."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.size_bytes = 0
        self._since_thinned = 0

    def add(self, moment: Moment) -> None:
        self.moments.append(moment)
        self.size_bytes += moment.size_bytes
        self._since_thinned += 1
        if self._since_thinned >= THIN_EVERY:
            self._thin(FINEST)

    def shrink(self) -> None:
        """Thin until `ROOM` is left of it, or nothing but the newest."""
        target, finest = self.size_bytes * ROOM, FINEST
        while self.size_bytes > target and finest > 1:
            finest //= 2
            self._thin(finest)
        if self.size_bytes > target:
            self._keep(self.moments[-1:])

    def _thin(self, finest: int) -> None:
        self._keep(thinned(self.moments, finest))

    def _keep(self, moments: list[Moment]) -> None:
        self.moments = moments
        self.size_bytes = sum(each.size_bytes for each in moments)
        self._since_thinned = 0


class Past:
    """What was shown of each camera, in bounded memory. Time comes with the moments."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._tapes: dict[str, _Tape] = defaultdict(_Tape)

    def add(self, camera: str, moment: Moment) -> None:
        """Keep a moment; one that is not later than the camera's last is left out."""
        tape = self._tapes[camera]
        if tape.moments and moment.number <= tape.moments[-1].number:
            return
        tape.add(moment)
        while self.size_bytes > self._most_bytes:
            heaviest = max(self._tapes.values(), key=lambda each: each.size_bytes)
            if len(heaviest.moments) == 1:
                return
            heaviest.shrink()

    def forget(self, camera: str) -> None:
        """Drop a camera's moments."""
        self._tapes.pop(camera, None)

    @property
    def size_bytes(self) -> int:
        """What all of it takes, about."""
        return sum(tape.size_bytes for tape in self._tapes.values())

    def span(self, camera: str) -> tuple[int, int] | None:
        """When the first and the last moment that is kept of a camera came."""
        moments = self._of(camera)
        return (moments[0].heard_us, moments[-1].heard_us) if moments else None

    def at(self, camera: str, heard_us: int) -> Moment | None:
        """The moment that came nearest to ``heard_us``."""
        moments = self._of(camera)
        place = bisect_left(moments, heard_us, key=lambda each: each.heard_us)
        near = moments[max(0, place - 1) : place + 1]
        return min(near, key=lambda each: abs(each.heard_us - heard_us), default=None)

    def beside(self, camera: str, number: int, step: int) -> Moment | None:
        """The moment that lies ``step`` after the one of a ``number``, or before it where that is
        negative; the first or last where none lies there.
        """
        moments = self._of(camera)
        if not moments:
            return None
        place = bisect_left(moments, number, key=lambda each: each.number)
        is_there = place < len(moments) and moments[place].number == number
        place += step if is_there or step < 0 else step - 1
        return moments[min(max(place, 0), len(moments) - 1)]

    def frame(self, camera: str, epoch: int, seq: int) -> Moment | None:
        """The moment of a frame, or the nearest to it. None for one from before all that is kept of
        its epoch, by more than `SAME_SCENE`.
        """
        moments = self._of(camera)
        place = bisect_left(moments, (epoch, seq), key=lambda each: (each.epoch, each.seq))
        near = [each for each in moments[max(0, place - 1) : place + 1] if each.epoch == epoch]
        if near and near[0].seq - seq > SAME_SCENE:
            return None
        return min(near, key=lambda each: abs(each.seq - seq), default=None)

    def _of(self, camera: str) -> Sequence[Moment]:
        return self._tapes[camera].moments if camera in self._tapes else ()


def thinned(moments: Sequence[Moment], finest: int) -> list[Moment]:
    """Those that lie a ``finest``-th of their age or more after the one before, and the newest.

    Age counts from the newest. What is older than `SPAN_US` goes.
    """
    kept: list[Moment] = []
    now_us = moments[-1].heard_us
    for each in moments[:-1]:
        age_us = now_us - each.heard_us
        is_apart = not kept or (each.heard_us - kept[-1].heard_us) * finest >= age_us
        if age_us <= SPAN_US and is_apart:
            kept.append(each)
    return [*kept, moments[-1]]
