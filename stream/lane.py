"""One inbox of ``segment``: many records under way, written in order, then committed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from stream import gaps
from stream.errors import EndOfStream
from stream.ledger import Answer, Entry, Ledger
from stream.ports import Delivery, Inbox, Outbox

POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """How many records may be under way: ``unanswered`` ones, and ``uncommitted`` ones in all.

    What is answered makes room for the next before it is committed; what is not yet committed is
    what a crash may repeat.
    """

    unanswered: int
    uncommitted: int


class Lane:
    """Reads an inbox while its ``limits`` leave room, and answers each record in its own task.

    ``acknowledged`` is told of a record once its answer lies on the transport, ``reading`` whether
    it waits for its inbox.

    The order of every round is: write the answers, have them acknowledged, commit what led to
    them. A crash between two of these repeats answers and loses none.
    """

    def __init__(
        self,
        inbox: Inbox,
        outbox: Outbox,
        answer: Callable[[Delivery], Awaitable[Answer]],
        acknowledged: Callable[[Delivery], None],
        reading: Callable[[bool], None],
        limits: Limits,
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._answer = answer
        self._acknowledged = acknowledged
        self._reading = reading
        self._limits = limits
        self._ledger = Ledger()
        self._unanswered: set[Delivery] = set()
        self._answered: set[str] = set()
        self._ended = False
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        """Return when the inbox has ended and everything in it is answered and committed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write())
            await self._read(tasks)
            async with self._changed:
                self._ended = True
                self._changed.notify_all()

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            await self._wait_for(lambda: self._room() > 0)
            self._reading(True)
            try:
                deliveries = await self._inbox.receive(self._room(), POLL_S, self._unanswered)
            except EndOfStream:
                return
            self._reading(False)
            self._unanswered.update(deliveries)
            for delivery in deliveries:
                tasks.create_task(self._settle(self._ledger.receive(delivery)))

    def _room(self) -> int:
        return min(
            self._limits.unanswered - len(self._unanswered),
            self._limits.uncommitted - len(self._ledger),
        )

    async def _settle(self, entry: Entry) -> None:
        entry.answer = await self._answer(entry.delivery)
        self._unanswered.discard(entry.delivery)
        async with self._changed:
            self._answered.add(entry.delivery.record.key)
            self._changed.notify_all()

    async def _write(self) -> None:
        while True:
            await self._wait_for(lambda: bool(self._answered) or self._is_done())
            if self._is_done():
                return
            cameras, self._answered = self._answered, set()
            entries = [
                entry for camera in sorted(cameras) for entry in self._ledger.release(camera)
            ]
            for topic, record in gaps.records(entries):
                await self._outbox.send(topic, record)
            await self._outbox.flush()
            for entry in entries:
                entry.written = True
                self._acknowledged(entry.delivery)
            deliveries = self._ledger.committable()
            await self._inbox.commit(deliveries)
            self._ledger.committed(deliveries)
            async with self._changed:
                self._changed.notify_all()

    def _is_done(self) -> bool:
        return self._ended and not self._ledger

    async def _wait_for(self, condition: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(condition)
