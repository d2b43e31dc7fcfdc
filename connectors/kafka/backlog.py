"""Back-pressure for files: Kafka itself gives none.

A camera of ``frames-archive`` waits while too many of its frames lie beyond what ``segment`` has
committed. Live frames never wait here.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping

TOPIC = "frames-archive"
MOST_FRAMES = 512
"""Frames of one file that may lie ahead of ``segment``."""
LOOK_S = 0.2
"""How often the reader's progress is asked for while a writer waits."""

Committed = Callable[[], Awaitable[Mapping[int, int]]]
"""Tells the next offset that ``segment`` needs, by partition."""


class Backlog:
    """Counts what was acknowledged and is not yet committed by the reader, by camera."""

    def __init__(self, committed: Committed) -> None:
        self._committed = committed
        self._ahead: defaultdict[str, deque[tuple[int, int]]] = defaultdict(deque)
        self._looking = asyncio.Lock()

    def sent(self, topic: str, camera: str, partition: int, offset: int) -> None:
        """A record was acknowledged."""
        if topic == TOPIC:
            self._ahead[camera].append((partition, offset))

    async def wait(self, topic: str, camera: str) -> None:
        """Return when the camera may write another record."""
        while topic == TOPIC and len(self._ahead[camera]) >= MOST_FRAMES:
            async with self._looking:
                if len(self._ahead[camera]) >= MOST_FRAMES:
                    await self._look()
            if len(self._ahead[camera]) >= MOST_FRAMES:
                await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        committed = await self._committed()
        for ahead in self._ahead.values():
            while ahead and ahead[0][1] < committed.get(ahead[0][0], 0):
                ahead.popleft()
