"""The page on HTTP: ``/`` and its files, ``/live`` (WebSocket), ``/metrics``; with a token
``/login`` and ``/logout``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from aiohttp import WSCloseCode, web

from connectors.listening import LEAVE_S, listening
from connectors.metrics import add_metrics, exposed
from connectors.web.counted import counted
from connectors.web.exhibits import add_exhibits
from connectors.web.guard import Access, add_headers, guard, require_loopback
from connectors.web.login import add_login, ask_browsers
from connectors.web.page import Page
from connectors.web.problem import as_problems, as_theirs
from connectors.web.viewer import Viewer
from stream.metrics import Metrics

STATIC = Path(__file__).parent / "static"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
"""Said by us: what the machine's own table says differs, and a browser runs no module without."""
LARGEST_MESSAGE = 65_536
"""Bytes a browser may say at once; it only names cameras, at most those on its screen."""
PING_EVERY_S = 15.0
GOODBYE_S = 15.0
"""How long what was sent last may take to reach a browser, once its socket has ended."""

OPEN = Access()
"""On this machine alone nobody has to show anything."""

Part = Callable[[web.Application], None]

_PAGE = web.AppKey("page", Page)
_METRICS = web.AppKey("metrics", Metrics)
_ACCESS = web.AppKey("access", Access)
_SOCKETS = web.AppKey("sockets", set[web.WebSocketResponse])


@asynccontextmanager
async def serve(
    page: Page,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    metrics: Metrics | None = None,
    access: Access = OPEN,
    parts: Sequence[Part] = (),
) -> AsyncIterator[str]:
    """Serve ``page`` and yield its URL. Port 0 takes any free one; ``metrics`` are told what is
    asked, and answered on /metrics.

    ``parts`` add what else is answered. Raises `ConfigError` for an address that is taken, does
    not exist, or is not loopback without a token.
    """
    if not access.has_token:
        require_loopback(host)
    app = _app(page, metrics or Metrics(), access)
    if metrics is not None:
        add_metrics(app, partial(exposed, metrics.registry))
    for add in parts:
        add(app)
    async with listening(app, "page", host, port) as url:
        yield url


def _app(page: Page, metrics: Metrics, access: Access) -> web.Application:
    app = web.Application(
        middlewares=[counted(metrics), as_problems, as_theirs, ask_browsers, guard(access)]
    )
    app[_PAGE] = page
    app[_METRICS] = metrics
    app[_ACCESS] = access
    app[_SOCKETS] = set()
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_leave)
    if access.has_token:
        add_login(app, access)
    app.router.add_get("/", _index)
    app.router.add_get("/live", _live)
    app.router.add_get(r"/static/{name:[a-z]+\.(js|css|svg)}", _file)
    add_exhibits(app, page.exhibits)
    return app


async def _index(_: web.Request) -> web.FileResponse:
    return _static("index.html")


async def _file(request: web.Request) -> web.FileResponse:
    return _static(request.match_info["name"])


def _static(name: str) -> web.FileResponse:
    path = STATIC / name
    if not path.is_file():
        raise web.HTTPNotFound
    kind = f"{KINDS[path.suffix]}; charset=utf-8"
    # Our own files, the same for all: a browser may keep them, and asks whether they have changed.
    return web.FileResponse(path, headers={"Content-Type": kind, "Cache-Control": "no-cache"})


async def _live(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(
        heartbeat=PING_EVERY_S, max_msg_size=LARGEST_MESSAGE, compress=False
    )
    transport = request.transport
    await socket.prepare(request)
    access, sockets = request.app[_ACCESS], request.app[_SOCKETS]
    is_welcome = partial(access.admits, request)
    has_session = access.has_token and access.has_session(request)
    sockets.add(socket)
    try:
        with request.app[_METRICS].viewers.track_inprogress():
            await Viewer(request.app[_PAGE], socket, is_welcome).talk(has_session=has_session)
        if not is_welcome():
            code, message = WSCloseCode.POLICY_VIOLATION, b"the session has ended"
            with suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_S):
                    await socket.close(code=code, message=message)
    finally:
        sockets.discard(socket)
        if transport is not None:  # closed alone, it waits for a browser that reads no more
            asyncio.get_running_loop().call_later(GOODBYE_S, transport.abort)
    return socket


async def _leave(app: web.Application) -> None:
    sockets = app[_SOCKETS]
    code, message = WSCloseCode.GOING_AWAY, b"the server stops"
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_S):
            goodbyes = (socket.close(code=code, message=message) for socket in tuple(sockets))
            await asyncio.gather(*goodbyes)
