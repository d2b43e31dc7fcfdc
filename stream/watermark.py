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


def trimmed(mark: Watermark, message: MaskMessage) -> tuple[Watermark, MaskMessage | None]:
    """The watermark beyond the message, and what is new of it: all, a part of a gap, or nothing."""
    if message.epoch < mark.epoch:
        return mark, None
    is_known = message.epoch == mark.epoch
    if not is_known:
        mark = Watermark(message.epoch)
    if isinstance(message, CameraHealth):
        return _told(mark, message)
    if mark.closed or (is_known and isinstance(message, EpochOpened)):
        return mark, None
    return _answered(mark, message)


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
