"""Kafka's records as ours."""

from typing import Any

from stream.ports import Record


def record_of(found: Any) -> Record:
    """What a record of aiokafka or of Faust holds; a header that is null is one that is missing."""
    key = (found.key or b"").decode(errors="replace")
    headers = {name: value for name, value in dict(found.headers).items() if value is not None}
    return Record(key, found.value or b"", headers)
