"""Many records under way, written in order, then committed: whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.memory import MemoryTransport
from stream import codec
from stream.audit import Audit
from stream.errors import EndOfStream
from stream.lane import Lane, Limits
from stream.ledger import Answer
from stream.ports import Delivery, Inbox, Outbox, Record
from stream.types import EpochClosed, EpochOpened, Frame, Gap, Result
from tests.support import build
from tests.support.topics import PATIENCE_S, fill, messages, read, roomy, settle

CAMERAS = ("a", "b", "c")
FEW = Limits(4, 16)
Pause = Callable[[], Awaitable[None]]


def at_random(random: Random) -> Pause:
    """Lets the event loop turn a few times, so that everything comes in any order."""

    async def pause() -> None:
        for _ in range(random.choice([0, 0, 1, 2, 7])):
            await asyncio.sleep(0)

    return pause


class SlowOutbox:
    """An outbox that may be cut off before and after anything it does."""

    def __init__(self, outbox: Outbox, pause: Pause) -> None:
        self._outbox = outbox
        self._pause = pause

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        await self._pause()
        await self._outbox.send(topic, record, acknowledged)
        await self._pause()

    async def flush(self) -> None:
        await self._pause()
        await self._outbox.flush()


class SlowInbox:
    """An inbox whose commit may be cut off; remembers what was committed."""

    def __init__(self, inbox: Inbox, pause: Pause) -> None:
        self._inbox = inbox
        self._pause = pause
        self.committed: list[Delivery] = []

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        return await self._inbox.receive(limit, timeout_s)

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        await self._pause()
        await self._inbox.commit(deliveries)
        self.committed += deliveries
        await self._pause()


def answers(pause: Pause) -> Callable[[Delivery], Awaitable[Answer]]:
    """What segment does, without the pictures: a result for each frame, the rest as it came."""

    async def answer(delivery: Delivery) -> Answer:
        await pause()
        message = read(delivery.record)
        if not isinstance(message, Frame):
            return [("masks", delivery.record)]
        return [("masks", codec.encode(build.result(message.id.seq, message.id.camera)))]

    return answer


def ignore(_: object) -> None:
    """Nobody wants to know what is on the transport, or whether it is waited for."""


Sent = Frame | EpochOpened | EpochClosed


def traffic(random: Random, frames: int) -> list[Sent]:
    """Whole epochs of three cameras, mixed, each in its order."""
    lines: list[list[Sent]] = [
        [build.opened(camera), *(build.frame(seq, camera) for seq in range(frames)),
         build.closed(frames, camera)]
        for camera in CAMERAS
    ]  # fmt: skip
    mixed: list[Sent] = []
    while any(lines):
        mixed.append(random.choice([line for line in lines if line]).pop(0))
    return mixed


@asynccontextmanager
async def lane_of(
    transport: MemoryTransport, pause: Pause, limits: Limits = FEW
) -> AsyncIterator[tuple[Lane, SlowInbox]]:
    async with transport.outbox("masks") as outbox, transport.inbox("frames", "segment") as inbox:
        slow = SlowInbox(inbox, pause)
        yield Lane(slow, SlowOutbox(outbox, pause), answers(pause), ignore, ignore, limits), slow


def audited(found: Sequence[codec.Message]) -> Audit:
    audit = Audit()
    for message in found:
        assert isinstance(message, Result | Gap | EpochOpened | EpochClosed)
        audit.add(message)
    return audit


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1).map(Random), st.integers(1, 12), st.integers(0, 20))
async def test_answers_come_in_the_order_of_each_camera_and_all_is_committed(
    random: Random, unanswered: int, more: int
) -> None:
    transport = roomy()
    async with transport.outbox("frames") as outbox:
        sent = await fill(outbox, "frames", traffic(random, 6))
    limits = Limits(unanswered, unanswered + more)
    async with lane_of(transport, at_random(random), limits) as (lane, inbox):
        await lane.run()
    assert [each.record for each in inbox.committed] == sent
    audit = audited(await messages(transport, "masks"))
    assert audit.passed
    for epoch in audit.epochs:
        assert (epoch.results, epoch.duplicates, epoch.out_of_order) == (6, 0, 0)
        assert epoch.complete


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1).map(Random), st.lists(st.integers(0, 60), max_size=5))
async def test_after_any_crash_nothing_is_missing_order_holds_and_little_is_repeated(
    random: Random, crashes: list[int]
) -> None:
    transport, pause, limits = roomy(), at_random(random), Limits(2, 5)
    async with transport.outbox("masks"):  # the topic outlives its writers
        async with transport.outbox("frames") as outbox:
            await fill(outbox, "frames", traffic(random, 6))
        for turns in crashes:
            async with lane_of(transport, pause, limits) as (lane, _):
                running = asyncio.create_task(lane.run())
                await settle(turns)
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
        async with lane_of(transport, pause, limits) as (lane, _):
            await lane.run()
    audit = audited(await messages(transport, "masks"))
    assert (audit.missing, audit.passed) == (0, True)
    assert sum(epoch.duplicates for epoch in audit.epochs) <= len(crashes) * limits.uncommitted
    for epoch in audit.epochs:
        assert (epoch.results, epoch.out_of_order, epoch.complete) == (6, 0, True)


async def run_with(
    transport: MemoryTransport,
    answer: Callable[[Delivery], Awaitable[Answer]],
    acknowledged: Callable[[Delivery], None] = ignore,
    limits: Limits = FEW,
) -> None:
    async with transport.outbox("masks") as outbox, transport.inbox("frames", "segment") as inbox:
        await Lane(inbox, outbox, answer, acknowledged, ignore, limits).run()


async def left_uncommitted(transport: MemoryTransport) -> list[Frame | codec.Message]:
    """What the next member of the group would get."""
    found: list[Delivery] = []
    async with transport.inbox("frames", "segment") as inbox:
        try:
            while True:
                found += await inbox.receive(100, PATIENCE_S)
        except EndOfStream:
            return [read(each.record) for each in found]


async def test_nothing_behind_an_unanswered_record_is_committed() -> None:
    transport = roomy()
    stuck = asyncio.Event()

    async def answer(delivery: Delivery) -> Answer:
        if codec.frame_id(delivery.record).camera == "a":
            await stuck.wait()
        return []

    async with transport.outbox("frames") as outbox:
        frames = [build.frame(0, "b"), build.frame(0, "a"), build.frame(1, "b")]
        await fill(outbox, "frames", frames)
        running = asyncio.create_task(run_with(transport, answer))
        await settle()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    left = await left_uncommitted(transport)
    assert [each.id for each in left if isinstance(each, Frame)] == [("a", 1, 0), ("b", 1, 1)]


class Unacknowledged:
    """An outbox whose transport does not answer before it is let go."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.acknowledged = asyncio.Event()

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        await self._outbox.send(topic, record, acknowledged)

    async def flush(self) -> None:
        await self.acknowledged.wait()


async def test_nothing_is_committed_before_its_answer_is_acknowledged() -> None:
    transport = roomy()
    async with transport.inbox("frames", "segment") as inbox, transport.outbox("masks") as masks:
        async with transport.outbox("frames") as outbox:
            await fill(outbox, "frames", [build.frame(seq) for seq in range(3)])
        slow, silent = SlowInbox(inbox, settle), Unacknowledged(masks)
        running = asyncio.create_task(
            Lane(slow, silent, answers(settle), ignore, ignore, FEW).run()
        )
        await settle(500)
        assert slow.committed == []
        silent.acknowledged.set()
        await running
        assert len(slow.committed) == 3


async def test_no_more_records_wait_for_their_answer_than_the_limits_allow() -> None:
    transport = roomy()
    under_way, most = 0, 0

    async def answer(_: Delivery) -> Answer:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await settle(3)
        under_way -= 1
        return []

    async with transport.outbox("frames") as outbox:
        await fill(outbox, "frames", [build.frame(seq) for seq in range(30)])
    await run_with(transport, answer, limits=Limits(5, 10))
    assert most == 5


async def test_answered_records_make_room_for_the_next_up_to_a_limit() -> None:
    """As frames that are too old do, behind one that the device has."""
    transport = roomy()
    stuck = asyncio.Event()
    asked = 0

    async def answer(delivery: Delivery) -> Answer:
        nonlocal asked
        asked += 1
        if codec.frame_id(delivery.record).seq == 0:
            await stuck.wait()
        return []

    async with transport.outbox("frames") as outbox:
        await fill(outbox, "frames", [build.frame(seq) for seq in range(100)])
    running = asyncio.create_task(run_with(transport, answer, limits=Limits(4, 32)))
    await settle(500)
    assert asked == 32
    stuck.set()
    await running
    assert asked == 100


async def test_a_record_is_told_as_soon_as_its_answer_is_acknowledged() -> None:
    transport = roomy()
    async with transport.inbox("frames", "segment") as inbox, transport.outbox("masks") as masks:
        async with transport.outbox("frames") as outbox:
            await fill(outbox, "frames", [build.frame(seq) for seq in range(3)])
        silent = Unacknowledged(masks)
        told: list[Delivery] = []
        lane = Lane(inbox, silent, answers(settle), told.append, ignore, FEW)
        running = asyncio.create_task(lane.run())
        await settle(500)
        assert told == []
        silent.acknowledged.set()
        await running
        assert [codec.frame_id(each.record).seq for each in told] == [0, 1, 2]


async def test_the_inbox_is_told_what_waits_for_its_answer() -> None:
    transport = roomy()
    seen: list[int] = []

    async def answer(delivery: Delivery) -> Answer:
        await settle()
        return []

    class Asked(SlowInbox):
        async def receive(
            self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
        ) -> list[Delivery]:
            seen.append(len(under_way))
            return await super().receive(1, timeout_s)

    async with transport.inbox("frames", "segment") as inbox, transport.outbox("masks") as masks:
        async with transport.outbox("frames") as outbox:
            await fill(outbox, "frames", [build.frame(seq) for seq in range(3)])
        await Lane(Asked(inbox, settle), masks, answer, ignore, ignore, Limits(8, 16)).run()
    assert seen == [0, 1, 2, 3]


async def test_an_error_in_an_answer_stops_the_lane_without_committing_it() -> None:
    transport = roomy()

    async def answer(delivery: Delivery) -> Answer:
        if codec.frame_id(delivery.record).seq == 2:
            await settle()
            raise ArithmeticError("two")
        return []

    async with transport.outbox("frames") as outbox:
        await fill(outbox, "frames", [build.frame(seq) for seq in range(5)])
    with pytest.RaisesGroup(ArithmeticError):
        await run_with(transport, answer)
    left = await left_uncommitted(transport)
    assert [each.id.seq for each in left if isinstance(each, Frame)] == [2, 3, 4]


async def test_the_last_commit_is_not_cut_off_by_the_end_of_the_stream() -> None:
    transport = roomy()
    committing, may_commit = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        committing.set()
        await may_commit.wait()

    async with transport.inbox("frames", "segment") as inbox, transport.outbox("masks") as masks:
        async with transport.outbox("frames") as outbox:
            slow = SlowInbox(inbox, hold)
            running = asyncio.create_task(
                Lane(slow, masks, answers(settle), ignore, ignore, FEW).run()
            )
            await fill(outbox, "frames", [build.frame(0)])
            await committing.wait()
        await settle()
        assert not running.done()
        may_commit.set()
        await running
        assert [read(each.record) for each in slow.committed] != []
