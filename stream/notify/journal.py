"""What waits for an endpoint, and where its fate is written down."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from stream import codec, tracing
from stream.declared import FINITE
from stream.errors import RecordError, UndeliveredError
from stream.evidence import CLIPS
from stream.metrics import Metrics
from stream.ports import Clock, Delivery, Outbox
from stream.types import Alert, AlertState, DeliveryState, DeliveryStatus

LIFE: tuple[AlertState, ...] = get_args(AlertState)
"""The states of an alert, in the order in which it goes through them."""
Key = tuple[str, str, int]
"""What tells a change from an endpoint's others."""

_log = logging.getLogger(__name__)


def key_of(alert: Alert) -> Key:
    """The key of the change that ``alert`` tells of."""
    return alert.id, alert.state, alert.time_us


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an alert on its way to one endpoint."""

    alert: Alert
    endpoint: str
    delivery: Delivery
    attempts: int = 0
    answer: str = ""
    due_us: int = 0
    """When its next try may begin."""
    since_us: int = 0
    """When notify first had it, here or in another process."""
    trace: bytes | None = None
    """Where its tries go on from, as ``traceparent``, where it is traced."""

    @property
    def key(self) -> Key:
        """What tells it from the endpoint's other changes."""
        return key_of(self.alert)

    def __str__(self) -> str:
        alert = self.alert
        which = f"alert {alert.id}, {alert.state}, of rule {alert.rule}, camera {alert.camera}"
        return f"the clip of {which}" if self.endpoint == CLIPS else f"{which}, for {self.endpoint}"


class Journal:
    """Writes down how far each change got.

    ``is_live`` says of which cameras the age of an alert counts: event time in files is their own.
    """

    def __init__(
        self, outbox: Outbox, clock: Clock, metrics: Metrics, is_live: Callable[[str], bool]
    ) -> None:
        self._outbox = outbox
        self._is_live = is_live
        self._clock = clock
        self.metrics = metrics

    def waits(self, endpoint: str, oldest_s: Callable[[], float]) -> None:
        """Begin to count what ``endpoint`` takes. ``oldest_s`` is asked whenever somebody looks."""
        for outcome in FINITE["deliveries.outcome"]:
            self.metrics.deliveries.labels(endpoint, outcome)
        self.metrics.delivery.labels(endpoint)
        self.metrics.delivered_age.labels(endpoint)
        self.metrics.deliveries_pending.labels(endpoint).set(0)
        self.metrics.deliveries_oldest.labels(endpoint).set_function(oldest_s)
        self.metrics.endpoint_gone.labels(endpoint).set(0)

    async def write(self, change: Change, state: DeliveryState) -> None:
        """Send its state to ``deliveries``; not yet acknowledged."""
        status = DeliveryStatus(
            alert=change.alert.id,
            state_of_alert=change.alert.state,
            endpoint=change.endpoint,
            state=state,
            attempts=change.attempts,
            time_us=self._clock.now_us(),
            answer=change.answer,
            snapshot=change.alert,
            due_us=change.due_us,
            since_us=change.since_us,
            traceparent=None if change.trace is None else change.trace.decode(),
        )
        await self._outbox.send("deliveries", codec.encode(status))

    async def delivered(self, change: Change) -> None:
        """The endpoint took it; acknowledged on return. Said of what opened and resolved."""
        self._count(change, "delivered")
        if self._is_live(change.alert.camera):
            age_us = self._clock.now_us() - change.alert.time_us
            delivered_age = self.metrics.delivered_age.labels(change.endpoint)
            delivered_age.observe(age_us / 1e6, tracing.exemplar())
        await self.write(change, "delivered")
        await self._outbox.flush()
        if change.alert.state != "updated":
            _log.info("%s, is delivered: %s", change, change.answer)

    async def failed(self, change: Change) -> None:
        """One try failed and another will follow."""
        self._count(change, "failed")
        await self.write(change, "pending")

    async def give_up(self, change: Change, *, in_silence: bool = False) -> None:
        """No further try: to ``dead-letters`` as well; acknowledged on return."""
        if not in_silence:
            _log.error("%s, is given up: %s", change, change.answer)
        self._count(change, "given_up")
        await self.bury(change.delivery, UndeliveredError(change.endpoint, change.answer))
        await self.write(change, "given_up")
        await self._outbox.flush()

    async def bury(self, delivery: Delivery, error: RecordError) -> None:
        """Send the record to ``dead-letters``, untouched."""
        self.metrics.dead_letters.labels(delivery.topic, error.reason).inc()
        await self._outbox.send("dead-letters", codec.dead_letter(delivery, error))

    def _count(self, change: Change, outcome: str) -> None:
        self.metrics.deliveries.labels(change.endpoint, outcome).inc()
