"""How many frames a second a role does when it is saturated: its capacity, which is scaled by."""

WINDOW_US = 10_000_000
"""What is measured at a time: many batches, and shorter than it takes to start another pod."""
WAITED = 0.8
"""The part of a window in which work has to wait to count it. In an overload of live cameras it is
less than all: a write that all wait for leaves nothing under way (docs/decisions/0017)."""
WEIGHT = 0.3
"""Of the newest window in the capacity: a load that changes for good shows within a minute."""


class Saturation:
    """Watches what is under way, and tells the rate of each window in which work always waited.

    Work waits while ``full`` frames or more are under way: those that the device holds at once, and
    those that wait for it. It does as well while any is under way and not every lane waits for its
    inbox: there is more to read, but what is read is too old to be looked at, or the process has no
    time to. A role that has too little to do is not measured by that, nor one that waits for its
    transport: then its lanes read, or nothing is under way. Times are microseconds of a clock that
    never steps.
    """

    def __init__(self, full: int, now_us: int) -> None:
        self._full = full
        self._under_way = 0
        self._fed: set[str] = set()
        self._began_us = self._last_us = now_us
        self._waited_us = self._worked_us = 0
        self._made = 0

    def reads(self, lane: str, now_us: int) -> None:
        """A lane waits for its inbox."""
        self._pass(now_us)
        self._fed.discard(lane)

    def has_read(self, lane: str, now_us: int) -> None:
        """A lane has what its inbox had, up to what it has room for."""
        self._pass(now_us)
        self._fed.add(lane)

    def began(self, now_us: int) -> None:
        """One more is under way."""
        self._pass(now_us)
        self._under_way += 1

    def made(self) -> None:
        """A frame got its result."""
        self._made += 1

    def ended(self, now_us: int) -> float | None:
        """One is not under way any more; where a window is over that counts, its frames/s.

        Of the time in which any was under way: what a pause of the transport took is left out.
        """
        self._pass(now_us)
        self._under_way -= 1
        took_us = now_us - self._began_us
        if took_us < WINDOW_US:
            return None
        counts = self._made and self._waited_us >= WAITED * took_us and took_us < 2 * WINDOW_US
        rate = self._made / self._worked_us * 1e6 if counts else None
        self._began_us, self._made = now_us, 0
        self._waited_us = self._worked_us = 0
        return rate

    def _pass(self, now_us: int) -> None:
        passed_us = now_us - self._last_us
        self._last_us = now_us
        if self._under_way:
            self._worked_us += passed_us
            if self._under_way >= self._full or self._fed:
                self._waited_us += passed_us


def smoothed(before: float | None, rate: float) -> float:
    """The capacity after one more measurement; the first counts as it is."""
    return rate if before is None else before + WEIGHT * (rate - before)
