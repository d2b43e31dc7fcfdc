"""What both transports owe whoever asks for frames that are still kept, with their results."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from stream.ports import Inbox, Outbox, Retained, Transport
from stream.types import Frame, FrameId, Gap, Joined, Mode, Result
from tests.support import build
from tests.support.clock import START_US
from tests.support.kafka_transport import deleted, kafka_settings, with_kafka
from tests.support.records import some
from tests.support.segmenting import JPEG
from tests.support.topics import fill, roomy

HALL, YARD = "hall", "yard"
STEP_US = 100_000
HOUR_US = 3_600_000_000
IN_1999_US = 938_736_000_000_000
SECOND_US = 1_000_000


class World:
    """Two cameras whose frames share all there is to share, and somebody who asks for them."""

    def __init__(
        self,
        retained: Retained,
        outbox: Outbox,
        inboxes: dict[str, Inbox],
        forget: "Forget",
    ) -> None:
        self.retained = retained
        self.outbox = outbox
        self._inboxes = inboxes
        self._forget = forget

    async def offer(self, *frames: Frame, topic: str = "frames") -> list[str]:
        """Write frames; returns the ref of each."""
        await fill(self.outbox, topic, frames)
        deliveries = await some(self._inboxes[topic], len(frames))
        await self._inboxes[topic].commit(deliveries)
        return [each.ref for each in deliveries]

    async def end(self, *terminals: Result | Gap) -> None:
        """Write how frames ended."""
        await fill(self.outbox, "masks", terminals)

    async def forget(self) -> None:
        """Have all that is in ``frames`` by now be gone, as when its time is over."""
        await self._forget(self)

    async def around(
        self, at: FrameId, ref: str | None, before_us: int, after_us: int
    ) -> list[Joined]:
        async with aclosing(self.retained.around(at, ref, before_us, after_us)) as frames:
            return [each async for each in frames]


Forget = Callable[["World"], Awaitable[None]]


async def memory(_: pytest.FixtureRequest) -> tuple[Transport, Forget]:
    async def forget(world: World) -> None:
        late = shot(10_000, time_us=START_US + HOUR_US)
        await world.offer(replace(late, arrived_us=START_US + HOUR_US))

    return roomy(), forget


async def kafka(request: pytest.FixtureRequest) -> tuple[Transport, Forget]:
    settings = kafka_settings(request.getfixturevalue("kafka"), partitions=1)
    transport = with_kafka(settings)
    await transport.apply()

    async def forget(world: World) -> None:
        last = (await world.offer(shot(10_000)))[0]
        await deleted(settings, "frames", int(last.rpartition("@")[2]))

    return transport, forget


BACKENDS = {"memory": memory, "kafka": kafka}


@pytest.fixture(params=sorted(BACKENDS))
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    transport, forget = await BACKENDS[request.param](request)
    async with opened(transport, forget) as world:
        yield world


@asynccontextmanager
async def opened(transport: Transport, forget: Forget) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        inboxes: dict[str, Inbox] = {
            topic: await stack.enter_async_context(transport.inbox(topic, "test"))
            for topic in ("frames", "frames-archive")
        }
        outbox = await stack.enter_async_context(
            transport.outbox("frames", "frames-archive", "masks")
        )
        retained = await stack.enter_async_context(transport.retained())
        yield World(retained, outbox, inboxes, forget)


def shot(
    seq: int, camera: str = HALL, *, epoch: int = 1, mode: Mode = "live", time_us: int | None = None
) -> Frame:
    """A frame that looks as no other does; ten of them are a second."""
    at_us = START_US + seq * STEP_US if time_us is None else time_us
    box = (seq % 50, 2 * (seq // 50 % 20), seq % 50 + 4, 2 * (seq // 50 % 20) + 4)
    image = JPEG.encode(build.picture(box))
    return build.frame(seq, camera, epoch=epoch, mode=mode, time_us=at_us, image=image)


def seen(seq: int, camera: str = HALL, *, epoch: int = 1) -> Result:
    return build.result(seq, camera, build.instance(), epoch=epoch)


def told(found: Sequence[Joined]) -> list[tuple[FrameId, int | None]]:
    return [(each.frame.id, each.result.seq if each.result else None) for each in found]


async def test_a_frame_is_found_by_its_ref_with_its_result(world: World) -> None:
    refs = await world.offer(*(shot(seq) for seq in range(3)))
    await world.end(*(seen(seq) for seq in range(3)))
    for seq, ref in enumerate(refs):
        assert await world.retained.frame(FrameId(HALL, 1, seq), ref) == Joined(
            shot(seq), seen(seq), None
        )


@pytest.mark.parametrize("ref", [None, "frames/0@1", "frames/0@999", "frames/7@1", "frames@1", "?"])
async def test_a_frame_is_found_by_its_identity_where_the_ref_leads_elsewhere(
    world: World, ref: str | None
) -> None:
    await world.offer(*(shot(seq, camera) for seq in range(200) for camera in (HALL, YARD)))
    await world.end(*(seen(seq, camera) for seq in range(200) for camera in (YARD, HALL)))
    for seq in (0, 77, 199):
        found = await world.retained.frame(FrameId(HALL, 1, seq), ref)
        assert found == Joined(shot(seq), seen(seq), None)


async def test_a_frame_that_is_gone_is_none(world: World) -> None:
    (ref,) = await world.offer(shot(0))
    await world.end(seen(0))
    await world.forget()
    await world.end(seen(10_000))
    assert await world.retained.frame(FrameId(HALL, 1, 0), ref) is None
    assert await world.around(FrameId(HALL, 1, 0), ref, SECOND_US, SECOND_US) == []


async def test_a_frame_that_never_was_is_none(world: World) -> None:
    await world.offer(shot(0), shot(2))
    await world.end(seen(0), seen(2))
    assert await world.retained.frame(FrameId(HALL, 1, 1), None) is None
    assert await world.retained.frame(FrameId(HALL, 7, 0), None) is None
    assert await world.retained.frame(FrameId("attic", 1, 0), None) is None


async def test_a_result_that_is_late_is_waited_for(world: World) -> None:
    refs = await world.offer(shot(0), shot(1))
    await world.end(seen(0))
    asking = asyncio.create_task(world.retained.frame(FrameId(HALL, 1, 1), refs[1]))
    await asyncio.sleep(0.3)
    assert not asking.done()
    await world.end(seen(1))
    assert await asking == Joined(shot(1), seen(1), None)


async def test_a_frame_is_there_without_a_result_that_does_not_come(world: World) -> None:
    (ref,) = await world.offer(shot(0))
    assert await world.retained.frame(FrameId(HALL, 1, 0), ref) == Joined(shot(0), None, None)


async def test_a_frame_that_ended_as_a_gap_has_no_result(world: World) -> None:
    refs = await world.offer(*(shot(seq) for seq in range(5)))
    await world.end(seen(0), build.gap(1, 3), seen(4))
    found = [await world.retained.frame(FrameId(HALL, 1, seq), ref) for seq, ref in enumerate(refs)]
    assert [each and each.result and each.result.seq for each in found] == [0, None, None, None, 4]
    assert told(await world.around(FrameId(HALL, 1, 2), refs[2], SECOND_US, SECOND_US)) == [
        (FrameId(HALL, 1, seq), seq if seq in {0, 4} else None) for seq in range(5)
    ]


async def test_the_first_of_two_results_counts(world: World) -> None:
    (ref,) = await world.offer(shot(0))
    await world.end(seen(0), build.result(0))
    assert await world.retained.frame(FrameId(HALL, 1, 0), ref) == Joined(shot(0), seen(0), None)


async def test_around_is_the_span_of_that_camera_and_epoch_alone(world: World) -> None:
    all_of_them = [
        (camera, epoch, seq) for epoch in (1, 2, 3) for seq in range(150) for camera in (HALL, YARD)
    ]
    shots = [shot(seq, camera, epoch=epoch) for camera, epoch, seq in all_of_them]
    refs = dict(zip(all_of_them, await world.offer(*shots), strict=True))
    await world.end(*(seen(seq, camera, epoch=epoch) for camera, epoch, seq in all_of_them))
    for seq, first, last in ((80, 50, 100), (10, 0, 30), (140, 110, 149)):
        at = FrameId(HALL, 2, seq)
        found = await world.around(at, refs[at], 3 * SECOND_US, 2 * SECOND_US)
        assert told(found) == [(FrameId(HALL, 2, each), each) for each in range(first, last + 1)]
        assert found[0] == Joined(shot(first, epoch=2), seen(first, epoch=2), None)


async def test_around_is_what_there_is_by_now(world: World) -> None:
    refs = await world.offer(*(shot(seq) for seq in range(4)))
    await world.end(*(seen(seq) for seq in range(3)))
    found = await world.around(FrameId(HALL, 1, 2), refs[2], 60 * SECOND_US, 60 * SECOND_US)
    assert told(found) == [(FrameId(HALL, 1, seq), None if seq == 3 else seq) for seq in range(4)]


async def test_a_file_of_another_year_is_kept_as_any_camera_is(world: World) -> None:
    frames = [
        replace(shot(seq, mode="archive", time_us=IN_1999_US + seq * STEP_US), arrived_us=START_US)
        for seq in range(100)
    ]
    refs = await world.offer(*frames, topic="frames-archive")
    await world.offer(*(shot(seq, YARD) for seq in range(100)))
    await world.end(*(seen(seq, camera) for seq in range(100) for camera in (YARD, HALL)))
    at = frames[40].id
    assert await world.retained.frame(at, refs[40]) == Joined(frames[40], seen(40), None)
    assert await world.retained.frame(at, None) == Joined(frames[40], seen(40), None)
    found = await world.around(at, refs[40], SECOND_US, SECOND_US)
    assert [each.frame for each in found] == frames[30:51]


async def test_many_may_ask_at_once(world: World) -> None:
    refs = await world.offer(*(shot(seq) for seq in range(30)))
    await world.end(*(seen(seq) for seq in range(30)))
    ids = [FrameId(HALL, 1, seq) for seq in range(30)]
    spans = [world.around(at, ref, 0, 0) for at, ref in zip(ids, refs, strict=True)]
    asked = [world.retained.frame(at, ref) for at, ref in zip(ids, refs, strict=True)]
    frames, lists = await asyncio.gather(asyncio.gather(*asked), asyncio.gather(*spans))
    wanted = [Joined(shot(seq), seen(seq), None) for seq in range(30)]
    assert frames == wanted
    assert lists == [[each] for each in wanted]


async def test_who_stops_in_the_middle_of_a_span_leaves_nothing_busy(world: World) -> None:
    refs = await world.offer(*(shot(seq) for seq in range(10)))
    await world.end(*(seen(seq) for seq in range(10)))
    at = FrameId(HALL, 1, 5)
    for _ in range(20):
        async with aclosing(world.retained.around(at, refs[5], SECOND_US, SECOND_US)) as frames:
            assert (await anext(frames)).frame == shot(0)
    assert len(await world.around(at, refs[5], SECOND_US, SECOND_US)) == 10
