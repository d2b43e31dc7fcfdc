"""A day of load through the whole loop: offered, scraped, decided, started, joined, answered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.scaling.autoscaler import SYNC_S, Autoscaler
from stream.scaling.day import MINUTE_S, SEED, Day
from stream.scaling.pods import Pods, Site, shared
from stream.scaling.policy import DAY_S, Policy
from stream.scaling.queues import AGE_STEP_S, Queues
from stream.scaling.signal import Offered

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """How a day went. Every frame that was ``offered`` is ``answered``, ``skipped`` or ``queued``.

    What is ``by_minute`` has shape (minutes,), ``oldest`` is the highest age of a result; ``asked``
    and ``ready``, replicas at each decision, shape (decisions,); ``ages``, frames answered by age
    in steps of 10 ms. ``steps`` is how often members changed; ``peak`` what the same formula asks
    for at most.
    """

    offered: float
    answered: float
    skipped: float
    queued: float
    offered_by_minute: _Floats
    skipped_by_minute: _Floats
    oldest_by_minute_s: _Floats
    asked: NDArray[np.int64]
    ready: NDArray[np.int64]
    ages: _Floats
    steps: int
    peak: int

    @property
    def skipped_share(self) -> float:
        """Of the frames of the day."""
        return self.skipped / max(self.offered, 1.0)

    @property
    def worst_minute(self) -> float:
        """The largest share of a minute's frames that was skipped."""
        return float((self.skipped_by_minute / self.offered_by_minute.clip(1.0)).max())

    @property
    def pod_hours(self) -> float:
        """Of replicas, from being asked for on."""
        return float(self.asked.sum()) * SYNC_S / 3600

    @property
    def fixed_hours(self) -> float:
        """What `peak` replicas take all day."""
        return self.peak * DAY_S / 3600

    @property
    def saving(self) -> float:
        """The part of `fixed_hours` that was not needed."""
        return 1.0 - self.pod_hours / self.fixed_hours

    def age_s(self, part: float) -> float:
        """The age that ``part`` (0…1) of the answered frames are below."""
        reached = np.searchsorted(self.ages.cumsum(), part * self.ages.sum() - 1e-3)
        return float(reached) * AGE_STEP_S


def peak_replicas(day: Day, policy: Policy, site: Site) -> int:
    """What the formula asks for at the highest rate of the day, of as many as there may be: what
    would be fixed instead.
    """
    signal = Offered(day.offered, policy.scrape_s, policy.rate_window_s)
    highest = max(signal.rate(now_s) for now_s in range(0, DAY_S, SYNC_S))
    return min(max(1, policy.by_rate(highest, site.capacity_per_s)), policy.most)


def replay(day: Day, policy: Policy, site: Site) -> Outcome:
    """Pass the day in steps of a second, and of a twentieth where something waits."""
    run = _Run(day, policy, site)
    for now_s in range(0, DAY_S, SYNC_S):
        run.decide(now_s)
        run.pass_to(now_s, now_s + SYNC_S)
    return run.outcome()


class _Run:
    def __init__(self, day: Day, policy: Policy, site: Site) -> None:
        self._day, self._policy, self._site = day, policy, site
        self._offered = day.offered
        self._signal = Offered(self._offered, policy.scrape_s, policy.rate_window_s)
        self._scaler = Autoscaler(policy)
        first = policy.by_rate(self._offered[0], site.told * site.capacity_per_s)
        begin = min(max(first, policy.least), policy.most)
        self._pods = Pods(site, np.random.default_rng(SEED), begin)
        self._by_partition = day.by_partition(site.partitions)
        self._tables: dict[int, _Floats] = {}
        self._queues = Queues(site, np.zeros(begin))
        self._members = 0
        self._settle(0)
        self._skipped = np.zeros(DAY_S // MINUTE_S)
        self._oldest_s = np.full_like(self._skipped, site.service_s)
        self._asked: list[int] = []
        self._ready: list[int] = []

    def decide(self, now_s: int) -> None:
        """What the autoscaler does at ``now_s``."""
        policy, told = self._policy, self._site.told * self._site.capacity_per_s
        rate = self._signal.rate(now_s)
        under_way = self._offered[now_s] * self._site.service_s
        lag = policy.by_lag(self._queues.count + under_way, self._site.max_age_s, told)
        metrics = [policy.by_rate(rate, told), min(lag, self._site.partitions)]
        if policy.forecast is not None:
            metrics.append(policy.by_rate(self._signal.forecast(now_s, policy.forecast), told))
        metrics.append(policy.by_schedule(now_s))
        self._pods.ask(self._scaler.decide(now_s, self._pods.asked, metrics), now_s)
        self._asked.append(self._pods.asked)
        self._ready.append(self._pods.ready)
        self._settle(now_s)

    def pass_to(self, begin_s: int, end_s: int) -> None:
        """Answer what is offered from one second to another."""
        calm = 0.0
        for second in range(begin_s, end_s):
            if self._pods.pass_to(second):
                self._settle(second)
            paused_s = self._pods.paused_until_s - second
            cameras = self._day.cameras[second]
            is_enough = self._busiest[cameras] <= self._site.capacity_per_s
            if paused_s <= 0 and is_enough and self._queues.count < 1e-6:
                calm += self._offered[second]
                continue
            rates = self._rates[cameras]
            passed, minute = self._queues.second(rates, paused_s), second // MINUTE_S
            self._skipped[minute] += passed.skipped
            self._oldest_s[minute] = max(self._oldest_s[minute], passed.oldest_s)
        self._queues.calm(calm)

    def _settle(self, second: int) -> None:
        """Give partitions to who is there, where that changed."""
        if self._pods.ready == self._members:
            return
        self._members = self._pods.ready
        if self._members not in self._tables:
            self._tables[self._members] = shared(self._by_partition, self._members)
        self._rates = self._tables[self._members]
        self._busiest = self._rates.max(axis=1)
        self._queues.share(self._rates[self._day.cameras[second]])

    def outcome(self) -> Outcome:
        """All of it."""
        return Outcome(
            float(self._offered.sum()),
            self._queues.answered,
            self._queues.skipped,
            self._queues.count,
            self._offered.reshape(-1, MINUTE_S).sum(axis=1),
            self._skipped,
            self._oldest_s,
            np.asarray(self._asked),
            np.asarray(self._ready),
            self._queues.ages,
            self._pods.steps,
            peak_replicas(self._day, self._policy, self._site),
        )
