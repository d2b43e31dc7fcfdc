"""What was told of alerts: one entry for each, as it was told last."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from stream.types import Alert

MOST_ALERTS = 2_000
"""Alerts that are remembered; of more, those that ended longest ago are forgotten first."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as it was told last, first at ``heard_us``, then at ``changed_us`` (µs since the
    Unix epoch). ``number`` rises with every change of any; ``picture`` is of its opening, a URL.
    """

    number: int
    alert: Alert
    heard_us: int
    changed_us: int
    picture: str | None

    @property
    def is_over(self) -> bool:
        """Whether it is resolved."""
        return self.alert.state == "resolved"


class ToldAlerts:
    """What was told last of each alert. Time is an argument."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, Told] = OrderedDict()
        self._number = 0

    def hear(self, alert: Alert, told_us: int, picture: str | None = None) -> bool:
        """Take over how an alert is; False where that changes nothing, as what comes again does."""
        known = self._told.get(alert.id)
        if known is None:
            self._keep(Told(self._number + 1, alert, told_us, told_us, picture))
            return True
        if known.is_over or known.alert.time_us > alert.time_us or known.alert == alert:
            return False
        self._keep(replace(known, number=self._number + 1, alert=alert, changed_us=told_us))
        return True

    def latest(self, after: int = 0) -> Iterator[Told]:
        """Those that changed after a number, the one that changed last first."""
        for each in reversed(self._told.values()):
            if each.number <= after:
                return
            yield each

    def _keep(self, told: Told) -> None:
        self._number = told.number
        self._told[told.alert.id] = told
        self._told.move_to_end(told.alert.id)
        if len(self._told) > MOST_ALERTS:
            over = (name for name, each in self._told.items() if each.is_over)
            del self._told[next(over, next(iter(self._told)))]
