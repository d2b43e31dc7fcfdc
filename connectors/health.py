"""``/livez``, ``/readyz`` and ``/metrics`` of a role."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry

from connectors.listening import listening
from connectors.metrics import Exposition, add_metrics, exposed
from stream.health import Health
from stream.ports import Clock
from stream.specs import HealthSpec


class Probed(Protocol):
    """What probes ask."""

    async def dead(self) -> Sequence[str]:
        """Why it should be started anew; empty while it lives."""

    async def unready(self) -> Sequence[str]:
        """Why it is not ready for work; empty when it is."""

    async def metrics(self, accept: str) -> Exposition:
        """Its figures, in a format that the ``Accept`` header takes."""


@asynccontextmanager
async def serve_probes(probed: Probed, spec: HealthSpec) -> AsyncIterator[str]:
    """Serve the probes and yield their URL."""
    app = web.Application()
    add_probes(app, probed)
    add_metrics(app, probed.metrics)
    async with listening(app, "health", spec.host, spec.port) as url:
        yield url


def add_probes(app: web.Application, probed: Probed) -> None:
    """Answer ``/livez`` and ``/readyz``: 200 ``ok``, or 503 with the reasons, a line each."""

    async def live(_: web.Request) -> web.Response:
        return _answer(await probed.dead())

    async def ready(_: web.Request) -> web.Response:
        return _answer(await probed.unready())

    app.router.add_get("/livez", live)
    app.router.add_get("/readyz", ready)


@asynccontextmanager
async def serve_health(
    health: Health, clock: Clock, registry: CollectorRegistry, spec: HealthSpec
) -> AsyncIterator[str]:
    """Serve the probes of a role that runs in this process, and yield their URL."""
    async with serve_probes(Own(health, clock, registry), spec) as url:
        yield url


class Own:
    """This process, as what probes ask."""

    def __init__(self, health: Health, clock: Clock, registry: CollectorRegistry) -> None:
        self._health = health
        self._clock = clock
        self._registry = registry

    async def dead(self) -> list[str]:
        """As `Probed.dead`."""
        return self._health.dead(self._clock.now_us())

    async def unready(self) -> list[str]:
        """As `Probed.unready`."""
        return self._health.unready()

    async def metrics(self, accept: str) -> Exposition:
        """As `Probed.metrics`."""
        return await exposed(self._registry, accept)


def _answer(reasons: Sequence[str]) -> web.Response:
    text = "\n".join(reasons) or "ok"
    return web.Response(text=f"{text}\n", status=503 if reasons else 200)
