"""``maskstream alerts try``: does an endpoint take what it will be sent?"""

import asyncio
import sys
from pathlib import Path
from time import monotonic

from connectors.clock import WallClock
from stream.cli.pipeline import open_sinks
from stream.config import load
from stream.config.words import suggestion
from stream.errors import EXIT_DIFFERENT, EXIT_OK, ConfigError, DeliveryError
from stream.notify.trial import trial
from stream.ports import Sink
from stream.specs import EndpointSpec
from stream.types import Alert


def try_endpoint(config: Path, name: str) -> int:
    """Send a test alert to one endpoint of ``config``, and its end; returns the exit code.

    Each is tried once, as ``notify`` would: signed, checked and worded by the same sink. No
    transport is used. Raises `ConfigError` for an endpoint that is not configured.
    """
    endpoints = {each.id: each for each in load(config).endpoints}
    if name not in endpoints:
        allowed = suggestion(name, list(endpoints))
        raise ConfigError(f"{config}: endpoints: unknown endpoint {name}, {allowed}")
    return asyncio.run(_tried(endpoints[name]))


async def _tried(spec: EndpointSpec) -> int:
    clock = WallClock()
    async with open_sinks([spec], clock) as sinks:
        for change in trial(spec.id, clock.now_us()):
            if not await _taken(sinks[spec.id], change):
                return EXIT_DIFFERENT
    return EXIT_OK


async def _taken(sink: Sink, change: Alert) -> bool:
    """Whether it was; what came back is printed."""
    began_s = monotonic()
    try:
        answer = await sink.deliver(change)
    except DeliveryError as error:
        print(f"{change.state}: not taken: {error} ({_ms(began_s)})", file=sys.stderr)
        return False
    print(f"{change.state}: taken: {answer} ({_ms(began_s)})")
    return True


def _ms(began_s: float) -> str:
    return f"{(monotonic() - began_s) * 1000:.0f} ms"
