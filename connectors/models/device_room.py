"""How much room a batch gets in arrays of fixed size, learnt from the batches before: pure.

Too little is noticed and costs that batch a second try; too much is paid for by each batch. So room
comes in powers of two, follows the largest of the last batches, and is given up again.
"""

from typing import NamedTuple

MEMORY = 256
"""What one batch needed is remembered for so many batches at least, and for twice as many at most.
"""


class Room(NamedTuple):
    """What there is room for, or what would have been needed.

    ``candidates`` are those of one picture, and ``rounds`` those of their suppression. The others
    are for the masks of the whole batch: prototype ``cells`` that boxes read, those ``enlarged``,
    pixel ``columns`` of boxes, ``knots`` of the lines down them, and ``edges`` of runs.
    """

    candidates: int
    rounds: int
    cells: int
    enlarged: int
    columns: int
    knots: int
    edges: int

    def holds(self, needed: "Room") -> bool:
        """Whether what was needed was there."""
        return all(has >= wants for has, wants in zip(self, needed, strict=True))

    def larger(self, other: "Room") -> "Room":
        """Room for what either has room for."""
        return Room(*map(max, self, other))

    def in_powers(self) -> "Room":
        """The least powers of two that hold it; nothing for nothing."""
        return Room(*(1 << (number - 1).bit_length() if number else 0 for number in self))


LEAST = Room(
    candidates=256,
    rounds=8,
    cells=1 << 12,
    enlarged=0,
    columns=1 << 9,
    knots=1 << 14,
    edges=1 << 11,
)
"""What each batch gets. A picture of the recorded clips has at most 43 candidates."""


class Rooms:
    """The room of the next batch, for batches of one size."""

    def __init__(self) -> None:
        self._before = self._lately = LEAST
        self._batches = 0

    @property
    def next(self) -> Room:
        """What the next batch gets."""
        return self._before.larger(self._lately)

    def took(self, needed: Room) -> None:
        """A batch is done, and this is what it needed."""
        self._lately = self._lately.larger(needed.in_powers())
        self._batches += 1
        if self._batches % MEMORY == 0:
            self._before, self._lately = self._lately, LEAST
