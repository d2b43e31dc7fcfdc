"""Waiting for a condition, never for time."""

import time
from collections.abc import Callable

DEADLINE_S = 60.0
PAUSE_S = 0.05


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return as soon as ``condition`` holds; fail, naming ``what``, when it never does."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {DEADLINE_S:g} s still not: {what}")
        time.sleep(PAUSE_S)
