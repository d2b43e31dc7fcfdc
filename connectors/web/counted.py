"""Requests to the HTTP API, counted and timed by route."""

import time

from aiohttp import web
from aiohttp.typedefs import Middleware

from connectors.web.problem import Handler
from stream.metrics import Metrics

API = "/v1/"
"""What the routes of the API begin with."""


def counted(metrics: Metrics) -> Middleware:
    """The outermost middleware: it sees each answer as it leaves. A path that nobody answers is
    no route, so that nobody makes labels of what he types.
    """

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = "" if resource is None else resource.canonical
        if not route.startswith(API):
            return await handler(request)
        began_s, status = time.perf_counter(), 500
        try:
            response = await handler(request)
            status = response.status
        finally:
            metrics.requests.labels(route, str(status)).inc()
            metrics.request.labels(route).observe(time.perf_counter() - began_s)
        return response

    return count
