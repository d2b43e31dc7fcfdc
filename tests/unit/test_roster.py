"""Which cameras run: of a change, only the difference is stopped and begun."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import MemoryTransport
from connectors.memory_state import MemoryEpochs
from stream.ingest import TOPICS, Ingest
from stream.metrics import Metrics
from stream.registry import by_id
from stream.roster import difference
from stream.specs import CameraSpec
from stream.types import EpochClosed, Raw
from tests.support.build import picture
from tests.support.clock import VirtualClock
from tests.support.feeds import ArrayFeed
from tests.support.topics import content, roomy, settle, states
from tests.support.waiting import eventually

LISTS = st.lists(
    st.builds(
        CameraSpec,
        id=st.sampled_from(["hall", "yard", "dock", "gate"]),
        url=st.just("rtsp://camera/1"),
        fps=st.sampled_from([5.0, 10.0]),
        partition=st.sampled_from([0, 1]),
    ),
    unique_by=lambda camera: camera.id,
)


def live(name: str, fps: float = 10, partition: int | None = None) -> CameraSpec:
    return CameraSpec(id=name, url="rtsp://camera/1", fps=fps, partition=partition)


def file(name: str) -> CameraSpec:
    return CameraSpec(id=name, url=f"{name}.mp4", mode="archive")


class Told:
    """A registry that says what a test tells it to; ``cameras`` are those of all processes."""

    def __init__(self, *shares: CameraSpec) -> None:
        self.cameras: Mapping[str, CameraSpec] = by_id(shares)
        self._shares: asyncio.Queue[Mapping[str, CameraSpec]] = asyncio.Queue()
        self._shares.put_nowait(self.cameras)

    async def say(self, *own: CameraSpec, elsewhere: Iterable[CameraSpec] = ()) -> None:
        self.cameras = by_id([*own, *elsewhere])
        self._shares.put_nowait(by_id(own))
        await settle(50)

    @asynccontextmanager
    async def share(self) -> AsyncIterator[AsyncIterator[Mapping[str, CameraSpec]]]:
        async def shares() -> AsyncIterator[Mapping[str, CameraSpec]]:
            while True:
                yield await self._shares.get()

        yield shares()


class Bench:
    """An ingest of cameras that show three pictures and then stand still, or end if they are
    files, but for those that are ``stuck``."""

    def __init__(self, *stuck: CameraSpec) -> None:
        self._stuck = stuck
        self.transport: MemoryTransport = roomy()
        self.metrics = Metrics()

    @asynccontextmanager
    async def running(self, told: Told) -> AsyncIterator["asyncio.Task[None]"]:
        task = asyncio.create_task(self._run(told))
        await settle(50)
        yield task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _run(self, told: Told) -> None:
        @asynccontextmanager
        async def open_feed(camera: CameraSpec) -> AsyncIterator[ArrayFeed]:
            stands_still = camera.mode == "live" or camera in self._stuck
            gate = asyncio.Semaphore(3) if stands_still else None
            yield ArrayFeed([picture()] * (4 if stands_still else 3), gate=gate)

        async with self.transport.outbox(*TOPICS) as outbox:
            clock = VirtualClock()
            ingest = Ingest(open_feed, Raw, outbox, clock, self.metrics, MemoryEpochs())
            await ingest.run(told)

    async def closes(self) -> list[tuple[str, int, str]]:
        found = await content(self.transport, "frames")
        return [(x.camera, x.epoch, x.reason) for x in found if isinstance(x, EpochClosed)]

    async def status(self, name: str) -> list[tuple[str, str]]:
        return await states(self.transport, name)

    def live(self, name: str) -> float | None:
        return self._figure("camera_state", name, state="live")

    def offered(self, name: str) -> float | None:
        return self._figure("frames_offered_total", name)

    def figures(self, name: str) -> set[str]:
        """Which figures tell how a camera is now."""
        families = {
            "state": self.metrics.camera_state,
            "condition": self.metrics.camera_condition,
            "skew": self.metrics.camera_skew,
        }
        return {
            key
            for key, family in families.items()
            for metric in family.collect()
            if any(sample.labels["camera"] == name for sample in metric.samples)
        }

    def _figure(self, metric: str, name: str, **labels: str) -> float | None:
        labels = {"camera": name, **labels}
        return self.metrics.registry.get_sample_value(f"maskstream_{metric}", labels)


@given(LISTS, LISTS)
def test_what_runs_after_a_change_is_what_was_wanted(
    before: list[CameraSpec], after: list[CameraSpec]
) -> None:
    running, wanted = by_id(before), by_id(after)
    stopped, begun = difference(running, wanted)
    left = {name: camera for name, camera in running.items() if name not in stopped}
    assert left | {name: wanted[name] for name in begun} == wanted
    assert not left.keys() & set(begun)
    assert all(left[name] is running[name] for name in left)


async def test_a_camera_that_is_added_leaves_the_others_alone() -> None:
    bench, told = Bench(), Told(live("hall"))
    async with bench.running(told):
        await told.say(live("hall"), live("yard"))
        assert bench.live("yard") == 1
        await told.say(live("yard"))
    assert await bench.closes() == [("hall", 1, "stopped"), ("yard", 1, "stopped")]


async def test_a_changed_camera_begins_a_new_epoch_and_the_others_go_on() -> None:
    bench, told = Bench(), Told(live("hall", partition=0), live("yard"))
    async with bench.running(told):
        await told.say(live("hall", fps=5, partition=0), live("yard"))
        await told.say(live("hall", fps=5, partition=1), live("yard"))
    closes = await bench.closes()
    assert sorted(closes) == [
        ("hall", 1, "stopped"), ("hall", 2, "stopped"), ("hall", 3, "stopped"),
        ("yard", 1, "stopped"),
    ]  # fmt: skip


async def test_a_removed_camera_is_closed_and_told_to_have_ended() -> None:
    bench, told = Bench(), Told(live("hall"), live("yard"))
    async with bench.running(told):
        await told.say(live("yard"))
        assert bench.live("hall") is None
    assert (await bench.status("hall"))[-1] == ("ended", "removed")
    assert ("hall", 1, "stopped") in await bench.closes()


async def test_a_camera_that_goes_elsewhere_is_closed_and_its_next_process_tells_of_it() -> None:
    bench, told = Bench(), Told(live("hall"), live("yard"))
    async with bench.running(told):
        await eventually(lambda: len(bench.figures("hall")) == 2, "it was looked at")
        await told.say(live("yard"), elsewhere=[live("hall")])
        assert bench.figures("hall") == set()
        await told.say(live("yard"), live("hall"))
    assert await bench.status("hall") == [
        ("connecting", ""), ("live", ""), ("connecting", ""), ("live", ""),
    ]  # fmt: skip


async def test_files_are_over_when_all_have_ended() -> None:
    bench = Bench()
    async with bench.running(Told(file("hall"), file("yard"))) as running:
        await asyncio.wait_for(running, 60)


async def test_a_file_that_is_changed_is_begun_anew_although_the_others_have_ended() -> None:
    slower = file("yard").model_copy(update={"fps": 5.0})
    bench, told = Bench(file("yard")), Told(file("hall"), file("yard"))
    async with bench.running(told) as running:
        await eventually(lambda: bench.offered("yard") == 3, "one stands still")
        await eventually(lambda: bench.offered("hall") == 3 and not bench.live("hall"), "one ended")
        await told.say(file("hall"), slower)
        await asyncio.wait_for(running, 60)
    assert [state for state, _ in await bench.status("yard")][-3:] == [
        "connecting",
        "live",
        "ended",
    ]


async def test_while_a_live_camera_runs_elsewhere_it_may_still_come_here() -> None:
    bench, told = Bench(), Told(file("hall"))
    told.cameras = by_id([file("hall"), live("yard")])
    async with bench.running(told) as running:
        assert not running.done()
        await told.say(live("yard"), elsewhere=[file("hall")])
        assert bench.live("yard") == 1


async def test_who_has_no_camera_yet_waits_for_one() -> None:
    bench, told = Bench(), Told()
    async with bench.running(told) as running:
        assert not running.done()
        await told.say(file("hall"))
        await asyncio.wait_for(running, 60)
