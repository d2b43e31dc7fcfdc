"""Frames that were deleted before anybody read them, as their retention was over: pure."""

from stream import codec
from stream.errors import RecordError
from stream.ports import Record
from stream.types import CameraHealth, EpochClosed, Gap, Result


def expired(record: Record, last: Record | None) -> Gap | None:
    """What is missing between ``last``, a camera's last on ``masks``, and its next ``record``.

    None when nothing is, and when the record does not say. Raises `RecordError` for a record that
    cannot be read. An epoch of which nothing is left, not even its close, stays unclosed.
    """
    if (at := _place(record)) is None:
        return None
    epoch, before, time_us = at
    first = 0 if last is None else _next_of(last, epoch)
    if first >= before:
        return None
    return Gap(record.key, epoch, first, before - 1, time_us, "expired")


def _place(record: Record) -> tuple[int, int, int] | None:
    """Its epoch, the number that all frames before it are below, and its time."""
    if codec.kind_of(record) == "frame":
        frame = codec.frame_id(record)
        return frame.epoch, frame.seq, codec.time_us(record)
    match codec.decode(record):
        case Gap(epoch=epoch, first=first, time_us=time_us):
            return epoch, first, time_us
        case EpochClosed(epoch=epoch, frames=frames, time_us=time_us):
            return epoch, frames, time_us
        case CameraHealth(epoch=epoch, seq=seq, time_us=time_us):
            return epoch, seq, time_us
    return None


def _next_of(last: Record, epoch: int) -> int:
    """The first number of ``epoch`` that ``last`` does not answer."""
    try:
        message = codec.peek(last)
    except RecordError:  # then its frames are told of twice, and readers trim that
        return 0
    if getattr(message, "epoch", None) != epoch:
        return 0
    match message:
        case Result(seq=seq):
            return seq + 1
        case Gap(last=seq):
            return seq + 1
        case CameraHealth(seq=next_seq) | EpochClosed(frames=next_seq):
            return next_seq
    return 0
