"""``maskstream web``: the live page and the HTTP API, as a process of its own that only reads."""

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
from connectors.web import Page, show, tell
from connectors.web.api import Board, Segmenting
from connectors.web.page import Recalled
from connectors.web.server import Part
from stream import codec
from stream.cli.editing import edits_of_rules, follow_rules
from stream.cli.embedded import beside
from stream.cli.kafka_only import settings_of_role
from stream.cli.logs import logged
from stream.cli.measured import measured
from stream.cli.observers import opened_page
from stream.cli.pipeline import Common
from stream.cli.roles import OpenModel, at_work, ended, warm
from stream.cli.serving import api, segmenting, served
from stream.cli.stop import stop_on_signals
from stream.codec import Message
from stream.config import Settings
from stream.errors import DrainTimeoutError, RecordError, UnsupportedVersionError
from stream.health import Health
from stream.observe import TOPICS
from stream.ports import Registry
from stream.rulebook import Rulebook
from stream.types import Alert, CameraStatus
from stream.web_spec import WebSpec

if TYPE_CHECKING:
    from connectors.kafka import KafkaTransport

REMEMBERED = ("camera-status", "alerts")
"""Topics that tell how things are now by what was last said, however long ago."""
BREATH = 500
"""Records that are read until the page is told how far, and others have their turn."""

_log = logging.getLogger(__name__)


def run_web(config: Path, open_model: OpenModel = warm) -> None:
    """Serve until a signal comes."""
    with logged("web"):
        asyncio.run(_play(config, settings_of_role(config, "web"), open_model))


async def _play(config: Path, settings: Settings, open_model: OpenModel) -> None:
    transport = open_kafka(settings)
    await transport.check("web")
    clock, health = SteadyClock(), Health(["topics"])
    spec = settings.web or WebSpec()
    async with AsyncExitStack() as stack:
        metrics = stack.enter_context(measured("web"))
        probes = serve_health(health, clock, metrics.registry, settings.health)
        _log.info("web: probes on %s", await stack.enter_async_context(probes))
        registry = await stack.enter_async_context(transport.registry())
        rulebook = Rulebook(settings.rules, settings.zones)
        edits = edits_of_rules(config, registry, clock, metrics)
        await stack.enter_async_context(beside(follow_rules(edits, settings, rulebook)))
        common = Common(settings, rulebook, registry, transport, clock, metrics)
        pictures = None
        if spec.segment:
            device = await stack.enter_async_context(at_work(common, health, open_model))
            pictures = segmenting(device, spec)
        stop = stack.enter_context(stop_on_signals())
        opening = opened_page(settings, registry, rulebook, clock)
        page = await stack.enter_async_context(opening)
        page.recall(Recalled(0, 0))
        own = Own(health, clock, metrics.registry)
        parts: list[Part] = [partial(add_probes, probed=own), api(Board(page), pictures, spec)]
        url = await stack.enter_async_context(served(page, spec, metrics, parts))
        async with (
            beside(_feed(transport, common, page, health)),
            beside(ended(stop, health)),
        ):
            _log.info("web: started, page on %s", url)
            await stop.wait()
            if pictures is not None:
                await _finish(pictures, settings.drain)
    _log.info("web: stopped")


async def _finish(pictures: Segmenting, drain_s: float) -> None:
    try:
        async with asyncio.timeout(drain_s):
            await pictures.finish()
    except TimeoutError:
        raise DrainTimeoutError(f"pictures were left {drain_s:g} s after the stop") from None


async def _feed(transport: "KafkaTransport", common: Common, page: Page, health: Health) -> None:
    """Tell what comes. How things are by what was said last is told in order: pictures need not
    wait until what was said before is read.
    """
    async with AsyncExitStack() as stack:
        shown = {
            topic: await stack.enter_async_context(transport.onlooker(topic)) for topic in TOPICS
        }
        remembered = {topic: shown.pop(topic) for topic in REMEMBERED}
        showing = show(shown, page, common.clock, common.settings.freshness.max_age)
        await stack.enter_async_context(beside(showing))
        await _recall(transport, common.registry, page)
        health.reached("topics")
        await tell(remembered, page)


async def _recall(transport: "KafkaTransport", registry: Registry, page: Page) -> None:
    """Tell what was told before, of the cameras that there are and of alerts."""
    read, of = 0, sum([await transport.count(topic) for topic in REMEMBERED])
    for topic in REMEMBERED:
        async for told_us, message in _past(transport, topic):
            if isinstance(message, Alert):
                await page.alert(message, told_us)
            if isinstance(message, CameraStatus) and message.camera in registry.cameras:
                page.status(message)
            if read % BREATH == 0:
                page.recall(Recalled(read, max(read, of)))
                await asyncio.sleep(0)
            read += 1
    page.recall(None)


async def _past(transport: "KafkaTransport", topic: str) -> AsyncIterator[tuple[int, Message]]:
    async for told_us, record in transport.stamped(topic):
        try:
            yield told_us, codec.decode(record)
        except (RecordError, UnsupportedVersionError) as error:
            _log.error("%s: a record cannot be read and is passed over: %s", topic, error)
