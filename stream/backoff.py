"""When a lost camera is looked for again: pure."""

JITTER = 0.2
"""Most that is taken off a wait, as a part of it: cameras that one fault took come back apart."""


def delay_s(failures: int, between_s: tuple[float, float], random: float) -> float:
    """Seconds to wait after so many ``failures`` (from 0), doubling within ``between_s``.

    ``random`` is in [0, 1).
    """
    first_s, most_s = between_s
    doublings = min(failures, 16)  # by then every bound is reached, and no number overflows
    return min(first_s * 2.0**doublings, most_s) * (1 - JITTER * random)
