"""Which masks of one frame are of things of their own, and which show another's thing again."""

from collections.abc import Iterator, Sequence

from stream.masks.algebra import intersection
from stream.masks.mask import Mask

SAME_IOU = 0.8
"""Two masks that agree so far are of one thing: what hides a part of another has other pixels.

Boxes do not tell: a network may find somebody twice, to the knees and to the feet, with boxes that
differ enough for NMS to keep both, and masks that agree by 0.9."""


def distinct(masks: Sequence[Mask], scores: Sequence[float]) -> list[int]:
    """The indices of masks that are of a thing of their own, in ascending order.

    Of several that agree, it is the one with the highest score, and of equals the first. An empty
    mask agrees with none. Raises ValueError where the frames differ in size.
    """
    alike: dict[int, list[int]] = {}
    for one, other in _alike(masks):
        alike.setdefault(one, []).append(other)
        alike.setdefault(other, []).append(one)
    if not alike:
        return list(range(len(masks)))
    kept: set[int] = set()
    for index in sorted(range(len(masks)), key=lambda index: -scores[index]):
        if kept.isdisjoint(alike.get(index, ())):
            kept.add(index)
    return sorted(kept)


def _alike(masks: Sequence[Mask]) -> Iterator[tuple[int, int]]:
    """The pairs that agree. From left to right, so that those far apart are never compared."""
    boxes = [mask.box for mask in masks]
    rows = sorted(range(len(masks)), key=lambda row: boxes[row][0])
    for place, one in enumerate(rows):
        _, top, right, bottom = boxes[one]
        for other in rows[place + 1 :]:
            x1, y1, _, y2 = boxes[other]
            if x1 >= right:
                break
            if y1 < bottom and top < y2 and _agree(masks[one], masks[other]):
                yield one, other


def _agree(one: Mask, other: Mask) -> bool:
    areas = one.area + other.area
    # Areas and boxes bound the IoU, and are known: most pairs of neighbours end here.
    common = min(one.area, other.area, _shared_px(one, other))
    if common < SAME_IOU * (areas - common):
        return False
    common = intersection(one, other)
    return common >= SAME_IOU * (areas - common)


def _shared_px(one: Mask, other: Mask) -> int:
    """Pixels that the boxes of two masks have in common; the boxes meet."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = one.box, other.box
    return (min(ax2, bx2) - max(ax1, bx1)) * (min(ay2, by2) - max(ay1, by1))
