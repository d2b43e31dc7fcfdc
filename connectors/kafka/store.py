"""State that outlives processes: a compacted topic, one record a key.

Before a value is given, what was written since is read, so a camera's next watcher sees what the
one before it left, however partitions moved. A watcher that was frozen while another took its
cameras over writes once more when it thaws, behind what the other wrote: whoever reads passes over
a version that is lower than the one before it.
"""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import TopicPartition

from connectors.kafka.outbox import KafkaOutbox, PartitionOf
from connectors.kafka.reading import Reader
from connectors.kafka.records import record_of
from stream.ports import Record, State

TOPIC = "watch-state"
VERSION = "version"
"""Header with the version, its numbers parted by dots."""


class KafkaStore:
    """See `stream.ports.Store`. ``name`` is Kafka's name of the topic."""

    def __init__(
        self, outbox: KafkaOutbox, reader: Reader, name: str, partition_of: PartitionOf
    ) -> None:
        self._outbox = outbox
        self._reader = reader
        self._name = name
        self._partition_of = partition_of
        self._states: dict[str, State] = {}
        self._read: dict[TopicPartition, int] = {}
        self._reading = asyncio.Lock()

    async def get(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """As `stream.ports.Store.get`."""
        async with self._reading:
            ends = await self._reader.ends({self._partition(key) for key in keys})
            for partition, end in ends.items():
                await self._catch_up(partition, end)
        return {key: self._states[key].value for key in keys if key in self._states}

    async def put(self, states: Mapping[str, State]) -> None:
        """As `stream.ports.Store.put`: on return all are acknowledged."""
        offsets = await asyncio.gather(
            *(
                self._outbox.write_through(TOPIC, _record(key, state))
                for key, state in states.items()
            )
        )
        for (key, state), offset in zip(states.items(), offsets, strict=True):
            self._keep(key, state)
            partition = self._partition(key)
            if self._read.get(partition) == offset:  # nobody else wrote: no need to read it again
                self._read[partition] = offset + 1

    def _keep(self, key: str, state: State) -> None:
        if key not in self._states or state.version >= self._states[key].version:
            self._states[key] = state

    def _partition(self, key: str) -> TopicPartition:
        return TopicPartition(self._name, self._partition_of(TOPIC, key))

    async def _catch_up(self, partition: TopicPartition, end: int) -> None:
        start = self._read.get(partition)
        if start is None:
            start = await self._reader.beginning(partition)
        async for records in self._reader.between(partition, start, end):
            for record in map(record_of, records):
                self._keep(record.key, State(bytes(record.value), _version(record)))
        self._read[partition] = end


def _record(key: str, state: State) -> Record:
    return Record(key, state.value, {VERSION: ".".join(map(str, state.version)).encode()})


def _version(record: Record) -> tuple[int, ...]:
    written = record.headers.get(VERSION, b"")
    return tuple(map(int, written.split(b"."))) if written else ()
