"""``kafka://`` in tests: fresh topics for each."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from connectors.clock import SteadyClock
from connectors.kafka import KafkaTransport
from stream.config import Settings
from stream.registry import changes
from stream.specs import CameraSpec

PARTITIONS = 2


def kafka_settings(bootstrap: str, replication: int = 1, **more: Any) -> Settings:
    """Settings with a prefix of their own; ``more`` goes into the section ``kafka``."""
    document = {
        "transport": f"kafka://{bootstrap}",
        "model": {"weights": "yolo"},
        "cameras": [{"id": "hall", "url": "hall.mp4", "mode": "archive"}],
        "kafka": {
            "prefix": f"{uuid4().hex[:8]}.",
            "partitions": PARTITIONS,
            "replication": replication,
            **more,
        },
    }
    return Settings.model_validate(document)


async def fresh_transport(bootstrap: str) -> KafkaTransport:
    """A transport with empty topics."""
    transport = KafkaTransport(kafka_settings(bootstrap))
    await transport.apply()
    return transport


def with_kafka(settings: Settings, **changed: object) -> KafkaTransport:
    """A transport on ``settings`` with a changed ``kafka`` section."""
    spec = settings.kafka.model_copy(update=changed)
    return KafkaTransport(settings.model_copy(update={"kafka": spec}))


async def fresh_with(
    bootstrap: str, *cameras: CameraSpec, partitions: int = PARTITIONS
) -> KafkaTransport:
    """A transport with empty topics, but for cameras in the registry."""
    transport = KafkaTransport(kafka_settings(bootstrap, partitions=partitions))
    await transport.apply()
    await apply(transport, cameras, partitions)
    return transport


async def apply(
    transport: KafkaTransport, cameras: Iterable[CameraSpec], partitions: int = PARTITIONS
) -> None:
    """Make the registry hold exactly these."""
    async with transport.registry() as registry:
        due = changes(registry.cameras, cameras, partitions)
        await transport.register(due, SteadyClock())


async def deleted(settings: Settings, topic: str, before: int) -> None:
    """Of the first partition all before an offset is gone, as when its retention is over."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=settings.transport.removeprefix("kafka://"))
    await admin.start()
    partition = TopicPartition(settings.kafka.prefix + topic, 0)
    await admin.delete_records({partition: RecordsToDelete(before)})
    await admin.close()
