"""An aiohttp application on an address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from stream.errors import ConfigError

LEAVE_S = 1.0
"""How long a stop waits for clients: one that hangs takes not even a goodbye."""


@asynccontextmanager
async def listening(app: web.Application, what: str, host: str, port: int) -> AsyncIterator[str]:
    """Serve ``app`` and yield its URL. Port 0 takes any free one.

    Raises `ConfigError`, naming ``what``, for an address that is taken or does not exist.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=LEAVE_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(f"{what} {host}:{port}: {error.strerror}; choose another") from error
        bound = runner.addresses[0]
        name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        yield f"http://{name}:{bound[1]}"
    finally:
        await runner.cleanup()
