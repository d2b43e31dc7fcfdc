"""What more segmenters bring: a model that sleeps, so that the host's cores are no limit."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from connectors import open_transport
from connectors.clock import SteadyClock
from stream import codec
from stream.cli.bench.processes import Deployment, deployed, stop
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.bench.sleeping import Sleep
from stream.cli.bench.stand_ins import StandIns, cameras
from stream.config import Settings
from stream.ports import Delivery
from stream.tally import Quantiles
from stream.types import Result

PARTITIONS, CAMERAS, FEW = 48, 48, 8
SLEEP, QUICK = Sleep(8, 0.1), Sleep(8, 0.02)
"""The quick one is for latency: a model that takes long hides what lies around it."""
LOAD = 0.7
"""The part of its capacity that a live group is given (docs/architecture.md)."""
SETTLE_S = 4.0
CATCH_UP_US = 2_000_000
PICTURE_BYTES = 7_500
LIVE = "segment.frames"
"""The group of the segmenters, on live cameras."""


@dataclass
class Seen:
    """Results of live cameras as they came: their ages, and the longest silence of a camera."""

    ages_us: Quantiles = field(default_factory=Quantiles)
    silence_s: float = 0.0
    _last_s: dict[str, float] = field(default_factory=dict)

    def add(self, deliveries: list[Delivery], now_us: int, since_us: int) -> None:
        """Enter what came at ``now_us`` of the frames that arrived at ``since_us`` or later."""
        for delivery in deliveries:
            message = codec.peek(delivery.record)
            if not isinstance(message, Result) or message.arrived_us < since_us:
                continue
            self.ages_us.add(now_us - message.arrived_us)
            last_s = self._last_s.get(message.camera, now_us / 1e6)
            self.silence_s = max(self.silence_s, now_us / 1e6 - last_s)
            self._last_s[message.camera] = now_us / 1e6

    def end(self, now_us: int) -> None:
        """Count the cameras that are still silent."""
        now_s = now_us / 1e6
        self.silence_s = max(self.silence_s, *(now_s - last for last in self._last_s.values()))

    def at_ms(self, part: float) -> float:
        """A quantile of the ages."""
        return (self.ages_us.at(part) or 0.0) / 1e3


def measure(report: Report, scale: Scale, kafka: str) -> None:
    """1, 2, 4, 8 segmenters: their rate when saturated, and the age of results at 70 % load."""
    rates, ages, rows = {}, {}, []
    for count in scale.segmenters:
        rates[count], seen = _at(count, kafka, scale.flow_s)
        ages[count] = seen.at_ms(0.99)
        efficiency = rates[count] / (count * rates[1])
        report.figure(f"scale.efficiency_{count}", efficiency)
        report.figure(f"scale.age_p99_ms_{count}", ages[count])
        cells = f"{rates[count]:.0f}", f"{efficiency:.3f}", f"{seen.at_ms(0.5):.0f}"
        rows.append([str(count), *cells, f"{ages[count]:.0f}"])
        report.say(f"  {count} segmenters: {rates[count]:.0f} frames/s")
    head = ["segmenters", "frames/s", "efficiency", "age p50 ms", "age p99 ms"]
    report.table(head, rows)
    seen = _quick_model(kafka, scale.flow_s)
    report.figure("latency.kafka_p50_ms", seen.at_ms(0.5))
    report.figure("latency.kafka_p99_ms", seen.at_ms(0.99))
    report.say(
        f"arrival to masks at 70 % of a model that takes {QUICK.seconds * 1e3:.0f} ms a batch: "
        f"p50 {seen.at_ms(0.5):.0f} ms, p99 {seen.at_ms(0.99):.0f} ms"
    )
    pauses = _pauses(kafka, scale.flow_s)
    report.figure("rebalance.pause_s", max(pauses.values()))
    report.table(
        ["longest silence of a camera", "s"],
        [[name, f"{pause:.2f}"] for name, pause in pauses.items()],
    )
    title = "a model that takes 100 ms for 8 frames, 48 cameras on 48 partitions"
    report.line("scale_out", title, ("segmenters", "frames/s"), list(rates.items()))
    report.line("scale_out_age", title, ("segmenters", "p99 age, ms"), list(ages.items()))


def _at(segmenters: int, kafka: str, over_s: float) -> tuple[float, Seen]:
    """The rate when saturated, and what was seen at 70 % load before."""
    both = {"model": {"weights": "none"}, "cameras": cameras("live", CAMERAS)}
    model = StandIns(PICTURE_BYTES, sleep=SLEEP)
    load = StandIns(PICTURE_BYTES, fps=LOAD * segmenters * SLEEP.capacity_per_s / CAMERAS)
    with deployed(kafka, PARTITIONS, **both) as deployment:
        for _ in range(segmenters):
            deployment.stand_in("segment", deployment.config("all"), model)
        asyncio.run(deployment.joined(LIVE, segmenters))
        ingest = deployment.stand_in("ingest", deployment.config("all"), load)
        seen = asyncio.run(_watched(deployment, over_s))
        stop(ingest)
        archive = deployment.config("archive", cameras=cameras("archive", CAMERAS))
        deployment.stand_in("ingest", archive, load)
        return asyncio.run(_saturated(deployment, over_s)), seen


def _quick_model(kafka: str, over_s: float) -> Seen:
    """What is seen of one segmenter at 70 % load."""
    sections = {"model": {"weights": "none"}, "cameras": cameras("live", CAMERAS)}
    model = StandIns(PICTURE_BYTES, sleep=QUICK)
    load = StandIns(PICTURE_BYTES, fps=LOAD * QUICK.capacity_per_s / CAMERAS)
    with deployed(kafka, PARTITIONS, **sections) as deployment:
        deployment.stand_in("segment", deployment.config("all"), model)
        deployment.stand_in("ingest", deployment.config("all"), load)
        return asyncio.run(_watched(deployment, over_s))


async def _saturated(deployment: Deployment, over_s: float) -> float:
    await deployment.flowing("masks")
    await asyncio.sleep(SETTLE_S)
    return await deployment.rate("masks", over_s)


async def _watched(deployment: Deployment, over_s: float) -> Seen:
    """What comes on ``masks`` once it flows, for so long."""
    await deployment.flowing("masks")
    await asyncio.sleep(SETTLE_S)
    return await _see(deployment, asyncio.sleep(over_s))


async def _see(deployment: Deployment, meanwhile: Coroutine[Any, Any, None]) -> Seen:
    """What comes while something is done, from when reading is steady on: what lay there before
    says nothing of ages.
    """
    clock, seen = SteadyClock(), Seen()
    settings = Settings.model_validate(deployment.document)
    async with open_transport(settings).inbox("masks", f"bench-{time.monotonic_ns()}") as inbox:
        while not await inbox.receive(256, 0.5):
            pass
        since_us = clock.now_us() + CATCH_UP_US
        doing = asyncio.create_task(_after(CATCH_UP_US / 1e6, meanwhile))
        while not doing.done():
            deliveries = await inbox.receive(256, 0.1)
            seen.add(deliveries, clock.now_us(), since_us)
        doing.result()
    seen.end(clock.now_us())
    return seen


async def _after(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    await asyncio.sleep(seconds)
    await work


def _pauses(kafka: str, over_s: float) -> dict[str, float]:
    """The longest silence of a live camera around each change of the segmenters."""
    sections = {"model": {"weights": "none"}, "cameras": cameras("live", FEW)}
    model = StandIns(PICTURE_BYTES, sleep=SLEEP)
    load = StandIns(PICTURE_BYTES, fps=LOAD * SLEEP.capacity_per_s / FEW)
    with deployed(kafka, PARTITIONS, **sections) as deployment:
        config = deployment.config("all")

        def segmenter() -> subprocess.Popen[bytes]:
            return deployment.stand_in("segment", config, model)

        started = [segmenter()]
        deployment.stand_in("ingest", config, load)

        def silence(change: Callable[[], object], members: int) -> float:
            return asyncio.run(_silence(deployment, over_s, change, members))

        return {
            "none of them changes": silence(lambda: None, 1),
            "one joins": silence(lambda: started.append(segmenter()), 2),
            "one leaves": silence(lambda: stop(started.pop()), 1),
        }


async def _silence(
    deployment: Deployment, over_s: float, change: Callable[[], object], members: int
) -> float:
    async def work() -> None:
        await asyncio.sleep(over_s / 2)
        await asyncio.to_thread(change)
        await deployment.joined(LIVE, members)
        await asyncio.sleep(over_s)

    await deployment.flowing("masks")
    return (await _see(deployment, work())).silence_s
