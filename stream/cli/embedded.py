"""All roles in one process, on one transport.

Every inbox and outbox is opened before the first task starts. To stop, the sources are cancelled
and the end travels downstream: each role finishes what it has, closes its outbox, and thereby ends
the topics that the next one reads.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from stream.context import about
from stream.errors import DrainTimeoutError
from stream.ports import Member, Outbox, Transport

LEAVING_S = 2.0
"""After the drain deadline, for notify to write down what it leaves and for files to be closed."""

Work = Callable[[Mapping[str, Member], Outbox], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Role:
    """Something that reads topics and writes topics until what it reads has ended.

    ``name`` is its group on the topics it reads; one that is new begins at what they hold, or
    ``from_now``. A ``source`` is what a stop cancels.
    """

    name: str
    work: Work
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    source: bool = False
    from_now: bool = False


async def run_roles(
    transport: Transport, roles: Sequence[Role], stop: asyncio.Event, drain_s: float
) -> None:
    """Run roles side by side until all have ended.

    After ``stop`` they have ``drain_s`` seconds to finish, then `DrainTimeoutError` is raised.
    What a role raises cancels the others and is raised as itself.
    """
    try:
        async with _limited(stop, drain_s), AsyncExitStack() as opened:
            works = [await _opened(transport, role, stop, opened) for role in roles]
            async with asyncio.TaskGroup() as group:
                for role, work in zip(roles, works, strict=True):
                    group.create_task(work(), name=role.name)
    except TimeoutError:
        raise DrainTimeoutError(f"work was left {drain_s:g} s after the stop") from None
    except BaseExceptionGroup as errors:
        raise first(errors) from errors


@asynccontextmanager
async def _limited(stop: asyncio.Event, drain_s: float) -> AsyncIterator[None]:
    """Cancel the body ``drain_s`` seconds after ``stop``, as `asyncio.timeout` does."""

    async def watch() -> None:
        await stop.wait()
        deadline.reschedule(asyncio.get_running_loop().time() + drain_s)

    async with asyncio.timeout(None) as deadline:
        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()


async def _opened(
    transport: Transport, role: Role, stop: asyncio.Event, opened: AsyncExitStack
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Open what a role reads and writes; returns what is left to do, which closes it again.

    What nobody came to close is closed with ``opened``.
    """
    stack = await opened.enter_async_context(AsyncExitStack())
    inboxes = {
        topic: await stack.enter_async_context(
            transport.inbox(topic, role.name, from_now=role.from_now)
        )
        for topic in role.reads
    }
    outbox = await stack.enter_async_context(transport.outbox(*role.writes))

    async def work() -> None:
        with about(role=role.name):
            async with stack:
                doing = role.work(inboxes, outbox)
                await (_until(stop, doing) if role.source else doing)
                if role.source:
                    await outbox.flush()  # its last words count once they are acknowledged

    return work


async def _until(stop: asyncio.Event, doing: Coroutine[Any, Any, None]) -> None:
    """Do, but cancel it when ``stop`` is set, and let it say its last.

    Where this is cancelled itself, a reader has failed or the drain is over: a full topic may never
    have room for a last word, so nobody waits for it.
    """
    task = asyncio.ensure_future(doing)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        await asyncio.wait({task})
    finally:
        stopped.cancel()
        task.cancel()
    if not task.cancelled():
        task.result()


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let ``work`` go on beside the body; it is cancelled with it. What it raises ends the body
    and is raised as itself: a process that nobody watches any more must not go on.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            yield
            task.cancel()
    except BaseExceptionGroup as errors:
        raise first(errors) from errors


def first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error in a group of groups: what the others follow from."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
