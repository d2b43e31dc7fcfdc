"""``maskstream web``: the live page, as a process of its own that only reads."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from connectors import open_kafka
from connectors.clock import SteadyClock
from connectors.health import Own, add_probes, serve_health
from connectors.web import Page, show
from stream import codec
from stream.cli.editing import edits_of_rules, follow_rules
from stream.cli.embedded import beside
from stream.cli.kafka_only import settings_of_role
from stream.cli.logs import log_to_stderr
from stream.cli.roles import ended
from stream.cli.serving import served
from stream.cli.stop import stop_on_signals
from stream.config import Settings
from stream.errors import RecordError, UnsupportedVersionError
from stream.health import Health
from stream.metrics import Metrics
from stream.observe import TOPICS
from stream.rulebook import Rulebook
from stream.types import CameraStatus
from stream.web_spec import WebSpec

if TYPE_CHECKING:
    from connectors.kafka import KafkaTransport

_log = logging.getLogger(__name__)


def run_web(config: Path) -> None:
    """Serve until a signal comes."""
    log_to_stderr()
    asyncio.run(_play(config, settings_of_role(config)))


async def _play(config: Path, settings: Settings) -> None:
    transport = open_kafka(settings)
    await transport.check()
    clock, metrics, health = SteadyClock(), Metrics(), Health(["topics"])
    spec = settings.web or WebSpec()
    async with AsyncExitStack() as stack:
        probes = serve_health(health, clock, metrics.registry, settings.health)
        _log.info("web: probes on %s", await stack.enter_async_context(probes))
        registry = await stack.enter_async_context(transport.registry())
        rulebook = Rulebook(settings.rules, settings.zones)
        edits = edits_of_rules(config, registry, clock, metrics)
        await stack.enter_async_context(beside(follow_rules(edits, settings, rulebook)))
        stop = stack.enter_context(stop_on_signals())
        page = Page(
            cameras=tuple(registry.cameras), zones=lambda: rulebook.zones, now_us=clock.now_us
        )
        parts = [partial(add_probes, probed=Own(health, clock, metrics.registry))]
        url = await stack.enter_async_context(served(page, spec, metrics.registry, parts))
        async with beside(_feed(transport, page, health)), beside(ended(stop, health)):
            _log.info("web: started, page on %s", url)
            await stop.wait()
    _log.info("web: stopped")


async def _feed(transport: "KafkaTransport", page: Page, health: Health) -> None:
    """Tell the page what comes, and before that how each camera was last."""
    async with AsyncExitStack() as stack:
        inboxes = {
            topic: await stack.enter_async_context(transport.onlooker(topic)) for topic in TOPICS
        }
        async for status in _statuses(transport):
            page.status(status)
        health.reached("topics")
        await show(inboxes, page)


async def _statuses(transport: "KafkaTransport") -> AsyncIterator[CameraStatus]:
    async for record in transport.whole("camera-status"):
        try:
            message = codec.decode(record)
        except (RecordError, UnsupportedVersionError) as error:
            _log.error("camera-status: a record cannot be read and is passed over: %s", error)
            continue
        if isinstance(message, CameraStatus):
            yield message
