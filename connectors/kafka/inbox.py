"""A member of a consumer group, as an `stream.ports.Inbox`.

Members are dynamic: they leave at once when they are closed, and are missed after a session's
time when they are killed. What was handed out and is not yet committed when a partition moves on
is waited for a moment, so that a rebalance repeats nothing; a partition that stays goes on where
it was.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from connectors.kafka.client import FETCH_BYTES
from connectors.kafka.greeting import greet, unreachable
from connectors.kafka.idling import rest_while_idle
from connectors.kafka.members import refuse_commits_of_strangers
from connectors.kafka.patience import leave, patiently
from connectors.kafka.records import record_of
from connectors.kafka.refusals import failed
from connectors.kafka.tenures import Position, Tenure
from connectors.kafka.turns import Found, take
from stream.errors import EndOfStream
from stream.ports import Delivery

SESSION_MS, HEARTBEAT_MS = 10_000, 3_000
HANDOVER_S = 3.0
"""How long a rebalance waits for what is in flight: the pause of a partition stays under 5 s."""
REFUSED_S = 0.5
"""How late it may be heard that a group refuses us."""

_log = logging.getLogger(__name__)


class KafkaInbox(ConsumerRebalanceListener):  # type: ignore[misc]
    """See `stream.ports.Inbox`; also what health wants to know of it."""

    def __init__(
        self,
        topic: str,
        name: str,
        partition_of: Callable[[str], int],
        end: asyncio.Event,
        *,
        from_now: bool = False,
    ) -> None:
        self._from_now = from_now
        self._topic = topic
        self._name = name
        self._partition_of = partition_of
        self._end = end
        self._let_go: Callable[[], Awaitable[None]] = _nothing
        self._consumer: Any = None
        self._options: Mapping[str, Any] = {}
        self._tenures: dict[TopicPartition, Tenure] = {}
        self._turn = 0
        """How often the group has said which partitions are ours."""
        self._committing = asyncio.Condition()  # one at a time, else an offset could go back
        self._settled = asyncio.Event()
        self._asked_at = time.monotonic()

    async def start(self, group: str, options: Mapping[str, Any]) -> None:
        """Join ``group``. Raises `ConnectError` when no broker answers, `ForbiddenError` where we
        may not.
        """
        self._options = options
        await greet(options)
        self._consumer = AIOKafkaConsumer(
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="latest" if self._from_now else "earliest",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            **options,
        )
        self._consumer.subscribe([self._name], listener=self)
        try:
            await self._consumer.start()
            refuse_commits_of_strangers(self._consumer)
            rest_while_idle(self._consumer)
            await self._joined()
        except BaseException as error:  # also when a stop comes first: nobody else would close it
            await self.stop()
            if isinstance(error, KafkaError):
                raise unreachable(options, error) from error
            raise

    async def _joined(self) -> None:
        """Return once the group has said what is ours. Whom it refuses would wait for ever:
        aiokafka tells of it with the next records, which nobody may ask for yet.
        """
        while not self._settled.is_set():
            self._consumer._coordinator.check_errors()  # there is no public way to ask
            with suppress(TimeoutError):
                async with asyncio.timeout(REFUSED_S):
                    await self._settled.wait()

    async def stop(self) -> None:
        """Leave the group at once."""
        await leave(self._consumer.stop())

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        """As `stream.ports.Inbox.receive`; `EndOfStream` once the transport was ended."""
        load = Counter(each.position.partition for each in under_way)
        deadline = time.monotonic() + timeout_s
        while True:
            turn = self._turn
            left_ms = max(0, round((deadline - time.monotonic()) * 1e3))
            found = await self._fetch(take(self._consumer, limit, left_ms, load))
            if not found:
                return []
            if await self._may_hand_out(turn):
                return [self._delivery(at, each) for at, those in found.items() for each in those]
            await self._put_back(found)

    async def _may_hand_out(self, turn: int) -> bool:
        """Whether what was fetched in a turn is ours still."""
        if not await self._is_member() and turn == self._turn:
            self._settled.clear()
        await self._commit_finished()
        return turn == self._turn and self._settled.is_set()

    async def _fetch(self, fetching: Awaitable[Found]) -> Found:
        taking = asyncio.ensure_future(fetching)
        try:
            await self._unless_ended(taking)
            return taking.result()
        except KafkaError as error:
            raise failed(self._options, error, self._topic) from error
        finally:
            taking.cancel()

    async def _unless_ended(self, waiting: asyncio.Future[Any]) -> None:
        """Return when ``waiting`` is done. Raises `EndOfStream` when the end comes before."""
        ending = asyncio.ensure_future(self._end.wait())
        try:
            await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                raise EndOfStream(f"{self._topic}: this process is stopping")
        finally:
            ending.cancel()

    async def _is_member(self) -> bool:
        """Whether the group still counts on us. Only one that was still for longer than a session,
        as a frozen process is, has to ask: what it fetched before may be another's by now.
        """
        asked_at, self._asked_at = self._asked_at, time.monotonic()
        if self._asked_at - asked_at < SESSION_MS / 1e3:
            return True
        async with self._committing:
            return await self._commit(
                {at: each.committed for at, each in self._tenures.items() if each.committed}
            )

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        """As `stream.ports.Inbox.commit`. What another member has by now is left to it."""
        for delivery in deliveries:
            position: Position = delivery.position
            tenure = self._tenures.get(position.partition)
            if tenure is not None and tenure.number == position.tenure:
                tenure.finished = max(tenure.finished or 0, position.offset + 1)
        await self._commit_finished()

    async def _commit_finished(self) -> None:
        async with self._committing:
            behind = {at: tenure for at, tenure in self._tenures.items() if tenure.is_behind}
            upto = {at: tenure.finished for at, tenure in behind.items()}
            if await self._commit(upto):
                for at, tenure in behind.items():
                    tenure.committed = upto[at]
                self._committing.notify_all()

    async def _commit(self, upto: Mapping[TopicPartition, int | None]) -> bool:
        """False when the group refuses it; where we keep the partition, it is said again later."""
        if not upto:
            return True
        try:
            await self._consumer.commit(upto)
        except (CommitFailedError, IllegalStateError):
            _log.info("%s: a commit was refused, its members are changing", self._topic)
            return False
        except KafkaError as error:
            raise failed(self._options, error, f"{self._topic}: commit") from error
        return True

    async def _put_back(self, found: Collection[TopicPartition]) -> None:
        """Read again later what was read while members change: none of it was handed out."""
        while True:
            await self._settle()
            turn = self._turn
            fresh = [at for at in found if at in self._tenures and not self._tenures[at].has_begun]
            begins = dict(
                zip(fresh, await asyncio.gather(*map(self._beginning, fresh)), strict=True)
            )
            if turn == self._turn:
                break
        for partition in found:
            if (tenure := self._tenures.get(partition)) is not None:
                self._seek(partition, begins.get(partition, tenure.received))

    def _seek(self, partition: TopicPartition, offset: int | None) -> None:
        with suppress(IllegalStateError):  # it has moved on meanwhile
            self._consumer.seek(partition, offset)

    async def _settle(self) -> None:
        """Wait until it is known which partitions are ours."""
        settling = asyncio.ensure_future(self._settled.wait())
        try:
            await self._unless_ended(settling)
        finally:
            settling.cancel()

    async def _beginning(self, partition: TopicPartition) -> int:
        """Where the group is, and not what lay here before it changed."""
        committed = await patiently(lambda: self._consumer.committed(partition))
        if committed is None:
            consumer = self._consumer
            offsets = consumer.end_offsets if self._from_now else consumer.beginning_offsets
            return int((await patiently(lambda: offsets([partition])))[partition])
        return int(committed)

    @property
    def is_assigned(self) -> bool:
        """Whether the group has said which partitions are ours."""
        return self._settled.is_set()

    def owns(self, key: str) -> bool:
        """As `stream.ports.Member.owns`; False for all while members change."""
        partition = TopicPartition(self._name, self._partition_of(key))
        return self.is_assigned and partition in self._tenures

    def before_handover(self, let_go: Callable[[], Awaitable[None]]) -> None:
        """As `stream.ports.Member.before_handover`: ``let_go`` may take `HANDOVER_S`."""
        self._let_go = let_go

    @property
    def partitions(self) -> Collection[TopicPartition]:
        """Those that are ours; while members change, those that were until then."""
        return tuple(self._tenures)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Hand out nothing more, and wait a moment for what is in flight."""
        self._settled.clear()
        try:
            async with asyncio.timeout(HANDOVER_S):
                await self._let_go()
                async with self._committing:
                    await self._committing.wait_for(
                        lambda: all(each.is_idle for each in self._tenures.values())
                    )
        except TimeoutError:
            _log.info("%s: a partition moves on with records in flight", self._topic)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go on where a partition that stayed was left; begin the others at what is committed.

        aiokafka fetches again before it says what is assigned, so `receive` may have records by
        now that were read from other places: they belong to an earlier turn.
        """
        ours = list(assigned)
        # All at once: no heartbeat is sent meanwhile, and a session may end over many answers.
        committed = await asyncio.gather(*map(self._committed, ours))
        before, self._tenures = self._tenures, {}
        self._turn += 1
        for partition, due in zip(ours, committed, strict=True):
            tenure = before.get(partition)
            # Another member may have committed further while this process was frozen: going on
            # where we were would take that back.
            if tenure is not None and tenure.has_begun and due == tenure.committed:
                self._seek(partition, tenure.received)
            else:
                tenure = Tenure(self._turn, due=due)
            self._tenures[partition] = tenure
        self._settled.set()

    async def _committed(self, partition: TopicPartition) -> int | None:
        """What the group needs next: 0 where it has not committed yet, None where nobody says."""
        try:
            return await self._consumer.committed(partition) or 0
        except KafkaError as error:
            _log.info("%s: nobody says what is committed: %s", self._topic, error)
            return None

    def _delivery(self, partition: TopicPartition, found: ConsumerRecord[Any, Any]) -> Delivery:
        tenure, record = self._tenures[partition], record_of(found)
        follows_loss = tenure.receive(found.offset, record.key)
        return Delivery(
            self._topic,
            record,
            Position(partition, found.offset, tenure.number),
            f"{self._topic}/{partition.partition}@{found.offset}",
            follows_loss,
        )


async def _nothing() -> None:
    return
