"""Time that moves only when a test, or a sleep, moves it."""

import asyncio

START_US = 1_700_000_000_000_000


class VirtualClock:
    """A `stream.ports.Clock`: ``sleep`` returns at once, with its time passed."""

    def __init__(self, now_us: int = START_US) -> None:
        self._now_us = now_us
        self.slept_s: list[float] = []

    def now_us(self) -> int:
        return self._now_us

    def advance(self, seconds: float) -> None:
        self._now_us += round(seconds * 1e6)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)
