"""Segmenters as members of a group: who is there, who has which partitions, and when all stand
still."""

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


@dataclass(frozen=True)
class Site:
    """What a day is replayed on, measured (docs/capacity.md says where) or the reader's own.

    A pod answers ``capacity_per_s`` frames a second and says that it is ``told`` times that. A
    result is ``service_s`` older than its frame where nothing waits, which is also what
    `stream.freshness` expects. A pod is ready ``start_s`` after it is asked for, or up to
    ``spread_s`` sooner; when it joins, and when one leaves, nobody is answered for ``pause_s``.
    """

    capacity_per_s: float = 78.0
    told: float = 1.0
    max_age_s: float = 1.0
    service_s: float = 0.226
    start_s: float = 30.0
    spread_s: float = 6.0
    pause_s: float = 3.5
    partitions: int = 48


@dataclass
class Pods:
    """The replicas of a day, from those that are ready at its begin on."""

    site: Site
    random: Generator
    ready: int
    _starting: list[float] = field(default_factory=list)
    """When each pod that is asked for will be ready; the last is the newest."""
    paused_until_s: float = 0.0
    steps: int = 0
    """How often members changed."""

    @property
    def asked(self) -> int:
        """Replicas that are asked for: what is paid."""
        return self.ready + len(self._starting)

    def ask(self, replicas: int, now_s: float) -> None:
        """Have so many. Of too many the newest go first, as in a StatefulSet."""
        for _ in range(replicas - self.asked):
            sooner_s = self.site.spread_s * self.random.random()
            self._starting.append(now_s + self.site.start_s - sooner_s)
        while self.asked > replicas and self._starting:
            self._starting.pop()
        if self.asked > replicas:
            self.ready = replicas
            self._pause(now_s)

    def pass_to(self, now_s: float) -> bool:
        """Take those in that are ready by now; whether there were any."""
        joined = [each for each in self._starting if each <= now_s]
        if not joined:
            return False
        self._starting = [each for each in self._starting if each > now_s]
        self.ready += len(joined)
        self._pause(max(joined))
        return True

    def _pause(self, from_s: float) -> None:
        self.paused_until_s = max(self.paused_until_s, from_s + self.site.pause_s)
        self.steps += 1


def shared(by_partition: NDArray[np.float64], members: int) -> NDArray[np.float64]:
    """Frames a second of each member that has something: partitions go round, as Kafka's
    RoundRobinAssignor gives them.

    ``by_partition`` has shape (…, partitions); the result (…, members), or fewer.
    """
    partitions = by_partition.shape[-1]
    members = min(members, partitions)
    padded = np.zeros((*by_partition.shape[:-1], -(-partitions // members) * members))
    padded[..., :partitions] = by_partition
    turns = padded.reshape(*by_partition.shape[:-1], -1, members)
    return np.asarray(turns.sum(axis=-2), np.float64)
