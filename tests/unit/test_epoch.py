"""Every number of an epoch from 0 to its close, without a hole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.codec import Message
from stream.epoch import EpochWriter
from stream.metrics import Metrics
from stream.ports import Begin
from stream.types import EpochClosed, Frame, FrameId, Gap
from tests.support.build import frame, gap, opened
from tests.support.clock import START_US
from tests.support.topics import content, roomy


class Written:
    """A writer of an epoch, and what it wrote."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.transport = roomy()

    async def epoch(self, kept: list[int], frames: int) -> list[int | Message]:
        """Write ``kept`` of ``frames`` that were offered; frames come back as numbers."""
        async with self.transport.outbox("frames") as outbox:
            writer = EpochWriter("frames", "hall", Begin(1), outbox, self.metrics)
            await writer.open(opened())
            for seq in kept:
                await writer.write(frame(seq))
            await writer.close(frames, START_US, "stopped")
        found = await content(self.transport, "frames")
        return [each.id.seq if isinstance(each, Frame) else each for each in found]

    def count(self, name: str, **labels: str) -> float:
        found = self.metrics.registry.get_sample_value(
            f"maskstream_{name}_total", {"camera": "hall", **labels}
        )
        return found or 0


def close(frames: int) -> EpochClosed:
    return EpochClosed("hall", 1, START_US, frames, "stopped")


@pytest.fixture
def written() -> Written:
    return Written()


async def test_frames_stand_between_opened_and_closed(written: Written) -> None:
    assert await written.epoch([0, 1, 2], 3) == [opened(), 0, 1, 2, close(3)]
    assert written.count("frames_offered") == 3
    assert written.count("camera_connects") == 1


async def test_numbers_that_were_dropped_become_one_gap(written: Written) -> None:
    lines = await written.epoch([0, 4, 5], 6)
    assert lines == [opened(), 0, gap(1, 3, "overflow"), 4, 5, close(6)]
    assert written.count("frames_offered") == 6
    assert written.count("frames_dropped", reason="overflow") == 3


async def test_what_never_went_out_is_told_before_the_close(written: Written) -> None:
    assert await written.epoch([0], 3) == [opened(), 0, gap(1, 2, "overflow"), close(3)]


async def test_an_epoch_without_frames_is_opened_and_closed(written: Written) -> None:
    assert await written.epoch([], 0) == [opened(), close(0)]


async def test_frames_carry_the_identity_that_the_writer_gives() -> None:
    async with roomy().outbox("frames") as outbox:
        writer = EpochWriter("frames", "hall", Begin(7), outbox, Metrics())
        assert writer.frame_id(3) == FrameId("hall", 7, 3)


@given(st.sets(st.integers(0, 20)), st.integers(0, 5))
async def test_each_number_is_covered_once_and_in_order(kept: set[int], rest: int) -> None:
    frames = max(kept, default=-1) + 1 + rest
    _, *lines, last = await Written().epoch(sorted(kept), frames)
    covered: list[int | Message] = []
    for line in lines:
        covered += range(line.first, line.last + 1) if isinstance(line, Gap) else [line]
    assert covered == list(range(frames))
    assert last == close(frames)
