"""Members that come and go while records come, on a real broker."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from connectors.clock import SteadyClock
from connectors.kafka import KafkaTransport
from stream.camera_counts import CameraCounts
from stream.cli.embedded import beside
from stream.metrics import Metrics
from stream.ports import Record
from stream.registry import Listed
from tests.support.kafka_transport import kafka_settings, with_kafka
from tests.support.topics import PATIENCE_S

KEYS = [f"camera-{number}" for number in range(40)]
CLOCK = SteadyClock()
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


async def test_a_camera_is_counted_where_its_records_come_and_no_longer_where_they_came(
    kafka: str,
) -> None:
    transport = with_kafka(kafka_settings(kafka))
    await transport.apply()
    ones, others = Metrics(), Metrics()
    async with counting(transport, ones) as first:
        for camera in KEYS:
            first.comes(camera, "frames")
            first.result(camera, 1, None)
        assert counted(ones) == set(KEYS)
        async with counting(transport, others) as second:
            await wait_until_true(lambda: 0 < len(counted(ones)) < len(KEYS))
            for camera in set(KEYS) - counted(ones):
                second.comes(camera, "frames")
                second.result(camera, 1, None)
            assert counted(others) == set(KEYS) - counted(ones)
            stayed = next(iter(counted(ones)))
            labels = {"camera": stayed}
            assert ones.registry.get_sample_value("maskstream_results_total", labels) == 1


def counted(metrics: Metrics) -> set[str]:
    """The cameras of which results are told."""
    (family,) = metrics.results.collect()
    return {each.labels["camera"] for each in family.samples}


async def wait_until_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - it is brokers who say when
            await asyncio.sleep(0.05)


@asynccontextmanager
async def counting(transport: KafkaTransport, metrics: Metrics) -> AsyncIterator[CameraCounts]:
    """Be a member of both groups of ``segment``, and count."""
    counts = CameraCounts(metrics)
    async with (
        transport.inbox("frames", "segment") as frames,
        transport.inbox("frames-archive", "segment") as archive,
        beside(counts.follow({"frames": frames, "frames-archive": archive}, Listed(()), CLOCK)),
    ):
        yield counts
