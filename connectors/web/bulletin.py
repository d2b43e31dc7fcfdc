"""What every browser is told once a second: made once for all, and only while somebody looks."""

from collections.abc import Callable

from msgspec import Struct

EVERY_S = 1.0


class Bulletin(Struct, frozen=True):
    """The messages: the figures of all cameras; their zones and lines, and the ids of all rules."""

    stats: str
    places: str


class Bulletins:
    """Gives out what ``make`` made, and has it made anew where the last is a second old."""

    def __init__(self, make: Callable[[], Bulletin]) -> None:
        self._make = make
        self._made_s = 0.0
        self._last: Bulletin | None = None

    def at(self, now_s: float) -> Bulletin:
        """The one for ``now_s``, seconds on a clock that never steps."""
        if self._last is None or now_s - self._made_s >= EVERY_S:
            self._last, self._made_s = self._make(), now_s
        return self._last
