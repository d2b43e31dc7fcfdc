"""How the frames of a camera's epoch ended, read from ``masks`` in one pass."""

from collections.abc import AsyncIterator

from stream import codec
from stream.errors import RecordError, UnsupportedVersionError
from stream.ports import Record
from stream.types import Result


class Terminals:
    """Asked for in rising order. Values are read of those alone that are asked for."""

    def __init__(self, records: AsyncIterator[Record], epoch: int) -> None:
        """``records`` of one camera, in order."""
        self._records = records
        self._epoch = epoch
        self._first = self._last = (-1, -1)
        self._record: Record | None = None

    async def of(self, seq: int) -> Result | None:
        """The result of a frame; None where it ended as a gap, and where nothing says how."""
        asked = (self._epoch, seq)
        while self._last < asked:
            record = await anext(self._records, None)
            if record is None:
                return None
            self._hear(record)
        return None if self._record is None or self._first > asked else _result(self._record)

    def _hear(self, record: Record) -> None:
        found = ended(record)
        if found is not None and (found.epoch, found.last) > self._last:  # the first one counts
            self._first, self._last = (found.epoch, found.first), (found.epoch, found.last)
            self._record = record


def ended(record: Record) -> codec.Ended | None:
    """The frames that a record ends; None for one that ends none, or cannot be read."""
    try:
        return codec.ended(record)
    except (RecordError, UnsupportedVersionError):
        return None


def _result(record: Record) -> Result | None:
    try:
        message = codec.decode(record)
    except (RecordError, UnsupportedVersionError):
        return None
    return message if isinstance(message, Result) else None
