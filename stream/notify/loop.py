"""The loop: reads alerts, hands each endpoint its changes, and ends in an orderly way."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from stream import codec, tracing
from stream.errors import (
    ConnectError,
    DrainTimeoutError,
    EndOfStream,
    RecordError,
    SchemaError,
    UnsupportedVersionError,
)
from stream.evidence import CLIPS
from stream.metrics import Metrics
from stream.notify.endpoint import DEFAULT_LIMITS, Endpoint, Limits
from stream.notify.illustrating import Illustrating, Illustrator
from stream.notify.journal import Change, Journal
from stream.notify.past import past
from stream.ports import Clock, Delivery, Inbox, Member, Outbox, Sink
from stream.types import Alert, DeliveryStatus

TOPICS = ("deliveries", "dead-letters")
History = Callable[[], AsyncGenerator[DeliveryStatus, None]]
"""What ``deliveries`` holds now, oldest first."""
_BATCH = 100
_POLL_S = 1.0

_log = logging.getLogger(__name__)


class _Told(NamedTuple):
    """An alert that came, with its links, and its trace."""

    delivery: Delivery
    alert: Alert
    spans: tracing.Spans


class Notify:
    """Delivers to ``sinks`` (by endpoint id) what `run` reads. ``random`` gives [0, 1).

    Where there is an ``illustrator``, one of ``sinks``, `stream.evidence.CLIPS`, makes its clips.
    ``is_live`` says of which cameras event time is the time of arrival.
    """

    def __init__(  # noqa: PLR0913 - one for each thing that it works with
        self,
        sinks: Mapping[str, Sink],
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
        random: Callable[[], float],
        limits: Limits = DEFAULT_LIMITS,
        illustrator: Illustrator | None = None,
        is_live: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._limits = limits
        self._journal = Journal(outbox, clock, metrics, is_live)
        self._illustrating = Illustrating(illustrator, metrics)
        self._endpoints = {
            name: Endpoint(name, sink, self._journal, clock, random, limits)
            for name, sink in sinks.items()
        }
        self._is_resumed = False
        """Whether what is pending for the cameras that are ours is in the lanes."""

    async def run(self, inbox: Member, drain_s: float, history: History) -> None:
        """Deliver until the alerts end, then at most ``drain_s`` longer.

        Of ``history``, what is pending for the cameras that are ours is gone on with, and what was
        delivered is not delivered again. It is read again whenever cameras may have moved between
        the members of the group.

        Raises `DrainTimeoutError` with the number of deliveries left, each recorded as pending,
        and `UnsupportedVersionError` at an alert from a newer writer, which is not committed.
        """
        stopped: UnsupportedVersionError | None = None
        inbox.before_handover(self._let_go)
        async with asyncio.TaskGroup() as tasks:
            try:
                while True:
                    deliveries = await self._received(inbox, history, tasks)
                    await self._take(deliveries, inbox, tasks)
            except EndOfStream:
                with suppress(TimeoutError):
                    async with asyncio.timeout(drain_s):
                        await self._resume(inbox, history, tasks)
                        await self._all_over()
            except UnsupportedVersionError as error:
                stopped = error
            self._stop()
        if stopped is not None:
            raise stopped
        await self._leave(drain_s)

    async def _let_go(self) -> None:
        """Before cameras move: ``deliveries`` holds what is pending, for whoever has them next."""
        self._is_resumed = False
        await asyncio.gather(*(each.let_go() for each in self._endpoints.values()))
        await self._outbox.flush()

    async def _received(
        self, inbox: Member, history: History, tasks: asyncio.TaskGroup
    ) -> list[Delivery]:
        """What came, with all that was pending before it in the lanes.

        What is no longer ours by then comes to whoever has its camera now.
        """
        deliveries = await inbox.receive(min(_BATCH, self._limits.waiting), _POLL_S)
        ours = [inbox.owns(each.record.key) for each in deliveries]
        await self._resume(inbox, history, tasks)
        if not inbox.is_assigned:  # nothing is anybody else's before the handover is over
            return deliveries
        return [
            each
            for each, was_ours in zip(deliveries, ours, strict=True)
            if not was_ours or inbox.owns(each.record.key)
        ]

    async def _resume(self, inbox: Member, history: History, tasks: asyncio.TaskGroup) -> None:
        while inbox.is_assigned and not self._is_resumed:
            self._is_resumed = True  # until a handover, which may come at any of the awaits below
            try:
                told, now_us = self._before_a_handover(history), self._clock.now_us()
                found = await past(told, inbox.owns, self._limits.known, now_us)
            except ConnectError as error:
                _log.warning("what is pending cannot be read, trying again: %s", error)
                self._is_resumed = False
                await self._clock.sleep(_POLL_S)
                continue
            for name, endpoint in self._endpoints.items():
                endpoint.start_anew(found.delivered[name])
            for change in found.pending:
                if self._is_resumed and await self._has_place(change):
                    self._begin(change, tasks)

    async def _before_a_handover(self, history: History) -> AsyncIterator[DeliveryStatus]:
        """A long history keeps no camera from moving on; it is read again afterwards."""
        async with aclosing(history()) as statuses:
            async for status in statuses:
                if not self._is_resumed:
                    return
                yield status

    async def _take(
        self, deliveries: Sequence[Delivery], inbox: Inbox, tasks: asyncio.TaskGroup
    ) -> None:
        told = await self._told(deliveries)
        accepted = [change for change in self._changes(told) if await self._has_place(change)]
        for change in accepted:
            await self._journal.write(change, "pending")
        await self._outbox.flush()
        await inbox.commit(deliveries)
        for each in told:
            tracing.end(each.spans)
        for change in accepted:
            self._begin(change, tasks)

    async def _told(self, deliveries: Sequence[Delivery]) -> list[_Told]:
        """The alerts with their links, made side by side; what cannot be read is buried."""
        told: list[_Told] = []
        for delivery in deliveries:
            try:
                alert = _alert(delivery)
            except RecordError as error:
                await self._journal.bury(delivery, error)
                continue
            spans = tracing.follow(tracing.carried(delivery.record), "notify")
            told.append(_Told(delivery, alert, spans))
        return await asyncio.gather(*map(self._illustrated, told))

    async def _illustrated(self, told: _Told) -> _Told:
        with tracing.within(told.spans):
            tracing.tell(camera=told.alert.camera, alert=told.alert.id, state=told.alert.state)
            return told._replace(alert=await self._illustrating.illustrated(told.alert))

    def _changes(self, told: Sequence[_Told]) -> list[Change]:
        """One change for each endpoint that an alert names, and one for its clip."""
        changes: list[Change] = []
        now_us = self._clock.now_us()
        for delivery, alert, spans in told:
            trace = tracing.header_of(spans)
            change = partial(Change, alert, delivery=delivery, since_us=now_us, trace=trace)
            changes += map(change, dict.fromkeys(alert.notify))
            if (due_us := self._illustrating.due_us(alert)) is not None:
                changes.append(change(CLIPS, due_us=due_us))
        return changes

    def _begin(self, change: Change, tasks: asyncio.TaskGroup) -> None:
        """Unless cameras are moving: then `_resume` finds it, where it is still ours."""
        if self._is_resumed:
            self._endpoints[change.endpoint].begin(change, tasks)

    async def _has_place(self, change: Change) -> bool:
        """Reserve a place, unless it is a repeat or can go nowhere."""
        endpoint = self._endpoints.get(change.endpoint)
        if endpoint is None:
            answer = "no such endpoint is configured"
        elif endpoint.knows(change):
            return False
        elif not await endpoint.has_room():
            answer = f"{endpoint.waiting} deliveries wait already, and none is getting through"
        else:
            endpoint.reserve(change)
            return True
        await self._journal.give_up(replace(change, answer=answer))
        return False

    async def _all_over(self) -> None:
        """Return when every delivery is delivered or given up."""
        if workers := [task for endpoint in self._endpoints.values() for task in endpoint.workers]:
            await asyncio.wait(workers)

    def _stop(self) -> None:
        for endpoint in self._endpoints.values():
            for worker in endpoint.workers:
                worker.cancel()

    async def _leave(self, drain_s: float) -> None:
        left = {name: endpoint.left() for name, endpoint in self._endpoints.items()}
        for change in (change for changes in left.values() for change in changes):
            await self._journal.write(change, "pending")
        await self._outbox.flush()
        if counts := [_waiting(name, changes) for name, changes in left.items() if changes]:
            total = sum(map(len, left.values()))
            raise DrainTimeoutError(
                f"{total} deliveries left after {drain_s:g} s: " + ", ".join(counts)
            )


def _waiting(endpoint: str, changes: Sequence[Change]) -> str:
    answer = f" ({changes[0].answer})" if changes[0].answer else ""
    return f"{endpoint} {len(changes)}{answer}"


def _alert(delivery: Delivery) -> Alert:
    alert = codec.decode(delivery.record)
    if not isinstance(alert, Alert):
        kind = alert.__struct_config__.tag
        raise SchemaError(f"{delivery.ref}: ce_type: given {kind}; allowed: alert")
    return alert
