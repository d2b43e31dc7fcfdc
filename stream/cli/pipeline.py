"""The four roles of one process, made from its settings."""

import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from connectors.jpeg import JpegCodec
from connectors.memory import MemoryStore
from connectors.video import open_feed
from connectors.webhook import Webhook
from stream import ingest, notify, segment, watch
from stream.cli.embedded import Role
from stream.config import Settings, signing_key
from stream.metrics import Metrics
from stream.ports import Clock, Inbox, Model, Outbox, Sink
from stream.specs import EndpointSpec, PicturesSpec
from stream.types import Picture, Pixels, Raw
from stream.watching import plans


@dataclass(frozen=True)
class Parts:
    """What the roles of one process share."""

    settings: Settings
    model: Model
    clock: Clock
    metrics: Metrics
    sinks: Mapping[str, Sink]


@asynccontextmanager
async def open_sinks(
    endpoints: Sequence[EndpointSpec], clock: Clock
) -> AsyncIterator[Mapping[str, Sink]]:
    """The webhooks of ``endpoints``, by id, each with its own signing key."""
    async with AsyncExitStack() as stack:
        sinks: dict[str, Sink] = {}
        for spec in endpoints:
            key = signing_key(spec.secret, os.environ)
            sinks[spec.id] = await stack.enter_async_context(Webhook(spec, key, clock))
        yield sinks


def roles(parts: Parts) -> list[Role]:
    """``ingest``, ``segment``, ``watch`` and ``notify``."""
    return [_ingest(parts), _segment(parts), _watch(parts), _notify(parts)]


def _ingest(parts: Parts) -> Role:
    to_picture = _encoder(parts.settings.pictures, parts.settings.transport)

    async def work(_: Mapping[str, Inbox], outbox: Outbox) -> None:
        loop = ingest.Ingest(open_feed, to_picture, outbox, parts.clock, parts.metrics)
        await loop.run(parts.settings.cameras)

    return Role("ingest", work, writes=ingest.TOPICS, source=True)


def _segment(parts: Parts) -> Role:
    settings = parts.settings
    cameras = {camera.id: camera for camera in settings.cameras}
    decode = jpeg(settings.pictures).decode
    max_age_us = round(settings.freshness.max_age * 1e6)

    async def work(inboxes: Mapping[str, Inbox], outbox: Outbox) -> None:
        loop = segment.Segment(parts.model, decode, cameras, max_age_us, parts.clock, parts.metrics)
        await loop.run(inboxes, outbox)

    return Role("segment", work, reads=("frames", "frames-archive"), writes=segment.TOPICS)


def _watch(parts: Parts) -> Role:
    watched = plans(parts.settings.rules, parts.settings.zones)

    async def work(inboxes: Mapping[str, Inbox], outbox: Outbox) -> None:
        store = MemoryStore()
        await watch.watch(inboxes["masks"], outbox, store, watched, parts.metrics)

    return Role("watch", work, reads=("masks",), writes=watch.TOPICS)


def _notify(parts: Parts) -> Role:
    async def work(inboxes: Mapping[str, Inbox], outbox: Outbox) -> None:
        loop = notify.Notify(parts.sinks, outbox, parts.clock, parts.metrics, random.random)
        await loop.run(inboxes["alerts"], parts.settings.drain)

    return Role("notify", work, reads=("alerts",), writes=notify.TOPICS)


def jpeg(pictures: PicturesSpec) -> JpegCodec:
    """The codec for pictures with the limits of the settings."""
    return JpegCodec(pictures.quality, pictures.max_bytes, pictures.max_pixels)


def _encoder(pictures: PicturesSpec, transport: str) -> Callable[[Pixels], Picture]:
    embedded = transport.startswith("memory:")
    raw = pictures.encoding == "raw" or (pictures.encoding == "auto" and embedded)
    return Raw if raw else jpeg(pictures).encode
