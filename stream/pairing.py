"""Bring together what two models say of the same frames: pure.

Each says it on a topic of its own, in order by camera, at its own pace. What one has said waits for
the other, which settles a frame by saying something of it, or of a later one. Whoever says nothing
is not waited for longer than a limit. What waits has a size, so that the caller can stop reading.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar, get_args

from stream.types import GapReason

Side = Literal["model", "shadow"]
SIDES: tuple[Side, ...] = get_args(Side)
Reason = Literal[GapReason, "late", "missing"]
"""Why a frame has no partner: the gap of the other side, which was not there in time, or went on
without a word of it."""

MOST_GAPS = 256
"""Of a camera on a side; they are needed until the other side has come as far."""

Position = tuple[int, int]
"""(epoch, seq): rises along a camera."""
NOWHERE: Position = (-1, -1)

T = TypeVar("T")


class Pair(NamedTuple, Generic[T]):
    """What both sides say of a frame."""

    camera: str
    first: T
    shadow: T


class Alone(NamedTuple):
    """A frame of which only ``side`` has a result, and why."""

    camera: str
    side: Side
    reason: Reason


class _Waiting(NamedTuple, Generic[T]):
    at: Position
    value: T
    size: int
    came_us: int


@dataclass
class _Line(Generic[T]):
    """One side of a camera. All up to ``heard`` is known, ``given_up`` was told as late, and of the
    gaps those up to ``forgotten`` were too many to keep.
    """

    begins: Position | None = None
    heard: Position = NOWHERE
    given_up: Position = NOWHERE
    forgotten: Position = NOWHERE
    waiting: deque[_Waiting[T]] = field(default_factory=deque)
    gaps: deque[tuple[Position, Position, GapReason]] = field(
        default_factory=lambda: deque(maxlen=MOST_GAPS)
    )

    def hears(self, first: Position, last: Position) -> bool:
        """Go on to ``last``; False where that was said before: the first in log order counts."""
        if last <= self.heard:
            return False
        self.begins = first if self.begins is None else self.begins
        self.heard = last
        return True

    def skips(self, first: Position, last: Position, reason: GapReason) -> None:
        """Keep a gap, in place of the oldest where there are too many."""
        if len(self.gaps) == MOST_GAPS:
            self.forgotten = self.gaps[0][1]
        self.gaps.append((first, last, reason))

    def reason(self, at: Position) -> Reason:
        """Why there is no result for a frame that this side has heard of."""
        if at <= self.forgotten:
            return "late"  # the other side is far behind; "missing" would say that frames are lost
        while self.gaps and self.gaps[0][1] < at:
            self.gaps.popleft()
        if self.gaps and self.gaps[0][0] <= at:
            return self.gaps[0][2]
        return "missing"


class Pairing(Generic[T]):
    """Pairs results by camera, epoch and seq.

    Each method returns what it settled. Of a camera nothing counts before both sides have begun to
    speak of it, however late one of them does. ``size`` of what waits is by side.
    """

    def __init__(self, limit_us: int) -> None:
        self._limit_us = limit_us
        self._cameras: dict[str, Mapping[Side, _Line[T]]] = {}
        self.size: dict[Side, int] = dict.fromkeys(SIDES, 0)

    def result(
        self, side: Side, camera: str, at: Position, value: T, size: int, now_us: int
    ) -> list[Pair[T] | Alone]:
        """One side has a result of a frame."""
        line = self._camera(camera)[side]
        if not line.hears(at, at):
            return []
        line.waiting.append(_Waiting(at, value, size, now_us))
        self.size[side] += size
        return self._settle(camera)

    def gap(
        self, side: Side, camera: str, first: Position, last: Position, reason: GapReason
    ) -> list[Pair[T] | Alone]:
        """One side has no result of the frames ``first``…``last`` of an epoch."""
        line = self._camera(camera)[side]
        if not line.hears(first, last):
            return []
        line.skips(first, last, reason)
        return self._settle(camera)

    def lapse(self, now_us: int) -> list[Pair[T] | Alone]:
        """It is ``now_us``: what has waited for the limit goes alone."""
        settled: list[Pair[T] | Alone] = []
        for camera, lines in self._cameras.items():
            for side, line in lines.items():
                while line.waiting and now_us - line.waiting[0].came_us >= self._limit_us:
                    line.given_up = self._pop(side, line).at
                    settled.append(Alone(camera, side, "late"))
            settled += self._settle(camera)
        return settled

    def keep(self, cameras: Collection[str]) -> list[str]:
        """Forget all other cameras, and say which those were."""
        gone = [camera for camera in self._cameras if camera not in cameras]
        for camera in gone:
            for side, line in self._cameras.pop(camera).items():
                self.size[side] -= sum(each.size for each in line.waiting)
        return gone

    def _camera(self, name: str) -> Mapping[Side, _Line[T]]:
        if name not in self._cameras:
            self._cameras[name] = {side: _Line() for side in SIDES}
        return self._cameras[name]

    def _pop(self, side: Side, line: _Line[T]) -> _Waiting[T]:
        waiting = line.waiting.popleft()
        self.size[side] -= waiting.size
        return waiting

    def _settle(self, camera: str) -> list[Pair[T] | Alone]:
        first, shadow = (self._cameras[camera][side] for side in SIDES)
        if first.begins is None or shadow.begins is None:
            return []
        began = max(first.begins, shadow.begins)
        settled: list[Pair[T] | Alone] = []
        while (side := self._next(first, shadow)) is not None:
            own, other = (first, shadow) if side == "model" else (shadow, first)
            head = self._pop(side, own)
            if other.waiting and other.waiting[0].at == head.at:
                partner = self._pop("shadow", other)
                settled.append(Pair(camera, head.value, partner.value))
            elif head.at >= began and head.at > other.given_up:
                settled.append(Alone(camera, side, other.reason(head.at)))
        return settled

    def _next(self, first: _Line[T], shadow: _Line[T]) -> Side | None:
        """The side whose oldest frame is settled, the first model's where both have it."""
        heads = [line.waiting[0].at if line.waiting else None for line in (first, shadow)]
        if heads[0] is not None and (heads[1] is None or heads[0] <= heads[1]):
            return "model" if heads[0] <= shadow.heard else None
        if heads[1] is not None:
            return "shadow" if heads[1] <= first.heard else None
        return None
