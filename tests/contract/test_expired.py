"""Frames that Kafka deleted before `segment` came to read them."""

import asyncio

from stream import codec
from stream.audit import Audit
from stream.config import Settings
from stream.types import EpochClosed, EpochOpened, Gap, Result
from tests.support.build import closed, frame, opened, picture
from tests.support.kafka_transport import deleted, kafka_settings, with_kafka
from tests.support.segmenting import JPEG, Bench, Sent
from tests.support.topics import PATIENCE_S, fill

ARCHIVE = "frames-archive"


def shot(seq: int, camera: str = "hall") -> Sent:
    return frame(seq, camera, image=JPEG.encode(picture()))


async def write(settings: Settings, *sent: Sent) -> None:
    async with with_kafka(settings).outbox(ARCHIVE) as outbox:
        await fill(outbox, ARCHIVE, sent)


async def masks(settings: Settings, count: int) -> list[Result | Gap | EpochOpened | EpochClosed]:
    """What is on ``masks`` once a segmenter has made it so many records."""
    transport = with_kafka(settings)
    running = asyncio.create_task(Bench(transport=transport).run(ARCHIVE))
    found: list[codec.Message] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            await asyncio.sleep(0.1)
            found = [codec.peek(each) async for each in transport.whole("masks")]
    await transport.end()
    await running
    return [each for each in found if isinstance(each, Result | Gap | EpochOpened | EpochClosed)]


async def test_what_nobody_read_in_time_is_told_as_a_gap_for_each_camera(kafka: str) -> None:
    settings = kafka_settings(kafka, partitions=1)
    await with_kafka(settings).apply()
    await write(settings, opened(), shot(0), shot(1))
    await masks(settings, 3)
    await write(settings, shot(2), opened("yard"), shot(0, "yard"), shot(3), shot(1, "yard"))
    await deleted(settings, ARCHIVE, 8)
    await write(settings, shot(2, "yard"), shot(4), closed(5), shot(3, "yard"), closed(4, "yard"))
    found = await masks(settings, 3 + 7)
    gaps = {each.camera: each for each in found if isinstance(each, Gap)}
    assert {camera: (gap.first, gap.last, gap.reason) for camera, gap in gaps.items()} == {
        "hall": (2, 3, "expired"),
        "yard": (0, 1, "expired"),
    }
    audit = Audit()
    for each in found:
        audit.add(each)
    assert (audit.missing, [each.duplicates for each in audit.epochs]) == (0, [0, 0])


async def test_the_close_of_an_epoch_tells_of_frames_that_are_all_gone(kafka: str) -> None:
    settings = kafka_settings(kafka, partitions=1)
    await with_kafka(settings).apply()
    await write(settings, opened(), shot(0), shot(1), closed(2))
    await deleted(settings, ARCHIVE, 3)
    gap, close = await masks(settings, 2)
    assert isinstance(gap, Gap)
    assert (gap.first, gap.last, gap.reason) == (0, 1, "expired")
    assert isinstance(close, EpochClosed)
