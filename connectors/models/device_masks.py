"""Run edges of all masks of a batch on the device, straight from their logits.

What `connectors.models.mask_edges` does for one instance on the host is done here for all at once,
operation by operation, in flat lists: the prototype cells that boxes read, those enlarged where a
window asks for it, and the knots of the straight lines down each pixel column of each box. The work
is one value a column and prototype row inside a box, whatever the frame's size.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from connectors.models.device_boxes import Boxes
from connectors.models.device_lists import Flat, flat, take
from connectors.models.device_queries import Queries
from connectors.models.device_room import Room
from connectors.models.device_spans import Sample, Spans, sample, shrunk, spans_of

Tensor = Any

PIECE = 1 << 20
CELLS_PIECE = 1 << 18
"""Items whose values are made at once, which bounds the memory that is needed on the way there; of
cells they are fewer, as each has 32 channels."""


class Edges(NamedTuple):
    """Run boundaries in frames, (room.edges,) int32, one instance after the other.

    Those of instance i lie between ``bounds`` i and i + 1, (instances + 1,). ``needed`` (5,) is
    how long the lists would have been: cells, enlarged, columns, knots, edges. That of the edges is
    known only where the others had what they needed.
    """

    positions: Tensor
    bounds: Tensor
    needed: Tensor


class _Grid(NamedTuple):
    """Values of each instance on its part of a grid: first ``row`` and ``column``, ``columns``."""

    values: Tensor
    of: Flat
    row: Tensor
    column: Tensor
    columns: Tensor

    def place(self, owner: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """Where a cell of the grid lies among the values."""
        along = (row - self.row[owner]) * self.columns[owner] + column - self.column[owner]
        return self.of.begin[owner] + along


def edges(prototypes: Tensor, seen: Boxes, queries: Queries, room: Room) -> Edges:
    """The run edges of all kept boxes of a batch.

    ``prototypes`` is (batch, rows, columns, 32). Instances are counted through the batch, 300 a
    picture. Without an enlarged picture ``room.enlarged`` may be 0: that list is left out then.
    """
    spans = spans_of(prototypes, seen, queries)
    grid = cells = _cells(prototypes, seen, spans, room.cells)
    if room.enlarged:
        grid = _enlarged(cells, prototypes.shape[1:3], spans, room.enlarged)
    columns = _columns(grid, spans, room.columns)
    lines = flat(columns.knots, room.knots)
    values = _knots(grid, columns, lines)
    inside = values > 0
    flips = inside ^ inside.roll(1)  # the last item of each column lies outside
    flips[0] = inside[0]
    counted = flips.cumsum(0, dtype=torch.int32)
    number = torch.arange(1, room.edges + 1, dtype=torch.int32, device=values.device)
    flipped = torch.searchsorted(counted, number).clamp_max(len(counted) - 1)
    knots = spans.width * (spans.last + 2)
    ends = knots.cumsum(0)
    bounds = take(counted, ends - 1).masked_fill(ends == 0, 0)
    enlarged = grid.of.total if room.enlarged else _any_enlarged(spans)
    totals = (cells.of.total, enlarged, columns.of.total, ends[-1], counted[-1])
    return Edges(
        _positions(values, flipped, columns, lines, spans),
        torch.cat([bounds.new_zeros(1), bounds]),
        torch.stack([total.long() for total in totals]),
    )


def _any_enlarged(spans: Spans) -> Tensor:
    """The size of the list of enlarged cells, where it was left out: 0 unless it was wanted."""
    _, _, rows, columns = spans.enlarged
    return ((spans.of.factor > 1) * rows * columns).sum()


def _pieces(
    room: int, piece: int, device: Any, values: Callable[[Tensor, slice], Tensor]
) -> Tensor:
    """``values`` of all places of a list with so much room, (room,) float32, piece by piece."""
    made = torch.empty(room, device=device)
    for start in range(0, room, piece):
        part = slice(start, min(start + piece, room))
        made[part] = values(torch.arange(part.start, part.stop, device=device), part)
    return made


def _cells(prototypes: Tensor, seen: Boxes, spans: Spans, room: int) -> _Grid:
    """The logits of each instance at the prototype cells that its box reads."""
    first_row, first_column, rows, columns = spans.cells
    _, high, wide, _ = prototypes.shape
    of = flat(rows * columns, room)
    flat_cells = prototypes.flatten(0, 2)
    weights = seen.weights.flatten(0, 1)
    picture = torch.arange(len(rows), device=prototypes.device) // seen.scores.shape[1]
    corner = (picture * high + first_row) * wide + first_column

    def values(at: Tensor, part: slice) -> Tensor:
        owner = of.owner[part]
        row, column = _in_rectangle(at, of, owner, columns)
        cells = take(flat_cells, corner[owner] + row * wide + column)
        return (cells.float() * weights[owner]).sum(1)

    made = _pieces(room, CELLS_PIECE, prototypes.device, values)
    return _Grid(made, of, first_row, first_column, columns)


def _in_rectangle(at: Tensor, of: Flat, owner: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of items that lie row by row in rectangles of so many columns."""
    place, wide = at - of.begin[owner], columns[owner].clamp_min(1)
    row = torch.div(place, wide, rounding_mode="floor")
    return row, place - row * wide


def _enlarged(cells: _Grid, size: tuple[int, int], spans: Spans, room: int) -> _Grid:
    """The same logits enlarged by each picture's factor: along the rows, then down the columns."""
    first_row, first_column, rows, columns = spans.enlarged
    of = flat(rows * columns, room)

    def values(at: Tensor, part: slice) -> Tensor:
        owner = of.owner[part]
        row, column = _in_rectangle(at, of, owner, columns)
        factor = spans.of.factor[owner]
        down = shrunk(first_row[owner] + row, size[0], factor)
        along = shrunk(first_column[owner] + column, size[1], factor)
        low, high = (
            along.between(
                take(cells.values, cells.place(owner, row, along.low)),
                take(cells.values, cells.place(owner, row, along.high)),
            )
            for row in (down.low, down.high)
        )
        return down.between(low, high)

    made = _pieces(room, PIECE, cells.values.device, values)
    return _Grid(made, of, first_row, first_column, columns)


class _Columns(NamedTuple):
    """The pixel columns of all boxes, (room.columns,): one list of their own.

    ``x`` is in the window. A column's values lie between those of the grid at ``low`` and ``high``
    in its first row, with ``part`` of the latter, and ``stride`` further in each next one. It has
    ``knots`` items: those in which its straight lines end, and one that lies outside.
    """

    of: Flat
    x: Tensor
    low: Tensor
    high: Tensor
    part: Tensor
    stride: Tensor
    knots: Tensor
    top: Sample
    bottom: Sample


def _columns(grid: _Grid, spans: Spans, room: int) -> _Columns:
    of = flat(spans.width, room)
    at, owner, source = torch.arange(room, device=of.owner.device), of.owner, spans.of
    x = spans.x[owner] + at - of.begin[owner]
    along = sample(x, source.columns[owner], source.width[owner])
    # The grid begins with the row of the first knot.
    low, high = (
        grid.place(owner, grid.row[owner], column + source.left[owner])
        for column in (along.low, along.high)
    )
    # Rows are counted from that one as well.
    first = spans.top.low
    top, bottom = (
        Sample(*(figure[owner] for figure in (end.at, end.low - first, end.high - first, end.part)))
        for end in (spans.top, spans.bottom)
    )
    knots = of.is_item(at) * (spans.last + 2)[owner]
    return _Columns(of, x, low, high, along.part, grid.columns[owner], knots, top, bottom)


def _knots(grid: _Grid, columns: _Columns, lines: Flat) -> Tensor:
    """Logits at the knots of each column, and -1, which is outside, after the last of them."""
    room = len(lines.owner)
    # Row k of a column that begins at b lies at low + k * stride, and is item b + k.
    low = columns.low - lines.begin * columns.stride
    further = columns.high - columns.low

    def values(at: Tensor, part: slice) -> Tensor:
        line = lines.owner[part]
        place = low[line] + at * columns.stride[line]
        share = columns.part[line]
        left, right = take(grid.values, place), take(grid.values, place + further[line])
        return (left * (1 - share) + right * share).masked_fill(~lines.is_item(at), -1)

    made = _pieces(room, PIECE, grid.values.device, values)
    ends = [
        end.between(take(made, lines.begin + end.low), take(made, lines.begin + end.high))
        for end in (columns.top, columns.bottom)
    ]
    last = lines.begin + columns.knots - 2
    made = torch.cat([made, made.new_empty(1)])  # where goes what is of no column
    for place, end in zip((lines.begin, last), ends, strict=True):
        made[place.masked_fill(columns.knots == 0, room).clamp_max(room)] = end
    made[(last + 1).masked_fill(columns.knots == 0, room).clamp_max(room)] = -1
    return made[:room]


def _positions(
    values: Tensor, flipped: Tensor, columns: _Columns, lines: Flat, spans: Spans
) -> Tensor:
    """The pixel before which each run begins or ends, as its place in the frame."""
    line = lines.owner[flipped]
    owner, knot, last = columns.of.owner[line], flipped - lines.begin[line], columns.knots[line] - 2
    a, b = take(values, flipped - 1).double(), values[flipped].double()
    before, after = (_at(columns, spans.top.low[owner], line, k, last) for k in (knot - 1, knot))
    scale = spans.of.rows[owner].double() / spans.of.height[owner]
    step = (a - b).masked_fill(a == b, 1)
    crossing = (before + (after - before) * (a / step) + 0.5) / scale - 0.5
    y1, y2 = spans.y1[owner], spans.y2[owner]
    y = torch.where(b > 0, crossing.floor() + 1, crossing.ceil()).long()
    y = y.maximum(y1).minimum(y2)
    y = torch.where(knot == 0, y1, torch.where(knot > last, y2, y))
    x = spans.of.x[owner] + columns.x[line]
    return (x * spans.of.frame_height[owner] + spans.of.y[owner] + y).int()


def _at(columns: _Columns, first: Tensor, line: Tensor, knot: Tensor, last: Tensor) -> Tensor:
    """Where in source rows the knots of columns lie: the two ends, and whole rows between."""
    inner = (first + knot).float()
    inner = torch.where(knot <= 0, columns.top.at[line], inner)
    return torch.where(knot >= last, columns.bottom.at[line], inner)
