"""A writer, as an `stream.ports.Outbox`."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from connectors.kafka.backlog import Backlog
from connectors.kafka.greeting import greet, unreachable
from connectors.kafka.patience import leave
from connectors.kafka.refusals import failed
from stream.errors import ConnectError
from stream.ports import Record

LINGER_MS = 2
"""How long a batch waits for company: next to nothing of a frame's second."""
BATCH_BYTES = 256 * 1024
"""A few JPEGs share a request."""
MOST_UNACKNOWLEDGED = 1000
"""Records handed over and not yet acknowledged, for bounded memory."""

PartitionOf = Callable[[str, str], int]
"""The partition of a topic's records with a key."""


class KafkaOutbox:
    """Records go to their camera's partition; they are acknowledged when every in-sync copy is."""

    def __init__(
        self, names: Mapping[str, str], partition_of: PartitionOf, backlog: Backlog
    ) -> None:
        self._names = names
        self._partition_of = partition_of
        self._backlog = backlog
        self._producer: Any = None
        self._open: set[asyncio.Future[Any]] = set()
        self._failed: Exception | None = None
        self._options: Mapping[str, Any] = {}

    async def start(self, options: Mapping[str, Any], max_bytes: int) -> None:
        """Connect. Raises `ConnectError` when no broker answers."""
        self._options = options
        await greet(options)
        self._producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,  # retried without end and without changing the order
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=max_bytes,
            **options,
        )
        # aiokafka 0.14 gives up what it holds for a partition that has no leader for as long as a
        # request may take (``drain_by_nodes``), idempotent or not: an outage, to us.
        self._producer._message_accumulator._batch_ttl = math.inf
        try:
            await self._producer.start()
        except KafkaError as error:
            await self._producer.stop()
            raise unreachable(options, error) from error

    async def stop(self) -> None:
        """Disconnect, with everything acknowledged that can be."""
        await leave(self._producer.stop())

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        """As `stream.ports.Outbox.send`. Raises `ConnectError` where records were refused."""
        await self._backlog.wait(topic, record.key)
        while len(self._open) >= MOST_UNACKNOWLEDGED:
            await asyncio.wait(self._open, return_when=asyncio.FIRST_COMPLETED)
        self._raise_failure()
        answer = await self._hand_over(topic, record)
        self._backlog.handed(topic, record.key)
        self._open.add(answer)
        answer.add_done_callback(lambda done: self._acknowledged(topic, record.key, done))
        if acknowledged is not None:
            answer.add_done_callback(lambda done: _is_there(done) and acknowledged())

    async def flush(self) -> None:
        """As `stream.ports.Outbox.flush`. Raises `ConnectError` where records were refused."""
        if self._open:
            await asyncio.wait(self._open)
        self._raise_failure()

    async def write_through(self, topic: str, record: Record) -> int:
        """Send and wait for the acknowledgement; returns the record's offset."""
        try:
            return int((await (await self._hand_over(topic, record))).offset)
        except KafkaError as error:
            raise failed(self._options, error, topic) from error

    async def _hand_over(self, topic: str, record: Record) -> asyncio.Future[Any]:
        while True:
            try:
                answer: asyncio.Future[Any] = await self._producer.send(
                    self._names[topic],
                    bytes(record.value) or None,  # what is empty is a tombstone
                    key=record.key.encode(),
                    partition=self._partition_of(topic, record.key),
                    headers=list(record.headers.items()),
                )
            except KafkaTimeoutError:  # no room while brokers are away: the writer waits
                continue
            except KafkaError as error:
                raise failed(self._options, error, topic) from error
            return answer

    def _acknowledged(self, topic: str, key: str, answer: asyncio.Future[Any]) -> None:
        self._open.discard(answer)
        if answer.cancelled():
            return
        if (error := answer.exception()) is not None:
            self._failed = self._failed or _why(self._options, topic, error)
        else:
            found = answer.result()
            self._backlog.sent(topic, key, found.partition, found.offset)

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed


def _why(options: Mapping[str, Any], topic: str, error: BaseException) -> Exception:
    what = f"{topic}: a record was not acknowledged"
    if isinstance(error, KafkaError):
        return failed(options, error, what)
    return ConnectError(f"kafka: {what}: {error}")


def _is_there(answer: asyncio.Future[Any]) -> bool:
    return not answer.cancelled() and answer.exception() is None
