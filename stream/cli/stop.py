"""Stopping on a signal: the first drains, the second forces; before there is work, it ends all."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stream.errors import EXIT_FORCED, EXIT_OK

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _end_at_once() -> None:
    os._exit(EXIT_FORCED)


def end_on_signals() -> None:
    """Until `stop_on_signals` takes over, SIGINT or SIGTERM ends the process at once and well.

    Nothing is begun yet, so nothing is left. The kernel does nothing by itself about a signal to
    process 1 of a container (signal(7), pid_namespaces(7)): it would load its model to the end
    first, and then be told nothing of the stop. At once, as threads that load know no cancelling.
    """
    for number in SIGNALS:
        signal.signal(number, lambda *_: os._exit(EXIT_OK))


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

    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
