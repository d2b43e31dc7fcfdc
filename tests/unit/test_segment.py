"""Frames in, exactly one terminal for each out."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import pytest

from connectors.clock import SteadyClock
from connectors.jpeg import JpegCodec
from connectors.memory_state import MemoryEpochs
from stream import codec, tracing
from stream.halving import Instances
from stream.ingest import TOPICS as INGEST_TOPICS
from stream.ingest import Ingest
from stream.ports import View
from stream.registry import Listed
from stream.specs import CameraSpec
from stream.stages import Spent, untold
from stream.types import (
    Encoded,
    Frame,
    Mode,
    Pixels,
    Raw,
    Result,
)
from tests.support.build import closed, frame, gap, health, opened, picture, rectangle
from tests.support.clock import START_US, VirtualClock
from tests.support.feeds import ArrayFeed, feeds
from tests.support.models import BrightModel
from tests.support.segmenting import BOX, JPEG, MAX_AGE_S, Bench, Sent, audited, brief
from tests.support.spans import Kept, examples
from tests.support.topics import PATIENCE_S, fill, messages


@pytest.fixture
def bench() -> Bench:
    return Bench()


def live(seq: int, camera: str = "hall", *, age_s: float = 0.0) -> Frame:
    """A black frame of a live camera, a JPEG, that arrived so long ago."""
    black = JpegCodec(80, 10**6, 10**6).encode(picture())
    return frame(seq, camera, mode="live", time_us=START_US - round(age_s * 1e6), image=black)


def shown(pixels: Pixels, seq: int = 0, camera: str = "hall") -> Frame:
    """A frame of a file with these pixels."""
    return frame(seq, camera, image=Raw(pixels), size=pixels.shape[:2])


async def test_what_is_bright_is_an_instance_with_its_exact_mask(bench: Bench) -> None:
    (seen,) = await bench.masks(shown(picture(BOX)))
    assert isinstance(seen, Result)
    (instance,) = seen.instances
    assert instance.mask == rectangle(BOX)
    assert (instance.label, instance.score, instance.box) == ("white", 1.0, (10, 8, 30, 24))
    assert (seen.id, seen.size, seen.model) == (("hall", 1, 0), (48, 64), bench.model.ref)
    assert seen.frame_ref == "frames@0"


async def test_jpeg_pictures_are_decoded(bench: Bench) -> None:
    (seen,) = await bench.masks(frame(image=JPEG.encode(picture(BOX))))
    assert isinstance(seen, Result)
    assert seen.instances[0].mask == rectangle(BOX)


async def test_a_frame_with_nothing_in_it_has_a_result_all_the_same(bench: Bench) -> None:
    (seen,) = await bench.masks(frame())
    assert isinstance(seen, Result)
    assert seen.instances == ()


async def test_control_records_are_forwarded_untouched_and_in_order(bench: Bench) -> None:
    around: list[Sent] = [
        opened(mode="live"),
        gap(0, 3, "overflow"),
        health(4, "frozen"),
        live(4),
        gap(5, 5, "overflow"),
        closed(6),
        health(6),
    ]
    found = await bench.masks(*around)
    assert brief(found) == [
        "EpochOpened", "0-3 overflow", "CameraHealth", "4", "5-5 overflow", "EpochClosed",
        "CameraHealth",
    ]  # fmt: skip
    assert [*found[:3], *found[4:]] == [*around[:3], *around[4:]]
    assert audited(found).epochs[0].complete


async def test_a_stale_frame_becomes_a_gap_before_it_is_decoded(bench: Bench) -> None:
    found = await bench.masks(live(0, age_s=MAX_AGE_S + 0.001), live(1, age_s=MAX_AGE_S))
    assert brief(found) == ["0-0 stale", "1"]
    assert len(bench.decoded) == 1
    assert bench.count("gaps", camera="hall", reason="stale") == 1
    assert bench.count("results", camera="hall") == 1


async def test_a_frame_of_a_file_is_never_too_old(bench: Bench) -> None:
    assert brief(await bench.masks(frame(0, time_us=START_US - 10**12))) == ["0"]


class SlowModel(BrightModel):
    """Takes as long as it is told, in virtual time; once each."""

    def __init__(self, clock: VirtualClock, *seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = list(seconds)

    async def segment(self, batch: Sequence[View], spent: Spent = untold) -> list[Instances]:
        self._clock.advance(self._seconds.pop(0) if self._seconds else 0.0)
        return await super().segment(batch, spent)


async def one_by_one(bench: Bench, frames: Iterable[Frame]) -> list[str]:
    """Each frame is sent once the one before it was answered, fresh as it comes."""
    words: list[str] = []
    async with bench.transport.outbox("frames") as outbox:
        running = asyncio.create_task(bench.run("frames"))
        async with bench.transport.inbox("masks", "test") as inbox:
            for each in frames:
                now_us = bench.clock.now_us()
                await fill(outbox, "frames", [replace(each, time_us=now_us, arrived_us=now_us)])
                (answer,) = await inbox.receive(1, PATIENCE_S)
                await inbox.commit([answer])
                words += brief([codec.decode(answer.record)])
    await running
    return words


async def test_as_long_as_answers_come_in_time_every_fresh_frame_is_segmented() -> None:
    clock = VirtualClock()
    bench = Bench(clock, SlowModel(clock, *[0.9] * 30))
    assert await one_by_one(bench, [live(seq) for seq in range(30)]) == [str(n) for n in range(30)]


async def test_a_frame_that_would_be_too_old_when_answered_is_stale_already() -> None:
    clock = VirtualClock()
    bench = Bench(clock, SlowModel(clock, 20.0))
    words = await one_by_one(bench, [live(seq) for seq in range(40)])
    assert words[:3] == ["0", "1-1 stale", "2-2 stale"]
    # One slow batch, a warm-up perhaps, does not turn frames away for ever.
    assert words[20:] == [str(seq) for seq in range(20, 40)]


async def test_a_device_that_stays_too_slow_is_tried_now_and_then() -> None:
    clock = VirtualClock()
    bench = Bench(clock, SlowModel(clock, *[20.0] * 40))
    words = await one_by_one(bench, [live(seq) for seq in range(40)])
    assert 3 <= sum(word.isdigit() for word in words) <= 10


async def test_slow_files_do_not_make_live_frames_stale() -> None:
    clock = VirtualClock()
    bench = Bench(clock, SlowModel(clock, *[30.0] * 5))
    words = await one_by_one(bench, [*[frame(seq, "file") for seq in range(5)], live(5)])
    assert words == ["0", "1", "2", "3", "4", "5"]


async def test_a_camera_with_a_roi_is_looked_at_there_alone_in_frame_coordinates() -> None:
    roi = CameraSpec(id="hall", url="hall.mp4", roi=(0.5, 0.0, 1.0, 1.0))
    bench = Bench(cameras={"hall": roi})
    pixels = picture((2, 2, 10, 10), (20, 4, 40, 12), (50, 20, 60, 40))
    one, other = await bench.masks(shown(pixels), shown(pixels, camera="yard"))
    assert isinstance(one, Result)
    assert isinstance(other, Result)
    assert {each.mask for each in one.instances} == {
        rectangle((32, 4, 40, 12)), rectangle((50, 20, 60, 40)),
    }  # fmt: skip
    assert len(other.instances) == 3


async def test_a_camera_with_tiles_sees_each_object_once() -> None:
    tiled = CameraSpec(id="hall", url="hall.mp4", tiles={"columns": 2, "rows": 1, "overlap": 0.5})
    bench = Bench(cameras={"hall": tiled})
    boxes = [(2, 2, 10, 10), (26, 20, 36, 30), (56, 8, 62, 40)]
    (seen,) = await bench.masks(shown(picture(*boxes)))
    assert isinstance(seen, Result)
    assert {each.mask for each in seen.instances} == {rectangle(box) for box in boxes}
    assert len(seen.instances) == 3


async def test_a_camera_has_labels_and_a_threshold_of_its_own() -> None:
    pixels = picture((2, 2, 10, 10), (20, 4, 30, 12))
    pixels[20:30, 40:50] = (0, 0, 255)
    pixels[4:12, 20:30] = 140
    cameras = {
        "red": CameraSpec(id="red", url="a.mp4", labels=("red",)),
        "bright": CameraSpec(id="bright", url="b.mp4", confidence=0.9),
    }
    bench = Bench(cameras=cameras)
    found = await bench.masks(*[shown(pixels, camera=name) for name in ("red", "bright", "all")])
    seen = {
        each.camera: sorted((one.label, one.score > 0.9) for one in each.instances)
        for each in found
        if isinstance(each, Result)
    }
    assert seen == {
        "red": [("red", True)],
        "bright": [("red", True), ("white", True)],
        "all": [("red", True), ("white", False), ("white", True)],
    }


async def test_live_and_archive_are_segmented_side_by_side_in_shared_batches() -> None:
    model = BrightModel(batch_size=4, in_flight=2)
    bench = Bench(SteadyClock(), model)
    now_us = bench.clock.now_us()
    async with bench.transport.outbox("frames", "frames-archive") as outbox:
        for seq in range(40):
            fresh = replace(live(seq, "yard"), arrived_us=now_us + 60_000_000)
            await fill(outbox, "frames", [fresh])
            await fill(outbox, "frames-archive", [frame(seq, "hall")])
        await fill(outbox, "frames", [closed(40, "yard")])
        await fill(outbox, "frames-archive", [closed(40, "hall")])
    await bench.run("frames", "frames-archive")
    audit = audited(await messages(bench.transport, "masks"))
    assert [(each.camera, each.results, each.complete) for each in audit.epochs] == [
        ("hall", 40, True), ("yard", 40, True),
    ]  # fmt: skip
    assert all(each.out_of_order == each.duplicates == 0 for each in audit.epochs)
    assert max(model.batches) == 4


async def test_from_camera_to_masks_nothing_is_lost() -> None:
    bench = Bench(SteadyClock(), BrightModel(batch_size=2, in_flight=2))
    moving = [picture((x, 10, x + 8, 30)) for x in range(40)]
    cameras = tuple(CameraSpec(id=name, url="x.mp4", mode="archive") for name in ("hall", "yard"))
    open_feed = feeds({camera.id: [ArrayFeed(moving)] for camera in cameras})

    async def ingest() -> None:
        async with bench.transport.outbox(*INGEST_TOPICS) as outbox:
            loop = Ingest(
                open_feed, JPEG.encode, outbox, bench.clock, bench.metrics, MemoryEpochs()
            )
            await loop.run(Listed(cameras))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ingest())
        tasks.create_task(bench.run("frames-archive"))
    found = await messages(bench.transport, "masks")
    audit = audited(found)
    assert [(each.camera, each.results, each.complete) for each in audit.epochs] == [
        ("hall", 40, True), ("yard", 40, True),
    ]  # fmt: skip
    for each in found:
        if isinstance(each, Result):
            assert each.instances[0].mask == rectangle((each.seq, 10, each.seq + 8, 30))
    assert bench.count("instances", camera="hall") == 40


@pytest.mark.parametrize(("mode", "ages"), [("live", True), ("archive", False)])
async def test_the_way_of_a_frame_is_told_by_stage_and_of_live_ones_by_age(
    mode: Mode, ages: bool
) -> None:
    """How long a file waits for its turn is no latency."""
    bench = Bench()
    clock = bench.clock
    assert isinstance(clock, VirtualClock)
    shown = picture(BOX)
    shot = partial(frame, mode=mode)
    frames = [shot(seq, image=JPEG.encode(shown), time_us=START_US - 500_000) for seq in range(3)]
    torn = shot(3, image=Encoded(b"\xff\xd8"), time_us=START_US)
    await bench.masks(*frames, torn, topic="frames" if ages else "frames-archive")

    def figure(name: str, **labels: str) -> float | None:
        return bench.metrics.registry.get_sample_value(f"maskstream_{name}", labels)

    for stage, count in (("decode", 3), ("wait", 3), ("publish", 3)):
        assert figure("stage_seconds_count", stage=f"segment_{stage}") == count
    for at, count in (("received", 4), ("segmented", 3)):
        assert figure("frame_age_seconds_count", at=at) == (count if ages else None)
        assert (figure("frame_age_seconds_sum", at=at) or 0) == pytest.approx(1.5 * ages)
    assert figure("result_age_seconds_count", camera="hall") == (3 if ages else None)
    assert figure("frame_instances_count") == 3
    assert figure("frame_instances_sum") == 3
    assert figure("model_info", model="bright", hash="b" * 64, precision="f32") == 1
    assert figure("gaps_total", camera="hall", reason="dead_letter") == 1
    assert figure("gaps_total", camera="hall", reason="stale") == 0


async def test_a_frame_that_is_traced_is_the_example_of_its_times_and_ages(bench: Bench) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    first, second = (
        codec.encode_frame(frame(seq, mode="live", image=JPEG.encode(picture(BOX))))
        for seq in range(2)
    )
    with tracing.traced_by(Kept()):
        traced = tracing.carrying(first, f"00-{trace}-00f067aa0ba902b7-01".encode())
        await bench.masks(traced, second)
    found = examples(bench.metrics.registry)
    assert {(trace,)} == {(*each,) for each in found.values()}
    assert found.keys() == {
        *(("stage_seconds", f"segment_{stage}") for stage in ("decode", "wait", "publish")),
        *(("frame_age_seconds", at) for at in ("received", "segmented")),
        ("result_age_seconds", "hall"),
        ("batch_service_seconds",),
    }
