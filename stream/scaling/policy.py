"""By which rules segmenters are added and taken away: values, as a chart or a person sets them."""

import math
from dataclasses import dataclass
from typing import Literal

DAY_S = 86_400


@dataclass(frozen=True)
class Step:
    """One policy of a HorizontalPodAutoscaler: at most so much in ``period_s`` seconds.

    ``value`` is a number of pods, or percent of those that there were at the period's begin.
    """

    kind: Literal["Pods", "Percent"]
    value: int
    period_s: int


@dataclass(frozen=True)
class Direction:
    """How fast replicas may change one way: what allows most of ``steps`` holds, of the mildest
    wish of the last ``window_s`` seconds (``stabilizationWindowSeconds``).
    """

    window_s: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Forecast:
    """``predict_linear`` of the offered rate: of the last ``past_s`` seconds, one rate every
    ``step_s``, ``ahead_s`` on."""

    past_s: int
    ahead_s: int
    step_s: int = 30


@dataclass(frozen=True)
class Schedule:
    """A ``cron`` trigger: at least ``replicas`` from ``begin_s`` to ``end_s``, seconds of a day;
    over midnight where ``end_s`` is the smaller.
    """

    begin_s: int
    end_s: int
    replicas: int

    def holds(self, second: int) -> bool:
        """Whether it asks in that second of a day."""
        if self.begin_s <= self.end_s:
            return self.begin_s <= second < self.end_s
        return not self.end_s <= second < self.begin_s


@dataclass(frozen=True)
class Policy:
    """All that decides how many replicas there are.

    A pod is given ``load`` of its capacity; the offered rate is that of the last
    ``rate_window_s`` seconds, scraped every ``scrape_s``. ``lag_share``: records that may wait for
    a pod, as a part of ``max_age`` x capacity; None for no trigger on lag. Between ``least`` and
    ``most``.
    """

    least: int
    most: int
    load: float
    rate_window_s: int
    scrape_s: int
    lag_share: float | None
    up: Direction
    down: Direction
    forecast: Forecast | None = None
    schedules: tuple[Schedule, ...] = ()

    def by_rate(self, offered_per_s: float, capacity_per_s: float) -> int:
        """Replicas for an offered rate where each does ``capacity_per_s``."""
        return math.ceil(offered_per_s / (self.load * capacity_per_s))

    def by_lag(self, records: float, max_age_s: float, capacity_per_s: float) -> float:
        """Replicas for records that wait, not rounded up; 0 without a trigger on lag."""
        if self.lag_share is None:
            return 0.0
        return records / (self.lag_share * max_age_s * capacity_per_s)

    def by_schedule(self, now_s: int) -> int:
        """Replicas that a schedule asks for; 0 where none does."""
        second = now_s % DAY_S
        return max((each.replicas for each in self.schedules if each.holds(second)), default=0)


DEFAULT = Policy(
    least=1,
    most=8,
    load=0.7,
    rate_window_s=30,
    scrape_s=5,
    lag_share=0.75,
    up=Direction(0, (Step("Percent", 100, 15), Step("Pods", 4, 15))),
    down=Direction(300, (Step("Pods", 1, 120),)),
)
"""What the chart has for ``segment``; a test holds the two together."""
