"""Epochs that outlive processes.

A new epoch is the place of a claim in ``camera-status``: it rises with every claim, whatever clocks
do and however long ago the last was, so what a forgotten process still writes is older and is
dropped. A file goes on in its epoch after the last frame that brokers have of it, and repeats no
identity; where its camera was changed since so that its frames are others, it begins anew.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from connectors.kafka.patience import AGAIN_S
from stream import codec
from stream.errors import RecordError, UnsupportedVersionError
from stream.ports import Begin, Clock, Record
from stream.specs import CameraSpec
from stream.types import CameraStatus, EpochClosed, EpochOpened, Gap

Claim = Callable[[Record], Awaitable[int]]
"""Writes a record to ``camera-status`` and returns its offset."""
Since = Callable[[str], int]
"""Tells the last epoch that was of a camera before it was changed."""
IsOurs = Callable[[CameraSpec], Awaitable[bool]]
"""Asks brokers whether a camera is this process's to run."""
Last = Callable[[str], Awaitable["Standing | None"]]
"""Where a camera's file stands in ``frames-archive``."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a file is: its epoch, the next frame in it, when, and whether that was closed."""

    epoch: int
    next_seq: int
    time_us: int
    is_closed: bool = False


class KafkaEpochs:
    """See `stream.ports.Epochs`."""

    def __init__(
        self, claim: Claim, last: Last, since: Since, is_ours: IsOurs, clock: Clock
    ) -> None:
        self._claim = claim
        self._last = last
        self._since = since
        self._is_ours = is_ours
        self._clock = clock

    async def begin(self, camera: CameraSpec) -> Begin | None:
        """A new epoch for a live camera; for a file, the one that its last record tells of."""
        if camera.mode == "live":
            return Begin(await self._claimed(camera))
        stands = await self._last(camera.id)
        if stands is not None and stands.epoch > self._since(camera.id):
            if not stands.is_closed:
                return Begin(stands.epoch, stands.next_seq, is_new=False, goes_on=True)
            if not camera.loop:
                return None
        return Begin(await self._claimed(camera), goes_on=True, due=_due(camera.id, stands))

    async def due(self, camera: CameraSpec) -> EpochClosed | None:
        """As `stream.ports.Epochs.due`."""
        return None if camera.mode == "live" else _due(camera.id, await self._last(camera.id))

    async def _claimed(self, camera: CameraSpec) -> int:
        """An epoch, claimed while the camera is ours.

        A process that was frozen or cut off learns late that others run its cameras by now. What it
        claims meanwhile is higher than theirs, and would have all that they go on to write dropped.
        """
        while True:
            while not await self._is_ours(camera):
                await self._clock.sleep(AGAIN_S)
            claim = CameraStatus(camera.id, "connecting", self._clock.now_us(), "claimed")
            epoch = 1 + await self._claim(codec.encode(claim))
            if await self._is_ours(camera):
                return epoch


def _due(camera: str, stands: Standing | None) -> EpochClosed | None:
    """The close of an epoch in which nobody goes on."""
    if stands is None or stands.is_closed:
        return None
    return EpochClosed(camera, stands.epoch, stands.time_us, stands.next_seq, "stopped")


def standing(record: Record) -> Standing | None:
    """What a record says of where its file stands; None for one that is not ours."""
    try:
        if codec.kind_of(record) == "frame":
            frame = codec.frame_id(record)
            return Standing(frame.epoch, frame.seq + 1, codec.time_us(record))
        message = codec.decode(record)
    except (RecordError, UnsupportedVersionError):
        return None
    match message:
        case EpochOpened(epoch=epoch):
            return Standing(epoch, 0, message.time_us)
        case Gap(epoch=epoch, last=last):
            return Standing(epoch, last + 1, message.time_us)
        case EpochClosed(epoch=epoch, frames=frames):
            return Standing(epoch, frames, message.time_us, is_closed=True)
    return None
