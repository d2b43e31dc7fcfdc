"""Exact masks, paid for per run of the object and never per pixel of the frame.

`mask` has the value itself, `algebra` what two or more masks say together, `distinct` which of
them show one thing twice, `runs` the arithmetic on bare run boundaries, `near` the least distance
between them, `rle` the COCO string.
"""

from stream.masks.algebra import (
    box_distances,
    difference,
    distance,
    intersection,
    iou,
    iou_matrix,
    overlap,
    overlaps,
    union,
)
from stream.masks.distinct import distinct
from stream.masks.mask import Mask, measure, pack

__all__ = [
    "Mask",
    "box_distances",
    "difference",
    "distance",
    "distinct",
    "intersection",
    "iou",
    "iou_matrix",
    "measure",
    "overlap",
    "overlaps",
    "pack",
    "union",
]
