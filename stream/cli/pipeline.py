"""The four roles, made from the settings; in one process or each in its own."""

import logging
import os
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from connectors.jpeg import JpegCodec
from connectors.video import open_feed
from connectors.webhook import Webhook
from stream import codec, compare, ingest, notify, segment, watch
from stream.capacity import measured_rate
from stream.cli.embedded import Role, beside
from stream.cli.evidence import Illustration
from stream.cli.jobs import WHOLE, Job
from stream.config import Settings, redact, registered_url_fault, signing_keys
from stream.device import Device
from stream.errors import CameraRefusedError, RecordError
from stream.evidence import CLIPS
from stream.metrics import Metrics
from stream.ports import (
    Clock,
    Feed,
    Inbox,
    Member,
    Model,
    Outbox,
    Registry,
    Sink,
    TimeOfDay,
    Transport,
    Window,
)
from stream.registry import Listed, is_live
from stream.rulebook import Rulebook
from stream.specs import CameraSpec, EndpointSpec, ShadowSpec
from stream.types import DeliveryStatus, Picture, Pixels, Raw

WIDE = Window(0, 0, 1920, 1080)
"""The picture that is likeliest to come: its network is compiled before the first does."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Common:
    """What every role works with."""

    settings: Settings
    rulebook: Rulebook
    registry: Registry
    transport: Transport
    clock: Clock
    metrics: Metrics


@asynccontextmanager
async def open_sinks(
    endpoints: Sequence[EndpointSpec], clock: TimeOfDay
) -> AsyncIterator[Mapping[str, Sink]]:
    """The webhooks of ``endpoints``, by id, each with its own signing keys."""
    async with AsyncExitStack() as stack:
        sinks: dict[str, Sink] = {}
        for spec in endpoints:
            keys = signing_keys(spec, os.environ)
            sinks[spec.id] = await stack.enter_async_context(
                Webhook(spec, keys, notify.body_for(spec), clock)
            )
        yield sinks


def roles(
    common: Common, device: Device, sinks: Mapping[str, Sink], pictures: Illustration | None = None
) -> list[Role]:
    """All four; the ``device`` runs beside them."""
    return [
        ingest_role(common),
        segment_role(common, device),
        watch_role(common),
        notify_role(common, sinks, pictures),
    ]


def ingest_role(common: Common) -> Role:
    """Reads the cameras."""
    settings = common.settings
    to_picture = _encoder(settings)
    opening: ingest.OpenFeed = partial(
        open_feed, clock=common.clock, credentials=settings.credentials
    )
    if settings.on_kafka:
        opening = partial(_open_allowed, settings, opening)

    async def work(_: Mapping[str, Inbox], outbox: Outbox) -> None:
        async with common.transport.epochs(common.clock) as epochs:
            loop = ingest.Ingest(
                opening,
                to_picture,
                outbox,
                common.clock,
                common.metrics,
                epochs,
            )
            await loop.run(common.registry, settings.camera_health)

    return Role("ingest", work, writes=ingest.TOPICS, source=True)


@asynccontextmanager
async def _open_allowed(
    settings: Settings, opening: ingest.OpenFeed, camera: CameraSpec
) -> AsyncIterator[Feed]:
    """Whoever may write ``cameras`` does not thereby read files of this machine."""
    if (fault := registered_url_fault(camera.url, settings)) is not None:
        raise CameraRefusedError(f"camera {camera.id}: given {redact(camera.url)}; {fault}")
    async with opening(camera) as feed:
        yield feed


def segment_role(common: Common, device: Device, job: Job = WHOLE) -> Role:
    """Makes masks of the frames of its ``job``; the ``device`` runs beside it.

    A new shadow begins with what comes from now on: it would skip all that is older, and have the
    brokers read ten minutes of pictures from their disks for that.
    """

    async def work(inboxes: Mapping[str, Member], outbox: Outbox) -> None:
        common.metrics.expects_dead_letters(*job.reads)
        loop = _segment(common, device, common.registry, common.metrics, job.outlet)
        async with beside(loop.follow(inboxes)):
            await loop.run(inboxes, outbox, partial(common.transport.last, job.outlet.masks))

    writes = job.outlet.topics
    return Role(job.group, work, reads=job.reads, writes=writes, from_now=job.is_shadow)


def compare_role(common: Common, shadow: ShadowSpec) -> Role:
    """Tells how the ``shadow`` and the model agree. A new one begins with what comes from now on:
    what the model said before has no partner.
    """

    async def work(inboxes: Mapping[str, Member], _: Outbox) -> None:
        max_age_us = round(common.settings.freshness.max_age * 1e6)
        loop = compare.Compare(common.registry, max_age_us, common.clock, common.metrics)
        await loop.run({"model": inboxes["masks"], "shadow": inboxes[shadow.masks]})

    return Role(f"compare.{shadow.name}", work, reads=("masks", shadow.masks), from_now=True)


async def measure_capacity(common: Common, model: Model) -> None:
    """Find out what ``segment`` is able to do, on frames of the size of `WIDE`."""
    metrics = Metrics()
    device = Device(model, common.clock, metrics)
    loop = _segment(common, device, Listed(()), metrics)
    encode = _encoder(common.settings)
    full = model.batch_size * model.in_flight
    async with beside(device.run()):
        rate = await measured_rate(loop, full, encode, WIDE, common.clock)
    if rate is not None:
        common.metrics.saturated(rate)
        _log.info("segment: able to do %.1f frames/s", rate)


def _segment(
    common: Common,
    device: Device,
    registry: Registry,
    metrics: Metrics,
    outlet: segment.Outlet = segment.FIRST,
) -> segment.Segment:
    settings = common.settings
    decode = JpegCodec.of(settings.pictures).decode
    max_age_us = round(settings.freshness.max_age * 1e6)
    clock = common.clock
    return segment.Segment(device, decode, registry, max_age_us, clock, metrics, outlet)


def watch_role(common: Common) -> Role:
    """Makes tracks and alerts of masks."""

    async def work(inboxes: Mapping[str, Member], outbox: Outbox) -> None:
        async with common.transport.store() as store:
            plans = common.rulebook.plans
            masks, metrics = inboxes["masks"], common.metrics
            metrics.expects_dead_letters("masks")
            metrics.expects_alerts(each.id for each in common.rulebook.rules)
            live = partial(is_live, common.registry)
            loop = watch.Watch(outbox, store, plans, metrics, common.clock, live)
            await loop.run(masks)

    return Role("watch", work, reads=("masks",), writes=watch.TOPICS)


def notify_role(
    common: Common, sinks: Mapping[str, Sink], pictures: Illustration | None = None
) -> Role:
    """Delivers alerts to ``sinks``, with links to ``pictures`` where these are made."""
    clips = {} if pictures is None else {CLIPS: pictures.clips}

    async def work(inboxes: Mapping[str, Member], outbox: Outbox) -> None:
        loop = notify.Notify(
            {**sinks, **clips},
            outbox,
            common.clock,
            common.metrics,
            random.random,
            illustrator=None if pictures is None else pictures.illustrator,
            is_live=partial(is_live, common.registry),
        )
        common.metrics.expects_dead_letters("alerts")
        history = partial(_deliveries, common.transport)
        await loop.run(inboxes["alerts"], common.settings.drain, history)

    return Role("notify", work, reads=("alerts",), writes=notify.TOPICS)


async def _deliveries(transport: Transport) -> AsyncGenerator[DeliveryStatus, None]:
    async for record in transport.whole("deliveries"):
        try:
            message = codec.decode(record)
        except RecordError as error:
            _log.error("deliveries: a record cannot be read and is passed over: %s", error)
            continue
        if isinstance(message, DeliveryStatus):
            yield message


def _encoder(settings: Settings) -> Callable[[Pixels], Picture]:
    encoding = settings.pictures.encoding
    raw = encoding == "raw" or (encoding == "auto" and not settings.on_kafka)
    return Raw if raw else JpegCodec.of(settings.pictures).encode
