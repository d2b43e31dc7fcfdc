"""One endpoint: its lanes, its slots and its waits."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from stream.errors import DeliveryError
from stream.notify.journal import Change, Journal
from stream.ports import Clock, Sink
from stream.retry import STEPS_S, delay_s


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one endpoint may take of this process."""

    tries: int = 8
    """Tries in flight at once."""
    waiting: int = 10_000
    """Changes that wait, in lanes or for their next try: about 20 MB at 2 kB each."""


DEFAULT_LIMITS = Limits()


class Endpoint:
    """One endpoint.

    A lane holds the changes of one alert, in order; it sleeps between the tries of its first. A
    slot is held during a try only. A Retry-After makes the whole endpoint quiet for that time.
    """

    def __init__(
        self,
        sink: Sink,
        journal: Journal,
        clock: Clock,
        random: Callable[[], float],
        limits: Limits,
    ) -> None:
        self._sink = sink
        self._journal = journal
        self._clock = clock
        self._random = random
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.tries)
        self._quiet_until_us = 0
        self._failing = False
        self._asleep = 0
        self._moved = asyncio.Event()
        self._lanes: dict[str, deque[Change]] = {}
        self._known: dict[tuple[str, str, int], None] = {}
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

    def remember(self, change: Change) -> None:
        """Know it from now on; the oldest are forgotten in the end."""
        self._known[change.key] = None
        if len(self._known) > 2 * self._limits.waiting:
            del self._known[next(iter(self._known))]

    def reserve(self, change: Change) -> None:
        """Give it a place; `begin` must follow."""
        self.remember(change)
        self._count(change, 1)

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

    async def _work(self, alert: str, lane: deque[Change]) -> None:
        while lane:
            await self._deliver(lane)
            self._count(lane.popleft(), -1)
        del self._lanes[alert]

    async def _deliver(self, lane: deque[Change]) -> None:
        """Try the first of the lane until it is delivered or given up."""
        while True:
            change = lane[0] = replace(lane[0], attempts=lane[0].attempts + 1)
            try:
                answer = await self._try(change)
            except DeliveryError as error:
                change = lane[0] = replace(change, answer=str(error))
                wait_s = self._wait_s(change, error)
                if wait_s is None:
                    self._known.pop(change.key, None)  # so that a replay of it gets through
                    return await self._journal.give_up(change)
                await self._journal.failed(change)
                await self._sleep(wait_s)
            else:
                return await self._journal.delivered(replace(change, answer=answer))

    async def _try(self, change: Change) -> str:
        try:
            async with self._slots:
                while (left_us := self._quiet_until_us - self._clock.now_us()) > 0:
                    await self._clock.sleep(left_us / 1e6)
                answer = await self._sink.deliver(change.alert, change.body)
        except DeliveryError as error:
            self._failing = error.retriable
            raise
        else:
            self._failing = False
            return answer

    def _wait_s(self, change: Change, error: DeliveryError) -> float | None:
        if not error.retriable:
            return None
        if error.retry_after_s is not None:  # it speaks for the endpoint, not for one alert
            quiet_us = round(min(error.retry_after_s, max(STEPS_S)) * 1e6)
            self._quiet_until_us = max(self._quiet_until_us, self._clock.now_us() + quiet_us)
        return delay_s(change.attempts, self._random(), error.retry_after_s)

    async def _sleep(self, seconds: float) -> None:
        self._asleep += 1
        self._moved.set()
        try:
            await self._clock.sleep(seconds)
        finally:
            self._asleep -= 1

    def _moving(self) -> bool:
        return not self._failing and self._asleep < len(self._lanes)

    def _count(self, change: Change, by: int) -> None:
        self.waiting += by
        self._moved.set()
        self._journal.metrics.deliveries_pending.labels(change.endpoint).set(self.waiting)
