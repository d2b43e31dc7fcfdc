"""``kafka://``: topics on brokers, as a `stream.ports.Transport`."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from functools import partial

from aiokafka import TopicPartition

from connectors.kafka.admin import Admin, open_admin
from connectors.kafka.backlog import TOPIC as ARCHIVE
from connectors.kafka.backlog import Backlog
from connectors.kafka.checking import check_rights, check_topics
from connectors.kafka.client import client_options
from connectors.kafka.cursors import Cursors
from connectors.kafka.directory import TOPIC as CAMERAS
from connectors.kafka.directory import Directory
from connectors.kafka.epochs import KafkaEpochs, Standing, standing
from connectors.kafka.gauge import Reading, open_gauge
from connectors.kafka.idling import rest_while_idle
from connectors.kafka.inbox import KafkaInbox
from connectors.kafka.onlooker import Onlooker
from connectors.kafka.outbox import KafkaOutbox
from connectors.kafka.reading import Reader, count, open_reader, whole
from connectors.kafka.records import record_of
from connectors.kafka.registry import KafkaRegistry
from connectors.kafka.retained import TOPICS as PICTURES
from connectors.kafka.retained import KafkaRetained, Places
from connectors.kafka.rights import User, acls, user_of
from connectors.kafka.seeking import open_consumer
from connectors.kafka.sharing import Sharing
from connectors.kafka.store import TOPIC as STATE
from connectors.kafka.store import KafkaStore
from connectors.kafka.topics import (
    Found,
    Plan,
    Topic,
    letter_bytes,
    lines,
    name_of,
    plan,
    wanted,
)
from stream import codec
from stream.config import Settings
from stream.errors import ConfigError
from stream.placement import hashed
from stream.ports import AskProgress, Clock, Progress, Record
from stream.registry import Change
from stream.specs import CameraSpec
from stream.types import CameraStatus

CLAIMS = "camera-status"
UNPLACED = (CAMERAS, CLAIMS, STATE)
"""Topics whose records stay where they are when cameras are placed anew."""
READER = "segment"
"""The group that back-pressure looks at."""
RUNNER = "ingest"
"""The group that shares the cameras."""
EFFECTIVE_S = 10.0
"""The longest that `apply` waits until every broker has heard of it."""


class KafkaTransport:
    """All topics of one prefix on one set of brokers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spec = settings.kafka
        self._most_bytes = settings.pictures.max_bytes
        self._options = client_options(settings.transport, settings.kafka)
        self._directory = Directory()
        self._member: Sharing | None = None
        """What shares the cameras, while it does."""
        self._most_record_bytes = letter_bytes(settings.pictures.max_bytes)
        self._end = asyncio.Event()
        self._groups: dict[KafkaInbox, tuple[str, str]] = {}
        self._written: set[str] = set()
        """Kafka's names of all topics that something was opened to write."""

    @asynccontextmanager
    async def inbox(
        self, topic: str, group: str, *, from_now: bool = False
    ) -> AsyncIterator[KafkaInbox]:
        """Join ``group``; on leaving, its partitions go to the other members at once."""
        name, partition_of = name_of(topic, self._spec), partial(self._partition_of, topic)
        inbox = KafkaInbox(topic, name, partition_of, self._end, from_now=from_now)
        joined = self._group(group, topic)
        self._groups[inbox] = topic, joined
        try:
            async with self._followed():
                await inbox.start(joined, self._options)
                try:
                    yield inbox
                finally:
                    await inbox.stop()
        finally:
            del self._groups[inbox]

    @asynccontextmanager
    async def onlooker(self, topic: str) -> AsyncIterator[Onlooker]:
        """What comes on a topic from now on, for one who is in no group."""
        async with open_consumer(self._options, auto_offset_reset="latest") as consumer:
            rest_while_idle(consumer)
            onlooker = Onlooker(topic, consumer, self._options, pictures=topic in PICTURES)
            await onlooker.start(self._partitions(topic))
            yield onlooker

    @asynccontextmanager
    async def outbox(self, *topics: str) -> AsyncIterator[KafkaOutbox]:
        """Write ``topics``."""
        if not topics:  # brokers let a writer in only where it may write something
            yield KafkaOutbox({}, self._partition_of, Backlog(_nothing, _none))
            return
        names = {topic: name_of(topic, self._spec) for topic in topics}
        self._written.update(names.values())
        async with self._followed(), self._backlog(topics) as backlog:
            outbox = KafkaOutbox(names, self._partition_of, backlog)
            await outbox.start(self._options, self._most_record_bytes)
            try:
                yield outbox
            finally:
                await outbox.stop()

    @asynccontextmanager
    async def epochs(self, clock: Clock) -> AsyncIterator[KafkaEpochs]:
        """Who says which epoch a camera is in."""
        async with self.outbox(CLAIMS) as outbox, self._reader() as reader:

            async def last(camera: str) -> Standing | None:
                return await reader.last_of(self._archived(camera), camera, standing)

            claim = partial(outbox.write_through, CLAIMS)
            yield KafkaEpochs(claim, last, self._directory.since, self._runs, clock)

    async def _runs(self, camera: CameraSpec) -> bool:
        return self._member is None or await self._member.still_has(camera.partition)

    @asynccontextmanager
    async def registry(self) -> AsyncIterator[KafkaRegistry]:
        """The cameras, as the topic says."""
        async with self._followed():
            yield KafkaRegistry(self._directory, self._sharing)

    async def register(self, due: Iterable[Change], clock: Clock) -> None:
        """Write changes to ``cameras``; they are acknowledged on return.

        A camera's epochs rise with the claims in ``camera-status``, so one made now parts those of
        what it was from those of what it will be, where its frames are to be others.
        """
        async with self.outbox(CAMERAS, CLAIMS) as outbox:

            async def write(change: Change) -> None:
                now_us, since = clock.now_us(), 0
                if change.goes_on:
                    since = self._directory.since(change.camera.id)
                elif change.after is not None:
                    what = "changed" if change.before else "added"
                    claim = CameraStatus(change.camera.id, "connecting", now_us, what)
                    since = 1 + await outbox.write_through(CLAIMS, codec.encode(claim))
                await outbox.send(CAMERAS, change.record(now_us, since))

            await asyncio.gather(*map(write, due))
            await outbox.flush()

    @asynccontextmanager
    async def _sharing(self) -> AsyncIterator[Sharing]:
        directory = self._directory
        member = Sharing(
            name_of(CAMERAS, self._spec),
            self._spec.partitions,
            lambda: directory.load,
            directory.turned,
        )
        await member.start(self._group(RUNNER, CAMERAS), self._options)
        self._member = member
        try:
            yield member
        finally:
            self._member = None
            await member.stop()

    def _followed(self) -> AbstractAsyncContextManager[None]:
        """While records are placed, the cameras are followed."""
        name = name_of(CAMERAS, self._spec)
        return self._directory.followed(name, self._spec.partitions, self._options)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[KafkaStore]:
        """The state of ``watch``."""
        async with self.outbox(STATE) as outbox, self._reader() as reader:
            yield KafkaStore(outbox, reader, name_of(STATE, self._spec), self._partition_of)

    @asynccontextmanager
    async def retained(self) -> AsyncIterator[KafkaRetained]:
        """The frames that brokers have; connections are made when the first is asked for."""
        name_of_topic = partial(name_of, spec=self._spec)
        places = Places(name_of_topic, self._partition_of, self._spec.partitions)
        async with self._followed(), aclosing(Cursors(self._options)) as cursors:
            yield KafkaRetained(cursors, places)

    async def whole(self, topic: str, since_us: int | None = None) -> AsyncIterator[Record]:
        """All records of a topic as it is now; those with one key are in order.

        ``since_us``: only those that the brokers have had since then (µs since the Unix epoch).
        """
        async for _, record in self.stamped(topic, since_us):
            yield record

    async def stamped(
        self, topic: str, since_us: int | None = None
    ) -> AsyncIterator[tuple[int, Record]]:
        """As `whole`, each with when the brokers got it (µs since the Unix epoch)."""
        async with self._reader() as reader:
            async for each in whole(reader, self._partitions(topic), since_us):
                yield each.timestamp * 1000, record_of(each)

    async def count(self, topic: str, since_us: int | None = None) -> int:
        """How many records `whole` would give."""
        async with self._reader() as reader:
            return await count(reader, self._partitions(topic), since_us)

    async def last(self, topic: str, key: str) -> Record | None:
        """The last record of a key, looked for from the end on."""
        async with self._followed(), self._reader() as reader:
            name, partition = name_of(topic, self._spec), self._partition_of(topic, key)
            return await reader.last_of(TopicPartition(name, partition), key, lambda record: record)

    async def is_cut(self, topic: str) -> bool:
        """Whether its oldest records are gone, as they are once their retention is over."""
        async with self._reader() as reader:
            return any([await reader.beginning(each) for each in self._partitions(topic)])

    def _partitions(self, topic: str) -> list[TopicPartition]:
        name = name_of(topic, self._spec)
        return [TopicPartition(name, number) for number in range(self._spec.partitions)]

    @asynccontextmanager
    async def progress(self) -> AsyncIterator[AskProgress]:
        """As `stream.ports.Transport.progress`; before there is an inbox, or a part in the sharing
        of cameras, nothing is assigned.
        """
        async with open_gauge(self._options, self._spec, self._written) as gauge:

            async def ask() -> Progress:
                joined = [inbox.is_assigned for inbox in self._groups]
                joined += [True] if self._member is not None else []
                readings = [
                    Reading(topic, group, inbox.partitions)
                    for inbox, (topic, group) in self._groups.items()
                ]
                return Progress(bool(joined) and all(joined), await gauge.shares(readings))

            yield ask

    async def end(self) -> None:
        """Every inbox of this process is at its end from now on."""
        self._end.set()

    async def planned(self) -> list[str]:
        """What `apply` would do, a line each. Raises `ForbiddenError` where it may not."""
        needed, found = await self._plan()
        return lines(needed, found)

    async def apply(self) -> list[str]:
        """Make the topics as they should be; says what was done, a line each.

        Raises `ConfigError` where a topic has another count of partitions, with nothing done, or
        where a broker refuses, and `ForbiddenError` where it may not.
        """
        needed, found = await self._plan()
        if needed.refused:
            raise ConfigError("\n".join(f"topic {each}" for each in needed.refused))
        async with open_admin(self._options) as admin:
            await admin.apply(needed)
        await self._effective()
        return lines(needed, found)

    async def _effective(self) -> None:
        """Return when the brokers say what was applied: they hear of it one after another."""
        with suppress(TimeoutError):  # then others change the topics as well: not ours to judge
            async with asyncio.timeout(EFFECTIVE_S):
                while any(lines(*await self._plan())):  # noqa: ASYNC110 - brokers call nobody
                    await asyncio.sleep(0.1)

    async def _plan(self) -> tuple[Plan, Mapping[str, Found]]:
        found = await self._permitted(user_of("topics", self._settings))
        return plan(self._wanted(), found), found

    def _wanted(self) -> list[Topic]:
        shadow = self._settings.shadow
        more = () if shadow is None else (shadow.masks,)
        return wanted(self._spec, self._most_bytes, *more)

    async def check(self, name: str) -> None:
        """All that a user of `connectors.kafka.rights` needs is there and granted.

        Raises `ForbiddenError` where a right is missing, then `ConfigError` where one of its topics
        is, or is too small.
        """
        user = user_of(name, self._settings)
        found = await self._permitted(user)
        own = {name_of(each, self._spec) for each in user.topics}
        topics = [each for each in self._wanted() if each.name in own]
        check_topics(topics, found, {name_of(each, self._spec) for each in user.writes})

    async def _permitted(self, user: User) -> Mapping[str, Found]:
        """The topics of a user that are there, where it has all its rights."""
        async with open_admin(self._options) as admin:
            found = await admin.found(name_of(each, self._spec) for each in user.topics)
            await check_rights(admin, self._options, user, self._spec, found)
        return found

    def acls(self) -> list[str]:
        """What grants every user its rights: arguments of ``kafka-acls``, a line for each call."""
        return list(acls(self._settings))

    def _reader(self) -> AbstractAsyncContextManager[Reader]:
        return open_reader(self._options)

    def _partition_of(self, topic: str, key: str) -> int:
        placed = None if topic in UNPLACED else self._directory.place(key)
        return hashed(key, self._spec.partitions) if placed is None else placed

    @asynccontextmanager
    async def _backlog(self, topics: tuple[str, ...]) -> AsyncIterator[Backlog]:
        if ARCHIVE not in topics:
            yield Backlog(_nothing, _none)
            return
        async with open_admin(self._options) as admin, self._reader() as reader:
            yield Backlog(partial(self._committed, admin), partial(self._left, admin, reader))

    async def _committed(self, admin: Admin) -> Mapping[int, int]:
        return await admin.committed(self._group(READER, ARCHIVE), name_of(ARCHIVE, self._spec))

    async def _left(self, admin: Admin, reader: Reader, camera: str) -> list[tuple[int, int]]:
        partition = self._archived(camera)
        committed = (await self._committed(admin)).get(partition.partition, 0)
        start = max(committed, await reader.beginning(partition))
        return [
            (each.partition, each.offset)
            async for records in reader.between(partition, start, await reader.end(partition))
            for each in records
            if each.key == camera.encode()
        ]

    def _archived(self, camera: str) -> TopicPartition:
        number = self._partition_of(ARCHIVE, camera)
        return TopicPartition(name_of(ARCHIVE, self._spec), number)

    def _group(self, role: str, topic: str) -> str:
        """One group for each topic that a role reads, so that each has a lag of its own."""
        return name_of(f"{role}.{topic}", self._spec)


async def _nothing() -> Mapping[int, int]:
    return {}


async def _none(_: str) -> list[tuple[int, int]]:
    return []
