"""What masks of one frame say together: common area, IoU, overlap with a zone, union."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.masks import runs
from stream.masks.mask import Mask


def intersection(a: Mask, b: Mask) -> int:
    """How many pixels both have. Raises ValueError where the frames differ in size."""
    _check([a, b])
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a.box, b.box
    if ax1 >= bx2 or bx1 >= ax2 or ay1 >= by2 or by1 >= ay2:
        return 0
    few, many = (a, b) if a.edges.size < b.edges.size else (b, a)
    inside = runs.before(many.edges, few.edges)
    return int(inside[1::2].sum() - inside[::2].sum())


def iou(a: Mask, b: Mask) -> float:
    """Common pixels over all pixels; 0.0 where both are empty."""
    common = intersection(a, b)
    return common / (a.area + b.area - common) if common else 0.0


def overlap(mask: Mask, zone: Mask) -> float:
    """The part of ``mask`` that lies inside ``zone``, 0…1; 0.0 for an empty mask."""
    common = intersection(mask, zone)
    return common / mask.area if common else 0.0


def iou_matrix(a: Sequence[Mask], b: Sequence[Mask]) -> NDArray[np.float64]:
    """The IoU of each of ``a`` with each of ``b``: shape (len(a), len(b)).

    Only pairs whose boxes meet are compared. Raises ValueError where the frames differ in size.
    """
    _check([*a, *b])
    common = np.zeros((len(a), len(b)))
    if not a or not b:
        return common
    near = _meet(np.array([m.box for m in a]), np.array([m.box for m in b]))
    for column in range(len(b)):
        rows = near[:, column].nonzero()[0].tolist()
        if not rows:
            continue
        edges = [a[row].edges for row in rows]
        inside = runs.before(b[column].edges, np.concatenate(edges))
        first = np.cumsum([0, *(own.size // 2 for own in edges[:-1])])
        common[rows, column] = np.add.reduceat(inside[1::2] - inside[::2], first)
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


def _meet(a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether boxes (n, 4) and (m, 4) have a pixel in common: shape (n, m)."""
    a = a[:, None]
    low, high = np.maximum(a[..., :2], b[:, :2]), np.minimum(a[..., 2:], b[:, 2:])
    return np.asarray((low < high).all(axis=-1))


def _check(masks: Sequence[Mask]) -> None:
    sizes = {mask.size for mask in masks}
    if len(sizes) > 1:
        raise ValueError(f"masks of frames of different sizes: {sorted(sizes)}")
