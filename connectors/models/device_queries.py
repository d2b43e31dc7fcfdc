"""What is asked of a batch, as numbers that lie on the device.

One row of float64 a picture, so that one copy takes them all: it holds every float32 and every
size in pixels exactly.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from connectors.models.mask_edges import CELL_PX, scaling
from connectors.models.network import Query

Tensor = Any

FIGURES = 18
"""Numbers of a row before those that say which labels are wanted."""


class Queries(NamedTuple):
    """Figures of each picture of a batch; the first axis of all is the batch.

    ``confidence`` float32, ``iou`` float64, ``wanted`` bool (batch, labels). ``padding``, ``gain``
    and ``limit`` (batch, 4) float32 lead from network to window pixels. The rest are (batch,)
    int64, and as `connectors.models.mask_edges.Scaling` has them: the ``factor`` by which
    prototypes are enlarged, the crop (``top``, ``left``) and size (``rows``, ``columns``) of what
    is scaled to the window (``height``, ``width``), which lies at ``x``, ``y`` in a frame of
    ``frame_height``.
    """

    confidence: Tensor
    iou: Tensor
    wanted: Tensor
    padding: Tensor
    gain: Tensor
    limit: Tensor
    factor: Tensor
    top: Tensor
    left: Tensor
    rows: Tensor
    columns: Tensor
    height: Tensor
    width: Tensor
    x: Tensor
    y: Tensor
    frame_height: Tensor


def row(query: Query, labels: int) -> NDArray[np.float64]:
    """The figures of one picture, for a network of so many ``labels``."""
    geometry = query.geometry
    (height, width), (network_h, network_w) = geometry.window, geometry.network
    how = scaling((network_h // CELL_PX, network_w // CELL_PX), geometry.window)
    figures = (
        query.confidence,
        query.iou,
        geometry.left,
        geometry.top,
        geometry.inner[1] / width,
        geometry.inner[0] / height,
        width,
        height,
        how.factor,
        how.top,
        how.left,
        *how.inner,
        height,
        width,
        *query.corner,
        query.frame_height,
    )
    wanted = np.ones(labels) if query.wanted is None else query.wanted
    return np.concatenate([figures, wanted])


def rows(queries: Sequence[Query], labels: int, places: int) -> NDArray[np.float64]:
    """The figures of a batch of ``places``, in those that are left over of nothing that counts."""
    found = [row(query, labels) for query in queries]
    filled = np.stack(found + found[:1] * (places - len(found)))
    filled[len(found) :, 0] = 1  # no score is above it
    return filled


def queries(rows: Tensor) -> Queries:
    """What the rows of a batch say, on the device where they lie."""
    figures = rows[:, :FIGURES].unbind(1)
    pairs = (rows[:, start : start + 2].float().repeat(1, 2) for start in (2, 4, 6))
    return Queries(
        figures[0].float(),
        figures[1],
        rows[:, FIGURES:] > 0,
        *pairs,
        *(figure.long() for figure in figures[8:]),
    )
