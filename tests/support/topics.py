"""Reading and filling topics in tests."""

import asyncio
from collections.abc import Iterable, Sequence

from connectors.memory import MemoryTransport
from stream import codec
from stream.codec import Message
from stream.errors import EndOfStream
from stream.ports import Delivery, Outbox, Record, Transport
from stream.types import CameraStatus, Frame

PATIENCE_S = 60.0
"""Longer than anything takes: who waits for so long waits for what will not come."""


def roomy() -> MemoryTransport:
    """Holds all that a test writes before it reads."""
    return MemoryTransport(capacity=10_000)


async def everything(transport: Transport, topic: str, group: str = "test") -> list[Delivery]:
    """All deliveries of a topic until its end, committed."""
    found: list[Delivery] = []
    async with transport.inbox(topic, group) as inbox:
        while True:
            try:
                batch = await inbox.receive(100, PATIENCE_S)
            except EndOfStream:
                return found
            assert batch, f"{topic} neither ended nor went on for {PATIENCE_S} s"
            await inbox.commit(batch)
            found += batch


async def messages(transport: Transport, topic: str, group: str = "test") -> list[Message]:
    """All messages of a topic of JSON until its end."""
    return [codec.decode(each.record) for each in await everything(transport, topic, group)]


async def content(transport: Transport, topic: str) -> list[Frame | Message]:
    """All frames and control messages of a topic of frames until its end."""
    return [read(each.record) for each in await everything(transport, topic)]


async def states(transport: Transport, camera: str) -> list[tuple[str, str]]:
    """(state, reason) of a camera, as they were told, until the end of ``camera-status``."""
    found = await messages(transport, "camera-status")
    return [
        (each.state, each.reason)
        for each in found
        if isinstance(each, CameraStatus) and each.camera == camera
    ]


def read(record: Record) -> Frame | Message:
    """The frame or message in a record."""
    is_frame = codec.kind_of(record) == "frame"
    return codec.decode_frame(record) if is_frame else codec.decode(record)


async def fill(
    outbox: Outbox, topic: str, records: Iterable[Record | Frame | Message]
) -> Sequence[Record]:
    """Send records, frames and messages, and have them acknowledged."""
    sent = [_record(each) for each in records]
    for record in sent:
        await outbox.send(topic, record)
    await outbox.flush()
    return sent


def _record(value: Record | Frame | Message) -> Record:
    if isinstance(value, Record):
        return value
    return codec.encode_frame(value) if isinstance(value, Frame) else codec.encode(value)


async def settle(turns: int = 20) -> None:
    """Let everything that can go on do so: each turn runs all that is ready."""
    for _ in range(turns):
        await asyncio.sleep(0)
