"""What of a camera's masks was seen already: pure.

Records may come again, whole or in part, and those of an older epoch may come late. The first in
log order wins; a watermark per camera tells what is new.
"""

from msgspec import Struct, structs

from stream.types import EpochClosed, EpochOpened, Gap, MaskMessage


class Watermark(Struct, frozen=True):
    """All frames of ``epoch`` below ``next_seq`` have their terminal, and so have older epochs.

    ``closed`` says that the epoch ended.
    """

    epoch: int = -1
    next_seq: int = 0
    closed: bool = False


def trimmed(mark: Watermark, message: MaskMessage) -> tuple[Watermark, MaskMessage | None]:
    """The watermark beyond the message, and what is new of it: all, a part of a gap, or nothing."""
    if message.epoch < mark.epoch:
        return mark, None
    if message.epoch > mark.epoch:
        mark = Watermark(message.epoch)
    elif mark.closed or isinstance(message, EpochOpened):
        return mark, None
    match message:
        case EpochOpened():
            return mark, message
        case EpochClosed():
            after = max(mark.next_seq, message.frames)
            return Watermark(mark.epoch, after, closed=True), message
        case Gap(first=first, last=last):
            message = structs.replace(message, first=max(first, mark.next_seq))
        case _:
            last = message.seq
    if last < mark.next_seq:
        return mark, None
    return Watermark(mark.epoch, last + 1), message
