"""A thin host for a reader on Faust: it takes part in a group and hands out batches.

Records come as raw bytes with their headers, and one batch at a time is worked on. Only what was
worked on is acknowledged to Faust, which commits it now and then: after an exception Faust would
commit all the same, so none leaves the agent. Faust makes no topic, keeps no table, serves no page
and knows no pickle. docs/decisions/0009 says what it can be relied on for.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.serializers.codecs import codecs
from faust.transport.drivers import aiokafka as driver
from yarl import URL

from connectors.kafka.client import REQUEST_TIMEOUT_MS, client_options
from connectors.kafka.gauge import Reading, open_gauge
from connectors.kafka.idling import BUSY_WAIT_MS
from connectors.kafka.inbox import HEARTBEAT_MS, SESSION_MS
from connectors.kafka.members import refuse_commits_of_strangers
from connectors.kafka.records import record_of
from connectors.kafka.rights import USERS
from connectors.kafka.topics import name_of, record_bytes
from stream.config import Settings
from stream.errors import ConnectError, DrainTimeoutError
from stream.ports import AskProgress, Delivery, Progress

BATCH = 64
"""Records that are worked on together."""
WITHIN_S = 0.05
"""How long a batch waits for company: the most that it adds to the age of a frame."""
COMMIT_S = 0.5
"""How often Faust commits: what a crash repeats is what came meanwhile."""
BUFFERED = 512
"""Records that Faust holds ahead of the work."""

_log = logging.getLogger(__name__)

Work = Callable[[Sequence[Delivery]], Awaitable[None]]
"""Does all that a batch comes to; on return it may be committed."""


class FaustHost:
    """One member of ``role``'s group on ``topic``, from `start` to `stop`.

    ``let_go`` is awaited before records of a key may come to another member.
    """

    def __init__(
        self,
        settings: Settings,
        role: str,
        topic: str,
        work: Work,
        let_go: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._role = role
        self._topic = topic
        self._work = work
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._assigned = False
        self._app = _app(settings, f"{role}.{topic}")
        source = self._app.topic(
            name_of(topic, settings.kafka),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
        )
        self._app.agent(source, name=role)(self._agent)
        self._let_go = let_go
        self._app.on_partitions_assigned.connect(self._on_assigned, weak=False)
        self._app.on_partitions_revoked.connect(self._on_revoked, weak=False)

    async def run(self, stop: asyncio.Event, drain_s: float) -> None:
        """Work until ``stop``; then finish the batch under way, commit and leave the group.

        Raises `DrainTimeoutError` where that takes longer than ``drain_s``, `ConnectError` when
        no broker answers at the start or Faust gave up, and what the work raised.
        """
        try:
            self._app.finalize()
            await self._app.start()
        except KafkaError as error:
            await self._app.stop()
            raise ConnectError(f"faust: {self._topic}: {error}") from error
        try:
            await self._ended(stop)
        except BaseException as error:
            self._app.conf.stream_wait_empty = False  # what failed is never acknowledged
            _log.error("%s: %s", self._topic, error)  # leaving may fail as well, and hide it
            raise
        finally:
            await self._leave(drain_s)

    async def _leave(self, drain_s: float) -> None:
        leaving = asyncio.ensure_future(self._app.stop())
        done, _ = await asyncio.wait({leaving}, timeout=drain_s)
        if not done:
            raise DrainTimeoutError(f"work was left {drain_s:g} s after the stop")
        leaving.result()

    async def _ended(self, stop: asyncio.Event) -> None:
        stopping = asyncio.ensure_future(stop.wait())
        crashed = asyncio.ensure_future(self._app.wait_until_stopped())
        try:
            await asyncio.wait(
                {stopping, crashed, self._failed}, return_when=asyncio.FIRST_COMPLETED
            )
            if self._failed.done():
                self._failed.result()
            if self._app.crashed:
                raise ConnectError(f"faust: {self._topic}: {self._app.crash_reason!r}")
        finally:
            stopping.cancel()
            crashed.cancel()

    async def _agent(self, stream: Any) -> None:
        async for events in stream.noack_take(BATCH, within=WITHIN_S):
            try:
                await self._work([self._delivery(event.message) for event in events])
            except Exception as error:
                self._failed.set_exception(error)
                await self._app.wait_until_stopped()  # an agent that returned would be started anew
                return
            for event in events:
                await stream.ack(event)

    def _delivery(self, message: Any) -> Delivery:
        ref = f"{self._topic}/{message.partition}@{message.offset}"
        return Delivery(self._topic, record_of(message), message, ref)

    async def _on_assigned(self, *_: object, **__: object) -> None:
        self._assigned = True

    async def _on_revoked(self, *_: object, **__: object) -> None:
        await self._let_go()

    @asynccontextmanager
    async def progress(self) -> AsyncIterator[AskProgress]:
        """A way to ask how far this member is."""
        spec = self._settings.kafka
        options = client_options(self._settings.transport, spec)
        written = {name_of(each, spec) for each in USERS[self._role].writes}
        async with open_gauge(options, spec, written) as gauge:

            async def ask() -> Progress:
                if not self._assigned:
                    return Progress(False, {})
                partitions = [TopicPartition(*each) for each in self._app.consumer.assignment()]
                reading = Reading(self._topic, self._app.conf.id, partitions)
                return Progress(True, await gauge.shares([reading]))

            yield ask


def _app(settings: Settings, group: str) -> Any:
    codecs.pop("pickle", None)
    options = client_options(settings.transport, settings.kafka)
    brokers = [URL(f"kafka://{each}") for each in options["bootstrap_servers"]]
    app: Any = faust.App(
        name_of(group, settings.kafka),
        broker=brokers,
        broker_client_id=settings.kafka.client_id,
        broker_credentials=_credentials(options),
        broker_commit_interval=COMMIT_S,
        broker_session_timeout=SESSION_MS / 1e3,
        broker_heartbeat_interval=HEARTBEAT_MS / 1e3,
        broker_request_timeout=REQUEST_TIMEOUT_MS / 1e3,
        consumer_max_fetch_size=record_bytes(settings.pictures.max_bytes),
        processing_guarantee="at_least_once",
        stream_buffer_maxsize=BUFFERED,
        stream_wait_empty=True,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=".",  # it makes a folder otherwise
    )
    app.transport = _Transport(brokers, app)
    return app


def _credentials(options: dict[str, Any]) -> Any:
    context = options["ssl_context"]
    if "sasl_mechanism" in options:
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = BUSY_WAIT_MS  # Faust says 1500 and takes no other
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        refuse_commits_of_strangers(self._consumer)


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> Any:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class _Transport(driver.Transport):
    Consumer = _Consumer
