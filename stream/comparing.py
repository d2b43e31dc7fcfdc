"""What two models say of one frame: which instances both found, and which only one did. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stream.masks import iou_matrix
from stream.tracking.association import pairs
from stream.types import Instance

SAME_IOU = 0.5
"""Above this two masks show one thing. Where masks of a frame do not overlap, nobody else can then
be meant (Kirillov et al., Panoptic Segmentation, CVPR 2019, section 4.1)."""


@dataclass(frozen=True)
class Match:
    """An instance that both found. ``scores`` are the first model's and the shadow's."""

    label: str
    iou: float
    scores: tuple[float, float]


@dataclass(frozen=True)
class Agreement:
    """All instances of a frame: in both, ``lost`` in the first alone, ``new`` in the shadow alone,
    these two by their labels.
    """

    matched: tuple[Match, ...]
    lost: tuple[str, ...]
    new: tuple[str, ...]


def agreement(first: Sequence[Instance], shadow: Sequence[Instance]) -> Agreement:
    """Pair the instances of one label, each at most once, so that the IoU of masks is the largest
    in sum; only those above `SAME_IOU` are pairs. Masks whose boxes do not meet are not compared.

    Raises ValueError where the frames differ in size.
    """
    matched: list[Match] = []
    lost: list[str] = []
    new: list[str] = []
    for label in sorted({each.label for each in (*first, *shadow)}):
        ours = [each for each in first if each.label == label]
        theirs = [each for each in shadow if each.label == label]
        found = _matches(label, ours, theirs)
        matched += found
        lost += [label] * (len(ours) - len(found))
        new += [label] * (len(theirs) - len(found))
    return Agreement(tuple(matched), tuple(lost), tuple(new))


def _matches(label: str, ours: Sequence[Instance], theirs: Sequence[Instance]) -> list[Match]:
    ious = iou_matrix([each.mask for each in ours], [each.mask for each in theirs])
    # 0 first, or one pair of 0.75 would count more than two of 0.6: masks of a frame may overlap.
    same = np.where(ious > SAME_IOU, ious, 0.0)
    return [
        Match(label, float(ious[row, column]), (ours[row].score, theirs[column].score))
        for row, column in zip(*pairs(same, 0.0), strict=True)
    ]
