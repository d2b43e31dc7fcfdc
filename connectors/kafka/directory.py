"""What the topic ``cameras`` says, followed as long as somebody needs it.

One record a camera, at a partition of its own choice: that of a hash, so that it never moves. Where
the records of the camera itself go is what the record says.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.idling import rest_while_idle
from connectors.kafka.patience import AGAIN_S
from connectors.kafka.records import record_of
from connectors.kafka.seeking import offsets, open_consumer
from stream.context import about
from stream.errors import RecordError, UnsupportedVersionError
from stream.ports import Record
from stream.registry import decode
from stream.specs import CameraSpec

TOPIC = "cameras"
LOOK_MS = 1000
QUIET_S = 10.0
"""How seldom it is said again that brokers do not tell."""

_log = logging.getLogger(__name__)


class Directory:
    """All cameras, and where their records go.

    A camera that was removed keeps its place for what is still on its way.
    """

    def __init__(self) -> None:
        self.cameras: Mapping[str, CameraSpec] = {}
        self.turned = asyncio.Event()
        """Set when something has changed, for the one who clears it."""
        self._since: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._kept: Collection[str] = ()
        self._followers = 0
        self._opening = asyncio.Lock()
        self._opened = AsyncExitStack()

    def place(self, camera: str) -> int | None:
        """The partition of a camera's records; None for one that was never heard of."""
        return self._places.get(camera)

    def since(self, camera: str) -> int:
        """Epochs up to this one were of a camera's specification before the present one."""
        return self._since.get(camera, 0)

    @property
    def load(self) -> Mapping[int, int]:
        """How many cameras each partition has."""
        places = (each.partition for each in self.cameras.values())
        return Counter(each for each in places if each is not None)

    def keep(self, running: Collection[str]) -> None:
        """Leave these where they are until others are kept: they have records under way."""
        before, self._kept = self._kept, frozenset(running)
        for name, camera in self.cameras.items():
            if name not in before and camera.partition is not None:
                self._places[name] = camera.partition

    def hear(self, records: Iterable[Record]) -> None:
        """Take over what records of the topic say. One that cannot be read changes nothing.

        Who holds `cameras` keeps what it was: they are copied, once for all ``records``.
        """
        cameras = dict(self.cameras)
        for record in records:
            try:
                entry = decode(record)
            except (RecordError, UnsupportedVersionError) as error:
                with about(camera=record.key):
                    _log.error("cameras: %s: %s; it stays as it was", record.key, error)
                continue
            if entry.camera is not None:
                cameras[record.key] = entry.camera
            else:
                cameras.pop(record.key, None)
            self._since[record.key] = entry.since
            if record.key not in self._kept:
                self._places[record.key] = entry.partition
            self.turned.set()
        self.cameras = cameras

    @asynccontextmanager
    async def followed(
        self, name: str, partitions: int, options: Mapping[str, Any]
    ) -> AsyncIterator[None]:
        """Within, it is as the topic ``name`` is, however many ask for it."""
        async with self._opening:
            if not self._followers:
                self.cameras = {}  # a tombstone may be gone when the topic is read again
                following = _following(self, name, partitions, options)
                await self._opened.enter_async_context(following)
            self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1
            async with self._opening:
                if not self._followers:
                    await self._opened.aclose()


@asynccontextmanager
async def _following(
    directory: Directory, name: str, partitions: int, options: Mapping[str, Any]
) -> AsyncIterator[None]:
    """Once it is entered, all that the topic held then was heard."""
    async with open_consumer(options) as consumer:
        rest_while_idle(consumer)
        wanted = [TopicPartition(name, number) for number in range(partitions)]
        consumer.assign(wanted)
        ends = await offsets(consumer, lambda: consumer.end_offsets(wanted))
        while any([await consumer.position(at) < end for at, end in ends.items()]):
            await _hear(consumer, directory)
        following = asyncio.create_task(_go_on(consumer, directory), name="cameras")
        try:
            yield
        finally:
            following.cancel()
            await asyncio.wait({following})


async def _go_on(consumer: Any, directory: Directory) -> None:
    loop, quiet_until = asyncio.get_running_loop(), 0.0
    while True:
        try:
            await _hear(consumer, directory)
        except KafkaError as error:
            if loop.time() >= quiet_until:
                _log.error("cameras: %s; they stay as they were", error)
                quiet_until = loop.time() + QUIET_S
            await asyncio.sleep(AGAIN_S)


async def _hear(consumer: Any, directory: Directory) -> None:
    found = await consumer.getmany(timeout_ms=LOOK_MS)
    if found:
        directory.hear(record_of(each) for records in found.values() for each in records)
