"""Surfaces seen straight on: grounds and walls, as float32 pictures at some pixels a metre."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from connectors.demo.geometry import Colour, scaled

Surface = NDArray[np.float32]


class Sheet(NamedTuple):
    """A surface under work: its picture (h, w, 3), pixels a metre, and its own chance."""

    image: Surface
    ppm: float
    rng: np.random.Generator

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill a rectangle given in metres from the top left."""
        ends = [round(v * self.ppm * 16) for v in (x0, y0, x1, y1)]
        corners = [(ends[0], ends[1]), (ends[2], ends[1]), (ends[2], ends[3]), (ends[0], ends[3])]
        cv2.fillConvexPoly(self.image, np.array(corners, np.int32), colour, cv2.LINE_AA, 4)

    def blob(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a disc given in metres."""
        centre = (round(x * self.ppm * 16), round(y * self.ppm * 16))
        cv2.circle(self.image, centre, round(radius * self.ppm * 16), colour, -1, cv2.LINE_AA, 4)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in metres."""
        return self.image.shape[1] / self.ppm, self.image.shape[0] / self.ppm


def sheet(width: float, height: float, ppm: float, tone: Colour, rng: np.random.Generator) -> Sheet:
    """An even surface of `width` by `height` metres."""
    image = np.empty((round(height * ppm), round(width * ppm), 3), np.float32)
    image[:] = tone
    return Sheet(image, ppm, rng)


def mottle(on: Sheet, cell: float, strength: float) -> None:
    """Multiply with smooth noise whose grain is `cell` metres."""
    height, width = on.image.shape[:2]
    step = max(1.0, cell * on.ppm)
    small = on.rng.normal(size=(int(height / step) + 2, int(width / step) + 2)).astype(np.float32)
    noise = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    np.multiply(on.image, 1 + strength * noise[..., None], out=on.image)


def _asphalt(on: Sheet) -> None:
    mottle(on, 0.04, 0.07)
    mottle(on, 1.5, 0.05)
    width, height = on.size
    for _ in range(int(on.rng.integers(1, 4))):  # mended patches
        x, y = on.rng.uniform(0, width - 3), on.rng.uniform(0, height - 2)
        on.box(x, y, x + on.rng.uniform(1, 3), y + on.rng.uniform(0.6, 2), (74.0, 72.0, 70.0))
    mottle(on, 0.05, 0.05)


def _slabs(on: Sheet) -> None:
    _tiles(on, 2.4, 2.4, 0.035, 0.03)
    mottle(on, 0.7, 0.03)
    mottle(on, 0.04, 0.025)


def _gravel(on: Sheet) -> None:
    mottle(on, 0.05, 0.12)
    mottle(on, 0.13, 0.06)
    mottle(on, 2.0, 0.05)


def _pavers(on: Sheet) -> None:
    _tiles(on, 0.8, 0.4, 0.02, 0.045, bond=True)
    mottle(on, 1.8, 0.035)
    mottle(on, 0.04, 0.02)


def _screed(on: Sheet) -> None:
    _tiles(on, 6.0, 5.0, 0.03, 0.015)
    mottle(on, 3.0, 0.04)
    mottle(on, 0.25, 0.012)


def _tiles(
    on: Sheet, length: float, depth: float, joint: float, spread: float, *, bond: bool = False
) -> None:
    """Tiles of their own brightness each, with darker joints; metres."""
    height, width = on.image.shape[:2]
    ys, xs = np.arange(height) / on.ppm, np.arange(width) / on.ppm
    rows = (ys / depth).astype(int)
    across = xs[None, :] + (rows % 2 * length / 2 if bond else 0 * rows)[:, None]
    columns = (across / length).astype(int)
    tones = on.rng.normal(1, spread, (rows.max() + 1, columns.max() + 1)).astype(np.float32)
    gain = tones[rows[:, None], columns]
    gain[(across % length) < joint] *= 0.8
    gain[(ys % depth) < joint, :] *= 0.8
    np.multiply(on.image, gain[..., None], out=on.image)


GROUNDS: dict[str, tuple[Colour, Callable[[Sheet], None]]] = {
    "asphalt": ((112.0, 110.0, 108.0), _asphalt),
    "slabs": ((158.0, 163.0, 166.0), _slabs),
    "gravel": ((128.0, 142.0, 152.0), _gravel),
    "pavers": ((136.0, 150.0, 166.0), _pavers),
    "screed": ((148.0, 152.0, 150.0), _screed),
}
"""Kind to its tone and how it is worked."""


def _brick(on: Sheet) -> None:
    _tiles(on, 0.5, 0.16, 0.03, 0.08, bond=True)
    mottle(on, 1.0, 0.04)


def _corrugated(on: Sheet) -> None:
    across = np.arange(on.image.shape[1]) / on.ppm
    ribs = (1 + 0.09 * np.sin(across * 2 * np.pi / 0.35)).astype(np.float32)
    np.multiply(on.image, ribs[None, :, None], out=on.image)
    mottle(on, 2.0, 0.03)


def _plaster(on: Sheet) -> None:
    mottle(on, 0.06, 0.02)
    mottle(on, 1.2, 0.03)
    width, height = on.size
    on.box(0, height - 0.7, width, height, (112.0, 112.0, 112.0))


def _timber(on: Sheet) -> None:
    _tiles(on, 0.24, 40.0, 0.025, 0.07)
    mottle(on, 0.5, 0.025)
    width, height = on.size
    on.box(0, height - 0.35, width, height, (128.0, 134.0, 138.0))


def _panels(on: Sheet) -> None:
    _tiles(on, 6.0, 1.1, 0.04, 0.02)
    mottle(on, 2.5, 0.02)
    width, height = on.size
    on.box(0, height - 0.5, width, height, (96.0, 92.0, 90.0))


def _fence(on: Sheet) -> None:
    width, height = on.size
    for x in np.arange(0, width, 2.5):
        on.box(x, 0, x + 0.12, height, scaled((110.0, 112.0, 112.0), on.rng.uniform(0.8, 1.1)))
    _tiles(on, 0.16, 40.0, 0.05, 0.05)
    on.box(0, 0.25, width, 0.37, (92.0, 96.0, 100.0))
    on.box(0, height - 0.5, width, height - 0.38, (92.0, 96.0, 100.0))


WALLS: dict[str, Callable[[Sheet], None]] = {
    "brick": _brick,
    "corrugated": _corrugated,
    "plaster": _plaster,
    "fence": _fence,
    "timber": _timber,
    "panels": _panels,
}
"""Kind to how a wall already in its paint is worked."""


def sky(on: Sheet, horizon: float) -> None:
    """Fill with sky and treetops down to `horizon` metres from the top."""
    height = on.image.shape[0]
    t = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    on.image[:] = ((1 - t) * np.array([226, 196, 158]) + t * np.array([236, 226, 214]))[:, None, :]
    width = on.size[0]
    for depth, tone in ((0.8, (128.0, 150.0, 132.0)), (0.45, (84.0, 122.0, 92.0))):
        for x in np.arange(-0.5, width + 1, 0.45):
            y = horizon - depth * on.rng.uniform(0.2, 1.2)
            green = scaled(tone, on.rng.uniform(0.86, 1.12))
            on.blob(float(x), y + 0.35, float(on.rng.uniform(0.4, 0.8)), green)


def shutter(on: Sheet, left: float, width: float, height: float, paint: Colour) -> None:
    """A closed roller door, standing on the wall's foot; metres."""
    floor = on.size[1]
    _framed(on, left, floor - height, left + width, floor, paint)
    for z in np.arange(0.12, height, 0.22):
        on.box(left, floor - z - 0.03, left + width, floor - z, scaled(paint, 0.82))
    on.box(left, floor - 0.12, left + width, floor, scaled(paint, 0.6))


def doorway(on: Sheet, left: float, width: float, height: float, paint: Colour) -> None:
    """An open roller door: a dark hall with a lit strip and shelves; metres."""
    floor = on.size[1]
    _framed(on, left, floor - height, left + width, floor, (58.0, 52.0, 48.0))
    on.box(left, floor - height, left + width, floor - height + 0.3, paint)
    for z in (1.9, 1.35, 0.8):
        on.box(left + 0.3, floor - z, left + width - 0.3, floor - z + 0.05, (84.0, 78.0, 74.0))
        for x in np.arange(left + 0.4, left + width - 0.8, 0.55):
            tone = scaled((76.0, 84.0, 96.0), on.rng.uniform(0.8, 1.2))
            on.box(x, floor - z - on.rng.uniform(0.2, 0.4), x + 0.4, floor - z, tone)
    on.box(left, floor - 0.5, left + width, floor, (66.0, 62.0, 60.0))
    on.box(
        left + 0.5,
        floor - height + 0.42,
        left + width - 0.5,
        floor - height + 0.48,
        (200.0, 214.0, 220.0),
    )


def leaf(on: Sheet, left: float, paint: Colour) -> None:
    """A door for people with a small window and a lamp above; metres."""
    floor = on.size[1]
    _framed(on, left, floor - 2.1, left + 0.95, floor, paint)
    on.box(left + 0.25, floor - 1.85, left + 0.7, floor - 1.2, (150.0, 138.0, 116.0))
    on.box(left + 0.8, floor - 1.1, left + 0.88, floor - 0.95, (210.0, 214.0, 216.0))
    on.box(left + 0.35, floor - 2.5, left + 0.6, floor - 2.36, (170.0, 220.0, 240.0))


def window(on: Sheet, left: float, width: float, paint: Colour) -> None:
    """A window with a bar and a slanting reflection; metres."""
    floor = on.size[1]
    high, low = floor - 2.6, floor - 1.4
    _framed(on, left, high, left + width, low, (142.0, 122.0, 98.0))
    shine = np.array([(0.15, 1), (0.4, 0), (0.55, 0), (0.3, 1)])
    corners = (np.array([left, high]) + shine * [width, low - high]) * on.ppm
    cv2.fillConvexPoly(on.image, corners.astype(np.int32), (186.0, 170.0, 146.0), cv2.LINE_AA)
    on.box(left + width / 2 - 0.03, high, left + width / 2 + 0.03, low, paint)


def _framed(on: Sheet, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
    on.box(x0 - 0.1, y0 - 0.1, x1 + 0.1, y1, scaled(fill, 0.55))
    on.box(x0, y0, x1, y1, fill)
