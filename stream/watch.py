"""The loop of ``watch``: masks in, identities and alerts out, one state value a camera.

The order is the promise: alerts are acknowledged before the state that knows of them is kept, and
the state is kept before the masks are committed. A crash in between repeats alerts with the same
ids and bytes, and loses none. State is read from the store for every batch and never held, so the
store is its one home wherever a camera is watched next.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import structs

from stream import codec, tracing
from stream.context import about
from stream.errors import EndOfStream, RecordError, SchemaError
from stream.metrics import Metrics
from stream.ports import Clock, Delivery, Member, Outbox, Record, State, Store
from stream.types import Alert, MaskMessage, Result, Tracks
from stream.watching import Plans, Watched, open_by_rule, step
from stream.watermark import missing

TOPICS = ("tracks", "alerts", "dead-letters")
BATCH = 64
"""Messages that share one acknowledgement and one state: about 0.1 s of thinking when full."""
POLL_S = 1.0

_log = logging.getLogger(__name__)
_from_state = msgspec.msgpack.Encoder(enc_hook=codec.mask_to_wire)
_to_state = msgspec.msgpack.Decoder(Watched, dec_hook=codec.mask_from_wire)


@dataclass(slots=True)
class Outcome:
    """What a batch comes to: records to send in order, the alerts among them, and the cameras'
    states after it.

    ``alerted`` has of each change of an alert that a live frame made when that arrived, and its
    trace.
    """

    records: list[tuple[str, Record]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    states: dict[str, Watched] = field(default_factory=dict)
    alerted: list[tuple[int, tracing.Spans]] = field(default_factory=list)
    spans: list[tracing.Span] = field(default_factory=list)
    """Those of its messages that are traced."""


class Watch:
    """Watches what its inbox, or whoever hands it batches, gives.

    A camera without a plan is tracked only. ``is_live`` says of a camera whether it is live: the
    age of an archive's frames is no latency.
    """

    def __init__(
        self,
        outbox: Outbox,
        store: Store,
        plans: Plans,
        metrics: Metrics,
        clock: Clock,
        is_live: Callable[[str], bool],
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._plans = plans
        self._metrics = metrics
        self._clock = clock
        self._is_live = is_live

    async def run(self, inbox: Member) -> None:
        """Watch until the masks end.

        A record that cannot be read goes to ``dead-letters``. Raises `UnsupportedVersionError`,
        with nothing of its batch committed, when a writer is newer than this reader.
        """
        open_alerts = self._metrics.open_alerts
        inbox.before_handover(open_alerts.forget)
        while True:
            try:
                deliveries = await inbox.receive(BATCH, POLL_S)
            except EndOfStream:
                return
            if deliveries:
                await self.batch(deliveries)
                for camera in {each.record.key for each in deliveries}:
                    if not inbox.owns(camera):  # it may have moved on while its batch was under way
                        open_alerts.tell(camera, {})
                await inbox.commit(deliveries)

    async def batch(self, deliveries: Sequence[Delivery]) -> None:
        """Watch a few messages; on return all that they come to is kept, and they may be committed.

        Raises as `run` does, with no state of the batch kept.
        """
        cameras = {delivery.record.key for delivery in deliveries}
        kept = await self._store.get([_key(camera) for camera in cameras])
        before = {camera: _state(camera, kept.get(_key(camera))) for camera in cameras}
        outcome = await self._digest(deliveries, before)
        spans, thought_us = tuple(outcome.spans), self._clock.now_us()
        with tracing.within(spans), tracing.span("publish"):
            for topic, record in outcome.records:
                await self._outbox.send(topic, record)
            await self._outbox.flush()
            _tell(outcome.alerts)
            for arrived_us, own in outcome.alerted:
                with tracing.within(own):
                    self._metrics.aged("alerted", self._clock.now_us() - arrived_us)
            states = outcome.states
            await self._store.put({_key(camera): _kept(state) for camera, state in states.items()})
            self._metrics.spent("watch_publish", self._clock.now_us() - thought_us)
        tracing.end(spans)
        for camera, state in states.items():
            self._metrics.open_alerts.tell(camera, open_by_rule(self._plans[camera], state))

    async def _digest(
        self, deliveries: Sequence[Delivery], before: Mapping[str, Watched]
    ) -> Outcome:
        """All of a batch's thinking: about 1 ms a message, with a breath for others after each.

        A thread would not help: it is Python that runs here, and the trip there and back costs more
        than a message.
        """
        outcome, metrics = Outcome(), self._metrics
        for delivery in deliveries:
            await asyncio.sleep(0)
            try:
                message = _message(delivery.record)
            except RecordError as error:
                metrics.dead_letters.labels(delivery.topic, error.reason).inc()
                outcome.records.append(("dead-letters", codec.dead_letter(delivery, error)))
                continue
            camera = message.camera
            state = outcome.states.get(camera, before[camera])
            spans = tracing.follow(tracing.carried(delivery.record), "watch")
            with tracing.within(spans):
                tracing.tell(camera=camera)
                lap = _Lap(metrics, self._clock)
                arrived_us = self._arrived_us(message)
                if arrived_us is not None:
                    metrics.aged("watched", lap.began_us - arrived_us)
                with tracing.span("rules"):
                    after, tracks, alerts = step(self._plans[camera], state, message, lap.tracked)
                lap.judged()
                after, records = _recorded(after, tracks, alerts)
            outcome.spans += spans
            outcome.states[camera] = after
            outcome.records += records
            outcome.alerts += alerts
            if arrived_us is not None:
                outcome.alerted += [(arrived_us, spans)] * len(alerts)
            metrics.duplicates.labels(camera).inc(after.dropped - state.dropped)
            holes = 0 if delivery.follows_loss else missing(state.mark, message)
            metrics.frames_missing.labels(camera).inc(holes)
            for alert in alerts:
                metrics.alerts.labels(alert.rule, alert.state).inc()
        return outcome

    def _arrived_us(self, message: MaskMessage) -> int | None:
        """When the live frame arrived that a result is of; None of anything else."""
        if isinstance(message, Result) and self._is_live(message.camera):
            return message.arrived_us
        return None


def _message(record: Record) -> MaskMessage:
    message = codec.decode(record)
    if not isinstance(message, MaskMessage):
        raise SchemaError(f"ce_type: given {codec.kind_of(record)}; not a message of masks")
    if message.camera != record.key:
        raise SchemaError(f"camera: given {message.camera!r}; the record's key is {record.key!r}")
    return message


def _recorded(
    state: Watched, tracks: Tracks | None, alerts: Sequence[Alert]
) -> tuple[Watched, list[tuple[str, Record]]]:
    """What is sent. All that comes of an alert is part of the trace of the frame that opened it."""
    records = [] if tracks is None else [("tracks", tracing.stamped(codec.encode(tracks)))]
    traces = dict(state.traces)
    for alert in alerts:
        if alert.state == "opened" and (header := tracing.header()) is not None:
            traces[alert.id] = header.decode()
        known = traces.pop(alert.id, None) if alert.state == "resolved" else traces.get(alert.id)
        record = codec.encode(alert)
        records.append(("alerts", tracing.carrying(record, known.encode() if known else None)))
    return (state if traces == state.traces else structs.replace(state, traces=traces)), records


class _Lap:
    """How long one message takes."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self.began_us = clock.now_us()
        self._tracked_us: int | None = None

    def tracked(self) -> None:
        self._tracked_us = self._clock.now_us()
        self._metrics.spent("watch_track", self._tracked_us - self.began_us)

    def judged(self) -> None:
        if self._tracked_us is not None:
            self._metrics.spent("watch_rules", self._clock.now_us() - self._tracked_us)


def _tell(alerts: Sequence[Alert]) -> None:
    """Say which alerts opened and resolved; who joins an open one is for its endpoints."""
    for alert in alerts:
        if alert.state == "updated":
            continue
        lasted = f" after {(alert.time_us - alert.opened_us) / 1e6:.1f} s"
        when = lasted if alert.state == "resolved" else ""
        detail = alert.detail and f": {alert.detail}"
        with about(camera=alert.camera, alert=alert.id):
            _log.info("alert %s %s%s: %s%s", alert.id, alert.state, when, alert.summary, detail)


def _state(camera: str, kept: bytes | None) -> Watched:
    """The state as it was kept. One that cannot be read is lost: the camera begins anew."""
    if kept is None:
        return Watched()
    try:
        return _to_state.decode(kept)
    except msgspec.MsgspecError as error:
        with about(camera=camera):
            _log.error("camera %s: kept state cannot be read, it begins anew: %s", camera, error)
        return Watched()


def _key(camera: str) -> str:
    return f"watch/{camera}"


def _kept(state: Watched) -> State:
    """A camera's states in their order: what knows less of its masks never replaces what knows
    more.
    """
    mark = state.mark
    version = mark.epoch, mark.next_seq, int(mark.closed), mark.health_us
    return State(_from_state.encode(state), version)
