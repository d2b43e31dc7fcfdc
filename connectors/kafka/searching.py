"""Where in a partition something begins, by what its records say, and by no clock.

What a camera writes rises along its partition, so a record of it tells on which side of itself the
place lies. Steps back from the end grow until they are past it; then it is closed in on.
"""

from collections.abc import AsyncIterator, Callable

from connectors.kafka.cursors import Cursor, Found
from connectors.kafka.records import record_of
from stream.ports import Record

STEP = 64
"""Records of the first step back; each is four times the one before. Also how close is close."""

IsBefore = Callable[[Record], bool | None]
"""Whether a record lies before the place; None for one that does not say."""


async def place(cursor: Cursor, begin: int, end: int, is_before: IsBefore, most: int) -> int:
    """An offset between ``begin`` and ``end``: what is not before begins there or a little later.

    Where more than ``most`` records do not say, it is how far the search got.
    """
    search = _Search(cursor, is_before, end, most)
    try:
        return await search.back(begin)
    except LookupError:
        return search.after


async def of_camera(records: AsyncIterator[Found], camera: str, most: int) -> AsyncIterator[Record]:
    """Those of one camera, until more than ``most`` of others follow one another."""
    others = 0
    async for each in records:
        record = record_of(each)
        if record.key == camera:
            others = 0
            yield record
        elif (others := others + 1) > most:
            return


class _Search:
    def __init__(self, cursor: Cursor, is_before: IsBefore, end: int, most: int) -> None:
        self._cursor = cursor
        self._is_before = is_before
        self._left = most
        self.after = end
        """Nothing between here and the end is before."""

    async def back(self, begin: int) -> int:
        step = STEP
        while self.after > begin:
            start = max(begin, self.after - step)
            before = await self._before(start)
            if before is not None:
                return await self._closed_in(before)
            self.after, step = start, 4 * step
        return begin

    async def _closed_in(self, before: int) -> int:
        while self.after - before > STEP:
            middle = (before + self.after) // 2
            found = await self._before(middle)
            if found is None:
                self.after = middle
            else:
                before = found
        return before

    async def _before(self, start: int) -> int | None:
        """The first from ``start`` on that says something, where it says that it is before."""
        async for each in self._cursor.between(start, self.after):
            is_before = self._is_before(record_of(each))
            if is_before is not None:
                return each.offset if is_before else None
            self._left -= 1
            if self._left < 0:
                raise LookupError
        return None
