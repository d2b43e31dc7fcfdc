"""Consumers of no group: they read what they are told to, and nobody else notices."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError

from connectors.kafka.client import FETCH_BYTES
from connectors.kafka.greeting import greet, unreachable
from connectors.kafka.patience import leave, patiently

_T = TypeVar("_T")


async def offsets(consumer: Any, ask: Callable[[], Awaitable[_T]]) -> _T:
    """What ``ask`` is told by ``consumer``. Waits while brokers are away, but not for a topic that
    we may not see: aiokafka would look for it again and again.
    """

    async def told() -> _T:
        try:
            return await ask()
        except KafkaTimeoutError:
            if refused := consumer._client.cluster.unauthorized_topics:
                raise TopicAuthorizationFailedError(", ".join(sorted(refused))) from None
            raise

    return await patiently(told)


@asynccontextmanager
async def open_consumer(options: Mapping[str, Any], **more: Any) -> AsyncIterator[Any]:
    """Connect one that has no partition yet, and reads from the first record that is there.

    ``more`` are other settings of aiokafka's. Raises `ConnectError` when no broker answers, or one
    fails meanwhile, and `ForbiddenError` where we may not read.
    """
    await greet(options)
    usual = {"auto_offset_reset": "earliest", "max_partition_fetch_bytes": FETCH_BYTES}
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **{**usual, **more}, **options)
    try:
        await consumer.start()
        yield consumer
    except KafkaError as error:
        raise unreachable(options, error) from error
    finally:
        await leave(consumer.stop())
