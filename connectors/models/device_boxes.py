"""From the raw outputs of a batch to its kept boxes, on the device and in fixed shapes.

The rules are those of `connectors.models.candidates`, which does the same for one picture on the
host. What a batch needs may be more than the shapes have room for: ``needed`` and ``rounds`` tell,
and who calls does it again with more. Half precision ends where this begins: all is float32, since
boxes moved apart by label (7680 px each) are beyond float16.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from connectors.models.candidates import CLASS_OFFSET_PX, MOST_CANDIDATES
from connectors.models.device_nms import suppress
from connectors.models.device_queries import Queries
from stream.types import Size

Tensor = Any


class Boxes(NamedTuple):
    """What is kept of each picture, best first: (batch, 300, …), of which ``count`` (batch,) are.

    ``boxes`` are x1, y1, x2, y2 in window pixels, clipped to the window, ``weights`` those of the
    prototypes, all float32; ``labels`` int64. ``needed`` (batch,) is how many candidates there
    were, ``rounds`` () how many their suppression would have taken.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    weights: Tensor
    count: Tensor
    needed: Tensor
    rounds: Tensor


def anchors(shape: Size, strides: Sequence[int], device: Any) -> Tensor:
    """Centres of the cells of all levels and their stride: (cells, 3) x and y in strides, px."""
    levels = []
    for stride in strides:
        rows, columns = shape[0] // stride, shape[1] // stride
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        levels.append(torch.stack([x + 0.5, y + 0.5, torch.full(x.shape, stride)], -1).view(-1, 3))
    return torch.cat(levels).to(device, torch.float32)


def keep(
    outputs: Sequence[Tensor], cells: Tensor, queries: Queries, most: int, rounds: int
) -> Boxes:
    """The boxes of a batch: best scores first, ``most`` of them, through ``rounds`` of suppression.

    ``outputs`` are those of `connectors.models.raw_head.RawHead`, ``cells`` its `anchors`.
    """
    bins, labels, masks = (_levels(outputs[kind:-1:3]) for kind in range(3))
    logits, best = (torch.cat(parts, 1) for parts in zip(*(x.max(-1) for x in labels), strict=True))
    scores = 1 / (1 + torch.exp(-logits.float()))
    passed = (scores > queries.confidence[:, None]) & queries.wanted.gather(1, best)
    most = min(most, len(cells), MOST_CANDIDATES)
    # Where nothing passed a score is -1, below all that are one. Equal ones keep their order.
    ranked, at = scores.masked_fill(~passed, -1).sort(dim=1, descending=True, stable=True)
    ranked, at = ranked[:, :most], at[:, :most]
    boxes = _decode(_cells(torch.cat(bins, 1), at), cells[at])
    labelled = best.gather(1, at)
    apart = boxes + (labelled * CLASS_OFFSET_PX).float()[..., None]
    kept, count, took = suppress(apart, ranked > 0, queries.iou, rounds)
    return Boxes(
        _to_window(_cells(boxes, kept), queries),
        ranked.gather(1, kept),
        labelled.gather(1, kept),
        _cells(torch.cat(masks, 1), at.gather(1, kept)).float(),
        count,
        passed.sum(1).clamp_max(MOST_CANDIDATES),
        took,
    )


def _levels(outputs: Sequence[Tensor]) -> list[Tensor]:
    """Outputs of each level as (batch, cells, channels)."""
    return [output.flatten(1, 2) for output in outputs]


def _cells(values: Tensor, at: Tensor) -> Tensor:
    """The channels of chosen cells: (batch, cells, channels) at (batch, n)."""
    return values.gather(1, at[..., None].expand(*at.shape, values.shape[-1]))


def _decode(logits: Tensor, anchors: Tensor) -> Tensor:
    """Expected distances to the four sides, as boxes (batch, n, 4) in network pixels."""
    bins = logits.float().unflatten(-1, (4, -1))
    weights = torch.exp(bins - bins.amax(-1, keepdim=True))
    weights = weights / weights.sum(-1, keepdim=True)
    distances = (weights * torch.arange(bins.shape[-1], device=bins.device)).sum(-1)
    centres, strides = anchors[..., :2], anchors[..., 2:]
    sides = torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], -1)
    return sides * strides


def _to_window(boxes: Tensor, queries: Queries) -> Tensor:
    """Boxes in network pixels, as window pixels, clipped to it."""
    placed = (boxes - queries.padding[:, None]) / queries.gain[:, None]
    return placed.clamp_min(0).minimum(queries.limit[:, None])
