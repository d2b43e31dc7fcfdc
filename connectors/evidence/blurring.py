"""People and things made unrecognisable in a picture."""

from collections.abc import Collection, Iterable
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from stream.ports import Window
from stream.types import Pixels, Result

WIDENED = 1 / 80
"""How far beyond its mask a thing is blurred, as a part of the picture's longer side. The network
draws masks on a grid of 1/160 of it, so that hair, hands and feet reach out of them by about a
cell; this is two.
"""
BLOCKS = 8
"""Blocks across the narrower side of what is blurred: a face that fills it is eight by eight."""
LEAST_PX = 12


def blur(
    pixels: Pixels, result: Result | None, labels: Collection[str], looked: Iterable[Window]
) -> Pixels:
    """A copy of ``pixels`` (BGR) in which no instance with one of ``labels`` can be recognised.

    Where nobody knows who is there, all is blurred: outside the windows in which they were
    ``looked`` for, and everywhere without a ``result`` of this size.
    """
    blurred = pixels.copy()
    if not labels:
        return blurred
    unknown = np.ones(pixels.shape[:2], np.bool_)
    if result is None or result.size != pixels.shape[:2]:
        _coarsen(blurred, unknown)
        return blurred
    for each in looked:
        unknown[each.y : each.y + each.height, each.x : each.x + each.width] = False
    if unknown.any():
        _coarsen(blurred, unknown)
    for instance in result.instances:
        if instance.label in labels and instance.mask.area:
            _coarsen(*_widened(blurred, instance.mask.box, instance.mask.crop()))
    return blurred


def _widened(
    pixels: Pixels, box: tuple[int, int, int, int], inside: NDArray[np.bool_]
) -> tuple[Pixels, NDArray[np.bool_]]:
    """The part of ``pixels`` around ``box``, and which of its pixels lie in or near the mask."""
    height, width = pixels.shape[:2]
    far = ceil(max(height, width) * WIDENED)
    x1, y1, x2, y2 = box
    room = np.pad(inside, far).astype(np.uint8)
    near = cv2.dilate(room, np.ones((2 * far + 1, 2 * far + 1), np.uint8))
    left, top = max(0, x1 - far), max(0, y1 - far)
    part = pixels[top : y2 + far, left : x2 + far]
    down, right = top - (y1 - far), left - (x1 - far)
    shown = near[down : down + part.shape[0], right : right + part.shape[1]]
    return part, shown.astype(np.bool_)


def _coarsen(part: Pixels, inside: NDArray[np.bool_]) -> None:
    """Put blocks of one colour in place of what is ``inside``."""
    height, width = part.shape[:2]
    side = max(LEAST_PX, min(height, width) / BLOCKS)
    blocks = (max(1, round(width / side)), max(1, round(height / side)))
    small = cv2.resize(part, blocks, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    part[inside] = coarse[inside]
