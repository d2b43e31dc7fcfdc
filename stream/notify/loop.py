"""The loop: reads alerts, hands each endpoint its changes, and ends in an orderly way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace

from stream import codec
from stream.errors import (
    ConnectError,
    DrainTimeoutError,
    EndOfStream,
    RecordError,
    SchemaError,
    UnsupportedVersionError,
)
from stream.metrics import Metrics
from stream.notify.body import body_of
from stream.notify.endpoint import DEFAULT_LIMITS, Endpoint, Limits
from stream.notify.journal import Change, Journal
from stream.ports import Clock, Delivery, Inbox, Member, Outbox, Sink
from stream.types import Alert, DeliveryState, DeliveryStatus

TOPICS = ("deliveries", "dead-letters")
History = Callable[[], AsyncIterator[DeliveryStatus]]
"""What ``deliveries`` holds now, oldest first."""
_LIFE = ("opened", "updated", "resolved")
_BATCH = 100
_POLL_S = 1.0

_log = logging.getLogger(__name__)


class Notify:
    """Delivers to ``sinks`` (by endpoint id) what `run` reads. ``random`` gives [0, 1)."""

    def __init__(
        self,
        sinks: Mapping[str, Sink],
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
        random: Callable[[], float],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._batch = min(_BATCH, limits.waiting)
        self._journal = Journal(outbox, clock, metrics)
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
                    deliveries = await inbox.receive(self._batch, _POLL_S)
                    await self._resume(inbox, history, tasks)
                    await self._take(deliveries, inbox, tasks)
            except EndOfStream:
                await self._resume(inbox, history, tasks)
                await self._drain(drain_s, tasks)
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

    async def _resume(self, inbox: Member, history: History, tasks: asyncio.TaskGroup) -> None:
        while inbox.is_assigned and not self._is_resumed:
            self._is_resumed = True  # until a handover, which may come at any of the awaits below
            for endpoint in self._endpoints.values():
                endpoint.forget()
            try:
                found = [each async for each in history()]
            except ConnectError as error:
                _log.warning("what is pending cannot be read, trying again: %s", error)
                self._is_resumed = False
                await self._clock.sleep(_POLL_S)
            else:
                await self._begin_pending(found, inbox, tasks)

    async def _begin_pending(
        self, history: Sequence[DeliveryStatus], inbox: Member, tasks: asyncio.TaskGroup
    ) -> None:
        own = [each for each in _latest(history) if inbox.owns(each[1].alert.camera)]
        for state, change in own:
            if state == "pending" and await self._has_place(change):
                self._begin(change, tasks)
            elif state == "delivered" and change.endpoint in self._endpoints:
                self._endpoints[change.endpoint].remember(change)

    async def _take(
        self, deliveries: Sequence[Delivery], inbox: Inbox, tasks: asyncio.TaskGroup
    ) -> None:
        accepted = []
        for delivery in deliveries:
            try:
                changes = _changes(delivery)
            except RecordError as error:
                await self._journal.bury(delivery, error)
                continue
            accepted += [change for change in changes if await self._has_place(change)]
        for change in accepted:
            await self._journal.write(change, "pending")
        await self._outbox.flush()
        await inbox.commit(deliveries)
        for change in accepted:
            self._begin(change, tasks)

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

    async def _drain(self, drain_s: float, tasks: asyncio.TaskGroup) -> None:
        workers = [task for endpoint in self._endpoints.values() for task in endpoint.workers]
        if workers:
            alarm = tasks.create_task(self._stop_after(drain_s))
            await asyncio.wait(workers)
            alarm.cancel()

    async def _stop_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._stop()

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


def _changes(delivery: Delivery) -> list[Change]:
    """One change for each endpoint that the alert in ``delivery`` names."""
    alert = codec.decode(delivery.record)
    if not isinstance(alert, Alert):
        kind = alert.__struct_config__.tag
        raise SchemaError(f"{delivery.ref}: ce_type: given {kind}; allowed: alert")
    body = body_of(alert)
    return [Change(alert, body, name, delivery) for name in dict.fromkeys(alert.notify)]


def _latest(history: Sequence[DeliveryStatus]) -> list[tuple[DeliveryState, Change]]:
    """What became of each change, in the order of each alert's life.

    The history of one change is in order, that of an alert is not. Delivered is final: who was
    frozen or slow may write pending after it.
    """
    latest: dict[tuple[object, ...], tuple[DeliveryState, Change]] = {}
    for status in history:
        if status.snapshot is not None:
            change = _resumed(status, status.snapshot)
            before = latest.get((status.endpoint, change.key))
            if before is None or before[0] != "delivered":
                latest[status.endpoint, change.key] = (status.state, change)
    return sorted(latest.values(), key=lambda each: _in_life(each[1].alert))


def _in_life(alert: Alert) -> tuple[int, int]:
    return _LIFE.index(alert.state), alert.time_us


def _resumed(status: DeliveryStatus, alert: Alert) -> Change:
    delivery = Delivery("alerts", codec.encode(alert), None, "")
    body = body_of(alert)
    return Change(
        alert, body, status.endpoint, delivery, status.attempts, status.answer, status.due_us
    )
