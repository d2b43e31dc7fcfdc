"""What segment counts by camera, while cameras move between processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.clock import SteadyClock
from connectors.memory import MemoryTransport
from stream import codec
from stream.camera_counts import CameraCounts
from stream.cli.arguments import Part
from stream.cli.jobs import job_of
from stream.cli.pipeline import Common, segment_role
from stream.cli.roles import _opened
from stream.config import parse
from stream.declared import FINITE
from stream.device import Device
from stream.errors import EndOfStream
from stream.health import Health
from stream.metrics import Metrics
from stream.ports import Delivery, Record
from stream.registry import Listed
from stream.rulebook import Rulebook
from stream.specs import CameraSpec, ShadowSpec
from tests.support.clock import VirtualClock
from tests.support.models import BrightModel
from tests.support.segmenting import Bench
from tests.support.topics import PATIENCE_S
from tests.unit.test_segment import live

CAMERAS = Listed(
    [
        CameraSpec(id="hall", url="rtsp://hall/1"),
        CameraSpec(id="gate", url="rtsp://gate/1"),
        CameraSpec(id="film", url="film.mp4", mode="archive"),
    ]
)


class Moving:
    """A `stream.ports.Member` whose cameras move as a test says; it is given none of their records.

    `tests/contract/test_members.py` shows the real one.
    """

    receive: Any
    commit: Any

    def __init__(self, *cameras: str) -> None:
        self.cameras = cameras
        self.is_assigned = True
        self._let_go: Callable[[], Awaitable[None]]

    def owns(self, key: str) -> bool:
        return self.is_assigned and key in self.cameras

    def before_handover(self, let_go: Callable[[], Awaitable[None]]) -> None:
        self._let_go = let_go

    async def move(self, *cameras: str) -> None:
        self.is_assigned = False
        await self._let_go()
        await settled()
        self.cameras, self.is_assigned = cameras, True
        await settled()


async def settled() -> None:
    """Let what waits for nothing else go on."""
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def counting(
    metrics: Metrics, frames: Moving, archive: Moving
) -> AsyncIterator[CameraCounts]:
    counts = CameraCounts(metrics)
    members = {"frames": frames, "frames-archive": archive}
    following = asyncio.create_task(counts.follow(members, CAMERAS, VirtualClock()))
    await settled()
    yield counts
    following.cancel()


def told(metrics: Metrics) -> dict[str, set[str]]:
    """The names of the series of each camera."""
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for each in family.samples:
            if "camera" in each.labels:
                found.setdefault(each.labels["camera"], set()).add(family.name)
    return found


def results(metrics: Metrics, camera: str) -> float | None:
    return metrics.registry.get_sample_value("maskstream_results_total", {"camera": camera})


async def test_faults_of_cameras_that_come_here_are_at_0_before_the_first_frame() -> None:
    metrics = Metrics()
    metrics.expects_gaps("gate")  # as all do until it is settled who has which
    async with counting(metrics, Moving("hall", "film"), Moving("film", "gate")):
        assert told(metrics) == {"hall": {"maskstream_gaps"}, "film": {"maskstream_gaps"}}
        for reason in FINITE["gaps.reason"]:
            labels = {"camera": "hall", "reason": reason}
            assert metrics.registry.get_sample_value("maskstream_gaps_total", labels) == 0


async def test_who_looks_at_live_cameras_alone_tells_nothing_of_files(common: Common) -> None:
    metrics, job = common.metrics, job_of(Part.LIVE, common.settings)
    async with _opened(job.name, common, Health(), bright, job) as role:
        assert role.reads == ("frames",)
        assert "hall" not in told(metrics)
    following = asyncio.create_task(
        CameraCounts(metrics).follow({"frames": Moving("hall")}, CAMERAS, VirtualClock())
    )
    await settled()
    assert told(metrics).keys() == {"hall"}
    following.cancel()


def test_a_shadow_alone_passes_over_what_was_there_before_it(common: Common) -> None:
    shadow = ShadowSpec(name="next", weights=Path("next"))
    settings = common.settings.model_copy(update={"shadow": shadow})
    device = Device(BrightModel(), common.clock, common.metrics)
    roles = {part: segment_role(common, device, job_of(part, settings)) for part in Part}
    assert {part for part, role in roles.items() if role.from_now} == {Part.SHADOW}


async def test_what_was_counted_of_a_camera_that_moved_on_is_told_no_more() -> None:
    metrics, frames = Metrics(), Moving("hall", "gate", "unlisted")
    async with counting(metrics, frames, Moving()) as counts:
        for camera in ("hall", "gate", "unlisted"):
            counts.comes(camera, "frames")
            counts.result(camera, 2, 300_000)
        await frames.move("hall")
        assert told(metrics).keys() == {"hall"}
        assert results(metrics, "hall") == 1
        await frames.move("hall", "gate")
        assert told(metrics)["gate"] == {"maskstream_gaps"}
        counts.result("gate", 2, 300_000)
        assert results(metrics, "gate") == 1, "it begins anew"
        assert told(metrics)["gate"] == told(metrics)["hall"]


async def test_a_name_that_is_only_in_broken_records_makes_no_series() -> None:
    bench = Bench()
    torn = live(0, "noise")
    record = codec.encode_frame(torn)
    headers = {key: value for key, value in record.headers.items() if key != "ce_seq"}
    await bench.masks(Record("noise", record.value, headers), live(0))
    assert told(bench.metrics).keys() == {"hall"}


@pytest.fixture
def common() -> Common:
    document = "model: {weights: x}\ncameras: [{id: hall, url: hall.mp4, mode: archive}]\n"
    settings = parse(document, "c.yaml")
    rulebook, registry = Rulebook((), ()), Listed(settings.cameras)
    return Common(settings, rulebook, registry, MemoryTransport(), SteadyClock(), Metrics())


@asynccontextmanager
async def bright(_: Common) -> AsyncIterator[BrightModel]:
    yield BrightModel()


async def test_while_segment_opens_its_model_faults_are_told_at_0(common: Common) -> None:
    """What was deleted while no segment ran is counted with the first record that is read."""
    seen = list[set[str]]()

    @asynccontextmanager
    async def opened(_: Common) -> AsyncIterator[BrightModel]:
        seen.append(told(common.metrics)["hall"])
        yield BrightModel()

    async with _opened("segment", common, Health(), opened):
        assert seen == [{"maskstream_gaps"}]


async def test_a_segment_follows_who_has_which_cameras(common: Common) -> None:
    role = segment_role(common, Device(BrightModel(), common.clock, common.metrics))
    frames, archive = Moving("gate"), Moving("hall")
    ended = asyncio.Event()

    async def receive(*_: Any) -> list[Delivery]:
        await ended.wait()
        raise EndOfStream("enough was seen")

    frames.receive = archive.receive = receive
    async with common.transport.outbox(*role.writes) as outbox, asyncio.TaskGroup() as tasks:
        tasks.create_task(role.work({"frames": frames, "frames-archive": archive}, outbox))
        await settled()
        assert told(common.metrics) == {"hall": {"maskstream_gaps"}}
        await archive.move()
        async with asyncio.timeout(PATIENCE_S):
            while told(common.metrics):  # noqa: ASYNC110 - it is looked now and then
                await asyncio.sleep(0.01)
        ended.set()
