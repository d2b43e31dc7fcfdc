"""Endpoints of webhooks that misbehave, each in a way of its own, until they are well."""

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import standardwebhooks

from tests.support.kafka import free_ports
from tests.support.receiver import SECRET

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
RETRY_AFTER_S = 4
HANG_S = 30.0
HUGE_BYTES = 1_000_000_000
_CHUNK = b"x" * 65_536


@dataclass
class Endpoint:
    """What came, by ``webhook-id``: when each try was made (monotonic), and which were taken."""

    name: str
    answer: Answer | None = None
    """None: nobody listens."""
    takes: bool = False
    """Whether that answer takes the alert."""
    port: int = 0
    is_well: bool = False
    tries_s: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bodies: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    taken: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One try."""
        with closing(writer), suppress(OSError):
            name, body = await _read(reader)
            self.tries_s[name].append(time.monotonic())
            self.bodies[name].add(body)
            answer = says("200 OK") if self.is_well or self.answer is None else self.answer
            if self.is_well or self.takes:
                self.taken[name] += 1
            await answer(writer)


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    headers = {key.lower(): value for key, value in pairs}
    body = await reader.readexactly(int(headers["content-length"]))
    standardwebhooks.Webhook(SECRET).verify(body, headers)
    return headers["webhook-id"], body


def says(status: str, *headers: str) -> Answer:
    """An answer without a body, at once."""
    lines = "".join(f"{each}\r\n" for each in headers)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\n{lines}content-length: 0\r\n\r\n".encode())
        await writer.drain()

    return answer


async def hangs(_: asyncio.StreamWriter) -> None:
    """No answer."""
    await asyncio.sleep(HANG_S)


async def drips(writer: asyncio.StreamWriter) -> None:
    """A byte a second."""
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def floods(writer: asyncio.StreamWriter) -> None:
    """A good answer with a body that has no end."""
    writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {HUGE_BYTES}\r\n\r\n".encode())
    for _ in range(HUGE_BYTES // len(_CHUNK)):
        writer.write(_CHUNK)
        await writer.drain()


class Endpoints(dict[str, Endpoint]):
    """By name. They answer in a thread of their own."""

    def __init__(self, endpoints: Iterable[Endpoint], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__({each.name: each for each in endpoints})
        self._loop = loop
        self._servers: list[asyncio.Server] = []
        for each, port in zip(self.values(), free_ports(len(self)), strict=True):
            each.port = port
            if each.answer is not None:
                self._listen(each)

    def heal(self) -> None:
        """All are well."""
        for each in self.values():
            each.is_well = True
            if each.answer is None:
                self._listen(each)

    def _listen(self, each: Endpoint) -> None:
        serving = asyncio.start_server(each.serve, "127.0.0.1", each.port, backlog=1000)
        self._servers.append(asyncio.run_coroutine_threadsafe(serving, self._loop).result(10))

    async def end(self) -> None:
        """Nobody listens any more; on the loop."""
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def answering(*endpoints: Endpoint) -> Iterator[Endpoints]:
    """These, listening but for one that is down."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    found = Endpoints(endpoints, loop)
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(found.end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
