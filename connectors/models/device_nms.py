"""Non-maximum suppression of a whole batch on the device: greedy to the letter, in fixed shapes.

Which boxes stay is the one solution of ``keep = valid and no better one that stays overlaps it``,
with which `connectors.models.candidates.suppress` is described as well. Within a block of boxes it
is found by putting ``keep`` in until it stays as it is: after round n all are right that hang on a
chain of less than n others, and a round that changes nothing says that all are. Blocks are taken in
the order of the scores, and what the earlier ones kept (never more than `MOST_KEPT`) takes its
share from those after it. So neither time nor memory grows with the square of the candidates, and
nothing waits for the host.
"""

from typing import Any, NamedTuple

import torch

from connectors.models.candidates import MOST_KEPT

Tensor = Any
"""A ``torch.Tensor``; torch is not seen by the type checker."""

BLOCK = 256


class Kept(NamedTuple):
    """The boxes that stay: ``at`` (batch, `MOST_KEPT`) says where they are, best first, ``count``
    (batch,) how many of them there are. ``rounds`` () is how many it would have taken.
    """

    at: Tensor
    count: Tensor
    rounds: Tensor


def suppress(boxes: Tensor, valid: Tensor, iou: Tensor, rounds: int) -> Kept:
    """What greedy suppression keeps of boxes that come best first.

    ``boxes`` (batch, n, 4) float32 are moved apart by label, ``valid`` (batch, n) says which of
    them count, ``iou`` (batch,) float64 is the overlap above which the lower score goes.
    """
    batch, n = valid.shape
    device = boxes.device
    # One place more than are kept: what is cut off goes there.
    at = torch.zeros((batch, MOST_KEPT + 1), dtype=torch.int64, device=device)
    best = torch.zeros((batch, MOST_KEPT + 1, 4), device=device)
    count = torch.zeros((batch, 1), dtype=torch.int64, device=device)
    needed = torch.zeros((), dtype=torch.int64, device=device)
    for start in range(0, n, BLOCK):
        block, ok = boxes[:, start : start + BLOCK], valid[:, start : start + BLOCK]
        if start:
            ok = ok & ~_overlap(best[:, :MOST_KEPT], block, iou).any(1)
        keep, took = _settle(ok, _overlap(block, block, iou).triu(1), rounds)
        rank = count + keep.cumsum(1)
        keep = keep & (rank <= MOST_KEPT)
        place = (rank - 1).masked_fill(~keep, MOST_KEPT)
        index = torch.arange(start, start + block.shape[1], device=device).expand_as(place)
        at.scatter_(1, place, index)
        best.scatter_(1, place[..., None].expand_as(block), block)
        count = count + keep.sum(1, keepdim=True)
        needed = needed.maximum(took)
    return Kept(at[:, :MOST_KEPT], count[:, 0], needed)


def _settle(ok: Tensor, overlap: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """Which of a block stay, and after how many rounds nothing changes (one more than there were
    where that is not known); ``overlap[:, i, j]``: i is better than j and overlaps it.
    """
    kept = [ok]
    for _ in range(rounds):
        kept.append(ok & ~(overlap & kept[-1][:, :, None]).any(1))
    history = torch.stack(kept)
    changes = (history[1:] != history[:-1]).flatten(1).any(1)
    return kept[-1], changes.sum() + 1


def _overlap(a: Tensor, b: Tensor, iou: Tensor) -> Tensor:
    """Whether the IoU of each of (batch, n, 4) and (batch, m, 4) is above the limit: (batch, n, m).

    Operation by operation what `connectors.models.candidates.suppress` does in float32, compared
    in double; boxes without area overlap nothing, as 0 / 0 is above no limit.
    """
    ax1, ay1, ax2, ay2 = a[:, :, None].unbind(-1)
    bx1, by1, bx2, by2 = b[:, None].unbind(-1)
    width = torch.minimum(ax2, bx2) - torch.maximum(ax1, bx1)
    height = torch.minimum(ay2, by2) - torch.maximum(ay1, by1)
    shared = width.clamp_min(0) * height.clamp_min(0)
    areas = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1)
    return (shared / (areas - shared)).double() > iou[:, None, None]
