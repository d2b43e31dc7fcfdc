"""What ``memory://`` owes beyond the contract of transports: ends, and bounds that writers feel."""

import asyncio

import pytest

from connectors.memory import MemoryTransport
from stream.errors import DrainTimeoutError, EndOfStream
from tests.support.records import TOPIC, numbers, record, some, write
from tests.support.topics import PATIENCE_S, everything, settle


@pytest.fixture
def transport() -> MemoryTransport:
    return MemoryTransport(256, 1 << 20)


@pytest.fixture
def narrow() -> MemoryTransport:
    """Holds four records, or 1000 bytes."""
    return MemoryTransport(4, 1000)


async def test_the_end_comes_after_the_last_writer_left_and_all_was_read(
    transport: MemoryTransport,
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


async def test_a_reader_that_waits_is_told_of_the_end(transport: MemoryTransport) -> None:
    async with transport.inbox(TOPIC, "segment") as inbox:
        async with transport.outbox(TOPIC):
            reading = asyncio.create_task(inbox.receive(1, PATIENCE_S))
            await settle()
        with pytest.raises(EndOfStream):
            await reading


async def test_before_the_first_writer_there_is_no_end(transport: MemoryTransport) -> None:
    async with transport.inbox(TOPIC, "segment") as inbox:
        assert await inbox.receive(1, 0.01) == []


async def test_a_writer_waits_while_the_slowest_group_is_behind(narrow: MemoryTransport) -> None:
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


async def test_bytes_are_bounded_as_well(narrow: MemoryTransport) -> None:
    async with narrow.inbox(TOPIC, "segment") as inbox, narrow.outbox(TOPIC) as outbox:
        await outbox.send(TOPIC, record(0, size_bytes=600))
        sending = asyncio.create_task(outbox.send(TOPIC, record(1, size_bytes=600)))
        await settle()
        assert not sending.done()
        await inbox.commit(await some(inbox, 1))
        await sending


async def test_a_record_larger_than_the_bound_still_passes_alone(narrow: MemoryTransport) -> None:
    async with narrow.inbox(TOPIC, "segment") as inbox, narrow.outbox(TOPIC) as outbox:
        await outbox.send(TOPIC, record(0, size_bytes=5000))
        assert numbers(await some(inbox, 1)) == [0]


async def test_a_sender_that_gives_up_waiting_has_sent_nothing(narrow: MemoryTransport) -> None:
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


async def test_a_topic_without_readers_does_not_block(narrow: MemoryTransport) -> None:
    await write(narrow, 50)
    async with narrow.outbox(TOPIC) as outbox:
        for number in range(50):
            await outbox.send(TOPIC, record(number, size_bytes=900))


async def test_it_holds_no_writer_up_once_every_reader_has_left() -> None:
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


async def test_it_keeps_the_newest_records_for_a_reader_that_comes_late() -> None:
    transport = MemoryTransport(capacity=4, capacity_bytes=1000)
    async with transport.outbox("few", "large") as outbox:
        for number in range(9):
            await outbox.send("few", record(number))
            await outbox.send("large", record(number, size_bytes=450))
    assert numbers(await everything(transport, "few")) == [5, 6, 7, 8]
    assert numbers(await everything(transport, "large")) == [7, 8]


async def test_what_is_raised_beside_retained_frames_stays_what_it_is() -> None:
    with pytest.raises(DrainTimeoutError):
        async with MemoryTransport().retained():
            raise DrainTimeoutError("1 deliveries left")
