"""Consumers of no group: they read what they are told to, and nobody else notices."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from connectors.kafka.client import FETCH_BYTES
from connectors.kafka.greeting import greet, unreachable
from connectors.kafka.patience import leave


@asynccontextmanager
async def open_consumer(options: Mapping[str, Any], **more: Any) -> AsyncIterator[Any]:
    """Connect one that has no partition yet, and reads from the first record that is there.

    ``more`` are other settings of aiokafka's. Raises `ConnectError` when no broker answers.
    """
    await greet(options)
    usual = {"auto_offset_reset": "earliest", "max_partition_fetch_bytes": FETCH_BYTES}
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **{**usual, **more}, **options)
    try:
        try:
            await consumer.start()
        except KafkaError as error:
            raise unreachable(options, error) from error
        yield consumer
    finally:
        await leave(consumer.stop())
