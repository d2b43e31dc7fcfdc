"""``maskstream watch --host faust``: the same batches, handed out by Faust."""

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from connectors import open_kafka
from connectors.clock import SteadyClock
from connectors.health import serve_health
from stream import watch
from stream.cli.collecting import keep_what_is_loaded
from stream.cli.doubting import log_doubts
from stream.cli.editing import edits_of_rules, follow_rules
from stream.cli.embedded import beside
from stream.cli.kafka_only import settings_of_role
from stream.cli.logs import logged
from stream.cli.measured import measured
from stream.cli.model import check_known_labels
from stream.cli.roles import ended, look
from stream.cli.stop import stop_on_signals
from stream.cli.traces import traced
from stream.config import Settings, check_watched
from stream.errors import DrainTimeoutError
from stream.health import Health
from stream.registry import is_live
from stream.rulebook import Rulebook

_log = logging.getLogger(__name__)


def watch_on_faust(config: Path) -> None:
    """Run ``watch`` as an agent of Faust until a signal comes."""
    with logged("watch"):
        asyncio.run(_play(config, settings_of_role(config, "watch")))


async def _play(config: Path, settings: Settings) -> None:
    transport = open_kafka(settings)  # says what to install where Kafka's packages are missing
    from connectors.faust_app import FaustHost

    await transport.check("watch")
    clock = SteadyClock()
    rulebook = Rulebook(settings.rules, settings.zones)
    health = Health(["start", "partitions"])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(traced(settings, "watch", clock))
        metrics = stack.enter_context(measured("watch"))
        metrics.expects_dead_letters("masks")
        metrics.expects_alerts(each.id for each in rulebook.rules)
        served = serve_health(health, clock, metrics.registry, settings.health)
        _log.info("watch: probes on %s", await stack.enter_async_context(served))
        registry = await stack.enter_async_context(transport.registry())
        check_watched(settings, registry.cameras)
        check_known_labels(settings)
        log_doubts(settings)
        edits = edits_of_rules(config, registry, clock, metrics)
        await stack.enter_async_context(beside(follow_rules(edits, settings, rulebook)))
        outbox = await stack.enter_async_context(transport.outbox(*watch.TOPICS))
        store = await stack.enter_async_context(transport.store())

        live = partial(is_live, registry)
        loop = watch.Watch(outbox, store, rulebook.plans, metrics, clock, live)
        host = FaustHost(settings, "watch", "masks", loop.batch, metrics.open_alerts.forget)
        stop = stack.enter_context(stop_on_signals())
        async with beside(ended(stop, health)), beside(look(host.progress, health, clock, metrics)):
            _log.info("watch: started")
            keep_what_is_loaded()
            health.reached("start")
            try:
                await host.run(stop, settings.drain)
            except DrainTimeoutError as error:
                # Faust goes on through any cancellation, in a thread as well: only this ends it.
                _log.error("watch: %s", error)
                os._exit(error.exit_code)
    _log.info("watch: stopped")
