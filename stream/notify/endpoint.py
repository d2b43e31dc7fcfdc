"""One endpoint: its lanes, its slots and its waits."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from stream import tracing
from stream.context import about
from stream.errors import DeliveryError, EndpointGoneError
from stream.notify.journal import Change, Journal
from stream.notify.past import Known
from stream.ports import Clock, Sink
from stream.retry import STEPS_S, delay_s


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one endpoint may take of this process."""

    tries: int = 8
    """Tries in flight at once."""
    waiting: int = 10_000
    """Changes that wait, in lanes or for their next try: about 20 MB at 2 kB each."""

    @property
    def known(self) -> int:
        """Changes that a repeat is told by, those that wait among them."""
        return 2 * self.waiting


DEFAULT_LIMITS = Limits()

_log = logging.getLogger(__name__)


class Endpoint:
    """One endpoint.

    A lane holds the changes of one alert, in order; it sleeps until the next try of its first is
    due. A slot is held during a try and until its outcome is written down, so slots bound what may
    be repeated after a crash. A Retry-After makes the whole endpoint quiet for that time. One that
    is gone is not tried again: all that waits for it and all that comes is given up.
    """

    def __init__(
        self,
        name: str,
        sink: Sink,
        journal: Journal,
        clock: Clock,
        random: Callable[[], float],
        limits: Limits,
    ) -> None:
        self._name = name
        self._sink = sink
        self._journal = journal
        self._clock = clock
        self._random = random
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.tries)
        self._quiet_until_us = 0
        self._failing = False
        self._leaving = False
        self._gone = ""
        """What it answered when it was gone."""
        self._naps: dict[asyncio.Future[None], None] = {}
        self._moved = asyncio.Event()
        self._lanes: dict[str, deque[Change]] = {}
        self._known = Known(limits.known)
        self._busy: set[asyncio.Task[Any]] = set()
        journal.waits(name, self._oldest_s)
        self.waiting = 0
        self.workers: set[asyncio.Task[None]] = set()

    async def has_room(self) -> bool:
        """Whether a change may wait here.

        A full endpoint is waited for while tries are going on and the last one did not fail.
        """
        while self.waiting >= self._limits.waiting and self._moving():
            self._moved.clear()
            await self._moved.wait()
        return self.waiting < self._limits.waiting

    def knows(self, change: Change) -> bool:
        """Whether it is pending or was delivered: a repeat."""
        return change.key in self._known

    def reserve(self, change: Change) -> None:
        """Give it a place; `begin` must follow, or `start_anew`."""
        self._known.add(change.key)
        self._count(1)

    def begin(self, change: Change, tasks: asyncio.TaskGroup) -> None:
        """Put it into its alert's lane, which runs in ``tasks``."""
        lane = self._lanes.setdefault(change.alert.id, deque())
        lane.append(change)
        if len(lane) == 1:
            worker = tasks.create_task(self._work(change.alert.id, lane))
            self.workers.add(worker)
            worker.add_done_callback(self.workers.discard)

    def left(self) -> list[Change]:
        """What was begun and not finished, in order within each alert."""
        return [change for lane in self._lanes.values() for change in lane]

    async def let_go(self) -> None:
        """Stop once the tries in flight are over and written down; at once where cancelled."""
        self._leaving = True
        try:
            for worker in self.workers - self._busy:
                worker.cancel()
            if self._busy:
                await asyncio.wait(self._busy)
        finally:
            for worker in self.workers:
                worker.cancel()
            self._leaving = False
            self._empty()

    def start_anew(self, delivered: Known) -> None:
        """Nothing waits, and what was ``delivered`` is all that is known."""
        self._empty()
        self._known = delivered

    def _empty(self) -> None:
        self._lanes = {}
        self._count(-self.waiting)

    async def _work(self, alert: str, lane: deque[Change]) -> None:
        while lane and not self._leaving:
            with about(endpoint=self._name, camera=lane[0].alert.camera, alert=alert):
                await self._deliver(lane)
            lane.popleft()
            self._count(-1)
        del self._lanes[alert]

    async def _deliver(self, lane: deque[Change]) -> None:
        """Try the first of the lane until it is delivered or given up."""
        is_over = False
        while not is_over:
            await self._sleep_until(lane[0].due_us)
            async with self._slots:
                await self._sleep_until(self._quiet_until_us)
                with self._unbroken(), _traced(lane[0]):
                    is_over = await self._try(lane)

    async def _try(self, lane: deque[Change]) -> bool:
        """Try the first of the lane once, and write down what came of it: whether it is over."""
        if self._gone:
            return await self._given_up(replace(lane[0], answer=self._gone))
        change = lane[0] = replace(lane[0], attempts=lane[0].attempts + 1)
        began_us = self._clock.now_us()
        try:
            answer = await self._sink.deliver(change.alert)
        except DeliveryError as error:
            tracing.fail(str(error))
            self._tell(str(error), is_failing=error.retriable)
            if isinstance(error, EndpointGoneError):
                self._disable(str(error))
            return await self._failed(lane, error)
        finally:
            took_us = self._clock.now_us() - began_us
            delivery = self._journal.metrics.delivery.labels(self._name)
            delivery.observe(took_us / 1e6, tracing.exemplar())
        tracing.tell(answer=answer)
        self._tell("", is_failing=False)
        await self._journal.delivered(replace(change, answer=answer))
        return True

    async def _failed(self, lane: deque[Change], error: DeliveryError) -> bool:
        change = lane[0] = replace(lane[0], answer=str(error))
        wait_s = self._wait_s(change, error)
        if wait_s is None:
            return await self._given_up(change)
        lane[0] = replace(change, due_us=self._clock.now_us() + round(wait_s * 1e6))
        await self._journal.failed(lane[0])
        return False

    def _tell(self, answer: str, *, is_failing: bool) -> None:
        """Remember whether tries fail, and say so when that changes: not at each try."""
        if is_failing and not self._failing:
            _log.warning("%s; tries go on for days, as long as notify (or run) runs", answer)
        elif self._failing and not answer:
            _log.info("endpoint %s takes alerts again", self._name)
        self._failing = is_failing

    async def _given_up(self, change: Change) -> bool:
        self._known.discard(change.key)  # so that a replay of it gets through
        is_said = bool(self._gone)  # of one that is gone it was said once, for all
        await self._journal.give_up(change, in_silence=is_said)
        return True

    def _disable(self, answer: str) -> None:
        if not self._gone:
            _log.error("%s; nothing more is sent to it until notify starts again", answer)
            self._journal.metrics.endpoint_gone.labels(self._name).set(1)
        self._gone = answer
        for nap in self._naps:
            nap.cancel()

    @contextmanager
    def _unbroken(self) -> Iterator[None]:
        """For what a handover waits for; the worker ends after it."""
        worker = asyncio.current_task()
        assert worker is not None
        self._busy.add(worker)
        try:
            yield
        finally:
            self._busy.discard(worker)
            if self._leaving:
                worker.cancel()

    def _wait_s(self, change: Change, error: DeliveryError) -> float | None:
        if not error.retriable:
            return None
        if error.retry_after_s is not None:  # it speaks for the endpoint, not for one alert
            quiet_us = round(min(error.retry_after_s, max(STEPS_S)) * 1e6)
            self._quiet_until_us = max(self._quiet_until_us, self._clock.now_us() + quiet_us)
        return delay_s(change.attempts, self._random(), error.retry_after_s)

    async def _sleep_until(self, due_us: int) -> None:
        """Wait, unless the endpoint is gone."""
        while not self._gone and (left_us := due_us - self._clock.now_us()) > 0:
            nap = asyncio.ensure_future(self._clock.sleep(left_us / 1e6))
            self._naps[nap] = None
            self._moved.set()
            try:
                await asyncio.wait({nap})
            finally:
                nap.cancel()
                del self._naps[nap]

    def _oldest_s(self) -> float:
        """How long the oldest change waits. Not asked by the event loop: copies are whole."""
        firsts = (change for lane in list(self._lanes.values()) for change in list(lane)[:1])
        now_us = self._clock.now_us()
        return max((now_us - change.since_us for change in firsts), default=0) / 1e6

    def _moving(self) -> bool:
        return not self._failing and len(self._naps) < len(self._lanes)

    def _count(self, by: int) -> None:
        self.waiting += by
        self._moved.set()
        self._journal.metrics.deliveries_pending.labels(self._name).set(self.waiting)


@contextmanager
def _traced(change: Change) -> Iterator[None]:
    """The body is a try, up to its outcome's being written down."""
    spans = tracing.follow(change.trace, "deliver")
    with tracing.within(spans):
        tracing.tell(endpoint=change.endpoint, attempt=change.attempts + 1)
        try:
            yield
        finally:
            tracing.end(spans)
