"""Members that come and go while records come, on a real broker."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from connectors.kafka import KafkaTransport
from stream.ports import Record
from tests.support.kafka_transport import kafka_settings, with_kafka
from tests.support.topics import PATIENCE_S

KEYS = [f"camera-{number}" for number in range(40)]
ROUNDS = 6
PAUSE_S = 0.04
"""Between a record of each key and the next: no more is written than two members read."""


class Seen:
    """What members were given: the numbers of each key's records."""

    def __init__(self) -> None:
        self.numbers: dict[str, list[int]] = defaultdict(list)
        self._changed = asyncio.Condition()

    async def work(self, transport: KafkaTransport) -> None:
        """Be a member for ever."""
        async with transport.inbox("frames", "segment") as inbox:
            while True:
                deliveries = await inbox.receive(16, 0.2)
                async with self._changed:
                    for each in deliveries:
                        self.numbers[each.record.key].append(int(each.record.value))
                    self._changed.notify_all()
                await asyncio.sleep(0.002)
                await inbox.commit(deliveries)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(condition)

    def total(self) -> int:
        return sum(map(len, self.numbers.values()))


@asynccontextmanager
async def member(transport: KafkaTransport, seen: Seen) -> AsyncIterator[None]:
    working = asyncio.create_task(seen.work(transport))
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def write(transport: KafkaTransport, stop: asyncio.Event) -> int:
    """A record for each key, again and again; how many it was."""
    number = 0
    async with transport.outbox("frames") as outbox:
        while not stop.is_set():
            for key in KEYS:
                await outbox.send("frames", Record(key, b"%d" % number, {}))
            await outbox.flush()
            number += 1
            await asyncio.sleep(PAUSE_S)
    return number


@pytest.mark.slow
async def test_partitions_that_stay_lose_nothing_while_others_move(kafka: str) -> None:
    """tests/unit/test_kafka_inbox.py has the moments that are hard to meet."""
    transport = with_kafka(kafka_settings(kafka), partitions=24)
    await transport.apply()
    stays, comes, enough = Seen(), Seen(), asyncio.Event()
    async with member(transport, stays):
        writing = asyncio.create_task(write(transport, enough))
        for _ in range(ROUNDS):
            wanted = comes.total() + 50
            async with member(transport, comes):
                await comes.until(lambda wanted=wanted: comes.total() >= wanted)  # type: ignore[misc]
        enough.set()
        numbers = {*range(await writing)}
        await stays.until(
            lambda: all({*stays.numbers[key], *comes.numbers[key]} == numbers for key in KEYS)
        )
