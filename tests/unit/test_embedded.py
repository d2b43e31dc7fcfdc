"""All roles in one process: how they start, end and fail together."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from connectors.memory import MemoryInbox, MemoryOutbox, MemoryTransport
from stream.cli.embedded import Role, run_roles
from stream.errors import DrainTimeoutError, ModelError
from stream.follow import follow
from stream.ports import Delivery, Inbox, Outbox, Record
from tests.support.topics import PATIENCE_S

TOPIC, HELD = "frames", "frames-archive"


class Source:
    """Writes numbers until it is cancelled, and then its last word, as an epoch has a close."""

    def __init__(self) -> None:
        self.started = asyncio.Event()

    async def work(self, _: Mapping[str, Inbox], outbox: Outbox) -> None:
        number = 0
        try:
            while True:
                await outbox.send(TOPIC, Record("hall", b"%d" % number))
                await asyncio.sleep(0)
                self.started.set()
                number += 1
        finally:
            await outbox.send(TOPIC, Record("hall", b"closed"))

    def role(self) -> Role:
        return Role("source", self.work, writes=(TOPIC,), source=True)


class Reader:
    """Reads all there is; stays until it is ``let`` go."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.let = asyncio.Event()
        self.let.set()

    async def work(self, inboxes: Mapping[str, Inbox], _: Outbox) -> None:
        async def use(delivery: Delivery) -> None:
            self.seen.append(bytes(delivery.record.value))

        await follow(inboxes, use)
        await self.let.wait()

    def role(self) -> Role:
        return Role("reader", self.work, reads=(TOPIC,))


async def test_a_stop_ends_the_sources_and_the_rest_reads_to_the_end() -> None:
    source, reader, stop = Source(), Reader(), asyncio.Event()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        roles = [source.role(), reader.role()]
        tasks.create_task(run_roles(MemoryTransport(), roles, stop, PATIENCE_S))
        await source.started.wait()
        stop.set()
    *numbers, last = reader.seen
    assert numbers == [b"%d" % number for number in range(len(numbers))]
    assert last == b"closed"


async def test_what_a_role_raises_ends_the_run_though_a_source_waits_for_room() -> None:
    async def breaks(_: Mapping[str, Inbox], __: Outbox) -> None:
        await source.started.wait()
        raise ModelError("the network broke")

    source = Source()
    broken = Role("segment", breaks, reads=(TOPIC,))
    transport = MemoryTransport(capacity=1)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ModelError, match="the network broke"):
            await run_roles(transport, [source.role(), broken], asyncio.Event(), PATIENCE_S)


@pytest.mark.parametrize("early", [True, False], ids=["before it starts", "while it runs"])
async def test_work_that_is_left_at_the_deadline_of_a_stop_is_told(early: bool) -> None:
    source, reader, stop = Source(), Reader(), asyncio.Event()
    reader.let.clear()
    if early:
        stop.set()
    running = asyncio.create_task(
        run_roles(MemoryTransport(), [source.role(), reader.role()], stop, 0.01)
    )
    async with asyncio.timeout(PATIENCE_S):
        if not early:
            await source.started.wait()
            stop.set()
        with pytest.raises(DrainTimeoutError, match=r"work was left 0\.01 s after the stop"):
            await running


class Closing(MemoryTransport):
    """Knows which topics are open to readers; that of `HELD` never is."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.holds = asyncio.Event()

    @asynccontextmanager
    async def inbox(
        self, topic: str, group: str, *, from_now: bool = False
    ) -> AsyncIterator[MemoryInbox]:
        if topic == HELD:
            self.holds.set()
            await asyncio.Event().wait()
        async with super().inbox(topic, group, from_now=from_now) as inbox:
            self.read.append(topic)
            try:
                yield inbox
            finally:
                self.read.remove(topic)


class Unanswered(MemoryTransport):
    """No broker says that it has what was written."""

    @asynccontextmanager
    async def outbox(self, *topics: str) -> AsyncIterator[MemoryOutbox]:
        async with super().outbox(*topics) as outbox:
            outbox.flush = asyncio.Event().wait  # type: ignore[assignment,method-assign]
            yield outbox


async def test_a_source_whose_last_words_nobody_acknowledged_has_left_work() -> None:
    source, stop = Source(), asyncio.Event()
    running = asyncio.create_task(run_roles(Unanswered(), [source.role()], stop, drain_s=0.1))
    await source.started.wait()
    stop.set()
    with pytest.raises(DrainTimeoutError):
        await asyncio.wait_for(running, PATIENCE_S)


async def test_a_stop_while_a_role_cannot_open_its_topics_leaves_none_open() -> None:
    """As a broker that knows no coordinator of the group keeps a member waiting."""
    transport, stop = Closing(), asyncio.Event()
    waiting = Role("reader", Reader().work, reads=(TOPIC, HELD))
    running = asyncio.create_task(run_roles(transport, [waiting], stop, 0.01))
    async with asyncio.timeout(PATIENCE_S):
        await transport.holds.wait()
        assert transport.read == [TOPIC]
        stop.set()
        with pytest.raises(DrainTimeoutError):
            await running
    assert transport.read == []
