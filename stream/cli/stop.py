"""Stopping on a signal: the first drains, the second forces."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stream.errors import EXIT_FORCED


def _end_at_once() -> None:
    os._exit(EXIT_FORCED)


@contextmanager
def stop_on_signals(force: Callable[[], None] = _end_at_once) -> Iterator[asyncio.Event]:
    """An event that SIGINT or SIGTERM sets; a second signal ends the process at once: ``force``."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            force()
        asked = True
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
