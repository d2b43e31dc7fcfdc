"""Which views go to the device together, and when: pure.

A batch holds views of one network shape. It is ready when it is full, or when the first of its
views has waited long enough; a trickle of later ones never delays it. Within a batch cameras take
turns, and live views go before those of files, which still get at least a tenth of the places.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")

ARCHIVE_SHARE = 10
"""One place in so many goes to files when both wait (a promise of the design)."""


@dataclass(frozen=True, slots=True)
class Item(Generic[_T]):
    """Something that waits for the device. ``since_us`` is when it began to wait.

    What is of no ``camera`` takes turns as if it were one's.
    """

    shape: Hashable
    camera: str | None
    live: bool
    since_us: int
    payload: _T


class _Turns(Generic[_T]):
    """First in, first out for each camera; cameras take turns."""

    def __init__(self) -> None:
        self._cameras: OrderedDict[str | None, deque[Item[_T]]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._cameras)

    def add(self, item: Item[_T]) -> None:
        self._cameras.setdefault(item.camera, deque()).append(item)

    def pop(self) -> Item[_T]:
        camera, items = self._cameras.popitem(last=False)
        item = items.popleft()
        if items:
            self._cameras[camera] = items  # to the back of the turns
        return item

    def oldest_us(self) -> int:
        return min(items[0].since_us for items in self._cameras.values())


class _Bucket(Generic[_T]):
    """The waiting items of one shape."""

    def __init__(self) -> None:
        self._live: _Turns[_T] = _Turns()
        self._archive: _Turns[_T] = _Turns()
        self._live_in_a_row = 0
        self.count = 0
        self.passed_over = 0
        """Batches of other shapes that went first while this bucket was ready."""

    def add(self, item: Item[_T]) -> None:
        (self._live if item.live else self._archive).add(item)
        self.count += 1

    def pop(self) -> Item[_T]:
        archive_is_due = self._live_in_a_row >= ARCHIVE_SHARE - 1
        take_archive = self._archive and (archive_is_due or not self._live)
        self._live_in_a_row = 0 if take_archive else self._live_in_a_row + 1
        self.count -= 1
        return (self._archive if take_archive else self._live).pop()

    def rank(self) -> tuple[bool, int]:
        """Its place among buckets: files alone go last, but not more often than their share."""
        is_due = bool(self._live) or self.passed_over >= ARCHIVE_SHARE - 1
        return not is_due, self.oldest_us()

    def oldest_us(self) -> int:
        return min(turns.oldest_us() for turns in (self._live, self._archive) if turns)


class Batcher(Generic[_T]):
    """Collects items and hands out batches of at most ``size``, waiting ``wait_us`` at most."""

    def __init__(self, size: int, wait_us: int) -> None:
        self._size = size
        self._wait_us = wait_us
        self._buckets: dict[Hashable, _Bucket[_T]] = {}

    def add(self, item: Item[_T]) -> None:
        """Let ``item`` wait for its batch."""
        if item.shape not in self._buckets:
            self._buckets[item.shape] = _Bucket()
        self._buckets[item.shape].add(item)

    def take(self, now_us: int) -> list[Item[_T]]:
        """The next batch that is ready, live first, then oldest first; empty when none is."""
        ready = [
            (bucket.rank(), shape)
            for shape, bucket in self._buckets.items()
            if bucket.count >= self._size or bucket.oldest_us() + self._wait_us <= now_us
        ]
        if not ready:
            return []
        _, chosen = min(ready, key=lambda pair: pair[0])
        for _, shape in ready:
            self._buckets[shape].passed_over += 1
        bucket = self._buckets[chosen]
        bucket.passed_over = 0
        batch = [bucket.pop() for _ in range(min(self._size, bucket.count))]
        if not bucket.count:
            del self._buckets[chosen]
        return batch

    def due_us(self) -> int | None:
        """When `take` will next have something if nothing is added; None when nothing waits."""
        oldest = [bucket.oldest_us() for bucket in self._buckets.values()]
        return min(oldest) + self._wait_us if oldest else None
