"""The machine's clock: anchored once, and as it is."""

import asyncio
import time


class SteadyClock:
    """Wall-clock time that never steps: read once at the start, then carried by a monotonic clock.

    A step of the machine's clock (NTP, an operator, a leap second) does not reach it; what
    differs after one is seen by others as skew.
    """

    def __init__(self) -> None:
        self._anchor_ns = time.time_ns() - time.monotonic_ns()

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, never going back."""
        return (self._anchor_ns + time.monotonic_ns()) // 1000

    async def sleep(self, seconds: float) -> None:
        """Wait on the monotonic clock."""
        await asyncio.sleep(seconds)


class WallClock:
    """The machine's time of day, with its steps: for what others compare with theirs now."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch."""
        return time.time_ns() // 1000
