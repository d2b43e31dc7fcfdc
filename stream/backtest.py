"""What rules would have sent for what was recorded: episodes, and what is known of cameras. Pure.

Needs memory per episode and per stretch without a hole, never per result, so a week costs no more
than what it had to tell.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stream.rules import AnyRule
from stream.rules.sighting import Look, known_us
from stream.rules.trouble import BLINDING, Troubles, any_of
from stream.specs import ZoneSpec
from stream.types import Alert, Gap, MaskMessage, Result, Severity
from stream.watching import Plans, Replay, Watched
from stream.watermark import trimmed


@dataclass(frozen=True, slots=True)
class Stretch:
    """Event time from ``begin_us`` to ``end_us``."""

    begin_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Episode:
    """The life of an alert: from opened to resolved, or to the end of what was recorded."""

    rule: str
    camera: str
    severity: Severity
    opened_us: int
    ended_us: int
    is_open: bool

    @property
    def lasted_us(self) -> int:
        """How long it was open; 0 where the camera's time went back meanwhile."""
        return max(0, self.ended_us - self.opened_us)


@dataclass(slots=True)
class Recorded:
    """What was recorded of one camera.

    ``first_us`` and ``last_us`` are the ends of its event time. ``span_us`` is the event time that
    went by: a file that begins again counts each time. ``seen`` are the stretches in which results
    followed each other, as rules count them, with a picture that was neither black nor frozen.
    ``again`` counts what came twice or too late, ``unread`` what cannot be read; ``fault`` says
    what was wrong with the first.
    """

    results: int = 0
    gaps: Counter[str] = field(default_factory=Counter)
    labels: set[str] = field(default_factory=set)
    first_us: int | None = None
    last_us: int | None = None
    span_us: int = 0
    seen: list[Stretch] = field(default_factory=list)
    again: int = 0
    unread: int = 0
    fault: str = ""
    _now_us: int | None = None
    _look: Look | None = None

    @property
    def unseen_us(self) -> int:
        """Event time of which no rule knows what was there."""
        return max(0, self.span_us - sum(each.end_us - each.begin_us for each in self.seen))

    def add(self, message: MaskMessage, troubles: Troubles) -> None:
        """Enter a message that is new, with the camera's troubles after it."""
        self._pass(message.time_us)
        if isinstance(message, Gap):
            self.gaps[message.reason] += message.last - message.first + 1
        elif isinstance(message, Result):
            self.results += 1
            self.labels.update(instance.label for instance in message.instances)
        if any_of(troubles, BLINDING, message.time_us):
            self._look = None
        elif isinstance(message, Result):
            self._see(message)

    def _pass(self, now_us: int) -> None:
        if self.first_us is None or self.last_us is None or self._now_us is None:
            self.first_us = self.last_us = self._now_us = now_us
        self.span_us += max(0, now_us - self._now_us)
        self.first_us, self.last_us = min(self.first_us, now_us), max(self.last_us, now_us)
        self._now_us = now_us

    def _see(self, result: Result) -> None:
        now_us = result.time_us
        if known_us(self._look, result):
            self.seen[-1] = Stretch(self.seen[-1].begin_us, now_us)
        else:
            self.seen.append(Stretch(now_us, now_us))
        self._look = Look.at(result)


@dataclass(frozen=True, slots=True)
class Found:
    """What a backtest came to: cameras by id, and episodes by when they opened."""

    cameras: Mapping[str, Recorded]
    episodes: tuple[Episode, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One rule on one camera: its episodes, in order; none for a rule that kept quiet."""

    rule: str
    camera: str
    episodes: tuple[Episode, ...]


class Backtest:
    """Takes recorded messages one at a time; those of one camera come in order."""

    def __init__(self, rules: Iterable[AnyRule], zones: Iterable[ZoneSpec]) -> None:
        self._replay = Replay(rules, zones)
        self._cameras: dict[str, Recorded] = {}
        self._open: dict[str, Alert] = {}
        self._ended: list[Episode] = []

    @property
    def plans(self) -> Plans:
        """What is watched on each camera."""
        return self._replay.plans

    def add(self, message: MaskMessage) -> tuple[Alert, ...]:
        """What the rules would have sent for the next message."""
        recorded = self._recorded(message.camera)
        mark = self._replay.watched.get(message.camera, Watched()).mark
        _, new = trimmed(mark, message)
        alerts = self._replay.add(message)
        if new is None:
            recorded.again += 1
            return alerts
        recorded.add(new, self._replay.watched[message.camera].troubles)
        for alert in alerts:
            self._change(alert)
        return alerts

    def add_unread(self, camera: str, fault: str) -> None:
        """Enter what cannot be read: it is unknown what it said."""
        recorded = self._recorded(camera)
        recorded.unread += 1
        recorded.fault = recorded.fault or fault

    def found(self) -> Found:
        """What came by now; what is open ends where its camera does."""
        lasting = [
            _episode(alert, self._cameras[alert.camera].last_us or alert.opened_us, is_open=True)
            for alert in self._open.values()
        ]
        return Found(self._cameras, _in_order([*self._ended, *lasting]))

    def _recorded(self, camera: str) -> Recorded:
        return self._cameras.setdefault(camera, Recorded())

    def _change(self, alert: Alert) -> None:
        if alert.state == "resolved":
            del self._open[alert.id]
            self._ended.append(_episode(alert, alert.time_us, is_open=False))
        else:
            self._open[alert.id] = alert


def together(parts: Iterable[Found]) -> Found:
    """What backtests of different cameras came to."""
    parts = tuple(parts)
    cameras = {name: recorded for part in parts for name, recorded in part.cameras.items()}
    return Found(cameras, _in_order([each for part in parts for each in part.episodes]))


def rows(rules: Iterable[AnyRule], plans: Plans, found: Found) -> list[Row]:
    """Every rule on every recorded camera that it watches, in the order of the rules.

    A rule whose camera was not recorded has its row as well.
    """
    by_row: dict[tuple[str, str], list[Episode]] = {}
    for rule in rules:
        recorded = [each for each in sorted(found.cameras) if rule in plans[each].rules]
        named = [each for each in sorted(plans) if rule in plans[each].rules]
        by_row |= {(rule.id, camera): [] for camera in recorded or named}
    for episode in found.episodes:
        by_row[episode.rule, episode.camera].append(episode)
    return [Row(rule, camera, tuple(its)) for (rule, camera), its in by_row.items()]


def _episode(alert: Alert, ended_us: int, *, is_open: bool) -> Episode:
    return Episode(
        alert.rule, alert.camera, alert.severity, alert.opened_us, ended_us, is_open=is_open
    )


def _in_order(episodes: list[Episode]) -> tuple[Episode, ...]:
    return tuple(sorted(episodes, key=lambda each: (each.opened_us, each.camera, each.rule)))
