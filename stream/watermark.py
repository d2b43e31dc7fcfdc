"""What of a camera's masks was seen already: pure.

Records may come again, whole or in part, and those of an older epoch may come late. The first in
log order wins; a watermark per camera tells what is new.
"""

from msgspec import Struct, structs

from stream.types import (
    FIRST_US,
    CameraHealth,
    EpochClosed,
    EpochOpened,
    Gap,
    MaskMessage,
    Result,
)


class Watermark(Struct, frozen=True):
    """All frames of ``epoch`` below ``next_seq`` have their terminal, and so have older epochs.

    ``closed`` says that the epoch ended. ``health_us`` is when the camera's health was last told in
    it, which may be after its close.
    """

    epoch: int = -1
    next_seq: int = 0
    closed: bool = False
    health_us: int = FIRST_US


def missing(mark: Watermark, message: MaskMessage) -> int:
    """How many frames a message shows that nothing told of: its hole after the watermark.

    As `stream.audit` has it. Where nothing is known of a camera yet, its story begins anywhere.
    """
    is_known = message.epoch == mark.epoch
    if message.epoch < mark.epoch or mark.epoch < 0 or (is_known and mark.closed):
        return 0
    match message:
        case Result(seq=first) | Gap(first=first) | EpochClosed(frames=first):
            return max(0, first - (mark.next_seq if is_known else 0))
        case _:
            return 0


def trimmed(mark: Watermark, message: MaskMessage) -> tuple[Watermark, MaskMessage | None]:
    """The watermark beyond the message, and what is new of it: all, a part of a gap, or nothing."""
    if message.epoch < mark.epoch:
        return mark, None
    is_known = message.epoch == mark.epoch
    if not is_known:
        mark = Watermark(message.epoch, _first(mark, message))
    if isinstance(message, CameraHealth):
        return _told(mark, message)
    if mark.closed or (is_known and isinstance(message, EpochOpened)):
        return mark, None
    return _answered(mark, message)


def _first(mark: Watermark, message: MaskMessage) -> int:
    """The first frame of an epoch that is looked at: where nothing is known of a camera, health
    lies behind frames that are not read any more.
    """
    return message.seq if mark.epoch < 0 and isinstance(message, CameraHealth) else 0


def _told(mark: Watermark, health: CameraHealth) -> tuple[Watermark, CameraHealth | None]:
    if health.time_us <= mark.health_us:
        return mark, None
    return structs.replace(mark, health_us=health.time_us), health


def _answered(
    mark: Watermark, message: Result | Gap | EpochOpened | EpochClosed
) -> tuple[Watermark, MaskMessage | None]:
    match message:
        case EpochOpened():
            return mark, message
        case EpochClosed():
            after = max(mark.next_seq, message.frames)
            return structs.replace(mark, next_seq=after, closed=True), message
        case Gap(first=first, last=last):
            message = structs.replace(message, first=max(first, mark.next_seq))
        case _:
            last = message.seq
    if last < mark.next_seq:
        return mark, None
    return structs.replace(mark, next_seq=last + 1), message
