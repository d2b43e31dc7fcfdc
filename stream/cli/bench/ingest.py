"""Cameras on the network: how soon the first picture comes, how fresh they are, and how many two
cores take in.
"""

import asyncio
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from connectors.clock import SteadyClock
from connectors.jpeg import JpegCodec
from connectors.memory import MemoryTransport
from stream import codec
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.embedded import Role, run_roles
from stream.cli.pipeline import Common, ingest_role
from stream.config import Settings
from stream.follow import follow
from stream.metrics import Metrics
from stream.ports import Delivery, Inbox, Outbox
from stream.registry import Listed
from stream.rulebook import Rulebook
from stream.types import Frame, Pixels

FPS = 10.0
STAMP_FPS, STAMP_BITS, STAMP_CELL_PX = 25, 64, 8
"""As tests/support/rtsp_server.py stamps: the µs since 1970 in one row of cells, white for a one,
most significant first."""
STEP = 10
ENOUGH = 0.98
"""Part of the frames asked for that have to come."""
SETTLE_S = 4.0


@dataclass
class Came:
    """What came on ``frames``: how many of each camera, and how old each was by ``age_s``."""

    age_s: Callable[[Frame], float]
    counts: dict[str, int] = field(default_factory=dict)
    ages_s: list[float] = field(default_factory=list)
    first_s: float | None = None

    async def use(self, delivery: Delivery) -> None:
        """Count it, if it is a frame."""
        if codec.kind_of(delivery.record) != "frame":
            return
        frame = codec.decode_frame(delivery.record)
        self.first_s = self.first_s or time.monotonic()
        self.counts[frame.id.camera] = self.counts.get(frame.id.camera, 0) + 1
        self.ages_s.append(self.age_s(frame))


def measure(report: Report, scale: Scale, rtsp: str) -> None:
    """Take ``/stamp`` and ``/people`` of the server at ``rtsp`` (host:port)."""
    stamp, people = (f"rtsp://{rtsp}/{name}" for name in ("stamp", "people"))
    waits_s = [asyncio.run(_first_frame_s(stamp)) for _ in range(scale.rounds)]
    report.figure("ingest.first_frame_s", float(np.median(waits_s)))
    ages_ms = 1e3 * np.array(asyncio.run(_ages_s(stamp, 3 * scale.flow_s)))
    p50, p99 = np.percentile(ages_ms, [50, 99])
    report.figure("ingest.capture_to_frames_p99_ms", p99)
    report.table(
        [f"one camera, {STAMP_FPS} frames/s", "median", "lowest", "highest"],
        [
            ["first frame, s", *(f"{f(waits_s):.2f}" for f in (np.median, min, max))],
            ["capture to frames, ms", f"{p50:.0f}", f"{ages_ms.min():.0f}", f"{ages_ms.max():.0f}"],
            ["… p99, ms", f"{p99:.0f}", "", ""],
        ],
    )
    _how_many(report, scale, people)


def _how_many(report: Report, scale: Scale, url: str) -> None:
    rows, points, most = [], [], 0
    for count in range(STEP, scale.most_cameras + 1, STEP):
        part, cores = asyncio.run(_part_taken(url, count, scale.flow_s))
        rows.append([str(count), f"{part * count * FPS:.0f}", f"{part:.3f}", f"{cores:.2f}"])
        points.append((float(count), part * count * FPS))
        report.say(f"  {count} cameras: {part:.3f} of their frames, {cores:.2f} cores")
        if part < ENOUGH:
            break
        most = count
    report.figure("ingest.cameras_2_cores", most)
    report.table(["cameras at 10 frames/s", "frames/s", "part", "cores of ingest"], rows)
    report.line(
        "ingest", "Cameras at 768×432, 10 frames/s, on two cores", ("cameras", "frames/s"), points
    )


async def _first_frame_s(url: str) -> float:
    came = Came(lambda _: 0.0)
    began_s = time.monotonic()
    await _play({"stamp": url}, came, lambda: came.first_s is not None)
    assert came.first_s is not None
    return came.first_s - began_s


async def _ages_s(url: str, over_s: float) -> list[float]:
    decode = JpegCodec.of(_settings({"stamp": url}).pictures).decode
    came = Came(lambda frame: time.time() - stamped_s(decode(frame.picture)))
    ends_s = time.monotonic() + SETTLE_S + over_s
    await _play({"stamp": url}, came, lambda: time.monotonic() > ends_s)
    return came.ages_s[round(SETTLE_S * STAMP_FPS) :]


async def _part_taken(url: str, count: int, over_s: float) -> tuple[float, float]:
    """Of the frames that so many cameras were asked for, the part that came; and the cores."""
    cameras = {f"camera-{number}": url for number in range(count)}
    came = Came(lambda _: 0.0)
    marks: list[tuple[float, int, float]] = []
    due_s = math.inf

    def is_over() -> bool:
        nonlocal due_s
        now_s = time.monotonic()
        if math.isinf(due_s) and len(came.counts) == count:
            due_s = now_s + SETTLE_S  # all are there
        if now_s >= due_s:
            due_s = now_s + over_s
            marks.append((now_s, sum(came.counts.values()), sum(os.times()[:2])))
        return len(marks) == 2

    await _play(cameras, came, is_over)
    (first_s, before, cpu_before_s), (last_s, after, cpu_s) = marks
    passed_s = last_s - first_s
    return (after - before) / (passed_s * count * FPS), (cpu_s - cpu_before_s) / passed_s


def stamped_s(pixels: Pixels) -> float:
    """When a stamped picture was made, in seconds since 1970."""
    row = pixels[:STAMP_CELL_PX, : STAMP_BITS * STAMP_CELL_PX].mean(axis=(0, 2))
    bits = row.reshape(STAMP_BITS, STAMP_CELL_PX).mean(axis=1) > 128
    return int("".join("01"[bit] for bit in bits.astype(int)), 2) / 1e6


async def _play(cameras: Mapping[str, str], came: Came, is_over: Callable[[], bool]) -> None:
    """Ingest in this process, read along, until ``is_over``."""
    settings, transport, clock = _settings(cameras), MemoryTransport(), SteadyClock()
    rulebook = Rulebook(settings.rules, settings.zones)
    common = Common(settings, rulebook, Listed(settings.cameras), transport, clock, Metrics())
    stop = asyncio.Event()

    async def read(inboxes: Mapping[str, Inbox], _: Outbox) -> None:
        await follow(inboxes, came.use)

    async def watch() -> None:
        while not is_over():  # noqa: ASYNC110 - it waits for time as well
            await asyncio.sleep(0.02)
        stop.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watch())
        roles = [ingest_role(common), Role("bench", read, reads=("frames",))]
        await run_roles(transport, roles, stop, settings.drain)


def _settings(cameras: Mapping[str, str]) -> Settings:
    listed = [{"id": name, "url": url} for name, url in cameras.items()]
    return Settings.model_validate(
        {"model": {"weights": "none"}, "cameras": listed, "pictures": {"encoding": "jpeg"}}
    )
