"""What ``memory://`` owes beyond the contract for frames that are kept: bounds, and JPEG."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from connectors.memory import MemoryTransport
from connectors.ring import TOPICS, Encode, Ring
from stream.ports import Outbox
from stream.types import Encoded, Frame, FrameId, Pixels, Raw
from tests.support import build
from tests.support.clock import START_US
from tests.support.segmenting import JPEG
from tests.support.topics import fill, roomy, settle

SECOND_US = 1_000_000


@asynccontextmanager
async def fed(ring: Ring, transport: MemoryTransport | None = None) -> AsyncIterator[Outbox]:
    """``ring`` keeps what is written; on leaving it has had all of it."""
    transport = transport or roomy()
    async with (
        transport.inbox("frames", "ring") as frames,
        transport.inbox("frames-archive", "ring") as archive,
        transport.inbox("masks", "ring") as masks,
        asyncio.TaskGroup() as group,
        transport.outbox(*TOPICS) as outbox,
    ):
        inboxes = {"frames": frames, "frames-archive": archive, "masks": masks}
        group.create_task(ring.keep(inboxes))
        yield outbox


async def kept(ring: Ring, *frames: Frame) -> list[int]:
    """The numbers of those that are still there."""
    found = [await ring.frame(each.id, None) for each in frames]
    return [each.frame.id.seq for each in found if each is not None]


def when(going: asyncio.Event) -> Encode:
    """An encoder that waits."""
    loop = asyncio.get_running_loop()

    def encode(_: Pixels) -> Encoded:
        asyncio.run_coroutine_threadsafe(going.wait(), loop).result()
        return Encoded(b"small")

    return encode


def shot(seq: int, camera: str = "hall", epoch: int = 1) -> Frame:
    """A frame of a tenth of a second."""
    return build.frame(seq, camera, epoch=epoch, time_us=START_US + seq * SECOND_US // 10)


async def test_pixels_are_kept_as_jpeg() -> None:
    pixels = build.picture((8, 8, 24, 40))
    ring = Ring(60, 60, JPEG.encode)
    async with fed(ring) as outbox:
        await fill(outbox, "frames", [build.frame(0, image=Raw(pixels))])
    found = await ring.frame(FrameId("hall", 1, 0), None)
    assert found is not None
    assert found.frame.picture == JPEG.encode(pixels)


async def test_a_picture_that_is_not_encoded_yet_holds_nobody_up() -> None:
    """A frame is there as pixels while a thread is busy with it."""
    going = asyncio.Event()
    ring = Ring(60, 60, when(going))
    frames = [shot(seq) for seq in range(4)]
    async with fed(ring) as outbox:
        await fill(outbox, "frames", frames)
        await fill(outbox, "masks", [build.result(seq) for seq in range(4)])
        for each in frames:
            found = await ring.frame(each.id, None)
            assert found is not None
            assert isinstance(found.frame.picture, Raw)
            assert found.result == build.result(each.id.seq)
        going.set()
    found = await ring.frame(frames[3].id, None)
    assert found is not None
    assert found.frame.picture == Encoded(b"small")


async def test_a_frame_stays_for_the_span_of_event_time() -> None:
    ring = Ring(span_s=1, stay_s=0, encode=JPEG.encode)
    frames = [shot(seq) for seq in range(30)]
    async with fed(ring) as outbox:
        await fill(outbox, "frames", frames)
    assert await kept(ring, *frames) == list(range(19, 30))


async def test_a_frame_stays_for_a_while_however_fast_event_time_runs() -> None:
    ring = Ring(span_s=1, stay_s=1, encode=JPEG.encode)
    hour = [
        replace(shot(seq), time_us=START_US + seq * 3600 * SECOND_US, arrived_us=START_US + at_us)
        for seq, at_us in enumerate((0, 10, SECOND_US + 1))
    ]
    async with fed(ring) as outbox:
        await fill(outbox, "frames-archive", hour)
    assert await kept(ring, *hour) == [1, 2]


async def test_an_epoch_that_is_over_goes_although_event_time_began_anew() -> None:
    ring = Ring(span_s=3600, stay_s=1, encode=JPEG.encode)
    before, after = shot(50, epoch=1), shot(0, epoch=2)
    after = replace(after, arrived_us=before.arrived_us + 2 * SECOND_US)
    async with fed(ring) as outbox:
        await fill(outbox, "frames", [before, after])
    assert await kept(ring, before) == []
    assert await kept(ring, after) == [0]


async def test_the_camera_that_has_most_loses_its_oldest_where_bytes_are_over() -> None:
    ring = Ring(3600, 3600, JPEG.encode, most_bytes=10_000)
    small = [replace(shot(seq, "yard"), picture=Encoded(bytes(1000))) for seq in range(2)]
    large = [replace(shot(seq), picture=Encoded(bytes(3000))) for seq in range(5)]
    async with fed(ring) as outbox:
        await fill(outbox, "frames", [*small, *large])
    assert await kept(ring, *small) == [0, 1]
    assert await kept(ring, *large) == [3, 4]


async def test_a_writer_waits_before_many_frames_lie_there_as_pixels() -> None:
    going = asyncio.Event()
    ring = Ring(60, 60, when(going))
    frames = [shot(seq) for seq in range(40)]
    async with fed(ring, MemoryTransport(capacity=8)) as outbox:
        writing = asyncio.create_task(fill(outbox, "frames", frames))
        await settle(1000)
        assert not writing.done()
        going.set()
        await writing
    assert await kept(ring, *frames) == list(range(40))
