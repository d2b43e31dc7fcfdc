"""How far a process is with what it reads, asked of the brokers.

Its own clients are not asked: one of them may be what is stuck, and the end of a topic that they
know is that of their last fetch.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from connectors.kafka.admin import Admin, open_admin
from connectors.kafka.reading import Reader, open_reader
from connectors.kafka.topics import copies_of_a_write
from stream.kafka_spec import KafkaSpec
from stream.ports import Share

ANSWER_S = 10.0
"""Brokers that take longer to answer count as away."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a member of a group has of a topic."""

    topic: str
    group: str
    partitions: Collection[TopicPartition]


class Gauge:
    """Asks again and again."""

    def __init__(
        self, admin: Admin, reader: Reader, spec: KafkaSpec, written: Collection[str]
    ) -> None:
        self._admin = admin
        self._reader = reader
        self._written = written
        self._copies = copies_of_a_write(spec)
        self._committed: Mapping[str, int] = {}

    async def shares(self, readings: Iterable[Reading]) -> Mapping[str, Share]:
        """By topic; nothing while brokers do not answer, or could not take what is written."""
        readings = list(readings)
        try:
            async with asyncio.timeout(ANSWER_S):
                shares = {each.topic: await self._share(each) for each in readings}
                # What goes on proves by itself that brokers take what is written.
                if self._stands(shares) and not await self._can_go_on(readings):
                    return {}
        except TimeoutError:
            return {}
        self._committed = {topic: each.committed for topic, each in shares.items()}
        return shares

    async def _can_go_on(self, readings: Iterable[Reading]) -> bool:
        read = (partition.topic for each in readings for partition in each.partitions)
        return await self._admin.can_write({*self._written, *read}, self._copies)

    def _stands(self, shares: Mapping[str, Share]) -> bool:
        return any(
            each.lag and each.committed == self._committed.get(topic)
            for topic, each in shares.items()
        )

    async def _share(self, reading: Reading) -> Share:
        if not reading.partitions:
            return Share(0, 0)
        name = next(iter(reading.partitions)).topic
        committed = await self._admin.committed(reading.group, name)
        begins = await self._reader.beginnings(reading.partitions)
        ends = await self._reader.ends(reading.partitions)
        own = {each: committed.get(each.partition, 0) for each in reading.partitions}
        # What is gone, as its retention was over, waits for nobody.
        lags = {
            str(each.partition): max(0, ends[each] - max(at, begins[each]))
            for each, at in own.items()
        }
        return Share(sum(own.values()), sum(lags.values()), lags)


@asynccontextmanager
async def open_gauge(
    options: Mapping[str, Any], spec: KafkaSpec, written: Collection[str]
) -> AsyncIterator[Gauge]:
    """Connect; the process writes the topics ``written``, by Kafka's names.

    Raises `ConnectError` when no broker answers, or they refuse meanwhile, and `ForbiddenError`
    where we may not ask.
    """
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(open_admin(options))
        reader = await stack.enter_async_context(open_reader(options))
        yield Gauge(admin, reader, spec, written)
