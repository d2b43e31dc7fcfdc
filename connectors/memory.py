"""``memory://``: topics inside the process.

A real transport, not a mock: the same records and the same contract as on Kafka, bounded. A topic
has one partition. Of the members of a group, the one that joined first receives; when it leaves,
the next goes on after the last commit, so what was not committed comes again. Where every member
of every group has left, nobody could make room: writers do not wait, and all is kept.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from connectors.jpeg import JpegCodec
from connectors.memory_state import MemoryEpochs, MemoryStore
from connectors.ring import TOPICS, Ring
from stream.config import Settings
from stream.errors import EndOfStream
from stream.ports import AskProgress, Clock, Delivery, Progress, Record, Share
from stream.specs import PicturesSpec

CAPACITY = 32
"""Records a topic holds before its writers wait."""
CAPACITY_BYTES = 256 * 1024 * 1024
"""Bytes a topic holds before its writers wait (a single record may be larger)."""
SPAN_S = 120.0
"""Event time that is retained: the longest clip that a rule can ask for."""
STAY_S = SPAN_S + 30.0
"""How long a frame is retained however fast event time runs: who asks for it may be late."""
PICTURES = PicturesSpec()


@dataclass
class _Group:
    received: int = 0
    committed: int = 0
    members: list["MemoryInbox"] = field(default_factory=list)


class _Topic:
    """An append-only log that forgets what every group has committed."""

    def __init__(self, name: str, capacity: int, capacity_bytes: int) -> None:
        self.name = name
        self.changed = asyncio.Condition()
        self.writers = 0
        self.had_writer = False
        self.closed = False
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._first = 0
        self._groups: dict[str, _Group] = {}

    @property
    def end(self) -> int:
        return self._first + len(self._records)

    @property
    def ended(self) -> bool:
        return self.had_writer and self.writers == 0

    def group(self, name: str, *, from_now: bool) -> _Group:
        begins = self.end if from_now else self._first
        return self._groups.setdefault(name, _Group(begins, begins))

    @property
    def share(self) -> Share:
        committed = [group.committed for group in self._groups.values()]
        return Share(sum(committed), sum(self.end - each for each in committed))

    def held(self) -> list[Record]:
        return list(self._records)

    def has_room(self, record: Record) -> bool:
        is_read = any(group.members for group in self._groups.values())
        if not is_read or not self._records:
            return True
        fits = self._bytes + len(record.value) <= self._capacity_bytes
        return fits and len(self._records) < self._capacity

    def append(self, record: Record) -> None:
        self._records.append(record)
        self._bytes += len(record.value)
        while not self._groups and self._is_over():  # nobody reads: keep the newest
            self._forget(self._first + 1)

    def _is_over(self) -> bool:
        too_large = self._bytes > self._capacity_bytes and len(self._records) > 1
        return too_large or len(self._records) > self._capacity

    def read(self, group: _Group, limit: int) -> list[Delivery]:
        start = group.received
        group.received = min(self.end, start + limit)
        return [
            Delivery(self.name, self._records[at - self._first], at, f"{self.name}@{at}")
            for at in range(start, group.received)
        ]

    def commit(self, group: _Group, position: int) -> bool:
        """Commit up to ``position``; says whether that made room."""
        group.committed = max(group.committed, position)
        first = self._first
        self._forget(min(each.committed for each in self._groups.values()))
        return self._first > first

    def _forget(self, before: int) -> None:
        while self._first < before:
            self._bytes -= len(self._records.popleft().value)
            self._first += 1


class MemoryInbox:
    """A member of a group; see `stream.ports.Inbox`."""

    def __init__(self, topic: _Topic, group: _Group) -> None:
        self._topic = topic
        self._group = group

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        """Up to ``limit`` records in order; empty after ``timeout_s``; then `EndOfStream`."""
        topic, group = self._topic, self._group
        async with topic.changed:
            if not self._has_something():  # the usual case needs no timer
                try:
                    async with asyncio.timeout(timeout_s):
                        await topic.changed.wait_for(self._has_something)
                except TimeoutError:
                    return []
            if topic.closed:
                raise EndOfStream(f"{topic.name}: the transport was ended")
            if group.received == topic.end:
                raise EndOfStream(f"{topic.name}: no writer is left and everything was read")
            return topic.read(group, limit)

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        """Forget these and everything received before them."""
        if deliveries:
            async with self._topic.changed:
                last = max(delivery.position for delivery in deliveries)
                if self._topic.commit(self._group, last + 1):
                    self._topic.changed.notify_all()

    @property
    def is_assigned(self) -> bool:
        """Whether it is this member's turn."""
        return self._group.members[0] is self

    def owns(self, _: str) -> bool:
        """All keys, while it is this member's turn."""
        return self.is_assigned

    def before_handover(self, _: Callable[[], Awaitable[None]]) -> None:
        """A turn lasts until its member leaves."""

    def _has_something(self) -> bool:
        if self._topic.closed:
            return True
        if not self.is_assigned:
            return False
        return self._group.received < self._topic.end or self._topic.ended


class MemoryOutbox:
    """A writer; see `stream.ports.Outbox`. A record is acknowledged once it is in the topic."""

    def __init__(self, topics: dict[str, _Topic]) -> None:
        self._topics = topics

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        """Append, waiting while the slowest group keeps the topic full and somebody reads."""
        log = self._topics[topic]
        async with log.changed:
            await log.changed.wait_for(lambda: log.has_room(record))
            log.append(record)
            log.changed.notify_all()
        if acknowledged is not None:
            acknowledged()

    async def flush(self) -> None:
        """Nothing to wait for: `send` returned when the record was in the topic."""


class MemoryTransport:
    """All topics of one process; a topic exists as soon as it is named."""

    def __init__(
        self,
        capacity: int = CAPACITY,
        capacity_bytes: int = CAPACITY_BYTES,
        pictures: PicturesSpec = PICTURES,
    ) -> None:
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._encode = JpegCodec.of(pictures).encode
        self._topics: dict[str, _Topic] = {}
        self._epochs = MemoryEpochs()
        self._store = MemoryStore()

    @asynccontextmanager
    async def inbox(
        self, topic: str, group: str, *, from_now: bool = False
    ) -> AsyncIterator[MemoryInbox]:
        """Join ``group``; on leaving, what was not committed goes to the next member."""
        log = self._topic(topic)
        members = log.group(group, from_now=from_now)
        inbox = MemoryInbox(log, members)
        members.members.append(inbox)
        try:
            yield inbox
        finally:
            if members.members[0] is inbox:
                members.received = members.committed
            members.members.remove(inbox)
            async with log.changed:
                log.changed.notify_all()

    @asynccontextmanager
    async def outbox(self, *topics: str) -> AsyncIterator[MemoryOutbox]:
        """Write ``topics``; leaving as the last writer ends them."""
        logs = {name: self._topic(name) for name in topics}
        for log in logs.values():
            log.writers += 1
            log.had_writer = True
        try:
            yield MemoryOutbox(logs)
        finally:
            for log in logs.values():
                log.writers -= 1
            for log in logs.values():
                async with log.changed:
                    log.changed.notify_all()

    @asynccontextmanager
    async def epochs(self, _: Clock) -> AsyncIterator[MemoryEpochs]:
        """Epochs of this process."""
        yield self._epochs

    @asynccontextmanager
    async def store(self) -> AsyncIterator[MemoryStore]:
        """State of this process."""
        yield self._store

    @asynccontextmanager
    async def retained(self) -> AsyncIterator[Ring]:
        """What comes from now on; it reads along, so writers wait for it as for others."""
        try:
            async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
                inboxes = {
                    topic: await stack.enter_async_context(self.inbox(topic, "retained"))
                    for topic in TOPICS
                }
                ring = Ring(SPAN_S, STAY_S, self._encode)
                keeping = group.create_task(ring.keep(inboxes))
                yield ring
                keeping.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors  # what ends a run keeps its exit code

    async def whole(self, topic: str) -> AsyncIterator[Record]:
        """What the topic holds: little, as it forgets what was read."""
        for record in self._topic(topic).held():
            yield record

    async def last(self, topic: str, key: str) -> Record | None:
        """The last of a key that the topic has not yet forgotten."""
        held = reversed(self._topic(topic).held())
        return next((record for record in held if record.key == key), None)

    @asynccontextmanager
    async def progress(self) -> AsyncIterator[AskProgress]:
        """Over all groups of each topic; whoever reads has been assigned what it reads."""

        async def ask() -> Progress:
            return Progress(True, {log.name: log.share for log in self._topics.values()})

        yield ask

    async def end(self) -> None:
        """Every inbox of a topic that is known by now is at its end."""
        for log in self._topics.values():
            log.closed = True
            async with log.changed:
                log.changed.notify_all()

    def _topic(self, name: str) -> _Topic:
        if name not in self._topics:
            self._topics[name] = _Topic(name, self._capacity, self._capacity_bytes)
        return self._topics[name]


def open_memory(settings: Settings) -> MemoryTransport:
    """An empty transport, for the table of URL schemes."""
    return MemoryTransport(pictures=settings.pictures)
