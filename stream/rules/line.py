"""Who crosses a line, from where they stand in one result after another.

A line has two ends and no thickness, and a point never comes to rest: the lowest row of a walker's
mask jumps from foot to foot. So a side counts only where the point is clear of the line; within a
band on both sides of it, whoever it is has the side where they were clear last.
"""

import math
from typing import Literal, NamedTuple

from msgspec import Struct

from stream.types import Point

Way = Literal["left-to-right", "right-to-left"]
"""As seen when one walks along the line, from its first point to its second."""

CLEAR_OF_HEIGHT = 0.1
"""Clear of the line is who is so far from it, in parts of their own height: feet jump by more
sideways than a standing person's mask flickers, and a step takes one further."""
CLEAR_OF_PICTURE = 0.005
"""But at least so far, in parts of the picture's height: small masks flicker by whole pixels."""


class Line(NamedTuple):
    """A line from ``start`` to ``end``, in pixels; they differ."""

    start: Point
    end: Point

    @property
    def right(self) -> tuple[float, float]:
        """The direction to the right of the line, of length 1."""
        (x1, y1), (x2, y2) = self.start, self.end
        length = math.hypot(x2 - x1, y2 - y1)
        return (-(y2 - y1) / length, (x2 - x1) / length)

    def to_the_right_px(self, point: Point) -> float:
        """How far right of the line ``point`` is; negative on its left. The line has no end here.

        Rows count downwards, so the right of who walks to the right of the picture is below.
        """
        x, y = self.right
        return x * (point[0] - self.start[0]) + y * (point[1] - self.start[1])

    def is_beside(self, point: Point) -> bool:
        """Whether ``point`` is neither before the start nor behind the end."""
        (x1, y1), (x2, y2) = self.start, self.end
        along = (x2 - x1) * (point[0] - x1) + (y2 - y1) * (point[1] - y1)
        return 0 <= along <= (x2 - x1) ** 2 + (y2 - y1) ** 2


class Walk(Struct, frozen=True):
    """Where somebody was last, and the side on which they were clear of the line last.

    ``side`` is 1 on the right, -1 on the left, 0 if never clear. ``turns`` counts, since then, how
    often they passed between the line's ends towards the right, less how often towards the left.
    """

    at: Point
    side: int = 0
    turns: int = 0


def clear_px(box_height_px: float, picture_height_px: float) -> float:
    """How far from a line one must be to be clear of it."""
    return max(CLEAR_OF_HEIGHT * box_height_px, CLEAR_OF_PICTURE * picture_height_px)


def walked(line: Line, walk: Walk | None, point: Point, clear: float) -> tuple[Walk, Way | None]:
    """The walk goes on to ``point``, or begins there; and which way it crossed the line, if it did.

    It crossed when it is clear, by ``clear`` px, on the other side, and came there between the
    line's ends. What was not seen of it is taken for straight. Who was never clear on one side did
    not come from there.
    """
    walk = walk or Walk(point)
    turns = walk.turns + _turn(line, walk.at, point)
    right_px = line.to_the_right_px(point)
    side = (right_px > clear) - (right_px < -clear)
    if side == 0:
        return Walk(point, walk.side, turns), None
    is_crossing = walk.side == -side and turns * side > 0
    way: Way = "left-to-right" if side > 0 else "right-to-left"
    return Walk(point, side), way if is_crossing else None


def _turn(line: Line, before: Point, after: Point) -> int:
    """1 where the move passes the line to the right, between its ends; -1 to the left; or 0.

    A point on the line is on its right, so that a move over it passes it once, there or back.
    """
    one, other = line.to_the_right_px(before), line.to_the_right_px(after)
    if (one >= 0) == (other >= 0):
        return 0
    part = one / (one - other)
    x, y = (start + part * (end - start) for start, end in zip(before, after, strict=True))
    return (1 if other >= 0 else -1) if line.is_beside((x, y)) else 0
