"""Processes that do one role together, as the process sees it that started them.

A worker and its parent hold the two ends of a socket. Over it the worker tells once where its own
probes answer, and the parent's end is closed to stop it: so it stops as well when its parent dies,
and a signal that reaches both at once (Ctrl-C, systemd) counts once in each.
"""

import asyncio
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp

from connectors.metrics import OPENMETRICS, Exposition, summed
from stream.errors import EXIT_CODES, EXIT_OK

ASK_S = 0.8
"""How long a worker may take to answer: who asks us may wait no longer than 1 s (Kubernetes)."""

Command = Callable[[int, int], Sequence[str]]
"""What starts a worker: from its number, from 1, and the descriptor of its end of the socket."""
_FAILED = (aiohttp.ClientError, TimeoutError)


class Worker:
    """One process; `started` gives them."""

    def __init__(
        self,
        number: int,
        process: Process,
        channel: asyncio.StreamWriter,
        asking: aiohttp.ClientSession,
    ) -> None:
        self.name = f"worker {number}"
        self.pid = process.pid
        self._process = process
        self._channel = channel
        self._asking = asking
        self._url: str | None = None
        self._metrics = ""

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Learn where its probes answer."""
        line = await reader.readline()
        self._url = line.decode().strip() or None

    def stop(self) -> None:
        """Ask it to finish what it holds."""
        self._channel.write_eof()

    def kill(self) -> None:
        """End it at once."""
        if self._process.returncode is None:
            self._process.kill()

    async def ended(self) -> int:
        """Its exit code once it has ended; 128 and the signal, where a signal ended it."""
        returncode = await self._process.wait()
        return returncode if returncode >= 0 else 128 - returncode

    async def end(self) -> str:
        """How it ended, for people."""
        code, raw = await self.ended(), self._process.returncode or EXIT_OK
        meaning = signal.strsignal(-raw) if raw < 0 else EXIT_CODES.get(raw)
        return f"ended with exit code {code}" + (f" ({meaning})" if meaning else "")

    async def reasons(self, path: str) -> list[str]:
        """What its probe has against it, a line each."""
        if self._process.returncode is not None:
            return [f"{self.name} {await self.end()}"] if self._process.returncode else []
        if self._url is None:
            return [f"{self.name} has not started"]
        try:
            async with self._asking.get(self._url + path) as answer:
                lines = (await answer.text()).splitlines()
                return [] if answer.ok else [f"{self.name}: {line}" for line in lines]
        except _FAILED:
            return [f"{self.name} gave no answer for {ASK_S:g} s"]

    async def metrics(self) -> str:
        """Its figures; the last that it gave where it gives none or refuses: a sum that falls would
        look as if all had begun anew.
        """
        if self._url is not None:
            with suppress(*_FAILED):
                wanted = {"Accept": OPENMETRICS}
                async with self._asking.get(f"{self._url}/metrics", headers=wanted) as answer:
                    text = await answer.text()
                    self._metrics = text if answer.ok else self._metrics
        return self._metrics


class Workers:
    """Some processes, and their answers to probes as one (`connectors.health.Probed`)."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.all = workers
        self._stopping = False

    def stop(self) -> None:
        """Ask all to finish what they hold."""
        self._stopping = True
        for worker in self.all:
            worker.stop()

    def kill(self) -> None:
        """End all at once."""
        for worker in self.all:
            worker.kill()

    async def dead(self) -> Sequence[str]:
        """Why all should be started anew: what is said against any of them."""
        return await self._reasons("/livez")

    async def unready(self) -> Sequence[str]:
        """Why they are not ready together."""
        return ["it is stopping"] if self._stopping else await self._reasons("/readyz")

    async def _reasons(self, path: str) -> list[str]:
        found = await asyncio.gather(*(worker.reasons(path) for worker in self.all))
        return [reason for reasons in found for reason in reasons]

    async def metrics(self, accept: str) -> Exposition:
        """The figures of all, added up, in a format that the ``Accept`` header takes; none before
        each has given its own: when the first of them began would look as if it had begun anew.
        """
        texts = await asyncio.gather(*(worker.metrics() for worker in self.all))
        return await asyncio.to_thread(summed, texts if all(texts) else (), accept)


@asynccontextmanager
async def started(command: Command, count: int) -> AsyncIterator[Workers]:
    """Start ``count`` workers. None outlives the body."""
    async with AsyncExitStack() as stack:
        timeout = aiohttp.ClientTimeout(total=ASK_S)
        asking = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        workers = [
            await stack.enter_async_context(_started(number, command, asking))
            for number in range(1, count + 1)
        ]
        yield Workers(workers)


@asynccontextmanager
async def _started(
    number: int, command: Command, asking: aiohttp.ClientSession
) -> AsyncIterator[Worker]:
    ours, theirs = socket.socketpair()
    reader, channel = await asyncio.open_connection(sock=ours)
    with theirs:
        words = command(number, theirs.fileno())
        process = await asyncio.create_subprocess_exec(
            *words, stdin=DEVNULL, pass_fds=(theirs.fileno(),)
        )
    worker = Worker(number, process, channel, asking)
    listening = asyncio.create_task(worker.listen(reader))
    try:
        yield worker
    finally:
        worker.kill()
        await worker.ended()
        await listening
        channel.close()
