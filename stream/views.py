"""What the model looks at in a frame, and one list of instances from several looks: pure.

A camera is looked at as a whole, in one rectangle (``roi``), or in overlapping ``tiles`` for
objects that are small in it. Tiles replace the whole: an object larger than a tile comes back in
pieces, and `merge` puts pieces together where neighbouring tiles both saw them.
"""

from collections.abc import Sequence
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from stream.masks import Mask, intersection, union
from stream.ports import Window
from stream.specs import CameraSpec, Tiles
from stream.types import Instance, Size

SAME_IOU = 0.5
"""Mask IoU inside what two tiles share from which on they saw one object: COCO's lowest match."""

CUT_PX = 2
"""A mask this close to the side of its tile is taken to go on beyond it."""


def plan(camera: CameraSpec | None, size: Size) -> list[Window]:
    """The windows of a frame of ``size``; the whole frame where the camera asks for nothing.

    Tiles are all of one size, so that they share batches.
    """
    height, width = size
    if camera is not None and camera.roi is not None:
        x1, y1, x2, y2 = camera.roi
        left, top = min(floor(x1 * width), width - 1), min(floor(y1 * height), height - 1)
        right, bottom = max(ceil(x2 * width), left + 1), max(ceil(y2 * height), top + 1)
        return [Window(left, top, right - left, bottom - top)]
    if camera is not None and camera.tiles is not None:
        return _tiles(camera.tiles, size)
    return [Window(0, 0, width, height)]


def _tiles(tiles: Tiles, size: Size) -> list[Window]:
    (height, tops), (width, lefts) = (
        _along(pixels, count, tiles.overlap)
        for pixels, count in zip(size, (tiles.rows, tiles.columns), strict=True)
    )
    return [Window(left, top, width, height) for top in tops for left in lefts]


def _along(pixels: int, count: int, overlap: float) -> tuple[int, list[int]]:
    """Length of a tile and where each begins, along one side of the frame."""
    length = min(ceil(pixels / (count - (count - 1) * overlap)), pixels)
    return length, [round(index * (pixels - length) / max(count - 1, 1)) for index in range(count)]


def merge(windows: Sequence[Window], found: Sequence[Sequence[Instance]]) -> tuple[Instance, ...]:
    """One list of instances, best score first, from what was found in each window.

    Instances of one label are the same object where their masks agree inside the part of the
    frame that both windows show. Of those the best one that its window shows completely stands
    for all; where every window cuts the object, their union does.
    """
    seen = [(window, each) for window, many in zip(windows, found, strict=True) for each in many]
    objects: dict[int, list[tuple[Window, Instance]]] = {}
    for group, one in zip(_groups(seen), seen, strict=True):
        objects.setdefault(group, []).append(one)
    merged = [_one_of(views) for views in objects.values()]
    return tuple(sorted(merged, key=lambda instance: -instance.score))


def _groups(seen: Sequence[tuple[Window, Instance]]) -> list[int]:
    """For each of ``seen`` the number of its object. Only masks whose boxes meet are compared."""
    boxes = np.array([instance.mask.box for _, instance in seen]).reshape(-1, 4)
    above = list(range(len(seen)))  # what each is the same as, up to the first of its object
    for i, box in enumerate(boxes):
        for j in np.flatnonzero(_meet(box, boxes[:i])).tolist():
            if _are_same(seen[i], seen[j]):
                above[_first(above, i)] = _first(above, j)
    return [_first(above, i) for i in above]


def _first(above: Sequence[int], i: int) -> int:
    while above[i] != i:
        i = above[i]
    return i


def _meet(box: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether a box has a pixel in common with each of the others, (n, 4)."""
    met = (others[:, :2] < box[2:]) & (box[:2] < others[:, 2:])
    return np.asarray(met.all(axis=1))


def _are_same(a: tuple[Window, Instance], b: tuple[Window, Instance]) -> bool:
    (window_a, one), (window_b, other) = a, b
    if window_a == window_b or one.label != other.label:
        return False
    common = intersection(one.mask, other.mask)
    if not common:
        return False
    shared = _rectangle(one.mask.size, window_a, window_b)
    inside = intersection(one.mask, shared) + intersection(other.mask, shared) - common
    return common >= SAME_IOU * inside


def _rectangle(size: Size, a: Window, b: Window) -> Mask:
    """The part of the frame that both windows show."""
    left, right = max(a.x, b.x), min(a.x + a.width, b.x + b.width)
    top, bottom = max(a.y, b.y), min(a.y + a.height, b.y + b.height)
    starts = np.arange(left, right) * size[0]
    return Mask.from_edges(size, np.stack([starts + top, starts + bottom], 1).ravel())


def _one_of(views: Sequence[tuple[Window, Instance]]) -> Instance:
    """The object that these instances of different windows are."""
    complete = [instance for window, instance in views if not _is_cut(window, instance)]
    if complete:
        return max(complete, key=lambda instance: instance.score)
    instances = [instance for _, instance in views]
    best = max(instances, key=lambda instance: instance.score)
    sides = list(zip(*(instance.box for instance in instances), strict=True))
    box = (min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3]))
    return Instance(best.label, best.score, box, union([each.mask for each in instances]))


def _is_cut(window: Window, instance: Instance) -> bool:
    """Whether the object reaches a side of its window that is no side of the frame."""
    height, width = instance.mask.size
    x1, y1, x2, y2 = instance.mask.box
    right, bottom = window.x + window.width, window.y + window.height
    return (
        (window.x > 0 and x1 < window.x + CUT_PX)
        or (window.y > 0 and y1 < window.y + CUT_PX)
        or (right < width and x2 > right - CUT_PX)
        or (bottom < height and y2 > bottom - CUT_PX)
    )
