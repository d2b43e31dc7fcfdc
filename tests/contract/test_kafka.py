"""What ``kafka://`` owes beyond the contract: epochs of files, placement, back-pressure, topics."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from connectors.clock import SteadyClock
from connectors.kafka import KafkaTransport
from connectors.kafka.backlog import MOST_FRAMES
from connectors.kafka.outbox import KafkaOutbox
from connectors.kafka.topics import record_bytes
from stream import codec
from stream.errors import CameraRefusedError, ConfigError, SchemaError
from stream.ingest import TOPICS, Ingest
from stream.metrics import Metrics
from stream.ports import Begin, Delivery, Record
from stream.registry import Listed
from stream.specs import CameraSpec, ShadowSpec
from stream.types import Frame
from tests.support.build import closed, frame, opened
from tests.support.feeds import blank_feed, feeds
from tests.support.kafka_transport import (
    deleted,
    fresh_transport,
    fresh_with,
    kafka_settings,
    with_kafka,
)
from tests.support.segmenting import JPEG
from tests.support.topics import fill, read

HALL = CameraSpec(id="hall", url="hall.mp4", mode="archive")
ARCHIVE = "frames-archive"
EACH = 50


async def begin(transport: KafkaTransport, camera: CameraSpec = HALL) -> Begin | None:
    async with transport.epochs(SteadyClock()) as epochs:
        return await epochs.begin(camera)


async def test_a_file_goes_on_after_its_last_record(kafka: str) -> None:
    settings = kafka_settings(kafka)
    transport = with_kafka(settings, partitions=1)
    await transport.apply()
    assert await begin(transport) == Begin(1, goes_on=True)
    async with transport.outbox(ARCHIVE) as outbox:
        await fill(outbox, ARCHIVE, [opened()])
        assert await begin(transport) == Begin(1, 0, is_new=False, goes_on=True)
        # Other cameras of the same partition write more than one look back holds.
        await fill(outbox, ARCHIVE, [frame(0), frame(1)])
        for other in ("yard", "gate"):
            await fill(outbox, ARCHIVE, [frame(seq, other) for seq in range(400)])
        assert await begin(transport) == Begin(1, 2, is_new=False, goes_on=True)
        await fill(outbox, ARCHIVE, [closed(2)])
    assert await begin(transport) is None
    assert await begin(transport, HALL.model_copy(update={"loop": True})) == Begin(2, goes_on=True)


async def test_a_file_of_which_brokers_have_nothing_any_more_repeats_no_epoch(kafka: str) -> None:
    settings = kafka_settings(kafka)
    transport = with_kafka(settings, partitions=1)
    await transport.apply()
    first = await begin(transport)
    assert first is not None
    async with transport.outbox(ARCHIVE) as outbox:
        await fill(outbox, ARCHIVE, [opened(), frame(0), closed(1)])
    assert await begin(transport) is None
    await deleted(settings, ARCHIVE, 3)
    assert await begin(transport) == Begin(first.epoch + 1, goes_on=True)


async def test_many_files_begin_at_once(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    names = [f"file-{number}" for number in range(6)]
    async with transport.outbox(ARCHIVE) as outbox:
        for at, name in enumerate(names):
            await fill(outbox, ARCHIVE, [opened(name), *[frame(seq, name) for seq in range(at)]])
    async with transport.epochs(SteadyClock()) as epochs:
        asked = [epochs.begin(HALL.model_copy(update={"id": name})) for name in names]
        found = await asyncio.gather(*asked)
    assert found == [Begin(1, at, is_new=False, goes_on=True) for at in range(6)]


async def test_the_largest_picture_comes_through(kafka: str) -> None:
    """Although a fetch asks for far less, so that many partitions never fill the memory."""
    transport = await fresh_transport(kafka)
    largest = Record("hall", bytes(8_000_000), {"ce_id": b"hall/1/0"})
    async with transport.outbox(ARCHIVE) as outbox:
        await outbox.send(ARCHIVE, largest)
        await outbox.flush()
    async with transport.inbox(ARCHIVE, "segment") as inbox:
        while not (found := await inbox.receive(10, 1.0)):
            pass
    assert [len(each.record.value) for each in found] == [8_000_000]
    assert [len(each.value) async for each in transport.whole(ARCHIVE)] == [8_000_000]


async def test_the_largest_record_still_fits_with_what_is_wrong_with_it(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    most = record_bytes(kafka_settings(kafka).pictures.max_bytes)
    largest = Record("hall", bytes(most - 1_000), {})
    async with transport.outbox(ARCHIVE, "dead-letters") as outbox:
        await outbox.send(ARCHIVE, largest)
        await outbox.flush()
        letter = codec.dead_letter(Delivery(ARCHIVE, largest, 0, "0@0"), SchemaError("x" * 2_000))
        await outbox.send("dead-letters", letter)
        await outbox.flush()
    assert [len(each.value) async for each in transport.whole("dead-letters")] == [most - 1_000]


async def test_a_header_that_is_null_is_one_that_is_missing(kafka: str) -> None:
    settings = kafka_settings(kafka)
    transport = KafkaTransport(settings)
    await transport.apply()
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        name = f"{settings.kafka.prefix}{ARCHIVE}"
        await producer.send(name, b"", b"hall", headers=[("ce_type", None), ("ce_id", b"hall/1/0")])
    (found,) = [each async for each in transport.whole(ARCHIVE)]
    assert found.headers == {"ce_id": b"hall/1/0"}


async def test_a_topic_is_read_from_an_instant_on(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    found = {}
    async with transport.outbox(ARCHIVE) as outbox:
        for number in range(3):
            found[number] = time.time_ns() // 1000
            await outbox.send(ARCHIVE, Record(f"camera-{number}", b"%d" % number))
            await outbox.flush()
            await asyncio.sleep(0.01)  # the log counts in milliseconds
    later = [bytes(each.value) async for each in transport.whole(ARCHIVE, found[1])]
    assert sorted(later) == [b"1", b"2"]
    assert [each async for each in transport.whole(ARCHIVE, time.time_ns() // 1000)] == []


async def test_a_topic_is_read_in_the_order_in_which_it_was_written(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    async with transport.outbox(ARCHIVE) as outbox:
        for number in range(6):
            await outbox.send(ARCHIVE, Record(("hall", "yard")[number % 2], b"%d" % number))
            await outbox.flush()
            await asyncio.sleep(0.01)  # the log counts in milliseconds
    found = [bytes(each.value) async for each in transport.whole(ARCHIVE)]
    assert found == [b"%d" % number for number in range(6)]
    assert await transport.count(ARCHIVE) == 6


async def test_it_is_known_when_the_oldest_records_are_gone(kafka: str) -> None:
    settings = kafka_settings(kafka, partitions=1)
    transport = KafkaTransport(settings)
    await transport.apply()
    async with transport.outbox(ARCHIVE) as outbox:
        await fill(outbox, ARCHIVE, [frame(0), frame(1), frame(2)])
    assert not await transport.is_cut(ARCHIVE)
    await deleted(settings, ARCHIVE, 2)
    assert await transport.is_cut(ARCHIVE)
    assert len([each async for each in transport.whole(ARCHIVE)]) == 1


async def test_a_camera_lies_in_its_own_partition(kafka: str) -> None:
    transport = await fresh_with(
        kafka, HALL, CameraSpec(id="yard", url="y.mp4", mode="archive", partition=0)
    )
    async with transport.outbox("masks") as outbox, transport.inbox("masks", "test") as inbox:
        await fill(outbox, "masks", [opened("hall"), opened("yard")])
        refs: dict[str, str] = {}
        while len(refs) < 2:
            for each in await inbox.receive(10, 5.0):
                refs[each.record.key] = each.ref
    assert refs == {"hall": "masks/1@0", "yard": "masks/0@0"}


async def held_up(outbox: KafkaOutbox, seq: int) -> asyncio.Task[None]:
    """Sending one more frame of a file that is too far ahead, and not of others."""
    waiting = asyncio.create_task(outbox.send(ARCHIVE, codec.encode_frame(frame(seq))))
    await fill(outbox, "frames", [frame(0)])
    await fill(outbox, ARCHIVE, [frame(0, "yard")])
    assert not waiting.done()
    return waiting


async def test_a_file_waits_while_too_much_of_it_lies_ahead_whoever_wrote_it(kafka: str) -> None:
    transport = await fresh_with(kafka, HALL, CameraSpec(id="yard", url="y.mp4", mode="archive"))
    async with transport.outbox("frames", ARCHIVE) as outbox:
        for seq in range(MOST_FRAMES):  # none is acknowledged before the next is sent
            await outbox.send(ARCHIVE, codec.encode_frame(frame(seq)))
        (await held_up(outbox, MOST_FRAMES)).cancel()
    async with transport.outbox("frames", ARCHIVE) as outbox:
        waiting = await held_up(outbox, MOST_FRAMES)
        async with transport.inbox(ARCHIVE, "segment") as inbox:
            found: list[Delivery] = []
            while len(found) <= MOST_FRAMES:
                found += await inbox.receive(MOST_FRAMES, 5.0)
            assert not waiting.done()
            await inbox.commit([each for each in found if each.record.key == "hall"][:1])
            await waiting


async def test_of_two_cameras_the_one_with_less_under_way_comes_next(kafka: str) -> None:
    transport = await fresh_with(kafka, HALL, CameraSpec(id="yard", url="y.mp4", mode="archive"))
    names = ("hall", "yard")
    async with transport.outbox(ARCHIVE) as outbox, transport.inbox(ARCHIVE, "test") as inbox:
        for name in names:  # each partition is being read, before much lies in both
            await fill(outbox, ARCHIVE, [opened(name)])
            while not await inbox.receive(1, 5.0):
                continue
        for name in names:
            await fill(outbox, ARCHIVE, [frame(seq, name) for seq in range(EACH)])
        under_way: list[Delivery] = []
        shares = Counter(dict.fromkeys(names, 0))
        while shares.total() < 2 * EACH:
            for found in await inbox.receive(1, 5.0, under_way):
                assert shares[found.record.key] == min(shares.values()) or not all(shares.values())
                under_way.append(found)
                shares[found.record.key] += 1
            assert all(shares.values()) or shares.total() < EACH


async def test_topics_are_made_once_changed_where_they_differ_and_never_split(kafka: str) -> None:
    settings = kafka_settings(kafka)
    transport = KafkaTransport(settings)
    with pytest.raises(ConfigError, match="frames is missing"):
        await transport.check("segment")
    told = await transport.planned()
    assert len(told) == 10
    assert all(line.startswith("+ ") for line in told)
    assert await transport.apply() == told
    assert await transport.apply() == []
    await transport.check("segment")

    longer = with_kafka(settings, retention={"masks": 7200.0})
    (first, second) = await longer.apply()
    assert first.endswith("masks: retention.ms: 259200000 -> 7200000")
    assert second.endswith("masks: segment.ms: 25920000 -> 720000")
    assert await longer.planned() == []

    more = with_kafka(settings, partitions=3)
    with pytest.raises(ConfigError, match=r"has 2 partitions, kafka\.partitions says 3"):
        await more.apply()
    with pytest.raises(ConfigError, match="has 2 partitions"):
        await more.check("segment")


async def test_the_masks_of_a_shadow_have_a_topic_that_only_who_needs_it_misses(kafka: str) -> None:
    settings = kafka_settings(kafka)
    await with_kafka(settings).apply()
    shadow = ShadowSpec(name="next", weights=Path("next"))
    longer = settings.kafka.model_copy(update={"retention": {"masks": 7200.0}})
    settings = settings.model_copy(update={"shadow": shadow, "kafka": longer})
    transport = KafkaTransport(settings)
    await transport.check("segment")
    with pytest.raises(ConfigError, match=r"masks\.next is missing"):
        await transport.check("shadow")
    (made, *_) = await transport.apply()
    name = f"{settings.kafka.prefix}masks.next"
    assert made == f"+ {name}: partitions 2, replication 1, delete, 2h"
    await transport.check("shadow")
    assert await transport.planned() == []


async def test_who_begins_from_now_on_tells_that_what_was_before_is_lost(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    async with transport.outbox("frames") as outbox:
        await fill(outbox, "frames", [opened(), frame(0), frame(1)])
        async with transport.inbox("frames", "shadow.next", from_now=True) as inbox:
            found: list[Delivery] = []
            seq = 1
            while not found:  # it is a moment until it has asked where that is
                seq += 1
                await fill(outbox, "frames", [frame(seq)])
                found = await inbox.receive(1, 0.2)
            assert codec.frame_id(found[0].record).seq > 1
            assert found[0].follows_loss
            await fill(outbox, "frames", [frame(seq + 1)])
            (after,) = await inbox.receive(1, 5.0)
            assert not after.follows_loss


async def test_a_topic_with_fewer_copies_than_wanted_is_refused(kafka: str) -> None:
    settings = kafka_settings(kafka)
    await KafkaTransport(settings).apply()
    transport = with_kafka(settings, replication=3)
    with pytest.raises(ConfigError, match=r"frames: has replication 1, kafka\.replication says 3"):
        await transport.apply()
    with pytest.raises(ConfigError, match="has replication 1"):
        await transport.check("segment")


async def test_more_copies_than_brokers_are_refused_in_the_brokers_words(kafka: str) -> None:
    transport = with_kafka(kafka_settings(kafka), replication=9)
    with pytest.raises(ConfigError, match=r"frames.*replication factor"):
        await transport.apply()


async def joined(transport: KafkaTransport) -> None:
    async with transport.inbox(ARCHIVE, "segment") as inbox:
        assert inbox.is_assigned


async def test_keys_are_let_go_before_another_member_has_them(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    asked, may_go = asyncio.Event(), asyncio.Event()

    async def let_go() -> None:
        asked.set()
        await may_go.wait()

    async with transport.inbox(ARCHIVE, "segment") as first:
        first.before_handover(let_go)
        other = asyncio.create_task(joined(transport))
        await asked.wait()
        assert not first.owns("hall")
        assert not other.done()
        may_go.set()
        await other


async def test_who_does_not_let_go_is_cut_short(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    cut = asyncio.Event()

    async def let_go() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    async with transport.inbox(ARCHIVE, "segment") as first:
        first.before_handover(let_go)
        await joined(transport)
        assert cut.is_set()


async def test_records_that_are_not_ours_do_not_stop_a_file(kafka: str) -> None:
    transport = await fresh_transport(kafka)
    async with transport.outbox(ARCHIVE) as outbox:
        strange = [
            Record("hall", b"?", headers) for headers in ({}, {"ce_type": b"maskstream.frame.v9"})
        ]
        await fill(outbox, ARCHIVE, [opened(), frame(0), *strange])
    assert await begin(transport) == Begin(1, 1, is_new=False, goes_on=True)


async def test_a_file_that_loops_repeats_no_identity(kafka: str) -> None:
    transport, turns, clock = await fresh_transport(kafka), 20, SteadyClock()
    sources = feeds({"hall": [*(blank_feed(3) for _ in range(turns)), CameraRefusedError("gone")]})
    async with transport.outbox(*TOPICS) as outbox, transport.epochs(clock) as epochs:
        ingest = Ingest(sources, JPEG.encode, outbox, clock, Metrics(), epochs)
        await ingest.run(Listed([HALL.model_copy(update={"loop": True})]))
        await outbox.flush()
    found = [read(record) async for record in transport.whole(ARCHIVE)]
    frames = [each.id for each in found if isinstance(each, Frame)]
    rising = [each.epoch for each in frames[::3]]
    assert rising == sorted({*rising})
    assert len(rising) == turns
    assert frames == [("hall", epoch, seq) for epoch in rising for seq in range(3)]
    assert len(found) == turns * (1 + 3 + 1)
