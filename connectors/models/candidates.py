"""From raw network outputs to boxes: threshold, decode only what passed, non-maximum suppression.

The rules are those of ``ultralytics`` ``non_max_suppression`` (one label a box, then the wanted
labels, then NMS), without its limit by wall clock, after which it returns empty frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

MOST_KEPT = 300
MOST_CANDIDATES = 30_000
CLASS_OFFSET_PX = 7680
"""Boxes of different labels are moved this far apart before NMS, as ``ultralytics`` does."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Raw outputs of one pyramid level for one picture, all (rows, columns, channels) float32.

    ``boxes`` holds 4 x 16 logits of the distances to the left, top, right and bottom side, in
    strides (distribution focal loss, arXiv 2006.04388), ``labels`` one logit a label,
    ``masks`` the 32 weights of the prototypes.
    """

    stride: int
    boxes: Floats
    labels: Floats
    masks: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Boxes best first: (n, 4) x1, y1, x2, y2 in network pixels, scores, label indices, weights."""

    boxes: Floats
    scores: Floats
    labels: Ints
    masks: Floats


def find(
    levels: Sequence[Level], confidence: float, iou: float, wanted: NDArray[np.bool_] | None
) -> Found:
    """The instances of one picture above ``confidence``; ``wanted`` says which labels count."""
    cells = [_above(level.labels, confidence) for level in levels]
    logits = _gather([level.labels for level in levels], cells)
    labels = logits.argmax(1)
    scores = 1 / (1 + np.exp(-logits[np.arange(len(logits)), labels]))
    passed = scores > np.float32(confidence)
    if wanted is not None:
        passed &= wanted[labels]
    boxes = _decode(
        _gather([level.boxes for level in levels], cells),
        np.concatenate(
            [
                _anchors(*lv.labels.shape[:2], lv.stride)[at]
                for lv, at in zip(levels, cells, strict=True)
            ]
        ),
    )
    masks = _gather([level.masks for level in levels], cells)
    indices = np.flatnonzero(passed)
    kept = indices[suppress(boxes[indices], scores[indices], labels[indices], iou)]
    return Found(boxes[kept], scores[kept], labels[kept], masks[kept])


def _above(logits: Floats, confidence: float) -> Ints:
    """Cells of one level with any label above the threshold, in order."""
    # A hair below the threshold's logit: the score itself decides, as it does in the reference.
    floor = np.float32(log(confidence / (1 - confidence)) - 1e-4)
    cells: Ints = np.flatnonzero(logits > floor) // logits.shape[-1]
    first = np.ones(len(cells), np.bool_)
    np.not_equal(cells[1:], cells[:-1], out=first[1:])
    return cells[first]


def _gather(levels: Sequence[Floats], cells: Sequence[Ints]) -> Floats:
    """The channels of the chosen cells of all levels, (n, channels)."""
    return np.concatenate(
        [values.reshape(-1, values.shape[-1])[at] for values, at in zip(levels, cells, strict=True)]
    )


@lru_cache(maxsize=64)
def _anchors(rows: int, columns: int, stride: int) -> Floats:
    """Centres of a level's cells and their stride: (n, 3) x and y in strides, stride in px."""
    y, x = np.divmod(np.arange(rows * columns), columns)
    return np.stack([x + 0.5, y + 0.5, np.full(len(x), stride)], 1).astype(np.float32)


def _decode(logits: Floats, anchors: Floats) -> Floats:
    """Expected distances to the four sides, as boxes (n, 4) in network pixels."""
    bins = logits.reshape(len(logits), 4, logits.shape[1] // 4)
    weights = np.exp(bins - bins.max(2, keepdims=True))
    weights /= weights.sum(2, keepdims=True)
    distances = weights @ np.arange(bins.shape[2], dtype=np.float32)
    centres, strides = anchors[:, :2], anchors[:, 2:]
    return np.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], 1) * strides


def suppress(boxes: Floats, scores: Floats, labels: Ints, iou: float) -> Ints:
    """Indices kept by non-maximum suppression within each label, best score first.

    A box goes when its IoU with a better one is strictly above ``iou``; equal scores keep their
    order; at most `MOST_KEPT` stay. Gives what ``torchvision.ops.nms`` gives on boxes offset by
    label, rounding included.
    """
    order = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
    x1, y1, x2, y2 = (boxes + (labels * CLASS_OFFSET_PX).astype(np.float32)[:, None]).T
    areas = (x2 - x1) * (y2 - y1)
    limit = np.float64(iou)  # compared in double, as torchvision does
    kept: list[int] = []
    while len(order) and len(kept) < MOST_KEPT:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        width = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        height = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        with np.errstate(invalid="ignore"):  # two boxes without area: 0 / 0 is no overlap
            order = rest[~(shared / (areas[best] + areas[rest] - shared) > limit)]
    return np.array(kept, np.intp)
