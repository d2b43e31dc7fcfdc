"""Waiting for a condition, never for time."""

import asyncio
import time
from collections.abc import Callable

DEADLINE_S = 60.0
PAUSE_S = 0.05


def wait_until(
    condition: Callable[[], bool],
    what: str,
    deadline_s: float = DEADLINE_S,
    pause_s: float = PAUSE_S,
) -> None:
    """Return as soon as ``condition`` holds; fail, naming ``what``, when it never does."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {deadline_s:g} s still not: {what}")
        time.sleep(pause_s)


async def eventually(
    condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S
) -> None:
    """As `wait_until`, while the event loop goes on."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {deadline_s:g} s still not: {what}")
        await asyncio.sleep(PAUSE_S)
