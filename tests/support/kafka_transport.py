"""``kafka://`` in tests: fresh topics for each."""

from uuid import uuid4

from connectors.kafka import KafkaTransport
from stream.config import Settings

PARTITIONS = 2


def kafka_settings(bootstrap: str, replication: int = 1) -> Settings:
    """Settings with a prefix of their own."""
    document = {
        "transport": f"kafka://{bootstrap}",
        "model": {"weights": "yolo"},
        "cameras": [{"id": "hall", "url": "hall.mp4", "mode": "archive"}],
        "kafka": {
            "prefix": f"{uuid4().hex[:8]}.",
            "partitions": PARTITIONS,
            "replication": replication,
        },
    }
    return Settings.model_validate(document)


async def fresh_transport(bootstrap: str) -> KafkaTransport:
    """A transport with empty topics."""
    transport = KafkaTransport(kafka_settings(bootstrap))
    await transport.apply()
    return transport
