"""Epochs that outlive processes.

A live camera's epoch is the place of a claim in ``camera-status``: it rises with every claim,
whatever clocks do, so what a forgotten process still writes is older and is dropped. A file goes
on in its epoch after the last frame that brokers have of it, and repeats no identity.
"""

from collections.abc import Awaitable, Callable

from stream import codec
from stream.errors import RecordError
from stream.ports import Begin, Clock, Record
from stream.specs import CameraSpec
from stream.types import CameraStatus, EpochClosed, EpochOpened, Gap

Claim = Callable[[Record], Awaitable[int]]
"""Writes a record to ``camera-status`` and returns its offset."""
Last = Callable[[str], Awaitable[Record | None]]
"""The last record of a camera in ``frames-archive``."""


class KafkaEpochs:
    """See `stream.ports.Epochs`."""

    def __init__(self, claim: Claim, last: Last, clock: Clock) -> None:
        self._claim = claim
        self._last = last
        self._clock = clock

    async def begin(self, camera: CameraSpec) -> Begin | None:
        """A new epoch for a live camera; for a file, the one that its last record tells of."""
        if camera.mode == "live":
            claim = CameraStatus(camera.id, "connecting", self._clock.now_us(), "claimed")
            return Begin(1 + await self._claim(codec.encode(claim)))
        last = await self._last(camera.id)
        return Begin(1, goes_on=True) if last is None else _after(last, camera.loop)


def _after(last: Record, loop: bool) -> Begin | None:
    """Where a file goes on whose last record is this.

    Raises `RecordError` where that is none of ours: then nobody knows where the file stands.
    """
    if codec.kind_of(last) == "frame":
        frame = codec.frame_id(last)
        return Begin(frame.epoch, frame.seq + 1, is_new=False, goes_on=True)
    match codec.decode(last):
        case EpochOpened(epoch=epoch):
            return Begin(epoch, 0, is_new=False, goes_on=True)
        case Gap(epoch=epoch, last=seq):
            return Begin(epoch, seq + 1, is_new=False, goes_on=True)
        case EpochClosed(epoch=epoch):
            return Begin(epoch + 1, goes_on=True) if loop else None
    raise RecordError(f"{codec.kind_of(last)} is no record of frames-archive")
