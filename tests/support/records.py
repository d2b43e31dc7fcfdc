"""Records that are numbers, for tests of transports."""

import asyncio
from collections.abc import Sequence

from stream.ports import Delivery, Inbox, Record, Transport
from tests.support.topics import PATIENCE_S

TOPIC = "frames-archive"


def record(number: int, key: str = "hall", size_bytes: int = 0) -> Record:
    return Record(key, b"%d" % number + bytes(size_bytes))


def numbers(deliveries: Sequence[Delivery]) -> list[int]:
    return [int(bytes(each.record.value).rstrip(b"\0")) for each in deliveries]


async def write(transport: Transport, count: int, topic: str = TOPIC) -> None:
    async with transport.outbox(topic) as outbox:
        for number in range(count):
            await outbox.send(topic, record(number))
        await outbox.flush()


async def some(inbox: Inbox, count: int) -> list[Delivery]:
    """Exactly ``count`` deliveries."""
    found: list[Delivery] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            found += await inbox.receive(count - len(found), PATIENCE_S)
    return found
