"""Records with something changed that our own encoder would not write."""

import json
from typing import Any

from stream import codec
from stream.codec import Message
from stream.ports import Record
from tests.support import build

SEEN = build.result(3, "hall", build.instance())


def changed(record: Record, **headers: bytes) -> Record:
    """``record`` with headers replaced; ``content_type`` stands for ``content-type``."""
    named = {name.replace("content_type", "content-type"): each for name, each in headers.items()}
    return Record(record.key, record.value, {**record.headers, **named})


def edited(message: Message, **fields: Any) -> Record:
    """The record of ``message`` with fields of its JSON replaced, past our own encoder."""
    record = codec.encode(message)
    body = {**json.loads(bytes(record.value)), **fields}
    return Record(record.key, json.dumps(body).encode(), record.headers)
