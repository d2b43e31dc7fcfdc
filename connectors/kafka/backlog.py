"""Back-pressure for files: Kafka itself gives none.

A camera of ``frames-archive`` waits while too many of its frames lie beyond what ``segment`` has
committed. Live frames never wait here.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping

TOPIC = "frames-archive"
MOST_FRAMES = 512
"""Frames of one file that may lie ahead of ``segment``."""
LOOK_S = 0.2
"""How often the reader's progress is asked for while a writer waits."""

Committed = Callable[[], Awaitable[Mapping[int, int]]]
"""Tells the next offset that ``segment`` needs, by partition."""
Left = Callable[[str], Awaitable[Iterable[tuple[int, int]]]]
"""Tells partition and offset of each record of a camera that ``segment`` has not committed."""


class Backlog:
    """Counts what was handed over and is not yet committed by the reader, by camera."""

    def __init__(self, committed: Committed, left: Left) -> None:
        self._committed = committed
        self._left = left
        self._handed: Counter[str] = Counter()
        self._ahead: dict[str, deque[tuple[int, int]]] = {}
        self._looking = asyncio.Lock()

    def handed(self, topic: str, camera: str) -> None:
        """A record is on its way to the brokers."""
        if topic == TOPIC:
            self._handed[camera] += 1

    def sent(self, topic: str, camera: str, partition: int, offset: int) -> None:
        """A record was acknowledged."""
        if topic == TOPIC:
            self._handed[camera] -= 1
            self._ahead[camera].append((partition, offset))

    async def wait(self, topic: str, camera: str) -> None:
        """Return when the camera may write another record."""
        if topic != TOPIC:
            return
        if camera not in self._ahead:
            self._ahead[camera] = deque(await self._left(camera))  # of a process before this one
        while self._is_far(camera):
            async with self._looking:
                if self._is_far(camera):
                    await self._look()
            if self._is_far(camera):
                await asyncio.sleep(LOOK_S)

    def _is_far(self, camera: str) -> bool:
        return len(self._ahead[camera]) + self._handed[camera] >= MOST_FRAMES

    async def _look(self) -> None:
        committed = await self._committed()
        for ahead in self._ahead.values():
            while ahead and ahead[0][1] < committed.get(ahead[0][0], 0):
                ahead.popleft()
