"""A connection to one of our HTTP servers, and how long strangers may hold one.

aiohttp waits for a request as long as for the next one, and holds as many connections as come.
"""

import asyncio
import logging
from typing import Any

from aiohttp import web

SERVER = "maskstream"
"""What our answers name as their server; aiohttp's own word for it tells versions."""
HEAD_S = 15.0
"""How long the head of a connection's first request may take to come."""
IDLE_S = 75.0
"""How long the next may take: longer than the 60 s for which AWS' load balancers and ingress-nginx
keep a connection, or they send a request on one that we are just closing, and answer 502.
"""
MOST_STRANGERS = 128

_log = logging.getLogger(__name__)


class Strangers:
    """The connections on which nobody was let in yet, oldest first.

    With more than `MOST_STRANGERS` the oldest is hung up on, whatever it does: they take no room
    from who was let in, nor files from the rest of the process. Who has a token shows it with the
    first request, and is none for a moment only.
    """

    def __init__(self) -> None:
        self._connections: dict[Connection, None] = {}

    def add(self, connection: "Connection") -> None:
        """One more has come."""
        self._connections[connection] = None
        if len(self._connections) > MOST_STRANGERS:
            oldest = next(iter(self._connections))
            self.discard(oldest)
            oldest.hang_up()

    def discard(self, connection: "Connection") -> None:
        """It is a stranger's no more, or gone."""
        self._connections.pop(connection, None)


class Connection(web.RequestHandler):
    """As aiohttp's, but for what comes before a request and in place of one."""

    __slots__ = ("_in_time", "_strangers")

    def __init__(self, server: web.Server, strangers: Strangers) -> None:
        how: dict[str, Any] = {"access_log": None, "keepalive_timeout": IDLE_S}
        super().__init__(server, loop=asyncio.get_running_loop(), **how)
        self._strangers = strangers
        self._in_time: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._in_time = asyncio.get_running_loop().call_later(HEAD_S, self.hang_up)
        self._strangers.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        self.has_asked()
        self.is_let_in()
        super().connection_lost(exc)

    def has_asked(self) -> None:
        """A head has come."""
        if self._in_time is not None:
            self._in_time.cancel()

    def is_let_in(self) -> None:
        """Whoever asks on it is no stranger."""
        self._strangers.discard(self)

    def hang_up(self) -> None:
        """At once: a close would wait until all that is to be sent was read."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """As aiohttp's, but a head that is no HTTP is no fault of ours, to be logged as one."""
        if status >= 500:
            response = super().handle_error(request, status, exc, message)
        else:
            _log.debug("%s sent what is no HTTP", request.remote)
            response = web.Response(status=status, text=message)
            response.force_close()
        response.headers["Server"] = SERVER
        return response


def connection(request: web.Request) -> Connection:
    """The one that a request came on."""
    found = request.protocol
    assert isinstance(found, Connection), "it was served by `listening`"
    return found
