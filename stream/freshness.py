"""Is a live frame still worth the device? It is when it would be published before it is too old."""

from collections import deque

KEPT = 2000
"""Frames whose times of service are remembered. What holds one up holds up all that are under way
with it, a dozen or two, and 99 of 100 are to be fresh."""
FADE = 0.7
"""What is left of what is expected, each time that it alone turns a frame away."""


class Freshness:
    """Judges frames by their age and by the longest that one of those before them took.

    Not by their mean: in an overload every frame that is admitted is about as old as it may be, so
    half of them would be published too late. Nor by a quantile that is learned bit by bit: what
    exceeds it comes in bursts. A steady device that is just in time turns nothing away.
    """

    def __init__(self, max_age_us: int) -> None:
        self._max_age_us = max_age_us
        self._under_way = 0
        self._count = 0
        self._longest: deque[tuple[int, float]] = deque()
        """Number and time of each frame that took longer than all after it."""

    def admits(self, age_us: int) -> bool:
        """Whether a frame of this age would be published in time; if so it is under way."""
        room_us = self._max_age_us - age_us
        expected_us = self._longest[0][1] if self._longest else 0
        if expected_us <= room_us:
            self._under_way += 1
            return True
        if room_us >= 0 and not self._under_way:
            # Judged by what was expected alone, and nothing is left that could correct it: let it
            # fade, else one slow batch (a warm-up) would turn every later frame away.
            self._longest = deque((number, FADE * took_us) for number, took_us in self._longest)
        return False

    def took(self, service_us: int) -> None:
        """Learn how long a frame that was admitted took until it was published."""
        self._under_way -= 1
        self._count += 1
        while self._longest and self._longest[-1][1] <= service_us:
            self._longest.pop()
        self._longest.append((self._count, service_us))
        if self._longest[0][0] <= self._count - KEPT:
            self._longest.popleft()
