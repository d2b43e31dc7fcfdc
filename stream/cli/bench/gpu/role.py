"""The whole ``segment`` role: JPEG bytes to encoded results, in a process of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

from connectors.clock import SteadyClock
from connectors.memory import MemoryTransport
from connectors.models.segmenter import Segmenter
from stream import codec, segment
from stream.cli.bench.contestants import CONFIDENCE, IMAGE_SIZE, IOU
from stream.cli.bench.gpu.case import Case
from stream.cli.bench.gpu.pictures import decoded, jpegs
from stream.cli.bench.gpu.shifts import LeftOut, Shift, fitting, shift
from stream.cli.embedded import Role, beside, run_roles
from stream.cli.pipeline import Common, segment_role
from stream.config import Settings
from stream.device import Device
from stream.follow import follow
from stream.metrics import Metrics
from stream.ports import Delivery, Inbox, Outbox, View, Window
from stream.registry import Listed
from stream.rulebook import Rulebook
from stream.specs import ModelSpec
from stream.types import Encoded, Frame, FrameId, Mode, Result, Size

CAMERAS = 16
MAX_AGE_S = 3600.0
"""Nothing is too old: what comes late shows in the ages."""

Worker = Callable[[int, float | None], Shift | LeftOut]
"""Works with batches of at most so many: at a rate (frames/s), or with None as fast as it can. At a
rate of 0 it only gets ready for them."""


def worker(case: Case) -> Worker:
    """What one process of ``segment --workers N`` does, from topic to topic on ``memory://``."""
    spec = ModelSpec(
        weights=case.folder, backend="torch", precision=case.precision, image_size=IMAGE_SIZE,
        confidence=CONFIDENCE, iou=IOU,
    )  # fmt: skip
    model = _opened(spec, case.scale.batches)
    pictures = jpegs(case.pictures)
    runner = asyncio.Runner()
    prepared: set[int] = set()

    def run(batch: int, load: float | None) -> Shift:
        model.batch_size = batch
        if batch not in prepared:
            runner.run(_warm_up(model, pictures[:1], batch))
            prepared.add(batch)
        if load == 0:
            return shift(lambda: 0)
        ages_ms: list[float] = []

        def work() -> int:
            flow = _Flow(pictures, case.source, case.scale.seconds, load)
            runner.run(_play(spec, model, flow, ages_ms))
            assert len(ages_ms) == flow.sent, "a benchmark that loses frames measures nothing"
            return flow.sent

        return replace(shift(work), ages_ms=tuple(ages_ms))

    return fitting(run)


def _opened(spec: ModelSpec, sizes: tuple[int, ...]) -> Segmenter:
    """As `connectors.models.open_model` does, with other sizes of batches."""
    from connectors.models.artefact import read
    from connectors.models.torch_network import TorchNetwork

    artefact = read(spec.weights)
    manifest = artefact.manifest
    network = TorchNetwork(artefact, sizes)
    return Segmenter(network, spec, manifest.ref, manifest.labels, manifest.stride)


async def _warm_up(model: Segmenter, pictures: list[Encoded], batch: int) -> None:
    """Batches of this size in all places at once, twice."""
    (pixels,) = decoded(pictures)
    views = [View(pixels, Window(0, 0, pixels.shape[1], pixels.shape[0]))] * batch
    for _ in range(2):
        await asyncio.gather(*(model.segment(views) for _ in range(model.in_flight)))


async def _play(spec: ModelSpec, model: Segmenter, flow: "_Flow", ages_ms: list[float]) -> None:
    settings = Settings.model_validate(
        {"model": spec.model_dump(), "freshness": {"max_age": MAX_AGE_S}}
    )
    clock = flow.clock
    # So much that segment, and not this, says how much waits for the device.
    transport = MemoryTransport(capacity=8 * model.batch_size * (model.in_flight + 1))
    rulebook = Rulebook(settings.rules, settings.zones)
    common = Common(settings, rulebook, Listed(()), transport, clock, Metrics())
    device = Device(model, clock, common.metrics)
    working = [flow.role, segment_role(common, device), _ages(clock, ages_ms)]
    async with beside(device.run()):
        await run_roles(transport, working, asyncio.Event(), settings.drain)


class _Flow:
    """Pictures of some cameras, for a while: files without a ``load``, else live at that rate.

    A live frame arrives when it is due, also where whoever sends it is late.
    """

    def __init__(
        self, pictures: list[Encoded], size: Size, seconds: float, load: float | None
    ) -> None:
        self.clock = SteadyClock()
        self.sent = 0
        self._pictures = pictures
        self._size = size
        self._seconds = seconds
        self._load = load

    @property
    def role(self) -> Role:
        """Writes them."""

        async def work(_: Mapping[str, Inbox], outbox: Outbox) -> None:
            topic = "frames-archive" if self._load is None else "frames"
            async for due_us in self._due():
                await outbox.send(topic, codec.encode_frame(self._frame(due_us)))
                self.sent += 1

        return Role("flow", work, writes=("frames", "frames-archive"), source=True)

    async def _due(self) -> AsyncIterator[int]:
        began_us = self.clock.now_us()
        ends_us = began_us + round(self._seconds * 1e6)
        while True:
            now_us = self.clock.now_us()
            due_us = now_us
            if self._load is not None:
                due_us = began_us + round(self.sent / self._load * 1e6)
                if due_us > now_us:
                    await self.clock.sleep((due_us - now_us) / 1e6)
            if due_us >= ends_us:
                return
            yield due_us

    def _frame(self, due_us: int) -> Frame:
        camera, seq = self.sent % CAMERAS, self.sent // CAMERAS
        mode: Mode = "archive" if self._load is None else "live"
        picture = self._pictures[self.sent % len(self._pictures)]
        return Frame(FrameId(f"camera-{camera}", 1, seq), mode, self._size, due_us, due_us, picture)


def _ages(clock: SteadyClock, ages_ms: list[float]) -> Role:
    """Notes how old each result is when it lies on ``masks``."""

    async def use(delivery: Delivery) -> None:
        message = codec.peek(delivery.record) if delivery.topic == "masks" else None
        assert isinstance(message, Result), "a benchmark that loses frames measures nothing"
        ages_ms.append((clock.now_us() - message.arrived_us) / 1e3)

    async def work(inboxes: Mapping[str, Inbox], _: Outbox) -> None:
        await follow(inboxes, use)

    return Role("ages", work, reads=segment.TOPICS)
