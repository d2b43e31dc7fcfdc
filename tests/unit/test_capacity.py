"""What a segment is able to do: measured on made-up frames, then measured in service."""

from collections.abc import Sequence

import pytest

from connectors.jpeg import JpegCodec
from stream.capacity import measured_rate
from stream.cli.embedded import beside
from stream.device import Device
from stream.metrics import Metrics
from stream.ports import View, Window
from stream.registry import Listed
from stream.segment import Segment
from stream.stages import Spent, untold
from stream.types import Instance
from tests.support.build import frame
from tests.support.clock import VirtualClock
from tests.support.models import BrightModel
from tests.support.segmenting import Bench
from tests.support.topics import fill, roomy

TAKES_S = 0.025
JPEG = JpegCodec(quality=80, max_bytes=1_000_000, max_pixels=1_000_000)


class TakingModel(BrightModel):
    """Takes `TAKES_S` for each view, on a clock where nothing else takes any time."""

    def __init__(self, clock: VirtualClock, in_flight: int) -> None:
        super().__init__(in_flight=in_flight)
        self.clock = clock

    async def segment(
        self, batch: Sequence[View], spent: Spent = untold
    ) -> list[tuple[Instance, ...]]:
        self.clock.advance(TAKES_S)
        return await super().segment(batch, spent)


async def at_warm_up(model: TakingModel) -> float | None:
    metrics = Metrics()
    device = Device(model, model.clock, metrics)
    segment = Segment(device, JPEG.decode, Listed(()), 1_000_000, model.clock, metrics)
    window = Window(0, 0, 64, 36)
    async with beside(device.run()):
        return await measured_rate(segment, model.in_flight, JPEG.encode, window, model.clock)


@pytest.mark.parametrize("in_flight", [1, 4])
async def test_at_warm_up_it_is_measured_how_many_frames_a_second_a_segment_answers(
    in_flight: int,
) -> None:
    assert await at_warm_up(TakingModel(VirtualClock(), in_flight)) == pytest.approx(
        1 / TAKES_S, 0.15
    )


async def test_too_few_answers_at_warm_up_tell_nothing() -> None:
    class Slow(TakingModel):
        async def segment(
            self, batch: Sequence[View], spent: Spent = untold
        ) -> list[tuple[Instance, ...]]:
            self.clock.advance(60)
            return await super().segment(batch, spent)

    assert await at_warm_up(Slow(VirtualClock(), 1)) is None


async def test_what_is_not_known_yet_has_no_sample() -> None:
    metrics = Metrics()
    name = "maskstream_capacity_frames_per_second"
    assert metrics.registry.get_sample_value(name) is None
    metrics.saturated(7)
    assert metrics.registry.get_sample_value(name) == 7


async def test_what_is_measured_in_service_replaces_what_warm_up_told() -> None:
    clock = VirtualClock()
    bench = Bench(clock, TakingModel(clock, in_flight=2), transport=roomy())
    bench.metrics.saturated(1000)
    await two_windows(bench, "frames", "frames-archive")
    capacity = bench.metrics.registry.get_sample_value("maskstream_capacity_frames_per_second")
    assert capacity == pytest.approx(0.49 * 1000 + 0.51 / TAKES_S, 0.01)


async def test_who_looks_at_files_alone_tells_no_capacity() -> None:
    """It takes none of the load of live cameras, which is compared with what is told."""
    clock = VirtualClock()
    bench = Bench(clock, TakingModel(clock, in_flight=2), transport=roomy())
    await two_windows(bench, "frames-archive")
    assert bench.count("results", camera="hall") == 900
    name = "maskstream_capacity_frames_per_second"
    assert bench.metrics.registry.get_sample_value(name) is None


async def two_windows(bench: Bench, *topics: str) -> None:
    """Frames of a file for two windows and a half, of a segment that reads ``topics``."""
    async with bench.transport.outbox(*topics) as outbox:
        await fill(outbox, "frames-archive", [frame(seq, mode="archive") for seq in range(900)])
    await bench.run(*topics)


async def test_a_segment_with_little_to_do_keeps_what_it_is_able_to_do() -> None:
    clock = VirtualClock()
    bench = Bench(clock, TakingModel(clock, in_flight=20), transport=roomy())
    bench.metrics.saturated(1000)
    for seq in range(15):
        await bench.masks(frame(seq), topic="frames-archive")
        clock.advance(2)
    assert bench.metrics.registry.get_sample_value("maskstream_capacity_frames_per_second") == 1000
