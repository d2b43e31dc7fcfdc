"""The loop of ``segment``: frames in, exactly one terminal for each out.

A frame is decoded, cut into views, batched with the views of other cameras, segmented and
written, with many under way at once. The `Ledger` puts the answers back into each camera's order
and says what may be committed. A record that cannot be handled costs itself alone: it goes to
``dead-letters``, and a gap says so.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from stream import codec, tracing
from stream.camera_counts import CameraCounts
from stream.context import about
from stream.device import Device
from stream.errors import DecodeError, RecordError, SchemaError
from stream.expired import expired
from stream.freshness import Freshness
from stream.lane import Lane, Limits
from stream.ledger import Answer
from stream.metrics import Metrics
from stream.ports import Clock, Delivery, Inbox, Member, Outbox, Record, Registry, View
from stream.quarantine import Quarantine
from stream.saturation import Saturation
from stream.skipping import Skips
from stream.types import (
    Control,
    Frame,
    FrameId,
    Gap,
    GapReason,
    Instance,
    Picture,
    Pixels,
    Raw,
    Result,
)
from stream.views import merge, plan

LIVE, ARCHIVE = "frames", "frames-archive"

Last = Callable[[str], Awaitable[Record | None]]
"""Finds a camera's last record on the topic of masks."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outlet:
    """The topics that answers go to. Without ``letters`` records that cannot be handled are kept by
    somebody else, who reads the same.
    """

    masks: str = "masks"
    letters: str | None = "dead-letters"

    @property
    def topics(self) -> tuple[str, ...]:
        """All of them."""
        return (self.masks,) if self.letters is None else (self.masks, self.letters)


FIRST = Outlet()
TOPICS = FIRST.topics


class Segment:
    """Answers every frame of its inboxes.

    ``registry`` says how each camera is looked at; one that is not in it is looked at whole.
    ``max_age_us`` is the freshness of live cameras; the frames of files are never too old. The
    ``device`` runs beside this.
    """

    def __init__(  # noqa: PLR0913 - one for each thing that it works with
        self,
        device: Device,
        decode: Callable[[Picture], Pixels],
        registry: Registry,
        max_age_us: int,
        clock: Clock,
        metrics: Metrics,
        outlet: Outlet = FIRST,
    ) -> None:
        model = device.model
        self._masks = outlet.masks
        self._letters = outlet.letters
        self._device = device
        self._model = model
        self._decode = decode
        self._registry = registry
        self._freshness = Freshness(max_age_us)
        self._quarantine = Quarantine()
        self._skips = Skips()
        self._clock = clock
        self._metrics = metrics
        self._admitted_us: dict[Delivery, int] = {}
        self._answered_us: dict[Delivery, tuple[int, int | None]] = {}
        """When results were made and when their frames arrived, until they are acknowledged: None
        of files, whose age is no latency."""
        self._counts = CameraCounts(metrics)
        self._saturation = Saturation(model.batch_size * model.in_flight, clock.now_us())
        metrics.model.labels(model.ref.name, model.ref.sha256, model.ref.precision).set(1)
        self._is_live = False
        self._traced: dict[Delivery, tracing.Spans] = {}
        """What ends when the answer lies on the transport."""

    async def run(self, inboxes: Mapping[str, Inbox], outbox: Outbox, last: Last) -> None:
        """Answer until every inbox (by topic) has ended.

        What it does when it is saturated is told where live cameras are among them: that is what
        they are scaled by, and who looks at files alone takes none of their load.
        """
        self._is_live = LIVE in inboxes
        answer = partial(self._answer, last)
        async with asyncio.TaskGroup() as lanes:
            for topic, inbox in inboxes.items():
                reading = partial(self._reading, topic)
                limits = self._limits(topic)
                lane = Lane(inbox, outbox, answer, self._acknowledged, reading, limits)
                lanes.create_task(lane.run())

    async def follow(self, members: Mapping[str, Member]) -> None:
        """For ever, beside `run`: tell of cameras as long as they come to these ``members``."""
        await self._counts.follow(members, self._registry, self._clock)

    def _limits(self, topic: str) -> Limits:
        """What the device holds and the batch that is prepared meanwhile, and what is written.

        Files have twice as much, so that the device never waits for them; a live frame would only
        grow old there. But a live frame that is too old is answered at once, and the gap waits for
        the frames before it: while they are at the device, the next ones must not wait too.
        """
        busy = self._model.batch_size * (self._model.in_flight + 1)
        return Limits(busy, 8 * busy) if topic == LIVE else Limits(2 * busy, 4 * busy)

    def _reading(self, topic: str, waits: bool) -> None:
        note = self._saturation.reads if waits else self._saturation.has_read
        note(topic, self._clock.now_us())

    async def _answer(self, last: Last, delivery: Delivery) -> Answer:
        spans = tracing.follow(tracing.carried(delivery.record), "segment")
        with about(camera=delivery.record.key), tracing.within(spans):
            self._saturation.began(self._clock.now_us())
            answer = await self._answer_alone(delivery)
            if any(topic == self._masks for topic, _ in answer):  # else it may be anybody's name
                self._counts.comes(delivery.record.key, delivery.topic)
            rate = self._saturation.ended(self._clock.now_us())
            if rate is not None and self._is_live:
                self._metrics.saturated(rate)
            if spans:
                self._traced[delivery] = (*tracing.begin("publish"), *spans)
            if delivery.follows_loss:
                return [*await self._expired(last, delivery.record), *answer]
            return answer

    async def _expired(self, last: Last, record: Record) -> Answer:
        """What of its camera was deleted before anybody read it."""
        try:
            gap = expired(record, await last(record.key))
        except RecordError:
            return []  # it is told of as what it is itself
        if gap is None:
            return []
        self._metrics.gaps.labels(gap.camera, gap.reason).inc(gap.last + 1 - gap.first)
        self._ended(gap)
        return [(self._masks, gap)]

    async def _answer_alone(self, delivery: Delivery) -> Answer:
        try:
            if codec.kind_of(delivery.record) != "frame":
                return [(self._masks, self._control(delivery.record))]
            frame = codec.decode_frame(delivery.record)
            is_live = frame.mode == "live"
            if is_live:
                self._metrics.aged("received", self._clock.now_us() - frame.arrived_us)
            tracing.tell(camera=frame.id.camera)
            if (reason := self._unworthy(delivery, frame)) is not None:
                tracing.tell(gap=reason)
                return [(self._masks, self._gap(frame.id, frame.time_us, reason))]
            result = await self._segment(frame, delivery.ref)
        except RecordError as error:
            tracing.fail(str(error))
            self._judge(delivery, sound=False)
            return self._dead_letter(delivery, error)
        self._judge(delivery, sound=True)
        self._count(delivery, result, is_live=is_live)
        with tracing.span("encode"):
            record = codec.encode(result)
        return [(self._masks, tracing.stamped(record))]

    def _unworthy(self, delivery: Delivery, frame: Frame) -> GapReason | None:
        """Why a frame is not worth the device; the frames of files always are."""
        if frame.mode == "archive":
            return None
        now_us = self._clock.now_us()
        if not self._quarantine.admits(frame.id.camera, now_us):
            return "quarantined"
        if not self._freshness.admits(now_us - frame.arrived_us):
            return "stale"  # it would be too old by the time that it is published
        self._admitted_us[delivery] = now_us
        return None

    def _judge(self, delivery: Delivery, *, sound: bool) -> None:
        """Files are never in quarantine: each of their frames is tried."""
        if delivery.topic != LIVE:
            return
        camera, now_us = delivery.record.key, self._clock.now_us()
        if (change := self._quarantine.tried(camera, now_us, sound=sound)) is not None:
            _log.warning("%s", change)

    def _acknowledged(self, delivery: Delivery) -> None:
        """Learn from live frames alone: what files wait for these says nothing about them."""
        tracing.end(spans := self._traced.pop(delivery, tracing.NONE))
        now_us = self._clock.now_us()
        if (admitted_us := self._admitted_us.pop(delivery, None)) is not None:
            self._freshness.took(now_us - admitted_us)
        if (times_us := self._answered_us.pop(delivery, None)) is not None:
            answered_us, arrived_us = times_us
            with tracing.within(spans):
                self._metrics.spent("segment_publish", now_us - answered_us)
                if arrived_us is not None:
                    self._metrics.aged("segmented", now_us - arrived_us)

    async def _segment(self, frame: Frame, frame_ref: str) -> Result:
        return Result(
            *frame.id,
            frame.time_us,
            frame.arrived_us,
            frame.size,
            self._model.ref,
            await self._instances(frame, await self._pixels(frame)),
            frame_ref,
            frame.camera_us,
        )

    async def _instances(self, frame: Frame, pixels: Pixels) -> tuple[Instance, ...]:
        camera = self._registry.cameras.get(frame.id.camera)
        labels = None if camera is None or camera.labels is None else frozenset(camera.labels)
        confidence = None if camera is None else camera.confidence
        windows = plan(camera, frame.size)
        views = [View(pixels, window, labels, confidence) for window in windows]
        live = frame.mode == "live"
        if len(views) == 1:
            return await self._device.segment(frame.id.camera, live, views[0])
        looks = (self._device.segment(frame.id.camera, live, view) for view in views)
        found = await asyncio.gather(*looks)
        # Off the event loop: 16 tiles with 50 objects each take 70 ms.
        return await asyncio.to_thread(merge, windows, found)

    async def _pixels(self, frame: Frame) -> Pixels:
        if isinstance(frame.picture, Raw):  # nothing to decode: not worth the trip to a thread
            pixels = frame.picture.pixels
        else:
            began_us = self._clock.now_us()
            with tracing.span("decode"):
                pixels = await asyncio.to_thread(self._decode, frame.picture)
            self._metrics.spent("segment_decode", self._clock.now_us() - began_us)
        height, width = pixels.shape[:2]
        if (height, width) != frame.size:
            raise DecodeError(
                f"{frame.id}: the picture is {width}×{height}, "
                f"its headers say {frame.size[1]}×{frame.size[0]}"
            )
        return pixels

    def _gap(self, frame: FrameId, time_us: int, reason: GapReason) -> Gap:
        self._metrics.gaps.labels(frame.camera, reason).inc()
        gap = Gap(frame.camera, frame.epoch, frame.seq, frame.seq, time_us, reason)
        self._ended(gap)
        return gap

    def _ended(self, terminal: Result | Gap) -> None:
        """Log when frames of a camera begin to be skipped in earnest, and when that is over."""
        frames, reason = 1, None
        if isinstance(terminal, Gap):
            frames, reason = terminal.last + 1 - terminal.first, terminal.reason
        news = self._skips.ended(terminal.camera, self._clock.now_us(), frames, reason)
        if news is not None:
            _log.log(logging.INFO if news.is_over else logging.WARNING, "%s", news.words)

    def _control(self, record: Record) -> Record:
        """A control record, checked: it is forwarded as it came."""
        message = codec.decode(record)
        if not isinstance(message, Control):
            raise SchemaError(f"ce_type: given {codec.kind_of(record)}; not a message of frames")
        if isinstance(message, Gap):
            self._ended(message)
        return record

    def _dead_letter(self, delivery: Delivery, error: RecordError) -> Answer:
        """The record itself, and a gap when its headers still say which frame it was."""
        self._metrics.dead_letters.labels(delivery.topic, error.reason).inc()
        letters: list[tuple[str, Record]] = []
        if self._letters is not None:
            letters.append((self._letters, codec.dead_letter(delivery, error)))
        try:
            frame = codec.frame_id(delivery.record)
            time_us = codec.time_us(delivery.record)
        except SchemaError:
            return letters
        return [*letters, (self._masks, self._gap(frame, time_us, "dead_letter"))]

    def _count(self, delivery: Delivery, result: Result, *, is_live: bool) -> None:
        now_us, found = self._clock.now_us(), len(result.instances)
        self._counts.result(result.camera, found, now_us - result.arrived_us if is_live else None)
        self._metrics.frame_instances.observe(found)
        self._saturation.made()
        self._ended(result)
        self._answered_us[delivery] = now_us, result.arrived_us if is_live else None
