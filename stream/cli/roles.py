"""``maskstream ingest``, ``segment``, ``watch``, ``notify``, ``compare``: one role, a process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from connectors import open_kafka
from connectors.clock import SteadyClock, WallClock
from connectors.health import serve_health
from stream.camera_counts import topic_of
from stream.canary import sing
from stream.cli.arguments import Part
from stream.cli.cards import cards_watched
from stream.cli.collecting import keep_what_is_loaded
from stream.cli.doubting import log_doubts
from stream.cli.editing import edits_of_rules, follow_rules
from stream.cli.embedded import LEAVING_S, Role, beside, run_roles
from stream.cli.evidence import illustration
from stream.cli.jobs import WHOLE, Job, job_of
from stream.cli.kafka_only import settings_of_role, shadow_of
from stream.cli.leaving import Leaving
from stream.cli.logs import logged
from stream.cli.measured import measured
from stream.cli.model import check_known_labels, opened
from stream.cli.parent import Parent
from stream.cli.pipeline import (
    WIDE,
    Common,
    compare_role,
    ingest_role,
    measure_capacity,
    notify_role,
    open_sinks,
    segment_role,
    watch_role,
)
from stream.cli.stop import stop_on_signals
from stream.cli.traces import traced
from stream.config import Settings, check_labels, check_watched
from stream.device import Device
from stream.health import Health
from stream.metrics import Metrics
from stream.ports import AskProgress, Clock, Model, Transport
from stream.rulebook import Rulebook

LOOK_S = 1.0

OpenModel = Callable[[Common], AbstractAsyncContextManager[Model]]
"""Opens the model of the settings, ready for work."""


_log = logging.getLogger(__name__)


@asynccontextmanager
async def warm(common: Common) -> AsyncIterator[Model]:
    """The model itself, with what the likeliest pictures need compiled."""
    async with opened(common.settings.model) as model:
        await model.warm_up([WIDE])
        yield model


@asynccontextmanager
async def with_capacity(common: Common) -> AsyncIterator[Model]:
    """The model as `warm` opens it, with its capacity told."""
    async with warm(common) as model:
        await measure_capacity(common, Leaving(model))
        yield model


@asynccontextmanager
async def at_work(common: Common, health: Health, open_model: OpenModel) -> AsyncIterator[Device]:
    """The device with the model of the settings: it runs, a canary says how it is, and cards are
    told of.
    """
    async with open_model(common) as opened_model:
        model = Leaving(opened_model)
        device = Device(model, common.clock, common.metrics)
        async with (
            beside(sing(model, health, common.clock)),
            beside(device.run()),
            cards_watched(common.metrics, common.clock),
        ):
            yield device


def run_role(name: str, config: Path, open_model: OpenModel = with_capacity) -> None:
    """Run one role on Kafka until a signal comes, or until its files end."""
    with logged(name):
        asyncio.run(play(name, config, settings_of_role(config, name), open_model))


def run_segment(config: Path, part: Part) -> None:
    """Run a ``segment``, or the part of one, on Kafka until a signal comes."""
    with logged(part.role):
        settings = settings_of_role(config, part.role)
        asyncio.run(play_segment(job_of(part, settings), config, settings))


async def play_segment(
    job: Job, config: Path, settings: Settings, parent: Parent | None = None
) -> None:
    """Run a ``segment`` until a signal comes, or its ``parent`` ends it."""
    open_model = with_capacity if job.is_live else warm
    await play(job.name, config, job.own(settings), open_model, parent, job)


async def play(
    name: str,
    config: Path,
    settings: Settings,
    open_model: OpenModel = with_capacity,
    parent: Parent | None = None,
    job: Job = WHOLE,
) -> None:
    """Run one role until a signal comes, its ``parent`` ends it, or its files end.

    ``job`` is what it is there for where it is a ``segment``.
    """
    transport = open_kafka(settings)
    await transport.check(name)
    clock = SteadyClock()
    health = Health(["start", "partitions"])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(traced(settings, name, clock))
        metrics = stack.enter_context(measured(name))
        served = serve_health(health, clock, metrics.registry, settings.health)
        url = await stack.enter_async_context(served)
        if parent is None:
            _log.info("%s: probes on %s", name, url)
        else:
            parent.tell(url)
        registry = await stack.enter_async_context(transport.registry())
        rulebook = Rulebook(settings.rules, settings.zones)
        common = Common(settings, rulebook, registry, transport, clock, metrics)
        role = await stack.enter_async_context(_opened(name, common, health, open_model, job))
        if name in {"watch", "notify"}:  # notify draws the zones, and makes the clips, of rules
            log_doubts(settings)
            edits = edits_of_rules(config, registry, clock, metrics)
            await stack.enter_async_context(beside(follow_rules(edits, settings, rulebook)))
        stop = stack.enter_context(stop_on_signals())
        if parent is not None:
            parent.may_stop(stop)
        await stack.enter_async_context(beside(_end(stop, transport, health)))
        async with beside(look(transport.progress, health, clock, metrics)):
            _log.info("%s: started", name)
            keep_what_is_loaded()
            health.reached("start")
            await run_roles(transport, [role], stop, settings.drain + LEAVING_S)
    _log.info("%s: stopped", name)


async def look(
    progress: Callable[[], AbstractAsyncContextManager[AskProgress]],
    health: Health,
    clock: Clock,
    metrics: Metrics,
) -> None:
    """Tell ``health`` and ``metrics`` how far the work is, again and again."""
    async with progress() as ask:
        while True:
            found = await ask()
            health.progress(found, clock.now_us())
            metrics.behind({topic: share.lags for topic, share in found.shares.items()})
            await clock.sleep(LOOK_S)


async def ended(stop: asyncio.Event, health: Health) -> None:
    """Tell ``health`` of the stop."""
    await stop.wait()
    health.draining()


async def _end(stop: asyncio.Event, transport: Transport, health: Health) -> None:
    await ended(stop, health)
    await transport.end()


@asynccontextmanager
async def _opened(
    name: str, common: Common, health: Health, open_model: OpenModel, job: Job = WHOLE
) -> AsyncIterator[Role]:
    settings = common.settings
    async with AsyncExitStack() as stack:
        match name:
            case "ingest":
                yield ingest_role(common)
            case job.name:
                # Scraped at 0 while the model is opened: what comes first may have expired.
                for camera, spec in common.registry.cameras.items():
                    if topic_of(spec) in job.reads:
                        common.metrics.expects_gaps(camera)
                opening = at_work(common, health, open_model)
                device = await stack.enter_async_context(opening)
                check_labels(settings, device.model.labels, shadow=job.is_shadow)
                yield segment_role(common, device, job)
            case "compare":
                yield compare_role(common, shadow_of(settings))
            case "watch":
                check_watched(settings, common.registry.cameras)
                check_known_labels(settings)
                yield watch_role(common)
            case "notify":
                sinks = open_sinks(settings.endpoints, WallClock())
                pictures = illustration(
                    settings, common.rulebook, common.registry, common.transport, common.clock
                )
                yield notify_role(
                    common,
                    await stack.enter_async_context(sinks),
                    await stack.enter_async_context(pictures),
                )
