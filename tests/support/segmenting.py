"""A segment on a real transport, with a real if simple model."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

from connectors.jpeg import JpegCodec
from stream.audit import Audit
from stream.codec import Message
from stream.device import Device
from stream.metrics import Metrics
from stream.ports import Clock, Delivery, Model, Record, Transport
from stream.registry import Listed
from stream.segment import FIRST, Outlet, Segment
from stream.specs import CameraSpec
from stream.types import (
    Frame,
    Gap,
    MaskMessage,
    Picture,
    Pixels,
    Result,
)
from tests.support.clock import VirtualClock
from tests.support.models import BrightModel
from tests.support.topics import everything, fill, messages, roomy

JPEG = JpegCodec(quality=90, max_bytes=100_000, max_pixels=100_000)
MAX_AGE_S = 1.0
BOX = (10, 8, 30, 24)

Sent = Record | Frame | Message


@dataclass
class Bench:
    """A segment on a real transport, with a model that finds what is bright."""

    clock: Clock = field(default_factory=VirtualClock)
    model: Model = field(default_factory=BrightModel)
    cameras: dict[str, CameraSpec] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    transport: Transport = field(default_factory=roomy)
    decoded: list[Picture] = field(default_factory=list)
    outlet: Outlet = FIRST

    def decode(self, picture: Picture) -> Pixels:
        self.decoded.append(picture)
        return JPEG.decode(picture)

    async def run(self, *topics: str) -> None:
        """Segment these topics to their ends."""
        device = Device(self.model, self.clock, self.metrics)
        segment = Segment(
            device,
            self.decode,
            Listed(self.cameras.values()),
            round(MAX_AGE_S * 1e6),
            self.clock,
            self.metrics,
            self.outlet,
        )
        async with AsyncExitStack() as stack:
            outbox = await stack.enter_async_context(self.transport.outbox(*self.outlet.topics))
            inboxes = {
                topic: await stack.enter_async_context(self.transport.inbox(topic, "segment"))
                for topic in topics
            }
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            running = tasks.create_task(device.run())
            await segment.run(inboxes, outbox, partial(self.transport.last, self.outlet.masks))
            running.cancel()

    async def masks(self, *sent: Sent, topic: str = "frames") -> list[Message]:
        """What comes of the records ``sent``."""
        async with self.transport.outbox(topic) as outbox:
            await fill(outbox, topic, sent)
        await self.run(topic)
        return await messages(self.transport, self.outlet.masks)

    async def letters(self) -> list[Delivery]:
        return await everything(self.transport, "dead-letters")

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"maskstream_{name}_total", labels) or 0


def brief(found: Iterable[Message]) -> list[str]:
    """Each message in a word: the number of a result, the reason of a gap."""
    words = []
    for each in found:
        if isinstance(each, Result):
            words.append(str(each.seq))
        elif isinstance(each, Gap):
            words.append(f"{each.first}-{each.last} {each.reason}")
        else:
            words.append(type(each).__name__)
    return words


def audited(found: Iterable[Message]) -> Audit:
    audit = Audit()
    for each in found:
        assert isinstance(each, MaskMessage)
        audit.add(each)
    return audit
