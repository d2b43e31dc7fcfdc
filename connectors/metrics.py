"""``/metrics`` in Prometheus' text format."""

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_REGISTRY = web.AppKey("registry", CollectorRegistry)


def add_metrics(app: web.Application, registry: CollectorRegistry) -> None:
    """Answer ``/metrics`` with what ``registry`` holds."""
    app[_REGISTRY] = registry
    app.router.add_get("/metrics", _metrics)


async def _metrics(request: web.Request) -> web.Response:
    text = generate_latest(request.app[_REGISTRY])
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})
