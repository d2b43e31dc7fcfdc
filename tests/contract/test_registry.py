"""The registry of cameras on a real broker: what is in it, and who runs which camera."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.protocol.group import LeaveGroupRequest

from connectors.clock import SteadyClock
from connectors.kafka import KafkaTransport
from connectors.kafka.sharing import _Assignor
from stream.config import Settings
from stream.ingest import TOPICS, Ingest
from stream.metrics import Metrics
from stream.ports import Begin, Epochs, Outbox, Record
from stream.specs import CameraSpec
from stream.types import EpochClosed
from tests.support.build import closed, frame, opened, picture
from tests.support.feeds import ArrayFeed, feeds
from tests.support.kafka_transport import apply, kafka_settings
from tests.support.segmenting import JPEG
from tests.support.topics import PATIENCE_S, fill, read
from tests.support.waiting import eventually

PARTITIONS = 6
CAMERAS = [CameraSpec(id=f"camera-{number}", url="rtsp://camera/1") for number in range(6)]
FILM = CameraSpec(id="film", url="film.mp4", mode="archive")


class Topics:
    """Topics of a test. Each process has a transport of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def process(self) -> KafkaTransport:
        return KafkaTransport(self._settings)

    async def apply(self, *cameras: CameraSpec) -> None:
        await apply(self.process(), cameras, self._settings.kafka.partitions)

    async def listed(self) -> Mapping[str, CameraSpec]:
        async with self.process().registry() as registry:
            return registry.cameras


async def topics_with(kafka: str, *cameras: CameraSpec, partitions: int = PARTITIONS) -> Topics:
    settings = kafka_settings(kafka, partitions=partitions)
    topics = Topics(settings)
    await topics.process().apply()
    await topics.apply(*cameras)
    return topics


class Runner:
    """A process that runs cameras: what it runs, and how often each was begun."""

    def __init__(self, transport: KafkaTransport) -> None:
        self.transport = transport
        self.shares: list[Mapping[str, CameraSpec]] = []
        self.running: dict[str, CameraSpec] = {}
        self.begun: dict[str, int] = {}
        self.can_rest = asyncio.Event()
        """Until it is set, cameras that are to stop are still at it."""
        self.can_rest.set()
        self.task: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        assert self.task is not None
        self.running = {}
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def run(self) -> None:
        async with self.transport.registry() as registry, registry.share() as shares:
            async for share in shares:
                self.shares.append(share)
                for name, camera in share.items():
                    if self.running.get(name) != camera:
                        self.begun[name] = self.begun.get(name, 0) + 1
                self.running = dict(share)
                await self.can_rest.wait()


class Runners:
    """Processes that share cameras."""

    def __init__(self, topics: Topics, stack: AsyncExitStack) -> None:
        self._topics = topics
        self._stack = stack
        self.all: list[Runner] = []

    async def start(self) -> Runner:
        runner = Runner(self._topics.process())
        runner.task = asyncio.create_task(runner.run())
        self._stack.push_async_callback(runner.stop)
        self.all.append(runner)
        await eventually(lambda: bool(runner.shares), "a first share")
        return runner

    def owners(self, name: str) -> int:
        return sum(name in each.running for each in self.all)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Return when ``condition`` holds; a camera is never in two places meanwhile."""

        def holds() -> bool:
            twice = [each.id for each in CAMERAS if self.owners(each.id) > 1]
            assert not twice, f"{twice} run in two places"
            return condition()

        await eventually(holds, what)


@asynccontextmanager
async def runners(topics: Topics) -> AsyncIterator[Runners]:
    async with AsyncExitStack() as stack:
        yield Runners(topics, stack)


def counts(there: Runners) -> list[int]:
    return sorted(len(each.running) for each in there.all)


async def test_what_is_applied_is_there_with_its_partitions(kafka: str) -> None:
    topics = await topics_with(kafka, *CAMERAS)
    there = await topics.listed()
    assert there.keys() == {each.id for each in CAMERAS}
    assert {each.partition for each in there.values()} == set(range(PARTITIONS))
    assert len(there) == PARTITIONS
    await topics.apply(*CAMERAS[1:], FILM)
    now = await topics.listed()
    assert now == {
        **{name: each for name, each in there.items() if name != "camera-0"},
        "film": FILM.model_copy(update={"partition": there["camera-0"].partition}),
    }


async def test_what_follows_the_registry_hears_of_a_change_and_of_a_tombstone(kafka: str) -> None:
    topics = await topics_with(kafka, *CAMERAS[:1])
    async with topics.process().registry() as registry:
        await topics.apply(*CAMERAS[:2])
        await eventually(lambda: len(registry.cameras) == 2, "two cameras")
        await topics.apply(*CAMERAS[1:2])
        await eventually(lambda: list(registry.cameras) == ["camera-1"], "one camera")


async def test_a_record_that_cannot_be_read_changes_nothing(kafka: str) -> None:
    topics = await topics_with(kafka, *CAMERAS[:2])
    where = {"partition": b"0", "since": b"0"}
    strange = [
        Record("camera-0", b"?"),
        Record("camera-1", b"{}", {"ce_type": b"maskstream.camera.v9", **where}),
        Record("camera-9", b"{}", {"ce_type": b"maskstream.camera.v1", **where}),
    ]
    async with topics.process().outbox("cameras") as outbox:
        await fill(outbox, "cameras", strange)
    assert (await topics.listed()).keys() == {"camera-0", "camera-1"}


async def test_what_is_on_its_way_of_a_removed_camera_keeps_its_place(kafka: str) -> None:
    yard = CameraSpec(id="yard", url="rtsp://camera/1", partition=0)  # its hash says 1
    topics = await topics_with(kafka, yard, partitions=2)
    await topics.apply()
    for process in (topics.process(), topics.process()):
        async with process.outbox("masks") as outbox:
            await fill(outbox, "masks", [opened("yard")])
    async with topics.process().inbox("masks", "test") as inbox:
        found: list[str] = []
        while len(found) < 2:
            found += [each.ref for each in await inbox.receive(10, 5.0)]
    assert found == ["masks/0@0", "masks/0@1"]


async def test_two_share_the_cameras_and_one_that_leaves_leaves_them_to_the_other(
    kafka: str,
) -> None:
    topics = await topics_with(kafka, *CAMERAS)
    async with runners(topics) as there:
        first = await there.start()
        await there.until(lambda: counts(there) == [6], "all are one's")
        second = await there.start()
        await there.until(lambda: counts(there) == [3, 3], "half are each one's")
        stayed = set(first.running)
        await second.stop()
        await there.until(lambda: counts(there) == [0, 6], "all are the first's")
        assert {first.begun[name] for name in stayed} == {1}, "one that stayed was begun anew"
        assert {first.begun[name] for name in second.begun} == {2}


async def test_a_third_takes_no_more_than_its_part_and_the_rest_goes_on(kafka: str) -> None:
    topics = await topics_with(kafka, *CAMERAS)
    async with runners(topics) as there:
        for _ in range(3):
            await there.start()
        await there.until(lambda: counts(there) == [2, 2, 2], "a third each")
        begun = sum(sum(each.begun.values()) for each in there.all)
        assert begun <= len(CAMERAS) + 6, "more were begun anew than moved"


async def test_what_comes_to_rest_while_others_join_is_given_away_all_the_same(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = await topics_with(kafka, *CAMERAS[:2], partitions=2)
    metadata, joined, rests = _Assignor.metadata, list[object](), list[Runner]()

    def says(self: _Assignor, names: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        joined.append(self)
        for runner in rests if self is joined[0] else ():
            runner.can_rest.set()  # what it says now is that it still has both
        return metadata(self, names)

    monkeypatch.setattr(_Assignor, "metadata", says)
    async with runners(topics) as there:
        first = await there.start()
        first.can_rest.clear()
        await there.start()
        await there.until(lambda: len(first.running) == 1, "one is to be the second's")
        rests.append(first)
        await there.start()
        await there.until(lambda: counts(there) == [0, 1, 1], "both run")


async def test_who_was_thrown_out_claims_nothing_until_it_is_back_and_begins_all_anew(
    kafka: str,
) -> None:
    topics = await topics_with(kafka, *CAMERAS[:2], partitions=2)
    async with runners(topics) as there:
        runner = await there.start()
        await there.until(lambda: counts(there) == [2], "both run")
        async with runner.transport.epochs(SteadyClock()) as epochs:
            camera, told = runner.running["camera-0"], len(runner.shares)
            await throw_out(runner.transport)
            assert await epochs.begin(camera)
            assert [len(share) for share in runner.shares[told:]] == [0, 2]
        assert runner.begun == {"camera-0": 2, "camera-1": 2}


async def throw_out(transport: KafkaTransport) -> None:
    """Let the group do without a member that does not know, as when its session is over."""
    member = transport._member
    assert member is not None
    coordinator = member._consumer._coordinator
    await coordinator._send_req(LeaveGroupRequest(coordinator.group_id, coordinator.member_id))


async def test_a_camera_that_comes_goes_or_changes_touches_no_other(kafka: str) -> None:
    topics = await topics_with(kafka, *CAMERAS[:4])
    async with runners(topics) as there:
        await there.start()
        await there.start()
        await there.until(lambda: counts(there) == [2, 2], "half each")
        before = {n: r.begun[n] for r in there.all for n in r.running}
        slower = CAMERAS[3].model_copy(update={"fps": 5.0})
        await topics.apply(*CAMERAS[1:3], slower, CAMERAS[4])
        await there.until(lambda: there.owners("camera-4") == 1, "the new one runs")
        await there.until(lambda: there.owners("camera-0") == 0, "the removed one does not")
        await there.until(
            lambda: any(r.running.get("camera-3", CAMERAS[0]).fps == 5 for r in there.all),
            "the changed one is as it should be",
        )
        after = {n: r.begun[n] for r in there.all for n in r.running}
        assert {n: after[n] - before[n] for n in ("camera-1", "camera-2", "camera-3")} == {
            "camera-1": 0, "camera-2": 0, "camera-3": 1,
        }  # fmt: skip


async def test_a_camera_that_moves_is_at_rest_before_it_is_elsewhere(kafka: str) -> None:
    place = CameraSpec(id="hall", url="rtsp://camera/1", partition=0)
    topics = await topics_with(kafka, place, partitions=2)
    async with runners(topics) as there:
        runner = await there.start()
        await there.until(lambda: counts(there) == [1], "it runs")
        await topics.apply(place.model_copy(update={"partition": 1}))
        await there.until(
            lambda: [each.partition for each in runner.running.values()] == [1], "it has moved"
        )
        assert [[each.partition for each in share.values()] for share in runner.shares][-3:] == [
            [0], [], [1],
        ]  # fmt: skip


async def show_first(epochs: Epochs, outbox: Outbox) -> int:
    """Begin `FILM` with its first frame; returns its epoch."""
    begin = await epochs.begin(FILM)
    assert begin is not None
    epoch = begin.epoch
    archive = "frames-archive"
    await fill(outbox, archive, [opened("film", epoch=epoch)])
    await fill(outbox, archive, [frame(0, "film", epoch=epoch)])
    return epoch


async def test_a_file_that_was_changed_is_played_anew_and_its_old_epoch_closed(kafka: str) -> None:
    topics = await topics_with(kafka, FILM)
    transport, archive = topics.process(), "frames-archive"
    async with transport.epochs(SteadyClock()) as epochs, transport.outbox(archive) as outbox:
        first = await show_first(epochs, outbox)
        assert await epochs.begin(FILM) == Begin(first, 1, is_new=False, goes_on=True)
        changed = FILM.model_copy(update={"fps": 5.0})
        async with transport.registry() as registry:
            await topics.apply(changed)
            await eventually(lambda: registry.cameras["film"].fps == 5, "the change")
            second = await epochs.begin(changed)
            assert second is not None
            assert second.is_new
            assert second.epoch > first
            at_us = frame(0).time_us
            assert second.due == EpochClosed("film", first, at_us, 1, "stopped")
            end = closed(0, "film", epoch=second.epoch)
            await fill(outbox, archive, [second.due, opened("film", epoch=second.epoch), end])
            assert await epochs.begin(changed) is None


async def test_a_file_whose_frames_stay_the_same_goes_on_where_its_camera_is_changed(
    kafka: str,
) -> None:
    topics = await topics_with(kafka, FILM.model_copy(update={"loop": True}))
    transport, archive = topics.process(), "frames-archive"
    async with transport.epochs(SteadyClock()) as epochs, transport.outbox(archive) as outbox:
        first = await show_first(epochs, outbox)
        async with transport.registry() as registry:
            await topics.apply(FILM)
            await eventually(lambda: not registry.cameras["film"].loop, "the change")
            assert await epochs.begin(FILM) == Begin(first, 1, is_new=False, goes_on=True)


@pytest.mark.parametrize("partition", [None, 1])
async def test_a_file_that_is_removed_or_moved_is_closed_where_it_was(
    kafka: str, partition: int | None
) -> None:
    film = FILM.model_copy(update={"partition": 0})
    topics = await topics_with(kafka, film)
    transport, clock, gate = topics.process(), SteadyClock(), asyncio.Semaphore(3)
    begun = [ArrayFeed([picture()] * 9, gate=gate), ArrayFeed([picture()] * 2)]
    async with (
        transport.registry() as registry,
        transport.epochs(clock) as epochs,
        transport.outbox(*TOPICS) as outbox,
    ):
        ingest = Ingest(feeds({"film": begun}), JPEG.encode, outbox, clock, Metrics(), epochs)
        running = asyncio.create_task(ingest.run(registry))
        await eventually(gate.locked, "three frames were taken")
        await topics.apply(*([] if partition is None else [moved(film, partition)]))
        found = await closes(transport, 1 if partition is None else 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert found[0][1:] == (3, "stopped")
    assert found[1:] == ([] if partition is None else [(found[1][0], 2, "ended")])


def moved(camera: CameraSpec, partition: int) -> CameraSpec:
    return camera.model_copy(update={"partition": partition})


async def closes(transport: KafkaTransport, count: int) -> list[tuple[int, int, str]]:
    """Epoch, frames and reason of each close of a file, by epoch, once there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = [read(record) async for record in transport.whole("frames-archive")]
            ends = [each for each in found if isinstance(each, EpochClosed)]
            if len(ends) >= count:
                return sorted((each.epoch, each.frames, each.reason) for each in ends)
            await asyncio.sleep(0.2)
