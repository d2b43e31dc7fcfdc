"""What both kinds of picture sources do with a decoded picture."""

from fractions import Fraction
from typing import Any

import numpy as np

from stream.types import Pixels

MOST_FPS = 1000
"""A stream that claims a higher rate does not know its own (MJPEG says 90000)."""
NAMES = "replace"
"""What PyAV does with a source's name in another encoding than UTF-8: raising is its default."""
UNKNOWN = "its pictures are of a kind that cannot be read"
"""Said where FFmpeg has no decoder; PyAV then has None for it."""


def pixels(picture: Any) -> Pixels:
    """The picture as BGR."""
    # FFmpeg's own threads cost more than they bring, and stay for as long as the stream is held.
    return np.ascontiguousarray(picture.to_ndarray(format="bgr24", threads=1))


def credible(rate: Fraction | None) -> float | None:
    """The rate that a stream claims, where it can be believed."""
    return float(rate) if rate and rate < MOST_FPS else None
