"""What a process measures of itself: which code it is, what it takes, how much it complains."""

import logging
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from prometheus_client import Counter, ProcessCollector

from stream.declared import PREFIX, SHADOW
from stream.metrics import Metrics

OF_A_SHADOW = {"shadow", "compare"}
"""Roles that are no part of the pipeline, and whose figures are not its own."""


@contextmanager
def measured(role: str) -> Iterator[Metrics]:
    """The metrics of this process, which is a ``role``; what it logs meanwhile is counted."""
    metrics = Metrics(SHADOW if role in OF_A_SHADOW else PREFIX)
    metrics.build.labels(version("maskstream"), platform.python_version(), role).set(1)
    ProcessCollector(registry=metrics.registry)
    counting = _Counting(metrics.logged)
    logging.getLogger().addHandler(counting)
    try:
        yield metrics
    finally:
        logging.getLogger().removeHandler(counting)


class _Counting(logging.Handler):
    """Counts warnings, and what is worse as errors."""

    def __init__(self, logged: Counter) -> None:
        super().__init__(logging.WARNING)
        self._warnings, self._errors = logged.labels("warning"), logged.labels("error")

    def emit(self, record: logging.LogRecord) -> None:
        (self._errors if record.levelno >= logging.ERROR else self._warnings).inc()
