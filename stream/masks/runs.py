"""Arithmetic on run boundaries: ``[start0, end0, start1, end1, …]``.

``Edges`` is an int32 array of even length, strictly ascending: the boundaries of the runs of ones
in a frame's pixels, taken column by column (pixel ``(x, y)`` is number ``x * height + y``). Runs
may go on from the foot of one column to the head of the next.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.int32]
Box = tuple[int, int, int, int]


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


def box(edges: Edges, height: int) -> Box:
    """The tight box; all zero where there is no run."""
    if edges.size == 0:
        return (0, 0, 0, 0)
    starts, ends = edges[::2], edges[1::2]
    heads = starts // height * height
    bottom = int((ends - heads).max())
    left, right = int(heads[0]) // height, (int(ends[-1]) - 1) // height + 1
    if bottom > height:
        return (left, 0, right, height)
    return (left, int((starts - heads).min()), right, bottom)


def within(edges: Edges, own: Box, height: int) -> Edges:
    """The boundaries as its own box sees them; runs may touch at the foot of a column.

    A run goes on into the next column only where the box is as high as the frame, and then
    columns stay where they are.
    """
    x1, y1, _, y2 = own
    columns = edges[::2] // height - x1
    return edges - (columns * (height - y2 + y1) + (x1 * height + y1)).repeat(2)


def before(edges: Edges, positions: NDArray[np.int32]) -> NDArray[np.float64]:
    """How many ones lie before each position; whole numbers, exact. ``edges`` must not be empty.

    The count rises by 1 a pixel inside a run and rests outside: its corners are the boundaries.
    """
    total = np.cumsum(edges[1::2] - edges[::2])
    corners = np.zeros(edges.size)
    corners[1::2] = total
    corners[2::2] = total[:-1]
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
