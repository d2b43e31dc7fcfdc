"""Reading topics without a group: as they are now, from one offset to another."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from heapq import heapify, heappop, heapreplace
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from connectors.kafka.idling import BUSY_WAIT_MS
from connectors.kafka.records import record_of
from connectors.kafka.seeking import offsets, open_consumer
from stream.ports import Record

FOUND_MS = 1000
"""How long one fetch may wait; what is asked for is there, so only a slow broker takes longer."""
FIRST_WINDOW = 512
"""Records that are looked through first for a camera's last; then twice as many, and so on."""

_T = TypeVar("_T")
Records = list[ConsumerRecord[Any, Any]]
Extent = tuple[int, int]
"""The first offset, and the one after the last."""


class Reader:
    """Reads what lies in partitions; waits while brokers are away. Names are Kafka's own."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer: Any = consumer
        self._turn = asyncio.Lock()  # the consumer has one position

    async def beginning(self, partition: TopicPartition) -> int:
        """The first offset that is there."""
        return (await self.beginnings([partition]))[partition]

    async def beginnings(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """The first offset that is there of each, asked for at once."""
        found: Mapping[TopicPartition, int] = await offsets(
            self._consumer, lambda: self._consumer.beginning_offsets(list(partitions))
        )
        return found

    async def end(self, partition: TopicPartition) -> int:
        """The offset after the last."""
        return (await self.ends([partition]))[partition]

    async def ends(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset after the last of each, asked for at once."""
        found: Mapping[TopicPartition, int] = await offsets(
            self._consumer, lambda: self._consumer.end_offsets(list(partitions))
        )
        return found

    async def first_since(self, partition: TopicPartition, since_us: int) -> int:
        """The first offset that was written at ``since_us`` or later; the end, if none was."""
        wanted = {partition: since_us // 1000}
        found = (await offsets(self._consumer, lambda: self._consumer.offsets_for_times(wanted)))[
            partition
        ]
        return await self.end(partition) if found is None else int(found.offset)

    async def between(
        self, partition: TopicPartition, start: int, end: int
    ) -> AsyncIterator[Records]:
        """The records from ``start`` up to, not including, ``end``, in order, some at a time."""
        async with self._at({partition: (start, end)}):
            async for records in self._upto(partition, end):
                yield records

    async def merged(
        self, extents: Mapping[TopicPartition, Extent]
    ) -> AsyncIterator[ConsumerRecord[Any, Any]]:
        """The records of several partitions, the first written first; each in its own order."""
        async with self._at(extents):
            streams = [self._each(partition, end) for partition, (_, end) in extents.items()]
            firsts = [await anext(stream, None) for stream in streams]
            heads = [(first.timestamp, i, first) for i, first in enumerate(firsts) if first]
            heapify(heads)
            while heads:
                _, i, record = heads[0]
                yield record
                if (after := await anext(streams[i], None)) is None:
                    heappop(heads)
                else:
                    heapreplace(heads, (after.timestamp, i, after))

    @asynccontextmanager
    async def _at(self, extents: Mapping[TopicPartition, Extent]) -> AsyncIterator[None]:
        """Have the consumer at the beginning of each, until others may have it elsewhere."""
        async with self._turn:
            self._consumer.assign(list(extents))
            for partition, (start, _) in extents.items():
                self._consumer.seek(partition, start)
            yield

    async def _each(
        self, partition: TopicPartition, end: int
    ) -> AsyncIterator[ConsumerRecord[Any, Any]]:
        async for records in self._upto(partition, end):
            for record in records:
                yield record

    async def _upto(self, partition: TopicPartition, end: int) -> AsyncIterator[Records]:
        # Compacted records leave holes, so the position says how far we are, not what came.
        while await self._consumer.position(partition) < end:
            found = await self._consumer.getmany(partition, timeout_ms=FOUND_MS)
            records = [each for each in found.get(partition, ()) if each.offset < end]
            if records:
                yield records

    async def last_of(
        self, partition: TopicPartition, key: str, read: Callable[[Record], _T | None]
    ) -> _T | None:
        """What ``read`` makes of the last record of ``key`` that it makes something of."""
        begin, end = await self.beginning(partition), await self.end(partition)
        window = FIRST_WINDOW
        while end > begin:
            start = max(begin, end - window)
            last = None
            async for records in self.between(partition, start, end):
                own = (read(record) for record in map(record_of, records) if record.key == key)
                last = next((each for each in reversed(list(own)) if each is not None), last)
            if last is not None:
                return last
            end, window = start, 2 * window
        return None


@asynccontextmanager
async def open_reader(options: Mapping[str, Any]) -> AsyncIterator[Reader]:
    """Connect. Raises as `connectors.kafka.seeking.open_consumer` does."""
    async with open_consumer(options, fetch_max_wait_ms=BUSY_WAIT_MS) as consumer:
        yield Reader(consumer)


async def whole(
    reader: Reader, partitions: Iterable[TopicPartition], since_us: int | None
) -> AsyncIterator[ConsumerRecord[Any, Any]]:
    """All of these as they are now, the first written first."""
    extents = await _extents(reader, partitions, since_us)
    async for record in reader.merged(extents):
        yield record


async def count(reader: Reader, partitions: Iterable[TopicPartition], since_us: int | None) -> int:
    """How many records `whole` gives; fewer where some were compacted."""
    extents = await _extents(reader, partitions, since_us)
    return sum(end - start for start, end in extents.values())


async def _extents(
    reader: Reader, partitions: Iterable[TopicPartition], since_us: int | None
) -> Mapping[TopicPartition, Extent]:
    """Where something is."""
    found = {}
    for each in partitions:
        end = await reader.end(each)
        if since_us is None:
            start = await reader.beginning(each)
        else:
            start = await reader.first_since(each, since_us)
        if start < end:
            found[each] = start, end
    return found
