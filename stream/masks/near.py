"""How near the pixels of two masks come to each other, from their runs alone."""

import math

import numpy as np
from numpy.typing import NDArray

from stream.masks.runs import Columns

_BATCH = 4096
"""So many runs are looked up at a time: one call for two people, and little held for noise."""
_FAR = 2**28
"""More columns or rows than any mask has; its square is an int64."""
_NONE = np.array([-_FAR])


def least_square(a: Columns, b: Columns, most: int) -> int | None:
    """The least squared distance between pixels of ``a`` and of ``b``, if it is at most ``most``.

    Columns are compared by how far they are apart, the nearest first, until that alone is more
    than the best that was found.
    """
    if a.column.size == 0 or b.column.size == 0:
        return None
    if a.column.size > b.column.size:
        a, b = b, a
    reach = math.isqrt(most)
    left, right = b.column[0] - a.column[-1], b.column[-1] - a.column[0]
    shifts = np.arange(max(left, -reach), min(right, reach) + 1)
    shifts = shifts[np.argsort(np.abs(shifts), kind="stable")]
    framed = Columns(*(np.concatenate((_NONE, field, _NONE)) for field in b))
    best, batch = most + 1, max(1, _BATCH // a.column.size)
    for first in range(0, shifts.size, batch):
        if shifts[first] ** 2 >= best:
            break
        some = shifts[first : first + batch, None]
        best = min(best, int((_gaps(a, framed, some) ** 2 + some**2).min()))
    return best if best <= most else None


def _gaps(a: Columns, framed: Columns, shifts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fewest rows from each run of ``a`` to one that lies so many columns to the right.

    ``shifts`` has shape (n, 1), the gaps (n, runs of a). ``framed`` has a run of no column before
    its first and behind its last.
    """
    height = 1 + max(a.foot.max(), framed.foot.max())
    column = a.column + shifts
    starts = framed.column[1:-1] * height + framed.top[1:-1]
    # The last run that does not begin below the foot of a's own; the next one does.
    above = np.searchsorted(starts, column * height + a.foot, side="right")
    up = np.where(framed.column[above] == column, a.top - framed.foot[above], _FAR)
    down = np.where(framed.column[above + 1] == column, framed.top[above + 1] - a.foot, _FAR)
    return np.minimum(np.maximum(up, 0), down)
