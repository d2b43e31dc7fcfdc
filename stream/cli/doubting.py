"""Telling of doubts: a configuration is taken, but may not do what was meant."""

import logging
import sys

from stream.config import Settings, doubts

_log = logging.getLogger(__name__)


def print_doubts(settings: Settings) -> None:
    """On stderr, for a command that only looks."""
    for doubt in doubts(settings):
        print(f"warning: {doubt}", file=sys.stderr)


def log_doubts(settings: Settings) -> None:
    """In the log, for what runs."""
    for doubt in doubts(settings):
        _log.warning("%s", doubt)
