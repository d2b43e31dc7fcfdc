"""When a lost camera is looked for again: pure."""

from zlib import crc32

SPREAD = 0.2
"""The most that is taken off a wait, as a part of it: cameras that one fault took come back apart,
each at a place of its own."""
_DOUBLINGS = 16
"""By then every bound is reached; more would overflow one day."""


def delay_s(camera: str, failures: int, between_s: tuple[float, float]) -> float:
    """Seconds to wait after ``failures`` in a row (from 0), doubling within ``between_s``."""
    first_s, most_s = between_s
    place = crc32(camera.encode()) / 2**32
    return min(first_s * 2.0 ** min(failures, _DOUBLINGS), most_s) * (1 - SPREAD * place)
