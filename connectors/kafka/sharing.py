"""A member of the group that shares the cameras.

It reads nothing through the group: all of ``cameras`` is known to everybody. The group only says
whose a partition is, and a camera with it. It keeps what it has while members change, unlike
`connectors.kafka.inbox`: a camera that stays is never touched.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoError,
    RebalanceInProgressError,
    for_code,
)
from aiokafka.protocol.group import HeartbeatRequest

from connectors.kafka.greeting import greet, unreachable
from connectors.kafka.inbox import SESSION_MS
from connectors.kafka.patience import leave
from connectors.kafka.refusals import failed
from connectors.kafka.shares import Claim, held, shares

HEARTBEAT_MS = 1_000
"""How late a member may hear that others change, and a camera that moves is nowhere until all
have."""
LOOK_MS = 60_000

Load = Callable[[], Mapping[int, int]]
"""Tells how many cameras each partition has."""

_claim: msgspec.json.Decoder[Claim] = msgspec.json.Decoder(Claim)


class Sharing(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member. ``turned`` is set when other partitions are ours."""

    def __init__(self, name: str, partitions: int, load: Load, turned: asyncio.Event) -> None:
        self._name = name
        self._assignor = _Assignor(partitions, load, self._is_known)
        self._turned = turned
        self._settled = asyncio.Event()
        self._consumer: Any = None
        self._options: Mapping[str, Any] = {}
        self._looking: asyncio.Task[None] | None = None

    @property
    def mine(self) -> frozenset[int]:
        """The partitions that the group has given us last."""
        return self._assignor.given

    async def start(self, group: str, options: Mapping[str, Any]) -> None:
        """Join ``group``. Raises `ConnectError` when no broker answers, or one refuses, and
        `ForbiddenError` where we may not.
        """
        self._options = options
        await greet(options)
        self._consumer = AIOKafkaConsumer(
            group_id=group,
            enable_auto_commit=False,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            partition_assignment_strategy=(self._assignor,),
            **options,
        )
        self._consumer.subscribe([self._name], listener=self)
        try:
            await self._consumer.start()
            self._looking = asyncio.create_task(self._look(), name="sharing")
            await self._unless_failed(self._settled)
        except BaseException as error:
            await self.stop()
            if isinstance(error, KafkaError):
                raise unreachable(options, error) from error
            raise

    async def stop(self) -> None:
        """Leave the group: all that is ours is another's at once."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        await leave(self._consumer.stop())

    async def wait(self) -> None:
        """Return once something has turned. Raises as `start` does."""
        await self._unless_failed(self._turned)

    def release(self, kept: frozenset[int]) -> None:
        """Nothing runs any more but what lies in ``kept``; the rest may be another's now."""
        claim = self._assignor.claim
        released = claim.held.keys() - kept - self.mine
        if released:
            self._assignor.claim = claim.without(released)
            self._rejoin()

    def was_thought_dead(self) -> bool:
        """Whether the group has done without us since this was asked last."""
        was, self._assignor.was_doubted = self._assignor.was_doubted, False
        return was

    async def still_has(self, partition: int | None) -> bool:
        """Whether the group counts on us, as a broker says now, and ``partition`` is ours."""
        coordinator = self._consumer._coordinator
        if coordinator.coordinator_id is None:
            return False
        request = HeartbeatRequest(
            coordinator.group_id, coordinator.generation, coordinator.member_id
        )
        try:
            # Not as the coordinator does: there it would wait behind a request to join, and be of
            # an old generation then, for which aiokafka gives its membership up.
            answer = await self._consumer._client.send(coordinator.coordinator_id, request)
        except KafkaError:
            return False
        is_member = for_code(answer.error_code) in {NoError, RebalanceInProgressError}
        return is_member and partition in self.mine

    async def on_partitions_revoked(self, _: Iterable[TopicPartition]) -> None:
        """Members change: what is ours stays so until the group says otherwise."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Others are ours now."""
        self._settled.set()
        self._turned.set()
        if self._assignor.is_outdated:
            self._rejoin()  # aiokafka forgets what asks for it while it joins
        with suppress(IllegalStateError):  # others are ours already
            self._consumer.pause(*assigned)

    def _is_known(self) -> bool:
        return bool(self._consumer._coordinator.member_id)

    def _rejoin(self) -> None:
        self._consumer._coordinator.request_rejoin()  # there is no public way to join again

    async def _look(self) -> None:
        """Ask for records that never come: it is how aiokafka tells what has gone wrong, and by
        which it knows that its member is alive.
        """
        while True:
            await self._consumer.getmany(timeout_ms=LOOK_MS)

    async def _unless_failed(self, event: asyncio.Event) -> None:
        assert self._looking is not None
        waiting = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({waiting, self._looking}, return_when=asyncio.FIRST_COMPLETED)
            if self._looking.done():
                self._looking.result()
        except KafkaError as error:
            raise failed(self._options, error, self._name) from error
        finally:
            waiting.cancel()


class _Assignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """How aiokafka is told what `connectors.kafka.shares` says; an object, for its claim."""

    name = "cameras"

    def __init__(self, partitions: int, load: Load, is_known: Callable[[], bool]) -> None:
        self.claim = Claim()
        self.given: frozenset[int] = frozenset()
        """Changes with the claim: what is new would else look as if it were to be released."""
        self.was_doubted = False
        self._said = self.claim
        self._partitions = partitions
        self._load = load
        self._is_known = is_known

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        if self.claim.held and not self._is_known():
            self.claim, self.given, self.was_doubted = self.claim.doubted(), frozenset(), True
        self._said = self.claim
        return ConsumerProtocolMemberMetadata(0, list(topics), msgspec.json.encode(self._said))

    @property
    def is_outdated(self) -> bool:
        """Whether partitions were released that we said to have when we joined."""
        return not self._said.held.keys() <= self.claim.held.keys()

    def assign(
        self, _: Any, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        claims = {member: _claim.decode(said.user_data) for member, said in members.items()}
        turn = msgspec.json.encode(Claim(1 + max(claim.turn for claim in claims.values())))
        given = shares(held(claims), self._load(), self._partitions)
        return {
            member: ConsumerProtocolMemberAssignment(
                0, [(topic, sorted(given[member])) for topic in said.subscription], turn
            )
            for member, said in members.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """What was ours is claimed until it is released, and what is new from now on."""
        turn = _claim.decode(assignment.user_data).turn
        self.given = frozenset(each.partition for each in assignment.partitions())
        self.claim = self.claim.given(turn, self.given)
