"""What is known of a camera's health: a value, from one message of its masks to the next."""

from collections.abc import Collection, Mapping

from msgspec import Struct

from stream.types import CameraHealth, Condition

FRESH_US = 15_000_000
"""What holds is told about every 5 s. What was not told for so long is unknown: whoever knew is
gone. So is what was told so much later than now: time went back in a new epoch."""


class Trouble(Struct, frozen=True):
    """A condition that holds: since when, and when it was last told, with what words."""

    since_us: int
    told_us: int
    detail: str


Troubles = Mapping[Condition, Trouble]
"""The conditions that were last told to hold."""

BLINDING: tuple[Condition, ...] = ("black", "frozen")
"""With these a result does not show what is there."""
MISPLACING: tuple[Condition, ...] = ("moved",)
"""With these it does not show where."""


def heard(troubles: Troubles, told: CameraHealth) -> dict[Condition, Trouble]:
    """The troubles, with what was told now."""
    after = {name: each for name, each in troubles.items() if name != told.condition}
    if told.is_on:
        after[told.condition] = Trouble(told.since_us, told.time_us, told.detail)
    return after


def any_of(troubles: Troubles, conditions: Collection[Condition], now_us: int) -> bool:
    """Whether one of ``conditions`` is known to hold now."""
    return any(
        name in troubles and abs(now_us - troubles[name].told_us) < FRESH_US for name in conditions
    )
