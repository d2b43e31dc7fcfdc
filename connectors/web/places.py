"""What is watched in a camera's picture besides zones: the lines of rules."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from stream.rulebook import Rulebook
from stream.rules import Crossing
from stream.types import Point


class Line(Struct, frozen=True):
    """The line of a rule of ``kind: crossing``, in fractions; ``id`` is the rule's."""

    id: str
    camera: str
    line: tuple[Point, Point]
    direction: Literal["any", "left-to-right", "right-to-left"]


def lines_of(rulebook: Rulebook) -> Callable[[], tuple[Line, ...]]:
    """Tells the lines of all rules as they are now."""

    def lines() -> tuple[Line, ...]:
        return tuple(
            Line(rule.id, camera, rule.line, rule.direction)
            for camera, plan in rulebook.plans.items()
            for rule in plan.rules
            if isinstance(rule, Crossing)
        )

    return lines
