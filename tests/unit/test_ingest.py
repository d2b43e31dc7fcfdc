"""Cameras in, frames and control records out."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pytest

from connectors.memory import MemoryTransport
from connectors.memory_state import MemoryEpochs
from stream import tracing
from stream.audit import Audit
from stream.backoff import delay_s
from stream.codec import Message
from stream.errors import CameraError, CameraRefusedError
from stream.ingest import TOPICS, Ingest, OpenFeed
from stream.metrics import Metrics
from stream.playing import HELD_FRAMES, ToPicture
from stream.ports import Feed, Inbox, Outbox, Shot
from stream.registry import Listed
from stream.sampling import Sampler
from stream.specs import CameraSpec
from stream.types import (
    CameraState,
    CameraStatus,
    EpochClosed,
    EpochOpened,
    Frame,
    Gap,
    Mode,
    Pixels,
    Raw,
    Result,
)
from tests.support.build import MODEL, picture
from tests.support.clock import START_US, VirtualClock
from tests.support.feeds import ArrayFeed, blank_feed, feeds
from tests.support.spans import Kept, examples
from tests.support.topics import PATIENCE_S, content, roomy, settle, states

Source = Feed | CameraError
Sources = Mapping[str, Iterable[Source]]

FILE_US = 1_500_000_000_000_000


def camera(
    name: str = "hall", mode: Mode = "archive", *, fps: float | None = None, loop: bool = False
) -> CameraSpec:
    return CameraSpec(id=name, url=f"{name}.mp4", mode=mode, fps=fps, loop=loop)


@dataclass
class Bench:
    """An ingest on a real transport, with virtual time."""

    transport: MemoryTransport
    clock: VirtualClock
    metrics: Metrics

    async def run(self, cameras: Sequence[CameraSpec], sources: Sources) -> None:
        """Run cameras to their end."""
        async with self.transport.outbox(*TOPICS) as outbox:
            await self.ingest(feeds(sources), outbox).run(Listed(cameras))

    def ingest(self, open_feed: OpenFeed, outbox: Outbox, to_picture: ToPicture = Raw) -> Ingest:
        return Ingest(open_feed, to_picture, outbox, self.clock, self.metrics, MemoryEpochs())

    @asynccontextmanager
    async def running(
        self, cameras: Sequence[CameraSpec], sources: Sources
    ) -> AsyncIterator["asyncio.Task[None]"]:
        """Run cameras until the block ends; then they are stopped."""
        running = asyncio.create_task(self.run(cameras, sources))
        yield running
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def status(self, name: str) -> list[tuple[str, str]]:
        """(state, reason) of a camera, as they came."""
        return await states(self.transport, name)

    def state(self, name: str) -> set[CameraState]:
        """The states that a camera is said to be in."""
        return {each for each in get_args(CameraState) if self.figure("state", name, state=each)}

    def figure(self, metric: str, name: str, **labels: str) -> float | None:
        labels = {"camera": name, **labels}
        return self.metrics.registry.get_sample_value(f"maskstream_camera_{metric}", labels)


@pytest.fixture
def bench() -> Bench:
    return Bench(roomy(), VirtualClock(), Metrics())


def wait_s(failures: int) -> float:
    return delay_s("hall", failures, CameraError.retry_s)


def frames(found: Iterable[Frame | Message]) -> list[Frame]:
    return [each for each in found if isinstance(each, Frame)]


def closes(found: Iterable[Frame | Message]) -> list[tuple[int, int, str]]:
    """(epoch, frames, reason) of each close."""
    return [
        (each.epoch, each.frames, each.reason) for each in found if isinstance(each, EpochClosed)
    ]


def audited(found: Iterable[Frame | Message]) -> Audit:
    """The audit of what segment would make of these records."""
    audit = Audit()
    for each in found:
        if isinstance(each, Frame):
            times = (each.time_us, each.arrived_us)
            audit.add(Result(*each.id, *times, each.size, MODEL, ()))
        elif isinstance(each, EpochOpened | EpochClosed | Gap):
            audit.add(each)
    return audit


async def arrived(inbox: Inbox, count: int) -> None:
    """Return when so many records have come."""
    while count > 0:
        count -= len(await inbox.receive(count, PATIENCE_S))


async def test_a_file_is_offered_frame_by_frame_in_its_own_time(bench: Bench) -> None:
    await bench.run([camera()], {"hall": [blank_feed(5, started_us=FILE_US)]})
    opened, *shown, closed = await content(bench.transport, "frames-archive")
    assert opened == EpochOpened("hall", 1, FILE_US, "archive", (48, 64), 10.0, 5)
    assert [frame.id.seq for frame in frames(shown)] == [0, 1, 2, 3, 4]
    assert [frame.time_us - FILE_US for frame in frames(shown)] == [
        0,
        100_000,
        200_000,
        300_000,
        400_000,
    ]
    assert {frame.arrived_us for frame in frames(shown)} == {START_US}
    assert {frame.mode for frame in frames(shown)} == {"archive"}
    assert closed == EpochClosed("hall", 1, FILE_US + 400_000, 5, "ended")
    assert await bench.status("hall") == [("connecting", ""), ("live", ""), ("ended", "")]
    assert bench.state("hall") == {"ended"}


async def test_a_file_without_a_time_of_its_own_counts_from_now(bench: Bench) -> None:
    await bench.run([camera()], {"hall": [blank_feed(2)]})
    opened, first, second, _ = await content(bench.transport, "frames-archive")
    assert isinstance(opened, EpochOpened)
    assert opened.time_us == START_US
    assert [frame.time_us for frame in frames([first, second])] == [START_US, START_US]


async def test_a_file_that_began_at_the_origin_of_time_keeps_it(bench: Bench) -> None:
    await bench.run([camera()], {"hall": [blank_feed(0, started_us=0)]})
    *_, closed = await content(bench.transport, "frames-archive")
    assert closed == EpochClosed("hall", 1, 0, 0, "ended")


async def test_a_live_camera_counts_time_from_arrival(bench: Bench) -> None:
    await bench.run([camera(mode="live")], {"hall": [blank_feed(3, started_us=FILE_US)]})
    found = await content(bench.transport, "frames")
    assert {(each.time_us, each.arrived_us) for each in frames(found)} == {(START_US, START_US)}
    assert closes(found) == [(1, 3, "ended")]


async def test_only_sampled_frames_are_offered_and_only_those_are_converted(bench: Bench) -> None:
    converted: list[int] = []

    def convert(pixels: Pixels) -> Raw:
        converted.append(int(pixels[0, 0, 0]))
        return Raw(pixels)

    pictures = [np.full((4, 6, 3), number, np.uint8) for number in range(9)]
    source = ArrayFeed(pictures, fps=30, started_us=FILE_US)
    async with bench.transport.outbox(*TOPICS) as outbox:
        await bench.ingest(feeds({"hall": [source]}), outbox, convert).run(Listed([camera(fps=10)]))
    opened, *found = await content(bench.transport, "frames-archive")
    assert isinstance(opened, EpochOpened)
    assert opened.fps == 10
    assert converted == [0, 3, 6]
    assert [(each.id.seq, each.time_us - FILE_US) for each in frames(found)] == [
        (0, 0), (1, 100_000), (2, 200_000),
    ]  # fmt: skip
    assert closes(found) == [(1, 3, "ended")]


@pytest.mark.parametrize(("mode", "topic"), [("live", "frames"), ("archive", "frames-archive")])
async def test_what_nobody_is_to_see_is_in_no_frame_whatever_its_size(
    bench: Bench, mode: Mode, topic: str
) -> None:
    left_half = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    spec = camera(mode=mode).model_copy(update={"privacy": (left_half,)})
    white = [np.full((*size, 3), 255, np.uint8) for size in ((40, 60), (80, 100))]
    await bench.run([spec], {"hall": [ArrayFeed(white)]})
    found = frames(await content(bench.transport, topic))
    assert [frame.size for frame in found] == [(40, 60), (80, 100)]
    for frame in found:
        assert isinstance(frame.picture, Raw)
        middle = frame.size[1] // 2
        assert not frame.picture.pixels[:, :middle].any()
        assert (frame.picture.pixels[:, middle + 5 :] == 255).all()


async def test_a_file_waits_for_a_slow_reader_and_loses_nothing() -> None:
    bench = Bench(MemoryTransport(capacity=2), VirtualClock(), Metrics())
    async with bench.transport.inbox("frames-archive", "test"):
        running = asyncio.create_task(bench.run([camera()], {"hall": [blank_feed(20)]}))
        await settle(200)
        assert not running.done()
    found = await content(bench.transport, "frames-archive")
    await running
    assert [frame.id.seq for frame in frames(found)] == list(range(20))
    assert audited(found).passed


async def test_a_live_camera_never_waits_and_drops_the_oldest_into_a_gap() -> None:
    bench = Bench(MemoryTransport(capacity=2), VirtualClock(), Metrics())
    source = blank_feed(40)
    async with bench.transport.inbox("frames", "test"):
        running = asyncio.create_task(bench.run([camera(mode="live")], {"hall": [source]}))
        await source.exhausted.wait()
    found = await content(bench.transport, "frames")
    await running
    audit = audited(found)
    (epoch,) = audit.epochs
    assert epoch.complete
    assert epoch.offered == 40
    assert epoch.gaps["overflow"] == 40 - epoch.results > 0
    newest = list(range(40 - HELD_FRAMES, 40))
    assert [frame.id.seq for frame in frames(found)][-HELD_FRAMES:] == newest
    offered = {"camera": "hall"}
    assert bench.metrics.registry.get_sample_value("maskstream_frames_offered_total", offered) == 40


async def test_a_file_that_is_refused_fails_with_its_reason_and_others_go_on(bench: Bench) -> None:
    refused = CameraRefusedError("camera gone: No such file or directory: gone.mp4")
    sources: Sources = {"gone": [refused], "hall": [blank_feed(3)]}
    await bench.run([camera("gone"), camera("hall")], sources)
    assert await bench.status("gone") == [
        ("connecting", ""),
        ("failed", "No such file or directory: gone.mp4"),
    ]
    assert closes(await content(bench.transport, "frames-archive")) == [(1, 3, "ended")]


async def test_a_file_that_breaks_off_is_closed_as_lost_and_fails(bench: Bench) -> None:
    broken = ArrayFeed([picture()] * 3, error=CameraError("camera hall: Invalid data"))
    await bench.run([camera()], {"hall": [broken]})
    found = await content(bench.transport, "frames-archive")
    assert closes(found) == [(1, 3, "lost")]
    assert audited(found).passed
    assert (await bench.status("hall"))[-1] == ("failed", "Invalid data")


async def test_a_live_camera_that_is_lost_comes_back_in_a_new_epoch(bench: Bench) -> None:
    lost = CameraError("camera hall: the connection was lost")
    sources: list[Source] = [ArrayFeed([picture()] * 2, error=lost), lost, blank_feed(1)]
    await bench.run([camera(mode="live")], {"hall": sources})
    found = await content(bench.transport, "frames")
    assert [(epoch, reason) for epoch, _, reason in closes(found)] == [(1, "lost"), (2, "ended")]
    assert audited(found).passed
    assert [state for state, _ in await bench.status("hall")] == [
        "connecting", "live", "lost", "live", "ended",
    ]  # fmt: skip


async def test_a_camera_is_lost_since_it_was_lost_first_whatever_reasons_follow(
    bench: Bench,
) -> None:
    reasons = ["no answer", "Connection refused", "Connection refused", "no route"]
    lost = [CameraError(f"camera hall: {reason}") for reason in reasons]
    silent = ArrayFeed([picture()], error=CameraError("camera hall: it fell silent"))
    sources: list[Source] = [silent, *lost, blank_feed(1)]
    await bench.run([camera(mode="live")], {"hall": sources})
    found = await content(bench.transport, "camera-status")
    told = [each for each in found if isinstance(each, CameraStatus) and each.state == "lost"]
    assert [each.reason for each in told] == [
        "it fell silent", "no answer", "Connection refused", "no route",
    ]  # fmt: skip
    assert len({each.time_us for each in told}) == len(told)
    assert {each.began_us for each in told} == {told[0].time_us}


async def test_the_log_says_once_what_becomes_of_a_camera(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "stream.ingest")
    refused = CameraError("camera hall: Connection refused")
    gone = CameraRefusedError("camera yard: No such file or directory: yard.mp4")
    sources: Sources = {"hall": [refused, refused, blank_feed(1)], "yard": [gone]}
    await bench.run([camera(mode="live"), camera("yard")], sources)
    hall = [each for each in caplog.messages if each.startswith("camera hall: ")]
    assert hall == [
        "camera hall: connecting", "camera hall: lost: Connection refused",
        "camera hall: live", "camera hall: ended",
    ]  # fmt: skip
    warned = {each.getMessage() for each in caplog.records if each.levelno == logging.WARNING}
    assert warned == {
        "camera hall: lost: Connection refused",
        "camera yard: failed: No such file or directory: yard.mp4",
    }


async def test_a_dark_camera_is_tried_ever_less_often_up_to_a_bound(bench: Bench) -> None:
    refused = [CameraError("camera hall: Connection refused") for _ in range(7)]
    await bench.run([camera(mode="live")], {"hall": [*refused, blank_feed(1)]})
    assert bench.clock.slept_s == [wait_s(failures) for failures in range(7)]


async def test_a_camera_that_was_there_for_a_while_is_looked_for_at_once(bench: Bench) -> None:
    class LongLived(ArrayFeed):
        async def shots(self, sampler: Sampler) -> AsyncIterator[Shot]:
            bench.clock.advance(60)
            async for shot in super().shots(sampler):
                yield shot

    lost = CameraError("camera hall: the connection was lost")
    sources: list[Source] = [lost, lost, LongLived([picture()], error=lost), blank_feed(1)]
    await bench.run([camera(mode="live")], {"hall": sources})
    assert bench.clock.slept_s == [wait_s(0), wait_s(1), wait_s(0)]
    assert bench.figure("reconnects_total", "hall") == 2


async def test_a_camera_that_was_never_lost_came_back_no_times(bench: Bench) -> None:
    await bench.run([camera(mode="live")], {"hall": [blank_feed(2)]})
    assert bench.figure("reconnects_total", "hall") == 0


@pytest.mark.parametrize("fps", [None, 3, 7, 10, 25])
async def test_a_file_says_how_many_frames_it_will_offer(bench: Bench, fps: float | None) -> None:
    await bench.run([camera(fps=fps)], {"hall": [blank_feed(34)]})
    opened, *shown, _ = await content(bench.transport, "frames-archive")
    assert isinstance(opened, EpochOpened)
    assert opened.expected == len(frames(shown))
    assert opened.fps == min(fps or 10, 10)


async def test_a_file_that_loops_begins_a_new_epoch_each_time(bench: Bench) -> None:
    gone = CameraRefusedError("camera hall: taken away")
    await bench.run([camera(loop=True)], {"hall": [blank_feed(2), blank_feed(2), gone]})
    found = await content(bench.transport, "frames-archive")
    assert [frame.id[1:] for frame in frames(found)] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert closes(found) == [(1, 2, "ended"), (2, 2, "ended")]


@pytest.mark.parametrize(("mode", "topic"), [("live", "frames"), ("archive", "frames-archive")])
async def test_stopping_closes_the_epoch_without_a_hole(
    bench: Bench, mode: Mode, topic: str
) -> None:
    gate = asyncio.Semaphore(3)
    source = ArrayFeed([picture()] * 10, gate=gate)
    async with (
        bench.running([camera(mode=mode)], {"hall": [source]}),
        bench.transport.inbox(topic, "watching") as inbox,
    ):
        await arrived(inbox, 4)  # opened, and three frames
    found = await content(bench.transport, topic)
    assert closes(found) == [(1, 3, "stopped")]
    assert audited(found).passed


async def test_a_file_stopped_while_it_waits_counts_only_what_was_written() -> None:
    bench = Bench(MemoryTransport(capacity=3), VirtualClock(), Metrics())
    async with bench.transport.inbox("frames-archive", "test") as inbox:
        running = asyncio.create_task(bench.run([camera()], {"hall": [blank_feed(9)]}))
        await arrived(inbox, 3)  # opened, and two frames: the transport is full
        running.cancel()
        await settle()
    found = await content(bench.transport, "frames-archive")
    await asyncio.gather(running, return_exceptions=True)
    assert [frame.id.seq for frame in frames(found)] == [0, 1]
    assert closes(found) == [(1, 2, "stopped")]
    assert audited(found).passed


async def test_a_live_camera_stopped_while_it_waits_tells_what_it_held() -> None:
    bench = Bench(MemoryTransport(capacity=3), VirtualClock(), Metrics())
    source = ArrayFeed([picture()] * 9, gate=(gate := asyncio.Semaphore(5)))
    async with bench.transport.inbox("frames", "test"):
        running = asyncio.create_task(bench.run([camera(mode="live")], {"hall": [source]}))
        while not gate.locked():
            await settle()
        running.cancel()
        await settle()
    found = await content(bench.transport, "frames")
    await asyncio.gather(running, return_exceptions=True)
    assert closes(found) == [(1, 5, "stopped")]
    assert audited(found).epochs[0].complete


async def test_while_pictures_come_the_camera_is_live(bench: Bench) -> None:
    source = ArrayFeed([picture()] * 2, gate=asyncio.Semaphore(0))
    async with bench.running([camera(mode="live")], {"hall": [source]}):
        await settle()
        assert bench.state("hall") == {"live"}


async def test_cameras_run_side_by_side(bench: Bench) -> None:
    names = [f"camera-{number}" for number in range(5)]
    await bench.run([camera(name) for name in names], {name: [blank_feed(4)] for name in names})
    audit = audited(await content(bench.transport, "frames-archive"))
    assert [(each.camera, each.results, each.complete) for each in audit.epochs] == [
        (name, 4, True) for name in names
    ]


@pytest.mark.parametrize("mode", ["live", "archive"])
async def test_the_way_of_a_frame_is_told_by_stage_and_by_age(bench: Bench, mode: Mode) -> None:
    await bench.run([camera(mode=mode)], {"hall": [blank_feed(3)]})
    count = bench.metrics.registry.get_sample_value
    for stage in ("decode", "encode", "publish"):
        labels = {"stage": f"ingest_{stage}"}
        assert count("maskstream_stage_seconds_count", labels) == 3
    ages = count("maskstream_frame_age_seconds_count", {"at": "published"})
    assert ages == (3 if mode == "live" else None)
    assert examples(bench.metrics.registry) == {}


@pytest.mark.parametrize("mode", ["live", "archive"])
async def test_a_frame_that_is_traced_is_the_example_of_its_times_and_its_age(
    bench: Bench, mode: Mode
) -> None:
    kept = Kept()
    with tracing.traced_by(kept):
        await bench.run([camera(mode=mode)], {"hall": [blank_feed(1)]})
    stages = [("stage_seconds", f"ingest_{stage}") for stage in ("decode", "encode", "publish")]
    ages = [("frame_age_seconds", "published")] if mode == "live" else []
    trace = {kept.spans[0].place.trace_id}
    assert examples(bench.metrics.registry) == dict.fromkeys([*stages, *ages], trace)


@pytest.mark.parametrize(
    ("decoded_us", "told"),
    [(START_US + 7000, [(START_US, START_US + 7000)]), (None, [])],
    ids=["a camera on the network", "a file"],
)
async def test_the_decoder_is_in_the_trace_of_what_came_before_it_was_decoded(
    bench: Bench, decoded_us: int | None, told: list[tuple[int, int]]
) -> None:
    class Decoded(ArrayFeed):
        async def shots(self, sampler: Sampler) -> AsyncIterator[Shot]:
            async for shot in super().shots(sampler):
                yield replace(shot, decoding_us=5000, decoded_us=decoded_us)

    kept = Kept()
    with tracing.traced_by(kept):
        await bench.run([camera(mode="live")], {"hall": [Decoded([picture()])]})
    spans = {each.name: each.spans_us for each in kept.spans}
    assert [spans[name] for name in spans if name == "decode"] == told
    assert {"ingest", "convert", "encode", "publish"} <= spans.keys()
