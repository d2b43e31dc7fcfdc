"""Kafka's records as ours."""

from typing import Any

from aiokafka.structs import ConsumerRecord

from stream.ports import Record


def record_of(found: ConsumerRecord[Any, Any]) -> Record:
    """What a Kafka record holds."""
    key = (found.key or b"").decode(errors="replace")
    return Record(key, found.value or b"", dict(found.headers))
