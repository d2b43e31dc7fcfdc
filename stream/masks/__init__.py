"""Exact masks, paid for per run of the object and never per pixel of the frame.

`mask` has the value itself, `algebra` what two or more masks say together, `runs` the arithmetic
on bare run boundaries, `rle` the COCO string.
"""

from stream.masks.algebra import intersection, iou, iou_matrix, overlap, union
from stream.masks.mask import Mask, pack

__all__ = ["Mask", "intersection", "iou", "iou_matrix", "overlap", "pack", "union"]
