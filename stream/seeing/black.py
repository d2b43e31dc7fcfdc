"""``black``: nothing to be seen."""

import numpy as np

from stream.seeing.look import Finding, Look

DARK = 16
"""A cell is dark below this level: what a covered lens gives, noise and all, averaged."""
BRIGHT_PART = 0.05
"""Part of the picture that may be brighter: the clock that a camera writes over it."""
AFTER_US = 1_000_000
"""Sooner than rules resolve an alert (2 s), so that darkness does not do it in their stead."""


class Black:
    """Looks for a dark picture."""

    def __init__(self) -> None:
        self._since_us: int | None = None

    def look(self, look: Look) -> Finding | None:
        """None while it may be either."""
        if np.count_nonzero(look.thumbnail >= DARK) > BRIGHT_PART * look.thumbnail.size:
            self._since_us = None
            return Finding(False, look.time_us)
        if self._since_us is None:
            self._since_us = look.time_us
        black_us = look.time_us - self._since_us
        if black_us < AFTER_US:
            return None
        return Finding(True, self._since_us, f"for {black_us / 1e6:.0f} s")
