"""Which box is which: one-to-one pairs of two lists of boxes that overlap most in sum."""

import lap
import numpy as np
from numpy.typing import NDArray

from stream.tracking.motion import Floats

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]


def box_iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes (n, 4) and (m, 4), px, as an array (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(high - low, 0)
    common = sides[..., 0] * sides[..., 1]
    union = _area(a)[:, None] + _area(b)[None, :] - common
    iou: Floats = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return iou


def nearness(a: Floats, b: Floats, reach: float) -> Floats:
    """1 where centres of boxes (n, 4) and (m, 4) meet, 0 from ``reach`` heights of ``a`` apart.

    Also 0 where one is more than twice as high as the other. Shape (n, m).
    """
    apart = np.linalg.norm(_centre(a)[:, None] - _centre(b)[None, :], axis=2)
    height, other = (np.maximum(boxes[:, 3] - boxes[:, 1], 1.0) for boxes in (a, b))
    alike = np.abs(np.log2(height[:, None] / other[None, :])) <= 1
    near: Floats = np.clip(1 - apart / np.maximum(reach * height, 1.0)[:, None], 0, None) * alike
    return near


def pairs(closeness: Floats, least: float) -> tuple[Rows, Rows]:
    """Rows and columns of ``closeness`` (n, m) that belong together, each used at most once.

    Only pairs above ``least`` count, and the sum of what they have above it is the largest there
    is (ByteTrack's ``lapjv`` with a cost limit finds the same).
    """
    gain = np.maximum(closeness - least, 0)
    rows, columns = assigned(gain)
    kept = gain[rows, columns] > 0
    return rows[kept], columns[kept]


def assigned(gain: Floats) -> tuple[Rows, Rows]:
    """Rows, ascending, and columns of ``gain`` (n, m), min(n, m) of them, each used once, whose sum
    is the largest there is (Jonker and Volgenant, 1987).
    """
    if not gain.size:
        none = np.empty(0, np.intp)
        return none, none
    _, column, _ = lap.lapjv(gain.max() - gain, extend_cost=True)
    rows = np.flatnonzero(column >= 0)
    return rows, column[rows].astype(np.intp)


def _area(boxes: Floats) -> Floats:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    area: Floats = sides[:, 0] * sides[:, 1]
    return area


def _centre(boxes: Floats) -> Floats:
    centre: Floats = (boxes[:, :2] + boxes[:, 2:]) / 2
    return centre
