"""Somebody who only looks, as a `stream.ports.Inbox`: of no group, so that nobody notices."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.patience import patiently
from connectors.kafka.records import record_of
from connectors.kafka.refusals import failed
from stream.ports import Delivery

FAR = 512
"""Records of a partition: who is so far behind does not keep up, and would see only the past."""


class Onlooker:
    """What comes on a topic from `start` on. It never ends: whoever looks is cancelled.

    Of ``pictures`` it passes over what it has no time for.
    """

    def __init__(
        self, topic: str, consumer: Any, options: Mapping[str, Any], *, pictures: bool
    ) -> None:
        self._topic = topic
        self._options = options
        self._consumer = consumer
        self._skips = pictures

    async def start(self, partitions: Sequence[TopicPartition]) -> None:
        """From now on."""
        self._consumer.assign(partitions)
        await patiently(lambda: self._consumer.seek_to_end(*partitions))

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        """As `stream.ports.Inbox.receive`; brokers that are away are waited for."""
        try:
            found = await self._consumer.getmany(
                timeout_ms=round(timeout_s * 1e3), max_records=limit
            )
            await self._catch_up(found)
        except KafkaError as error:
            raise failed(self._options, error, self._topic) from error
        return [
            Delivery(
                self._topic, record_of(each), at, f"{self._topic}/{at.partition}@{each.offset}"
            )
            for at, records in found.items()
            for each in records
        ]

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        """Nobody counts on it."""

    async def _catch_up(self, found: Collection[TopicPartition]) -> None:
        for partition in found if self._skips else ():
            end = self._consumer.highwater(partition)
            if end is not None and end - await self._consumer.position(partition) > FAR:
                self._consumer.seek(partition, end)
