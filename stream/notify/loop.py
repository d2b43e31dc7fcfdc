"""The loop: reads alerts, hands each endpoint its changes, and ends in an orderly way."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from stream import codec
from stream.errors import (
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
from stream.ports import Clock, Delivery, Inbox, Outbox, Sink
from stream.types import Alert, DeliveryStatus

TOPICS = ("deliveries", "dead-letters")
_BATCH = 100
_POLL_S = 1.0


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
            name: Endpoint(sink, self._journal, clock, random, limits)
            for name, sink in sinks.items()
        }

    async def run(
        self, inbox: Inbox, drain_s: float, history: Iterable[DeliveryStatus] = ()
    ) -> None:
        """Deliver until the alerts end, then at most ``drain_s`` longer.

        ``history`` is what ``deliveries`` holds from earlier runs, oldest first: what is pending
        there is gone on with, and what was delivered is not delivered again.

        Raises `DrainTimeoutError` with the number of deliveries left, each recorded as pending,
        and `UnsupportedVersionError` at an alert from a newer writer, which is not committed.
        """
        stopped: UnsupportedVersionError | None = None
        async with asyncio.TaskGroup() as tasks:
            await self._resume(history, tasks)
            try:
                while True:
                    await self._take(await inbox.receive(self._batch, _POLL_S), inbox, tasks)
            except EndOfStream:
                await self._drain(drain_s, tasks)
            except UnsupportedVersionError as error:
                stopped = error
            self._stop()
        if stopped is not None:
            raise stopped
        await self._leave(drain_s)

    async def _resume(self, history: Iterable[DeliveryStatus], tasks: asyncio.TaskGroup) -> None:
        latest = {}
        for status in history:
            if status.snapshot is not None:
                change = _resumed(status, status.snapshot)
                latest[status.endpoint, change.key] = (status.state, change)
        for state, change in latest.values():
            if state == "pending" and await self._accepts(change):
                self._endpoints[change.endpoint].begin(change, tasks)
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
            accepted += [change for change in changes if await self._accepts(change)]
        await self._outbox.flush()
        await inbox.commit(deliveries)
        for change in accepted:
            self._endpoints[change.endpoint].begin(change, tasks)

    async def _accepts(self, change: Change) -> bool:
        """Write it down as pending, unless it is a repeat or can go nowhere."""
        endpoint = self._endpoints.get(change.endpoint)
        if endpoint is None:
            answer = "no such endpoint is configured"
        elif endpoint.knows(change):
            return False
        elif not await endpoint.has_room():
            answer = f"{endpoint.waiting} deliveries wait already, and none is getting through"
        else:
            endpoint.reserve(change)
            await self._journal.write(change, "pending")
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


def _resumed(status: DeliveryStatus, alert: Alert) -> Change:
    delivery = Delivery("alerts", codec.encode(alert), None, "")
    body = body_of(alert)
    return Change(alert, body, status.endpoint, delivery, status.attempts, status.answer)
