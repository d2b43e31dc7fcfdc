"""``/livez``, ``/readyz`` and ``/metrics`` of a role."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry

from connectors.listening import listening
from connectors.metrics import add_metrics
from stream.health import Health
from stream.ports import Clock
from stream.specs import HealthSpec


@asynccontextmanager
async def serve_health(
    health: Health, clock: Clock, registry: CollectorRegistry, spec: HealthSpec
) -> AsyncIterator[str]:
    """Serve the probes and yield their URL: 200 ``ok``, or 503 with the reasons, a line each."""

    async def live(_: web.Request) -> web.Response:
        return _answer(health.dead(clock.now_us()))

    async def ready(_: web.Request) -> web.Response:
        return _answer(health.unready())

    app = web.Application()
    app.router.add_get("/livez", live)
    app.router.add_get("/readyz", ready)
    add_metrics(app, registry)
    async with listening(app, "health", spec.host, spec.port) as url:
        yield url


def _answer(reasons: Sequence[str]) -> web.Response:
    text = "\n".join(reasons) or "ok"
    return web.Response(text=f"{text}\n", status=503 if reasons else 200)
