"""What a run came to, in numbers: pure."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from stream.audit import Audit
from stream.errors import UndeliveredError
from stream.evidence import CLIPS
from stream.types import (
    Alert,
    AlertState,
    CameraStatus,
    DeliveryState,
    DeliveryStatus,
    EpochOpened,
    Gap,
    MaskMessage,
    Result,
    Tracks,
)

RATED_US = 200_000
"""A rate is that of so long a time at least: the first terminals come in one batch, at once."""


class Quantiles:
    """Quantiles of positive numbers to within one percent, in constant memory.

    Counts in bins that grow by 2 % (as DDSketch does, arXiv 1908.10693, with alpha = 0.01).
    """

    GROWTH = math.log(1.02)

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Count ``value``; anything under 1 counts as 1."""
        self._bins[math.floor(math.log(max(value, 1.0)) / self.GROWTH)] += 1

    def at(self, part: float) -> float | None:
        """The value below which ``part`` (0…1) of the numbers lie; None when there are none."""
        rank = part * (self._bins.total() - 1)
        seen = 0
        for index in sorted(self._bins):
            seen += self._bins[index]
            if seen > rank:
                return math.exp((index + 0.5) * self.GROWTH)
        return None


@dataclass
class Tally:
    """Counts messages of all topics as they come; ``now_us`` is when a message was seen.

    ``alerts`` are changes by rule. ``clips`` are deliveries to the endpoint of our own that makes
    them, and not among ``deliveries``. ``dead_letters`` are those that are neither.
    """

    audit: Audit = field(default_factory=Audit)
    expected: dict[str, int | None] = field(default_factory=dict)
    results: int = 0
    gaps: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    alerts: defaultdict[str, Counter[AlertState]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    deliveries: Counter[DeliveryState] = field(default_factory=Counter)
    clips: Counter[DeliveryState] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    age_us: Quantiles = field(default_factory=Quantiles)
    _first_us: int | None = None
    _last_us: int | None = None

    def add(
        self, message: MaskMessage | Tracks | Alert | CameraStatus | DeliveryStatus, now_us: int
    ) -> None:
        """Enter a message."""
        match message:
            case Alert():
                self.alerts[message.rule][message.state] += 1
            case DeliveryStatus(endpoint=endpoint, state=state):
                told = self.clips if endpoint == CLIPS else self.deliveries
                told[state] += 1
            case CameraStatus(state="failed"):
                self.failures[message.camera] = message.reason
            case CameraStatus() | Tracks():
                pass
            case _:
                self._add_mask(message, now_us)

    def add_dead_letter(self, reason: str) -> None:
        """Enter a record of ``dead-letters``; what was not delivered is counted as such."""
        if reason != UndeliveredError.reason:
            self.dead_letters[reason] += 1

    @property
    def done(self) -> int:
        """Frames that have their terminal."""
        return self.results + self.gaps.total()

    @property
    def total(self) -> int | None:
        """Frames that will be offered; None while a camera does not know."""
        if not self.expected or None in self.expected.values():
            return None
        return sum(frames or 0 for frames in self.expected.values())

    @property
    def rate_per_s(self) -> float | None:
        """Results per second between the first and the last terminal."""
        return self._per_s(self.results)

    @property
    def done_per_s(self) -> float | None:
        """Frames per second that got their terminal, results and gaps."""
        return self._per_s(self.done)

    def _per_s(self, count: int) -> float | None:
        if self._first_us is None or self._last_us is None:
            return None
        span_us = self._last_us - self._first_us
        return max(0, count - 1) / span_us * 1e6 if span_us >= RATED_US else None

    def _add_mask(self, message: MaskMessage, now_us: int) -> None:
        self.audit.add(message)
        match message:
            case EpochOpened():
                self.expected[message.camera] = message.expected
            case Gap():
                self.gaps[message.reason] += message.last - message.first + 1
            case Result():
                self.results += 1
                self.age_us.add(now_us - message.arrived_us)
        if isinstance(message, Result | Gap):
            self._first_us = now_us if self._first_us is None else self._first_us
            self._last_us = now_us
