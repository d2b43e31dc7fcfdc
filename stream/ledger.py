"""What was received and is not yet committed: pure.

Frames are answered out of order, because batches overlap. The ledger puts the answers back into
each camera's order, and says how far the input may be committed: up to the first record whose
answer is not yet written and acknowledged. It is the one place that decides either.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from stream.ports import Delivery, Record
from stream.types import Gap

Answer = Sequence[tuple[str, Record | Gap]]
"""What a record came to: what to write, each with its topic. Gaps may still grow into ranges."""


@dataclass(eq=False, slots=True)
class Entry:
    """One record that was received."""

    delivery: Delivery
    answer: Answer | None = None
    written: bool = field(default=False)


class Ledger:
    """The open entries of one inbox."""

    def __init__(self) -> None:
        self._received: deque[Entry] = deque()
        self._by_camera: dict[str, deque[Entry]] = {}

    def __len__(self) -> int:
        return len(self._received)

    def receive(self, delivery: Delivery) -> Entry:
        """Enter a record, in the order of receipt."""
        entry = Entry(delivery)
        self._received.append(entry)
        self._by_camera.setdefault(delivery.record.key, deque()).append(entry)
        return entry

    def release(self, camera: str) -> list[Entry]:
        """The answered entries of a camera that nothing earlier of it still waits for."""
        entries = self._by_camera.get(camera, deque())
        released = []
        while entries and entries[0].answer is not None:
            released.append(entries.popleft())
        if not entries:
            self._by_camera.pop(camera, None)
        return released

    def committable(self) -> list[Delivery]:
        """The longest run of written entries from the oldest on."""
        return [each.delivery for each in takewhile(lambda each: each.written, self._received)]

    def committed(self, deliveries: Sequence[Delivery]) -> None:
        """Drop what was `committable`, now that it is committed."""
        for _ in deliveries:
            self._received.popleft()
