"""An aiohttp application on an address."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from connectors.connection import SERVER, Connection, Strangers, connection
from stream.errors import ConfigError

LEAVE_S = 1.0
"""How long a stop waits for clients: one that hangs takes not even a goodbye."""


@asynccontextmanager
async def listening(app: web.Application, what: str, host: str, port: int) -> AsyncIterator[str]:
    """Serve ``app`` and yield its URL. Port 0 takes any free one. Strangers are held to
    `connectors.connection`; the application says who is none.

    Raises `ConfigError`, naming ``what``, for an address that is taken or does not exist.
    """
    app.middlewares.insert(0, _has_asked)
    app.on_response_prepare.append(_sign)
    runner, strangers = web.AppRunner(app, shutdown_timeout=LEAVE_S), Strangers()
    await runner.setup()
    try:
        http = runner.server
        assert http is not None, "it was set up"
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: Connection(http, strangers), host, port
            )
        except OSError as error:
            raise ConfigError(f"{what} {host}:{port}: {error.strerror}; choose another") from error
        try:
            bound = server.sockets[0].getsockname()
            name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
            yield f"http://{name}:{bound[1]}"
        finally:
            server.close()
    finally:
        await runner.cleanup()


@web.middleware
async def _has_asked(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    connection(request).has_asked()
    return await handler(request)


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER
