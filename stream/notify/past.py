"""What ``deliveries`` says of earlier times, folded while it is read: it holds days of them."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from stream import codec
from stream.notify.journal import LIFE, Change, Key, key_of
from stream.ports import Delivery
from stream.types import Alert, DeliveryStatus


class Known:
    """The changes that came last, ``most`` of them: what tells a repeat."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: dict[Key, None] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._keys

    def add(self, key: Key) -> None:
        """Know it from now on; the oldest is forgotten where there are too many."""
        self._keys[key] = None
        if len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]

    def discard(self, key: Key) -> None:
        """Know it no more."""
        self._keys.pop(key, None)


@dataclass(frozen=True, slots=True)
class Past:
    """How far the changes of some cameras are."""

    pending: list[Change]
    """In the order of each alert's life."""
    delivered: defaultdict[str, Known]
    """By endpoint; of one that is not there, nothing."""


async def past(
    history: AsyncIterator[DeliveryStatus], owns: Callable[[str], bool], most: int, now_us: int
) -> Past:
    """What became of each change of the cameras that ``owns`` names.

    The history of one change is in order, that of an alert is not. Delivered is final: who was
    frozen or slow may write pending after it. Of what was delivered, the last ``most`` of each
    endpoint are known. From ``now_us`` on, nobody waits longer than was meant when it was written:
    who wrote it may have had a wrong clock.
    """
    pending: dict[tuple[str, Key], DeliveryStatus] = {}
    delivered: defaultdict[str, Known] = defaultdict(partial(Known, most))
    async for status in history:
        if status.snapshot is None or not owns(status.snapshot.camera):
            continue
        key = key_of(status.snapshot)
        if status.state == "pending" and key not in delivered[status.endpoint]:
            pending[status.endpoint, key] = status
        else:
            pending.pop((status.endpoint, key), None)
        if status.state == "delivered":
            delivered[status.endpoint].add(key)
    changes = [_gone_on(each, each.snapshot, now_us) for each in pending.values() if each.snapshot]
    return Past(sorted(changes, key=_in_life), delivered)


def _in_life(change: Change) -> tuple[int, int]:
    return LIFE.index(change.alert.state), change.alert.time_us


def _gone_on(status: DeliveryStatus, alert: Alert, now_us: int) -> Change:
    delivery = Delivery("alerts", codec.encode(alert), None, "")
    due_us = min(status.due_us, now_us + max(0, status.due_us - status.time_us))
    return Change(
        alert,
        status.endpoint,
        delivery,
        status.attempts,
        status.answer,
        due_us,
        since_us=status.since_us or status.time_us,
        trace=None if status.traceparent is None else status.traceparent.encode(),
    )
