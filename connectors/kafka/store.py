"""State that outlives processes: a compacted topic, one record a key.

Before a value is given, what was written since is read, so a camera's next watcher sees what the
one before it left, however partitions moved.
"""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import TopicPartition

from connectors.kafka.outbox import KafkaOutbox, PartitionOf
from connectors.kafka.reading import Reader
from stream.ports import Record

TOPIC = "watch-state"


class KafkaStore:
    """See `stream.ports.Store`. ``name`` is Kafka's name of the topic."""

    def __init__(
        self, outbox: KafkaOutbox, reader: Reader, name: str, partition_of: PartitionOf
    ) -> None:
        self._outbox = outbox
        self._reader = reader
        self._name = name
        self._partition_of = partition_of
        self._values: dict[str, bytes] = {}
        self._read: dict[TopicPartition, int] = {}
        self._reading = asyncio.Lock()

    async def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """As `stream.ports.Store.get`."""
        async with self._reading:
            ends = await self._reader.ends({self._partition(key) for key in keys})
            for partition, end in ends.items():
                await self._catch_up(partition, end)
        return {key: self._values[key] for key in keys if key in self._values}

    async def put(self, values: Mapping[str, bytes]) -> None:
        """As `stream.ports.Store.put`: on return all are acknowledged."""
        records = (Record(key, value) for key, value in values.items())
        offsets = await asyncio.gather(
            *(self._outbox.write_through(TOPIC, record) for record in records)
        )
        self._values |= values
        for key, offset in zip(values, offsets, strict=True):
            partition = self._partition(key)
            if self._read.get(partition) == offset:  # nobody else wrote: no need to read it again
                self._read[partition] = offset + 1

    def _partition(self, key: str) -> TopicPartition:
        return TopicPartition(self._name, self._partition_of(TOPIC, key))

    async def _catch_up(self, partition: TopicPartition, end: int) -> None:
        start = self._read.get(partition)
        if start is None:
            start = await self._reader.beginning(partition)
        async for records in self._reader.between(partition, start, end):
            for each in records:
                self._values[(each.key or b"").decode()] = each.value or b""
        self._read[partition] = end
