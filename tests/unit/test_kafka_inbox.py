"""A member while its group changes: moments that a real broker seldom brings about.

tests/contract/test_members.py has members come and go on a real one.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from connectors.kafka.inbox import KafkaInbox
from stream.ports import Delivery
from tests.support.topics import PATIENCE_S, settle

HALL, YARD = TopicPartition("frames", 0), TopicPartition("frames", 1)
BOTH = (HALL, YARD)


@dataclass
class Found:
    """A record as aiokafka has it."""

    topic: str
    partition: int
    offset: int
    key: bytes = b"hall"
    value: bytes = b""
    headers: tuple[()] = ()


class Consumer:
    """What `KafkaInbox` uses of aiokafka. Every partition holds records without an end."""

    def __init__(self) -> None:
        self.positions: dict[TopicPartition, int] = {}
        self.group: dict[TopicPartition, int] = {}
        self.is_member = True
        self.may_fetch = asyncio.Event()
        self.may_fetch.set()
        self.slow_to_tell: dict[TopicPartition, asyncio.Event] = {}

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """As when its group told: it goes on from what is committed."""
        self.positions = {at: self.group.get(at, 0) for at in partitions}

    def assignment(self) -> set[TopicPartition]:
        return set(self.positions)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int = 0
    ) -> Mapping[TopicPartition, list[Found]]:
        await self.may_fetch.wait()
        found = {}
        for at in partitions or self.positions:
            found[at] = [Found(at.topic, at.partition, self.positions[at])]
            self.positions[at] += 1
        return found

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def committed(self, partition: TopicPartition) -> int | None:
        if (event := self.slow_to_tell.get(partition)) is not None:
            await event.wait()
        return self.group.get(partition)

    async def beginning_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def commit(self, upto: Mapping[TopicPartition, int]) -> None:
        if not self.is_member:
            raise CommitFailedError
        self.group |= upto


class Member(KafkaInbox):
    """Of a group that changes when the test says so."""

    def __init__(self) -> None:
        super().__init__("frames", "frames", lambda _: 0, asyncio.Event())
        self.consumer = self._consumer = Consumer()
        self.seen: dict[int, list[int]] = {0: [], 1: []}

    async def change(self, partitions: Iterable[TopicPartition] = BOTH) -> None:
        await self.on_partitions_revoked(self.consumer.assignment())
        self.consumer.assign(partitions)
        await self.on_partitions_assigned(partitions)

    async def work(self) -> list[Delivery]:
        """Receive once, and commit it."""
        deliveries = await self.receive(2, 1.0)
        for each in deliveries:
            self.seen[each.position.partition.partition].append(each.position.offset)
        await self.commit(deliveries)
        return deliveries


@pytest.fixture
async def member() -> Member:
    member = Member()
    await member.change()
    while not (member.seen[0] and member.seen[1]):
        await member.work()
    return member


def assert_no_hole(member: Member) -> None:
    for offsets in member.seen.values():
        assert sorted({*offsets}) == list(range(max(offsets) + 1))


async def test_what_is_fetched_while_a_group_tells_of_the_rest_is_read_again(
    member: Member,
) -> None:
    told = member.consumer.slow_to_tell[YARD] = asyncio.Event()
    changing = asyncio.create_task(member.change())
    await settle()
    working = asyncio.create_task(member.work())  # fetches of both while only HALL is known
    await settle()
    assert not working.done()
    told.set()
    async with asyncio.timeout(PATIENCE_S):
        await changing
        await working
        for _ in range(4):
            await member.work()
    assert_no_hole(member)


async def test_what_was_fetched_before_a_change_is_not_handed_out_after_it(
    member: Member,
) -> None:
    member.consumer.may_fetch.clear()
    working = asyncio.create_task(member.work())
    await settle()
    member.consumer.may_fetch.set()
    await settle(1)
    await member.change()  # the whole of it passes before the reader comes to run
    async with asyncio.timeout(PATIENCE_S):
        await working
        for _ in range(4):
            await member.work()
    assert_no_hole(member)
    assert all(offsets == sorted({*offsets}) for offsets in member.seen.values())


async def test_a_partition_that_was_another_s_begins_at_what_that_one_committed(
    member: Member,
) -> None:
    before = len(member.seen[0])
    member.consumer.group[HALL] = 40
    await member.change()
    async with asyncio.timeout(PATIENCE_S):
        while len(member.seen[0]) == before:
            await member.work()
    assert member.seen[0][before] == 40


async def test_who_froze_and_is_no_member_any_more_hands_out_nothing(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.kafka.inbox.SESSION_MS", 0)  # any pause is as long as one
    member.consumer.is_member = False
    working = asyncio.create_task(member.work())
    await settle()
    assert not working.done()
    member.consumer.is_member = True
    monkeypatch.undo()
    await member.change()
    async with asyncio.timeout(PATIENCE_S):
        assert await working
    assert_no_hole(member)
