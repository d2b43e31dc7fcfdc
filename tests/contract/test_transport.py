"""What every transport owes the loops. A new one joins `BACKENDS` and changes nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

import pytest

from connectors.clock import SteadyClock
from connectors.memory import MemoryTransport
from stream.errors import EndOfStream
from stream.ports import Delivery, Member, Record, State, Transport
from stream.specs import CameraSpec
from tests.support.kafka_transport import fresh_transport
from tests.support.records import TOPIC, numbers, record, some, write
from tests.support.topics import PATIENCE_S, settle

Open = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Transport]]


@asynccontextmanager
async def memory(_: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    yield MemoryTransport()


@asynccontextmanager
async def kafka(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    yield await fresh_transport(request.getfixturevalue("kafka"))


BACKENDS: dict[str, Open] = {"memory": memory, "kafka": kafka}


@pytest.fixture(params=sorted(BACKENDS))
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    async with BACKENDS[request.param](request) as transport:
        yield transport


async def taken(transport: Transport, count: int, topic: str = TOPIC) -> list[Delivery]:
    """The next ``count`` deliveries of a topic, committed."""
    async with transport.inbox(topic, "test") as inbox:
        deliveries = await some(inbox, count)
        await inbox.commit(deliveries)
    return deliveries


KEYS = [f"camera-{number}" for number in range(8)]


async def shared(*members: Member) -> None:
    """Return once each key is owned by exactly one of them."""
    async with asyncio.timeout(PATIENCE_S):
        while any(sum(each.owns(key) for each in members) != 1 for key in KEYS):
            await members[0].receive(1, 0.05)


async def test_each_key_keeps_its_order(transport: Transport) -> None:
    async with transport.outbox(TOPIC) as outbox:
        for number in range(30):
            await outbox.send(TOPIC, record(number, key=f"camera-{number % 3}"))
    deliveries = await taken(transport, 30)
    for key in range(3):
        own = [each for each in deliveries if each.record.key == f"camera-{key}"]
        assert numbers(own) == list(range(key, 30, 3))


async def test_a_writer_is_told_of_each_record_that_it_is_there(transport: Transport) -> None:
    told: list[int] = []
    async with transport.outbox(TOPIC) as outbox:
        for number in range(5):
            await outbox.send(TOPIC, record(number), partial(told.append, number))
        await outbox.flush()
        assert told == list(range(5))
    assert numbers(await taken(transport, 5)) == list(range(5))


async def test_headers_and_bytes_arrive_untouched(transport: Transport) -> None:
    value = bytes(range(256)) * 3
    headers = {"ce_id": b"hall/1/0", "empty": b"", "binary": bytes(range(256))}
    async with transport.outbox(TOPIC) as outbox:
        await outbox.send(TOPIC, Record("hall", value, headers))
        await outbox.send(TOPIC, Record("hall", b""))
    first, second = await taken(transport, 2)
    assert (first.topic, first.record.key) == (TOPIC, "hall")
    assert bytes(first.record.value) == value
    assert dict(first.record.headers) == headers
    assert (bytes(second.record.value), dict(second.record.headers)) == (b"", {})


async def test_every_record_has_a_ref_of_its_own_that_names_the_topic(
    transport: Transport,
) -> None:
    await write(transport, 5)
    refs = [each.ref for each in await taken(transport, 5)]
    assert len(set(refs)) == 5
    assert all(ref.startswith(TOPIC) for ref in refs)


async def test_the_limit_is_respected(transport: Transport) -> None:
    await write(transport, 5)
    async with transport.inbox(TOPIC, "segment") as inbox:
        assert numbers(await inbox.receive(2, PATIENCE_S)) == [0, 1]
        assert numbers(await some(inbox, 3)) == [2, 3, 4]


async def test_a_new_group_may_begin_with_what_comes_from_now_on(transport: Transport) -> None:
    await write(transport, 3)
    async with transport.outbox(TOPIC) as outbox:
        found: list[Delivery] = []
        number = 2
        async with transport.inbox(TOPIC, "test", from_now=True) as inbox:
            while not found:  # it is a moment until it has asked where that is
                number += 1
                await outbox.send(TOPIC, record(number))
                found = await inbox.receive(10, 0.2)
            await inbox.commit(found)
        first, *_, last = numbers([found[0], *found])
        assert first > 2
        await outbox.send(TOPIC, record(number + 1))
        async with transport.inbox(TOPIC, "test", from_now=True) as inbox:
            left = range(last + 1, number + 2)
            assert numbers(await some(inbox, len(left))) == [*left]


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
    async with transport.outbox(TOPIC) as outbox, AsyncExitStack() as staying:
        for number in range(6):
            await outbox.send(TOPIC, record(number))
        first = await staying.enter_async_context(transport.inbox(TOPIC, "segment"))
        await first.commit((await some(first, 4))[:2])
        async with transport.inbox(TOPIC, "segment") as second:
            await shared(first, second)
            await staying.aclose()
            assert numbers(await some(second, 4)) == [2, 3, 4, 5]
            await shared(second)


async def test_a_member_that_only_stood_by_changes_nothing_by_leaving(
    transport: Transport,
) -> None:
    async with transport.outbox(TOPIC) as outbox, transport.inbox(TOPIC, "segment") as first:
        for number in range(4):
            await outbox.send(TOPIC, record(number))
        await first.commit(await some(first, 2))
        async with transport.inbox(TOPIC, "segment"):
            pass
        assert numbers(await some(first, 2)) == [2, 3]


async def test_each_key_is_owned_by_the_one_member_that_its_records_come_to(
    transport: Transport,
) -> None:
    async with transport.outbox(TOPIC) as outbox, transport.inbox(TOPIC, "segment") as first:
        assert first.is_assigned
        assert all(first.owns(key) for key in KEYS)
        async with transport.inbox(TOPIC, "segment") as second:
            await shared(first, second)
            for key in KEYS:
                await outbox.send(TOPIC, record(0, key))
            await outbox.flush()
            for member in (first, second):
                own = {key for key in KEYS if member.owns(key)}
                found = await some(member, len(own))
                assert {each.record.key for each in found} == own
                await member.commit(found)
        await shared(first)


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


async def test_an_outbox_writes_all_of_its_topics(transport: Transport) -> None:
    async with transport.outbox(TOPIC, "masks") as outbox:
        await outbox.send(TOPIC, record(0))
        await outbox.send("masks", record(1))
    assert numbers(await taken(transport, 1)) == [0]
    assert numbers(await taken(transport, 1, "masks")) == [1]


async def test_when_the_transport_is_ended_who_waits_is_told(transport: Transport) -> None:
    async with transport.inbox(TOPIC, "segment") as inbox:
        reading = asyncio.create_task(inbox.receive(1, PATIENCE_S))
        await settle()
        await transport.end()
        with pytest.raises(EndOfStream, match=TOPIC):
            await reading


async def test_what_was_received_before_the_end_can_still_be_committed(
    transport: Transport,
) -> None:
    async with transport.outbox(TOPIC) as outbox:
        for number in range(3):
            await outbox.send(TOPIC, record(number))
        await outbox.flush()
        async with transport.inbox(TOPIC, "segment") as inbox:
            held = await some(inbox, 3)
            await transport.end()
            with pytest.raises(EndOfStream):
                await inbox.receive(1, PATIENCE_S)
            await inbox.commit(held)


async def test_whole_is_what_a_topic_holds_now(transport: Transport) -> None:
    async with transport.outbox(TOPIC) as outbox:
        for number in range(20):
            await outbox.send(TOPIC, record(number, key=f"camera-{number % 3}"))
        await outbox.flush()
        for _ in range(2):
            found = [int(bytes(each.value)) async for each in transport.whole(TOPIC)]
            assert sorted(found) == list(range(20))
            assert [each for each in found if each % 3 == 1] == list(range(1, 20, 3))


async def test_state_is_read_back_as_it_was_put_last(transport: Transport) -> None:
    async with transport.store() as store:
        assert await store.get(["watch/hall"]) == {}
        for value in (b"one", b"two"):
            await store.put({"watch/hall": State(value)})
            assert await store.get(["watch/hall"]) == {"watch/hall": value}
        await store.put({"watch/yard": State(b"other")})
    async with transport.store() as another:
        assert await another.get(["watch/hall"]) == {"watch/hall": b"two"}
        await another.put({"watch/hall": State(b"three")})
        assert await another.get(["watch/yard"]) == {"watch/yard": b"other"}


async def test_state_of_many_is_kept_and_read_at_once(transport: Transport) -> None:
    values = {f"watch/camera-{number}": b"%d" % number for number in range(20)}
    async with transport.store() as store:
        await store.put({key: State(value) for key, value in values.items()})
        await store.put({"watch/camera-3": State(b"again")})
    async with transport.store() as another:
        assert await another.get([*values, "watch/never"]) == {**values, "watch/camera-3": b"again"}


async def test_state_that_another_put_meanwhile_is_seen(transport: Transport) -> None:
    async with transport.store() as one, transport.store() as other:
        await one.put({"watch/hall": State(b"one")})
        assert await other.get(["watch/hall"]) == {"watch/hall": b"one"}
        await other.put({"watch/hall": State(b"two")})
        assert await one.get(["watch/hall"]) == {"watch/hall": b"two"}


async def test_a_lower_version_that_comes_late_changes_no_state(transport: Transport) -> None:
    async with transport.store() as one, transport.store() as zombie:
        await one.put({"watch/hall": State(b"nine", (1, 9))})
        await one.put({"watch/hall": State(b"ten", (1, 10))})
        await zombie.put({"watch/hall": State(b"nine again", (1, 9))})
        assert await one.get(["watch/hall"]) == {"watch/hall": b"ten"}
        assert await zombie.get(["watch/hall"]) == {"watch/hall": b"ten"}
        await zombie.put({"watch/hall": State(b"next epoch", (2, 0))})
        assert await one.get(["watch/hall"]) == {"watch/hall": b"next epoch"}
    async with transport.store() as another:
        await another.put({"watch/hall": State(b"ten again", (1, 10))})
        assert await another.get(["watch/hall"]) == {"watch/hall": b"next epoch"}


async def test_every_claim_of_a_live_camera_is_higher_than_all_before(
    transport: Transport,
) -> None:
    hall = CameraSpec(id="hall", url="rtsp://h/1")
    epochs = []
    for _ in range(3):
        async with transport.epochs(SteadyClock()) as claims:
            begin = await claims.begin(hall)
            assert begin is not None
            assert begin.is_new
            epochs.append(begin.epoch)
    assert epochs == sorted(set(epochs))
