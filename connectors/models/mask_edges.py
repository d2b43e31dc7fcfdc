"""Run edges of a mask straight from its logits, without a bitmap.

The reference (``ultralytics`` ``process_mask_native``) enlarges the logits of every instance to the
whole frame (bilinear, ``align_corners=False``), keeps what is above zero and blanks what lies
outside the box. Down a column of the frame that interpolation is a straight line between the
centres of two prototype cells, so its zero crossings are known in closed form: the work is one
value per column and prototype row inside the box, instead of one per pixel of the frame.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from stream.types import Size

Floats = NDArray[np.float32]
Edges = NDArray[np.intp]

CELL_PX = 4
"""A prototype cell covers 4 x 4 network pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Linear sampling along one axis: sample i lies at ``at[i]``, between two source indices.

    ``scale`` is source cells per sample; value = source[low] * (1 - part) + source[high] * part.
    """

    scale: float
    at: Floats
    low: NDArray[np.intp]
    high: NDArray[np.intp]
    part: Floats

    def span(self, start: int, stop: int) -> slice:
        """The source indices that samples ``start``…``stop - 1`` read."""
        return slice(int(self.low[start]), int(self.high[stop - 1]) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """How prototypes become window pixels: enlarged by a whole factor, cropped, then scaled.

    The enlargement by ``factor`` (``rows``, ``columns``; None for the factor 1) makes the padding
    end on whole cells, the crop (``top``, ``left``, ``inner``: its size) removes it, ``to_rows``
    and ``to_columns`` do the rest.
    """

    window: Size
    factor: int
    inner: Size
    rows: Axis | None
    columns: Axis | None
    top: int
    left: int
    to_rows: Axis
    to_columns: Axis


def _axis(source: int, samples: int) -> Axis:
    scale = np.float32(source / samples)
    at = np.maximum((np.arange(samples, dtype=np.float32) + np.float32(0.5)) * scale - 0.5, 0)
    low = np.minimum(at.astype(np.intp), source - 1)
    at = np.minimum(at, np.float32(source - 1))
    high = np.minimum(low + 1, source - 1)
    return Axis(source / samples, at, low, high, (at - low).astype(np.float32))


@lru_cache(maxsize=256)
def scaling(prototypes: Size, window: Size) -> Scaling:
    """The way from ``prototypes`` (rows, columns) to ``window`` (height, width).

    The factor and the crop follow ``process_mask_native`` and ``scale_masks`` of ultralytics 8.4.
    """
    (rows, columns), (height, width) = prototypes, window
    gain = min(CELL_PX * rows / height, CELL_PX * columns / width)
    pad = (CELL_PX * rows - max(round(height * gain), 1)) | (
        CELL_PX * columns - max(round(width * gain), 1)
    )
    factor = CELL_PX // gcd(CELL_PX, pad | pad // 2)
    big_rows, big_columns = factor * rows, factor * columns
    gain = min(big_rows / height, big_columns / width)
    inner_h, inner_w = max(round(height * gain), 1), max(round(width * gain), 1)
    return Scaling(
        window=window,
        factor=factor,
        inner=(inner_h, inner_w),
        rows=_axis(rows, big_rows) if factor > 1 else None,
        columns=_axis(columns, big_columns) if factor > 1 else None,
        top=round((big_rows - inner_h) / 2 - 0.1),
        left=round((big_columns - inner_w) / 2 - 0.1),
        to_rows=_axis(inner_h, height),
        to_columns=_axis(inner_w, width),
    )


def edges(
    prototypes: Floats,
    weights: Floats,
    box: tuple[float, float, float, float],
    how: Scaling,
    place: tuple[int, int, int],
) -> Edges:
    """Run starts and ends of one instance's mask, in column-major order of the frame.

    ``prototypes`` is (rows, columns, 32), ``weights`` (32,), ``box`` x1, y1, x2, y2 in window
    pixels; ``place`` is the window's x and y in the frame and the frame's height. They ascend, and
    two are equal where a run is empty or touches the next one.
    """
    x1, y1, x2, y2 = (max(ceil(side), 0) for side in box)
    x2, y2 = min(x2, how.window[1]), min(y2, how.window[0])
    if x1 >= x2 or y1 >= y2:
        return np.empty(0, np.intp)
    logits = _across(prototypes, weights, how, (x1, y1, x2, y2))
    knots, at = _down(logits, how.to_rows, y1, y2)
    column, y = _crossings(knots, at, how.to_rows.scale, (y1, y2))
    x, top, height = place[0] + x1, place[1], place[2]
    positions = (column + x) * height + (y + top)
    # Rounding may swap two edges at one pixel; as equals they are an empty run, which Mask drops.
    return np.maximum.accumulate(positions)


def _across(
    prototypes: Floats, weights: Floats, how: Scaling, box: tuple[int, int, int, int]
) -> Floats:
    """Logits at the source rows that the box reads and at each of its pixel columns."""
    x1, y1, x2, y2 = box
    rows, columns = how.to_rows.span(y1, y2), how.to_columns.span(x1, x2)
    rows = slice(rows.start + how.top, rows.stop + how.top)
    columns = slice(columns.start + how.left, columns.stop + how.left)
    if how.rows is None or how.columns is None:
        logits = prototypes[rows, columns] @ weights
    else:
        cells = prototypes[how.rows.span(rows.start, rows.stop)]
        logits = cells[:, how.columns.span(columns.start, columns.stop)] @ weights
        logits = _sample(logits, how.columns, columns.start, columns.stop)
        logits = _sample(logits.T, how.rows, rows.start, rows.stop).T
    return _sample(logits, how.to_columns, x1, x2)


def _sample(values: Floats, axis: Axis, start: int, stop: int) -> Floats:
    """Columns ``start``…``stop - 1`` of the axis from ``values``, which begin at their first."""
    low = axis.low[start:stop] - axis.low[start]
    high = axis.high[start:stop] - axis.low[start]
    part = axis.part[start:stop]
    return values[:, low] * (1 - part) + values[:, high] * part


def _down(logits: Floats, rows: Axis, y1: int, y2: int) -> tuple[Floats, Floats]:
    """The knots of the straight lines down each column: values (knots, columns) and where."""
    first, last = int(rows.low[y1]), int(rows.low[y2 - 1])
    ends = [
        logits[rows.low[y] - first] * (1 - rows.part[y])
        + logits[rows.high[y] - first] * rows.part[y]
        for y in (y1, y2 - 1)
    ]
    knots = np.concatenate([ends[:1], logits[1 : last - first + 1], ends[1:]])
    inner = np.arange(first + 1, last + 1, dtype=np.float32)
    return knots, np.concatenate([rows.at[y1 : y1 + 1], inner, rows.at[y2 - 1 : y2]])


def _crossings(
    knots: Floats, at: Floats, scale: float, rows: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the mask begins and ends in each column: column and row of each edge, sorted."""
    inside = (knots > 0).T
    flips = np.empty((inside.shape[0], inside.shape[1] + 1), np.bool_)
    flips[:, 0], flips[:, -1] = inside[:, 0], inside[:, -1]
    np.not_equal(inside[:, 1:], inside[:, :-1], out=flips[:, 1:-1])
    column, knot = np.divmod(np.flatnonzero(flips), flips.shape[1])
    after = np.minimum(knot, len(at) - 1)
    before = np.maximum(after - 1, 0)
    a, b = knots[before, column].astype(np.float64), knots[after, column].astype(np.float64)
    step = np.where(a == b, 1, a - b)
    crossing = (at[before] + (at[after] - at[before]) * (a / step) + 0.5) / scale - 0.5
    y = np.where(b > 0, np.floor(crossing) + 1, np.ceil(crossing)).astype(np.intp)
    np.clip(y, *rows, out=y)
    y[knot == 0] = rows[0]
    y[knot == len(at)] = rows[1]
    return column, y
