"""Where a frame spends its time, and who is told of it."""

from collections.abc import Callable
from typing import Literal

Stage = Literal[
    "ingest_decode",
    "ingest_encode",
    "ingest_publish",
    "segment_decode",
    "segment_wait",
    "segment_preprocess",
    "segment_network",
    "segment_postprocess",
    "segment_publish",
    "watch_track",
    "watch_rules",
    "watch_publish",
]
"""A stage is named with its role, as `run` holds all of them."""

Spent = Callable[[Stage, int], None]
"""Is told how many microseconds something was in a stage, from any thread."""


def untold(_stage: Stage, _us: int) -> None:
    """For whom nobody wants to know how long stages take."""
