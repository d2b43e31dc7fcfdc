"""What of the prototypes each kept box of a batch reads, on the device: pixels, samples, cells.

The figures are those of `connectors.models.mask_edges`, made with the same operations in the same
order, so that they are equal to the last bit.
"""

from typing import Any, NamedTuple

import torch

from connectors.models.device_boxes import Boxes
from connectors.models.device_queries import Queries

Tensor = Any


class Sample(NamedTuple):
    """Linear sampling: at ``at``, between ``low`` and ``high``, of which the latter counts
    ``part``; as `connectors.models.mask_edges.Axis`.
    """

    at: Tensor
    low: Tensor
    high: Tensor
    part: Tensor

    def between(self, low: Tensor, high: Tensor) -> Tensor:
        """The samples, from the values at ``low`` and ``high``."""
        return low * (1 - self.part) + high * self.part


def sample(index: Tensor, source: Tensor, samples: Tensor) -> Sample:
    """Where sample ``index`` of so many lies in so many source cells."""
    scale = (source.double() / samples).float()
    at = ((index.float() + 0.5) * scale - 0.5).clamp_min(0)
    low = at.long().minimum(source - 1)
    at = at.minimum((source - 1).float())
    return Sample(at, low, (low + 1).minimum(source - 1), at - low.float())


class Spans(NamedTuple):
    """Of each instance, (instances,): the pixels of its box, and what of each grid it reads.

    ``top`` and ``bottom`` sample the first and the last row of pixels. The parts of grids are first
    row, first column, rows, columns.
    """

    of: Queries
    x: Tensor
    y1: Tensor
    y2: Tensor
    width: Tensor
    top: Sample
    bottom: Sample
    cells: tuple[Tensor, Tensor, Tensor, Tensor]
    enlarged: tuple[Tensor, Tensor, Tensor, Tensor]

    @property
    def last(self) -> Tensor:
        """The number of the last knot of a column."""
        return self.bottom.low - self.top.low + 1


def spans_of(prototypes: Tensor, seen: Boxes, queries: Queries) -> Spans:
    """For each place for a box, 300 a picture; without a box or a pixel in it nothing is read."""
    most = seen.scores.shape[1]
    rows, columns = prototypes.shape[1:3]
    of = Queries(*(figure.repeat_interleave(most, 0) for figure in queries))
    rank = torch.arange(most, device=prototypes.device)
    is_kept = (rank < seen.count[:, None]).flatten()
    # A box that is not a number, as an overflow in half precision may give, has no pixel.
    sides = seen.boxes.flatten(0, 1).nan_to_num(0).ceil().long().clamp_min(0)
    x1, y1 = sides[:, 0], sides[:, 1]
    x2, y2 = sides[:, 2].minimum(of.width), sides[:, 3].minimum(of.height)
    is_kept &= (x1 < x2) & (y1 < y2)
    x1, y1 = x1.minimum(of.width - 1), y1.minimum(of.height - 1)
    x2, y2 = x2.maximum(x1 + 1), y2.maximum(y1 + 1)
    top, bottom = (sample(y, of.rows, of.height) for y in (y1, y2 - 1))
    left, right = (sample(x, of.columns, of.width) for x in (x1, x2 - 1))
    big = (top.low + of.top, bottom.high + of.top, left.low + of.left, right.high + of.left)
    small = (
        *(shrunk(row, rows, of.factor) for row in big[:2]),
        *(shrunk(column, columns, of.factor) for column in big[2:]),
    )
    reads = (small[0].low, small[1].high, small[2].low, small[3].high)
    width = is_kept * (x2 - x1)
    parts = (_part(reads, is_kept), _part(big, is_kept))
    return Spans(of, x1, y1, y2, width, top, bottom, *parts)


def _part(
    reads: tuple[Tensor, Tensor, Tensor, Tensor], is_kept: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """First row, first column, rows and columns of what is read; nothing where nothing is kept."""
    top, bottom, left, right = reads
    return top, left, is_kept * (bottom - top + 1), is_kept * (right - left + 1)


def shrunk(index: Tensor, source: int, factor: Tensor) -> Sample:
    """The prototype cells that an enlarged one lies between; itself where nothing is enlarged."""
    cells = torch.full_like(index, source)
    return sample(index, cells, cells * factor)
