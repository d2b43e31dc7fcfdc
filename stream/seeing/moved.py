"""``moved``: the camera looks elsewhere, so that its zones lie on something else.

The edges of the view are compared with those that it had at first. Edges, because light goes up and
down; their directions without a sign, because at night, in infrared, what was brighter may be
darker; in blocks, because whoever stands before the camera hides some and not most.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.seeing.look import SMALL, Finding, Look, Thumbnail

Edges = NDArray[np.complex64]
"""Strength and twice the angle of the gradient at each cell, shape `SMALL`."""

EVERY_US = 400_000
"""How often the view is compared."""
LEARN_US = 8_000_000
"""How long the first view is learned; what moves in it averages out."""
ADAPT_US = 600_000_000
"""While the view holds, it follows the light of the day and what is moved about, this slowly."""
AFTER_US = 1_500_000
"""Sooner than rules resolve an alert (2 s); also how long the view must be back."""
BLOCKS = (4, 4)
_CELLS = SMALL[0] // BLOCKS[0] * (SMALL[1] // BLOCKS[1])
STRONG = 6.0
"""Mean strength of edges, in levels, from which a block has something to hold on to."""
LEAST_BLOCKS = 4
ALIKE = 0.6
"""Correlation from which a block shows what it showed."""
GONE, THERE = 0.35, 0.5
"""Part of the blocks that are alike: at most, in a view that moved; at least, in one that holds.

While people and bottles pass, it stays at 0.50 and above. In the same clips shifted by 15 %, turned
by 10° or zoomed by 1.3 its median is 0.29 and below, and in another scene 0.14 at most."""


@dataclass(slots=True)
class _Since:
    """Since when the view has been gone, or there."""

    gone: bool
    time_us: int


class Moved:
    """Compares the view with the one that it saw first."""

    def __init__(self) -> None:
        self._view: Edges | None = None
        self._began_us: int | None = None
        self._looked_us: int | None = None
        self._learned = 0
        self._since: _Since | None = None

    def look(self, look: Look) -> Finding | None:
        """None while it may be either: too early, too dark, too plain, or half hidden."""
        if self._looked_us is not None and look.time_us - self._looked_us < EVERY_US:
            return None
        passed_us = 0 if self._looked_us is None else look.time_us - self._looked_us
        self._looked_us = look.time_us
        edges = edges_of(look.thumbnail)
        if self._began_us is None:
            self._began_us = look.time_us
        if self._view is None or look.time_us - self._began_us < LEARN_US:
            self._learn(edges)
            return None
        if not self._since and _held(self._view).sum() < LEAST_BLOCKS:
            self._view, self._began_us, self._learned = None, None, 0  # it was dark: once more
            return None
        part = alike(self._view, edges)
        if part is not None and part >= THERE and not self._is_gone():
            self._view += (edges - self._view) * np.float32(min(1.0, passed_us / ADAPT_US))
        return self._judge(part, look.time_us)

    def _learn(self, edges: Edges) -> None:
        self._learned += 1
        if self._view is None:
            self._view = edges.copy()
        else:
            self._view += (edges - self._view) / np.float32(self._learned)

    def _is_gone(self) -> bool:
        return self._since is not None and self._since.gone

    def _judge(self, part: float | None, time_us: int) -> Finding | None:
        if part is None or GONE < part < THERE:
            return None
        gone = part <= GONE
        if self._since is None or self._since.gone != gone:
            self._since = _Since(gone, time_us)
        if time_us - self._since.time_us < AFTER_US:
            return None
        detail = f"{part:.0%} of the view is where it was" if gone else ""
        return Finding(gone, self._since.time_us, detail)


def edges_of(thumbnail: Thumbnail) -> Edges:
    """The edges of a picture; those of one that is a little unsteady are the same."""
    soft = cv2.GaussianBlur(thumbnail.astype(np.float32), (5, 5), 1.0)
    slope = cv2.Sobel(soft, -1, 1, 0, scale=0.25) + 1j * cv2.Sobel(soft, -1, 0, 1, scale=0.25)
    edges: Edges = (slope * slope / (np.abs(slope) + 1e-3)).astype(np.complex64)
    return edges


def alike(view: Edges, edges: Edges) -> float | None:
    """Part of the blocks with something to hold on to in ``view`` that show it in ``edges`` too.

    None where there are too few, and where ``edges`` has none: in fog and darkness.
    """
    held = _held(view)
    power, now_power = _sum(np.abs(view) ** 2), _sum(np.abs(edges) ** 2)
    if held.sum() < LEAST_BLOCKS or now_power.sum() < _CELLS * STRONG**2:
        return None
    common = _sum((view.conj() * edges).real)
    correlation = common[held] / np.sqrt(power[held] * (now_power[held] + 1e-3))
    return float(np.mean(correlation > ALIKE))


def _held(view: Edges) -> NDArray[np.bool_]:
    """The blocks that have something to hold on to."""
    held: NDArray[np.bool_] = _sum(np.abs(view) ** 2) > _CELLS * STRONG**2
    return held


def _sum(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sum over each block."""
    rows, columns = BLOCKS
    height, width = SMALL
    parted = field.reshape(rows, height // rows, columns, width // columns)
    summed: NDArray[np.float32] = parted.sum(axis=(1, 3))
    return summed
