"""What metrics and the log cost ``segment``: the whole role on ``memory://``, always with work
waiting, as it is shipped and scraped, against the same with metrics that keep nothing.

With the demo's model and film it is the share of the throughput that goes. With a model that costs
nothing and tiny pictures it is processor time a frame: what the share comes to where a card is
faster than this machine.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, cast

import numpy as np
from prometheus_client.metrics import MetricWrapperBase

from connectors.clock import SteadyClock
from connectors.demo.film import FILM
from connectors.jpeg import JpegCodec
from connectors.memory import MemoryTransport
from connectors.metrics import OPENMETRICS, exposed
from stream import codec
from stream.cli.bench.contest import Run, interleave
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.bench.sleeping import Sleep, SleepingModel
from stream.cli.embedded import Role, beside, run_roles
from stream.cli.logs import logged
from stream.cli.measured import measured
from stream.cli.model import opened
from stream.cli.pipeline import Common, segment_role
from stream.config import Settings
from stream.device import Device
from stream.metrics import Bound, Metrics
from stream.ports import Inbox, Model, Outbox
from stream.registry import Listed
from stream.rulebook import Rulebook
from stream.segment import ARCHIVE
from stream.types import Encoded, Frame, FrameId

FULL, BARE = "metrics and log", "no metrics"
CAMERAS = 8
SCRAPE_S = 1.0
"""Fifteen times as often as Prometheus is usually told to."""
TINY = (36, 64)
MORE = 20
"""So many times the frames where each costs next to nothing."""
MODEL = {
    "weights": str(FILM.with_name("yard-seg")), "backend": "openvino", "precision": "f32",
    "image_size": 416, "confidence": 0.4,
}  # fmt: skip


def measure(report: Report, scale: Scale) -> None:
    """In turns: the role with a model, then the role around one."""
    rates = _compared(report, scale, "frames/s", _with_model, scale.frames)
    told = _lost(report, rates)
    costs = _compared(report, scale, "µs/frame", _around_model, MORE * scale.frames)
    extra = np.asarray(costs[FULL]) - np.asarray(costs[BARE])
    report.figure("observability.us_per_frame", float(np.median(extra)))
    spread = f"{np.median(extra):.0f} ({extra.min():.0f}…{extra.max():.0f})"
    report.table(
        ["", "median (lowest…highest)"],
        [["part of the throughput", told], ["processor time, µs/frame", spread]],
    )


def _compared(
    report: Report, scale: Scale, unit: str, start: Any, frames: int
) -> Mapping[str, Sequence[float]]:
    contestants = {name: partial(start, frames, told=name == FULL) for name in (FULL, BARE)}
    found = interleave(contestants, scale.rounds, report.say, unit)
    report.rates(unit, found)
    return found


def _lost(report: Report, rates: Mapping[str, Sequence[float]]) -> str:
    lost = 1 - np.asarray(rates[FULL]) / np.asarray(rates[BARE])
    report.figure("observability.overhead", float(np.median(lost)))
    return f"{np.median(lost):.1%} ({lost.min():.1%}…{lost.max():.1%})"


def _with_model(frames: int, *, told: bool) -> Run:
    pictures = _film()
    runner = asyncio.Runner()
    settings = Settings.model_validate({"model": MODEL})

    async def play() -> float:
        with _metrics(told) as metrics:
            async with opened(settings.model) as model:
                await _played(settings, model, metrics, pictures, CAMERAS * model.in_flight)
                began_s = time.perf_counter()
                await _played(settings, model, metrics, pictures, frames)
                return frames / (time.perf_counter() - began_s)

    return lambda: runner.run(play())


def _around_model(frames: int, *, told: bool) -> Run:
    picture = JpegCodec(80, 10**6, 10**6).encode(np.zeros((*TINY, 3), np.uint8))
    runner = asyncio.Runner()
    settings = Settings.model_validate({"model": MODEL})
    model = SleepingModel(Sleep(batch_size=32, seconds=0.0))

    async def play() -> float:
        with _metrics(told) as metrics:
            await _played(settings, model, metrics, [(picture, TINY)], frames // 10)
            began_s = time.process_time()
            await _played(settings, model, metrics, [(picture, TINY)], frames)
            return (time.process_time() - began_s) / frames * 1e6

    return lambda: runner.run(play())


Shown = tuple[Encoded, tuple[int, int]]
"""A picture and its size."""


def _film() -> list[Shown]:
    """Some pictures of the demo's film, a second apart, as JPEG."""
    import av

    codec_of = JpegCodec(80, 10**7, 10**7)
    with av.open(str(FILM)) as container:
        every = round(container.streams.video[0].average_rate or 1)
        taken = itertools.islice(container.decode(video=0), 0, 16 * every, every)
        found = [each.to_ndarray(format="bgr24") for each in taken]
    return [(codec_of.encode(pixels), pixels.shape[:2]) for pixels in found]


async def _played(
    settings: Settings, model: Model, metrics: Metrics, pictures: Sequence[Shown], frames: int
) -> None:
    clock = SteadyClock()
    transport = MemoryTransport(capacity=8 * model.batch_size * (model.in_flight + 1))
    rulebook = Rulebook((), ())
    common = Common(settings, rulebook, Listed(()), transport, clock, metrics)

    async def work(_: Mapping[str, Inbox], outbox: Outbox) -> None:
        for number in range(frames):
            picture, size = pictures[number % len(pictures)]
            place = FrameId(f"camera-{number % CAMERAS}", 1, number // CAMERAS)
            now_us = clock.now_us()
            frame = Frame(place, "archive", size, now_us, now_us, picture)
            await outbox.send(ARCHIVE, codec.encode_frame(frame))

    source = Role("frames", work, writes=("frames", ARCHIVE), source=True)
    device = Device(model, clock, metrics)
    async with _scraped(metrics), beside(device.run()):
        working = [source, segment_role(common, device)]
        await run_roles(transport, working, asyncio.Event(), settings.drain)


@asynccontextmanager
async def _scraped(metrics: Metrics) -> AsyncIterator[None]:
    async def scrape() -> None:
        while True:
            await exposed(metrics.registry, OPENMETRICS)
            await asyncio.sleep(SCRAPE_S)

    async with AsyncExitStack() as stack:
        if not isinstance(metrics, _Silent):
            await stack.enter_async_context(beside(scrape()))
        yield


@contextmanager
def _metrics(told: bool) -> Any:
    if not told:
        yield _Silent()
        return
    with logged("segment"), measured("segment") as metrics:
        yield metrics


class _Silent(Metrics):
    """Takes all that it is told and keeps nothing."""

    def __init__(self) -> None:
        super().__init__()
        nothing = _Nothing()
        for name, value in list(vars(self).items()):
            if isinstance(value, MetricWrapperBase):
                setattr(self, name, nothing)
        self._stages = self._ages = Bound(cast("Any", nothing.labels))


class _Nothing:
    """A metric, and its children, without a figure."""

    def labels(self, *_: str) -> "_Nothing":
        return self

    def inc(self, _: float = 1) -> None:
        pass

    def set(self, _: float) -> None:
        pass

    def observe(self, _: float, __: object = None) -> None:
        pass
