"""A day of load: how many cameras are open in each second, and to which partitions they write.

A live camera offers its frames at a constant rate; what rises and falls is how many are open, as
sites open and close, or what stands before them lets pictures through only where something moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stream.errors import ConfigError
from stream.scaling.policy import DAY_S

HOUR_S, MINUTE_S = 3600, 60
SEED = 8
MOST_CAMERAS = 100_000
"""Of a day: the largest installation of docs/capacity.md. Tables of rates grow with them."""
FLICKER, KEPT = 0.03, 0.9
"""Of the cameras that are open: how many come and go besides the curve, as the deviation of a
first-order autoregression that is drawn each minute, and how much of it stays to the next."""


@dataclass(frozen=True)
class Day:
    """``cameras``: how many are open in each second, shape (seconds,). Each offers ``fps``.

    Which are open is drawn once: the first ``n`` of a random order are, so that partitions are not
    equally full, as in an installation where cameras are spread evenly by number.
    """

    name: str
    cameras: NDArray[np.int64]
    fps: float

    @property
    def offered(self) -> NDArray[np.float64]:
        """Frames offered in each second, shape (seconds,)."""
        return self.cameras.astype(np.float64) * self.fps

    def by_partition(self, partitions: int) -> NDArray[np.float64]:
        """Frames/s of each partition by how many cameras are open: (cameras + 1, partitions)."""
        most = int(self.cameras.max())
        order = np.random.default_rng(SEED).permutation(most) % partitions
        opens = np.zeros((most + 1, partitions))
        opens[np.arange(1, most + 1), order] = self.fps
        return opens.cumsum(axis=0)


def office(cameras: int, fps: float) -> Day:
    """Sites open from 7 to 9 and close from 17 to 20; a seventh of the cameras is always open."""
    points = ((0, 0.15), (7, 0.15), (9, 1.0), (17, 1.0), (20, 0.15), (24, 0.15))
    return _drawn("office", points, cameras, fps, FLICKER)


def harsh(cameras: int, fps: float) -> Day:
    """A fifth is open all night; at 5:00 and at 21:00 three times as many within a minute, for
    twenty; all at once from 8:00 to 16:00."""
    minute = MINUTE_S / HOUR_S
    points = [(0.0, 0.2)]
    for begin, end, part in ((5, 5 + 1 / 3, 0.6), (21, 21 + 1 / 3, 0.6)):
        points += [(begin, 0.2), (begin + minute, part), (end, part), (end + minute, 0.2)]
    second = 1 / HOUR_S
    points[5:5] = [(8, 0.2), (8 + second, 1.0), (16, 1.0), (16 + second, 0.2)]
    return _drawn("harsh", [*points, (24.0, 0.2)], cameras, fps, FLICKER)


def flat(cameras: int, fps: float) -> Day:
    """All cameras, always: most installations of live cameras."""
    return _drawn("flat", ((0, 1.0), (24, 1.0)), cameras, fps, 0.0)


def of_rates(name: str, rows: Sequence[tuple[int, float]], fps: float) -> Day:
    """A day that was measured: (second of the day, frames/s offered), in order; straight between
    them, and level before the first and after the last. Cameras of ``fps`` make it up.

    Raises `ConfigError` where those are more than `MOST_CAMERAS`.
    """
    at_s, rates = zip(*rows, strict=True)
    cameras = np.interp(np.arange(DAY_S), at_s, rates) / fps
    if cameras.max() > MOST_CAMERAS:
        raise ConfigError(
            f"{name}: given {max(rates):g} frames/s, {max(rates) / fps:g} cameras of {fps:g} "
            f"each; allowed: {MOST_CAMERAS} cameras"
        )
    return Day(name, np.rint(cameras).astype(np.int64), fps)


def parse(text: str, place: str) -> list[tuple[int, float]]:
    """The rows of a CSV with the head ``time,frames_per_s``: 07:30,120. Raises `ConfigError`."""
    head, *lines = text.splitlines() or [""]
    if head.replace(" ", "") != "time,frames_per_s":
        raise ConfigError(
            f"{place}:1: given {head!r}; must be time,frames_per_s, and rows as 07:30,120"
        )
    rows = [_row(line, f"{place}:{number}") for number, line in enumerate(lines, 2) if line.strip()]
    if not any(rate for _, rate in rows):
        raise ConfigError(f"{place}: given no frames at all; a row is 07:30,120")
    if any(after <= before for (before, _), (after, _) in pairwise(rows)):
        raise ConfigError(f"{place}: time: must rise from row to row")
    return rows


def _row(line: str, place: str) -> tuple[int, float]:
    time, _, rate = (each.strip() for each in line.partition(","))
    try:
        hours, minutes, *seconds = (int(each) for each in time.split(":"))
        second = hours * HOUR_S + minutes * MINUTE_S + sum(seconds)
        frames = float(rate)
    except ValueError:
        raise ConfigError(f"{place}: given {line!r}; a row is 07:30,120") from None
    is_time = 0 <= second < DAY_S and 0 <= minutes < 60 and len(seconds) < 2
    if not is_time or not 0 <= frames < np.inf:
        raise ConfigError(f"{place}: given {line!r}; a time of day, and frames/s of at least 0")
    return second, frames


def _drawn(
    name: str, points: Sequence[tuple[float, float]], cameras: int, fps: float, flicker: float
) -> Day:
    """Straight lines between (hour, part of the cameras), and what comes and goes besides."""
    hours, parts = zip(*points, strict=True)
    part = np.interp(np.arange(DAY_S) / HOUR_S, hours, parts)
    random = np.random.default_rng(SEED).normal(0.0, flicker, DAY_S // MINUTE_S)
    noise = np.zeros_like(random)
    for minute in range(1, len(noise)):
        noise[minute] = KEPT * noise[minute - 1] + (1 - KEPT**2) ** 0.5 * random[minute]
    part = part * (1.0 + np.repeat(noise, MINUTE_S))
    return Day(name, np.rint(cameras * part.clip(0.0, 1.0)).astype(np.int64), fps)
