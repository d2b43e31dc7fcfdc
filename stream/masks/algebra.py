"""What masks of one frame say together: common area, IoU, overlap, distance, union, rest."""

import math
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from stream.masks import runs
from stream.masks.mask import Mask, measure
from stream.masks.near import least_square
from stream.masks.runs import Box

_ROUNDED = 1 + 1e-12
"""What a square root loses when it is squared again; far less than from one square to the next."""


def intersection(a: Mask, b: Mask) -> int:
    """How many pixels both have. Raises ValueError where the frames differ in size."""
    _check([a, b])
    if not _touch(a.box, b.box):
        return 0
    few, many = (a, b) if a.edges.size < b.edges.size else (b, a)
    inside = many.before(few.edges)
    return int(inside[1::2].sum() - inside[::2].sum())


def iou(a: Mask, b: Mask) -> float:
    """Common pixels over all pixels; 0.0 where both are empty."""
    common = intersection(a, b)
    return common / (a.area + b.area - common) if common else 0.0


def overlap(mask: Mask, zone: Mask) -> float:
    """The part of ``mask`` that lies inside ``zone``, 0…1; 0.0 for an empty mask."""
    common = intersection(mask, zone)
    return common / mask.area if common else 0.0


def overlaps(masks: Sequence[Mask], zone: Mask) -> NDArray[np.float64]:
    """The `overlap` of each mask with one zone, in one pass: shape (len(masks),).

    Only masks whose box meets that of the zone are compared. Raises ValueError where the frames
    differ in size.
    """
    _check([zone, *masks])
    measure(masks)
    parts = np.zeros(len(masks))
    near = [row for row, mask in enumerate(masks) if _touch(mask.box, zone.box)]
    if near:
        areas = np.array([masks[row].area for row in near], np.float64)
        parts[near] = _common([masks[row] for row in near], zone) / areas
    return parts


def distance(a: Mask, b: Mask, within_px: float = math.inf) -> float:
    """The least distance in pixels between the centres of a pixel of ``a`` and one of ``b``.

    0.0 where they have a pixel in common, 1.0 where sides of pixels touch, √2 where only corners
    do. ``math.inf`` where it is more than ``within_px``, which costs less to find, and where one
    is empty. Raises ValueError where the frames differ in size.
    """
    if box_distances([a], [b])[0, 0] > within_px * _ROUNDED:
        return math.inf
    return _distance(a, b, within_px)


def box_distances(a: Sequence[Mask], b: Sequence[Mask]) -> NDArray[np.float64]:
    """How far the boxes of each of ``a`` and each of ``b`` are apart: shape (len(a), len(b)).

    Counted as `distance` does, which is never less; ``math.inf`` where one is empty. Raises
    ValueError where the frames differ in size.
    """
    _check([*a, *b])
    if not a or not b:
        return np.zeros((len(a), len(b)))
    apart = np.sqrt(_gaps(_boxes(a), _boxes(b)))
    apart[[not mask.edges.size for mask in a]] = math.inf
    apart[:, [not mask.edges.size for mask in b]] = math.inf
    return apart


def iou_matrix(a: Sequence[Mask], b: Sequence[Mask]) -> NDArray[np.float64]:
    """The IoU of each of ``a`` with each of ``b``: shape (len(a), len(b)).

    Only pairs whose boxes meet are compared. Raises ValueError where the frames differ in size.
    """
    _check([*a, *b])
    common = np.zeros((len(a), len(b)))
    if not a or not b:
        return common
    measure([*a, *b])
    near = _meet(_boxes(a), _boxes(b))
    for column in range(len(b)):
        rows = near[:, column].nonzero()[0].tolist()
        if not rows:
            continue
        common[rows, column] = _common([a[row] for row in rows], b[column])
    areas = np.array([m.area for m in a])[:, None] + np.array([m.area for m in b])
    # A pair of empty masks has IoU 0: it divides by 1.
    common /= np.maximum(areas - common, 1)
    return common


def union(masks: Sequence[Mask]) -> Mask:
    """What lies in any of the masks, of which there must be one at least.

    Raises ValueError where there is none, or where the frames differ in size.
    """
    if not masks:
        raise ValueError("masks: none; the union of no masks has no frame")
    _check(masks)
    return Mask.from_edges(masks[0].size, runs.union([mask.edges for mask in masks]))


def difference(a: Mask, b: Mask) -> Mask:
    """What lies in ``a`` and not in ``b``. Raises ValueError where the frames differ in size."""
    _check([a, b])
    return Mask.from_edges(a.size, runs.difference(a.edges, b.edges))


def _common(masks: Sequence[Mask], other: Mask) -> NDArray[np.float64]:
    """How many pixels each mask has in common with another; none of them all is empty."""
    edges = [mask.edges for mask in masks]
    inside = other.before(np.concatenate(edges))
    first = list(accumulate((own.size // 2 for own in edges[:-1]), initial=0))
    return np.add.reduceat(inside[1::2] - inside[::2], first)


def _touch(a: Box, b: Box) -> bool:
    """Whether two boxes have a pixel in common; the box of the empty mask has none."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _distance(a: Mask, b: Mask, within_px: float) -> float:
    if intersection(a, b):
        return 0.0
    height, width = a.size
    within_px = min(within_px, math.hypot(height, width))
    square = least_square(
        runs.near(a.edges, b.box, within_px, height),
        runs.near(b.edges, a.box, within_px, height),
        math.floor(within_px * within_px * _ROUNDED),
    )
    return math.inf if square is None else math.sqrt(square)


def _boxes(masks: Sequence[Mask]) -> NDArray[np.intp]:
    return np.array([mask.box for mask in masks])


def _gaps(a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.intp]:
    """The squared distance of boxes (n, 4) and (m, 4), as `distance` counts it: shape (n, m)."""
    a = a[:, None]
    apart = np.maximum(a[..., :2] - b[:, 2:] + 1, b[:, :2] - a[..., 2:] + 1)
    return np.asarray((np.maximum(apart, 0) ** 2).sum(axis=-1))


def _meet(a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether boxes (n, 4) and (m, 4) have a pixel in common: shape (n, m)."""
    a = a[:, None]
    low, high = np.maximum(a[..., :2], b[:, :2]), np.minimum(a[..., 2:], b[:, 2:])
    return np.asarray((low < high).all(axis=-1))


def _check(masks: Sequence[Mask]) -> None:
    sizes = {mask.size for mask in masks}
    if len(sizes) > 1:
        raise ValueError(f"masks of frames of different sizes: {sorted(sizes)}")
