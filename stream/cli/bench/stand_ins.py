"""Roles whose costly ends are replaced, so that what lies between them can be measured.

``python -m stream.cli.bench.stand_ins ROLE CONFIG STANDINS`` runs one in a process of its own:
ingest with pictures made beforehand, segment with a model that sleeps and nothing to decode, or
watch as it is. The loops, the codec, the transport and the drain are those of the product.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from zlib import crc32

import msgspec
import numpy as np

from connectors import open_kafka
from connectors.clock import SteadyClock
from connectors.jpeg import JpegCodec
from connectors.video.network import READ_S
from stream import ingest, segment
from stream.cli.bench.sleeping import Sleep, SleepingModel
from stream.cli.embedded import Role, beside, run_roles
from stream.cli.logs import logged
from stream.cli.pipeline import Common, watch_role
from stream.cli.stop import stop_on_signals
from stream.config import load
from stream.device import Device
from stream.errors import CameraError
from stream.metrics import Metrics
from stream.ports import Clock, Inbox, Outbox, Shot
from stream.registry import Listed
from stream.rulebook import Rulebook
from stream.sampling import Sampler
from stream.specs import CameraSpec
from stream.types import Encoded, Mode, Picture, Pixels, Size

SIZE: Size = (480, 640)


class StandIns(msgspec.Struct, frozen=True):
    """What replaces the ends.

    A live camera offers ``fps`` pictures a second, an archive camera what is taken from it. A
    picture is a JPEG of about ``picture_bytes``. The model is a `SleepingModel`.
    """

    picture_bytes: int
    fps: float = 0.0
    sleep: Sleep = Sleep()


class PacedFeed:
    """A `stream.ports.Feed` without an end: at a pace of ``fps``, or as fast as it is read.

    Who does not read for as long as a camera on the network may be silent loses it as well.
    """

    size = SIZE
    fps: float | None
    started_us: int | None
    frames: int | None = None

    def __init__(self, camera: CameraSpec, fps: float, clock: Clock) -> None:
        is_live = camera.mode == "live"
        self._clock = clock
        self._phase = crc32(camera.id.encode()) / 2**32  # cameras do not tick together
        self.fps = fps if is_live else None
        self.started_us = None if is_live else clock.now_us()

    async def shots(self, _: Sampler) -> AsyncIterator[Shot]:
        """All, at their pace."""
        period_s = 1 / self.fps if self.fps else 0.0
        began_us = self._clock.now_us() + round(self._phase * period_s * 1e6)
        number = 0
        while True:
            if period_s:
                due_s = (began_us - self._clock.now_us()) / 1e6 + number * period_s
                if due_s < -READ_S:
                    raise CameraError("the connection was lost while this process stood still")
                await self._clock.sleep(max(0.0, due_s))
            time_s = number * period_s or number / 1000
            yield Shot(time_s, self._clock.now_us(), SIZE, _nothing)
            number += 1


def cameras(mode: Mode, count: int) -> list[dict[str, str]]:
    """So many cameras of a configuration, with ids that follow no pattern; the same every time."""
    ids = (f"{mode}-{crc32(str(number).encode()):08x}" for number in range(count))
    return [{"id": each, "url": f"{each}.mp4", "mode": mode} for each in ids]


_NOTHING = np.zeros((1, 1, 3), np.uint8)


def _nothing() -> Pixels:
    return _NOTHING


def picture_of(about_bytes: int) -> Encoded:
    """A JPEG of noise, as many of its rows as it takes: of that size or up to 8 kB more."""
    noise = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    jpeg = JpegCodec(quality=80, max_bytes=10**8, max_pixels=10**8)
    for rows in range(16, SIZE[0] + 1, 16):
        picture = jpeg.encode(np.ascontiguousarray(noise[:rows]))
        if len(picture.jpeg) >= about_bytes:
            return picture
    raise ValueError(f"picture_bytes: given {about_bytes}; most {len(picture.jpeg)}")


def ingest_role(common: Common, spec: StandIns) -> Role:
    """Ingest that has its pictures already."""
    picture = picture_of(spec.picture_bytes)

    @asynccontextmanager
    async def open_feed(camera: CameraSpec) -> AsyncIterator[PacedFeed]:
        yield PacedFeed(camera, spec.fps, common.clock)

    def to_picture(_: Pixels) -> Picture:
        return picture

    async def work(_: Mapping[str, Inbox], outbox: Outbox) -> None:
        async with common.transport.epochs(common.clock) as epochs:
            loop = ingest.Ingest(
                open_feed, to_picture, outbox, common.clock, common.metrics, epochs
            )
            await loop.run(common.registry)

    return Role("ingest", work, writes=ingest.TOPICS, source=True)


def segment_role(common: Common, spec: StandIns) -> Role:
    """Segment that decodes nothing."""
    pixels = np.zeros((*SIZE, 3), np.uint8)
    max_age_us = round(common.settings.freshness.max_age * 1e6)

    async def work(inboxes: Mapping[str, Inbox], outbox: Outbox) -> None:
        device = Device(SleepingModel(spec.sleep), common.clock, common.metrics)
        loop = segment.Segment(
            device,
            lambda _: pixels,
            Listed(()),
            max_age_us,
            common.clock,
            common.metrics,
        )
        async with beside(device.run()):
            await loop.run(inboxes, outbox, partial(common.transport.last, "masks"))

    return Role("segment", work, reads=("frames", "frames-archive"), writes=segment.TOPICS)


async def _play(role: str, config: Path, spec: StandIns) -> None:
    settings = load(config, secrets=False)
    transport = open_kafka(settings)
    async with transport.registry() as registry:
        rulebook = Rulebook(settings.rules, settings.zones)
        common = Common(settings, rulebook, registry, transport, SteadyClock(), Metrics())
        if role == "watch":
            working = watch_role(common)
        else:
            working = (ingest_role if role == "ingest" else segment_role)(common, spec)
        await _until_stopped(common, working)


async def _until_stopped(common: Common, working: Role) -> None:
    with stop_on_signals() as stop:
        ended = asyncio.create_task(_end(common, stop))
        await run_roles(common.transport, [working], stop, common.settings.drain)
        ended.cancel()


async def _end(common: Common, stop: asyncio.Event) -> None:
    await stop.wait()
    await common.transport.end()


if __name__ == "__main__":
    name, path, stand_ins = sys.argv[1:]
    with logged(name):
        asyncio.run(_play(name, Path(path), msgspec.json.decode(stand_ins, type=StandIns)))
