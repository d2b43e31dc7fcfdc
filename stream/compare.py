"""The loop of ``compare``: two models' masks of the same cameras in, figures of how they agree out.

It writes nothing, and what it holds is not kept: it is statistics. After a restart it goes on from
what is committed, and counts of each camera from the first frame that both sides speak of.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from stream import codec
from stream.comparing import Agreement, agreement
from stream.errors import EndOfStream, RecordError
from stream.metrics import Metrics
from stream.pairing import SIDES, Alone, Pair, Pairing, Side
from stream.ports import Clock, Delivery, Inbox, Registry
from stream.registry import is_live
from stream.types import Gap, Result

BATCH = 64
POLL_S = 1.0
LAPSE_S = 1.0
"""How often it is looked who waits for too long."""
SLACK_US = 30_000_000
"""On top of the age at which live frames are skipped: for a process that died, whose partitions
others have after 15 s, and for what then has to be caught up with."""
MOST_BYTES = 64 << 20
"""Of results of one side that wait for the other; then no more of it is read."""
RECORD_BYTES = 512
"""What a record takes besides its value."""

_log = logging.getLogger(__name__)


class Compare:
    """Compares the results of live cameras.

    ``max_age_us`` is the freshness of live cameras.
    """

    def __init__(self, registry: Registry, max_age_us: int, clock: Clock, metrics: Metrics) -> None:
        self._registry = registry
        self._clock = clock
        self._metrics = metrics
        self._pairing = Pairing[Delivery](max_age_us + SLACK_US)
        self._ended = False
        self._changed = asyncio.Condition()

    async def run(self, inboxes: Mapping[Side, Inbox]) -> None:
        """Compare until both sides have ended.

        A record that cannot be read is counted and passed over. Raises `UnsupportedVersionError`
        when a writer is newer than this reader.
        """
        async with asyncio.TaskGroup() as tasks:
            lapsing = tasks.create_task(self._lapse())
            reading = [tasks.create_task(self._read(*each)) for each in inboxes.items()]
            await asyncio.gather(*reading)
            lapsing.cancel()

    async def _read(self, side: Side, inbox: Inbox) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(partial(self._has_room, side))
            try:
                deliveries = await inbox.receive(BATCH, POLL_S)
            except EndOfStream:
                self._ended = True
                await self._tell()
                return
            for delivery in deliveries:
                self._take(side, delivery)
            await inbox.commit(deliveries)
            await self._tell()

    def _has_room(self, side: Side) -> bool:
        return self._ended or self._pairing.size[side] < MOST_BYTES

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _lapse(self) -> None:
        while True:
            await self._clock.sleep(LAPSE_S)
            self._count(self._pairing.lapse(self._clock.now_us()))
            live = [camera for camera in self._registry.cameras if is_live(self._registry, camera)]
            for camera in self._pairing.keep(live):
                self._metrics.forget_compared(camera)
            await self._tell()

    def _take(self, side: Side, delivery: Delivery) -> None:
        if not is_live(self._registry, delivery.record.key):
            return  # files are looked at by the first model alone
        try:
            codec.kind_of(delivery.record)
            message = codec.peek(delivery.record)  # its masks are read once there is a partner
        except RecordError as error:
            self._unreadable(delivery, error)
            return
        match message:
            case Result(camera=camera, epoch=epoch, seq=seq):
                size, now_us = len(delivery.record.value) + RECORD_BYTES, self._clock.now_us()
                at = epoch, seq
                self._count(self._pairing.result(side, camera, at, delivery, size, now_us))
            case Gap(camera=camera, epoch=epoch, first=first, last=last, reason=reason):
                self._count(self._pairing.gap(side, camera, (epoch, first), (epoch, last), reason))

    def _count(self, settled: Sequence[Pair[Delivery] | Alone]) -> None:
        for each in settled:
            if isinstance(each, Alone):
                self._metrics.unpaired.labels(each.camera, each.side, each.reason).inc()
            else:
                self._compare(each)

    def _compare(self, pair: Pair[Delivery]) -> None:
        first, shadow = (self._result(each) for each in (pair.first, pair.shadow))
        if first is None or shadow is None:
            return
        if first.size != shadow.size:
            _log.warning("%s: the two results are of frames of different sizes", first.id)
            return
        self._agree(pair.camera, agreement(first.instances, shadow.instances))

    def _agree(self, camera: str, found: Agreement) -> None:
        metrics = self._metrics
        metrics.compared_frames.labels(camera).inc()
        matched = [match.label for match in found.matched]
        outcomes = {"matched": matched, "new": found.new, "lost": found.lost}
        for outcome, labels in outcomes.items():
            metrics.compared_instances.labels(camera, outcome).inc(len(labels))
            for label in labels:
                metrics.compared_labels.labels(label, outcome).inc()
        for match in found.matched:
            metrics.compared_iou.labels(match.label).observe(match.iou)
            for side, score in zip(SIDES, match.scores, strict=True):
                metrics.compared_scores.labels(camera, side).inc(score)

    def _result(self, delivery: Delivery) -> Result | None:
        try:
            message = codec.decode(delivery.record)
        except RecordError as error:
            self._unreadable(delivery, error)
            return None
        return message if isinstance(message, Result) else None

    def _unreadable(self, delivery: Delivery, error: RecordError) -> None:
        self._metrics.dead_letters.labels(delivery.topic, error.reason).inc()
        _log.warning("%s: a record cannot be read and is passed over: %s", delivery.ref, error)
