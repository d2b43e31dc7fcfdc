"""What every transport owes the loops. A new one joins `BACKENDS` and changes nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from connectors.memory import MemoryTransport
from stream.errors import EndOfStream
from stream.ports import Delivery, Inbox, Record, Transport
from tests.support.topics import PATIENCE_S, everything, settle

TOPIC = "frames-archive"

Open = Callable[[int, int], AbstractAsyncContextManager[Transport]]
"""Opens an empty transport that holds so many records, and so many bytes, for a slow reader."""


@asynccontextmanager
async def memory(records: int, size_bytes: int) -> AsyncIterator[Transport]:
    yield MemoryTransport(records, size_bytes)


BACKENDS: dict[str, Open] = {"memory": memory}


@pytest.fixture(params=sorted(BACKENDS))
def opened(request: pytest.FixtureRequest) -> Open:
    return BACKENDS[request.param]


@pytest.fixture
async def transport(opened: Open) -> AsyncIterator[Transport]:
    async with opened(256, 1 << 20) as transport:
        yield transport


@pytest.fixture
async def narrow(opened: Open) -> AsyncIterator[Transport]:
    """Holds four records, or 1000 bytes."""
    async with opened(4, 1000) as transport:
        yield transport


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


async def test_each_key_keeps_its_order(transport: Transport) -> None:
    async with transport.outbox(TOPIC) as outbox:
        for number in range(30):
            await outbox.send(TOPIC, record(number, key=f"camera-{number % 3}"))
    deliveries = await everything(transport, TOPIC)
    for key in range(3):
        own = [each for each in deliveries if each.record.key == f"camera-{key}"]
        assert numbers(own) == list(range(key, 30, 3))


async def test_headers_and_bytes_arrive_untouched(transport: Transport) -> None:
    value = bytes(range(256)) * 3
    headers = {"ce_id": b"hall/1/0", "empty": b"", "binary": bytes(range(256))}
    async with transport.outbox(TOPIC) as outbox:
        await outbox.send(TOPIC, Record("hall", value, headers))
        await outbox.send(TOPIC, Record("hall", b""))
    first, second = await everything(transport, TOPIC)
    assert (first.topic, first.record.key) == (TOPIC, "hall")
    assert bytes(first.record.value) == value
    assert dict(first.record.headers) == headers
    assert (bytes(second.record.value), dict(second.record.headers)) == (b"", {})


async def test_every_record_has_a_ref_of_its_own_that_names_the_topic(
    transport: Transport,
) -> None:
    await write(transport, 5)
    refs = [each.ref for each in await everything(transport, TOPIC)]
    assert len(set(refs)) == 5
    assert all(ref.startswith(TOPIC) for ref in refs)


async def test_the_limit_is_respected(transport: Transport) -> None:
    await write(transport, 5)
    async with transport.inbox(TOPIC, "segment") as inbox:
        assert numbers(await inbox.receive(2, PATIENCE_S)) == [0, 1]
        assert numbers(await some(inbox, 3)) == [2, 3, 4]


async def test_without_a_record_the_time_out_gives_an_empty_list(transport: Transport) -> None:
    async with transport.outbox(TOPIC) as outbox, transport.inbox(TOPIC, "segment") as inbox:
        assert await inbox.receive(5, 0.01) == []
        await outbox.send(TOPIC, record(0))
        assert numbers(await some(inbox, 1)) == [0]


async def test_a_waiting_reader_is_woken_by_a_record(transport: Transport) -> None:
    async with transport.outbox(TOPIC) as outbox, transport.inbox(TOPIC, "segment") as inbox:
        reading = asyncio.create_task(inbox.receive(5, PATIENCE_S))
        await settle()
        assert not reading.done()
        await outbox.send(TOPIC, record(0))
        assert numbers(await reading) == [0]


async def test_what_was_committed_does_not_come_again(transport: Transport) -> None:
    async with transport.outbox(TOPIC) as outbox:
        for number in range(5):
            await outbox.send(TOPIC, record(number))
        async with transport.inbox(TOPIC, "segment") as inbox:
            await inbox.commit((await some(inbox, 5))[:3])
        async with transport.inbox(TOPIC, "segment") as inbox:
            assert numbers(await some(inbox, 2)) == [3, 4]


async def test_a_commit_covers_everything_received_before_it(transport: Transport) -> None:
    async with transport.outbox(TOPIC) as outbox:
        for number in range(4):
            await outbox.send(TOPIC, record(number))
        async with transport.inbox(TOPIC, "segment") as inbox:
            deliveries = await some(inbox, 4)
            await inbox.commit([deliveries[2]])
            await inbox.commit([deliveries[0]])  # never goes back
            await inbox.commit([])
        async with transport.inbox(TOPIC, "segment") as inbox:
            assert numbers(await some(inbox, 1)) == [3]


async def test_a_second_member_takes_over_what_the_first_did_not_commit(
    transport: Transport,
) -> None:
    async with transport.outbox(TOPIC) as outbox:
        for number in range(6):
            await outbox.send(TOPIC, record(number))
        async with transport.inbox(TOPIC, "segment") as first:
            await first.commit((await some(first, 4))[:2])
            taking_over = asyncio.create_task(_join_and_read(transport, 4))
            await settle()
            assert not taking_over.done()
        assert await taking_over == [2, 3, 4, 5]


async def _join_and_read(transport: Transport, count: int) -> list[int]:
    async with transport.inbox(TOPIC, "segment") as inbox:
        return numbers(await some(inbox, count))


async def test_a_member_that_only_stood_by_changes_nothing_by_leaving(
    transport: Transport,
) -> None:
    async with transport.outbox(TOPIC) as outbox, transport.inbox(TOPIC, "segment") as first:
        for number in range(4):
            await outbox.send(TOPIC, record(number))
        assert numbers(await some(first, 2)) == [0, 1]
        async with transport.inbox(TOPIC, "segment"):
            pass
        assert numbers(await some(first, 2)) == [2, 3]


async def test_two_groups_each_get_everything(transport: Transport) -> None:
    async with transport.inbox(TOPIC, "segment") as one, transport.inbox(TOPIC, "web") as other:
        await write(transport, 5)
        for inbox in (one, other):
            deliveries = await some(inbox, 5)
            await inbox.commit(deliveries)
            assert numbers(deliveries) == [0, 1, 2, 3, 4]


async def test_groups_go_at_their_own_pace(transport: Transport) -> None:
    async with (
        transport.outbox(TOPIC) as outbox,
        transport.inbox(TOPIC, "segment") as fast,
        transport.inbox(TOPIC, "web") as slow,
    ):
        for number in range(5):
            await outbox.send(TOPIC, record(number))
        await fast.commit(await some(fast, 5))
        assert numbers(await some(slow, 2)) == [0, 1]
        assert numbers(await some(slow, 3)) == [2, 3, 4]


async def test_the_end_comes_after_the_last_writer_left_and_all_was_read(
    transport: Transport,
) -> None:
    async with transport.outbox(TOPIC) as one, transport.inbox(TOPIC, "segment") as inbox:
        async with transport.outbox(TOPIC) as other:
            await one.send(TOPIC, record(0))
            await other.send(TOPIC, record(1))
        assert numbers(await some(inbox, 2)) == [0, 1]
        assert await inbox.receive(1, 0.01) == []
    async with transport.inbox(TOPIC, "segment") as inbox:
        assert numbers(await some(inbox, 2)) == [0, 1]
        with pytest.raises(EndOfStream, match=TOPIC):
            await inbox.receive(1, PATIENCE_S)


async def test_a_reader_that_waits_is_told_of_the_end(transport: Transport) -> None:
    async with transport.inbox(TOPIC, "segment") as inbox:
        async with transport.outbox(TOPIC):
            reading = asyncio.create_task(inbox.receive(1, PATIENCE_S))
            await settle()
        with pytest.raises(EndOfStream):
            await reading


async def test_before_the_first_writer_there_is_no_end(transport: Transport) -> None:
    async with transport.inbox(TOPIC, "segment") as inbox:
        assert await inbox.receive(1, 0.01) == []


async def test_an_outbox_writes_all_of_its_topics_and_ends_each(transport: Transport) -> None:
    async with transport.outbox(TOPIC, "masks") as outbox:
        await outbox.send(TOPIC, record(0))
        await outbox.send("masks", record(1))
    assert numbers(await everything(transport, TOPIC)) == [0]
    assert numbers(await everything(transport, "masks")) == [1]


async def test_a_writer_waits_while_the_slowest_group_is_behind(narrow: Transport) -> None:
    async with (
        narrow.inbox(TOPIC, "segment") as fast,
        narrow.inbox(TOPIC, "web") as slow,
    ):
        writing = asyncio.create_task(write(narrow, 6))
        await fast.commit(await some(fast, 4))
        await settle()
        assert not writing.done()
        held = await some(slow, 4)
        await settle()
        assert not writing.done()
        await slow.commit(held[:2])
        await writing
        assert numbers(await some(fast, 2)) == [4, 5]


async def test_bytes_are_bounded_as_well(narrow: Transport) -> None:
    async with narrow.inbox(TOPIC, "segment") as inbox, narrow.outbox(TOPIC) as outbox:
        await outbox.send(TOPIC, record(0, size_bytes=600))
        sending = asyncio.create_task(outbox.send(TOPIC, record(1, size_bytes=600)))
        await settle()
        assert not sending.done()
        await inbox.commit(await some(inbox, 1))
        await sending


async def test_a_record_larger_than_the_bound_still_passes_alone(narrow: Transport) -> None:
    async with narrow.inbox(TOPIC, "segment") as inbox, narrow.outbox(TOPIC) as outbox:
        await outbox.send(TOPIC, record(0, size_bytes=5000))
        assert numbers(await some(inbox, 1)) == [0]


async def test_a_sender_that_gives_up_waiting_has_sent_nothing(narrow: Transport) -> None:
    async with narrow.inbox(TOPIC, "segment") as inbox:
        async with narrow.outbox(TOPIC) as outbox:
            for number in range(4):
                await outbox.send(TOPIC, record(number))
            sending = asyncio.create_task(outbox.send(TOPIC, record(4)))
            await settle()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        await inbox.commit(await some(inbox, 4))
        with pytest.raises(EndOfStream):
            await inbox.receive(1, PATIENCE_S)


async def test_a_topic_without_readers_does_not_block(narrow: Transport) -> None:
    await write(narrow, 50)
    async with narrow.outbox(TOPIC) as outbox:
        for number in range(50):
            await outbox.send(TOPIC, record(number, size_bytes=900))


async def test_memory_holds_no_writer_up_once_every_reader_has_left() -> None:
    transport = MemoryTransport(capacity=2, capacity_bytes=1000)
    async with transport.outbox(TOPIC) as outbox:
        async with transport.inbox(TOPIC, "segment") as inbox:
            for number in range(2):
                await outbox.send(TOPIC, record(number))
            assert numbers(await some(inbox, 2)) == [0, 1]
            sending = asyncio.create_task(outbox.send(TOPIC, record(2)))
            await settle()
            assert not sending.done()
        await sending
        await outbox.send(TOPIC, record(3))
    assert numbers(await everything(transport, TOPIC, "segment")) == [0, 1, 2, 3]


async def test_memory_keeps_the_newest_records_for_a_reader_that_comes_late() -> None:
    transport = MemoryTransport(capacity=4, capacity_bytes=1000)
    async with transport.outbox("few", "large") as outbox:
        for number in range(9):
            await outbox.send("few", record(number))
            await outbox.send("large", record(number, size_bytes=450))
    assert numbers(await everything(transport, "few")) == [5, 6, 7, 8]
    assert numbers(await everything(transport, "large")) == [7, 8]
