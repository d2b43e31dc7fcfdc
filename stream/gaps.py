"""Gaps that touch are written as one: pure."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from stream import codec
from stream.ledger import Entry
from stream.ports import Record
from stream.types import Gap


def records(entries: Iterable[Entry]) -> Iterator[tuple[str, Record]]:
    """What answered ``entries``, in order, each with its topic.

    Gaps of one epoch and reason that follow each other without a hole become one range: an
    overloaded camera costs a record for each round of writing and not for each frame. A crash after
    it may repeat a part of a range, where another camera held the commit back: readers trim that.
    """
    open_gap: tuple[str, Gap] | None = None
    for topic, what in (answer for entry in entries for answer in entry.answer or ()):
        if open_gap is not None:
            if isinstance(what, Gap) and open_gap[0] == topic and _touch(open_gap[1], what):
                open_gap = (topic, replace(open_gap[1], last=what.last))
                continue
            yield open_gap[0], codec.encode(open_gap[1])
            open_gap = None
        if isinstance(what, Gap):
            open_gap = (topic, what)
        else:
            yield topic, what
    if open_gap is not None:
        yield open_gap[0], codec.encode(open_gap[1])


def _touch(gap: Gap, later: Gap) -> bool:
    return (gap.camera, gap.epoch, gap.reason, gap.last + 1) == (
        later.camera,
        later.epoch,
        later.reason,
        later.first,
    )
