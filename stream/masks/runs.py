"""Arithmetic on run boundaries: ``[start0, end0, start1, end1, …]``.

``Edges`` is an int32 array of even length, strictly ascending: the boundaries of the runs of ones
in a frame's pixels, taken column by column (pixel ``(x, y)`` is number ``x * height + y``). Runs
may go on from the foot of one column to the head of the next.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.int32]
Box = tuple[int, int, int, int]
Firsts = NDArray[np.intp]


class Columns(NamedTuple):
    """Runs that stay in one column each: its number, their first row and their last; int64."""

    column: NDArray[np.int64]
    top: NDArray[np.int64]
    foot: NDArray[np.int64]


def without_pairs(edges: Edges) -> Edges:
    """Drop equal neighbours of an ascending array in pairs: empty runs go, touching ones join."""
    if edges.size == 0 or np.all(edges[1:] > edges[:-1]):
        return edges
    values, times = np.unique(edges, return_counts=True)
    return np.asarray(values[times % 2 == 1], np.int32)


def of_bitmap(bitmap: NDArray[np.bool_], height: int, x: int, y: int) -> Edges:
    """The boundaries of a crop whose top left pixel is ``(x, y)`` of a frame so high."""
    rows, columns = bitmap.shape
    if bitmap.size == 0:
        return np.empty(0, np.int32)
    # One zero before each column and one at the end: every run then ends in its own column.
    stride = rows + 1
    padded = np.zeros(columns * stride + 1, np.uint8)
    cv2.transpose(bitmap.view(np.uint8), padded[:-1].reshape(columns, stride)[:, 1:])
    found = np.flatnonzero(padded[1:] != padded[:-1])
    edges = found + found // stride * (height - stride) + (x * height + y)
    return without_pairs(edges.astype(np.int32))


def of_polygon(points: NDArray[np.float64], height: int, width: int) -> Edges:
    """The boundaries of the pixels whose centre lies inside a polygon (even-odd rule).

    Each column's middle line is cut with the polygon's sides. Sides are half-open and taken from
    left to right, so polygons that share a side share no pixel and leave none out between them;
    a centre that lies on a side belongs to what is right of it or below.
    """
    left, right = points, np.roll(points, -1, axis=0)
    turned = left[:, :1] > right[:, :1]
    left, right = np.where(turned, right, left), np.where(turned, left, right)
    middles = np.arange(width) + 0.5
    column, side = np.nonzero((left[:, 0] <= middles[:, None]) & (middles[:, None] < right[:, 0]))
    run, rise = (right - left)[side].T
    cuts = left[side, 1] + (middles[column] - left[side, 0]) * rise / run
    rows = np.clip(np.ceil(cuts - 0.5), 0, height).astype(np.int64)
    return without_pairs(np.sort(column * height + rows).astype(np.int32))


def to_bitmap(edges: Edges, height: int, width: int) -> NDArray[np.bool_]:
    """The pixels of a frame as bool, shape (height, width), laid out column by column."""
    lengths = np.diff(edges, prepend=0, append=height * width)
    values = np.arange(lengths.size) % 2 == 1
    return np.repeat(values, lengths).reshape(width, height).T


class Figures(NamedTuple):
    """What a mask measures: its pixels, its tight box, and where it stands, None where empty."""

    area: int
    box: Box
    contact: tuple[float, float] | None


def figures(many: Sequence[Edges], height: int) -> list[Figures]:
    """The figures of each mask of frames so high, in one pass; none of them is empty."""
    starts, ends = np.concatenate(many).reshape(-1, 2).T.copy()  # division is slow in strides
    lengths = np.array([own.size // 2 for own in many])
    first = np.cumsum(lengths) - lengths
    areas = np.add.reduceat(ends - starts, first)
    left, top, right, bottom = _sides(starts, ends, first, height)
    low, high = _feet(starts, ends, first, (bottom - 1).repeat(lengths), height)
    each = (some.tolist() for some in (areas, left, top, right, bottom, low, high))
    return [
        Figures(area, (x1, y1, x2, y2), ((lowest + highest + 1) / 2, y2 - 0.5))
        for area, x1, y1, x2, y2, lowest, highest in zip(*each, strict=True)
    ]


def _sides(starts: Edges, ends: Edges, first: Firsts, height: int) -> tuple[Edges, ...]:
    """Left, top, right and bottom of the runs from each of ``first`` to the next."""
    columns = starts // height
    heads = columns * height
    top = np.minimum.reduceat(starts - heads, first)
    bottom = np.maximum.reduceat(ends - heads, first)
    goes_on = bottom > height
    top[goes_on], bottom[goes_on] = 0, height
    last = np.append(first[1:], ends.size) - 1
    return columns[first], top, (ends[last] - 1) // height + 1, bottom


def _feet(
    starts: Edges, ends: Edges, first: Firsts, row: Edges, height: int
) -> tuple[Edges, Edges]:
    """The first and the last column that the runs from each of ``first`` have in a row, which is
    given for each run.
    """
    low, high = -((row - starts) // height), (ends - 1 - row) // height
    met = low <= high
    far = np.iinfo(np.int32).max
    return (
        np.minimum.reduceat(np.where(met, low, far), first),
        np.maximum.reduceat(np.where(met, high, -1), first),
    )


def within(edges: Edges, own: Box, height: int) -> Edges:
    """The boundaries as its own box sees them; runs may touch at the foot of a column.

    A run goes on into the next column only where the box is as high as the frame, and then
    columns stay where they are.
    """
    x1, y1, _, y2 = own
    columns = edges[::2] // height - x1
    return edges - (columns * (height - y2 + y1) + (x1 * height + y1)).repeat(2)


def corners(edges: Edges) -> NDArray[np.float64]:
    """How many ones lie before each boundary: whole numbers, exact."""
    total = np.cumsum(edges[1::2] - edges[::2])
    found = np.zeros(edges.size)
    found[1::2] = total
    found[2::2] = total[:-1]
    return found


def by_column(edges: Edges, height: int) -> Columns:
    """The runs cut where a column ends, in order."""
    starts, ends = edges[::2].astype(np.int64), edges[1::2].astype(np.int64)
    first, last = starts // height, (ends - 1) // height
    if (first == last).all():
        head = first * height
        return Columns(first, starts - head, ends - head - 1)
    times = last - first + 1
    run = np.arange(times.size).repeat(times)
    column = first[run] + np.arange(run.size) - (np.cumsum(times) - times)[run]
    head = column * height
    top, end = np.maximum(starts[run] - head, 0), np.minimum(ends[run] - head, height)
    return Columns(column, top, end - 1)


def near(edges: Edges, box: Box, margin: float, height: int) -> Columns:
    """The runs of `by_column` that come as near as ``margin`` to ``box``, in columns and rows."""
    x1, y1, x2, y2 = box
    left, right = max(0, math.floor(x1 - margin)), math.ceil(x2 + margin)
    first = np.searchsorted(edges[1::2], left * height, side="right")
    last = np.searchsorted(edges[::2], right * height)
    columns = by_column(edges[2 * first : 2 * last], height)
    close = (columns.column >= x1 - margin) & (columns.column <= x2 - 1 + margin)
    close &= (columns.foot >= y1 - margin) & (columns.top <= y2 - 1 + margin)
    return Columns(*(field[close] for field in columns))


def centre(columns: Columns) -> tuple[float, float]:
    """The mean position of all pixels, of which there must be one at least."""
    lengths = columns.foot - columns.top + 1
    pixels = lengths.sum()
    x = (columns.column * lengths).sum() / pixels
    y = ((columns.top + columns.foot) * lengths).sum() / (2 * pixels)
    return float(x) + 0.5, float(y) + 0.5


def before(
    edges: Edges, corners: NDArray[np.float64], positions: NDArray[np.int32]
) -> NDArray[np.float64]:
    """How many ones lie before each position; whole numbers, exact. ``edges`` must not be empty.

    The count rises by 1 a pixel inside a run and rests outside: ``corners`` has it at the
    boundaries.
    """
    return np.interp(positions, edges, corners)


def union(many: list[Edges]) -> Edges:
    """The boundaries of what lies in any of the masks."""
    starts = np.concatenate([edges[::2] for edges in many])
    ends = np.concatenate([edges[1::2] for edges in many])
    positions = np.concatenate((starts, ends))
    # Stable, and starts come first: where one run ends and another begins the depth stays above 0.
    order = np.argsort(positions, kind="stable")
    step = np.where(order < starts.size, 1, -1)
    depth = np.cumsum(step)
    return np.asarray(positions[order[((step == 1) & (depth == 1)) | (depth == 0)]])


def difference(a: Edges, b: Edges) -> Edges:
    """The boundaries of what lies in the first and not in the second."""
    positions = np.unique(np.concatenate((a, b)))
    # A position lies in a run of ones when an odd number of boundaries is at or before it.
    in_a, in_b = (np.searchsorted(edges, positions, side="right") % 2 for edges in (a, b))
    inside = in_a > in_b
    return np.asarray(positions[np.diff(inside, prepend=False)])


def outlines(bitmap: NDArray[np.bool_], x: int, y: int) -> list[NDArray[np.int32]]:
    """The outlines of a crop at ``(x, y)``, along the borders of its pixels: rings of (n, 2).

    OpenCV's contours run through the middle of pixels and so lose half a pixel all around. Those
    of the crop at twice its size turn at a quarter of a pixel from the true corner, inside holes
    as well, and rounding puts them there.
    """
    doubled = cv2.resize(bitmap.view(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings = ((contour.reshape(-1, 2) + 1) // 2 for contour in contours)
    return [
        (ring[np.any(ring != np.roll(ring, 1, axis=0), axis=1)] + (x, y)).astype(np.int32)
        for ring in rings
    ]
