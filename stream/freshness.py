"""Is a live frame still worth the device? It is when it would be answered before it is too old."""

RISE, FALL = 0.3, 0.003
"""How fast the expected time of service follows a longer and a shorter one.

A hundredth as fast down as up: what it settles at is the 0.99 expectile of what frames take (Newey
and Powell 1987), not their mean, after which half of what an overloaded device publishes would be
too old. It never lies above what was seen, so a steady device that is just in time turns nothing
away.
"""


class Freshness:
    """Judges frames by their age and by how long those before them took."""

    def __init__(self, max_age_us: int) -> None:
        self._max_age_us = max_age_us
        self._expected_us = 0.0
        self._under_way = 0

    def admits(self, age_us: int) -> bool:
        """Whether a frame of this age would be answered in time; if so it is under way."""
        room_us = self._max_age_us - age_us
        if self._expected_us <= room_us:
            self._under_way += 1
            return True
        if room_us >= 0 and not self._under_way:
            # Judged by what was expected alone, and nothing is left that could correct it: let it
            # fade, else one slow batch (a warm-up) would turn every later frame away.
            self._expected_us *= 1 - RISE
        return False

    def took(self, service_us: int) -> None:
        """Learn how long a frame that was admitted took until it was answered."""
        self._under_way -= 1
        error_us = service_us - self._expected_us
        self._expected_us += (RISE if error_us > 0 else FALL) * error_us
