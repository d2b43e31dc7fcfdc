"""What waits before each segmenter, second by second: a fluid, read oldest first."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.scaling.pods import Site

PARTS = 10
"""A second in which something waits is looked at in so many parts."""
AGE_STEP_S = 0.01


class Passed(NamedTuple):
    """What a second came to: frames skipped, and the age of the oldest that was answered."""

    skipped: float
    oldest_s: float


@dataclass
class Queues:
    """Frames that wait for each member, shape (members,), and how those before ended.

    A frame that would be answered later than ``max_age`` is skipped when it is read: what a member
    that is not at rest has waiting is never older than that, less the time of service.
    """

    site: Site
    waiting: NDArray[np.float64]
    answered: float = 0.0
    skipped: float = 0.0
    ages: NDArray[np.float64] = field(init=False)
    """Frames answered by age, in bins of `AGE_STEP_S`."""
    _done: NDArray[np.float64] = field(init=False)
    _late: float = 0.0
    _oldest_s: float = 0.0
    _steady_at: bytes = b""
    """The rates with which the last second ended as it began."""

    def __post_init__(self) -> None:
        self.ages = np.zeros(round(self.site.max_age_s / AGE_STEP_S) + 1)

    @property
    def count(self) -> float:
        """Frames that wait."""
        return float(self.waiting.sum())

    def calm(self, frames: float) -> None:
        """Answer frames of seconds in which nobody waited."""
        self.answered += frames
        self.ages[round(self.site.service_s / AGE_STEP_S)] += frames

    def share(self, rates: NDArray[np.float64]) -> None:
        """Members changed: what waits lies on partitions, and is spread as these are full."""
        self._steady_at = b""
        self.waiting = self.count * rates / max(rates.sum(), 1e-9)

    def second(self, rates: NDArray[np.float64], paused_s: float) -> Passed:
        """Pass one second: ``rates`` are frames/s of each member, all of which stand still for its
        first ``paused_s``.
        """
        key = rates.tobytes() if paused_s <= 0 else b""
        if key and key == self._steady_at:
            return self._again()
        begun, self._done, self._late = self.waiting.copy(), np.zeros_like(self.ages), 0.0
        self._oldest_s = 0.0
        for part in range(PARTS):
            if (part + 1) / PARTS > paused_s:
                self._read(rates)
            else:
                self.waiting += rates / PARTS
        is_steady = bool(np.allclose(begun, self.waiting, rtol=0.0, atol=1e-6))
        self._steady_at = key if is_steady else b""
        return self._again()

    def _again(self) -> Passed:
        """Count what the last second that was looked at came to: the next is often as it was."""
        self.ages += self._done
        self.answered += float(self._done.sum())
        self.skipped += self._late
        return Passed(self._late, self._oldest_s)

    def _read(self, rates: NDArray[np.float64]) -> None:
        late = np.maximum(self.waiting - rates * (self.site.max_age_s - self.site.service_s), 0.0)
        self._late += float(late.sum())
        self.waiting -= late
        waited_s = np.divide(self.waiting, rates, out=np.zeros_like(rates), where=rates > 0)
        self.waiting += rates / PARTS
        done = np.minimum(self.waiting, self.site.capacity_per_s / PARTS)
        self.waiting -= done
        age_s = waited_s + self.site.service_s
        self._oldest_s = max(self._oldest_s, float(age_s.max()))
        bins = (age_s / AGE_STEP_S).round().astype(int)
        self._done += np.bincount(bins, done, len(self.ages))
