"""Which alerts that endpoints never took are sent again, and why others are not: pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from stream.evidence import CLIPS
from stream.notify.journal import LIFE, Key, key_of
from stream.specs import EndpointSpec
from stream.types import Alert, DeliveryState, DeliveryStatus

Outcome = Literal["due", "taken since", "pending", "overtaken", "clip", "not configured"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A change of an alert that an endpoint never took."""

    endpoint: str
    alert: Alert

    @property
    def key(self) -> tuple[str, Key]:
        """What tells it from others."""
        return self.endpoint, key_of(self.alert)

    @property
    def order(self) -> tuple[int, int]:
        """Its place among the changes of its alert."""
        return self.alert.time_us, LIFE.index(self.alert.state)

    @property
    def again(self) -> Alert:
        """The same change, for this endpoint alone: what it is told has the same id and bytes."""
        return msgspec.structs.replace(self.alert, notify=(self.endpoint,))


class Replay:
    """Judges ``letters`` by what ``deliveries`` says of them, which is added one by one."""

    def __init__(self, letters: Iterable[Letter], endpoints: Collection[EndpointSpec]) -> None:
        self._endpoints = {each.id: each for each in endpoints}
        self._letters = {each.key: each for each in letters}
        self._alerts = {(each.endpoint, each.alert.id) for each in self._letters.values()}
        self._states: dict[tuple[str, Key], DeliveryState] = {}
        self._last_taken: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, status: DeliveryStatus) -> None:
        """What ``deliveries`` holds next. Taken is final, as it is for notify."""
        alert = status.snapshot
        if alert is None or (status.endpoint, alert.id) not in self._alerts:
            return
        told = Letter(status.endpoint, alert)
        if self._states.get(told.key) != "delivered":
            self._states[told.key] = status.state
        if status.state == "delivered":
            place = (status.endpoint, alert.id)
            self._last_taken[place] = max(told.order, self._last_taken.get(place, told.order))

    def judged(self) -> list[tuple[Letter, Outcome]]:
        """Each letter once, in the order in which those that are due have to be sent."""
        letters = sorted(self._letters.values(), key=lambda each: (each.order, each.key))
        return [(each, self._outcome(each)) for each in letters]

    def _outcome(self, letter: Letter) -> Outcome:
        endpoint = self._endpoints.get(letter.endpoint)
        if endpoint is None:
            return "clip" if letter.endpoint == CLIPS else "not configured"
        state = self._states.get(letter.key)
        if state == "delivered":
            return "taken since"
        if state == "pending":
            return "pending"
        return "overtaken" if self._would_undo(letter, endpoint) else "due"

    def _would_undo(self, letter: Letter, endpoint: EndpointSpec) -> bool:
        """Alertmanager is told how an alert stands: an older change would open it once more."""
        last = self._last_taken.get((letter.endpoint, letter.alert.id))
        return endpoint.body != "json" and last is not None and letter.order < last
