"""Ingest tells how live cameras are, in order with their frames."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise

import numpy as np
import pytest

from connectors.memory import MemoryTransport
from connectors.memory_state import MemoryEpochs
from stream import playing, telling
from stream.audit import Audit
from stream.codec import Message
from stream.errors import CameraChangedError, CameraError, CameraRefusedError
from stream.ingest import TOPICS, Ingest
from stream.metrics import Metrics
from stream.ports import Feed
from stream.registry import Listed
from stream.specs import CameraHealthSpec, CameraSpec
from stream.types import CameraHealth, EpochClosed, EpochOpened, Frame, Gap, Pixels, Raw, Result
from tests.support.build import MODEL
from tests.support.clock import START_US, VirtualClock
from tests.support.feeds import ArrayFeed, feeds
from tests.support.topics import PATIENCE_S, content, read, roomy

HALL = CameraSpec(id="hall", url="rtsp://127.0.0.1/hall", fps=10)
LOST = CameraError("camera hall: the connection was lost")
GONE = CameraRefusedError("camera hall: taken away")


def noise(count: int, size: tuple[int, int] = (72, 128)) -> list[Pixels]:
    """What a camera sees that is well: never twice the same."""
    pixels = np.random.default_rng(0).integers(60, 200, (count, *size, 3), np.uint8)
    return list(pixels)


def black(count: int) -> list[Pixels]:
    return [np.zeros((72, 128, 3), np.uint8)] * count


def live(pictures: Sequence[Pixels], error: CameraError | None = None) -> ArrayFeed:
    return ArrayFeed(pictures, paced=True, error=error)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """All frames are kept that come faster than they are written."""
    monkeypatch.setattr(playing, "HELD_FRAMES", 1000)


class Bench:
    """An ingest of one camera."""

    def __init__(self, transport: MemoryTransport | None = None) -> None:
        self.transport = transport or roomy()
        self.metrics = Metrics()
        self.clock = VirtualClock()

    async def run(
        self, sources: Iterable[Feed | CameraError], spec: CameraHealthSpec | None = None
    ) -> None:
        async with self.transport.outbox(*TOPICS) as outbox:
            open_feed = feeds({"hall": [*sources, GONE]})
            ingest = Ingest(open_feed, Raw, outbox, self.clock, self.metrics, MemoryEpochs())
            looping = HALL.model_copy(update={"loop": True})
            await ingest.run(Listed((looping,)), spec or CameraHealthSpec())

    async def frames(self, *sources: Feed | CameraError) -> list[Frame | Message]:
        """What is on frames when these sources have come one after another."""
        await self.run(sources)
        return await content(self.transport, "frames")

    def holds(self, condition: str) -> float | None:
        labels: Mapping[str, str] = {"camera": "hall", "condition": condition}
        return self.metrics.registry.get_sample_value("maskstream_camera_condition", dict(labels))


def health(found: Iterable[Frame | Message], condition: str) -> list[CameraHealth]:
    """What is told of a condition."""
    told = [each for each in found if isinstance(each, CameraHealth)]
    return [each for each in told if each.condition == condition]


def place(told: CameraHealth) -> tuple[int, int, bool]:
    return told.epoch, told.seq, told.is_on


@pytest.mark.usefixtures("unhurried")
async def test_a_camera_that_goes_black_says_so_before_the_frame_that_shows_it() -> None:
    bench = Bench()
    found = await bench.frames(live([*noise(20), *black(30), *noise(5)]))
    assert [place(each) for each in health(found, "black")] == [
        (1, 0, False), (1, 30, True), (1, 50, False),
    ]  # fmt: skip
    began = health(found, "black")[1]
    at = found.index(began)
    before, after = found[at - 1], found[at + 1]
    assert isinstance(before, Frame)
    assert isinstance(after, Frame)
    assert (before.id.seq, after.id.seq, after.time_us) == (29, 30, began.time_us)
    assert (began.since_us, began.detail) == (START_US + 2_000_000, "for 1 s")
    assert bench.holds("black") == 0


@pytest.mark.usefixtures("unhurried")
async def test_what_lasts_is_told_again_every_five_seconds() -> None:
    found = await Bench().frames(live([*noise(10), *black(170)]))
    told = [each.time_us - START_US for each in health(found, "black") if each.is_on]
    assert told == [2_000_000, 7_000_000, 12_000_000, 17_000_000]
    frozen = health(found, "frozen")
    assert [place(each) for each in frozen] == [(1, 1, False), (1, 110, True), (1, 160, True)]
    assert frozen[-1].since_us == START_US + 1_000_000
    assert frozen[-1].detail == "the same picture for 15 s"


@pytest.mark.usefixtures("unhurried")
async def test_a_lost_camera_is_told_behind_the_close_until_the_next_frame() -> None:
    bench = Bench()
    found = await bench.frames(live(noise(3), LOST), LOST, live(noise(2)))
    kinds = [type(each) for each in found if not isinstance(each, Frame)]
    assert kinds.index(EpochClosed) < max(
        index for index, kind in enumerate(kinds) if kind is CameraHealth
    )
    assert [place(each) for each in health(found, "lost")] == [
        (1, 0, False), (1, 3, True), (2, 0, False),
    ]  # fmt: skip
    lost = health(found, "lost")[1]
    assert found[found.index(lost) - 1] == EpochClosed("hall", 1, START_US + 200_000, 3, "lost")
    assert (lost.since_us, lost.detail) == (START_US + 200_000, "the connection was lost")
    assert bench.holds("lost") == 0


async def test_a_camera_that_was_never_there_is_told_in_an_epoch_without_frames() -> None:
    found = await Bench().frames(LOST, LOST, live(noise(2)))
    assert [place(each) for each in health(found, "lost")] == [(1, 0, True), (2, 0, False)]
    opened = [each.epoch for each in found if isinstance(each, EpochOpened)]
    assert opened == [2]
    assert audited(found).passed
    assert [(each.epoch, each.complete) for each in audited(found).epochs] == [(2, True)]


async def test_a_camera_whose_picture_changes_is_not_lost() -> None:
    changed = CameraChangedError("camera hall: its picture changed")
    found = await Bench().frames(live(noise(3), changed), live(noise(3, (48, 64))))
    assert [each.is_on for each in health(found, "lost")] == [False]
    resized = health(found, "resized")
    assert [place(each) for each in resized] == [(1, 0, False), (2, 0, True)]
    assert resized[-1].detail == "64×48, was 128×72"


async def test_while_a_camera_is_away_it_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "PAUSE_S", 0.01)
    bench = Bench()
    never = asyncio.Event()

    @asynccontextmanager
    async def dark(_: CameraSpec) -> AsyncIterator[Feed]:
        await never.wait()
        yield live([])

    refusing = feeds({"hall": [LOST]})
    opening = iter([refusing, dark])

    def open_feed(camera: CameraSpec) -> AbstractAsyncContextManager[Feed]:
        return next(opening)(camera)

    async with bench.transport.outbox(*TOPICS) as outbox:
        ingest = Ingest(open_feed, Raw, outbox, bench.clock, bench.metrics, MemoryEpochs())
        running = asyncio.create_task(ingest.run(Listed((HALL,))))
        told: list[Frame | Message] = []
        async with bench.transport.inbox("frames", "test") as inbox:
            while len(told) < 4:
                told += [read(each.record) for each in await inbox.receive(10, PATIENCE_S)]
                bench.clock.advance(5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert {place(each) for each in health(told, "lost")} == {(1, 0, True)}
    times_us = [each.time_us for each in health(told, "lost")]
    assert all(5_000_000 <= later - one < 6_000_000 for one, later in pairwise(times_us))
    assert len({each.since_us for each in health(told, "lost")}) == 1
    assert bench.holds("lost") == 1


async def test_what_is_dropped_comes_before_what_is_told_of_the_next_frame() -> None:
    bench = Bench(MemoryTransport(capacity=2))
    source = live([*noise(20), *black(40)])
    async with bench.transport.inbox("frames", "test"):
        running = asyncio.create_task(bench.run([source]))
        await source.exhausted.wait()
    found = await content(bench.transport, "frames")
    await running
    expected = 0
    for each in found:
        match each:
            case Gap(first=first, last=last):
                assert first == expected
                expected = last + 1
            case Frame():
                assert each.id.seq == expected
                expected += 1
            case CameraHealth(seq=seq):
                assert seq == expected
    assert any(isinstance(each, Gap) for each in found)
    assert audited(found).epochs[0].complete


@pytest.mark.usefixtures("unhurried")
async def test_times_of_what_is_told_rise_within_an_epoch() -> None:
    found = await Bench().frames(live([*noise(10), *black(150), *noise(9)], LOST), live(noise(2)))
    told = [each for each in found if isinstance(each, CameraHealth)]
    places = [(each.epoch, each.time_us) for each in told]
    assert places == sorted({*places})


@pytest.mark.usefixtures("unhurried")
async def test_the_bounds_are_those_of_the_configuration() -> None:
    bench = Bench()
    await bench.run([live(black(40))], CameraHealthSpec(frozen_after=2))
    found = await content(bench.transport, "frames")
    assert [place(each) for each in health(found, "frozen")] == [(1, 20, True)]


async def test_files_have_no_health() -> None:
    bench = Bench()
    archive = HALL.model_copy(update={"mode": "archive"})
    async with bench.transport.outbox(*TOPICS) as outbox:
        open_feed = feeds({"hall": [ArrayFeed(black(150))]})
        ingest = Ingest(open_feed, Raw, outbox, bench.clock, bench.metrics, MemoryEpochs())
        await ingest.run(Listed((archive,)))
    assert health(await content(bench.transport, "frames-archive"), "frozen") == []


def audited(found: Iterable[Frame | Message]) -> Audit:
    """The audit of what segment would make of these records."""
    audit = Audit()
    for each in found:
        if isinstance(each, Frame):
            times = (each.time_us, each.arrived_us)
            audit.add(Result(*each.id, *times, each.size, MODEL, ()))
        elif isinstance(each, EpochOpened | EpochClosed | Gap | CameraHealth):
            audit.add(each)
    return audit
