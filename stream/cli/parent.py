"""The parent of a worker, as the worker sees it (`connectors.workers` is the other side)."""

import asyncio
import os
import socket
from contextlib import suppress

from stream.errors import EXIT_OK


class Parent:
    """The process that started this one, and speaks for it to the outside: its end is a stop."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)
        self._stop: asyncio.Event | None = None
        asyncio.get_running_loop().add_reader(self._socket, self._gone)

    def tell(self, url: str) -> None:
        """Say where the probes of this process answer."""
        with suppress(BrokenPipeError):  # it ended: that is a stop
            self._socket.sendall(f"{url}\n".encode())

    def may_stop(self, stop: asyncio.Event) -> None:
        """Set ``stop`` at its end. Before this nothing is begun: there it ends this process."""
        self._stop = stop

    def _gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._stop is None:
            os._exit(EXIT_OK)
        self._stop.set()
