"""Places in partitions that are read from and moved at will, by a few consumers that are kept."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from connectors.kafka.seeking import open_consumer
from stream.errors import ConnectError

MOST_AT_ONCE = 6
"""Consumers of one topic: so many asks are answered at once."""
ANSWER_S = 10.0
"""Brokers that take longer to answer count as away."""
WAIT_MS = 20
"""How long a broker may hold a fetch at the end of a partition: whoever comes next waits for it."""
LOOK_MS = 200
MOST_RECORDS = 64
"""How many records are taken at a time, after fewer: who searches mostly needs one."""

Found: TypeAlias = ConsumerRecord[Any, Any]
_T = TypeVar("_T")


class Cursor:
    """One partition, read from wherever one likes. Raises `ConnectError` while brokers are away."""

    def __init__(self, consumer: Any, partition: TopicPartition) -> None:
        self._consumer = consumer
        self._partition = partition

    async def bounds(self) -> range:
        """The offsets that are there now."""
        asked = [self._partition]
        begins, ends = await _answer(
            asyncio.gather(
                self._consumer.beginning_offsets(asked), self._consumer.end_offsets(asked)
            )
        )
        return range(begins[self._partition], ends[self._partition])

    async def between(self, start: int, end: int) -> AsyncIterator[Found]:
        """The records from ``start`` up to, not including, ``end``, in order."""
        if start >= end:
            return
        self._consumer.seek(self._partition, start)
        most = 1
        while (left := end - await _answer(self._consumer.position(self._partition))) > 0:
            for each in await _answer(self._some(end, min(most, left))):
                if each.offset < end:
                    yield each
            most = min(2 * most, MOST_RECORDS)

    async def following(self, start: int, wait_s: float) -> AsyncIterator[Found]:
        """The records from ``start`` on, and those that come within ``wait_s`` from now."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        self._consumer.seek(self._partition, start)
        while (left_s := until - loop.time()) > 0:
            for each in await _answer(self._fetched(round(1e3 * left_s), MOST_RECORDS)):
                yield each

    async def _some(self, end: int, most: int) -> list[Found]:
        while not (found := await self._fetched(LOOK_MS, most)):
            if await self._consumer.position(self._partition) >= end:
                break
        return found

    async def _fetched(self, wait_ms: int, most: int) -> list[Found]:
        # As long as some of what came is left, aiokafka asks for no more.
        found = await self._consumer.getmany(self._partition, timeout_ms=wait_ms, max_records=most)
        return list(found.get(self._partition, ()))


class Cursors:
    """Opens a consumer when there is none to spare, for the topic that it stays with."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._opened = AsyncExitStack()
        self._spare: dict[str, list[Any]] = defaultdict(list)
        self._room: dict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(MOST_AT_ONCE)
        )

    @asynccontextmanager
    async def at(self, partition: TopicPartition) -> AsyncIterator[Cursor]:
        """A cursor of ``partition`` that is nobody else's meanwhile."""
        async with self._room[partition.topic]:
            spare = self._spare[partition.topic]
            consumer = spare.pop() if spare else await self._open()
            try:
                consumer.assign([partition])
                yield Cursor(consumer, partition)
            finally:
                consumer.pause(partition)  # else it would go on asking for what comes
                spare.append(consumer)

    async def aclose(self) -> None:
        """Disconnect."""
        await self._opened.aclose()

    async def _open(self) -> Any:
        opening = open_consumer(self._options, fetch_max_wait_ms=WAIT_MS)
        return await self._opened.enter_async_context(opening)


async def _answer(asking: Awaitable[_T]) -> _T:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await asking
    except TimeoutError:
        raise ConnectError(f"kafka: no broker answered within {ANSWER_S:g} s") from None
    except KafkaError as error:
        raise ConnectError(f"kafka: {error}") from error
