"""What Kubernetes makes of triggers: the HorizontalPodAutoscaler with a behaviour, as a value of
its own.

After ``pkg/controller/podautoscaler`` of Kubernetes 1.36: external metrics with an average value
(`GetExternalPerPodMetricReplicas`), then `stabilizeRecommendationWithBehaviors`, then
`convertDesiredReplicasWithBehaviorRate`. KEDA hands it one metric for each trigger.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from stream.scaling.policy import Direction, Policy, Step

SYNC_S = 15
"""``--horizontal-pod-autoscaler-sync-period`` of the controller manager."""
TOLERANCE = 0.1
"""``--horizontal-pod-autoscaler-tolerance``: a smaller difference changes nothing."""


@dataclass
class Autoscaler:
    """Decides again and again, every `SYNC_S`; times are seconds that only rise."""

    policy: Policy
    _wishes: list[tuple[int, int]] = field(default_factory=list)
    _changes: list[tuple[int, int]] = field(default_factory=list)
    """When replicas changed, and by how many."""

    def decide(self, now_s: int, current: int, metrics: Sequence[float]) -> int:
        """The replicas from now on. ``metrics``: replicas that each trigger asks for, as it comes
        out of its division."""
        wish = max(_of_metric(each, current) for each in metrics)
        self._forget(now_s)
        wish = self._rated(now_s, current, self._steadied(now_s, current, wish))
        wish = min(max(wish, self.policy.least), self.policy.most)
        if wish != current:
            self._changes.append((now_s, wish - current))
        return wish

    def _forget(self, now_s: int) -> None:
        both = self.policy.up, self.policy.down
        window_s = max(each.window_s for each in both)
        period_s = max(step.period_s for each in both for step in each.steps)
        self._wishes = [each for each in self._wishes if each[0] > now_s - window_s]
        self._changes = [each for each in self._changes if each[0] > now_s - period_s]

    def _steadied(self, now_s: int, current: int, wish: int) -> int:
        """The mildest wish of the window of its direction."""
        up_s, down_s = now_s - self.policy.up.window_s, now_s - self.policy.down.window_s
        least = min([wish, *(each for at_s, each in self._wishes if at_s > up_s)])
        most = max([wish, *(each for at_s, each in self._wishes if at_s > down_s)])
        self._wishes.append((now_s, wish))
        return min(max(current, least), most)

    def _rated(self, now_s: int, current: int, wish: int) -> int:
        """As far as the steps of its direction let it go at once."""
        if wish > current:
            return min(wish, max(current, self._limit(now_s, current, self.policy.up, +1)))
        if wish < current:
            return max(wish, min(current, self._limit(now_s, current, self.policy.down, -1)))
        return wish

    def _limit(self, now_s: int, current: int, direction: Direction, sign: int) -> int:
        limits = [self._after(step, now_s, current, sign) for step in direction.steps]
        return max(limits) if sign > 0 else min(limits)

    def _after(self, step: Step, now_s: int, current: int, sign: int) -> int:
        begun = current - sum(by for at_s, by in self._changes if at_s > now_s - step.period_s)
        if step.kind == "Pods":
            return begun + sign * step.value
        changed = begun * (1 + sign * step.value / 100)
        return math.ceil(changed) if sign > 0 else int(changed)


def _of_metric(asked: float, current: int) -> int:
    """Replicas for one metric: unchanged where it is near enough to what is there."""
    if 1.0 - TOLERANCE <= asked / current <= 1.0 + TOLERANCE:
        return current
    return math.ceil(asked)
