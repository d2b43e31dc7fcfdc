"""A bad network: a TCP proxy before a broker, which takes Kafka's messages one by one."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from threading import Event, Thread

PRODUCE = b"\0\0"
"""Kafka's number of the request that writes records."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with the network. Of ranges, any value is as likely."""

    latency_s: tuple[float, float] = (0.0, 0.0)
    """What every message takes, each way."""
    is_stalled: bool = False
    """Connections stay open and nothing moves. What waits arrives when this is over, also what
    its sender has given up by then."""
    reset_share: float = 0.0
    """Of the messages: they do not arrive, as their connection is reset."""
    carried_bytes: tuple[int, int] | None = None
    """How much a connection carries, both ways together, before it ends within a message."""
    lost_share: float = 0.0
    """Of the acknowledgements of written records: the connection is reset instead."""

    @property
    def is_slow(self) -> bool:
        """Whether every message notices it."""
        return self.is_stalled or self.latency_s[1] > 0


CALM = Fault()


class Proxy:
    """Leads to the port ``target`` of loopback. ``struck`` counts the messages that a fault hit."""

    def __init__(self, target: int, seed: int) -> None:
        self.struck = 0
        self.fault = CALM
        self.random = Random(seed)
        self._target = target
        self._ready = Event()
        self._links: set[asyncio.Task[None]] = set()

    def impose(self, fault: Fault) -> None:
        """From now on, also on connections that are open; `CALM` ends it."""
        self._loop.call_soon_threadsafe(self._impose, fault)

    def _impose(self, fault: Fault) -> None:
        self.fault = fault
        if fault.is_stalled:
            self.moves.clear()
        else:
            self.moves.set()

    async def serve(self, port: int) -> None:
        """Serve until `close`."""
        self._loop = asyncio.get_running_loop()
        self.moves, self._closed = asyncio.Event(), asyncio.Event()
        self.moves.set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self._ready.set()
        await self._closed.wait()
        server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def wait_ready(self) -> None:
        assert self._ready.wait(10), "the proxy does not listen"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._closed.set)

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.ensure_future(_Link(self).lead(reader, writer, self._target))
        self._links.add(task)
        task.add_done_callback(self._links.discard)


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._left_bytes: int | None = None
        self._writes: set[bytes] = set()

    async def lead(self, reader: StreamReader, writer: StreamWriter, target: int) -> None:
        writers = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
            writers.append(far_writer)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._carry(reader, far_writer, self._is_lost_request))
                ways.create_task(self._carry(far_reader, writer, self._is_lost_answer))
        except* OSError:  # reset by the fault or by an end
            for each in writers:
                _reset(each)
        except* EOFError:
            pass
        finally:
            for each in writers:
                each.close()

    async def _carry(
        self, source: StreamReader, sink: StreamWriter, is_lost: Callable[[bytes], bool]
    ) -> None:
        proxy = self._proxy
        while True:
            size = await source.readexactly(4)
            message = size + await source.readexactly(int.from_bytes(size))
            proxy.struck += proxy.fault.is_slow
            await proxy.moves.wait()
            await asyncio.sleep(proxy.random.uniform(*proxy.fault.latency_s))
            if is_lost(message) or proxy.random.random() < proxy.fault.reset_share:
                proxy.struck += 1
                raise ConnectionResetError
            carried = self._carried(message)
            sink.write(carried)
            await sink.drain()
            if carried != message:
                proxy.struck += 1
                raise EOFError

    def _carried(self, message: bytes) -> bytes:
        """What of a message still arrives."""
        if (most := self._proxy.fault.carried_bytes) is None:
            return message
        if self._left_bytes is None:
            self._left_bytes = self._proxy.random.randint(*most)
        carried = message[: self._left_bytes]
        self._left_bytes -= len(carried)
        return carried

    def _is_lost_request(self, message: bytes) -> bool:
        if message[4:6] == PRODUCE:
            self._writes.add(message[8:12])
        return False

    def _is_lost_answer(self, message: bytes) -> bool:
        if message[4:8] not in self._writes:
            return False
        self._writes.remove(message[4:8])
        return self._proxy.random.random() < self._proxy.fault.lost_share


def _reset(writer: StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)  # on, for no time: closing sends a reset
    connection = writer.get_extra_info("socket")
    if connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@contextmanager
def proxied(port: int, target: int, seed: int) -> Iterator[Proxy]:
    """A proxy on ``port``, gone afterwards with its connections."""
    proxy = Proxy(target, seed)
    thread = Thread(target=lambda: asyncio.run(proxy.serve(port)))
    thread.start()
    proxy.wait_ready()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
