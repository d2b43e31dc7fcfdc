"""Where somebody is at a time: smooth ways through given points, with waits between them.

Pure: time is an argument, in seconds since the course began.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from connectors.demo.geometry import FloatArray

_TURN = 0.7  # seconds to turn on the spot


@dataclass(frozen=True, slots=True)
class Leg:
    """A way through ground points, metres, at a cruising speed, m/s; `reverse` drives it backwards.

    `ramp` are the seconds to reach the speed and again to stop.
    """

    points: tuple[tuple[float, float], ...]
    speed: float
    reverse: bool = False
    ramp: float = 0.7


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause of `seconds`, turned to `facing` (radians, None to stay) and using the arms so."""

    seconds: float
    facing: float | None = None
    arms: str | None = None


@dataclass(frozen=True, slots=True)
class Motion:
    """A moment of a course: metres, radians, m/s, metres gone so far, the arms' use if it waits."""

    x: float
    y: float
    heading: float
    speed: float
    travelled: float
    arms: str | None = None


@dataclass(frozen=True)
class Course:
    """Legs and waits in turn, the first and the last being legs."""

    moves: tuple[Leg | Wait, ...]

    @cached_property
    def duration(self) -> float:
        """Seconds from the first step to the last."""
        return self._starts[-1]

    def start_of(self, index: int) -> float:
        """When move `index` begins, seconds."""
        return self._starts[index]

    def at(self, time: float) -> Motion:
        """The moment `time`, held within the course."""
        time = min(max(time, 0.0), self.duration)
        starts = self._starts
        index = max(i for i in range(len(self.moves)) if starts[i] <= time)
        move, since = self.moves[index], time - starts[index]
        travelled = sum(self._ways[i].length for i in range(index) if i in self._ways)
        if isinstance(move, Wait):
            return self._waiting(index, move, since, travelled)
        way = self._ways[index]
        gone, speed = _progress(way.length, move, since)
        x, y, heading = way.at(gone)
        turn = math.pi if move.reverse else 0.0
        sign = -1.0 if move.reverse else 1.0
        return Motion(x, y, heading + turn, sign * speed, travelled + gone)

    @cached_property
    def _ways(self) -> dict[int, Way]:
        return {i: Way(m.points) for i, m in enumerate(self.moves) if isinstance(m, Leg)}

    @cached_property
    def _starts(self) -> list[float]:
        starts = [0.0]
        for index, move in enumerate(self.moves):
            if isinstance(move, Wait):
                seconds = move.seconds
            else:
                seconds = self._ways[index].length / move.speed + move.ramp
            starts.append(starts[-1] + seconds)
        return starts

    def _waiting(self, index: int, wait: Wait, since: float, travelled: float) -> Motion:
        x, y, before = self._ways[index - 1].at(math.inf)
        before += math.pi if self._reverses(index - 1) else 0.0
        if wait.facing is None:
            return Motion(x, y, before, 0.0, travelled, wait.arms)
        after = self._ways[index + 1].at(0.0)[2]
        heading = _turned(before, wait.facing, since / _TURN)
        heading = _turned(heading, after, (since - wait.seconds + _TURN) / _TURN)
        settled = 0.4 < since < wait.seconds - 0.4
        return Motion(x, y, heading, 0.0, travelled, wait.arms if settled else None)

    def _reverses(self, index: int) -> bool:
        move = self.moves[index]
        return isinstance(move, Leg) and move.reverse


class Way:
    """A smooth way through points, by the metres gone along it."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self._points = _rounded(np.array(points, dtype=np.float64))
        steps = np.hypot(*np.diff(self._points, axis=0).T)
        self._gone = np.concatenate([[0.0], np.cumsum(steps)])
        self.length = float(self._gone[-1])

    def at(self, gone: float) -> tuple[float, float, float]:
        """x, y in metres and the heading in radians."""
        gone = min(max(gone, 0.0), self.length)
        x, y = self._position(gone)
        # a chord of 0.8 m turns as gently as a body does
        behind = self._position(max(gone - 0.4, 0.0))
        ahead = self._position(min(gone + 0.4, self.length))
        return x, y, math.atan2(ahead[1] - behind[1], ahead[0] - behind[0])

    def _position(self, gone: float) -> tuple[float, float]:
        x = np.interp(gone, self._gone, self._points[:, 0])
        y = np.interp(gone, self._gone, self._points[:, 1])
        return float(x), float(y)


def _rounded(points: FloatArray) -> FloatArray:
    """Corners cut four times, by Chaikin's rule (1974); the ends stay."""
    for _ in range(4):
        near = 0.75 * points[:-1] + 0.25 * points[1:]
        far = 0.25 * points[:-1] + 0.75 * points[1:]
        cut = np.stack([near, far], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return points


def _progress(length: float, leg: Leg, since: float) -> tuple[float, float]:
    """Metres gone and m/s, with the speed rising and falling linearly over the ramps."""
    ramp, speed = leg.ramp, leg.speed
    left = length / speed + ramp - since
    if since < ramp:
        return speed * since * since / (2 * ramp), speed * since / ramp
    if left < ramp:
        left = max(left, 0.0)
        return length - speed * left * left / (2 * ramp), speed * left / ramp
    return speed * (since - ramp / 2), speed


def _turned(start: float, end: float, share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    gap = (end - start + math.pi) % (2 * math.pi) - math.pi
    return start + gap * share * share * (3 - 2 * share)
